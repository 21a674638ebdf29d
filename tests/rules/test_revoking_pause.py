"""A pause that revokes: what is approved and unclaimed under it is taken back, and nothing else is."""

from dataclasses import replace

import pytest

from approval_rules.commands import PassTime, Thaw
from approval_rules.decide import as_resumed, decide, decide_switch
from approval_rules.events import Claimed, ClaimRefused, Paused, Refusal, Revoked
from approval_rules.people import human
from approval_rules.state import Status
from approval_rules.switch import EVERYTHING, Scope, ScopeKind, Switch
from tests.rules.builders import (
    AGENT,
    ANN,
    BEN,
    REFUND,
    RUNNING,
    TRIAL_OF_NOBODY,
    after,
    approved,
    at,
    claim,
    claimed,
    only,
    opened,
    pass_time,
    resume,
    start_pause,
    submit,
    switched,
    thaw,
    vote,
)

SCOPES = [EVERYTHING, Scope(ScopeKind.AGENT, AGENT.id), Scope(ScopeKind.TOOL, REFUND)]
REVOKING = replace(start_pause(8), revoke=True)


@pytest.mark.parametrize("scope", SCOPES)
def test_the_sweep_takes_an_unclaimed_approval_back(scope: Scope) -> None:
    """Whoever paused took it back, for the reason `paused`, and a second sweep adds nothing."""
    switch = switched(RUNNING, replace(REVOKING, scope=scope))
    (revoked,) = decide(approved(), pass_time(9), switch)
    assert revoked == Revoked(at(9), human(ANN.person), approved().id, Refusal.PAUSED)
    gone = after(approved(), pass_time(9), switch=switch)
    assert (gone.status, gone.revoked_why) == (Status.REVOKED, Refusal.PAUSED)
    assert decide(gone, pass_time(9), switch) == ()


def test_a_claim_before_the_sweep_finds_it_taken_back() -> None:
    """Between the pause and the sweep a claim is told that it is revoked, and revokes it."""
    events = decide(approved(), claim(9), switched(RUNNING, REVOKING))
    assert only(events, Revoked).by == human(ANN.person)
    assert only(events, ClaimRefused).code is Refusal.REVOKED


def test_what_was_taken_back_stays_so_after_the_resume() -> None:
    """The pause is over and the approval does not come back."""
    switch = switched(RUNNING, REVOKING)
    gone = after(approved(), pass_time(9), switch=switch)
    over = switched(switch, resume(10, ANN), resume(11, BEN))
    assert over.active == ()
    assert only(decide(gone, claim(12), over), ClaimRefused).code is Refusal.REVOKED


ENDED = switched(RUNNING, REVOKING, resume(10, ANN), resume(11, BEN))


@pytest.mark.parametrize("command", [thaw(12), pass_time(12)])
def test_the_rest_is_taken_back_after_the_resume(command: Thaw | PassTime) -> None:
    """What no batch reached while the pause lasted is taken back by the next that comes, and its clock is not moved."""
    assert decide(approved(), command, ENDED) == (Revoked(at(12), human(ANN.person), approved().id, Refusal.PAUSED),)
    assert decide(after(approved(), command, switch=ENDED), thaw(13), ENDED) == ()


def test_a_claim_after_the_resume_finds_the_rest_taken_back() -> None:
    """Before its batch comes, a claim is told that it is revoked, and revokes it."""
    events = decide(approved(), claim(12), ENDED)
    assert only(events, Revoked).code is Refusal.PAUSED
    assert only(events, ClaimRefused).code is Refusal.REVOKED


@pytest.mark.parametrize("switch", [ENDED, switched(RUNNING, REVOKING)])
def test_what_is_not_taken_back_yet_reads_as_if_it_were(switch: Switch) -> None:
    """Whoever looks before its batch sees no approval that can never be used."""
    seen = as_resumed(approved(), switch)
    assert (seen.status, seen.revoked_why, seen.deadline) == (Status.REVOKED, Refusal.PAUSED, None)


def test_what_was_asked_before_the_pause_and_approved_after_it_stands() -> None:
    """Only what was approved before the pause is taken back: people said yes to this one after the resume."""
    later = after(opened(), vote(ANN, minutes=12), vote(BEN, minutes=13, others=[ANN]), switch=ENDED)
    assert later.created_at < ENDED.pauses[0].since
    assert [type(event) for event in decide(later, thaw(14), ENDED)] == []
    assert isinstance(decide(later, claim(14), ENDED)[0], Claimed)


def test_a_second_pause_that_revokes_counts_beside_one_that_holds() -> None:
    """Whoever paused first only held; the second takes back."""
    switch = switched(RUNNING, start_pause(7, pause="held"), REVOKING)
    assert isinstance(decide(approved(), pass_time(9), switch)[0], Revoked)


@pytest.mark.parametrize("name", ["pending", "claimed", "of another tool", "in shadow", "held"])
def test_nothing_else_is_taken_back(name: str) -> None:
    """Pending ones stay frozen, a claimed one has run, a trial permits nothing, and other scopes are left alone."""
    other = replace(REVOKING, scope=Scope(ScopeKind.TOOL, "mail.send"))
    proposal, pause = {
        "pending": (opened(), REVOKING),
        "claimed": (claimed(), REVOKING),
        "of another tool": (approved(), other),
        "in shadow": (after(None, submit(TRIAL_OF_NOBODY)), REVOKING),
        "held": (approved(), start_pause(8)),
    }[name]
    assert decide(proposal, pass_time(9), switched(RUNNING, pause)) == ()


def test_the_same_claim_again_is_paused_and_not_revoked() -> None:
    """What was claimed before the pause cannot be taken back; its answer waits for the resume."""
    assert only(decide(claimed(), claim(12), switched(RUNNING, REVOKING)), ClaimRefused).code is Refusal.PAUSED


def test_a_resumed_pause_revokes_no_more() -> None:
    """What is approved after the resume can be claimed."""
    over = switched(RUNNING, replace(REVOKING, at=at(1)), resume(2, ANN), resume(3, BEN))
    assert isinstance(decide(approved(), claim(10), over)[0], Claimed)


def test_a_pause_that_holds_says_nothing_of_revoking() -> None:
    """The entry of an ordinary pause is written as ever."""
    (event,) = decide_switch(RUNNING, start_pause(8))
    assert isinstance(event, Paused)
    assert event.revoke is None
