"""Keeps the search index up with the log, a little at a time, so that proposals come first."""

import asyncio
from contextlib import closing
from pathlib import Path
from typing import Final

from bot.search.index import Batch, next_batch
from bot.search.words import Marker
from bot.store.engine import open_reader
from bot.store.writer import Writer

# At most a thousand entries a turn, and a turn a second. While the log grows faster than this many a turn, one batch:
# the machine is for proposals, and the backlog is made up when they are fewer.
_AT_ONCE: Final = 20
_FAST: Final = 200


class Indexer:
    """Takes new entries of the log into the index."""

    def __init__(self, path: Path, writer: Writer, mark: Marker) -> None:
        self._path = path
        self._writer = writer
        self._mark = mark
        self._turn = asyncio.Lock()
        self._size = 0

    async def look(self) -> None:
        """Take in what is new, or as much of it as one turn may."""
        async with self._turn:
            for turn in range(_AT_ONCE):
                batch = await asyncio.to_thread(self._next)
                if batch is None or not await self._writer.run(batch):
                    return
                if turn == 0 and self._is_busy(batch.size):
                    return

    def _is_busy(self, size: int) -> bool:
        """Tell whether the log has grown fast since the last turn that had something to do."""
        before, self._size = self._size, size
        return 0 < before < size - _FAST

    def _next(self) -> Batch | None:
        with closing(open_reader(self._path)) as connection:
            return next_batch(connection, self._mark)
