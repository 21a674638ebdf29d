"""In which ways a policy asks people or lets one start something, and whether enough can answer. It judges no proposal.

What it says about amounts is only what the conditions themselves bound; where it cannot tell, it gives the condition.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations
from typing import Final, NamedTuple

from approval_rules.people import PersonId, RoleName, ToolName
from approval_rules.policy import Policy, PolicyFolder, Rule
from approval_rules.ranges import ANY, Range
from approval_rules.requirement import Initiation, Seat
from approval_rules.verdicts import Allow, Ask, Block, asked_by
from approval_rules.versions import CHANGE_TOOL, POLICY_ADMIN

OTHERWISE: Final = "a value is missing or unusable, or no rule matches"


class Band(NamedTuple):
    """The values of one number under which a rule decides; `missing` where it may also decide without the number."""

    name: str
    ranges: tuple[Range, ...]
    missing: bool


@dataclass(frozen=True, slots=True)
class Way:
    """One way in which a tool asks people: by a rule, or, with `rule` None, the strictest people of its file.

    `bands` bound numbers; `condition` is what else must hold, empty where the bands say all. In shadow people are asked
    and nothing is ever executed. With `starts` it is blocked, and somebody of that role may start it; then `ask` is for
    everybody but that person.
    """

    tool: ToolName
    rule: int | None
    bands: tuple[Band, ...]
    condition: str
    ask: Ask
    shadow: bool = False
    starts: Initiation | None = None

    @property
    def when(self) -> str:
        """When people are asked this way, in words."""
        if self.rule is None:
            return OTHERWISE if self.tool != CHANGE_TOOL else "always"
        parts = [*map(_band_words, self.bands), *([self.condition] if self.condition else [])]
        return " and ".join(parts) or "always"

    @property
    def roles(self) -> frozenset[RoleName]:
        """Whoever has one of these roles can approve, the backup from half of the time on."""
        asked = frozenset(seat.role for seat in self.ask.seats)
        return asked if self.ask.backup is None else asked | {self.ask.backup}


def ways_of(folder: PolicyFolder) -> tuple[Way, ...]:
    """Give every way in which people are asked, by tool; changes of the policy itself last."""
    found = [way for tool in sorted(folder.policies) for way in sorted(_ways(folder.policies[tool]), key=_place)]
    if POLICY_ADMIN in folder.roles:
        found.append(Way(CHANGE_TOOL, None, (), "", Ask((Seat(POLICY_ADMIN, 2),))))
    return tuple(found)


def _place(way: Way) -> tuple[bool, int]:
    return way.rule is None, way.rule or 0


def _ways(policy: Policy) -> Iterator[Way]:
    yield from _started(policy)
    if any(isinstance(rule.verdict, Block) and rule.condition is None for rule in policy.rules):
        return
    for rule in policy.rules:
        ask = asked_by(rule.verdict)
        if ask is None and policy.shadow and not isinstance(rule.verdict, Block):
            ask = policy.strictest
        before = [each for each in policy.rules if each.index < rule.index or isinstance(each.verdict, Block)]
        bands = None if ask is None else _bands(policy, rule, before)
        if ask is not None and bands is not None:
            yield Way(policy.tool, rule.index, bands, _rest(rule), ask, policy.shadow)
        if rule.condition is None:
            break
    strictest = policy.strictest
    if strictest is not None and _can_be_in_doubt(policy):
        yield Way(policy.tool, None, (), "", strictest, policy.shadow)


def _started(policy: Policy) -> Iterator[Way]:
    """Give the blocks that a person may start: where other blocks match too, all of them must say the same."""
    blocks = [(rule, rule.verdict) for rule in policy.rules if isinstance(rule.verdict, Block)]
    for rule, block in () if policy.shadow else blocks:
        others = [other for other, theirs in blocks if theirs.starters != block.starters]
        if block.initiation is None or block.then is None or any(other.condition is None for other in others):
            continue
        bands = _bands(policy, rule, others)
        if bands is not None:
            yield Way(policy.tool, rule.index, bands, _rest(rule), block.then, starts=block.initiation)


def _can_be_in_doubt(policy: Policy) -> bool:
    """Tell whether a rule that could have changed the verdict may be undecided, or no rule match at all."""
    always = next((rule.index for rule in policy.rules if rule.condition is None), len(policy.rules) + 1)
    return any(
        rule.condition is not None and (rule.index < always or isinstance(rule.verdict, Block)) for rule in policy.rules
    )


def _rest(rule: Rule) -> str:
    """Give what the bands do not say."""
    return "" if rule.condition is None or rule.condition.only_ranges else rule.condition_text


def _bands(policy: Policy, rule: Rule, before: Sequence[Rule]) -> tuple[Band, ...] | None:
    """Bound each number by the rule, without what those `before` it take away; None where nothing is left."""
    own = {} if rule.condition is None else dict(rule.condition.ranges)
    taken: dict[str, list[Range]] = {}
    # Without the number only an allow can be passed over: of anything else the strictest people are asked.
    passed: dict[str, bool] = {}
    for other in before:
        condition = other.condition
        if condition is not None and condition.only_ranges and len(condition.ranges) == 1:
            [(name, span)] = condition.ranges.items()
            taken.setdefault(name, []).append(span)
            passed[name] = passed.get(name, name not in own) and other.verdict == Allow()
    bands = [
        Band(name, _left(own.get(name, ANY), taken.get(name, ())), passed.get(name, False))
        for name in sorted(own.keys() | taken.keys())
    ]
    if any(not band.ranges and not band.missing for band in bands):
        return None
    # What the condition itself says in full is not said twice.
    bands = [band for band in bands if band.name in taken or not _rest(rule)]
    shown = {counter.name: counter.written for counter in policy.counters}
    return tuple(band._replace(name=shown.get(band.name, band.name)) for band in bands)


def _left(span: Range, taken: Sequence[Range]) -> tuple[Range, ...]:
    left = [span]
    for away in taken:
        left = [piece for each in left for piece in _without(each, away)]
    return tuple(each for each in left if not each.empty)


def _without(span: Range, away: Range) -> Iterator[Range]:
    """Give what of a range lies outside of another."""
    if span.both(away).empty:
        yield span
        return
    if away.low is not None:
        yield span.both(Range(high=away.low, open_high=not away.open_low))
    if away.high is not None:
        yield span.both(Range(low=away.high, open_low=not away.open_high))


def _band_words(band: Band) -> str:
    told = " or ".join(map(_range_words, band.ranges))
    if not band.missing:
        return f"{band.name} {told}"
    return f"{band.name} {told}, or not given" if told else f"{band.name} not given"


def _range_words(span: Range) -> str:
    """Say a range: `above 50 up to 500`."""
    if span.low is not None and span.low == span.high:
        return f"exactly {_number(span.low)}"
    low = "" if span.low is None else f"{'above' if span.open_low else 'from'} {_number(span.low)}"
    high = "" if span.high is None else f"{'below' if span.open_high else 'up to'} {_number(span.high)}"
    return " ".join(filter(None, (low, high))) or "of any size"


def _number(number: Decimal) -> str:
    return f"{number:f}"


# --- whether enough people can answer


def spare(seats: Sequence[Seat], able: Mapping[RoleName, frozenset[PersonId]]) -> int:
    """Count how many people could be missing, whoever they are, until the seats cannot be filled (Hall's theorem).

    Below zero: so many are missing already. A person fills one seat only. No seats: nobody can approve.
    """
    wanted: dict[RoleName, int] = {}
    for seat in seats:
        wanted[seat.role] = wanted.get(seat.role, 0) + seat.count
    return min(
        (
            len(frozenset[PersonId]().union(*(able.get(role, frozenset()) for role in some)))
            - sum(wanted[role] for role in some)
            for size in range(1, len(wanted) + 1)
            for some in combinations(wanted, size)
        ),
        default=-1,
    )
