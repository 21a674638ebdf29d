"""What must be true of a number wherever a condition holds: between which bounds it lies. For reviews, never to decide.

It knows comparisons of one name with one number, put together by and, or, not; of anything else it claims nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from approval_rules.implied import implied

_Node = Any  # rule-engine has no types
_Bound = tuple[Decimal | None, bool]


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers between two bounds; None is no bound, `open_low` and `open_high` leave the bound itself out."""

    low: Decimal | None = None
    high: Decimal | None = None
    open_low: bool = False
    open_high: bool = False

    @property
    def empty(self) -> bool:
        """Whether no number lies in it."""
        if self.low is None or self.high is None:
            return False
        return self.low > self.high or (self.low == self.high and (self.open_low or self.open_high))

    def both(self, other: "Range") -> "Range":
        """Give the numbers in this one and in the other."""
        low, open_low = _inner((self.low, self.open_low), (other.low, other.open_low), higher=True)
        high, open_high = _inner((self.high, self.open_high), (other.high, other.open_high), higher=False)
        return Range(low, high, open_low, open_high)

    def within(self, other: "Range") -> bool:
        """Whether every number in this one is in the other."""
        return self.empty or self.both(other) == self

    def either(self, other: "Range") -> "Range":
        """Give the smallest range that holds both."""
        if self.empty or other.empty:
            return other if self.empty else self
        low, open_low = _outer((self.low, self.open_low), (other.low, other.open_low), lower=True)
        high, open_high = _outer((self.high, self.open_high), (other.high, other.open_high), lower=False)
        return Range(low, high, open_low, open_high)


Ranges = Mapping[str, Range]
ANY: Final = Range()
_COMPARISONS: Final = frozenset({"ComparisonExpression", "ArithmeticComparisonExpression"})
_MIRRORED: Final = {"lt": "gt", "le": "ge", "gt": "lt", "ge": "le", "eq": "eq", "ne": "ne"}
_NEGATED: Final = {"lt": "ge", "le": "gt", "gt": "le", "ge": "lt", "eq": "ne", "ne": "eq"}


def ranges_of(node: _Node, *, holds: bool = True) -> Ranges:
    """Give the range of each number that a condition's tree bounds wherever it holds (or does not)."""
    return implied(node, _compared, holds=holds)


def only_ranges(node: _Node) -> bool:
    """Whether a condition holds for all numbers within its ranges: comparisons put together by `and` alone."""
    if type(node).__name__ == "LogicExpression":
        return node.type == "and" and only_ranges(node.left) and only_ranges(node.right)
    return bool(ranges_of(node)) and type(node).__name__ != "UnaryExpression"


def _compared(node: _Node, holds: bool) -> Ranges:  # noqa: FBT001 - as `implied` calls it
    if type(node).__name__ not in _COMPARISONS:
        return {}
    sign, left, right = node.type, node.left, node.right
    if type(right).__name__ == "SymbolExpression":
        sign, left, right = _MIRRORED[sign], right, left
    if type(left).__name__ != "SymbolExpression" or type(right).__name__ != "FloatExpression":
        return {}
    bound: Decimal = right.value
    match sign if holds else _NEGATED[sign]:
        case "lt" | "le" as below:
            return {left.name: Range(high=bound, open_high=below == "lt")}
        case "gt" | "ge" as above:
            return {left.name: Range(low=bound, open_low=above == "gt")}
        case "eq":
            return {left.name: Range(bound, bound)}
    return {}


def _inner(one: _Bound, other: _Bound, *, higher: bool) -> _Bound:
    """Give the tighter of two lower bounds (the higher one), or of two upper bounds."""
    if one[0] is None or other[0] is None:
        return other if one[0] is None else one
    if one[0] == other[0]:
        return one[0], one[1] or other[1]
    return one if (one[0] > other[0]) == higher else other


def _outer(one: _Bound, other: _Bound, *, lower: bool) -> _Bound:
    """Give the looser of two lower bounds (the lower one), or of two upper bounds."""
    if one[0] is None or other[0] is None:
        return None, False
    if one[0] == other[0]:
        return one[0], one[1] and other[1]
    return one if (one[0] < other[0]) == lower else other
