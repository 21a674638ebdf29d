"""Reading entries back: what is kept in memory between two reads, and what must not be."""

from collections.abc import Iterator

import pytest

from bot.store import rows

SMALL, LARGE = "x" * 100, "x" * 100_000


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, str]]]:
    """Note the living values of each entry that is decoded, beginning with an empty memory."""
    found: list[dict[str, str]] = []
    monkeypatch.setattr(rows, "decode", lambda _, living: found.append(living))
    for kept in (rows._kept_event, rows._kept):
        kept.cache_clear()
    yield found
    for kept in (rows._kept_event, rows._kept):
        kept.cache_clear()


def read(value: str | None, body: bytes = b"{}") -> None:
    """Read a subject of one entry with one value."""
    rows.loaded([(0, body, b"leaf")], [(0, "reason", value)])


def test_what_is_the_same_is_decoded_once(decoded: list[dict[str, str]]) -> None:
    """The second read finds it; a value that is gone, and one that was changed, are read as they are now."""
    read(SMALL)
    read(SMALL)
    read(None)
    read("another")
    read(SMALL, b'{"v":1}')
    assert decoded == [{"reason": SMALL}, {}, {"reason": "another"}, {"reason": SMALL}]


@pytest.mark.parametrize(("value", "body"), [(LARGE, b"{}"), (SMALL, b'{"v": "' + LARGE.encode() + b'"}')])
def test_what_is_large_is_not_kept(decoded: list[dict[str, str]], value: str, body: bytes) -> None:
    """An agent that sends the largest proposals must not fill the memory."""
    read(value, body)
    read(value, body)
    assert len(decoded) == 2
    assert rows._kept.cache_info().currsize == rows._kept_event.cache_info().currsize == 0
