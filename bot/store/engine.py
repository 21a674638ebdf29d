"""Opening the database: one writing connection, read-only ones, and the pragmas that both need.

SQLite 3.40.1 (Debian 12) can lose data when two connections reset the WAL at once, so a process MUST have one writing
connection, only the server's may checkpoint, and only one server may run on a file.
"""

import fcntl
import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import IO

from bot.store.sealed import Vault, look_through, vault_for
from handlers.desk import DeskUnavailableError

BUSY_MS = 5_000
_PREFIX = "sqlite+aiosqlite:///"


class StoreUnavailableError(DeskUnavailableError):
    """The database cannot be opened, is too old or too new, or cannot be written now; the message says what to do."""


def database_path(url: str) -> Path:
    """Give the file that a database URL names. Raises StoreUnavailableError for anything but SQLite on a file."""
    if not url.startswith(_PREFIX) or url == _PREFIX or ":memory:" in url:
        raise StoreUnavailableError(
            f"FOUREYES_DATABASE_URL must be {_PREFIX}PATH (a SQLite file); other databases are not supported yet"
        )
    return Path(url.removeprefix(_PREFIX))


def open_writer(path: Path, *, checkpoints: bool, vault: Vault | None = None) -> sqlite3.Connection:
    """Open the writing connection of this process; only the server's may checkpoint the WAL."""
    connection = _open(path, vault)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute(f"PRAGMA wal_autocheckpoint = {1000 if checkpoints else 0}")
    except sqlite3.Error as error:
        connection.close()
        raise StoreUnavailableError(f"cannot write {path}: {error}") from error
    return connection


def open_reader(path: Path, vault: Vault | None = None) -> sqlite3.Connection:
    """Open a connection that cannot write. What neither this vault nor the process's own opens reads as erased."""
    connection = _open(path, vault)
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA trusted_schema = OFF")
    return connection


def _open(path: Path, vault: Vault | None) -> sqlite3.Connection:
    if not path.exists():
        raise StoreUnavailableError(f"there is no database at {path}; run `foureyes init` or `foureyes db upgrade`")
    try:
        connection = sqlite3.connect(
            f"file:{_quoted(path)}?mode=rw",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            timeout=BUSY_MS / 1000,
            cached_statements=256,
        )
        connection.execute("PRAGMA mmap_size = 0")
    except sqlite3.Error as error:
        raise StoreUnavailableError(f"cannot open {path}: {error}") from error
    with suppress(sqlite3.DatabaseError):  # of a damaged file: whoever reads it says so
        look_through(connection, vault or vault_for(path))
    return connection


def _quoted(path: Path) -> str:
    return str(path.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def lock_server(path: Path) -> IO[str]:
    """Take the one server's place on this database file, until the handle is closed or the process dies.

    Raises StoreUnavailableError where another server has it.
    """
    handle = Path(f"{path}.lock").open("a+", encoding="ascii")  # noqa: SIM115 - held for the life of the server
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.seek(0)
        owner = handle.read().strip() or "unknown"
        handle.close()
        raise StoreUnavailableError(
            f"another foureyes server (process {owner}) runs on {path}; stop it, or give this one its own database"
        ) from None
    handle.truncate(0)
    handle.write(str(os.getpid()))
    handle.flush()
    return handle


def server_runs(path: Path) -> bool:
    """Tell whether a server has its place on this database file."""
    lock = Path(f"{path}.lock")
    if not lock.exists():
        return False
    with lock.open("rb") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False
