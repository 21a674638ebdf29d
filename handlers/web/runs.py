"""Draws together what is the same again and again, so that a hundred clicks fit on a page. It hides none of them.

A row that stands for several names the first and the last entry, and says how many there are.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeVar

from handlers.web.story import Moment

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Run:
    """The same person trying the same in vain, from the first to the last; most often a single moment."""

    moments: Sequence[Moment]

    @property
    def first(self) -> Moment:
        """Where it began."""
        return self.moments[0]

    @property
    def entries(self) -> str:
        """Name its entries."""
        return span([each.seq for each in self.moments])


def in_runs(told: Iterable[Moment]) -> Iterator[Run]:
    """Give a story with what was tried in vain drawn together, as long as nothing else happened in between."""
    for vain, stretch in groupby(told, lambda each: each.click == "in vain"):
        if not vain:
            yield from (Run([each]) for each in stretch)
            continue
        same: dict[tuple[str, str], list[Moment]] = {}
        for each in stretch:
            same.setdefault((each.who, each.what), []).append(each)
        yield from map(Run, same.values())


def neighbours(rows: Iterable[tuple[int, tuple[str, ...]]]) -> Iterator[tuple[str, ...]]:
    """Give rows by log index, with neighbours that say the same in one row, which says how many they are."""
    for (kind, *cells), run in groupby(rows, lambda row: row[1]):
        seqs = [seq for seq, _ in run]
        yield span(seqs), kind if len(seqs) == 1 else f"{kind}, {len(seqs)} times", *cells


def span(seqs: Sequence[int]) -> str:
    """Name log indexes: one by itself, several by the first and the last."""
    return f"{seqs[0]}" if len(seqs) == 1 else f"{seqs[0]} to {seqs[-1]}"
