"""Facts that a tool's page declares: said by the agent, or looked up by the server. Asks nobody itself.

A fact that should have been looked up and is not there is `Unknown`: a rule that reads it cannot be decided, and what
the agent says instead MUST NOT count.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, Literal, TypeAlias, get_args

from approval_rules.text import Json, same_json

FactType: TypeAlias = Literal["string", "number", "boolean"]
FACT_TYPES: Final[tuple[FactType, ...]] = get_args(FactType)


@dataclass(frozen=True, slots=True)
class Lookup:
    """How the server asks: `{name}` in `url` stands for an argument; `source` is the URL's host.

    `header_env` names the variable whose value is sent as `Authorization`. `cache` is how old an answer may be.
    """

    url: str
    source: str
    pointer: str
    header_env: str | None
    cache: timedelta
    timeout: timedelta


@dataclass(frozen=True, slots=True)
class DeclaredFact:
    """One fact that rules may read: without a `lookup` the agent says it; without a `type` it may be anything."""

    name: str
    type: FactType | None = None
    lookup: Lookup | None = None


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What became of one lookup: whom the server asked and when; `failed` says why there is no value."""

    name: str
    source: str
    at: datetime
    failed: str | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """Stands where a looked-up value is missing; `why` completes a sentence that begins with the fact's name."""

    why: str


Value: TypeAlias = "Json | Unknown"


def fits(wanted: FactType | None, value: Json) -> bool:
    """Whether a value is of a type; null is of none."""
    match wanted:
        case "string":
            return isinstance(value, str)
        case "number":
            return isinstance(value, int | Decimal) and not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool)
    return value is not None


def known(wanted: Collection[str], values: Mapping[str, Json], lookups: Sequence[LookedUp]) -> Mapping[str, Value]:
    """Give each looked-up fact its value, or why there is none; `wanted` are those that the policy reads."""
    failed = {each.name: each.failed for each in lookups}
    return {
        name: Unknown(f"could not be looked up ({failed.get(name) or 'nobody asked'})")
        if values.get(name) is None
        else values[name]
        for name in (*values, *(name for name in wanted if name not in values))
    }


def contradicted(found: Mapping[str, Value], sent: Mapping[str, Json]) -> Iterator[str]:
    """Name the looked-up facts for which the agent sent another value; null says nothing."""
    for name, value in found.items():
        said = sent.get(name)
        if said is not None and not isinstance(value, Unknown) and not same_json(said, value):
            yield name
