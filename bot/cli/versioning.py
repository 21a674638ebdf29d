"""`policy versions | activate | rollback`: which version decides, and another one, beside a server or without one."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from bot.cli.output import FAILED, AsJson, print_rows, printable

if TYPE_CHECKING:
    from approval_rules.people import PersonId, ProposalId
    from approval_rules.policy_events import PolicyActivated
    from bot.policy_content import PolicyContent
    from bot.replay.change import Change
    from bot.store.transaction import Transaction


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("versions", epilog="Example: foureyes policy versions --json")(versions)
    app.command("activate", epilog="Example: foureyes policy activate ./new-policy --author U0123456789")(activate)
    app.command("rollback", epilog="Example: foureyes policy rollback 3f1c9a20")(rollback)


def versions(*, as_json: AsJson = False) -> None:
    """List the policy's versions: active, waiting, earlier, refused."""
    from bot.cli.known_versions import SHORT, known_versions
    from bot.cli.session import reading

    with reading() as connection:
        found = known_versions(connection)
    shown = found if as_json else [{**row, "version": row["version"][:SHORT]} for row in found]
    print_rows(shown, as_json=as_json, empty="No version yet: the server records the first one when it starts.")


def activate(
    what: Annotated[str, typer.Argument(metavar="FOLDER|VERSION", help="A folder, or a version that is listed.")],
    author: Annotated[str | None, typer.Option("--author", help="Slack user id of whoever wrote the change.")] = None,
) -> None:
    """Let another version decide.

    At once, or, where the policy has the role policy_admin, once two of them agree.

    Whoever is named as the author cannot approve the change.
    """
    from bot.agents import home_team, who_typed
    from bot.cli.session import os_user, write
    from bot.desk.versions import NotNowError, VersionError, Wish, bring_in
    from bot.replay.change import ChangeTooLargeError

    if author is not None and not re.fullmatch(r"[UW][A-Z0-9]{2,31}", author):
        raise typer.BadParameter(f"{author!r} is not a Slack user id; it starts with U (profile, More, Copy member ID)")
    try:
        content = _content(what)
        change = _change(content, author)

        def unit(tx: "Transaction") -> "PolicyActivated | ProposalId":
            by = who_typed(tx, os_user())
            return bring_in(
                tx, content, Wish(by, None if author is None else _person(tx, author, home_team(tx))), change
            )

        done = write(unit)
    except (VersionError, NotNowError, ChangeTooLargeError) as error:
        _fail(str(error))
    if isinstance(done, str):
        typer.echo(f"Asked: two people of policy_admin decide in Slack. The change is {done}.")
    else:
        typer.echo(f"{content.version} decides from now on; the server takes it up within two seconds.")
        typer.echo(
            "WARNING: nobody else was asked. Add the role policy_admin to roles.yml to require two people.", err=True
        )


def rollback(
    version: Annotated[str | None, typer.Argument(help="Its first digits; without it, the one active before.")] = None,
) -> None:
    """Let a version decide again that once did.

    One person may; it is recorded, and announced in Slack.

    The policy folder does not bring its version back by itself, only another change of it does.
    """
    from bot.agents import who_typed
    from bot.cli.known_versions import known_versions, resolved
    from bot.cli.session import os_user, reading, write
    from bot.desk.versions import VersionError, activations, before_that, roll_back

    def unit(tx: "Transaction") -> "PolicyActivated":
        target = wanted or before_that(activations(tx))
        if target is None:
            raise VersionError("no version was active before this one; `foureyes policy versions` lists all")
        return roll_back(tx, target, who_typed(tx, os_user()))

    try:
        with reading() as connection:
            wanted = None if version is None else resolved(known_versions(connection), version)
        event = write(unit)
    except VersionError as error:
        _fail(str(error))
    typer.echo(f"Rolled back: {event.version} decides from now on, before it {event.previous}.")
    typer.echo("The server takes it up within two seconds, and claims meet it at once. It is announced in Slack.")


def _content(what: str) -> "PolicyContent":
    """Read a folder, or a version from the database; both must load."""
    from bot.cli.known_versions import known_versions, resolved
    from bot.cli.session import reading
    from bot.desk.versions import VersionError
    from bot.factor_needs import require_pages
    from bot.policy_files import load_content, open_folder
    from bot.settings import load as settings
    from bot.store.policies import content_of, looking

    if Path(what).is_dir():
        content, folder = open_folder(Path(what))
        require_pages(folder, settings().public_url, Path(what))
        return content
    if not re.fullmatch(r"(?:sha256:)?[0-9a-f]{4,64}", what):
        raise VersionError(f"{what!r} is no folder and no version; `foureyes policy versions` lists these")
    with reading() as connection:
        content = content_of(looking(connection), resolved(known_versions(connection), what))
    load_content(content)
    return content


def _change(content: "PolicyContent", author: str | None) -> "Change | None":
    """Prepare what people are asked, where the active version asks them."""
    from approval_rules.versions import POLICY_ADMIN
    from bot.cli.session import database, os_user, reading
    from bot.clock import SteadyClock
    from bot.desk.current_policy import folder_of
    from bot.policy_files import load_content
    from bot.replay.judging import dialled
    from bot.replay.preparing import prepare
    from bot.store import rows
    from bot.store.codec import POLICY
    from bot.store.folds import recorded_of
    from bot.store.policies import looking

    with reading() as connection:
        active = rows.versions_from(recorded_of(connection, POLICY)).active
        governed = active is not None and POLICY_ADMIN in folder_of(looking(connection), active).roles
    if active is None or not governed or content.version == active:
        return None
    if author is None:
        raise typer.BadParameter("give --author: whoever wrote a change cannot approve it")
    folder = dialled(load_content(content))
    return prepare(database(), active, content, folder, SteadyClock(), f"the account {os_user()} on the server")


def _person(tx: "Transaction", author: str, team: str) -> "PersonId":
    from approval_rules.people import Account

    return tx.person(Account(team, author), "")


def _fail(why: str) -> NoReturn:
    typer.echo(f"Nothing was changed: {printable(why)}", err=True)
    raise typer.Exit(FAILED)
