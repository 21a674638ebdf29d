"""The database as the command line uses it: opened for one command, beside a running server or without one."""

import os
import pwd
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar

from bot.clock import SteadyClock, TimeOrderedIds, salts
from bot.settings import Settings, load
from bot.store import schema
from bot.store.commit import run_now
from bot.store.engine import database_path, open_reader, open_writer
from bot.store.transaction import Sources, Transaction

T = TypeVar("T")


def settings() -> Settings:
    """Read the settings."""
    return load()


def database() -> Path:
    """Find the database, of this program's schema."""
    path = database_path(settings().database_url)
    schema.require_current(path)
    return path


def write(unit: Callable[[Transaction], T]) -> T:
    """Run one unit on the database itself. The WAL is left for the server to fold in: only one process may."""
    sources = Sources(SteadyClock(), TimeOrderedIds(), salts)
    with closing(open_writer(database(), checkpoints=False)) as connection:
        return run_now(connection, sources, unit)


@contextmanager
def reading() -> Iterator[sqlite3.Connection]:
    """Open the database for looking."""
    with closing(open_reader(database())) as connection:
        yield connection


def os_user() -> str:
    """Name who is at the keyboard; under sudo, who called it."""
    return os.environ.get("SUDO_USER") or pwd.getpwuid(os.getuid()).pw_name
