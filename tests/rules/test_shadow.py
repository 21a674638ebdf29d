"""A tool in shadow: judged, asked about, compared, and never permitted."""

from dataclasses import replace
from datetime import timedelta

import pytest

from approval_rules.conditions import compile_condition
from approval_rules.decide import POLICY, QUORUM, decide
from approval_rules.events import Approved, ClaimRefused, Refusal
from approval_rules.explanation import explain
from approval_rules.policy import Contradiction, Policy, PolicyFolder, Rule, classify
from approval_rules.requirement import Requirement, Seat, Shadowed, Tier
from approval_rules.state import Proposal, Status
from approval_rules.verdicts import Ask, Verdict
from tests.rules.builders import (
    AGENT,
    ANN,
    BEN,
    FINANCE,
    ID,
    MANAGER,
    REFUND,
    RUNNING,
    START,
    TRIAL,
    TRIAL_OF_NOBODY,
    after,
    at,
    cancel,
    claim,
    deny,
    only,
    opened,
    outcome,
    pass_time,
    start_pause,
    submit,
    switched,
    vote,
)
from tests.rules.policies import ALLOW, BLOCK, draft

FINANCE_HERE = Ask((Seat(FINANCE, 1),), timedelta(minutes=30), channel="C0FINANCE")
MANAGERS = Ask((Seat(MANAGER, 2),))
TIERS = {30: Tier.GREEN, 100: Tier.YELLOW, 1000: Tier.RED}


def folder(*rules: tuple[str, Verdict], shadow: bool = True) -> PolicyFolder:
    """Refunds under these rules."""
    built = tuple(Rule(index, compile_condition(text), verdict, "") for index, (text, verdict) in enumerate(rules, 1))
    return PolicyFolder("sha256:v", {REFUND: Policy(REFUND, built, shadow=shadow)}, {}, {"default": "C0DEFAULT"})


RULES = (("amount <= 50", ALLOW), ("amount <= 500", FINANCE_HERE), ("amount > 500", BLOCK), ("odd", MANAGERS))


def judged(amount: int, *rules: tuple[str, Verdict], shadow: bool = True) -> Requirement:
    """What must happen before a refund of this amount."""
    result = classify(folder(*(rules or RULES), shadow=shadow), draft({"amount": amount}), AGENT, START)
    assert not isinstance(result, Contradiction)
    return result


@pytest.mark.parametrize("amount", TIERS)
def test_the_verdict_of_the_rules_is_kept_beside_what_is_asked(amount: int) -> None:
    """Tier, rule and reason are those of the live policy, and `live` gives it back, but for how long people had."""
    live, trial = judged(amount, shadow=False), judged(amount)
    assert trial.shadow == Shadowed(TIERS[amount], live.policy.rule, live.policy.because)
    assert replace(trial.live, ttl=live.ttl, channel=live.channel) == live
    assert live.live is live


def test_what_would_be_allowed_asks_the_strictest_of_the_file() -> None:
    """Where the policy would ask nobody, the strictest people are asked, in their channel and for their time."""
    trial = judged(30, ("amount <= 50", ALLOW), ("amount > 50", FINANCE_HERE))
    assert (trial.tier, trial.seats) == (Tier.YELLOW, FINANCE_HERE.seats)
    assert (trial.ttl, trial.channel) == (timedelta(minutes=30), "C0FINANCE")
    assert judged(30).seats == MANAGERS.seats
    assert (judged(30).ttl, judged(30).channel) == (None, "C0DEFAULT")


def test_what_would_be_asked_asks_the_same_people() -> None:
    """The people, their time and their channel are those of the rule."""
    trial = judged(100)
    assert (trial.tier, trial.seats) == (Tier.YELLOW, FINANCE_HERE.seats)
    assert (trial.ttl, trial.channel) == (timedelta(minutes=30), "C0FINANCE")


def test_what_is_blocked_stays_blocked() -> None:
    """Nobody is asked about what the policy blocks; the reason is the rule's own."""
    trial, live = judged(1000), judged(1000, shadow=False)
    assert replace(trial, shadow=None) == live


def test_where_the_file_names_nobody_nobody_is_asked() -> None:
    """It is only recorded."""
    trial = judged(30, ("amount <= 50", ALLOW))
    assert (trial.tier, trial.seats) == (Tier.GREEN, ())
    assert trial.shadow is not None


@pytest.mark.parametrize("amount", [30, 100])
def test_whoever_is_asked_gets_no_hint(amount: int) -> None:
    """What people are told is the same whether the policy would allow or ask: an echo compares with nothing."""
    rules = (("amount <= 50", ALLOW), ("amount > 50", MANAGERS))
    told = judged(amount, *rules).policy
    assert told.rule is None
    assert told.because == (
        "payments.refund is in shadow, so people say what they would do: two people in the role support_manager"
        " must approve"
    )


def test_explaining_says_what_each_rule_says() -> None:
    """The rules are explained as ever, and the result is the trial's."""
    found = explain(folder(*RULES), draft({"amount": 30}), AGENT, START)
    assert [rule.outcome for rule in found.rules] == ["matched", "matched", "not matched", "undetermined"]
    assert found.result == judged(30)


# --- what becomes of it


def trials() -> dict[str, Proposal]:
    """A proposal in shadow in each state that it can reach."""
    start = opened(TRIAL)
    return {
        "pending": start,
        "half approved": after(start, vote(ANN)),
        "approved": after(start, vote(ANN), vote(BEN, minutes=6, others=[ANN])),
        "approved by policy": after(None, submit(TRIAL_OF_NOBODY)),
        "denied": after(start, deny(ANN)),
        "expired": after(start, pass_time(241)),
        "cancelled": after(start, cancel()),
    }


@pytest.mark.parametrize("state", trials())
@pytest.mark.parametrize("key", ["k1", None])
@pytest.mark.parametrize("paused", [False, True])
def test_a_claim_is_always_refused_and_says_so(state: str, key: str | None, paused: bool) -> None:  # noqa: FBT001 - a case
    """Whatever people said, and during a pause too, the answer is `shadow`, it is recorded, and it changes nothing."""
    proposal = trials()[state]
    switch = switched(RUNNING, start_pause(7)) if paused else RUNNING
    for minute in (10, 10.5, 300):
        (refused,) = decide(proposal, claim(minute, key=key), switch)
        assert refused == ClaimRefused(at(minute), AGENT.actor, ID, Refusal.SHADOW)
        assert after(proposal, claim(minute, key=key), switch=switch) == proposal
    assert decide(proposal, outcome(11), switch) == ()


def test_an_approval_in_shadow_permits_nothing_and_is_the_end() -> None:
    """Its permission has lapsed when it is given, no clock runs any more, and no sweep changes it."""
    (_, approved) = decide(trials()["half approved"], vote(BEN, minutes=6, others=[ANN]), RUNNING)
    assert approved == Approved(at(6), QUORUM, ID, at(6))
    (_, alone) = decide(None, submit(TRIAL_OF_NOBODY), RUNNING)
    assert only([alone], Approved) == Approved(START, POLICY, ID, START)
    for name in ("approved", "approved by policy"):
        proposal = trials()[name]
        assert (proposal.status, proposal.claim_by, proposal.deadline) == (Status.APPROVED, None, None)
        assert decide(proposal, pass_time(10_000), RUNNING) == ()
