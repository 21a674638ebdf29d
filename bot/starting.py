"""What `init` and `manifest` write: templates with the user's URL, never over a file that exists."""

import os
import re
from collections.abc import Iterator
from enum import StrEnum
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import typer

from approval_rules.nearest import nearest
from bot.keys import load_or_create
from bot.settings import load as load_settings
from bot.store import schema
from bot.store.engine import database_path, lock_server

_FIRST = "founding"


class Template(StrEnum):
    """The policies that `init` can begin with, each with its contract, roles and cases."""

    REFUNDS = "refunds"
    MAIL = "mail"
    DEPLOY = "deploy"
    DATA_ACCESS = "data-access"
    READ_ONLY = "read-only"
    INTERNAL = "internal"


_PLACEHOLDER = "https://YOUR-HOST"
_ORIGIN = re.compile(r"https://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")

_ENV = """\
# Foureyes reads this file from the folder where it is started. Keep it secret: mode 0600, not in git.
SLACK_BOT_TOKEN=
SLACK_SIGNING_SECRET=
# Where packets go unless roles.yml says otherwise (a channel id; invite the bot there).
FOUREYES_CHANNEL=
FOUREYES_DATABASE_URL=sqlite+aiosqlite:///./foureyes.db
FOUREYES_POLICY=./policy
# What rules read as `environment`.
FOUREYES_ENVIRONMENT=production
# The key that signs permissions and anchors the log: outside the database and its backups.
FOUREYES_SIGNING_KEY_FILE=./foureyes.key
# Signed states of the log are appended to this file: on another machine's disk, outside the database's backups.
FOUREYES_WITNESS_FILE=
# They are committed each hour to this git repository, and pushed to its remotes; it must hold nothing else.
FOUREYES_WITNESS_GIT=
# A tlog-witness (C2SP) that cosigns the log: its URL and its key.
FOUREYES_TLOG_WITNESS=
# An authority that dates the log (RFC 3161): its URL, and a PEM file of the certificates that it is believed by.
FOUREYES_TIME_STAMP_URL=
FOUREYES_TIME_STAMP_CA=
# Where people's browsers reach this server, for second factors: https:// and a host name that stays.
FOUREYES_PUBLIC_URL=
# Hosts or networks that callbacks may reach although they are private.
FOUREYES_CALLBACK_ALLOW=
# Hosts or networks that facts may be looked up at although they are private.
FOUREYES_LOOKUP_ALLOW=
"""


def manifest_for(url: str) -> str:
    """Give the Slack manifest with this server's URL. Raises BadParameter for anything but an https origin."""
    origin = url.rstrip("/")
    if not _ORIGIN.fullmatch(origin):
        raise typer.BadParameter(
            f"{url!r}: write the server's public origin, for example https://approvals.example.com"
        )
    return (files("bot") / "templates" / "app_manifest.yml").read_text(encoding="utf-8").replace(_PLACEHOLDER, origin)


def template_named(name: str) -> Template:
    """Find a template; raises BadParameter, with the nearest name, where there is none."""
    if name in set(Template):
        return Template(name)
    near = nearest(name, list(Template))
    hint = f"did you mean {near}?" if near else f"there are {', '.join(Template)}"
    raise typer.BadParameter(f"no template is called {name!r}; {hint}", param_hint="--template")


def initialise(folder: Path, url: str, template: Template | None = None) -> Iterator[str]:
    """Write what is missing, where the settings say, and tell what was done, file by file. Raises SettingsError."""
    manifest = manifest_for(url)
    settings = load_settings(dotenv=folder / ".env")
    database = folder / database_path(settings.database_url)
    yield from _policy(folder / settings.policy, template)
    yield _write(folder / ".env", _ENV, mode=0o600)
    yield _write(folder / "app_manifest.yml", manifest)
    key = folder / settings.signing_key_file
    existed = key.exists()
    load_or_create(key)
    yield f"{'kept' if existed else 'wrote'} {key}"
    yield f"{_database(database)} {database}"
    yield ""
    yield "Next:"
    if folder.resolve() != Path.cwd():
        yield f"  0. cd {folder}: every command reads .env from the folder where it is started."
    yield "  1. Create the Slack app from app_manifest.yml, install it, invite it to the channel."
    yield "  2. Put the bot token, the signing secret and the channel id into .env."
    yield "  3. Put at least two people into each role in policy/roles.yml."
    yield "  4. foureyes doctor, then foureyes serve, then foureyes agent add --help"


def _policy(folder: Path, template: Template | None) -> Iterator[str]:
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):  # a policy in use: a sample would come into force in it, and it allows things
        yield f"kept {folder}"
        return
    yield from _copy(files("bot") / "templates" / "policies" / (template or _FIRST), folder)


def _copy(source: Traversable, folder: Path) -> Iterator[str]:
    """Write the files of a template, those of sub-folders last."""
    for entry in sorted(source.iterdir(), key=lambda each: (each.is_dir(), each.name)):
        if entry.is_dir():
            (folder / entry.name).mkdir()
            yield from _copy(entry, folder / entry.name)
        else:
            yield _write(folder / entry.name, entry.read_text(encoding="utf-8"))


def _database(path: Path) -> str:
    existed = path.exists()
    if existed and schema.revision_of(path) == schema.REVISION:
        return "kept"
    path.parent.mkdir(parents=True, exist_ok=True)
    with lock_server(path):
        schema.upgrade(path)
    return "upgraded" if existed else "wrote"


def _write(path: Path, text: str, mode: int = 0o644) -> str:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        return f"kept {path}"
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    return f"wrote {path}"
