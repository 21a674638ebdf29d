"""The verifier's short way: what it takes for canonical is, and what it tells of an entry is what stands there."""

import json
from typing import Any

import pytest
from foureyes_verify import FIRST_PREV, Entry, Forms, Piece, _parsed, read_entries, told_by
from hypothesis import given
from hypothesis import strategies as st

from bot.audit.log_format import EntryError, canonical

SIMPLE = st.one_of(
    st.text(max_size=6), st.sampled_from(["", '"', "\\", "\x01", "\x7f", "é", "\u2028", "a,b", "0"]), st.booleans(),
    st.none(), st.integers(-(2**53), 2**53),
)  # fmt: skip
NAMES = st.text("abz_A", min_size=1, max_size=3)
DATA = st.recursive(
    SIMPLE, lambda parts: st.lists(parts, max_size=3) | st.dictionaries(NAMES, parts, max_size=3), max_leaves=8
)
# What may stand in place of a value, a comma or a bracket, most of it forbidden.
PIECES = (
    *(b"0", b"-0", b"01", b"-1", b"1.0", b"1e3", b"999999999999999", b"9007199254740992", b"NaN", b"true", b"truee"),
    *(b"null", b"[]", b"[1,]", b"[1 ,2]", b'["a","b"]', b"{}", b'{"a":1}', b'"a":1,', b'"z":1', b'"', b"", b" ", b","),
    *(b'"x"', b'"\\u0041"', b'"\\n"', b'"\n"', b'"\x7f"', b'"\xc3\xa9"', b'"\xff"'),
)


def entry(**other: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Give an entry of the format; `other` values stand in it instead."""
    fixed = {"actor": {"kind": "agent", "ref": "a"}, "at": "2026", "data": {"b": [1, "x"], "c": {"d": None}}}
    ids = {"id": "e", "policy": None, "prev": FIRST_PREV, "seq": 3, "subject": "s", "type": "vote.counted", "v": 1}
    return {"_sd": ["d1", "d2"], **fixed, **ids, **other}


LEARNED, PLAIN = Forms(), canonical(entry())
LEARNED.learn(entry(), 0)


def the_long_way(body: bytes) -> dict[str, Any] | None:
    """Read an entry as JSON and write it again; None where it is not canonical."""
    faults: list[tuple[str, int]] = []
    found = _parsed(body, 0, faults)
    try:
        return found if found is not None and canonical(found) == body else None
    except EntryError:
        return None


def held(forms: Forms, body: bytes) -> bool:
    """Hold the short way against the long way; gives whether the short way knew this entry in its place."""
    seen = forms.match(body) if forms.is_plain(body) else None
    if seen is None or seen[3] != f'{FIRST_PREV}","seq":3'.encode():
        return False
    known = the_long_way(body)
    assert known is not None, body
    assert (known["prev"], known["seq"], known["v"]) == (FIRST_PREV, 3, 1), body
    assert Entry(known["_sd"], known["at"], known["subject"], known["type"]) == told_by(seen), body
    return True


@given(st.lists(DATA, min_size=1, max_size=4), st.lists(DATA, min_size=1, max_size=4))
def test_entries_like_those_that_were_read_are_told_rightly(learned: list[Any], seen: list[Any]) -> None:
    """Whatever their data is: an entry that is taken the short way is canonical, and is what is told of it."""
    forms = Forms()
    for data in learned:
        told = entry(data=data, _sd=[])
        forms.learn(told, 0)
    for data in (*learned, *seen):
        try:
            body = canonical(entry(data=data))
        except EntryError:
            continue
        held(forms, body)
    if plain(learned[0]):
        assert held(forms, canonical(entry(data=learned[0])))


def plain(value: Any) -> bool:  # noqa: ANN401 - JSON
    """Tell whether a value is one that a pattern is made for."""
    text = json.dumps(value, ensure_ascii=False)
    return text.isascii() and "\\" not in text and "\x7f" not in text and len(text) < 15


@given(st.integers(0, 400), st.integers(0, 30), st.sampled_from(PIECES))
def test_nothing_that_is_not_canonical_is_taken(at: int, gone: int, piece: bytes) -> None:
    """Anything put in place of anything: what the short way takes, the long way takes."""
    assert held(LEARNED, PLAIN)
    held(LEARNED, PLAIN[:at] + piece + PLAIN[at + gone :])


def test_no_piece_in_place_of_a_value_misleads_it() -> None:
    """Each forbidden way to write a value, in place of each value and each comma of an entry."""
    values = [
        b'"a"',
        b"1",
        b'"x"',
        b"null",
        b'["d1","d2"]',
        b'"2026"',
        b'"s"',
        b"3",
        b'"e"',
        b",",
        b"[",
        b"}",
        b'"v":1',
    ]
    taken = [held(LEARNED, PLAIN.replace(old, new, 1)) for old in values for new in PIECES]
    assert 0 < sum(taken) < len(taken)


@pytest.mark.parametrize(
    "other",
    [{"type": "values.erased"}, {"data": {"a": "x" * 5000}}, {"subject": "é"}, {"data": {"a": 10**15}}, {"type": 3}],
)
def test_what_is_not_plain_is_read_the_long_way(other: dict[str, Any]) -> None:
    """Erasures are read, and what is long, not ASCII or of large numbers is none of the short way."""
    forms = Forms()
    told = entry(**other)
    body = canonical(told)
    forms.learn(told, len(body))
    assert not held(forms, body)


def test_no_more_patterns_are_made_than_are_worth_it() -> None:
    """A log in which no entry is like another takes the long way, as fast as ever."""
    forms = Forms()
    many = [entry(type=f"t{number}", data={f"k{each}": 1}) for number in range(40) for each in range(10)]
    for told in many:
        forms.learn(told, 0)
    assert sum(held(forms, canonical(told)) for told in many) == 128


def test_deep_data_is_read_the_long_way_too() -> None:
    """What is nested so deep that no pattern can be made of it is judged all the same."""
    deep: Any = 1
    for _ in range(400):
        deep = {"a": [deep]}
    body = canonical(entry(data=deep, seq=0))
    faults: list[tuple[str, int]] = []
    for text in (body, body.replace(b'"v":1', b'"v": 1')):
        seen = read_entries(Piece(range(1), [text], b"", faults=faults), [b""], whole=True)
        assert seen.entries != [None]
    assert faults == [("it is not in canonical form", 0)]
