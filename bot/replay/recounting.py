"""Gives a policy's counters as they stood when a recorded proposal came in, while the log is read in its order.

It must come to what `bot.store.tally` came to then; a test holds the two side by side.
"""

import sqlite3
from collections import Counter as Tally
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from approval_rules.counters import Counter
from approval_rules.events import Submitted
from approval_rules.names import recalled
from approval_rules.people import ProposalId, ToolName
from approval_rules.policy import PolicyFolder
from approval_rules.text import Json
from bot.store.past import Changed, Lowered, Past, around_at, comings_and_goings
from bot.store.tally import WIDE, Told, group_of, reader, value_of


class _Share(NamedTuple):
    """What one proposal adds to a counter: `group` and `value` are None where it cannot tell."""

    at: datetime
    group: Json
    value: Decimal | None
    spoils: bool


class _Running:
    """One counter over the proposals that stand within its window."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._standing: dict[ProposalId, _Share] = {}
        self._totals: defaultdict[Json, Decimal] = defaultdict(Decimal)
        self._untold: Tally[Json] = Tally()
        self._spoilt = 0

    @property
    def name(self) -> str:
        """What a condition reads."""
        return self._counter.name

    def value(self, then: Submitted) -> Decimal | None:
        """Give the counter as it stood before this proposal; None where it cannot be told."""
        begin = then.at - self._counter.window
        while self._standing:
            proposal, oldest = next(iter(self._standing.items()))
            if oldest.at > begin:
                break
            self.end(proposal)
        group = group_of(self._counter, _told(Past(then, erased=False)))
        if group is None or self._spoilt or self._untold[group]:
            return None
        return self._totals[group]

    def add(self, past: Past) -> None:
        """Let a proposal count from now on."""
        told = _told(past)
        group, value = group_of(self._counter, told), value_of(self._counter, told)
        share = _Share(past.submitted.at, group, value, past.erased and _is_lost(self._counter))
        self._standing[past.submitted.proposal] = share
        self._move(share, 1)

    def lower(self, past: Past) -> None:
        """Let a proposal that stands count as what a person made of it; it keeps its time."""
        if past.submitted.proposal in self._standing:
            self._move(self._standing[past.submitted.proposal], -1)
            self.add(past)

    def end(self, proposal: ProposalId) -> None:
        """Let a proposal count no more: it was turned down, or is too long ago."""
        share = self._standing.pop(proposal, None)
        if share is not None:
            self._move(share, -1)

    def _move(self, share: _Share, sign: int) -> None:
        if share.spoils:
            self._spoilt += sign
        elif share.group is not None and share.value is None:
            self._untold[share.group] += sign
        elif share.group is not None and share.value is not None:
            self._totals[share.group] = WIDE.add(self._totals[share.group], sign * share.value)


class Recount:
    """Every counter of a policy folder, one proposal after the other."""

    def __init__(self, folder: PolicyFolder) -> None:
        counted = {tool: policy.counters for tool, policy in folder.policies.items() if policy.counters}
        self._running = {tool: [_Running(counter) for counter in counters] for tool, counters in counted.items()}
        self._tools: dict[ProposalId, ToolName] = {}
        windows = [counter.window for counters in counted.values() for counter in counters]
        self.furthest = max(windows, default=timedelta())

    def before(self, then: Submitted) -> Mapping[str, Json]:
        """Give the counters of this proposal's tool by name; one that cannot be told is None.

        What the decision itself counted was recorded with it; what it did not count is counted now.
        """
        recorded = recalled(then.known)
        running = self._running.get(then.tool, ())
        return {one.name: recorded[one.name] if one.name in recorded else one.value(then) for one in running}

    def add(self, past: Past) -> None:
        """Let a proposal count for those that come after it."""
        if past.submitted.tool in self._running:
            self._tools[past.submitted.proposal] = past.submitted.tool
            for running in self._running[past.submitted.tool]:
                running.add(past)

    def lower(self, past: Past) -> None:
        """Let a proposal count as what a person made of it."""
        for running in self._running.get(past.submitted.tool, ()):
            running.lower(past)

    def end(self, proposal: ProposalId) -> None:
        """Let a proposal that was denied, blocked, cancelled or revoked, or that expired, count no more."""
        for running in self._running.get(self._tools.pop(proposal, ToolName("")), ()):
            running.end(proposal)


def _is_lost(counter: Counter) -> bool:
    """Tell whether a counter needs what has been erased: then nobody knows for whom it would have counted."""
    return counter.field is not None or counter.by not in (None, "agent")


def _told(past: Past) -> Told:
    submitted = past.submitted
    look = None if past.erased else reader(submitted.arguments, submitted.context, submitted.looked_up)
    return Told(submitted.agent.id, look)


def known_log(
    folder: PolicyFolder, connection: sqlite3.Connection, since: datetime
) -> Iterator[tuple[Past, Mapping[str, Json]]]:
    """Give every proposal taken in since then, with what the server told the rules; nothing for an erased one."""
    counters = Recount(folder)
    begin = since - counters.furthest
    around = dict(around_at(connection, begin))
    for one in comings_and_goings(connection, begin):
        match one:
            case Changed():
                around[one.name] = one.value
            case Past():
                if one.submitted.at >= since:
                    gone = one.erased and not one.record
                    recorded = {} if gone else recalled(one.submitted.known)
                    yield one, {} if gone else {**around, **recorded, **counters.before(one.submitted)}
                counters.add(one)
            case Lowered():
                counters.lower(one.past)
            case _:
                counters.end(one)


def known_then(folder: PolicyFolder, connection: sqlite3.Connection, then: Submitted) -> Mapping[str, Json]:
    """Give what the server told the rules when one proposal came in; worked out only where it was not recorded."""
    policy = folder.policies.get(then.tool)
    recorded = recalled(then.known)
    if policy is None or all(name in recorded for name in policy.told):
        return recorded
    found = known_log(folder, connection, then.at)
    return next((known for past, known in found if past.submitted.proposal == then.proposal), recorded)
