"""Keeps the search index up with the log, a little at a time, so that proposals come first."""

import asyncio
from contextlib import closing
from pathlib import Path
from typing import Final

from bot.search.index import BATCH, Batch, next_batch
from bot.search.words import Marker
from bot.store.engine import open_reader
from bot.store.writer import Writer

# At most a thousand entries a turn. While the log grows by more than a batch between two turns, one batch, and then
# three turns of rest: the machine is for proposals, and the backlog is made up when they are fewer.
_AT_ONCE: Final = 5
_RESTS: Final = 3


class Indexer:
    """Takes new entries of the log into the index."""

    def __init__(self, path: Path, writer: Writer, mark: Marker) -> None:
        self._path = path
        self._writer = writer
        self._mark = mark
        self._turn = asyncio.Lock()
        self._size = 0
        self._rests = 0

    async def look(self) -> None:
        """Take in what is new, or as much of it as one turn may."""
        async with self._turn:
            if self._rests:
                self._rests -= 1
                return
            for turn in range(_AT_ONCE):
                batch = await asyncio.to_thread(self._next)
                if batch is None or not await self._writer.run(batch):
                    return
                if turn == 0 and self._is_busy(batch.size):
                    self._rests = _RESTS
                    return

    def _is_busy(self, size: int) -> bool:
        """Tell whether the log has grown by more than a batch since the last turn that had something to do."""
        before, self._size = self._size, size
        return 0 < before < size - BATCH

    def _next(self) -> Batch | None:
        with closing(open_reader(self._path)) as connection:
            return next_batch(connection, self._mark)
