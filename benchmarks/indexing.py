"""What the search index takes from the intake: the processor time of what it may do in a busy second."""

import time
from collections.abc import Iterator
from contextlib import closing

from benchmarks.figures import Figure
from benchmarks.place import SOURCES, place
from benchmarks.proposals import fill, submitted
from bot.keys import load
from bot.search.index import next_batch
from bot.search.words import marker
from bot.store.commit import run_now
from bot.store.engine import open_reader, open_writer

_MOST_PER_CENT = 15


def indexing(*, quick: bool) -> Iterator[Figure]:
    """Take proposals into the index batch by batch; while many come, the server takes one batch a second."""
    shares = []
    with place() as at:
        fill(at, submitted(at), 500 if quick else 5_000)
        mark = marker(load(at.folder / "foureyes.key"))
        with closing(open_writer(at.database, checkpoints=True)) as writer:
            while True:
                begun = time.process_time()
                with closing(open_reader(at.database)) as connection:
                    batch = next_batch(connection, mark)
                if batch is None:
                    break
                run_now(writer, SOURCES, batch)
                shares.append(100 * (time.process_time() - begun))
    yield Figure("index: a busy second's share of one core", shares, "%", _MOST_PER_CENT, at_most=True)
