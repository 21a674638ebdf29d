"""Keeps the search index up with the log, a little at a time, so that proposals come first."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Final

from bot.search.index import BATCH, next_batch
from bot.search.words import Marker
from bot.store.engine import open_reader
from bot.store.writer import Writer

# At most a thousand entries a turn, and a turn a second.
_AT_ONCE: Final = 40


class Indexer:
    """Takes new entries of the log into the index."""

    def __init__(self, path: Path, writer: Writer, mark: Marker) -> None:
        self._path = path
        self._writer = writer
        self._mark = mark
        self._turn = asyncio.Lock()

    async def look(self) -> None:
        """Take in what is new, or as much of it as one turn may.

        Where the log grew by half of a batch while a batch was taken in, the machine is for proposals, and the backlog
        is made up when they are fewer.
        """
        async with self._turn:
            log = await asyncio.to_thread(open_reader, self._path)
            try:
                await self._take_in(log)
            finally:
                log.close()

    async def _take_in(self, log: sqlite3.Connection) -> None:
        for _ in range(_AT_ONCE):
            batch = await asyncio.to_thread(next_batch, log, self._mark)
            grown = None if batch is None else await self._writer.run(batch)
            if grown is None or grown > BATCH // 2:
                return
