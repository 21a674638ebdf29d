"""Takes a condition apart: the parts of its `and`, the names it reads, and where its answer can turn. Judges nothing.

Only explaining needs this, so it is worked out when it is first asked for, and costs the intake nothing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeAlias

from approval_rules.condition_text import text_of
from approval_rules.conditions import Condition, Names, Undetermined, answer_of, exactly, tree_of
from approval_rules.counters import Counter
from approval_rules.text import Json

_Node = Any  # rule-engine has no types
Answer: TypeAlias = "Callable[[Names], Json | Undetermined]"
_PATHS: Final = frozenset({"SymbolExpression", "GetAttributeExpression", "GetItemExpression"})
_COMPARISONS: Final = frozenset({"ComparisonExpression", "ArithmeticComparisonExpression"})
_ADDED: Final = frozenset({"add", "sub", "uminus"})


@dataclass(frozen=True, slots=True)
class Read:
    """One name that a condition reads: `order.total`, `now.hour`, `tags.length`, `sum(amount_usd, 24h)`.

    `path` leads to the value in the names of a proposal; of a length it leads to what is measured.
    """

    label: str
    path: tuple[str, ...]
    measures: bool
    counter: Counter | None
    value: Answer

    @property
    def of(self) -> str:
        """The dotted field whose hiding covers this value too; empty where it shows none."""
        return ".".join(self.path) if self.counter is None else self.counter.field or ""


@dataclass(frozen=True, slots=True)
class Clause:
    """One part of a condition's top-level `and`; all of them hold exactly where the condition does."""

    text: str
    reads: tuple[Read, ...]
    answer: Answer

    def holds(self, names: Names) -> bool | Undetermined:
        """Whether this part holds; MUST NOT raise."""
        answer = self.answer(names)
        if isinstance(answer, bool | Undetermined):
            return answer
        return Undetermined(f"{self.text} is neither true nor false")


@dataclass(frozen=True, slots=True)
class Turn:
    """A value at which a comparison changes its answer, and the labels of the names that it was worked out from."""

    value: Json
    rests_on: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Atom:
    """One comparison, or whatever else is true or false by itself, with the names that it reads."""

    reads: tuple[Read, ...]
    _turns: Callable[[str, Names], Sequence[Turn] | None]

    def turns(self, label: str, names: Names) -> Sequence[Turn] | None:
        """Say where the answer can turn while only this name changes; None where that cannot be told."""
        return self._turns(label, names) if any(read.label == label for read in self.reads) else ()


@dataclass(frozen=True, slots=True)
class Anatomy:
    """A condition in its parts; `reads` has each name once, in the order of reading."""

    clauses: tuple[Clause, ...]
    reads: tuple[Read, ...]
    atoms: tuple[Atom, ...]


def anatomy_of(condition: Condition | None) -> Anatomy:
    """Take a condition apart; one that always holds has no parts."""
    return _NOTHING if condition is None else _anatomy(condition.text)


@lru_cache(maxsize=1024)
def _anatomy(text: str) -> Anatomy:
    tree, counters = tree_of(text)
    clauses = tuple(
        Clause(text_of(node, counters), _once(_reads(node, counters)), answer_of(node)) for node in _ands(tree)
    )
    atoms = tuple(_atom(node, counters) for node in _atoms(tree))
    return Anatomy(clauses, _once(_reads(tree, counters)), atoms)


_NOTHING: Final = Anatomy((), (), ())


# --- walking a tree


def _ands(node: _Node) -> Iterator[_Node]:
    if type(node).__name__ == "LogicExpression" and node.type == "and":
        yield from _ands(node.left)
        yield from _ands(node.right)
    else:
        yield node


def _atoms(node: _Node) -> Iterator[_Node]:
    match type(node).__name__:
        case "LogicExpression":
            yield from _atoms(node.left)
            yield from _atoms(node.right)
        case "UnaryExpression" if node.type == "not":
            yield from _atoms(node.right)
        case _:
            yield node


def _parts(node: _Node) -> tuple[_Node, ...]:
    """Give what stands directly in a node, in the order of reading."""
    match type(node).__name__:
        case "ArrayExpression":
            return tuple(node.value)
        case "FunctionCallExpression":
            return (node.function.object,)
        case "ContainsExpression":
            return node.member, node.container
        case "UnaryExpression":
            return (node.right,)
        case "BooleanExpression" | "FloatExpression" | "StringExpression":
            return ()
    return node.left, node.right


def _reads(node: _Node, counters: Mapping[str, Counter]) -> Iterator[Read]:
    """Give every name, as often as it is read."""
    if type(node).__name__ in _PATHS:
        yield _read(node, counters)
    else:
        for part in _parts(node):
            yield from _reads(part, counters)


def _read(node: _Node, counters: Mapping[str, Counter]) -> Read:
    path = _path(node)
    counter = counters.get(path[0]) if len(path) == 1 else None
    measures = type(node).__name__ == "GetAttributeExpression" and node.name == "length"
    label = ".".join(path) if counter is None else counter.written
    return Read(label, path[:-1] if measures else path, measures, counter, answer_of(node))


def _path(node: _Node) -> tuple[str, ...]:
    match type(node).__name__:
        case "SymbolExpression":
            return (str(node.name),)
        case "GetAttributeExpression":
            return (*_path(node.object), str(node.name))
    return (*_path(node.container), str(node.item.value))


def _once(reads: Iterator[Read]) -> tuple[Read, ...]:
    found: dict[str, Read] = {}
    for read in reads:
        found.setdefault(read.label, read)
    return tuple(found.values())


# --- where an answer can turn


def _atom(node: _Node, counters: Mapping[str, Counter]) -> Atom:
    return Atom(tuple(_reads(node, counters)), _turns_of(node, counters))


def _turns_of(node: _Node, counters: Mapping[str, Counter]) -> "_Turns":
    kind = type(node).__name__
    if kind in _PATHS:
        return _never
    if kind in _COMPARISONS:
        return _compared(node, counters)
    if kind == "ContainsExpression" and type(node.container).__name__ == "ArrayExpression":
        return _listed(node, counters)
    return _unknown


_Turns: TypeAlias = Callable[[str, Names], Sequence[Turn] | None]


def _never(_label: str, _names: Names) -> Sequence[Turn]:
    return ()


def _unknown(_label: str, _names: Names) -> None:
    return None


def _listed(node: _Node, counters: Mapping[str, Counter]) -> _Turns:
    """`name in [...]` turns at each entry, where the name itself is not among them."""
    member = node.member
    entries = [(answer_of(each), tuple(_reads(each, counters))) for each in node.container.value]

    def turns(label: str, names: Names) -> Sequence[Turn] | None:
        if type(member).__name__ not in _PATHS or any(read.label == label for _, reads in entries for read in reads):
            return None
        found = [(answer(names), reads) for answer, reads in entries]
        return [Turn(value, _labels(reads)) for value, reads in found if not isinstance(value, Undetermined)]

    return turns


def _compared(node: _Node, counters: Mapping[str, Counter]) -> _Turns:
    """A comparison turns where one side, which reads the name once, reaches the other, which does not read it."""
    left, right = (_Side(each, tuple(_reads(each, counters)), answer_of(each)) for each in (node.left, node.right))

    def turns(label: str, names: Names) -> Sequence[Turn] | None:
        mine, other = (left, right) if any(read.label == label for read in left.reads) else (right, left)
        if [read.label for read in (*mine.reads, *other.reads)].count(label) > 1:
            return None
        bound = other.answer(names)
        if isinstance(bound, Undetermined):
            return ()  # whatever the name is, nothing can be told
        rests_on = _labels([read for read in (*mine.reads, *other.reads) if read.label != label])
        if type(mine.node).__name__ in _PATHS:
            return [Turn(bound, rests_on)]
        solved = _solved(mine, label, bound, names)
        return solved if solved is None else [Turn(value, rests_on) for value in solved]

    return turns


class _Side(NamedTuple):
    node: _Node
    reads: tuple[Read, ...]
    answer: Answer


def _solved(side: _Side, label: str, bound: Json, names: Names) -> Sequence[Json] | None:
    """Find where a sum reaches a bound while one of its names changes; None where it is not a mere sum."""
    read = next(read for read in side.reads if read.label == label)
    if not isinstance(bound, Decimal) or not _is_added(side.node, read.path):
        return None
    changed = [put(names, read, Decimal(number)) for number in (0, 1)]
    at_none, at_one = [None if each is None else side.answer(each) for each in changed]
    if not isinstance(at_none, Decimal) or not isinstance(at_one, Decimal):
        return () if isinstance(at_none, Undetermined) else None
    found = exactly(lambda context: context.multiply(context.subtract(bound, at_none), at_one - at_none))
    return None if found is None else [found]


def _is_added(node: _Node, path: tuple[str, ...]) -> bool:
    """Whether a name's value is only added or subtracted, so that the sum moves as it does, or against it."""
    if type(node).__name__ in _PATHS:
        return _path(node) == path
    if getattr(node, "type", "") not in _ADDED:
        return False
    return any(_is_added(part, path) for part in _parts(node))


def _labels(reads: Sequence[Read]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(read.label for read in reads))


# --- changing one name


def put(names: Names, read: Read, value: Json) -> Names | None:
    """Give the names with one of them changed; None where there is no object to change it in.

    A length is changed by a list that is so long: only where nothing else is read of it.
    """
    new: Json = [0] * int(value) if read.measures and isinstance(value, Decimal) else value
    return _put(names, read.path, new)


def _put(owner: object, path: tuple[str, ...], value: Json) -> dict[str, Any] | None:
    if not isinstance(owner, Mapping):
        return None
    if len(path) == 1:
        return {**owner, path[0]: value}
    inner = _put(owner.get(path[0]), path[1:], value)
    return None if inner is None else {**owner, path[0]: inner}
