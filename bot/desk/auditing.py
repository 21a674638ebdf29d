"""What an auditor's key may do: search the log and follow it. It can never change what happens.

Each time that values were shown is recorded, before they are.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from typing import Final, Literal, TypeVar

from approval_rules.auditor_events import AuditLooked
from approval_rules.people import auditor
from bot.desk.revealing import RevealUseCases
from bot.desk.try_pace import TryPace
from bot.desk.wiring import Wiring, written
from bot.held_keys import AUDITOR, holder_of
from bot.person_marks import marking
from bot.search.finding import Finder
from bot.search.following import behind
from bot.search.indexing import Indexer
from bot.search.words import marker
from bot.store.engine import StoreUnavailableError, open_reader
from bot.store.transaction import Transaction
from handlers.audit_desk import Auditor, Followed, SearchPage, Sought

T = TypeVar("T")
_A_MINUTE: Final = 120
_LOOK_EVERY_S: Final = 0.5


class AuditUseCases:
    """Provides `handlers.audit_desk.AuditDesk`."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._pace = TryPace(between=timedelta(0), most=_A_MINUTE)
        self._mark, self._marks = marker(wiring.key), marking(wiring.key)
        self.originals = RevealUseCases(wiring)
        self.indexer = Indexer(wiring.reads.path, wiring.writer, self._mark)

    async def auditor_of(self, unverified_key: str) -> Auditor | None:
        """Find whose key this is, as of now."""
        holder = await holder_of(self._wiring.reads, AUDITOR, unverified_key)
        if holder is None:
            return None
        (values,) = holder.flags
        return Auditor(holder.name, holder.key_id, auditor(holder.person), values)

    def may_ask_now(self, auditor: Auditor) -> bool:
        """Note a request and tell whether it is within the key's pace."""
        return self._pace.allows(auditor.key_id, self._wiring.clock())

    async def search(self, auditor: Auditor, sought: Sought, limit: int, after: str | None) -> SearchPage:
        """Find proposals; what was just recorded is taken into the index first."""
        await self.indexer.look()

        def look(connection: sqlite3.Connection) -> SearchPage:
            finder = Finder(connection, self._mark, self._marks)
            return finder.page(sought, limit, after, values=auditor.values)

        page = await self._reading(look)
        if auditor.values:
            await self._record(auditor, "search", len(page.hits), sought.filters)
        return page

    async def entries(self, auditor: Auditor, after: int, limit: int, wait_s: int, *, values: bool) -> Followed:
        """Give the entries behind `after`; while there is none, look again until the time is over."""
        until = self._wiring.clock() + timedelta(seconds=wait_s)
        while True:
            found = await self._reading(lambda connection: behind(connection, after, limit, values=values))
            done = found.entries or self._wiring.waiters.dismissed or self._wiring.clock() >= until
            if done:
                break
            await asyncio.sleep(_LOOK_EVERY_S)
        # Looks have no values themselves: following them records nothing, and so comes to an end.
        told = sum(1 for entry in found.entries if entry.values)
        if told:
            await self._record(auditor, "stream", told, (), after)
        return found

    async def _reading(self, look: Callable[[sqlite3.Connection], T]) -> T:
        """Read on a thread and a connection of its own: a search may take a tenth of a second."""

        def run() -> T:
            try:
                with closing(open_reader(self._wiring.reads.path)) as connection:
                    return look(connection)
            except sqlite3.Error as error:
                raise StoreUnavailableError(f"the database could not be read: {error}") from error

        return await asyncio.to_thread(run)

    async def _record(
        self,
        by: Auditor,
        what: Literal["search", "stream"],
        found: int,
        filters: tuple[str, ...],
        since: int | None = None,
    ) -> None:
        def unit(tx: Transaction) -> None:
            tx.record(AuditLooked(tx.at, by.actor, by.key_id, what, found, filters, since))

        await written(self._wiring, unit)
