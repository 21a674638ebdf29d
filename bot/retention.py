"""Keeps every value for its term and no longer: seals, records and shreds, in sweeps that may be cut anywhere."""

import asyncio
from collections.abc import Collection
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from approval_rules.people import system
from bot.clock import Clock
from bot.data_keys import HELD, MARK, SENT, DataKeys, KeyName
from bot.store import erasing, people, unsaying
from bot.store.codec import RETENTION as RETENTION_SUBJECT
from bot.store.holds import STILL_OPEN, end_terms
from bot.store.rows import NEWEST_OF

if TYPE_CHECKING:
    from bot.store.reads import Reads
    from bot.store.writer import Writer

RETENTION: Final = system("retention")


def is_due(key: KeyName, today: date) -> bool:
    """Tell whether the term of what a key seals is over: a day's first value is never kept longer than its term."""
    return date.fromisoformat(key.day) + timedelta(days=key.days) <= today


class Retention:
    """The sweep over kept values."""

    def __init__(self, writer: "Writer", reads: "Reads", vault: DataKeys, clock: Clock) -> None:
        self._writer = writer
        self._reads = reads
        self._vault = vault
        self._clock = clock
        self._said: tuple[object, ...] = ()
        self._plain = True  # what is to be sent may lie there in plain, from before it was sealed
        self._owed = True  # what was overwritten before the last stop may still stand in the WAL

    async def look(self) -> None:
        """Seal what is plain, end what is due, and drop what is unreadable."""
        while sealed := await self._writer.run(lambda tx: erasing.seal_some(tx, self._vault)):
            self._owed = True
            if sealed < erasing.AT_ONCE:
                break
        while await self._writer.run(lambda tx: erasing.move_some(tx, self._vault)):
            self._owed = True
        while await self._writer.run(people.seal_some):
            self._owed = True
        await self._end_terms()
        found = await self._reads.glance().rows(erasing.KEYS, {})
        await self._end_sent()
        marks = {str(key) for key in self._due() if key.kind in (MARK, SENT)}
        await self._shred(marks | set(erasing.ended((row[0], row[1]) for row in found)))
        while await self._writer.run(erasing.drop_some):
            pass
        await self._cut_wal()

    async def _end_sent(self) -> None:
        """Seal what an earlier version planned in plain, and drop what was sent a term ago."""
        while self._plain and await self._writer.run(unsaying.seal_some):
            self._owed = True
        self._plain = False
        due = [str(key) for key in self._due() if key.kind == SENT]
        while await self._writer.run(lambda tx: unsaying.drop_some(tx, due)):
            self._owed = True

    def _due(self) -> list[KeyName]:
        return [key for key in self._vault.names() if is_due(key, self._clock().date())]

    async def _end_terms(self) -> None:
        """End what is due. What was held back is looked at again only when a hold, or what is open, has changed."""
        said = await self._holding()
        kinds = (MARK, SENT) if said != self._said else (MARK, SENT, HELD)
        if due := {str(key) for key in self._due() if not key.tag.startswith(kinds)}:
            await self._writer.run(lambda tx: end_terms(tx, self._vault, due, RETENTION))
        self._said = said

    async def _holding(self) -> tuple[object, ...]:
        """Give what what is held back depends on: the newest word on holds, and what is open of those days."""
        newest = (await self._reads.glance().rows(NEWEST_OF, {"subject": RETENTION_SUBJECT}))[0][0]
        days = [key.day for key in self._vault.names() if key.tag.startswith(HELD)]
        still_open = await self._reads.glance().rows(STILL_OPEN, {"day": max(days)}) if days else ()
        return newest, *still_open

    async def _cut_wal(self) -> None:
        """Ask until the WAL was seen empty: a reader may have stood in the way."""
        if self._owed:
            await self._writer.run(erasing.wipe)
            self._owed = await asyncio.to_thread(_has_bytes, Path(f"{self._reads.path}-wal"))

    async def _shred(self, names: Collection[str]) -> None:
        living = {str(key) for key in self._vault.names()}
        await asyncio.to_thread(self._vault.shred, living & set(names))


def _has_bytes(file: Path) -> bool:
    return file.exists() and file.stat().st_size > 0
