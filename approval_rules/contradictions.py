"""Finds which values a condition wants of a field, and so what it wants to be two things at once. Never decides.

It knows a field beside a text, a number, true or false, or a list of them; of anything else it claims nothing. What is
impossible for numbers between bounds, `approval_rules.ranges` finds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, TypeAlias

from approval_rules.implied import implied

_Node = Any  # rule-engine has no types
# Its kind stands beside a value: true is not 1.
Literal: TypeAlias = tuple[str, str | Decimal | bool]
_LITERALS: Final = frozenset({"StringExpression", "FloatExpression", "BooleanExpression"})
_SAME: Final = frozenset({"eq", "le", "ge"})
_TRUTH: Final[Mapping[bool, Literal]] = {each: ("BooleanExpression", each) for each in (True, False)}


@dataclass(frozen=True, slots=True)
class Values:
    """These values, or all values but these."""

    these: frozenset[Literal]
    all_but: bool = False

    @property
    def empty(self) -> bool:
        """Whether there is no such value."""
        return not self.these and not self.all_but

    def both(self, other: "Values") -> "Values":
        """Give the values in this one and in the other."""
        match self.all_but, other.all_but:
            case True, True:
                return Values(self.these | other.these, all_but=True)
            case True, False:
                return Values(other.these - self.these)
            case False, True:
                return Values(self.these - other.these)
        return Values(self.these & other.these)

    def either(self, other: "Values") -> "Values":
        """Give the values in this one or in the other."""
        return self.turned.both(other.turned).turned

    @property
    def turned(self) -> "Values":
        """Give all other values."""
        return Values(self.these, all_but=not self.all_but)


Wanted: TypeAlias = Mapping[str, Values]


def wanted_in(tree: _Node, *, holds: bool = True) -> Wanted:
    """Give the values that each field may have where a condition's tree holds (or does not), as far as can be seen."""
    return implied(tree, _wanted, holds=holds)


def _wanted(node: _Node, holds: bool) -> Wanted:  # noqa: FBT001 - as `implied` calls it
    """Give the values that a field may have where one part of a condition holds (or does not)."""
    match type(node).__name__:
        case "ComparisonExpression" | "ArithmeticComparisonExpression" if _with_itself(node):
            return {} if (node.type in _SAME) == holds else {_field(node.left) or "": Values(frozenset())}
        case "ComparisonExpression" if node.type in {"eq", "ne"}:
            return _equal(node.left, node.right, holds=(node.type == "eq") == holds)
        case "ContainsExpression":
            return _one_of(node.member, node.container, holds=holds)
    name = _field(node)
    return {} if name is None else {name: Values(frozenset({_TRUTH[holds]}))}


def _with_itself(node: _Node) -> bool:
    return _field(node.left) is not None and _field(node.left) == _field(node.right)


def _equal(left: _Node, right: _Node, *, holds: bool) -> Wanted:
    if _field(left) is None:
        left, right = right, left
    name, value = _field(left), _literal(right)
    return {} if name is None or value is None else {name: Values(frozenset({value}), all_but=not holds)}


def _one_of(member: _Node, container: _Node, *, holds: bool) -> Wanted:
    name = _field(member)
    if name is None or type(container).__name__ != "ArrayExpression":
        return {}
    values = [_literal(each) for each in container.value]
    known = frozenset(each for each in values if each is not None)
    return {name: Values(known, all_but=not holds)} if len(known) == len(set(values)) else {}


def _literal(node: _Node) -> Literal | None:
    kind = type(node).__name__
    return (kind, node.value) if kind in _LITERALS else None


def _field(node: _Node) -> str | None:
    """Name the field that a node reads, such as `order.customer.tier`."""
    match type(node).__name__:
        case "SymbolExpression":
            return str(node.name)
        case "GetAttributeExpression":
            return f"{_field(node.object)}.{node.name}"
        case "GetItemExpression":
            return f"{_field(node.container)}.{node.item.value}"
    return None
