"""Listings: the database finds what it lists by an index, however much is decided and done."""

from contextlib import closing
from pathlib import Path

import pytest

from bot.store import outbox, rows, schema
from bot.store.engine import open_reader


@pytest.mark.parametrize(
    ("sql", "where"),
    [
        (rows.PENDING, {"limit": 20}),
        (outbox.DUE, {"kind": "post", "now": "2026-01-31T12:00:00.000000Z", "under_way": "[]", "limit": 8}),
        (outbox.LIST, {"state": "dead", "limit": 100}),
        (outbox.DEAD_PACKET, {"name": "packet:prop_x"}),
    ],
)
def test_a_listing_walks_an_index_in_its_order(tmp_path: Path, sql: str, where: dict[str, object]) -> None:
    """No walk over the table, and nothing sorted: the first rows cost the same with a million behind them."""
    schema.upgrade(tmp_path / "empty.db")
    with closing(open_reader(tmp_path / "empty.db")) as connection:
        steps = [step[3] for step in connection.execute(f"EXPLAIN QUERY PLAN {sql}", where)]
    steps = [step for step in steps if "json_each" not in step and not step.startswith("LIST SUBQUERY")]
    assert len(steps) == 1
    assert "USING INDEX" in steps[0] or "USING COVERING INDEX" in steps[0]
