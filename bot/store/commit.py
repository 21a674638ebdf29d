"""One batch of units, one commit: all or nothing for the database, each for itself for the callers.

Imports nothing slow: the command line commits with it too, while the server is up or down.
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from bot.keys import KeyFileError
from bot.store.engine import BUSY_MS, StoreUnavailableError
from bot.store.folds import Folds
from bot.store.transaction import Sources, Transaction

T = TypeVar("T")


@dataclass(slots=True)
class Work(Generic[T]):
    """One unit and what became of it. A unit may run twice and MUST have no effect but through its transaction."""

    unit: Callable[[Transaction], T]
    result: T | None = None
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class Committed:
    """What a commit changed: the proposals, and how many events of each kind; for the waiters and the metrics."""

    proposals: Sequence[str]
    kinds: Mapping[str, int]
    denials: Mapping[str, int]


def no_crash(point: str) -> None:
    """Do nothing at a named point; the crash tests put a kill here."""


def commit(
    connection: sqlite3.Connection,
    sources: Sources,
    folds: Folds,
    batch: Sequence[Work[Any]],
    crash_point: Callable[[str], None] = no_crash,
) -> Committed | None:
    """Run units and commit them together; None where nothing of the batch was written (each then has its error).

    Raises StoreUnavailableError where nothing could even begin, because another process holds the database.
    """
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.Error as error:
        raise StoreUnavailableError(f"the database could not be written: {error}") from error
    try:
        transaction = Transaction(connection, sources, folds)
        for job in batch:
            _run_unit(transaction, job)
        transaction.flush()
        crash_point("before-commit")
        connection.execute("COMMIT")
        transaction.landed()
        if transaction.wipes:
            cut_wal(connection)
        crash_point("after-commit")
    except Exception as error:  # noqa: BLE001 - whatever it was, every caller must hear that nothing was written
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        why = str(error) if isinstance(error, KeyFileError) else f"the database could not be written: {error}"
        for job in batch:
            job.error = job.error or StoreUnavailableError(why)
        return None
    return Committed(transaction.touched, transaction.kinds, transaction.denials)


def cut_wal(connection: sqlite3.Connection) -> None:
    """Fold the WAL in and cut it to nothing: it still holds what pages said before. Not while somebody reads.

    Only the server's connection may; what another process overwrote is cut by the server's next sweep.
    """
    if connection.execute("PRAGMA wal_autocheckpoint").fetchone()[0]:
        connection.execute("PRAGMA busy_timeout = 200")
        with suppress(sqlite3.OperationalError):
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")


def run_now(connection: sqlite3.Connection, sources: Sources, unit: Callable[[Transaction], T]) -> T:
    """Run one unit without a thread or a loop, for the command line."""
    work = Work(unit)
    commit(connection, sources, Folds(), [work])
    if work.error is not None:
        raise work.error
    return cast("T", work.result)


def _run_unit(transaction: Transaction, job: Work[Any]) -> None:
    transaction.begin_unit()
    try:
        job.result = job.unit(transaction)
    except Exception as error:  # noqa: BLE001 - handed to the caller, who asked for it
        transaction.drop_unit()
        job.error = error
    else:
        transaction.keep_unit()
