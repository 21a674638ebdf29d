"""`policy check | explain | test | replay | dial | cases export | shadow | compare`: is it good, what would it say."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from bot.cli import shadowing, versioning
from bot.cli.output import FAILED, AsJson, print_json, print_rows, printable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.marked_yaml import PolicyFault
    from bot.replay.replaying import Replayed

app = typer.Typer(
    help="Check the policy folder, test it, and ask what it would say.", no_args_is_help=True, rich_markup_mode=None
)
cases = typer.Typer(help="Cases for `policy test` and `policy replay`.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(cases, name="cases")
FolderOption = Annotated[Path | None, typer.Option("--policy", help="The folder; default FOUREYES_POLICY or ./policy.")]
SinceOption = Annotated[str, typer.Option("--since", help="How far back: 12h, 30d.")]


class FailOn(StrEnum):
    """What makes a replay fail."""

    LOOSENED = "loosened"
    CHANGED = "changed"
    NEVER = "never"


@app.command("check", epilog="Example: foureyes policy check ./policy")
def check(
    folder: Annotated[Path | None, typer.Argument(help="The folder; default FOUREYES_POLICY or ./policy.")] = None,
    *,
    strict: Annotated[bool, typer.Option("--strict", help="Fail on dangers too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Load the folder; name each fault with its place, and dangers.

    Exit code 1 where the folder cannot come into force. A danger is something that is allowed and should be looked at.
    """
    from bot.factor_needs import require_pages
    from bot.policy_files import PolicyFolderError, load
    from bot.policy_lint import dangers
    from bot.settings import load as settings
    from handlers.counting import counted

    told = settings()
    path = folder or told.policy
    try:
        found = load(path)
        require_pages(found, told.public_url, path)
    except PolicyFolderError as error:
        _refuse(error.faults, as_json=as_json)
    dangerous = dangers(found)
    rows: list[dict[str, Any]] = [
        {
            "tool": policy.tool,
            "rules": len(policy.rules),
            "redacts": list(policy.redact),
            "retain_days": policy.retain_days,
            "action_tier": policy.tier,
            "contract": policy.contract.source if policy.contract else None,
            "mode": "shadow" if policy.shadow else "live",
            "class": policy.label,
            "dangers": [str(danger) for danger in dangerous if danger.file == f"{policy.tool}.yml"],
        }
        for policy in found.policies.values()
    ]
    shown = rows if as_json else [{name: row[name] for name in row if name != "dangers"} for row in rows]
    print_rows(shown, as_json=as_json, empty="The folder has no policy: every proposal will be blocked.")
    if not as_json:
        size = f"{counted(len(rows), 'tool')}, {counted(len(found.roles), 'role')}"
        typer.echo(f"Good: {size}, version {found.version}", err=True)
        for danger in dangerous:
            typer.echo(f"Danger: {printable(str(danger))}", err=True)
    if strict and dangerous:
        raise typer.Exit(FAILED)


@app.command(
    "explain",
    epilog="""Example: foureyes policy explain '{"tool": "payments.refund", "arguments": {"amount_usd": 180}}'""",
)
def explain(
    proposal: Annotated[
        str,
        typer.Argument(
            metavar="ID-OR-FILE-OR-JSON", help="A recorded proposal's id, a proposal's body, or a file that holds it."
        ),
    ],
    folder: FolderOption = None,
    *,
    environment: Annotated[str | None, typer.Option("--environment", help="Instead of FOUREYES_ENVIRONMENT.")] = None,
    incident: Annotated[bool, typer.Option("--incident", help="As if an incident were on.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what each rule says about a proposal, and why.

    Each rule stands with the values that it saw, and the rule that nearly allowed it is named. A recorded proposal is
    asked about as it was: its facts, its moment and its counters are those of then.
    """
    from bot.cli.explaining import PROPOSAL_ID, explained, explained_again

    if PROPOSAL_ID.fullmatch(proposal):
        if environment is not None or incident:
            raise typer.BadParameter("a recorded proposal is asked about as it was; leave --environment and --incident")
        found = explained_again(proposal, folder)
    else:
        text = proposal if proposal.lstrip().startswith("{") else _file(proposal)
        found = explained(text, folder, environment, incident=incident)
    if as_json:
        print_json(found.document())
        return
    for line in found.lines():
        typer.echo(line)


@app.command("test", epilog="Example: foureyes policy test ./policy --require-coverage --junit policy.xml")
def run_cases(
    folder: Annotated[Path | None, typer.Argument(help="The folder; default FOUREYES_POLICY or ./policy.")] = None,
    *,
    junit: Annotated[Path | None, typer.Option("--junit", metavar="FILE", help="Write JUnit's XML too.")] = None,
    require_coverage: Annotated[
        bool, typer.Option("--require-coverage", help="Fail where a rule has no case.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run the cases beside the policy, in cases/TOOL.yml.

    Exit code 1 where a case comes out otherwise, or there is none.
    """
    from bot.cli.junit import write
    from bot.cli.testing import run
    from bot.policy_cases import CaseFaultsError
    from bot.settings import load as settings

    path = folder or settings().policy
    try:
        tested = run(path)
    except CaseFaultsError as error:
        _refuse(error.faults, as_json=as_json)
    if junit is not None:
        write(tested, junit, require_coverage=require_coverage)
    if as_json:
        print_json(tested.document())
    else:
        for line in tested.lines():
            typer.echo(line)
    if not tested.cases:
        typer.echo(f"There are no cases; put some into {path / 'cases'}, one file a tool.", err=True)
    if tested.failures or not tested.cases or (require_coverage and tested.missed):
        raise typer.Exit(FAILED)


@app.command("replay", epilog="Example: foureyes policy replay --policy ./new-policy --since 30d --fail-on changed")
def replay(
    folder: FolderOption = None,
    *,
    since: Annotated[str | None, typer.Option("--since", help="How far back: 12h, 30d. Default 30d.")] = None,
    file: Annotated[Path | None, typer.Option("--file", help="Cases from a file instead of the database.")] = None,
    fail_on: Annotated[FailOn, typer.Option("--fail-on", help="What gives exit code 1.")] = FailOn.LOOSENED,
    as_json: AsJson = False,
) -> None:
    """Show what a policy would make of what was proposed before.

    Facts, time and counters are those of then. Loosened means that less is asked than before: no people, fewer, or
    not the same roles.
    """
    from bot.policy_cases import CaseFaultsError

    if file is not None and since is not None:
        raise typer.BadParameter("give --since or --file, not both")
    try:
        replayed = _replayed(folder, file, since or "30d")
    except CaseFaultsError as error:
        _refuse(error.faults, as_json=as_json)
    if as_json:
        print_json(replayed.document())
    else:
        for line in replayed.lines():
            typer.echo(printable(line))
    if not replayed.cases:
        typer.echo("Nothing was replayed, so this says nothing about the policy.", err=True)
    loosened = fail_on is FailOn.LOOSENED and replayed.count("loosened")
    if loosened or (fail_on is FailOn.CHANGED and replayed.changes):
        raise typer.Exit(FAILED)


def _replayed(folder: Path | None, file: Path | None, since: str) -> "Replayed":
    from bot.cli.session import reading
    from bot.policy_files import load
    from bot.replay.judging import dialled
    from bot.replay.replaying import replay_file, replay_log
    from bot.settings import load as settings

    begin = _since(since)
    policy = dialled(load(folder or settings().policy))
    if file is not None:
        return replay_file(policy, file)
    with reading() as connection:
        return replay_log(policy, connection, begin)


@app.command("dial", epilog="Example: foureyes policy dial payments.refund 5% --since 30d")
def turn_dial(
    tool: Annotated[str, typer.Argument(metavar="TOOL")],
    share: Annotated[str, typer.Argument(metavar="SHARE", help="How much runs by itself, from 0% to 100%.")],
    since: SinceOption = "30d",
    rule: Annotated[int | None, typer.Option("--rule", help="This rule only; it may be one that asks.")] = None,
    folder: FolderOption = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show what an autonomy dial would have meant.

    Nothing is changed by it.

    Tells how many cases would have run by themselves, first of all those that people denied.
    """
    from bot.cli.dialling import dial_log, share_from, with_key
    from bot.cli.session import reading
    from bot.policy_files import load
    from bot.settings import load as settings

    percent, begin = share_from(share), _since(since)
    policy = with_key(load(folder or settings().policy), settings().signing_key_file)
    with reading() as connection:
        found = dial_log(policy, connection, tool, percent, rule, begin)
    if as_json:
        print_json(found.document())
        return
    for line in found.lines():
        typer.echo(line)


@cases.command("export", epilog="Example: foureyes policy cases export --since 30d > policy/cases/denied.jsonl")
def export(since: SinceOption = "30d", folder: FolderOption = None) -> None:
    """Print what people denied or lowered as cases, one a line.

    Each expects that people are asked, and notes what the person did and said. Hidden fields are taken out.
    """
    from bot.cli.output import json_printable
    from bot.cli.session import reading
    from bot.policy_files import load
    from bot.replay.replaying import corrected_lines
    from bot.settings import load as settings
    from handlers.counting import counted

    begin = _since(since)
    policy = load(folder or settings().policy)
    erased = written = 0
    with reading() as connection:
        for line in corrected_lines(policy, connection, begin):
            if line is None:
                erased += 1
            else:
                written += 1
                typer.echo(json_printable(line))
    skipped = f"; {erased} skipped, for what was asked has been erased" if erased else ""
    typer.echo(f"{counted(written, 'case')} written{skipped}.", err=True)


def _since(text: str) -> "datetime":
    from bot.cli.switch import duration
    from bot.clock import SteadyClock

    return SteadyClock()() - duration(text)


def _refuse(faults: "Sequence[PolicyFault]", *, as_json: bool) -> NoReturn:
    """Name each fault of the cases, and end with exit code 1."""
    if as_json:
        print_json([{"file": f.file, "line": f.line, "column": f.column, "detail": f.detail} for f in faults])
    else:
        for fault in faults:
            typer.echo(printable(str(fault)), err=True)
    raise typer.Exit(FAILED)


def _file(name: str) -> str:
    try:
        return Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        raise typer.BadParameter(f"{name!r}: {reason}; give an id, a file, or JSON text that begins with {{") from None


# Last, as help lists commands in this order: what one does with a folder, then what one does with a server.
shadowing.register(app)
versioning.register(app)
