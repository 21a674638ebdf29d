"""The one place of this package that opens what an agent or a person wrote; it hands out `Safe` text, never the raw.

Everything that it gives may stand in a `plain_text` or a `rich_text` element, and never in `mrkdwn`.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final, TypeAlias

from approval_rules.canonical import canonical_text
from approval_rules.condition_text import number_text
from approval_rules.facts import LookedUp
from approval_rules.personal import lost
from approval_rules.requirement import Hiding
from approval_rules.text import AgentJson, AgentText, Json, unwrap_json, unwrap_object, unwrap_text
from handlers.counting import counted
from handlers.slack.blocks import utc
from handlers.slack.escape import Safe, clipped, is_blank, named, unmasked, visible
from handlers.slack.values import (
    NOTHING_HIDDEN,
    Line,
    Money,
    hiding_of,
    in_words,
    instead_of,
    lines_of,
    money_of,
    name_words,
)

_FEW: Final = 3
_SEEN: Final = 80
_MOST_EDITED: Final = 3000
LOOKED_UP: Final = Safe("Facts, looked up by Foureyes")
Hidden: TypeAlias = Mapping[str, Hiding]


# What a person reads first in an entry of history or evidence; these words speak for themselves.
_PLAIN: Final = {Safe(word): place for place, word in enumerate(("at", "title", "what", "excerpt", "url"))}


@dataclass(frozen=True, slots=True)
class Field:
    """One scalar argument: `key` is its name in snake case, for comparing only. Of a hidden one `money` is None."""

    key: str
    name: Safe
    value: Safe
    is_money: bool
    money: Money | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the agent told beside its proposal, escaped and in its order."""

    facts: tuple[Line, ...]
    history: tuple[Line, ...]
    steps: tuple[Line, ...]
    evidence: tuple[Line, ...]
    if_declined: Safe | None
    rollback: Safe | None


def words(text: AgentText) -> Safe:
    """Escape for one line: line ends are shown."""
    return visible(unwrap_text(text))


def paragraphs(text: AgentText) -> Safe:
    """Escape for preformatted text: line ends stay."""
    return visible(unwrap_text(text), breaks=True)


def original_words(original: AgentText) -> Safe:
    """Escape an original for one line, with the secrets in it: only for a look that is on record."""
    return unmasked(unwrap_text(original))


def says_nothing(text: AgentText) -> bool:
    """Tell whether a person would see nothing in it."""
    return is_blank(unwrap_text(text))


def person(name: str, user_id: str) -> Safe:
    """Escape a display name and add the id, which nobody can choose; an account of the machine has one name only."""
    return Safe(f"{named(name)} ({named(user_id)})") if name not in {"", user_id} else named(user_id)


def arguments_of(data: AgentJson, hidden: Hidden, personal: Collection[str] | None = None) -> Iterator[Line]:
    """Give every leaf of an action's arguments, whole; of the `personal` fields that are erased, the names."""
    if unwrap_object(data):
        yield from lines_of(unwrap_json(data), hidden)
    yield from (Line(name, Safe("(erased)")) for name in erased_of(data, hidden, personal))


def erased_of(data: AgentJson, hidden: Hidden, personal: Collection[str] | None) -> tuple[Safe, ...]:
    """Name the personal fields that are erased of an action's arguments."""
    return tuple(visible(name) for name in lost(personal, data) if is_covered(name, hidden) != "drop")


def fields_of_action(data: AgentJson, hidden: Hidden) -> Iterator[Field]:
    """Give the scalar fields of an action's arguments and its lists as one field each: its sentence is made of them."""
    return _fields(unwrap_object(data), hidden, "")


def numbers_of(data: AgentJson, fields: Iterable[str], hidden: Hidden) -> Iterator[tuple[str, Line]]:
    """Give those of these top-level fields that hold a number, with it in words, or what is said instead of it."""
    found = unwrap_object(data)
    for field in fields:
        value = found.get(field)
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            yield field, next(iter(lines_of(value, hidden, field)))


def exact(data: AgentJson, hidden: Hidden) -> Safe:
    """Give the canonical form of a value, escaped; hidden fields are replaced in it."""
    return visible(canonical_text(_without(unwrap_json(data), hidden)))


def evidence_of(context: AgentJson, hidden: Hidden) -> Evidence:
    """Read the well-known parts of a proposal's context; what else is in it becomes facts."""
    raw = unwrap_object(context)
    known = ("facts", "history", "steps_attempted", "evidence", "if_declined", "rollback")
    rest = {name: value for name, value in raw.items() if name not in known}
    return Evidence(
        facts=tuple([line for part in (raw.get("facts"), rest) if part for line in lines_of(part, hidden)]),
        history=_items(raw.get("history"), hidden),
        steps=_items(raw.get("steps_attempted"), hidden),
        evidence=_items(raw.get("evidence"), hidden),
        if_declined=_optional(raw.get("if_declined")),
        rollback=_optional(raw.get("rollback")),
    )


def looked_up_of(lookups: Sequence[LookedUp], values: AgentJson | None, hidden: Hidden) -> Iterator[Line]:
    """Give what the server looked up itself, with where and when; a lookup that failed says so."""
    found = {} if values is None else unwrap_object(values)
    for each in lookups:
        where = f"asked {visible(each.source)}, {utc(each.at)}"
        if each.failed is not None:
            yield Line(visible(each.name), Safe(f"could not be looked up: {visible(each.failed)} ({where})"))
        elif each.name not in found:
            yield Line(visible(each.name), Safe(f"(erased; {where})"))
        else:
            lines = list(lines_of(found[each.name], hidden, each.name))
            yield from lines[:-1]
            yield replace(lines[-1], value=Safe(f"{lines[-1].value} ({where})"))


def fields_of(data: AgentJson | None, hidden: Hidden = NOTHING_HIDDEN) -> tuple[Line, ...]:
    """Give every leaf of a run or of an outcome's report."""
    return tuple(lines_of(unwrap_object(data), hidden)) if data is not None and unwrap_object(data) else ()


def given_of(data: AgentJson) -> Mapping[str, Safe | None]:
    """Give each argument as a person may edit it: None where it would not be read as it is, or is too long for that."""
    return {name: _editable(value) for name, value in unwrap_object(data).items()}


def kinds_of(data: AgentJson) -> Mapping[str, str]:
    """Tell what kind of value each argument is, in JSON Schema's words."""
    return {name: _kind(value) for name, value in unwrap_object(data).items()}


def seen_json(value: AgentJson | None, of: str, hidden: Hidden) -> Json:
    """Give a value as a rule saw it, None for missing, or what is said instead of it where policy hides its field `of`.

    A string that comes from here is raw: escape it for the place where it goes.
    """
    hiding = is_covered(of, hidden)
    if hiding is not None:
        return instead_of(None if value is None else unwrap_json(value), hiding)
    return None if value is None else _without(unwrap_json(value), hidden, of)


def seen_words(value: AgentJson | None, of: str, hidden: Hidden) -> Safe:
    """Write a value as a rule saw it: texts in quotes, so that nothing in them reads as a rule's words."""
    shown = seen_json(value, of, hidden)
    if shown is None:
        return Safe("missing")
    if isinstance(shown, Decimal):
        return Safe(number_text(shown))
    if isinstance(shown, str) and is_covered(of, hidden) is not None:
        return Safe(shown)
    return clipped(visible(json.dumps(shown, ensure_ascii=False, default=str)), _SEEN)


def is_covered(of: str, hidden: Hidden) -> Hiding | None:
    """Tell how policy hides a field: by its own name, or because it lies inside of a hidden one."""
    parts = of.split(".") if of else []
    for count in range(1, len(parts)):
        inside = hiding_of(".".join(parts[:count]), hidden)
        if inside is not None:
            return "drop" if inside == "drop" else "mask"
    return hiding_of(of, hidden) if of else None


def tool_words(tool: str) -> list[str]:
    """Split the last part of a tool's name into words, escaped."""
    return [visible(word) for word in name_words(tool)]


def _editable(value: Json) -> Safe | None:
    text = value if isinstance(value, str) else canonical_text(value)
    shown = visible(text, breaks=True)
    return shown if shown == text and len(text) <= _MOST_EDITED else None


def _kind(value: Json) -> str:
    match value:
        case bool():
            return "boolean"
        case int() | Decimal():
            return "number"
        case str():
            return "string"
        case _:
            return "object"


def _items(value: Json, hidden: Hidden) -> tuple[Line, ...]:
    items = value if isinstance(value, Sequence) and not isinstance(value, str) else [value] if value else []
    return tuple([_item(item, hidden) for item in items])


def _item(value: Json, hidden: Hidden) -> Line:
    """Put one entry of a list on one line: when and what first, and those without their labels."""
    lines = sorted(lines_of(value, hidden), key=lambda line: _PLAIN.get(line.name, len(_PLAIN)))
    bare = [replace(line, name=Safe("")) if line.name in _PLAIN else line for line in lines]
    return Line(Safe(""), Safe(" · ".join([line.in_one() for line in bare])))


def _optional(value: Json) -> Safe | None:
    return visible(value, breaks=True) if isinstance(value, str) and value else None


def _without(value: Json, hidden: Hidden, name: str = "") -> Json:
    """Give the value with every hidden field replaced, or left out."""
    hiding = hiding_of(name, hidden)
    if hiding is not None:
        return instead_of(value, hiding)
    if isinstance(value, Mapping):
        named = [(f"{name}.{key}" if name else key, key, inner) for key, inner in value.items()]
        return {key: _without(inner, hidden, at) for at, key, inner in named if hiding_of(at, hidden) != "drop"}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [
            _without(inner, hidden, f"{name}.{place}" if name else f"{place}") for place, inner in enumerate(value, 1)
        ]
    return value


def _fields(value: Mapping[str, Json], hidden: Hidden, above: str) -> Iterator[Field]:
    for last, inner in value.items():
        name = f"{above}.{last}" if above else last
        hiding = hiding_of(name, hidden)
        if hiding == "drop":
            continue
        if isinstance(inner, Mapping) and inner and hiding is None:
            yield from _fields(inner, hidden, name)
            continue
        key = "_".join(word for part in name.split(".") for word in name_words(part))
        shown = _list_in_words(name, inner) if hiding is None else instead_of(inner, hiding)
        found = money_of(name, inner)
        yield Field(key, visible(name), shown, found is not None, found if hiding is None else None)


def _list_in_words(name: str, value: Json) -> Safe:
    """Write a leaf, or a list of a few leaves; a longer list is counted, for it stands whole elsewhere."""
    if isinstance(value, str) or not isinstance(value, Sequence) or not value:
        return in_words(name, value)
    if len(value) > _FEW or any(isinstance(item, Mapping | list | tuple) for item in value):
        return Safe(f"{counted(len(value), 'entry', 'entries')} (listed below)")
    return Safe(", ".join([in_words(name, item) for item in value]))
