"""`pending`, `show`, `ask` and `report`: proposals from the command line. A shell can ask; it can never approve."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.output import DENIED, EXPIRED, FAILED, PAUSED, AsJson, print_json, print_rows, printable

_LOCAL = "http://127.0.0.1:8000"
_Url = Annotated[str, typer.Option(envvar="FOUREYES_URL", help="Where the server is.")]
_Key = Annotated[str, typer.Option(envvar="FOUREYES_AGENT_KEY", help="The agent's key.", show_default=False)]
_KeyFile = Annotated[
    Path | None, typer.Option(envvar="FOUREYES_AGENT_KEY_FILE", help="A file that holds the agent's key.")
]


class Outcome(StrEnum):
    """How an action ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("pending", epilog="Example: foureyes pending --json")(pending)
    app.command("show", epilog="Example: foureyes show prop_01jd3k")(show)
    app.command(
        "ask",
        epilog="Example: foureyes ask --tool deploy.production --arg service=shop --arg version=1.4.2"
        ' --summary "ship the fix" && ./deploy.sh',
    )(ask)
    app.command("report", epilog="Example: foureyes report prop_01jd3k succeeded --detail re_88")(report)


def pending(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at the most.")] = 50,
    *,
    as_json: AsJson = False,
) -> None:
    """List what waits for people, most urgent first."""
    from bot.cli import overview

    found = overview.pending(limit)
    if as_json:
        print_json(found)
        return
    rows = [
        {
            "id": row["id"],
            "tool": row["tool"],
            "agent": row["agent"]["name"],
            "votes": f"{len(row['votes'])} of {row['requirement']['approvals']}",
            "expires": row["expires_at"],
        }
        for row in found
    ]
    print_rows(rows, as_json=False, empty="Nothing waits for people.")


def show(ident: Annotated[str, typer.Argument(metavar="ID")], *, as_json: AsJson = False) -> None:
    """Show one proposal whole."""
    from bot.cli import overview

    found = overview.one(ident)
    if found is None:
        typer.echo(f"there is no proposal {printable(ident)}; `foureyes pending` lists those that wait", err=True)
        raise typer.Exit(FAILED)
    if as_json:
        print_json(found)
        return
    for name, value in found.items():
        shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        typer.echo(f"{name:14} {printable(shown)}")


def ask(
    tool: Annotated[str, typer.Option(help="The tool, for example deploy.production.")],
    summary: Annotated[str, typer.Option(help="Why, in a sentence; people read it.")],
    arg: Annotated[
        list[str] | None,
        typer.Option(
            help="An argument, NAME=VALUE. A VALUE that is JSON is sent as such, to the digit; quote it to"
            """ keep text that looks like a number: 'version="1.10"'."""
        ),
    ] = None,
    fact: Annotated[list[str] | None, typer.Option(help="A fact for the policy, NAME=VALUE.")] = None,
    key: Annotated[str, typer.Option(help="Idempotency key; default: a new one.")] = "",
    url: _Url = _LOCAL,
    agent_key: _Key = "",
    key_file: _KeyFile = None,
    timeout: Annotated[str, typer.Option(help="How long to wait: 30m, 4h, 2d.")] = "4h",
) -> None:
    """Submit, wait for people, claim, and print the permission.

    Exit 0 means that the caller may act, once. Any other code means that it may not: 1 failed or blocked, 4 denied,
    5 expired, 6 paused. Afterwards, say how it went with `foureyes report`: people are called where nobody does.
    """
    from bot.ask import Asked, Refused, ask_and_wait
    from bot.cli.switch import duration
    from bot.clock import SteadyClock, TimeOrderedIds

    secret = _agent_key(agent_key, key_file)
    body = (
        f'{{"tool": {json.dumps(tool)}, "summary": {json.dumps(summary)}, "arguments": {_object(arg)},'
        f' "context": {{"facts": {_object(fact)}}}}}'
    )
    answer = ask_and_wait(
        url, secret, body, key or TimeOrderedIds()("ask"), duration(timeout), SteadyClock(), _progress
    )
    match answer:
        case Asked():
            print_json({"id": answer.proposal["id"], "state": answer.proposal["state"], **answer.grant})
        case Refused():
            typer.echo(f"{answer.code}: {printable(answer.detail)}", err=True)
            codes = {"denied": DENIED, "expired": EXPIRED, "paused": PAUSED}
            raise typer.Exit(codes.get(answer.code, FAILED))


def report(
    ident: Annotated[str, typer.Argument(metavar="ID", help="The proposal that was claimed.")],
    status: Annotated[Outcome, typer.Argument(help="How it ended; `unknown` calls people.")],
    detail: Annotated[str, typer.Option(help="A word about it; people read it.")] = "",
    url: _Url = _LOCAL,
    agent_key: _Key = "",
    key_file: _KeyFile = None,
) -> None:
    """Say how a claimed action ended, once. Saying the same again does no harm."""
    from bot.ask import report_outcome
    from bot.clock import SteadyClock

    outcome = {"status": status.value, **({"detail": detail} if detail else {})}
    refused = report_outcome(url, _agent_key(agent_key, key_file), ident, outcome, SteadyClock(), _progress)
    if refused is not None:
        typer.echo(f"{refused.code}: {printable(refused.detail)}", err=True)
        raise typer.Exit(FAILED)
    typer.echo(f"Noted: {printable(ident)} {status.value}.")


def _progress(text: str) -> None:
    typer.echo(printable(text), err=True)


def _agent_key(given: str, file: Path | None) -> str:
    if file is not None:
        try:
            given = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not text"
            raise typer.BadParameter(f"the key's file {str(file)!r} cannot be read: {reason}") from None
    key = given.strip()
    if not key:
        raise typer.BadParameter("no key: set FOUREYES_AGENT_KEY or give --key-file")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise typer.BadParameter("this is no agent's key; give what `foureyes agent add` printed, and only that")
    return key


def _object(pairs: list[str] | None) -> str:
    """Write NAME=VALUE pairs as a JSON object. Numbers keep every digit: they never become floats."""
    members: dict[str, str] = {}
    for pair in pairs or ():
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise typer.BadParameter(f"{pair!r}: write NAME=VALUE")
        if name in members:
            raise typer.BadParameter(f"{name!r} is given twice")
        members[name] = value if _is_json(value) else json.dumps(value)
    return "{" + ", ".join(f"{json.dumps(name)}: {value}" for name, value in members.items()) + "}"


def _is_json(text: str) -> bool:
    try:
        json.loads(text, parse_constant=_no_number, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return False
    return True


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no JSON")
