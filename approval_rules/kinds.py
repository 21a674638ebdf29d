"""What is known of a value before it is sent: text or number, one of which values, which fields. Reads no value itself.

Nothing known is nothing claimed: what no contract and no policy describes may be anything.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from approval_rules.names import RESERVED, TOUCHES
from approval_rules.ranges import ANY, Range
from approval_rules.text import Json

What: TypeAlias = Literal["text", "a number", "true or false", "an object", "a list"]


@dataclass(frozen=True, slots=True)
class Kind:
    """What is known of one value; left out is not known.

    `values` are all that it can be. `closed` says that an object has no fields but `fields`. `item` is what every entry
    of a list is. `range` is where a number lies.
    """

    what: What | None = None
    values: tuple[Json, ...] | None = None
    fields: Mapping[str, "Kind"] = field(default_factory=dict)
    closed: bool = False
    item: "Kind | None" = None
    range: Range = ANY

    def both(self, other: "Kind") -> "Kind":
        """Give what is known of a value that is of this kind and of the other."""
        ours, theirs = self.fields, other.fields
        shared = {name: ours[name].both(theirs[name]) for name in ours.keys() & theirs.keys()}
        return Kind(
            self.what or other.what,
            other.values if self.values is None else self.values,
            {**ours, **theirs, **shared},
            self.closed or other.closed,
            self.item or other.item,
            self.range.both(other.range),
        )


ANYTHING: Final = Kind()
TEXT: Final = Kind("text")
NUMBER: Final = Kind("a number")
TRUTH: Final = Kind("true or false")
_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SERVERS: Final[Mapping[str, Kind]] = {
    "now.date": TEXT,
    "now.time": TEXT,
    "now.hour": NUMBER,
    "now.weekday": Kind("text", _WEEKDAYS),
    "now.holiday": TRUTH,
    "now.workday": TRUTH,
    "agent.id": TEXT,
    "agent.name": TEXT,
    "run.id": TEXT,
    "run.model": TEXT,
    "run.prompt_version": TEXT,
    "run.workflow_version": TEXT,
    "run.tool_calls": NUMBER,
    "run.tokens": NUMBER,
    "run.elapsed_s": NUMBER,
    "run.cost_usd": NUMBER,
    "run.started_by": TEXT,
    "environment": TEXT,
    "incident": TRUTH,
}


@dataclass(frozen=True, slots=True)
class Known:
    """What a tool's conditions may read: its arguments as `source` (a contract) describes them, and declared facts.

    `touches` are the annotations that the contract bears.
    """

    arguments: Kind = ANYTHING
    facts: Mapping[str, Kind] = field(default_factory=dict)
    touches: frozenset[str] = frozenset()
    source: str = ""

    def of(self, name: str) -> Kind | None:
        """Give what is known of a top-level name; None where there can be no such name."""
        if name in TOUCHES:
            return TRUTH if TOUCHES[name] in self.touches else None
        if name in RESERVED and not RESERVED[name]:
            return _SERVERS[name]
        if name in RESERVED:
            return Kind("an object", fields={each: _SERVERS.get(f"{name}.{each}", ANYTHING) for each in RESERVED[name]})
        kind = self.arguments.fields.get(name) or self.facts.get(name)
        return kind or (None if self.arguments.closed else ANYTHING)

    @property
    def names(self) -> Iterable[str]:
        """Every name that is known to be right."""
        touches = (name for name, mark in TOUCHES.items() if mark in self.touches)
        return {*self.arguments.fields, *self.facts, *RESERVED, *touches}
