"""`demo`, `init`, `serve`, `doctor`, `manifest`, `db upgrade | reindex`: setting up and running the server."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.output import NOT_READY, AsJson, print_json

database = typer.Typer(help="Look after the database.", no_args_is_help=True, rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("demo", epilog="Example: foureyes demo --script")(demo)
    app.command("init", epilog="Example: foureyes init --url https://approvals.example.com")(init)
    app.command("serve", epilog="Example: foureyes serve --host 0.0.0.0 --port 8000")(serve)
    app.command("doctor", epilog="Example: foureyes doctor")(doctor)
    app.command("manifest", epilog="Example: foureyes manifest --url https://approvals.example.com")(manifest)


def demo(
    port: Annotated[int | None, typer.Option(help="Port of the page; default 8123, or a free one.")] = None,
    *,
    script: Annotated[bool, typer.Option("--script", help="Play it without a browser and exit 0.")] = False,
) -> None:
    """Play the whole main job with a local Slack.

    No account, no token, no network beyond this machine; nothing is left behind.
    """
    from bot.demo import run

    raise typer.Exit(run(port, script))


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8000,
) -> None:
    """Run the server until it is told to stop."""
    from bot.serving import serve as serve_until_stopped

    serve_until_stopped(host, port)


def doctor(*, as_json: AsJson = False) -> None:
    """Check everything that `serve` needs, and say what to do. Exit code 3 where something is missing."""
    from bot.doctor import examine

    found = examine()
    if as_json:
        print_json([{"check": one.name, "state": one.state.value, "detail": one.detail} for one in found])
    else:
        for one in found:
            typer.echo(f"{one.state.value:5} {one.name}: {one.detail}")
    if any(one.state.value == "FAIL" for one in found):
        raise typer.Exit(NOT_READY)


def init(
    folder: Annotated[Path, typer.Argument(help="Where to write; default: here.")] = Path(),
    url: Annotated[str, typer.Option(help="The public https URL of this server.")] = "https://YOUR-HOST",
    template: Annotated[
        str | None,
        typer.Option(help="The policy to begin with: refunds, mail, deploy, data-access, read-only or internal."),
    ] = None,
) -> None:
    """Write policy, roles, .env, Slack manifest, key and database.

    Files that exist are kept as they are; a database of an older version is upgraded. Without --template the policy is
    the one of the documentation's first page, without a contract.
    """
    from bot.starting import initialise, template_named

    for line in initialise(folder, url, None if template is None else template_named(template)):
        typer.echo(line)


def manifest(
    url: Annotated[str, typer.Option(help="The public https URL of this server.")] = "https://YOUR-HOST",
) -> None:
    """Print the Slack app manifest to paste where Slack asks for one."""
    from bot.starting import manifest_for

    sys.stdout.write(manifest_for(url))


@database.command("upgrade", epilog="Example: foureyes db upgrade")
def upgrade() -> None:
    """Create the database, or bring it to this version's schema."""
    from bot.settings import load
    from bot.store.engine import database_path, lock_server
    from bot.store.schema import REVISION
    from bot.store.schema import upgrade as upgrade_schema

    path = database_path(load().database_url)
    path.parent.mkdir(parents=True, exist_ok=True)
    with lock_server(path):
        upgrade_schema(path)
    typer.echo(f"{path} has schema {REVISION}.")


@database.command("reindex", epilog="Example: foureyes db reindex && foureyes audit search --state denied")
def reindex() -> None:
    """Empty the search index, to be made again from the log.

    The way out where `foureyes audit verify` says that the search index is not what the log says. Keep a copy of the
    database first: it shows what somebody changed. A running server fills the index again at once.
    """
    from bot.cli.session import write
    from bot.search.index import start_over

    write(start_over)
    typer.echo("Emptied. It is filled again by the running server, or by the next `foureyes audit search`.")
