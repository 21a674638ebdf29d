"""What `policy dial` does: says what a share would have meant for what was proposed before. It changes nothing.

Which cases would run by themselves is no estimate: the dial draws from an action's digest, which was recorded.
"""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

import typer

from approval_rules import dial
from approval_rules.events import Decision, Submitted
from approval_rules.nearest import nearest
from approval_rules.people import ToolName
from approval_rules.policy import Policy, PolicyFolder, Rule
from approval_rules.state import Proposal, Status
from approval_rules.verdicts import Allow, Ask, asked_by
from bot.cli.output import printable
from bot.keys import dial_key
from bot.keys import load as load_key
from bot.policy_verdicts import DEFAULT_APPROVALS, share_of
from bot.replay.judging import judge_again
from bot.replay.recounting import known_log
from bot.store.past import folded, one_view
from handlers.counting import counted
from handlers.slack.sentence import money_at_stake
from handlers.slack.text import fields_of_action, words
from handlers.slack.values import Money

_ALL: Final = Decimal(100)
_MINUTE: Final = timedelta(minutes=1)


class Denied(NamedTuple):
    """A proposal that people denied and that would have run by itself."""

    proposal: str
    amount: str
    reason: str


@dataclass(slots=True)
class Dialled:
    """What a share would have meant so far. `amounts` are sums by their currency."""

    tool: ToolName
    share: Decimal
    rules: Sequence[Rule]
    proposals: int = 0
    erased: int = 0
    eligible: int = 0
    through: int = 0
    denied: list[Denied] = field(default_factory=list)
    ends: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    amounts: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    hidden_amounts: int = 0
    waited: timedelta = timedelta()

    @property
    def minutes(self) -> int:
        """How long people took to decide what would have run by itself."""
        return self.waited // _MINUTE

    def add(self, then: Submitted, now: Proposal) -> None:
        """Count one proposal that would have run by itself."""
        self.through += 1
        hidden = then.requirement.hidden
        amount = money_at_stake(then.arguments, hidden)
        if amount is not None:
            self.amounts[amount.currency] += amount.amount
        elif any(each.is_money for each in fields_of_action(then.arguments, hidden)):
            self.hidden_amounts += 1
        self.ends[_end(now)] += 1
        if now.votes and now.decided_at is not None:
            self.waited += now.decided_at - now.created_at
        if now.status is Status.DENIED:
            reasons = [vote.reason for vote in now.votes if vote.decision is Decision.DENY and vote.reason is not None]
            told = "" if amount is None else amount.words
            self.denied.append(Denied(then.proposal, told, words(reasons[-1]) if reasons else ""))

    # --- for programs

    def document(self) -> dict[str, Any]:
        """Tell it to a program."""
        return {
            "tool": self.tool,
            "share": str(self.share),
            "rules": [rule.index for rule in self.rules],
            "proposals": self.proposals,
            "skipped_as_erased": self.erased,
            "eligible": self.eligible,
            "by_themselves": self.through,
            "denied": [one._asdict() for one in self.denied],
            "ended": dict(self.ends),
            "amounts": {name: str(amount) for name, amount in self.amounts.items()},
            "hidden_amounts": self.hidden_amounts,
            "minutes_of_people": self.minutes,
            "lines": list(self.to_write()),
        }

    # --- for people

    def lines(self) -> Iterator[str]:
        """Tell it to a person, the risk first; nothing in it can reach a terminal raw."""
        yield from map(printable, self._summary())
        yield ""
        yield f"To put it in force, write into {self.tool}.yml (nothing was changed):"
        yield from (printable(line) for line in self.to_write())

    def _summary(self) -> Iterator[str]:
        which = ", ".join(str(rule.index) for rule in self.rules)
        yield f"{self.tool}, {'rule' if len(self.rules) == 1 else 'rules'} {which}, a share of {self.share} %"
        if self.erased:
            yield f"{counted(self.erased, 'proposal')} skipped: what was asked for has been erased."
        judged = self.proposals - self.erased
        if not judged:
            yield "No proposal to look at in this time, so this says nothing about the share."
            return
        yield f"{counted(judged, 'proposal')}, {self.eligible} eligible, {self.through} would have run by themselves."
        if self.denied:
            yield f"DENIED BY PEOPLE: {len(self.denied)} of these {self.through}"
        for one in self.denied:
            yield "  " + "  ".join(filter(None, (one.proposal, one.amount, one.reason or "(no reason kept)")))
        if self.ends:
            yield (
                "What became of them: " + ", ".join(f"{count} {end}" for end, count in sorted(self.ends.items())) + "."
            )
        for name, amount in self.amounts.items():
            yield f"Money among them: {Money(amount, name).words}"
        if self.hidden_amounts:
            yield f"{counted(self.hidden_amounts, 'amount')} among them is not counted: hidden by policy."
        if self.through:
            yield f"People took {counted(self.minutes, 'minute')} to decide them."

    def to_write(self) -> Iterator[str]:
        """Give the rules as they stand in a policy file."""
        for rule in self.rules:
            allow = f"allow: {{share: {self.share} %, else: {_written(_otherwise(rule))}}}"
            if rule.condition is None:
                yield f"    - {allow}"
            else:
                yield f"    - if: {json.dumps(rule.condition_text, ensure_ascii=False)}"
                yield f"      {allow}"


def share_from(text: str) -> Decimal:
    """Read the share that somebody typed: `5%`, `5 %` or `5`."""
    share = share_of(text if text.endswith("%") else f"{text}%")
    if share is None:
        raise typer.BadParameter(f"{text!r} is no share; write a percentage from 0% to 100%, such as 5% or 0.5%")
    return share


def with_key(folder: PolicyFolder, path: Path) -> PolicyFolder:
    """Give the folder this server's dial."""
    try:
        return replace(folder, dial_key=dial_key(load_key(path)))
    except FileNotFoundError:
        raise typer.BadParameter(
            f"{path}: only with the server's own key can it be told which cases would run, and it is not here"
        ) from None


def dial_log(
    folder: PolicyFolder, connection: sqlite3.Connection, tool: str, share: Decimal, rule: int | None, since: datetime
) -> Dialled:
    """Ask what the share would have meant for every proposal of the tool since then."""
    policy = _policy(folder, tool)
    turned = _turned(policy, rule)
    numbers = {one.index for one in turned}
    rules = tuple(next((one for one in turned if one.index == old.index), old) for old in policy.rules)
    wide = replace(folder, policies={**folder.policies, policy.tool: replace(policy, rules=rules)})
    found = Dialled(policy.tool, share, turned)
    with one_view(connection):
        for past, before in known_log(wide, connection, since):
            then = past.submitted
            if then.tool != policy.tool:
                continue
            found.proposals += 1
            found.erased += past.erased
            if past.erased:
                continue
            ruling = judge_again(wide, then, before)
            if ruling.outcome != "allowed" or ruling.rule not in numbers:
                continue
            found.eligible += 1
            place = dial.place(folder.dial_key, then.tool, then.digest)
            now = folded(connection, then.proposal)
            if place is not None and place < share and now is not None:
                found.add(then, now)
    return found


def _policy(folder: PolicyFolder, tool: str) -> Policy:
    policy = folder.policies.get(ToolName(tool))
    if policy is None:
        near = nearest(tool, folder.policies)
        hint = f"; did you mean {near}?" if near else ""
        raise typer.BadParameter(f"no policy here is for the tool {printable(tool)}{hint}")
    return policy


def _turned(policy: Policy, number: int | None) -> list[Rule]:
    """Give the rules that are meant with a dial that lets all of their cases through."""
    if number is None:
        chosen = [rule for rule in policy.rules if isinstance(rule.verdict, Allow)]
        if not chosen:
            raise typer.BadParameter("no rule of this tool allows; name one that asks with --rule N")
    else:
        chosen = [rule for rule in policy.rules if rule.index == number]
        if not chosen or not isinstance(chosen[0].verdict, Allow | Ask):
            raise typer.BadParameter(f"{policy.tool} has no rule {number} that allows or asks")
    found: list[Rule] = []
    for rule in chosen:
        otherwise = asked_by(rule.verdict) or policy.strictest
        if otherwise is None:
            raise typer.BadParameter(f"the file of {policy.tool} names nobody who could be asked in the other cases")
        found.append(replace(rule, verdict=Allow(_ALL, otherwise)))
    return found


def _otherwise(rule: Rule) -> Ask:
    asked = asked_by(rule.verdict)
    return Ask(()) if asked is None else asked


def _end(now: Proposal) -> str:
    """Say in a word what became of a proposal."""
    if now.status is Status.APPROVED:
        return "approved by people" if now.votes else "allowed by policy"
    return "denied by people" if now.status is Status.DENIED else now.status.value


def _written(ask: Ask) -> str:
    """Write who is asked as a policy file does, as short as it may be."""
    more = [
        *([f"expires_in: {_span(ask.expires_in)}"] if ask.expires_in else []),
        *([f"channel: {ask.channel}"] if ask.channel else []),
        *([f"step_up: {ask.step_up}"] if ask.step_up != "none" else []),
        *([f"backup: {ask.backup}"] if ask.backup else []),
    ]
    if len(ask.seats) == 1:
        seat = ask.seats[0]
        if seat.count == DEFAULT_APPROVALS and not more:
            return seat.role
        return f"{{{', '.join([f'role: {seat.role}', f'approvals: {seat.count}', *more])}}}"
    seats = ", ".join(f"{{role: {seat.role}, count: {seat.count}}}" for seat in ask.seats)
    return f"{{{', '.join([f'seats: [{seats}]', *more])}}}"


def _span(span: timedelta) -> str:
    for unit, size in (("d", timedelta(days=1)), ("h", timedelta(hours=1))):
        if not span % size:
            return f"{span // size}{unit}"
    return f"{span // _MINUTE}m"
