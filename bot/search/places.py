"""Walks the search index from the newest proposal back, by the rarest filter's steps. Reads index rows only.

Each filter is a function that gives the newest place at or before another. They overtake each other until they agree,
so that a search costs as many steps as its rarest filter has rows, and never more than a page may.
"""

import sqlite3
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Final, TypeAlias

Below: TypeAlias = Callable[[int], int | None]

MOST_STEPS: Final = 6_000
TOP: Final = 2**63 - 1
_FEW: Final = 5_000
BY_TERM: Final = "SELECT seq FROM search_terms WHERE term = ? AND seq <= ? ORDER BY seq DESC LIMIT 1"
BY_WORD: Final = "SELECT seq FROM search_words WHERE word = ? AND seq <= ? ORDER BY seq DESC LIMIT 1"
BY_ROW: Final = "SELECT seq FROM search_rows WHERE seq <= ? ORDER BY seq DESC LIMIT 1"
FIRST_SINCE: Final = "SELECT seq FROM search_rows WHERE at >= ? ORDER BY at, seq LIMIT 1"
LAST_BEFORE: Final = "SELECT seq FROM search_rows WHERE at < ? ORDER BY at DESC, seq DESC LIMIT 1"
FEW_AMOUNTS: Final = "SELECT seq FROM search_amounts WHERE currency = ? AND amount >= ? AND amount <= ? LIMIT ?"
BY_AMOUNT: Final = (
    "SELECT seq FROM search_amounts INDEXED BY search_amounts_by_place"
    " WHERE currency = ? AND seq <= ? AND amount >= ? AND amount <= ? ORDER BY seq DESC LIMIT 1"
)


def any_term(connection: sqlite3.Connection, terms: Collection[str]) -> Below:
    """Find proposals that have one of the terms."""
    return _any_of(connection, BY_TERM, terms)


def word(connection: sqlite3.Connection, mark: int) -> Below:
    """Find proposals by the number of a word."""
    return _any_of(connection, BY_WORD, (mark,))


def every_row(connection: sqlite3.Connection) -> Below:
    """Find every proposal."""
    return lambda place: _first(connection.execute(BY_ROW, (place,)).fetchone())


def amounts(connection: sqlite3.Connection, currency: str, least: int, most: int) -> Below:
    """Find proposals by an amount in millionths: few are sorted, many are met soon on the way back."""
    few = connection.execute(FEW_AMOUNTS, (currency, least, most, _FEW + 1)).fetchall()
    if len(few) <= _FEW:
        return _sorted([row[0] for row in few])
    return lambda place: _first(connection.execute(BY_AMOUNT, (currency, place, least, most)).fetchone())


def matching(filters: Sequence[Below], top: int, bottom: int) -> Iterator[tuple[int, bool]]:
    """Give the places where all filters agree, from `top` down to `bottom`, each with True.

    A walk that becomes too long ends with False, and the place from which to go on another time.
    """
    place, steps = top, 0
    while place >= bottom:
        before = place
        for below in filters:
            found = below(place)
            if found is None or found < bottom:
                return
            place = found
        steps += len(filters)
        if place == before:
            yield place, True
            place -= 1
        elif steps > MOST_STEPS:
            yield place, False
            return


def _any_of(connection: sqlite3.Connection, sql: str, keys: Collection[str | int]) -> Below:
    if len(keys) == 1:  # nearly always, and a walk may be thousands of steps
        (only,) = keys
        return lambda place: _first(connection.execute(sql, (only, place)).fetchone())

    def below(place: int) -> int | None:
        rows = (connection.execute(sql, (key, place)).fetchone() for key in keys)
        return max((row[0] for row in rows if row is not None), default=None)

    return below


def _sorted(places: list[int]) -> Below:
    places.sort()

    def below(place: int) -> int | None:
        at = bisect_right(places, place)
        return places[at - 1] if at else None

    return below


def _first(row: Sequence[int] | None) -> int | None:
    return None if row is None else row[0]
