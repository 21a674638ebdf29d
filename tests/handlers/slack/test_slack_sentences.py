"""What people are told: each refusal has plain words, and no sentence carries another's markup."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approval_rules.events import Decision, Paused, Refusal, ResumeAsked, Resumed
from approval_rules.people import AgentId, RoleName, human, operator, system
from approval_rules.requirement import Seat
from approval_rules.switch import EVERYTHING, Scope, ScopeKind
from approval_rules.text import AgentText
from bot.slack_standin.blocks import find_faults
from handlers.desk import Face
from handlers.slack import sentences
from handlers.slack.sentences import (
    announcement,
    answer_body,
    counted_sentence,
    refusal_sentence,
    resume_command,
)
from tests.handlers.slack.made import ADA, FACES, GRACE, NOW, pause, proposal, seen, states, vote

AGENTS = {AgentId("agt_1"): "refund bot"}
AGENT = Scope(ScopeKind.AGENT, "agt_1")

BOTH = (Seat(RoleName("support_manager"), 1), Seat(RoleName("finance"), 1))


@pytest.mark.parametrize("code", list(Refusal))
def test_every_refusal_has_a_sentence(code: Refusal) -> None:
    """Each code says what happened in plain words that end, with and without the proposal, and never in codes."""
    for sentence in (refusal_sentence(code), refusal_sentence(code, seen())):
        assert sentence.endswith(".")
        assert len(sentence) > 40
        assert code.value not in sentence or "-" not in code.value
        assert find_faults(answer_body(sentence)["blocks"], "message") == []


def test_no_sentence_is_without_its_refusal() -> None:
    """The sentences are exactly the refusals."""
    assert set(sentences._REFUSED) == set(Refusal)


def test_who_was_too_late_hears_where_it_stands() -> None:
    """A click on something decided says who decided and when."""
    told = refusal_sentence(Refusal.NOT_PENDING, states()["denied"])
    assert "Denied by Jonas Weber (U0JONASWEB1) at 2026-11-21 09:10 UTC" in told
    assert "1 of 2 people have approved" in refusal_sentence(Refusal.ALREADY_VOTED, states()["pending_1_of_2"])
    assert "Time is over" in refusal_sentence(Refusal.EXPIRED, seen())
    assert "Frozen" in refusal_sentence(Refusal.PAUSED, states()["pending_frozen"])


def test_a_pause_names_who_paused() -> None:
    """A frozen packet names the person, the server's operator, or the part of the system that paused."""
    for by, told in (
        (human(ADA), "Maya Chen"),
        (operator(ADA), "an operator on the server"),
        (system("clock"), "clock"),
    ):
        frozen = seen(frozen_by=replace(pause(), by=by))
        assert f"by {told}" in refusal_sentence(Refusal.PAUSED, frozen)


def test_a_counted_vote_says_what_is_missing() -> None:
    """After a vote that counts the person knows whether it was the last one."""
    assert "One more person must approve" in counted_sentence(states()["pending_1_of_2"].proposal, Decision.APPROVE)
    assert "2 more people must approve" in counted_sentence(seen().proposal, Decision.APPROVE)
    assert "the last one needed" in counted_sentence(states()["approved_by_people"].proposal, Decision.APPROVE)
    assert "nothing runs" in counted_sentence(states()["denied"].proposal, Decision.DENY)
    too_many = counted_sentence(proposal(votes=(vote(), vote(GRACE))), Decision.APPROVE)
    assert "not all of them count now, so another must. One more person must approve" in too_many


def test_two_of_one_role_are_not_two_of_two() -> None:
    """Where one of each role is needed, a second vote of the same role says that it fills nothing, and who is next."""
    asks = replace(states()["pending_1_of_2"].proposal.requirement, seats=BOTH)
    one, two = (seen(proposal(votes=votes, requirement=asks)) for votes in ((vote(),), (vote(), vote(GRACE))))
    assert counted_sentence(one.proposal, Decision.APPROVE) == (
        "Your approval counts: 1 of 2 people have approved; the next must be in the role finance. "
        "One more person must approve."
    )
    assert counted_sentence(two.proposal, Decision.APPROVE) == (
        "Your approval is recorded, and fills no seat that is open: "
        "1 of 2 people have approved; the next must be in the role finance."
    )


def test_what_changed_is_announced_with_who_why_and_how_back() -> None:
    """Pause, half a resume and resume are told to the channel."""
    face, reason = FACES[ADA], AgentText("a loop")
    paused = Paused(NOW, human(ADA), "pau_1", EVERYTHING, None, reason)
    assert announcement(paused, face) == (
        "⏸ Maya Chen (U0MAYACHEN1) paused everything, until people resume it. Nothing of it runs. Reason: “a loop”. "
        "To resume: /agent resume all"
    )
    timed = Paused(NOW, operator(ADA), "pau_1", AGENT, NOW, AgentText(""))
    assert announcement(timed, None, AGENTS) == (
        "⏸ An operator on the server paused the agent refund bot, until 2026-11-21 09:00 UTC. Nothing of it runs. "
        'To resume: /agent resume agent "refund bot"'
    )
    asked = announcement(ResumeAsked(NOW, human(ADA), EVERYTHING), face)
    assert "One more person must type /agent resume all" in asked
    resumed = announcement(Resumed(NOW, human(ADA), Scope(ScopeKind.TOOL, "mail.send"), ("pau_1",), reason), face)
    assert resumed.startswith("▶ Maya Chen (U0MAYACHEN1) resumed the tool mail.send.")
    assert resume_command(Scope(ScopeKind.TOOL, "mail.send")) == "/agent resume tool mail.send"


@given(st.text(max_size=300), st.text(max_size=100), st.text(max_size=100))
def test_hostile_names_and_reasons_stay_text(reason: str, name: str, scope: str) -> None:
    """Nothing that a person or an agent chose becomes markup or breaks a limit."""
    paused = Paused(NOW, human(ADA), "pau_1", Scope(ScopeKind.AGENT, scope), None, AgentText(reason * 20))
    body = answer_body(announcement(paused, Face("U1", name)))
    assert find_faults(body["blocks"], "message") == []
    assert "<" not in body["text"]
    assert body["replace_original"] is False
    assert body["response_type"] == "ephemeral"
