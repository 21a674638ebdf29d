"""Holds a condition against what is known of the names in it: unknown names, kinds that cannot be compared.

Such a condition could never be decided, or never hold. Never judges a value, and claims nothing where nothing is known.
"""

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from approval_rules.condition_words import Fault, Token
from approval_rules.counters import Counter
from approval_rules.kinds import ANYTHING, NUMBER, TRUTH, Kind, Known, What
from approval_rules.names import TOUCHES
from approval_rules.nearest import nearest
from approval_rules.text import Json

_Node = Any  # rule-engine has no types
_WITHOUT_LENGTH = frozenset({"a number", "true or false", "an object"})
_NEVER_COMPARED = frozenset({"an object", "a list"})
_LOGIC = frozenset({"and", "or", "not"})
_ORDERED = frozenset({"lt", "le", "gt", "ge"})

_NUMBER = re.compile(r"[-+]?[0-9][0-9,_ ]*(?:\.[0-9]+)?")
_FORMS = {
    "now.hour": (re.compile("1?[0-9]|2[0-3]"), "a number from 0 to 23"),
    "now.time": (re.compile("(?:[01][0-9]|2[0-3]):[0-5][0-9]"), "a text such as '09:30', to '23:59'"),
    "now.date": (re.compile("20[0-9]{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"), "a text such as '2026-01-31'"),
}


class _Part(NamedTuple):
    """What is known of one part of a condition, where it begins, and the field that it is, if it is one."""

    kind: Kind
    offset: int = 0
    label: str = ""
    parts: tuple["_Part", ...] | None = None


class _MisuseError(Exception):
    def __init__(self, offset: int, detail: str) -> None:
        super().__init__(detail)
        self.fault = offset, detail


def misuse(tree: _Node, words: Sequence[Token], counters: Iterable[Counter], known: Known) -> Fault | None:
    """Give the place and the remedy of the first thing that cannot be right, or None."""
    try:
        _Walk(words, {counter.name: counter for counter in counters}, known).truth(tree)
    except _MisuseError as wrong:
        return wrong.fault
    return None


class _Walk:
    """One walk through a condition's tree, from left to right as its words stand."""

    def __init__(self, words: Sequence[Token], counters: dict[str, Counter], known: Known) -> None:
        before = [Token("", "", 0), *words]
        self._offsets = iter([word.offset for last, word in zip(before, words, strict=False) if _is_name(last, word)])
        self._quoted = {word.offset: word.text[1:-1] for word in words if word.kind == "STRING"}
        self._at = 0
        self._counters = counters
        self._known = known

    def truth(self, node: _Node) -> None:
        """Look at a part that must be true or false."""
        self._need("true or false", self._see(node), "neither true nor false")

    def _see(self, node: _Node) -> _Part:
        match type(node).__name__:
            case "SymbolExpression":
                return self._name(node.name, next(self._offsets))
            case "GetAttributeExpression" if node.name == "length":
                owner = self._see(node.object)
                if owner.kind.what in _WITHOUT_LENGTH:
                    raise _MisuseError(owner.offset, f"{owner.label} is {owner.kind.what}, which has no length")
                return _Part(NUMBER, owner.offset, f"{owner.label}.length")
            case "GetAttributeExpression":
                return self._field(self._see(node.object), node.name)
            case "GetItemExpression":
                return self._field(self._see(node.container), node.item.value)
            case "FunctionCallExpression":
                owner = self._see(node.function.object)
                self._need("text", owner, "not text")
                return _Part(TRUTH, owner.offset)
            case "LogicExpression" | "UnaryExpression" if node.type in _LOGIC:
                for side in _sides(node):
                    self.truth(side)
                return _Part(TRUTH)
            case "ComparisonExpression" | "ArithmeticComparisonExpression":
                self._compare(self._see(node.left), self._see(node.right), ordered=node.type in _ORDERED)
                return _Part(TRUTH)
            case "ContainsExpression":
                self._contains(self._see(node.member), self._see(node.container))
                return _Part(TRUTH)
            case "ArrayExpression":
                return _Part(Kind("a list"), parts=tuple(self._see(member) for member in node.value))
            case "FloatExpression" | "StringExpression" | "BooleanExpression":
                return self._value(node.value)
        for side in _sides(node):  # a sum, or a minus before a number
            self._need("a number", self._see(side), "not a number")
        return _Part(NUMBER)

    def _value(self, value: Json) -> _Part:
        """Give a value; the place of a text is that of the next such text in quotes."""
        if isinstance(value, str):
            ahead = (offset for offset, text in self._quoted.items() if offset >= self._at and text == value)
            self._at = next(ahead, self._at)
            return _Part(_kind_of(value), self._at)
        return _Part(_kind_of(value))

    # --- names

    def _name(self, name: str, offset: int) -> _Part:
        self._at = offset
        counter = self._counters.get(name)
        if counter is None:
            return _Part(self._known_name(name, offset), offset, name)
        if counter.field is not None:
            field = _Part(self._known_name(counter.field, offset), offset, counter.field)
            self._need("a number", field, "not a number")
        if counter.by not in (None, "agent"):
            self._known_name(counter.by or "", offset)
        return _Part(NUMBER, offset, name)

    def _known_name(self, name: str, offset: int) -> Kind:
        kind = self._known.of(name)
        if kind is not None:
            return kind
        if name in TOUCHES:
            wanted = f"no field of this tool's contract has x-touches: {TOUCHES[name]}"
            raise _MisuseError(offset, f"{name} would never be true: {wanted}")
        near = nearest(name, self._known.names)
        hint = f"did you mean '{near}'? If it is a fact, declare it" if near else "if it is a fact, declare it"
        where = f"neither {self._known.source} nor facts: names '{name}'"
        raise _MisuseError(offset, f"{where}; {hint} under facts:")

    def _field(self, owner: _Part, name: str) -> _Part:
        label = f"{owner.label}.{name}"
        if owner.kind.what not in (None, "an object"):
            raise _MisuseError(owner.offset, f"{owner.label} is {owner.kind.what}, which has no fields")
        if owner.kind.closed and name not in owner.kind.fields:
            near = nearest(name, owner.kind.fields)
            hint = f"did you mean '{near}'?" if near else f"it has {', '.join(sorted(owner.kind.fields)[:8])}"
            raise _MisuseError(owner.offset, f"{owner.label} has no field '{name}' in {self._known.source}; {hint}")
        return _Part(owner.kind.fields.get(name, ANYTHING), owner.offset, label)

    # --- what may stand together

    def _need(self, what: What, part: _Part, otherwise: str) -> None:
        if part.kind.what not in (None, what):
            raise _MisuseError(part.offset, f"{part.label or 'a part'} is {part.kind.what}, so it is {otherwise}")

    def _contains(self, member: _Part, container: _Part) -> None:
        if container.kind.what not in (None, "a list"):
            raise _MisuseError(container.offset, f"{container.label} is {container.kind.what}, not a list")
        entry = _Part(container.kind.item or ANYTHING, container.offset, f"an entry of {container.label}")
        for each in (entry,) if container.parts is None else container.parts:
            self._compare(member, each)

    def _compare(self, one: _Part, other: _Part, *, ordered: bool = False) -> None:
        if not one.label:
            one, other = other, one
        if ordered and one.label and not other.label:
            _require_order(one, other)
        if not one.label or one.kind.what is None:
            return
        if one.kind.what in _NEVER_COMPARED or (ordered and one.kind.what == "true or false"):
            how = "put in order" if ordered else "compared"
            raise _MisuseError(one.offset, f"{one.label} is {one.kind.what}, which cannot be {how}")
        if other.kind.what not in (None, one.kind.what):
            raise _MisuseError(one.offset, _mismatch(one, other))
        if not ordered and not other.label:
            self._possible(one, other.kind.values or (), other.offset)

    def _possible(self, field: _Part, values: Sequence[Json], place: int) -> None:
        """Refuse to compare with a value that the field can never have."""
        possible = field.kind.values
        for value in values if possible is not None else ():
            if value not in (possible or ()):
                texts = [str(each) for each in possible or ()]
                near = nearest(str(value), texts)
                hint = f"did you mean '{near}'?" if near else f"it is one of {', '.join(texts[:8])}"
                at = place if isinstance(value, str) else field.offset
                raise _MisuseError(at, f"{field.label} is never '{value}'; {hint}")


def _require_order(field: _Part, other: _Part) -> None:
    """Refuse a bound that is none: a number in quotes is put in order letter by letter, and the clock has its form."""
    for value in other.kind.values or ():
        if isinstance(value, str) and _NUMBER.fullmatch(value) and field.kind.what != "a number":
            raise _MisuseError(
                other.offset, f"'{value}' is text, of which '1000' is less than '50'; take its quotes away"
            )
        form = _FORMS.get(field.label)
        if form is not None and not form[0].fullmatch(str(value)):
            raise _MisuseError(other.offset if isinstance(value, str) else field.offset, f"{field.label} is {form[1]}")


def _sides(node: _Node) -> list[_Node]:
    return [getattr(node, side) for side in ("left", "right") if hasattr(node, side)]


def _is_name(last: Token, word: Token) -> bool:
    return word.kind == "SYMBOL" and last.kind != "ATTR"


def _kind_of(value: Json) -> Kind:
    match value:
        case bool():
            return TRUTH
        case Decimal():
            return Kind("a number", (value,))
    return Kind("text", (value,))


def _mismatch(field: _Part, other: _Part) -> str:
    advice = ""
    if not other.label and {field.kind.what, other.kind.what} == {"text", "a number"}:
        advice = "; put it in quotes" if field.kind.what == "text" else "; take its quotes away"
    return f"{field.label} is {field.kind.what}, which cannot be compared with {other.kind.what}{advice}"
