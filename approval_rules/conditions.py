"""Turns the text of a condition into a checked predicate over JSON values with exact decimals.

rule-engine parses and type-checks; its tree is compiled once into closures. They give what rule-engine gives or
nothing: where rule-engine is lenient (`1 == '1'` is false, `'no'` counts as true) the answer is Undetermined. Never
evaluates anything whose cost the author or the agent can inflate, never reads a clock, never raises on a value.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow, localcontext
from functools import lru_cache, partial
from typing import Any, NamedTuple, TypeVar

from approval_rules.condition_kinds import misuse
from approval_rules.condition_words import Token, check_words, names_in, syntax_fault
from approval_rules.contradictions import Wanted, wanted_in
from approval_rules.counters import Counter, named
from approval_rules.facts import Unknown, Value
from approval_rules.implied import impossible_in
from approval_rules.kinds import Known
from approval_rules.ranges import Ranges, only_ranges, ranges_of
from approval_rules.text import Json

MAX_LENGTH, MAX_DEPTH = 1000, 32
# Inexact is an error here: a sum that would have to be rounded must ask people, not pass by a rounding.
_EXACT = Context(prec=200, traps=[InvalidOperation, DivisionByZero, Overflow, Inexact])

Names = Mapping[str, Value]
T = TypeVar("T")
_Node = Any  # rule-engine has no types


@dataclass
class ConditionFaultError(Exception):
    """A condition that cannot be used: where in its text (0-based), and what to do."""

    offset: int
    detail: str

    def __str__(self) -> str:
        return f"at {self.offset}: {self.detail}"


@dataclass(frozen=True, slots=True)
class Undetermined:
    """Why a condition has no answer; names fields, never their values."""

    why: str


@dataclass(frozen=True, slots=True)
class Condition:
    """A checked condition. `names` are the top-level names that it reads, those of its `counters` among them.

    `ranges` are the bounds of numbers wherever it holds (and nothing else is asked: `only_ranges`), `wanted` the values
    of other fields there; `always` names a field for which it holds whatever the value is.
    """

    text: str
    names: frozenset[str]
    counters: tuple[Counter, ...]
    ranges: Ranges = field(compare=False)
    only_ranges: bool = field(compare=False)
    wanted: Wanted = field(compare=False)
    always: str | None = field(compare=False)
    _part: "_Part" = field(repr=False, compare=False)

    def test(self, names: Names) -> bool | Undetermined:
        """Answer for these values; MUST NOT raise, whatever they are."""
        return _answer(lambda _: _truth(self._part, names))


class _CannotTellError(Exception):
    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class _Part(NamedTuple):
    """One compiled node: what it computes, and the field that it reads where it is one."""

    run: Callable[[Names], Any]
    name: str | None = None


_NOTHING_KNOWN = Known()


def compile_condition(text: str, known: Known = _NOTHING_KNOWN) -> Condition:
    """Check and compile; raises ConditionFaultError with the place of the first fault."""
    if len(text) > MAX_LENGTH:
        raise ConditionFaultError(MAX_LENGTH, f"longer than {MAX_LENGTH} characters; split it into several rules")
    read, counters = named(text)
    tree, names, words = _parse(read)
    if not names:
        raise ConditionFaultError(
            0, "reads no field, so it never changes; leave the 'if' away for a rule that always matches"
        )
    part = _compile_truth(tree, 0)
    fault = misuse(tree, words, counters.values(), known)
    if fault:
        raise ConditionFaultError(*fault)
    always = impossible_in(ranges_of(tree, holds=False)) or impossible_in(wanted_in(tree, holds=False))
    found = ranges_of(tree), only_ranges(tree), wanted_in(tree), always
    return Condition(text, names, tuple(sorted(counters.values())), *found, part)


def tree_of(text: str) -> tuple[Any, Mapping[str, Counter]]:
    """Give rule-engine's tree of a condition that was compiled before, and its counters by name."""
    read, counters = named(text)
    return _parse(read)[0], counters


def answer_of(node: _Node) -> "Callable[[Names], Json | Undetermined]":
    """Compile a part of such a tree; what it gives MUST NOT raise."""
    part = _compile(node, 0)
    return lambda names: _answer(lambda _: part.run(names))


def exactly(compute: Callable[[Context], Decimal]) -> Decimal | None:
    """Calculate as conditions do; None where the result would have to be rounded."""
    found = _answer(compute)
    return None if isinstance(found, Undetermined) else found


def _answer(find: Callable[[Context], T]) -> T | Undetermined:
    try:
        return find(_EXACT)
    except _CannotTellError as unknown:
        return Undetermined(unknown.why)
    except ArithmeticError:
        return Undetermined("a number is too long or too large to calculate with exactly")


def _parse(text: str) -> tuple[Any, frozenset[str], list[Token]]:
    """Give rule-engine's reduced tree, the names in it, and its words; these are checked first.

    Reducing would compute `9**9**9` at once.
    """
    # It takes long to import, and is needed only where a policy is loaded.
    import rule_engine  # type: ignore[import-untyped]  # noqa: PLC0415 - as the comment says

    parser = rule_engine.Rule.parser
    lexer = parser._lexer.clone()  # noqa: SLF001 - rule-engine has no public way to see the words
    lexer.input(text)
    try:
        read = list(lexer)
        words = [Token(word.type, word.value, word.lexpos) for word in read]
        fault = check_words(words, len(text))
        if fault:
            raise ConditionFaultError(*fault)
        with localcontext(_EXACT):
            tree = parser.parse(text, _engine_context(), lexer=_ReadOnce(read)).expression
        return tree, names_in(words), words
    except rule_engine.errors.RuleSyntaxError as error:
        raise ConditionFaultError(*syntax_fault(text, error.token)) from None
    except (ArithmeticError, rule_engine.errors.ArithmeticError):
        raise ConditionFaultError(0, "calculates with numbers that are too long or too large") from None
    except rule_engine.errors.EngineError:
        raise ConditionFaultError(0, "mixes values of different kinds, such as text and a number") from None
    except RecursionError:
        raise _too_deep() from None


class _ReadOnce:
    """Hands the parser the very words that were checked; reading a text twice takes time, and could differ."""

    def __init__(self, words: Sequence[_Node]) -> None:
        self.token = partial(next, iter(words), None)

    def input(self, _: str) -> None:
        """Ignore the text."""


@lru_cache(maxsize=1)  # building one costs as much as parsing; nothing is evaluated in it
def _engine_context() -> Any:  # noqa: ANN401 - rule-engine has no types
    import rule_engine  # noqa: PLC0415 - as in _parse

    return rule_engine.Context(default_timezone="utc", decimal_context=_EXACT.copy())


def _too_deep() -> ConditionFaultError:
    return ConditionFaultError(0, f"nested deeper than {MAX_DEPTH} levels; use lists, or split it into several rules")


# --- compiling: one small function per kind of node; a kind that is not in _KINDS is refused


def _compile(node: _Node, depth: int) -> _Part:
    if depth > MAX_DEPTH:
        raise _too_deep()
    kind = _KINDS.get(type(node).__name__)
    if kind is None:
        raise ConditionFaultError(0, "uses something that conditions do not have")
    return kind(node, depth + 1)


def _compile_truth(node: _Node, depth: int) -> _Part:
    if type(node).__name__ == "BooleanExpression":
        raise ConditionFaultError(0, "a part is always true, or always false; leave it away")
    if node.result_type.name not in {"BOOLEAN", "UNDEFINED"} or type(node).__name__ in _SUMS:
        raise ConditionFaultError(
            0, "a part is neither true nor false; write each comparison in full: x == 'a' or x == 'b'"
        )
    return _compile(node, depth)


def _literal(node: _Node, _: int) -> _Part:
    value = node.value
    return _Part(lambda _: value)


def _array(node: _Node, depth: int) -> _Part:
    runs = [_compile(member, depth).run for member in node.value]
    return _Part(lambda names: [run(names) for run in runs])


def _symbol(node: _Node, _: int) -> _Part:
    name: str = node.name
    return _Part(lambda names: _usable(names.get(name), name), name)


def _attribute(node: _Node, depth: int) -> _Part:
    inner = _owner(node.object, depth)
    return _length_of(inner) if node.name == "length" else _field_of(inner, node.name)


def _item(node: _Node, depth: int) -> _Part:
    return _field_of(_owner(node.container, depth), node.item.value)


def _owner(node: _Node, depth: int) -> _Part:
    owner = _compile(node, depth)
    if owner.name is None:
        raise ConditionFaultError(0, "only a field has fields and a length; write name.field")
    return owner


def _field_of(inner: _Part, key: str) -> _Part:
    label = f"{inner.name}.{key}"

    def run(names: Names) -> Json:
        owner = inner.run(names)
        if not isinstance(owner, Mapping):
            raise _CannotTellError(f"{inner.name} is not an object, so {label} is missing")
        return _usable(owner.get(key), label)

    return _Part(run, label)


def _length_of(inner: _Part) -> _Part:
    def run(names: Names) -> Decimal:
        value = inner.run(names)
        if not isinstance(value, Sequence):
            raise _CannotTellError(f"{inner.name} is neither text nor a list, so it has no length")
        return Decimal(len(value))

    return _Part(run, f"{inner.name}.length")


def _call(node: _Node, depth: int) -> _Part:
    method, arguments = node.function.name, node.arguments
    if len(arguments) != 1 or type(arguments[0]).__name__ != "StringExpression" or not arguments[0].value:
        raise ConditionFaultError(0, f"{method} takes one text in quotes that is not empty")
    inner, edge = _owner(node.function.object, depth), arguments[0].value
    look = str.startswith if method == "starts_with" else str.endswith

    def run(names: Names) -> bool:
        value = inner.run(names)
        if not isinstance(value, str):
            raise _CannotTellError(f"{inner.name} is not text")
        return look(value, edge)

    return _Part(run)


def _logic(node: _Node, depth: int) -> _Part:
    left, right = _compile_truth(node.left, depth), _compile_truth(node.right, depth)
    if node.type == "and":
        return _Part(lambda names: _truth(left, names) and _truth(right, names))
    return _Part(lambda names: _truth(left, names) or _truth(right, names))


def _unary(node: _Node, depth: int) -> _Part:
    if node.type == "not":
        inner = _compile_truth(node.right, depth)
        return _Part(lambda names: not _truth(inner, names))
    number = _compile(node.right, depth)
    return _Part(lambda names: _number(number, names).copy_negate())


def _arithmetic(node: _Node, depth: int) -> _Part:
    left, right = _compile(node.left, depth), _compile(node.right, depth)
    compute = {"add": _EXACT.add, "sub": _EXACT.subtract, "mul": _EXACT.multiply}[node.type]
    return _Part(lambda names: compute(_number(left, names), _number(right, names)))


def _comparison(node: _Node, depth: int) -> _Part:
    left, right = _compile(node.left, depth), _compile(node.right, depth)
    compare: Callable[[Any, Any], bool] = getattr(operator, node.type)
    kinds = _EQUAL_KINDS if node.type in {"eq", "ne"} else _ORDERED_KINDS

    def run(names: Names) -> bool:
        one, other = left.run(names), right.run(names)
        if type(one) is not type(other) or type(one) not in kinds:
            raise _mismatch(left, one, right, other)
        return compare(one, other)

    return _Part(run)


def _contains(node: _Node, depth: int) -> _Part:
    container, member = _compile(node.container, depth), _compile(node.member, depth)
    entry = _Part(container.run, f"an entry of {container.name or 'the list'}")

    def run(names: Names) -> bool:
        value, items = member.run(names), container.run(names)
        if isinstance(items, str) or not isinstance(items, Sequence):
            raise _CannotTellError(f"{container.name} is not a list")
        found = False
        for item in items:
            each = _usable(item, entry.name)
            if type(each) is not type(value) or type(each) not in _EQUAL_KINDS:
                raise _mismatch(member, value, entry, each)
            found = found or each == value
        return found

    return _Part(run)


_KINDS: dict[str, Callable[[Any, int], _Part]] = {
    "BooleanExpression": _literal,
    "FloatExpression": _literal,
    "StringExpression": _literal,
    "ArrayExpression": _array,
    "SymbolExpression": _symbol,
    "GetAttributeExpression": _attribute,
    "GetItemExpression": _item,
    "FunctionCallExpression": _call,
    "LogicExpression": _logic,
    "UnaryExpression": _unary,
    "AddExpression": _arithmetic,
    "SubtractExpression": _arithmetic,
    "ArithmeticExpression": _arithmetic,
    "ComparisonExpression": _comparison,
    "ArithmeticComparisonExpression": _comparison,
    "ContainsExpression": _contains,
}
_SUMS = frozenset({"AddExpression", "SubtractExpression"})
_SOME = "a part of the condition"
_EQUAL_KINDS = frozenset({bool, Decimal, str})
_ORDERED_KINDS = frozenset({Decimal, str})
_AS_THEY_ARE = frozenset({bool, str})
_NAMED = {bool: "true or false", str: "text", Decimal: "a number"}


# --- values: a boolean is never a number, a number is always an exact decimal


def _usable(value: Value, label: str | None) -> Json:
    """Give the value that is compared; what JSON calls null counts as missing."""
    if type(value) in _AS_THEY_ARE:
        return value  # type: ignore[return-value]  # Unknown is none of them
    match value:
        case None:
            raise _CannotTellError(f"{label} is missing")
        case int():
            return Decimal(value)
        case Decimal() if not value.is_finite():
            raise _CannotTellError(f"{label} is not a finite number")
        case Decimal() | Mapping() | Sequence():
            return value
        case Unknown():
            raise _CannotTellError(f"{label} {value.why}")
    raise _CannotTellError(f"{label} is not JSON")


def _truth(part: _Part, names: Names) -> bool:
    value: bool = part.run(names)
    if value is True or value is False:
        return value
    raise _CannotTellError(f"{part.name or _SOME} is neither true nor false")


def _number(part: _Part, names: Names) -> Decimal:
    value = part.run(names)
    if isinstance(value, Decimal):
        return value
    raise _CannotTellError(f"{part.name or _SOME} is not a number")


def _mismatch(left: _Part, one: Json, right: _Part, other: Json) -> _CannotTellError:
    if left.name is None:
        left, one, other = right, other, one
    return _CannotTellError(f"{left.name or _SOME} is {_kind(one)}, which cannot be compared with {_kind(other)}")


def _kind(value: Json) -> str:
    return _NAMED.get(type(value)) or ("an object" if isinstance(value, Mapping) else "a list")
