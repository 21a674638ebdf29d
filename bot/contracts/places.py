"""Finds where in a JSON text a pointer leads, so that a fault has its line and column. Only for text that is JSON."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from bot.contracts.schema import escaped

_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')


def places_of(text: str, pointers: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Give line and column, from 1, of the value at each JSON pointer, or of the last one on the way to it.

    Where a name is said twice, it is the second one.
    """
    wanted = list(pointers)
    found = _offsets(text) if any(wanted) else {}  # what has no pointer may be no JSON at all
    for each in wanted:
        pointer = each
        while pointer and pointer not in found:
            pointer = pointer.rpartition("/")[0]
        yield line_and_column(text, found.get(pointer, 0))


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Give line and column, from 1, of an offset in a text."""
    before = text[:offset]
    return before.count("\n") + 1, len(before) - before.rfind("\n")


@dataclass
class _Open:
    """An object (`index` None) or a list that has begun; `name` is the name of the value that comes next."""

    pointer: str
    index: int | None
    name: str | None = None


def _offsets(text: str) -> dict[str, int]:
    found: dict[str, int] = {}
    within: list[_Open] = []
    for match in _TOKEN.finditer(text):
        sign = match[0]
        inside = within[-1] if within else None
        if sign in {"}", "]"}:
            within.pop()
        elif sign == "," and inside is not None:
            inside.index, inside.name = (None if inside.index is None else inside.index + 1), None
        elif inside is not None and inside.index is None and inside.name is None:
            inside.name = json.loads(sign)
        elif sign != ":":
            pointer = "" if inside is None else f"{inside.pointer}/{_part(inside)}"
            found[pointer] = match.start()
            if sign in {"{", "["}:
                within.append(_Open(pointer, 0 if sign == "[" else None))
    return found


def _part(inside: _Open) -> str:
    return escaped(inside.name or "") if inside.index is None else str(inside.index)
