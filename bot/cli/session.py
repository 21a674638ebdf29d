"""The database as the command line uses it: opened for one command, beside a running server or without one."""

import os
import pwd
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from bot.clock import Clock, SteadyClock, TimeOrderedIds, new_token, not_before, salts
from bot.settings import Settings
from bot.settings import load as load_settings
from bot.store import schema
from bot.store.commit import run_now
from bot.store.engine import database_path, open_reader, open_writer
from bot.store.sealed import use_vault
from bot.store.transaction import Sources, Transaction

if TYPE_CHECKING:
    from bot.data_keys import AccountMarking, DataKeys
    from bot.keys import SigningKey

T = TypeVar("T")


def settings() -> Settings:
    """Read the settings."""
    return load_settings()


def database() -> Path:
    """Find the database, of this program's schema."""
    path = database_path(settings().database_url)
    schema.require_current(path)
    return path


def write(unit: Callable[[Transaction], T]) -> T:
    """Run one unit on the database itself. The WAL is left for the server to fold in: only one process may."""
    from bot.anchoring import last_time

    path = database()
    # A clock that was set back must not put an entry before the one that stands before it.
    clock = not_before(SteadyClock(), last_time(path))
    with reading() as connection:
        new = _is_empty(connection)
    if new:
        _anchor(path, clock, new=True)
    keys = vault(new=new)
    with closing(open_writer(path, checkpoints=False, vault=keys)) as connection:
        result = run_now(connection, Sources(clock, TimeOrderedIds(), salts, keys), unit)
    _anchor(path, clock, new=False)
    return result


def _anchor(path: Path, clock: Clock, *, new: bool) -> None:
    """Anchor a new log before its first entry, and any log after what was just written.

    A missing anchor of a log that is not new is evidence: it must not vanish because somebody ran a command.
    """
    from bot.anchoring import Anchoring, begin
    from bot.audit.anchor import AnchorError
    from bot.keys import KeyFileError

    found = settings()
    try:
        key = _key(found.signing_key_file, new=new)
        if new:
            begin(path, found.anchor_file, key)
        elif found.anchor_file.exists():
            Anchoring(path, found.anchor_file, key, clock).close()
    except AnchorError:
        return  # evidence: stopping must work on such a log too, and `serve` and `audit verify` refuse it
    except (OSError, KeyFileError):
        return  # whoever may write the database need not hold the key; the server anchors it within a second


def signing_key() -> "SigningKey":
    """Read the signing key. Only where nothing was recorded yet a missing one is made. Raises KeyFileError."""
    with reading() as connection:
        new = _is_empty(connection)
    return _key(settings().signing_key_file, new=new)


def _key(path: Path, *, new: bool) -> "SigningKey":
    from bot.keys import KeyFileError, load, load_or_create

    if new:
        return load_or_create(path)
    try:
        return load(path)
    except FileNotFoundError:
        raise KeyFileError(
            f"{path}: the signing key is missing; restore it from its backup, or set FOUREYES_SIGNING_KEY_FILE"
        ) from None


def _is_empty(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM entries LIMIT 1").fetchone() is None


@contextmanager
def reading() -> Iterator[sqlite3.Connection]:
    """Open the database for looking."""
    with closing(open_reader(database(), vault())) as connection:
        yield connection


def vault(*, new: bool = False) -> "DataKeys | None":
    """Open the data keys; None for whoever may not. Only where nothing was recorded yet a missing file is made."""
    from bot.data_keys import DataKeys, create
    from bot.keys import KeyFileError

    file = settings().data_keys_file
    keys: DataKeys | None = None
    with suppress(OSError, KeyFileError):  # a pause must not fail for it: the server seals what was written
        if new and not file.exists():
            create(file)
        keys = DataKeys(file, new_token, _marking())
    use_vault(database(), keys)
    return keys


def _marking() -> "AccountMarking | None":
    """Give by what accounts are found again; None for whoever may not read the signing key."""
    from bot.keys import KeyFileError, load
    from bot.person_marks import account_marking

    with suppress(OSError, KeyFileError):
        return account_marking(load(settings().signing_key_file))
    return None


def os_user() -> str:
    """Name who is at the keyboard; under sudo, who called it. Only root is believed about that."""
    uid = os.getuid()
    if uid == 0 and os.environ.get("SUDO_USER"):
        return os.environ["SUDO_USER"]
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:  # a container may run under a number without a name
        return f"uid {uid}"
