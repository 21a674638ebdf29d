"""`policy check | explain`: is the folder good, and what would it say."""

from pathlib import Path
from typing import Annotated, Any

import typer

from bot.cli.output import FAILED, AsJson, print_json, print_rows, printable

app = typer.Typer(
    help="Check the policy folder and ask what it would say.", no_args_is_help=True, rich_markup_mode=None
)
FolderOption = Annotated[Path | None, typer.Option("--policy", help="The folder; default FOUREYES_POLICY or ./policy.")]


@app.command("check", epilog="Example: foureyes policy check ./policy")
def check(
    folder: Annotated[Path | None, typer.Argument(help="The folder; default FOUREYES_POLICY or ./policy.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Load the folder and name each fault with file, line and column."""
    from bot.policy_files import PolicyFolderError, load
    from bot.settings import load as settings

    path = folder or settings().policy
    try:
        found = load(path)
    except PolicyFolderError as error:
        if as_json:
            print_json([{"file": f.file, "line": f.line, "column": f.column, "detail": f.detail} for f in error.faults])
        else:
            typer.echo(str(error), err=True)
        raise typer.Exit(FAILED) from None
    rows: list[dict[str, Any]] = [
        {
            "tool": policy.tool,
            "rules": len(policy.rules),
            "redacts": list(policy.redact),
            "retain_days": policy.retain_days,
        }
        for policy in found.policies.values()
    ]
    print_rows(rows, as_json=as_json, empty="The folder has no policy: every proposal will be blocked.")
    if not as_json:
        typer.echo(f"Good: {len(rows)} tools, {len(found.roles)} roles, version {found.version}", err=True)


@app.command(
    "explain",
    epilog="""Example: foureyes policy explain '{"tool": "payments.refund", "arguments": {"amount_usd": 180}}'""",
)
def explain(
    proposal: Annotated[
        str, typer.Argument(metavar="FILE-OR-JSON", help="A proposal's body, or a file that holds it.")
    ],
    folder: FolderOption = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show what each rule says about a proposal, and what they come to."""
    from bot.cli.explaining import explained

    text = proposal if proposal.lstrip().startswith("{") else _file(proposal)
    found = explained(text, folder)
    if as_json:
        print_json(found)
        return
    for rule in found["rules"]:
        why = f" ({rule['why']})" if rule["why"] else ""
        typer.echo(f"{rule['outcome']:13} {rule['rule']}: {printable(rule['says'])}{printable(why)}")
    typer.echo(f"=> {found['would_be']}: {printable(found['because'])}")


def _file(name: str) -> str:
    try:
        return Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        raise typer.BadParameter(f"{name!r}: {reason}; give a file or JSON text that begins with {{") from None
