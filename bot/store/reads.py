"""Reading outside the writer: glances at a few rows on the loop's own thread, listings on a few other threads."""

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from approval_rules.people import Account, AgentId, PersonId
from approval_rules.switch import ScopeKind, Switch
from approval_rules.times import format_time
from approval_rules.versions import Versions
from bot.keys import KeyFileError
from bot.store import people, rows
from bot.store.codec import POLICY, SWITCH, Recorded
from bot.store.engine import StoreUnavailableError, open_reader
from bot.store.rows import AgentRow, Loaded, Row
from bot.store.sealed import Vault, vault_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


_AT_ONCE: Final = 4
_NOT_OPENED: Final = "user-defined function"
"""What SQLite says where what was sealed could not even be tried to open."""
_NO_KEYS: Final = "the data keys cannot be read; `foureyes doctor` says why"


class Snapshot:
    """One connection's view of the database."""

    def __init__(
        self, run: Callable[[str, Mapping[str, Any]], Awaitable[Sequence[Row]]], vault: "Callable[[], Vault | None]"
    ) -> None:
        self._run = run
        self._vault = vault

    async def rows(self, sql: str, where: Mapping[str, Any]) -> Sequence[Row]:
        """Read rows."""
        return await self._run(sql, where)

    async def recorded(self, subject: str) -> tuple[Recorded, ...]:
        """Read everything recorded about a subject."""
        return rows.recorded_from(*await self._about(subject))

    async def proposal(self, unverified_id: str) -> Loaded | None:
        """Load one proposal."""
        return rows.loaded(*await self._about(unverified_id))

    async def _about(self, subject: str) -> tuple[Sequence[Row], Sequence[Row]]:
        where = {"subject": subject}
        return await self.rows(rows.ENTRIES_OF, where), await self.rows(rows.DETACHED_OF, where)

    async def switch(self) -> Switch:
        """Load the kill switch."""
        return rows.switch_from(await self.recorded(SWITCH))

    async def versions(self) -> Versions:
        """Load which policy version decides."""
        return rows.versions_from(await self.recorded(POLICY))

    async def key_used(self, agent: AgentId, key: str) -> bool:
        """Tell whether an idempotency key has its answer; one that has keeps it."""
        where = {"agent": agent, "key": rows.key_hash(agent, key)}
        return bool(await self.rows("SELECT 1 FROM idempotency WHERE agent_id = :agent AND key = :key", where))

    async def size(self) -> int:
        """Count the log's entries."""
        head = await self.rows(rows.HEAD, {})
        return head[0][0] + 1 if head else 0

    async def accounts(self, refs: Iterable[PersonId]) -> dict[PersonId, tuple[Account, str]]:
        """Give the account and the display name behind each pseudonym that has one still."""
        found = await self.rows(people.BY_REF, {"refs": json.dumps(sorted(set(refs)))})
        try:
            known = people.opened_rows(self._vault(), found)
        except KeyFileError as error:
            raise StoreUnavailableError(_NO_KEYS) from error
        return {PersonId(ref): (Account(team, user), name) for ref, team, user, name in known}

    async def due(self, now: datetime, switch: Switch, limit: int) -> Sequence[str]:
        """List the proposals whose clock has run out and stands under no pause; outcomes are due in a pause too."""
        agents = [pause.scope.name for pause in switch.active if pause.scope.kind is ScopeKind.AGENT]
        tools = [pause.scope.name for pause in switch.active if pause.scope.kind is ScopeKind.TOOL]
        stopped = any(pause.scope.kind is ScopeKind.ALL for pause in switch.active)
        found = await self.rows(
            "SELECT id FROM proposals WHERE next_at <= :now AND (clock = 'outcome' OR NOT (:stopped"
            " OR agent_id IN (SELECT value FROM json_each(:agents)) OR tool IN (SELECT value FROM json_each(:tools))))"
            " ORDER BY next_at LIMIT :limit",
            {
                "now": format_time(now),
                "stopped": stopped,
                "agents": json.dumps(agents),
                "tools": json.dumps(tools),
                "limit": limit,
            },
        )
        return [row[0] for row in found]


class Reads:
    """Read-only access to the database for the event loop."""

    def __init__(self, path: "Path") -> None:
        self.path = path
        self._threads = ThreadPoolExecutor(_AT_ONCE, "reads")
        self._idle: list[sqlite3.Connection] = []
        self._listing = Snapshot(self._rows_there, partial(vault_for, path))
        # A few indexed look-ups on the loop's own thread cost 20 us each; a hop to another thread and back costs 500.
        self._here = open_reader(path)
        self._glance = Snapshot(self._rows_here, partial(vault_for, path))
        self._closed = False
        self._open = 0
        self._none_open = asyncio.Event()
        self._none_open.set()

    @asynccontextmanager
    async def snapshot(self) -> "AsyncIterator[Snapshot]":
        """Open a view for a listing or a count: it may take long, and does not hold up the event loop."""
        if self._closed:
            raise StoreUnavailableError("the server is stopping; nothing more is read")
        self._open += 1
        self._none_open.clear()
        try:
            yield self._listing
        finally:
            self._open -= 1
            if not self._open:
                self._none_open.set()

    def glance(self) -> Snapshot:
        """Give a view for a few rows found by an index: it MUST NOT be used for more, for the loop stands still."""
        return self._glance

    async def _rows_here(self, sql: str, where: Mapping[str, Any]) -> Sequence[Row]:
        return self._look(sql, where)

    async def _rows_there(self, sql: str, where: Mapping[str, Any]) -> Sequence[Row]:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._look_there, sql, where)

    def _look_there(self, sql: str, where: Mapping[str, Any]) -> Sequence[Row]:
        """Read on a connection that nobody else uses meanwhile: there are no more of them than threads."""
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = open_reader(self.path)
        try:
            return _read(connection, sql, where)
        finally:
            self._idle.append(connection)

    def _look(self, sql: str, where: Mapping[str, Any]) -> Sequence[Row]:
        return _read(self._here, sql, where)

    def agent_by_key(self, key_id: str) -> tuple[AgentRow, str, str | None] | None:
        """Find an agent by the public part of a key: the agent, the key's hash, and when the key ends."""
        found = self._look(rows.AGENT_BY_KEY, {"key_id": key_id})
        return (rows.agent_from(found[0]), found[0][7], found[0][8]) if found else None

    def person(self, account: Account) -> PersonId | None:
        """Find who is known by an account. Raises KeyFileError where that cannot be told."""
        known = people.find(self._look, vault_for(self.path), account)
        return None if known is None else known.person

    async def close(self) -> None:
        """Close every connection, once nobody reads."""
        self._closed = True
        await self._none_open.wait()
        await asyncio.to_thread(self._threads.shutdown)
        for connection in (self._here, *self._idle):
            connection.close()


def _read(connection: sqlite3.Connection, sql: str, where: Mapping[str, Any]) -> Sequence[Row]:
    try:
        return connection.execute(sql, where).fetchall()
    except sqlite3.Error as error:
        if _NOT_OPENED in str(error):
            raise StoreUnavailableError(_NO_KEYS) from error
        raise StoreUnavailableError(f"the database could not be read: {error}") from error
