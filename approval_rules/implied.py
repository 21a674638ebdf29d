"""What must be true of each name wherever a condition holds, put together over `and`, `or` and `not`. Never decides.

What a single comparison says of a name, the caller knows: between which bounds a number lies, or which values it has.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, Self, TypeVar

_Node = Any  # rule-engine has no types


class Said(Protocol):
    """What is said of one name's value."""

    @property
    def empty(self) -> bool:
        """Whether there is no such value."""

    def both(self, other: Self, /) -> Self:
        """Say this and the other."""

    def either(self, other: Self, /) -> Self:
        """Say this or the other."""


S = TypeVar("S", bound=Said)


def implied(node: _Node, leaf: Callable[[_Node, bool], Mapping[str, S]], *, holds: bool = True) -> Mapping[str, S]:
    """Give what is said of each name where a condition's tree holds (or does not); a name left out may be anything.

    `leaf` says it of a part that is not made of others.
    """
    match type(node).__name__:
        case "LogicExpression":
            left, right = implied(node.left, leaf, holds=holds), implied(node.right, leaf, holds=holds)
            return _all(left, right) if (node.type == "and") == holds else _any(left, right)
        case "UnaryExpression" if node.type == "not":
            return implied(node.right, leaf, holds=not holds)
    return leaf(node, holds)


def impossible_in(said: Mapping[str, Said]) -> str | None:
    """Name the first, by the alphabet, for which there is no value; None where each has one."""
    return min((name for name, each in said.items() if each.empty), default=None)


def _all(one: Mapping[str, S], other: Mapping[str, S]) -> Mapping[str, S]:
    return {**one, **other, **{name: one[name].both(other[name]) for name in one.keys() & other.keys()}}


def _any(one: Mapping[str, S], other: Mapping[str, S]) -> Mapping[str, S]:
    """Only what both alternatives say is said; one that can never hold says nothing."""
    if any(each.empty for each in one.values()):
        return other
    if any(each.empty for each in other.values()):
        return one
    return {name: one[name].either(other[name]) for name in one.keys() & other.keys()}
