"""`agent add | list | rotate | revoke`: who may propose. A key is printed once and never kept."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.output import AsJson, print_json, print_rows, printable
from bot.cli.switch import duration

if TYPE_CHECKING:
    from bot.agents import AddAgent, NewKey, RotateAgent

app = typer.Typer(help="Register agents, rotate and revoke their keys.", no_args_is_help=True, rich_markup_mode=None)


@app.command("add", epilog="Example: foureyes agent add refund-bot --owner U02ABCDEF --tool payments.refund")
def add(
    name: str,
    owner: Annotated[str, typer.Option(help="Slack user id of the person who answers for this agent.")],
    tool: Annotated[list[str], typer.Option(help="A tool that it may propose; repeat for more.")],
    callback_host: Annotated[list[str] | None, typer.Option(help="A host that callbacks may go to.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Register an agent. Its owner can never approve what it proposes."""
    import re

    from bot.agents import AddAgent
    from bot.cli.session import os_user
    from bot.clock import new_token
    from handlers.http.schemas import TOOL_PATTERN

    if not re.fullmatch(r"[UW][A-Z0-9]{2,31}", owner):
        raise typer.BadParameter(f"{owner!r} is not a Slack user id; it starts with U (profile, More, Copy member ID)")
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,62}", name):
        raise typer.BadParameter("a name is 1 to 63 of a-z, 0-9, dot, dash and underscore")
    for one in tool:
        if not re.fullmatch(TOOL_PATTERN, one):
            raise typer.BadParameter(f"{one!r} is not a tool name; write it like payments.refund")
    hosts = tuple(_host(host) for host in callback_host or ())
    _write_and_show(AddAgent(name, owner, tuple(tool), hosts, os_user(), new_token), as_json=as_json)


@app.command("list", epilog="Example: foureyes agent list --json")
def list_(*, as_json: AsJson = False) -> None:
    """List the agents."""
    from bot.cli import overview

    print_rows(overview.agents(), as_json=as_json, empty="No agents yet. Add one: foureyes agent add --help")


@app.command("rotate", epilog="Example: foureyes agent rotate refund-bot --overlap 24h")
def rotate(
    name: str,
    overlap: Annotated[str, typer.Option(help="How long the old keys work on: 0, 30m, 24h, 2d.")] = "24h",
    *,
    as_json: AsJson = False,
) -> None:
    """Give an agent a new key and callback secret."""
    from bot.agents import RotateAgent
    from bot.cli.session import os_user
    from bot.clock import new_token

    length = timedelta() if overlap == "0" else duration(overlap)
    _write_and_show(RotateAgent(name, length, os_user(), new_token), as_json=as_json)


@app.command("revoke", epilog="Example: foureyes agent revoke refund-bot")
def revoke(name: str) -> None:
    """Take all keys of an agent away, at once and for ever."""
    from bot.agents import RevokeAgent
    from bot.cli.session import os_user, write

    agent = write(RevokeAgent(name, os_user()))
    typer.echo(f"Revoked {printable(agent.name)}. Its keys are dead and what was approved cannot be claimed.")


def _host(text: str) -> str:
    from bot.callback_target import ForbiddenTargetError, host_of

    try:
        return host_of(text)
    except ForbiddenTargetError as error:
        raise typer.BadParameter(f"{text!r} is not a host ({error.reason}); write it like hooks.example.com") from None


def _write_and_show(unit: "AddAgent | RotateAgent", *, as_json: bool) -> None:
    from bot.cli.session import signing_key, write
    from bot.keys import callback_secret

    signing = signing_key()  # first: a key that was issued and could not be shown would be lost
    new: NewKey = write(unit)
    secret = callback_secret(signing, new.agent.id, new.generation)
    if as_json:
        row = {"name": new.agent.name, "id": new.agent.id, "key": new.key, "callback_secret": secret}
        print_json({**row, "tools": new.agent.tools, "callback_hosts": new.agent.callback_hosts})
        return
    typer.echo(f"Agent            {new.agent.name} ({new.agent.id})")
    typer.echo(f"Key              {new.key}")
    typer.echo(f"Callback secret  {secret}")
    typer.echo("Both are shown this once. Keep them in the agent's secret store.", err=True)
