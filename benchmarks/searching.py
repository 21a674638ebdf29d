"""How long a page of a search takes at a million entries, for each filter and for pairs of them: when all is cold.

Each is asked on a new connection, with nothing decoded before and the file out of the machine's memory.
"""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.figures import Figure
from benchmarks.place import Place, place
from benchmarks.wide_log import BEGIN, ENTRIES_EACH, person, word, write
from bot.keys import load
from bot.person_marks import unmarked
from bot.search.finding import Finder
from bot.search.words import marker
from bot.store import rows
from bot.store.engine import open_reader
from handlers.audit_desk import SearchPage, Sought

_PAGE: Final = 50
_TARGET_MS: Final = 100


def search(*, quick: bool) -> Iterator[Figure]:
    """Search a log of a million entries of which a fifth are proposals."""
    proposals, rounds = (20_000, 3) if quick else (200_000, 5)
    with place() as at:
        write(at, proposals)
        for name, sought in _searches(proposals).items():
            times = [_timed(at, sought) for _ in range(rounds)]
            told = f"search: {name}, of {proposals * ENTRIES_EACH} entries"
            yield Figure(f"{told}, processor time", [one.processor for one in times], "ms", _TARGET_MS, at_most=True)
            yield Figure(f"{told}, clock", [one.clock for one in times], "ms")


def _searches(proposals: int) -> Mapping[str, Sought]:
    middle = BEGIN + timedelta(seconds=proposals // 2)
    return {
        "nothing": Sought(),
        "time": Sought(since=middle, until=middle + timedelta(hours=1)),
        "person": Sought(person=person(7)),
        "agent": Sought(agent=f"agent_{19:026d}"),
        "tool": Sought(tool="pay.tool3"),
        "state, common": Sought(state="approved"),
        "state, rare": Sought(state="pending"),
        "rule": Sought(rule="pay.tool3#3"),
        "amount, narrow": Sought(currency="usd", least=Decimal(500), most=Decimal("500.10")),
        "amount, wide": Sought(currency="usd", least=Decimal(50)),
        "word, common": Sought(text=word(0)),
        "word, rare": Sought(text=word(15_000)),
        "word, unknown": Sought(text="zebedee"),
        "two words": Sought(text=f"{word(40)} {word(900)}"),
        "person and amount": Sought(person=person(7), currency="usd", least=Decimal(900)),
        "person and person's tool": Sought(person=person(7), tool="pay.tool3"),
        "agent and state, rare": Sought(agent=f"agent_{19:026d}", state="pending"),
        "time and word": Sought(since=middle, until=middle + timedelta(hours=9), text=word(30)),
        "amount, wide, and word": Sought(currency="usd", least=Decimal(50), text=word(300)),
        "tool and another tool's rule": Sought(tool="pay.tool3", rule="pay.tool4#3"),
        "amount, wide, and early time": Sought(until=BEGIN + timedelta(hours=1), currency="usd", least=Decimal(50)),
    }


class _Taken(NamedTuple):
    """The milliseconds that a page took."""

    processor: float
    clock: float


def _timed(at: Place, sought: Sought) -> _Taken:
    """Time the first two pages of a search that nobody asked before, and give the slower of each."""
    _forget(at.database)
    with closing(open_reader(at.database)) as connection:
        finder = Finder(connection, marker(load(at.folder / "foureyes.key")), unmarked)
        page, first = _page(finder, sought, None)
        if page.after is None:
            return first
        _, second = _page(finder, sought, page.after)
    return _Taken(max(first.processor, second.processor), max(first.clock, second.clock))


def _page(finder: Finder, sought: Sought, after: str | None) -> tuple[SearchPage, _Taken]:
    begun, worked = time.perf_counter(), time.process_time()
    page = finder.page(sought, _PAGE, after, values=True)
    taken = _Taken(1000 * (time.process_time() - worked), 1000 * (time.perf_counter() - begun))
    _check(page)
    return page, taken


def _forget(database: Path) -> None:
    """Let the machine read the file anew, and this process decode anew."""
    rows._kept_event.cache_clear()  # noqa: SLF001 - only a benchmark wants to forget
    rows._kept.cache_clear()  # noqa: SLF001
    file = os.open(database, os.O_RDONLY)
    try:
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(file)


def _check(page: SearchPage) -> None:
    if page.indexed < ENTRIES_EACH:
        raise RuntimeError("nothing was indexed")
