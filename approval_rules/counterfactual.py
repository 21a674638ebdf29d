"""Finds the rule that came nearest to allowing an action, and what would have to be otherwise. It never guesses.

What it claims was tried: a name's values fall into few classes between the points where any rule's answer can turn, and
one value of each class was judged, with every rule, every block and every other name as they were. Where the rules
read a name in a way that cannot be tried like that, it claims nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import product
from math import prod
from typing import Final, Literal, NamedTuple

from approval_rules.anatomy import Anatomy, Clause, Read, anatomy_of, put
from approval_rules.conditions import Names, Undetermined
from approval_rules.names import RESERVED, TOUCHES
from approval_rules.policy import Outcome, Policy, Rule, verdict_of
from approval_rules.text import AgentJson, Json
from approval_rules.value_classes import Class, chosen_of, classes_of
from approval_rules.verdicts import Allow, Block

_MOST_TRIED: Final = 64
_MOST_CANDIDATES: Final = 4
_LOWEST_PLACE: Final = Decimal(0)
# Fields of the clock that move together: one of them cannot be changed alone.
_CLOCK: Final = "now"


@dataclass(frozen=True, slots=True)
class Want:
    """What a name would have to be: one of `among`, none of `none_of`, or between `low` and `high` (None: no bound).

    `of` is the dotted field whose hiding covers `was`; `rests_on` are the fields that the bounds were worked out from.
    """

    name: str
    of: str
    was: AgentJson | None
    among: tuple[AgentJson, ...] = ()
    none_of: tuple[AgentJson, ...] = ()
    low: AgentJson | None = None
    high: AgentJson | None = None
    open_low: bool = False
    open_high: bool = False
    rests_on: tuple[str, ...] = ()


class Obstacle(NamedTuple):
    """A rule that stands in the way whatever the nearest rule says."""

    rule: int
    how: Literal["blocks", "asks", "cannot be decided"]


@dataclass(frozen=True, slots=True)
class Nearest:
    """The rule that came nearest to allowing.

    `lacks` names the parts of its condition that did not hold. With `wants` it is true that this action would have been
    allowed, or come under the rule's share, if they all held. Without, `obstacles` are in its way, or nothing is known.
    """

    rule: int
    share: Decimal | None
    lacks: tuple[str, ...]
    wants: tuple[Want, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()


@dataclass(frozen=True, slots=True)
class Scene:
    """A decision as it was: the names that the rules read, and of each rule which parts of its condition held."""

    policy: Policy
    names: Names
    anatomies: tuple[Anatomy, ...]
    held: tuple[tuple[Outcome, ...], ...]


def scene_of(policy: Policy, names: Names) -> Scene:
    """Look at every part of every rule."""
    anatomies = tuple(anatomy_of(rule.condition) for rule in policy.rules)
    held = tuple(tuple(clause.holds(names) for clause in anatomy.clauses) for anatomy in anatomies)
    return Scene(policy, names, anatomies, held)


def nearest_allow(scene: Scene) -> Nearest | None:
    """Name the allowing rule that came nearest, the fewest failed parts first; None where the file allows nothing."""
    candidates = [
        (rule, [clause for clause, holds in zip(anatomy.clauses, held, strict=True) if holds is not True])
        for rule, anatomy, held in zip(scene.policy.rules, scene.anatomies, scene.held, strict=True)
        if isinstance(rule.verdict, Allow)
    ]
    candidates.sort(key=lambda each: len(each[1]))
    for rule, failed in candidates[:_MOST_CANDIDATES]:
        wants = _wants(scene, rule, _changed(failed))
        if wants:
            return Nearest(rule.index, _share(rule), _texts(failed), wants)
    if not candidates:
        return None
    rule, failed = candidates[0]
    return Nearest(rule.index, _share(rule), _texts(failed), (), tuple(_obstacles(scene, rule)))


def _texts(clauses: Iterable[Clause]) -> tuple[str, ...]:
    return tuple(clause.text for clause in clauses)


def _share(rule: Rule) -> Decimal | None:
    return rule.verdict.share if isinstance(rule.verdict, Allow) else None


def _obstacles(scene: Scene, target: Rule) -> Iterator[Obstacle]:
    for rule, held in zip(scene.policy.rules, scene.held, strict=True):
        outcome = _first_no(held)
        if rule is target or outcome is False:
            continue
        if isinstance(rule.verdict, Block) or rule.index < target.index:
            matched: Literal["blocks", "asks"] = "blocks" if isinstance(rule.verdict, Block) else "asks"
            yield Obstacle(rule.index, matched if outcome is True else "cannot be decided")


def _first_no(held: Iterable[Outcome]) -> Outcome:
    """Put the parts of an `and` together: what does not hold first, or cannot be decided, is its answer."""
    return next((each for each in held if each is not True), True)


# --- trying one value of each class


def _wants(scene: Scene, target: Rule, changed: Sequence[Read]) -> tuple[Want, ...]:
    """Say what these names would have to be; empty where nothing true can be said."""
    if not changed or not all(_stands_alone(read, changed, scene) for read in changed):
        return ()
    told = [classes_of(read, scene.names, scene.anatomies) for read in changed]
    if not 0 < prod(len(each) for each in told) <= _MOST_TRIED:
        return ()
    judge = _Judge(scene, changed, target)
    places = [range(len(each)) for each in told]
    allowed = {at for at in product(*places) if judge.allows([each[i].value for each, i in zip(told, at, strict=True)])}
    was = [_value(read, scene.names) for read in changed]
    chosen = [chosen_of(classes, {at[place] for at in allowed}, was[place]) for place, classes in enumerate(told)]
    if not all(chosen) or not set(product(*chosen)) <= allowed:
        return ()
    fields = {read.label: read.of for anatomy in scene.anatomies for read in anatomy.reads if read.of}
    return tuple(
        _want(read, classes, at, value, fields)
        for read, classes, at, value in zip(changed, told, chosen, was, strict=True)
    )


def _changed(failed: Sequence[Clause]) -> list[Read]:
    """Give the names that would have to change: where a part counts what went before, that, and not the action."""
    found: dict[str, Read] = {}
    for clause in failed:
        counters = [read for read in clause.reads if read.counter]
        found |= {read.label: read for read in counters or clause.reads}
    return list(found.values())


def _stands_alone(read: Read, changed: Sequence[Read], scene: Scene) -> bool:
    """Tell whether this name can change while all others stay: read in no other way, nothing is counted by it."""
    if any(counter.by == read.path[0] for counter in scene.policy.counters):
        return False
    if read.path[0] not in RESERVED and scene.policy.reserved & TOUCHES.keys():
        return False  # what an action touches depends on what it sends
    labels = {each.label for each in changed}
    for anatomy in scene.anatomies:
        if any(other.label != read.label and _tied(read, other) for other in anatomy.reads):
            return False
        if any(len(labels.intersection(each.label for each in atom.reads)) > 1 for atom in anatomy.atoms):
            return False
    return True


def _tied(one: Read, other: Read) -> bool:
    """Whether two names move together: one holds the other, or both are the clock's."""
    shorter = min(len(one.path), len(other.path))
    return one.path[:shorter] == other.path[:shorter] or one.path[0] == other.path[0] == _CLOCK


class _Judge:
    """Judges changed names; a part of a rule that reads none of them keeps its answer."""

    def __init__(self, scene: Scene, changed: Sequence[Read], target: Rule) -> None:
        labels = {read.label for read in changed}
        self._scene, self._changed, self._target = scene, changed, target
        self._parts = [
            [
                (holds, clause if any(read.label in labels for read in clause.reads) else None)
                for holds, clause in zip(held, anatomy.clauses, strict=True)
            ]
            for held, anatomy in zip(scene.held, scene.anatomies, strict=True)
        ]

    def allows(self, values: Sequence[Json]) -> bool:
        names: Names | None = self._scene.names
        for read, value in zip(self._changed, values, strict=True):
            names = None if names is None else put(names, read, value)
        if names is None:
            return False
        known = names
        outcomes = [
            _first_no(holds if clause is None else clause.holds(known) for holds, clause in parts)
            for parts in self._parts
        ]
        place = None if _share(self._target) is None else _LOWEST_PLACE
        verdict, rule = verdict_of(self._scene.policy, outcomes, place)
        return isinstance(verdict, Allow) and rule is self._target


def _value(read: Read, names: Names) -> Json:
    value = read.value(names)
    return None if isinstance(value, Undetermined) else value


def _want(read: Read, classes: Sequence[Class], at: Sequence[int], was: Json, fields: Mapping[str, str]) -> Want:
    """Put the chosen classes of one name into words' parts."""
    mine = [classes[i] for i in at]
    others = [each for i, each in enumerate(classes) if i not in at and each.kind == mine[0].kind]
    rests_on = {fields[label] for each in (*mine, *others) for label in each.rests_on if label in fields}
    told = Want(read.label, read.of, None if was is None else AgentJson(was), rests_on=tuple(sorted(rests_on)))
    if all(each.is_point for each in mine):
        return replace(told, among=tuple(AgentJson(each.value) for each in mine))
    if others and all(each.is_point for each in others):
        return replace(told, none_of=tuple(AgentJson(each.value) for each in others))
    first, last = mine[0], mine[-1]
    return replace(
        told,
        low=None if first.low is None else AgentJson(first.low),
        high=None if last.high is None else AgentJson(last.high),
        open_low=first.open_low,
        open_high=last.open_high,
    )
