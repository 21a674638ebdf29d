"""Stricter stays stricter: more money, a block more, an allow less or a field missing never asks less of people."""

from itertools import pairwise
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from approval_rules.policy import Contradiction, PolicyFolder
from approval_rules.requirement import Tier
from approval_rules.verdicts import Allow, Ask
from tests.rules.strictness import asked, looser, tier_of
from tests.rules.written import (
    ALLOW,
    BLOCK,
    SHARES,
    Case,
    Line,
    asks,
    cases,
    conditions,
    dialled,
    loaded,
    policies,
    spoiled,
)


def with_line(lines: list[Line], place: int, line: Line) -> list[Line]:
    """Put a rule at a place, at most behind the last that has a condition: below it nothing can be reached."""
    place = min(place, sum(text is not None for text, _ in lines))
    return [*lines[:place], line, *lines[place:]]


def strictest(folder: PolicyFolder) -> Ask | None:
    """Give the ask with the most people of the folder's one file."""
    (policy,) = folder.policies.values()
    return policy.strictest


@given(policies, st.integers(0, 5), conditions | st.none(), cases(), st.data())
def test_one_block_more_never_lets_more_through(
    lines: list[Line], place: int, text: str | None, whole: Case, data: st.DataObject
) -> None:
    """Wherever a block is added, and whatever is missing: the case is asked of as many people, or blocked."""
    before, after = loaded(lines), loaded(with_line(lines, place, (text, BLOCK)))
    assume(before and after)
    assert before
    assert after
    for case in (whole, data.draw(spoiled(whole))):
        assert not looser(case.judged(after), case.judged(before))


@given(policies, st.integers(0, 5), conditions, cases(), st.data())
def test_one_allow_less_never_lets_more_through(
    lines: list[Line], place: int, text: str, whole: Case, data: st.DataObject
) -> None:
    """Without an allow, a case is asked of as many people, or blocked; where something is missing, it is not allowed.

    Where the allow itself could not tell, the doubt asked people; without the rule there is no doubt.
    """
    more, less = loaded(with_line(lines, place, (text, ALLOW))), loaded(lines)
    assume(more and less)
    assert more
    assert less
    assert not looser(whole.judged(less), whole.judged(more))
    part = data.draw(spoiled(whole))
    (told,) = [
        each for each in part.explained(more).rules if each.rule.verdict == Allow() and each.rule.condition_text == text
    ]
    if told.outcome != "undetermined" and tier_of(part.judged(less)) is Tier.GREEN:
        assert tier_of(part.judged(more)) is Tier.GREEN


@given(policies, st.integers(0, 5), conditions, asks, st.tuples(*[st.sampled_from(SHARES)] * 2), cases(), st.data())
def test_a_dial_turned_down_never_lets_more_through(
    lines: list[Line],
    place: int,
    text: str,
    ask: str,
    shares: tuple[int, int],
    whole: Case,
    data: st.DataObject,
) -> None:
    """With a smaller share, and with a dial for a plain allow, a case is asked of as many people, or blocked.

    Where something is missing, it is not allowed. A file that named nobody blocks less once the dial names somebody.
    """
    people = ask.removeprefix("require_approval: ")
    low, high = sorted(shares)
    verdicts = [dialled(low, people), dialled(high, people), ALLOW]
    folders = [folder for verdict in verdicts if (folder := loaded(with_line(lines, place, (text, verdict))))]
    assume(len(folders) == len(verdicts))
    part = data.draw(spoiled(whole))
    for down, up in pairwise(folders):
        assert not looser(whole.judged(down), whole.judged(up)) or strictest(up) is None
        if tier_of(part.judged(down)) is Tier.GREEN:
            assert tier_of(part.judged(up)) is Tier.GREEN


@given(policies, cases(), st.data())
def test_what_is_missing_or_mistyped_never_gets_more(lines: list[Line], whole: Case, data: st.DataObject) -> None:
    """An agent that leaves a field out, or sends another kind, is never asked less than with the true value.

    The one step down is from blocked to asked: a block that cannot be decided asks the strictest people of the file.
    """
    folder = loaded(lines)
    assume(folder)
    assert folder
    true, got = whole.judged(folder), data.draw(spoiled(whole)).judged(folder)
    if tier_of(true) is not Tier.RED:
        assert not looser(got, true)
    elif tier_of(got) is not Tier.RED:
        most = strictest(folder)
        assert most
        assert asked(got) == most.approvals


EXTRA = [
    "note",
    "Amount",
    "amount ",
    "amount_usd",
    "orders",
    "__class__",
    "approved",
    "count_24h",
    "now",
    "run",
    "agent",
]


@given(policies, cases(), st.sampled_from(EXTRA), st.sampled_from(["arguments", "facts"]), st.data())
def test_a_field_more_changes_nothing(
    lines: list[Line], whole: Case, name: str, where: str, data: st.DataObject
) -> None:
    """What no rule reads decides nothing; a name that is the server's own is refused where a rule reads it."""
    folder = loaded(lines)
    assume(folder)
    assert folder
    value: Any = data.draw(st.sampled_from([0, 10**6, "x", True, None, ["vip"], {"total": 1, "hour": 12}]))
    fields = {"arguments": dict(whole.arguments), "facts": dict(whole.facts)}
    fields[where][name] = value
    got = Case(fields["arguments"], fields["facts"], whole.run, whole.counted, whole.seed).judged(folder)
    (policy,) = folder.policies.values()
    assert isinstance(got, Contradiction) if name in policy.reserved else got == whole.judged(folder)
