"""Sorts the values of one name into classes that no rule of a policy tells apart. Reads values, judges nothing.

Between two neighbouring points at which any comparison turns, all answers stay: one value stands for all between them.
"""

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal
from itertools import chain, pairwise
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from approval_rules.anatomy import Anatomy, Read, Turn
from approval_rules.conditions import Names, exactly
from approval_rules.text import Json

_LONGEST: Final = 1000
_MOST_NAMED: Final = 6
_HALF, _ONE = Decimal("0.5"), Decimal(1)
Kind: TypeAlias = Literal["number", "text", "truth"]
_Between: TypeAlias = Callable[[Any, Any], Json]


class Class(NamedTuple):
    """A class of values of one name, by one of them; `low` and `high` bound it, None is no bound.

    `rests_on` labels the names that the bounds were worked out from.
    """

    value: Json
    kind: Kind
    low: Json = None
    high: Json = None
    open_low: bool = True
    open_high: bool = True
    rests_on: tuple[str, ...] = ()

    @property
    def is_point(self) -> bool:
        """Whether it holds one value only."""
        return not self.open_low and not self.open_high and self.low == self.high


def classes_of(read: Read, names: Names, anatomies: Sequence[Anatomy]) -> list[Class]:
    """Give one value for each class of each kind that is compared; without comparisons it must be true or false.

    There are no classes where some rule reads the name in a way that has no such classes.
    """
    found = [atom.turns(read.label, names) for anatomy in anatomies for atom in anatomy.atoms]
    if any(each is None for each in found):
        return []
    turns = [turn for each in found for turn in each or ()]
    if read.measures:
        return _lengths(turns)
    numbers = list(_between(turns, "number", Decimal, _number_between))
    if any(each.value is None for each in numbers):
        return []
    texts = [each for each in _between(turns, "text", str, _text_between) if each.value is not None]
    compared = [classes for classes in (numbers, texts) if len(classes) > 1]
    truths = [Class(value, "truth", value, value, open_low=False, open_high=False) for value in (False, True)]
    return [each for classes in compared or [truths] for each in classes]


def _between(turns: Sequence[Turn], kind: Kind, of: type[Decimal | str], between: _Between) -> Iterator[Class]:
    """Give each point of one kind, and what lies between two, whose value is None where there is none."""
    points: dict[Any, Turn] = {turn.value: turn for turn in turns if type(turn.value) is of}
    ends = [None, *sorted(points), None]
    for low, high in pairwise(ends):
        near = [points[end] for end in (low, high) if end is not None]
        rests_on = tuple(dict.fromkeys(chain.from_iterable(turn.rests_on for turn in near)))
        yield Class(between(low, high), kind, low, high, rests_on=rests_on)
        if high is not None:
            yield Class(high, kind, high, high, open_low=False, open_high=False, rests_on=points[high].rests_on)


def _number_between(low: Decimal | None, high: Decimal | None) -> Json:
    if low is not None and high is not None:
        return exactly(lambda context: context.multiply(context.add(low, high), _HALF))
    if low is not None:
        return exactly(lambda context: context.add(low, _ONE))
    return _ONE if high is None else exactly(lambda context: context.subtract(high, _ONE))


def _text_between(low: str | None, high: str | None) -> Json:
    """The text right after another is that with a NUL; the first of all is the empty one."""
    value = "" if low is None else f"{low}\0"
    return None if value == high else value


def _lengths(turns: Sequence[Turn]) -> list[Class]:
    """Lengths are whole numbers from 0 on; none where one would be too long to try."""
    points = [turn.value for turn in turns if isinstance(turn.value, Decimal)]
    if any(abs(point) > _LONGEST for point in points):
        return []
    rests_on = tuple(dict.fromkeys(chain.from_iterable(turn.rests_on for turn in turns)))
    whole = sorted({int(point) + step for point in points for step in (-1, 0, 1)} | {0})
    found = [Decimal(each) for each in whole if each >= 0]
    nexts: list[Decimal | None] = [each - 1 for each in found[1:]]
    return [
        Class(low, "number", low or None, high, open_low=not low, open_high=high is None, rests_on=rests_on)
        for low, high in zip(found, [*nexts, None], strict=True)
    ]


def chosen_of(classes: Sequence[Class], good: AbstractSet[int], was: Json) -> list[int]:
    """Choose good classes (their places) that can be said in a few words: of the kind that the value `was`, if any."""
    if not good:
        return []
    mine = _kind_of(was)
    wanted = mine if any(classes[at].kind == mine for at in good) else classes[min(good)].kind
    of_kind = [at for at, each in enumerate(classes) if each.kind == wanted]
    fit = [at for at in of_kind if at in good]
    others = [at for at in of_kind if at not in good]
    if not others:
        return []  # whatever it is: then it is not this name that stands in the way
    if all(classes[at].is_point for at in fit):
        return fit[:_MOST_NAMED]
    if all(classes[at].is_point for at in others):
        return fit if len(others) <= _MOST_NAMED else []
    home = next((at for at in of_kind if _holds(classes[at], was)), of_kind[0])
    return min(_runs(fit), key=lambda run: min(abs(at - home) for at in run))


def _kind_of(value: Json) -> Kind | None:
    match value:
        case bool():
            return "truth"
        case Decimal():
            return "number"
        case str():
            return "text"
    return None


def _holds(one: Class, value: Json) -> bool:
    """Whether a value of the same kind lies between a class's bounds."""
    if _kind_of(value) != one.kind:
        return False
    above = one.low is None or (one.low < value if one.open_low else one.low <= value)  # type: ignore[operator]
    return above and (one.high is None or (value < one.high if one.open_high else value <= one.high))  # type: ignore[operator]


def _runs(places: Sequence[int]) -> list[list[int]]:
    """Put neighbours together."""
    runs: list[list[int]] = []
    for at in places:
        if runs and runs[-1][-1] == at - 1:
            runs[-1].append(at)
        else:
            runs.append([at])
    return runs
