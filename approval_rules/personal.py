"""Takes what is personal out of an action's arguments, and puts it back exactly. Never changes what it is given.

Both parts have the shape of the whole: lists keep their places, with null where an item has nothing personal.
"""

from collections.abc import Collection, Mapping, Sequence

from approval_rules.text import AgentJson, Json, unwrap_json


def parted(value: Json, names: Collection[str]) -> tuple[Json, Json]:
    """Give the value without the fields of these names, at any depth, and those fields; null where it has none."""
    if isinstance(value, Mapping):
        rest: dict[str, Json] = {}
        mine: dict[str, Json] = {}
        for key, inner in value.items():
            if key in names:
                mine[key] = inner
                continue
            rest[key], part = parted(inner, names)
            if part is not None:
                mine[key] = part
        return rest, mine or None
    if isinstance(value, Sequence) and not isinstance(value, str):
        pairs = [parted(inner, names) for inner in value]
        parts = [part for _, part in pairs]
        return [left for left, _ in pairs], None if all(part is None for part in parts) else parts
    return value, None


def joined(rest: Json, mine: Json) -> Json:
    """Put together what was parted. Raises ValueError for parts that never were one value."""
    if mine is None:
        return rest
    if isinstance(rest, Mapping) and isinstance(mine, Mapping):
        return {**rest, **{key: joined(rest[key], part) if key in rest else part for key, part in mine.items()}}
    if isinstance(rest, list) and isinstance(mine, list) and len(rest) == len(mine):
        return [joined(one, part) for one, part in zip(rest, mine, strict=True)]
    raise ValueError("the two parts of the arguments do not fit")


def found_in(value: Json, names: Collection[str]) -> frozenset[str]:
    """Name those of the fields that stand anywhere in a value, whatever they hold."""
    found: set[str] = set()
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Mapping):
            found.update(one.keys() & names)
            waiting.extend(one.values())
        elif isinstance(one, Sequence) and not isinstance(one, str):
            waiting.extend(one)
    return frozenset(found)


def lost(names: Collection[str] | None, arguments: AgentJson) -> tuple[str, ...]:
    """Name the personal fields that are erased of the arguments; `names` are those that once were in them."""
    return tuple(sorted(set(names) - found_in(unwrap_json(arguments), names))) if names else ()
