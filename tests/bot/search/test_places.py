"""Walking the index: every place that fits and no other, from the newest back, by steps that are few and bounded."""

import random
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.search import checking, following, index, people, places
from bot.search.places import Below
from bot.store.engine import open_reader
from tests.world import empty_database

PLACES = st.frozensets(st.integers(0, 60), max_size=40)


def stepping(among: frozenset[int], counted: list[int] | None = None) -> Below:
    """Give the newest of some places at or before another; count how often it is asked."""

    def below(place: int) -> int | None:
        if counted is not None:
            counted.append(place)
        return max((each for each in among if each <= place), default=None)

    return below


@given(st.lists(PLACES, min_size=1, max_size=4), st.integers(0, 70), st.integers(0, 70))
def test_a_walk_finds_what_all_filters_name(sets: list[frozenset[int]], top: int, bottom: int) -> None:
    """The intersection within the bounds, newest first, each once."""
    wanted = sorted((frozenset.intersection(*sets) & frozenset(range(bottom, top + 1))), reverse=True)
    assert list(places.matching(list(map(stepping, sets)), top, bottom)) == [(place, True) for place in wanted]


@given(st.lists(PLACES, min_size=2, max_size=3), st.integers(1, 9))
def test_a_walk_that_is_too_long_goes_on_where_it_stopped(sets: list[frozenset[int]], most: int) -> None:
    """However few steps a page may take, page after page finds all of it, none twice."""
    found: list[int] = []
    top = 99
    with patch.object(places, "MOST_STEPS", most):
        for _ in range(200):
            walked = list(places.matching(list(map(stepping, sets)), top, 0))
            found += [place for place, agreed in walked if agreed]
            if not walked or walked[-1][1]:
                break
            assert walked[-1][0] < top
            top = walked[-1][0]
    assert found == sorted(frozenset.intersection(*sets), reverse=True)


def test_a_walk_takes_the_steps_of_its_rarest_filter() -> None:
    """A common filter beside a rare one is asked about as often as the rare one, not once for each of its own rows."""
    counted: list[int] = []
    common, rare = stepping(frozenset(range(10_000)), counted), stepping(frozenset({17, 9_000}))
    assert [place for place, _ in places.matching([common, rare], 9_999, 0)] == [9_000, 17]
    assert len(counted) < 10


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """An empty database of this schema."""
    path: Path = tmp_path_factory.mktemp("search") / "foureyes.db"
    path.write_bytes(empty_database())
    with closing(open_reader(path)) as connection:
        yield connection


STATEMENTS: Sequence[tuple[str, Sequence[object]]] = (
    (places.BY_TERM, ("a", 1)),
    (places.BY_WORD, (1, 1)),
    (places.BY_ROW, (1,)),
    (places.FIRST_SINCE, ("2026",)),
    (places.LAST_BEFORE, ("2026",)),
    (places.FEW_AMOUNTS, ("usd", 1, 2, 9)),
    (places.BY_AMOUNT, ("usd", 1, 1, 2)),
    ("DELETE FROM search_words WHERE entry = ? AND name = ?", (1, "summary")),
    ("DELETE FROM search_amounts WHERE entry = ?", (1,)),
    ("SELECT proposal FROM search_rows WHERE seq = ?", (1,)),
    ("SELECT seq, at, states FROM search_rows WHERE proposal = ?", ("prop_1",)),
    (following._BEHIND, (1, 2)),
    (following._FIRST, ()),
    (people._BY_MARK, ("m",)),
    (checking._WORDS, (1, "summary", 1)),
)


@pytest.mark.parametrize(("sql", "values"), STATEMENTS, ids=[sql[:60] for sql, _ in STATEMENTS])
def test_no_statement_walks_a_table(database: sqlite3.Connection, sql: str, values: Sequence[object]) -> None:
    """Each look-up goes straight to its place by an index, and sorts nothing: a million entries cost as few steps."""
    plan = " | ".join(row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {sql}", values))
    assert "SCAN" not in plan
    assert "TEMP B-TREE" not in plan


def test_what_is_new_is_found_by_its_place(database: sqlite3.Connection) -> None:
    """The indexer reads from where it was; the rest of the log costs it nothing."""
    plan = " | ".join(row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {index._NEW}", {"place": 1, "most": 5}))
    assert "SCAN" not in plan


def test_few_amounts_are_sorted_and_many_are_walked(database: sqlite3.Connection) -> None:
    """Both ways give the same places."""
    dice = random.Random(3)  # noqa: S311 - the same each time
    rows = [("usd", dice.randrange(100), place, place) for place in range(300)]
    with closing(sqlite3.connect(":memory:")) as copy:
        database.backup(copy)
        copy.executemany("INSERT INTO search_amounts VALUES (?, ?, ?, ?)", rows)
        wanted = [(place, True) for _, amount, place, _ in reversed(rows) if 20 <= amount <= 60]
        for few in (0, 1000):
            with patch.object(places, "_FEW", few):
                assert list(places.matching([places.amounts(copy, "usd", 20, 60)], places.TOP, 0)) == wanted
        assert list(places.matching([places.amounts(copy, "eur", 20, 60)], places.TOP, 0)) == []
