"""Submission: who may propose what, what the policy's tier makes of it, and how long it stays open."""

from dataclasses import replace
from datetime import timedelta

import pytest

from approval_rules.decide import POLICY, barred, decide
from approval_rules.events import Approved, Blocked, Refusal, SubmitRefused, Submitted
from approval_rules.people import Agent, ToolName
from approval_rules.requirement import DEFAULT_TTL, MAX_TTL, Requirement
from approval_rules.state import Status
from approval_rules.switch import Scope, ScopeKind
from approval_rules.versions import CHANGE_TOOL, SERVER
from tests.rules.builders import (
    AGENT,
    ARGUMENTS,
    DIGEST,
    GREEN,
    ID,
    INITIATOR,
    NOBODY,
    RED,
    RUNNING,
    START,
    TWO_MANAGERS,
    after,
    at,
    draft,
    only,
    start_pause,
    submit,
    switched,
)


def test_the_tier_decides_what_follows() -> None:
    """Green is approved by policy, yellow asks people, red is blocked; each was submitted first."""
    for requirement, follows in (
        (GREEN, (Approved(START, POLICY, ID, at(60)),)),
        (TWO_MANAGERS, ()),
        (NOBODY, ()),
        (RED, (Blocked(START, POLICY, ID),)),
    ):
        submitted, *rest = decide(None, submit(requirement), RUNNING)
        assert isinstance(submitted, Submitted)
        assert tuple(rest) == follows


def test_everything_of_the_draft_is_kept() -> None:
    """The proposal is the draft, its frozen requirement, its agent and who started the run."""
    wish = draft(callback_url="https://agent.example/hook")
    proposal = after(None, submit(wish=wish))
    assert (proposal.id, proposal.status, proposal.created_at) == (ID, Status.PENDING, START)
    assert (proposal.tool, proposal.arguments, proposal.digest) == (wish.tool, ARGUMENTS, DIGEST)
    assert (proposal.summary, proposal.context, proposal.run) == (wish.summary, wish.context, wish.run)
    assert (proposal.callback_url, proposal.requirement) == (wish.callback_url, TWO_MANAGERS)
    assert (proposal.agent, proposal.started_by) == (AGENT.named, INITIATOR)
    assert (proposal.votes, proposal.packet, proposal.execution) == ((), None, None)
    assert decide(proposal, submit(), RUNNING) == ()


@pytest.mark.parametrize(
    ("agent", "code"),
    [
        (replace(AGENT, revoked=True), Refusal.AGENT_REVOKED),
        (replace(AGENT, tools=(ToolName("mail.send"),)), Refusal.TOOL_NOT_ALLOWED),
        (replace(AGENT, tools=()), Refusal.TOOL_NOT_ALLOWED),
    ],
)
def test_an_agent_proposes_only_what_it_may(agent: Agent, code: Refusal) -> None:
    """A revoked agent, or a tool that is not on the list, is turned away and recorded; the list is read first."""
    (event,) = decide(None, submit(GREEN, agent), RUNNING)
    assert isinstance(event, SubmitRefused)
    assert (event.code, event.by, event.tool, event.proposal) == (code.value, agent.actor, draft().tool, ID)


def test_a_change_of_the_policy_is_the_servers_own() -> None:
    """No agent proposes one, whatever its list says; the server does."""
    agent = replace(AGENT, tools=(CHANGE_TOOL,))
    told = barred(agent, CHANGE_TOOL, RUNNING)
    assert told is not None
    assert told[0] is Refusal.TOOL_NOT_ALLOWED
    assert barred(SERVER, CHANGE_TOOL, RUNNING) is None


@pytest.mark.parametrize("requirement", [GREEN, TWO_MANAGERS, RED])
def test_nothing_is_proposed_during_a_pause(requirement: Requirement) -> None:
    """While the agent or the tool is stopped, nothing new is accepted, green or not; another tool goes on."""
    for scope in (Scope(ScopeKind.ALL), Scope(ScopeKind.AGENT, AGENT.id), Scope(ScopeKind.TOOL, draft().tool)):
        events = decide(None, submit(requirement), switched(RUNNING, start_pause(-1, scope)))
        assert only(events, SubmitRefused).code == "paused"
    elsewhere = switched(RUNNING, start_pause(-1, Scope(ScopeKind.TOOL, "mail.send")))
    assert isinstance(decide(None, submit(requirement), elsewhere)[0], Submitted)


@pytest.mark.parametrize(
    ("ttl", "wish", "open_for"),
    [
        (None, None, DEFAULT_TTL),
        (None, timedelta(minutes=5), timedelta(minutes=5)),
        (None, timedelta(days=2), timedelta(days=2)),
        (None, timedelta(days=90), MAX_TTL),
        (timedelta(hours=1), None, timedelta(hours=1)),
        (timedelta(hours=1), timedelta(minutes=5), timedelta(minutes=5)),
        (timedelta(hours=1), timedelta(hours=2), timedelta(hours=1)),
        (DEFAULT_TTL, timedelta(days=2), DEFAULT_TTL),
        (timedelta(), None, timedelta()),
        (timedelta(), timedelta(days=2), timedelta()),
    ],
)
def test_an_agent_never_lengthens_what_policy_names(
    ttl: timedelta | None, wish: timedelta | None, open_for: timedelta
) -> None:
    """The agent may shorten; only where the policy is silent may it choose, up to 30 days."""
    proposal = after(None, submit(replace(TWO_MANAGERS, ttl=ttl), wish=draft(expires_in=wish)))
    assert proposal.expires_at - proposal.created_at == open_for
