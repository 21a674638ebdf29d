"""What a run and an agent may use up within 24 hours, and when a run goes in circles. Reads no clock and no log.

What a run used is the most that the agent said about it: an agent that says less later gets nothing back. It is the
agent's own word; counters over the proposals themselves (`approval_rules.counters`) are what money needs.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import ROUND_CEILING, Context, Decimal
from typing import Final, Literal, TypeAlias

from approval_rules.people import ToolName
from approval_rules.state import Status
from approval_rules.text import AgentJson, AgentText, Json, unwrap_object

DAY: Final = timedelta(hours=24)
REPEATS: Final = 5
"""How often is a loop where no file says it."""
MOST_TOLD: Final = 20
"""How many runs of one agent people are told of within 24 hours: one that invents runs must not drown them."""
NO_REJECTION: Final = frozenset({"agent-revoked", "budget-exceeded", "paused"})
"""Refusals that are no mistake of the agent's, or that a budget must not count as its own use."""
FIGURES: Final[Mapping[str, str]] = {
    "tool_calls": "tool_calls",
    "tokens": "tokens",
    "elapsed": "elapsed_s",
    "cost_usd": "cost_usd",
}
"""Each budget on what the agent says, with the field of `run` that says it."""
COUNTS: Final = ("proposals", "rejected")

Scope: TypeAlias = Literal["run", "day"]
Limits: TypeAlias = Mapping[str, Decimal]
_SCOPES: Final[Mapping[Scope, str]] = {"day": "per_agent_and_day", "run": "per_run"}
_SIX_DECIMALS: Final = Decimal("0.000001")
# Wide enough for the exact sum of any numbers that a double carries.
_WIDE: Final = Context(prec=1000)
_YES: Final = frozenset({Status.APPROVED})
_NO_NO: Final = frozenset({Status.APPROVED, Status.PENDING, Status.CANCELLED})
_NOUGHT: Final = Decimal(0)
_NOTHING: Final = (_NOUGHT,) * len(FIGURES)


@dataclass(frozen=True, slots=True, eq=False)
class Budgets:
    """Limits by name, those of FIGURES and of COUNTS; `repeats` is how often the same is a loop, None where unsaid."""

    per_run: Limits = field(default_factory=dict)
    per_day: Limits = field(default_factory=dict)
    repeats: int | None = None

    @property
    def limited(self) -> bool:
        """Whether anything must be counted for it."""
        return bool(self.per_run or self.per_day)

    def of(self, scope: Scope) -> Limits:
        """Give the limits of one scope."""
        return self.per_run if scope == "run" else self.per_day


Placed: TypeAlias = Sequence[tuple[ToolName | None, Budgets]]
"""Budgets with the tool in whose file they stand; None for the folder's own file."""


@dataclass(frozen=True, slots=True)
class Said:
    """What an agent said about its run: its id where it named one, and the FIGURES in order, 0 for one left out."""

    run: AgentText | None = None
    figures: tuple[Decimal, ...] = _NOTHING


@dataclass(frozen=True, slots=True)
class Attempt:
    """One proposal of the last 24 hours. `status` is None where it was turned away, `stopped` where by a budget."""

    tool: ToolName | None
    said: Said
    status: Status | None
    stopped: bool = False

    @property
    def rejected(self) -> bool:
        """Whether people or policy said no, or it was turned away for a mistake."""
        return self.status in {None, Status.DENIED, Status.BLOCKED} and not self.stopped


@dataclass(frozen=True, slots=True)
class Stopped:
    """An earlier stop that was recorded: the budget's name, and what the agent had said."""

    budget: str
    said: Said


@dataclass(frozen=True, slots=True)
class Usage:
    """What was used: figures with the present proposal's own, counts without it."""

    figures: Mapping[tuple[Scope, str], Decimal]
    counts: Mapping[tuple[Scope, str, ToolName | None], int]

    def of(self, scope: Scope, name: str, tool: ToolName | None) -> Decimal:
        """Give what was used of one budget; a tool's file counts that tool's proposals, and the whole run's figures."""
        return self.figures[scope, name] if name in FIGURES else Decimal(self.counts.get((scope, name, tool), 0))


@dataclass(frozen=True, slots=True)
class Exceeded:
    """A budget that is used up. `tool` is the one whose file says so, `pointer` the field that shows it (RFC 6901)."""

    budget: str
    scope: Scope
    tool: ToolName | None
    used: Decimal
    limit: Decimal
    pointer: str

    @property
    def file(self) -> str:
        """The file that sets the limit."""
        return "budgets.yml" if self.tool is None else f"{self.tool}.yml"

    @property
    def measure(self) -> str:
        """Used of limit, in short."""
        unit = " s" if self.budget.endswith(".elapsed") else ""
        return f"{amount(self.used)} of {amount(self.limit)}{unit}"


def said_in(run: AgentJson) -> Said:
    """Read what an agent said about its run."""
    told = unwrap_object(run)
    ident = told.get("id")
    figures = tuple(_number(told.get(name)) for name in FIGURES.values())
    return Said(AgentText(ident) if isinstance(ident, str) else None, figures)


def _number(value: Json) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return _NOUGHT
    number = Decimal(value)
    return max(number, _NOUGHT) if number.is_finite() else _NOUGHT


def usage_of(attempts: Iterable[Attempt], now: Said) -> Usage:
    """Count what an agent used within 24 hours, in all and in the run of `now`. Whoever names no run is a run alone."""
    most: dict[AgentText | int, tuple[Decimal, ...]] = {}
    kinds: Counter[tuple[ToolName | None, Status | None, bool, bool]] = Counter()
    for place, attempt in enumerate(attempts, start=1):
        run: AgentText | int = place if attempt.said.run is None else attempt.said.run
        before = most.get(run)
        most[run] = attempt.said.figures if before is None else _larger(before, attempt.said.figures)
        kinds[attempt.tool, attempt.status, attempt.stopped, run == now.run] += 1
    counts: Counter[tuple[Scope, str, ToolName | None]] = Counter()
    for (tool, status, stopped, in_run), number in kinds.items():
        alike = Attempt(tool, now, status, stopped)
        names = [name for name, it_is in zip(COUNTS, (status is not None, alike.rejected), strict=True) if it_is]
        scopes: Sequence[Scope] = ("run", "day") if in_run else ("day",)
        for scope in scopes:
            counts.update({(scope, name, whose): number for name in names for whose in (None, tool)})
    mine: AgentText | int = 0 if now.run is None else now.run
    most[mine] = _larger(most.get(mine, _NOTHING), now.figures)
    figures: dict[tuple[Scope, str], Decimal] = {}
    for place, name in enumerate(FIGURES):
        figures["run", name] = most[mine][place]
        figures["day", name] = _sum(said[place] for said in most.values())
    return Usage(figures, counts)


def _larger(one: tuple[Decimal, ...], other: tuple[Decimal, ...]) -> tuple[Decimal, ...]:
    return one if one == other else tuple(map(max, one, other))


def _sum(values: Iterable[Decimal]) -> Decimal:
    total = Decimal(0)
    for value in values:
        total = _WIDE.add(total, value)
    return total


def over(budgets: Placed, usage: Usage) -> Exceeded | None:
    """Name the first budget that one more proposal would be over; the day's come first, for a new run helps not."""
    for scope, prefix in _SCOPES.items():
        for tool, each in budgets:
            for name, limit in each.of(scope).items():
                used = usage.of(scope, name, tool)
                used = used + 1 if name == "proposals" else used
                # Nobody knows what the next will come to: at the last allowed rejection the tries are used up.
                if used > limit or (name == "rejected" and used == limit):
                    return Exceeded(f"{prefix}.{name}", scope, tool, used, limit, _pointer(scope, name))
    return None


def _pointer(scope: Scope, name: str) -> str:
    if name in FIGURES:
        return f"/run/{FIGURES[name]}"
    return "/run/id" if scope == "run" else ""


def repeats_of(budgets: Placed) -> tuple[int, ToolName | None] | None:
    """Give how often the same is a loop, and the tool whose file says so: the strictest; None where no file says it."""
    said = [(each.repeats, tool) for tool, each in budgets if each.repeats is not None]
    return min(said, key=lambda one: one[0], default=None)


def looping(
    budgets: Placed, now: Said, same_action: Iterable[Attempt], same_breach: Iterable[Attempt]
) -> Exceeded | None:
    """Tell whether a proposal goes in circles: the same contract error, or the same action that never came to a yes.

    Those of the same run count. Where no file says how often is a loop, only a run that has a name is watched, and only
    what came to a no counts. Where one does, those that name no run are one, and what waits or was cancelled counts.
    """
    said = repeats_of(budgets)
    if said is None and now.run is None:
        return None
    limit, tool = said or (REPEATS, None)
    harmless = _YES if said else _NO_NO
    for name, earlier in (("repeated_contract_error", same_breach), ("repeated_action", same_action)):
        vain = sum(each.said.run == now.run and each.status not in harmless for each in earlier)
        if vain + 1 >= limit:
            return Exceeded(name, "run", tool, Decimal(vain + 1), Decimal(limit), "/arguments")
    return None


def first_time(earlier: Sequence[Stopped], exceeded: Exceeded, now: Said) -> bool:
    """Tell whether this run, or for the day's budgets this agent, was not stopped before."""
    days = _SCOPES["day"]
    if exceeded.scope == "day":
        return not any(each.budget.startswith(days) for each in earlier)
    return not any(each.said.run == now.run and not each.budget.startswith(days) for each in earlier)


def in_words(exceeded: Exceeded) -> str:
    """Tell an agent's developer which budget is used up, and what to do."""
    what = f"{exceeded.budget} of {exceeded.file} is used up: {exceeded.measure}"
    match exceeded.budget:
        case "repeated_action":
            what = f"{exceeded.budget}: {amount(exceeded.used)} times, and never came to a yes"
        case "repeated_contract_error":
            what = f"{exceeded.budget}: {amount(exceeded.used)} times"
    if exceeded.scope == "day":
        return f"{what} within 24 hours; stop, and hand over to a person"
    return f"{what}; stop this run and hand over to a person"


def amount(value: Decimal) -> str:
    """Write a figure with at most six decimals, rounded up: what is over a limit never looks as if it were not."""
    if value == value.to_integral_value():
        return f"{value.to_integral_value():f}"
    return f"{value.quantize(_SIX_DECIMALS, ROUND_CEILING, _WIDE):f}".rstrip("0")
