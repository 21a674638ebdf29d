"""Asks another policy about what was decided before, and says what would be different. Stores and decides nothing."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

from approval_rules.people import ToolName
from approval_rules.policy import PolicyFolder
from approval_rules.text import Json
from approval_rules.versions import SERVER
from bot.policy_cases import Expectation, Outcome, read_file
from bot.replay.judging import (
    Ruling,
    can_be_judged,
    expected_words,
    fewer_people,
    got_words,
    hidden_by,
    judge,
    judge_again,
    recorded,
    same_people,
)
from bot.replay.recorded import amount_in, amount_of, corrected_case
from bot.replay.recounting import known_log
from bot.store.past import Past, around_at, corrected_since, one_view
from handlers.counting import counted

Direction: TypeAlias = Literal["loosened", "tightened", "changed"]
DIRECTIONS: tuple[Direction, ...] = ("loosened", "changed", "tightened")
_STRICTNESS: Mapping[Outcome, int] = {"allowed": 0, "asked": 1, "blocked": 2, "refused": 2}
_WIDTH = 9


class Change(NamedTuple):
    """One case that would come out differently."""

    direction: Direction
    name: str
    tool: str
    amount: str
    before: str
    after: str
    because: str
    move: tuple[Outcome, Outcome]

    def document(self) -> dict[str, str]:
        """Tell it to a program."""
        return {name: value for name, value in self._asdict().items() if name != "move"}

    @property
    def told(self) -> str:
        """The change on one line; what agents sent is in it as they sent it."""
        what = "  ".join(filter(None, (self.name, self.tool, self.amount)))
        return f"{self.direction.upper():{_WIDTH}}  {what}  {self.before} -> {self.after}"


@dataclass(slots=True)
class Replayed:
    """What a replay came to so far; `cut` where it was told to stop before the end."""

    version: str
    cases: int = 0
    erased: int = 0
    cut: bool = False
    matrix: Counter[tuple[Outcome, Outcome]] = field(default_factory=Counter)
    changes: list[Change] = field(default_factory=list)

    def add(self, name: str, tool: str, amount: str, before: Expectation, after: Ruling) -> None:
        """Count one case, and keep it where it changed."""
        self.cases += 1
        self.matrix[before.outcome, after.outcome] += 1
        direction = direction_of(before, after)
        if direction is not None:
            told = expected_words(before), got_words(after), after.because
            self.changes.append(Change(direction, name, tool, amount, *told, (before.outcome, after.outcome)))

    def count(self, direction: Direction) -> int:
        """Count the changes of one direction."""
        return sum(change.direction == direction for change in self.changes)

    def sorted(self) -> list[Change]:
        """Give the changes, what was loosened first."""
        return sorted(self.changes, key=lambda change: DIRECTIONS.index(change.direction))

    @property
    def outcomes(self) -> list[Outcome]:
        """The matrix' rows and columns; `refused` only where it occurs."""
        met = {outcome for pair in self.matrix for outcome in pair}
        return [outcome for outcome in _STRICTNESS if outcome != "refused" or outcome in met]

    def lines(self) -> Iterator[str]:
        """Tell it to a person."""
        names = self.outcomes
        yield "before \\ after" + "".join(f"{name:>{_WIDTH}}" for name in names)
        for before in names:
            row = "".join(f"{self.matrix[before, after]:>{_WIDTH}}" for after in names)
            yield f"{before:14}{row}"
        yield from (change.told for change in self.sorted())
        same = self.cases - len(self.changes)
        told = ", ".join(f"{self.count(one)} {'otherwise changed' if one == 'changed' else one}" for one in DIRECTIONS)
        yield f"{counted(self.cases, 'case')}: {same} the same, {told}."
        if self.erased:
            yield f"{counted(self.erased, 'proposal')} skipped: what the rules need of it has been erased."

    def document(self) -> dict[str, Any]:
        """Tell it to a program."""
        names = self.outcomes
        return {
            "version": self.version,
            "cases": self.cases,
            "skipped_as_erased": self.erased,
            "matrix": {before: {after: self.matrix[before, after] for after in names} for before in names},
            **{direction: self.count(direction) for direction in DIRECTIONS},
            "changes": [change.document() for change in self.sorted()],
        }


def never(_: Replayed) -> bool:
    """Let a replay go on to its end."""
    return False


def replay_log(
    folder: PolicyFolder,
    connection: sqlite3.Connection,
    since: datetime,
    enough: Callable[[Replayed], bool] = never,
) -> Replayed:
    """Ask about every proposal that was taken in since then, as it was then, until there is `enough`.

    A change of the policy itself is nothing that a policy judges.
    """
    replayed = Replayed(folder.version)
    with one_view(connection):
        for past, known in known_log(folder, connection, since):
            if enough(replayed):
                replayed.cut = True
                break
            if past.submitted.tool not in SERVER.tools:
                _again(folder, past, known, replayed)
    return replayed


def _again(folder: PolicyFolder, past: Past, before: Mapping[str, Json], replayed: Replayed) -> None:
    if not can_be_judged(folder, past, before):
        replayed.erased += 1
        return
    then = past.submitted
    after = judge_again(folder, then, before)
    amount = amount_of(then, hidden_by(folder, then.tool, then.requirement.hidden))
    replayed.add(then.proposal, then.tool, amount, recorded(then.requirement), after)


def replay_file(folder: PolicyFolder, path: Path) -> Replayed:
    """Ask about every case of a file; what it expects is what was before. Raises CaseFaultsError and OSError."""
    replayed = Replayed(folder.version)
    for case in read_file(path, folder.policies):
        arguments = case.body["arguments"]
        shown: Mapping[str, Json] = arguments if isinstance(arguments, Mapping) else {}
        amount = amount_in(shown, hidden_by(folder, ToolName(case.tool)))
        replayed.add(case.name, case.tool, amount, case.expect, judge(folder, case))
    return replayed


def corrected_lines(folder: PolicyFolder, connection: sqlite3.Connection, since: datetime) -> Iterator[str | None]:
    """Write what people denied or lowered since then as lines of cases; None for each that has been erased.

    A change of the policy is no case: no rule says anything about it.
    """
    with one_view(connection):
        for (then, erased, _), reason, kinds in corrected_since(connection, since):
            if then.tool in SERVER.tools:
                continue
            hidden = hidden_by(folder, then.tool, then.requirement.hidden)
            around = around_at(connection, then.at)
            yield None if erased else corrected_case(then, reason, hidden, around, kinds)


def direction_of(before: Expectation, after: Ruling) -> Direction | None:
    """Say which way a case changed; None where it did not. Whoever is not asked any more makes it looser."""
    step = _STRICTNESS[after.outcome] - _STRICTNESS[before.outcome]
    if step:
        return "loosened" if step < 0 else "tightened"
    if before.outcome != after.outcome:
        return "changed"
    if same_people(before, after):
        return None
    return "loosened" if fewer_people(before, after) else "tightened"
