"""Writes what `policy compare` counted, for people and for programs. Counts nothing itself."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from approval_rules.opinion import Outcome
from approval_rules.times import format_time
from bot.cli.comparing import (
    LISTED,
    SHOWN,
    BesideActive,
    Change,
    Comparison,
    Rule,
    Stake,
    WithPeople,
    by_size,
    percent,
    short,
)
from bot.cli.output import printable
from handlers.counting import counted
from handlers.slack.values import Money

_OUTCOMES: tuple[Outcome, ...] = ("allowed", "asked", "blocked", "refused")
_SAID = ("approved", "denied", "unanswered")
_WIDTH = 11
_SHADOW = "`foureyes policy shadow FOLDER` lets a candidate version say what it thinks of each."
_TRIAL = "`mode: shadow` in a tool's file asks people about everything that the policy would allow."


def lines(found: Comparison) -> Iterator[str]:
    """Tell it to a person, with what to do where there is nothing to tell."""
    of_tool = f" of {printable(found.tool)}" if found.tool else ""
    since = format_time(found.since)
    if not found.proposals:
        yield f"Nothing{of_tool} was proposed since {since}. Look further back with --since 90d, or wait for agents."
        return
    yield f"{counted(found.proposals, 'proposal')}{of_tool} since {since}."
    if len(found.versions) > 1:
        yield f"{len(found.versions)} policy versions decided: {', '.join(map(short, found.versions))}."
    yield ""
    yield from _beside(found.beside)
    yield ""
    yield from _with_people("What decided, beside what people did", found, found.active)
    if found.beside is not None and found.beside.cases:
        yield ""
        yield from _with_people("The candidate, beside what people did", found, found.candidate)


def _beside(beside: BesideActive | None) -> Iterator[str]:
    if beside is None:
        yield f"No candidate was asked. {_SHADOW}"
        return
    name = f"The candidate {short(beside.version)}"
    if not beside.cases:
        yield f"{name} was asked about none of them yet."
        return
    same = percent(beside.same, beside.cases)
    yield f"{name}, beside what decided {counted(beside.cases, 'proposal')}: {same} % the same."
    yield from _matrix("decided \\ candidate", beside.matrix, _met(beside.matrix))
    if beside.left_out:
        yield f"{counted(beside.left_out, 'proposal')} left out: another candidate was asked."
    if not beside.changes:
        return
    yield f"At stake in the {beside.differing.cases} that differ: {_stake(beside.differing)}."
    for rule in by_size(beside.rules.values()):
        differs = f", {_stake(rule.differing)} in the others" if rule.differing.cases else ""
        yield f"  {_named(rule)}: {rule.cases}, {percent(rule.same, rule.cases)} % the same{differs}"
    yield from (_change(change) for change in beside.sorted[:SHOWN])
    if len(beside.changes) > SHOWN:
        yield f"and {len(beside.changes) - SHOWN} more."


def _change(change: Change) -> str:
    case = change.case
    what = "  ".join([case.proposal, case.tool, _amount(case.money)])
    return printable(f"{change.direction.upper():{_WIDTH}}{what}  {change.active} -> {change.candidate}")


def _with_people(title: str, found: Comparison, judge: WithPeople) -> Iterator[str]:
    if not judge.decided:
        yield f"{title}: people decided none of them. {_TRIAL}"
        return
    yield f"{title} ({counted(judge.decided, 'proposal')} decided by people):"
    yield from _matrix("would be \\ people", judge.matrix, _SAID)
    if judge.comparable:
        share = percent(judge.agreeing, judge.comparable)
        yield f"Of {judge.comparable} that it would settle by itself, people agreed with {share} %."
    else:
        yield f"It would have asked about all of them, so there is nothing to agree with. {_TRIAL}"
    if judge.allowed_but_denied:
        cases = counted(len(judge.allowed_but_denied), "case")
        yield f"ALLOWED BUT DENIED by people: {cases}, {_stake(judge.at_stake)}. Look at these first:"
    for case, opinion in judge.sorted[:SHOWN]:
        reason = found.reasons.get(case.proposal)
        said = f'"{reason}"' if reason else "(no reason is kept)"
        what = "  ".join([case.proposal, case.tool, _amount(case.money), opinion.rule or "no rule"])
        yield printable(f"  {what}: {said}")
    if len(judge.allowed_but_denied) > SHOWN:
        yield f"  and {len(judge.allowed_but_denied) - SHOWN} more."
    for rule in by_size(judge.rules.values()):
        told = ", ".join(f"{rule.counts[said]} {said}" for said in _SAID)
        denied = f"; {_stake(rule.differing)} in those denied" if rule.differing.cases else ""
        yield f"  {_named(rule)} ({_verdicts(rule)}): {told}{denied}"


def _verdicts(rule: Rule) -> str:
    return " or ".join(outcome for outcome in _OUTCOMES if rule.counts[outcome])


def _named(rule: Rule) -> str:
    return printable(f"{rule.name} in {short(rule.version)}")


def _matrix(title: str, cells: Counter[Any], columns: Sequence[str]) -> Iterator[str]:
    width = len(title) + 1
    yield title.ljust(width) + "".join(f"{column:>{_WIDTH}}" for column in columns)
    for row in _met(cells):
        yield row.ljust(width) + "".join(f"{cells[row, column]:>{_WIDTH}}" for column in columns)


def _met(cells: Counter[Any]) -> list[Outcome]:
    """Name the outcomes of a table; `refused` only where it occurs."""
    met = {outcome for pair in cells for outcome in pair}
    return [outcome for outcome in _OUTCOMES if outcome != "refused" or outcome in met]


def _stake(stake: Stake) -> str:
    money = " + ".join(Money(amount, currency).words for currency, amount in sorted(stake.money.items()))
    without = f"{stake.without_amount} without an amount" if stake.without_amount else ""
    return " and ".join(filter(None, (money, without)))


def _amount(money: Money | None) -> str:
    return money.words if money else "no amount"


# --- for programs


def document(found: Comparison) -> dict[str, Any]:
    """Tell it to a program. Money is a text of digits by currency; a share is a text, or null of nothing."""
    return {
        "since": format_time(found.since),
        "tool": found.tool,
        "proposals": found.proposals,
        "versions": found.versions,
        "candidate": None if found.beside is None else _beside_document(found.beside),
        "people": {
            "active": _people_document(found, found.active),
            "candidate": None if found.beside is None else _people_document(found, found.candidate),
        },
    }


def _beside_document(beside: BesideActive) -> dict[str, Any]:
    return {
        "version": beside.version,
        "proposals": beside.cases,
        "left_out": beside.left_out,
        "same": beside.same,
        "same_percent": percent(beside.same, beside.cases),
        "matrix": _cells(beside.matrix, _OUTCOMES),
        "differing": beside.differing.document,
        "rules": [
            {
                "rule": rule.name,
                "version": rule.version,
                "proposals": rule.cases,
                "same": rule.same,
                "differing": rule.differing.document,
            }
            for rule in by_size(beside.rules.values())
        ],
        "changes": [
            {
                "direction": change.direction,
                "id": change.case.proposal,
                "tool": change.case.tool,
                "money": _money(change.case.money),
                "active": change.active,
                "candidate": change.candidate,
                "because": change.because,
            }
            for change in beside.sorted[:LISTED]
        ],
        "changes_left_out": max(len(beside.changes) - LISTED, 0),
    }


def _people_document(found: Comparison, judge: WithPeople) -> dict[str, Any]:
    return {
        "decided": judge.decided,
        "matrix": _cells(judge.matrix, _SAID),
        "settled_alone": judge.comparable,
        "agreeing": judge.agreeing,
        "agreeing_percent": percent(judge.agreeing, judge.comparable),
        "allowed_but_denied": {**judge.at_stake.document, "shown": _denied(found, judge)},
        "rules": [
            {
                "rule": rule.name,
                "version": rule.version,
                **{outcome: rule.counts[outcome] for outcome in (*_OUTCOMES, *_SAID)},
                "denied_money": rule.differing.document,
            }
            for rule in by_size(judge.rules.values())
        ],
    }


def _denied(found: Comparison, judge: WithPeople) -> list[dict[str, Any]]:
    return [
        {
            "id": case.proposal,
            "tool": case.tool,
            "money": _money(case.money),
            "rule": opinion.rule,
            "reason": found.reasons.get(case.proposal),
        }
        for case, opinion in judge.sorted[:LISTED]
    ]


def _money(money: Money | None) -> dict[str, str] | None:
    return None if money is None else {"amount": format(money.amount, "f"), "currency": money.currency}


def _cells(cells: Counter[Any], columns: Sequence[str]) -> dict[str, dict[str, int]]:
    return {row: {column: cells[row, column] for column in columns} for row in _OUTCOMES}
