"""What a tool's contract is to the rules: something that names what is wrong with an action's arguments.

Knows no schema language, judges nothing itself, and shows nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from approval_rules.kinds import Kind
from approval_rules.personal import found_in
from approval_rules.requirement import Hiding
from approval_rules.text import AgentJson, Json, unwrap_object


@dataclass(frozen=True, slots=True)
class Breach:
    """One thing that the contract forbids; `pointer` (RFC 6901) begins with `/arguments`, `detail` has no value."""

    pointer: str
    detail: str


class Contract(Protocol):
    """What arguments of one tool must look like."""

    @property
    def source(self) -> str:
        """Where it stands: `contracts/NAME.json`, or `inline`."""
        ...

    @property
    def hidden(self) -> Mapping[str, Hiding]:
        """The fields that people are not shown, and what is shown instead."""
        ...

    @property
    def touching(self) -> Mapping[str, frozenset[str]]:
        """The fields that each annotation of `x-touches` stands on."""
        ...

    @property
    def arguments(self) -> Kind:
        """What is known of arguments that break nothing."""
        ...

    @property
    def schema(self) -> Mapping[str, Json]:
        """The JSON Schema of the arguments; do not change it."""
        ...

    @property
    def confirmed(self) -> str | None:
        """The argument whose value a person types again who starts the action himself; None where none is marked."""
        ...

    def breaches(self, arguments: Mapping[str, Json]) -> Sequence[Breach]:
        """Name what is wrong with these arguments, nothing where they are good; MUST NOT raise."""
        ...


def breaches(contract: Contract | None, arguments: AgentJson) -> Sequence[Breach]:
    """Name what a tool's contract has against arguments; nothing where there is no contract."""
    return () if contract is None else contract.breaches(unwrap_object(arguments))


def hidden_by(contract: Contract | None, hiding: Hiding) -> tuple[str, ...] | None:
    """Name the fields that a contract hides in one way; None where there are none."""
    hidden = {} if contract is None else contract.hidden
    return tuple(name for name, way in hidden.items() if way == hiding) or None


def touched(contract: Contract | None, mark: str, arguments: Json) -> tuple[str, ...]:
    """Name the fields that the contract annotates so and that are anywhere in the arguments, whatever their value."""
    names = frozenset() if contract is None else contract.touching.get(mark, frozenset())
    return tuple(sorted(found_in(arguments, names))) if names else ()
