"""How long a page of a search takes at a million entries, for each filter and for pairs of them."""

import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from typing import Final

from benchmarks.figures import Figure
from benchmarks.place import place
from benchmarks.wide_log import BEGIN, ENTRIES_EACH, person, word, write
from bot.keys import load
from bot.person_marks import unmarked
from bot.search.finding import Finder
from bot.search.words import marker
from bot.store.engine import open_reader
from handlers.audit_desk import SearchPage, Sought

_PAGE: Final = 50
_TARGET_MS: Final = 100


def search(*, quick: bool) -> Iterator[Figure]:
    """Search a log of a million entries of which a fifth are proposals."""
    proposals, rounds = (20_000, 3) if quick else (200_000, 5)
    with place() as at:
        write(at, proposals)
        mark = marker(load(at.folder / "foureyes.key"))
        with closing(open_reader(at.database)) as connection:
            finder = Finder(connection, mark, unmarked)
            for name, sought in _searches(proposals).items():
                times = [_timed(finder, sought) for _ in range(rounds)]
                yield Figure(
                    f"search: {name}, of {proposals * ENTRIES_EACH} entries", times, "ms", _TARGET_MS, at_most=True
                )


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


def _timed(finder: Finder, sought: Sought) -> float:
    """Give the milliseconds of the slower of the first two pages."""
    begun = time.perf_counter()
    page = finder.page(sought, _PAGE, None, values=True)
    first = time.perf_counter() - begun
    _check(page)
    if page.after is None:
        return first * 1000
    begun = time.perf_counter()
    _check(finder.page(sought, _PAGE, page.after, values=True))
    return 1000 * max(first, time.perf_counter() - begun)


def _check(page: SearchPage) -> None:
    if page.indexed < ENTRIES_EACH:
        raise RuntimeError("nothing was indexed")
