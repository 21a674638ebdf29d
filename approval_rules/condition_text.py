"""Writes a part of a checked condition's tree as a policy's author would. Evaluates nothing, knows no value."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from approval_rules.counters import Counter

_Node = Any  # rule-engine has no types
_SIGNS: Final = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "add": "+", "sub": "-"} | {
    "mul": "*",
    "and": "and",
    "or": "or",
}
# How tightly a node binds; one that binds less tightly than its place needs brackets.
_RANK: Final = {"or": 1, "and": 2, "not": 3, "add": 5, "sub": 5, "mul": 6, "uminus": 7}
_COMPARES: Final = 4
_LONGEST_PLAIN: Final = 40


def text_of(node: _Node, counters: Mapping[str, Counter]) -> str:
    """Write a node; numbers that could be worked out stand as what they come to."""
    return _WRITERS[type(node).__name__](node, counters)


def number_text(value: Decimal) -> str:
    """Write a number without an exponent, as long as that is readable."""
    plain = format(value, "f")
    return plain if len(plain) <= _LONGEST_PLAIN else str(value)


def _rank(node: _Node) -> int:
    kind = type(node).__name__
    if kind in {"ComparisonExpression", "ArithmeticComparisonExpression", "ContainsExpression"}:
        return _COMPARES
    if kind == "UnaryExpression" and type(node.right).__name__ == "ContainsExpression":
        return _COMPARES
    return _RANK.get(getattr(node, "type", ""), 8)


def _inside(node: _Node, least: int, counters: Mapping[str, Counter], beside: str = "") -> str:
    text = text_of(node, counters)
    mixed = beside == "or" and _rank(node) == _RANK["and"]  # which of the two binds, not everybody knows
    return text if _rank(node) >= least and not mixed else f"({text})"


def _pair(node: _Node, counters: Mapping[str, Counter]) -> str:
    rank = _rank(node)
    # A comparison is not compared again, and 1 - (2 - 3) is not 1 - 2 - 3.
    left = _inside(node.left, rank + (rank == _COMPARES), counters, node.type)
    right = _inside(node.right, rank + 1, counters, node.type)
    return f"{left} {_SIGNS[node.type]} {right}"


def _contains(node: _Node, counters: Mapping[str, Counter], sign: str = "in") -> str:
    member = _inside(node.member, _COMPARES + 1, counters)
    return f"{member} {sign} {_inside(node.container, _COMPARES + 1, counters)}"


def _unary(node: _Node, counters: Mapping[str, Counter]) -> str:
    if node.type == "uminus":
        return f"-{_inside(node.right, _RANK['uminus'] + 1, counters)}"
    if type(node.right).__name__ == "ContainsExpression":
        return _contains(node.right, counters, "not in")
    return f"not {_inside(node.right, _COMPARES + 1, counters)}"


def _symbol(node: _Node, counters: Mapping[str, Counter]) -> str:
    return counters[node.name].written if node.name in counters else str(node.name)


def _call(node: _Node, counters: Mapping[str, Counter]) -> str:
    method = node.function
    return f"{text_of(method.object, counters)}.{method.name}({text_of(node.arguments[0], counters)})"


def _quoted(text: str) -> str:
    return f'"{text}"' if "'" in text else f"'{text}'"


_WRITERS: Final[Mapping[str, Callable[[_Node, Mapping[str, Counter]], str]]] = {
    "BooleanExpression": lambda node, _: "true" if node.value else "false",
    "FloatExpression": lambda node, _: number_text(node.value),
    "StringExpression": lambda node, _: _quoted(node.value),
    "ArrayExpression": lambda node, counters: f"[{', '.join(text_of(each, counters) for each in node.value)}]",
    "SymbolExpression": _symbol,
    "GetAttributeExpression": lambda node, counters: f"{text_of(node.object, counters)}.{node.name}",
    "GetItemExpression": lambda node, counters: f"{text_of(node.container, counters)}[{_quoted(node.item.value)}]",
    "FunctionCallExpression": _call,
    "LogicExpression": _pair,
    "UnaryExpression": _unary,
    "AddExpression": _pair,
    "SubtractExpression": _pair,
    "ArithmeticExpression": _pair,
    "ComparisonExpression": _pair,
    "ArithmeticComparisonExpression": _pair,
    "ContainsExpression": _contains,
}
