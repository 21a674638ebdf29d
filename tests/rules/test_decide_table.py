"""Every command in every state, running and paused: one table that says what happens, and nothing else may."""

from collections.abc import Mapping
from itertools import product
from typing import get_args

import pytest

from approval_rules.canonical import Digest
from approval_rules.commands import Command, Initiate, RecordPosted
from approval_rules.decide import decide
from approval_rules.events import ClaimRefused, Decision, Posted, SubmitRefused, VoteRefused
from approval_rules.initiation_events import InitiationRefused
from approval_rules.question_events import RequestRefused
from approval_rules.state import evolve, fold
from approval_rules.switch import EVERYTHING, Scope, ScopeKind, Switch
from tests.rules.amending import answer, ask, edit, take_back
from tests.rules.builders import (
    AGENT,
    ANN,
    BEN,
    CEM,
    FINAL,
    ID,
    POSTED,
    REFUND,
    RUNNING,
    at,
    cancel,
    claim,
    in_every_state,
    outcome,
    pass_time,
    resume,
    start_pause,
    submit,
    switched,
    thaw,
    vote,
)

STATES = in_every_state()
SWITCHES: Mapping[str, Switch] = {
    "running": RUNNING,
    "all paused": switched(RUNNING, start_pause(1)),
    "agent paused": switched(RUNNING, start_pause(1, Scope(ScopeKind.AGENT, AGENT.id))),
    "tool paused": switched(RUNNING, start_pause(1, Scope(ScopeKind.TOOL, REFUND))),
    "other tool paused": switched(RUNNING, start_pause(1, Scope(ScopeKind.TOOL, "mail.send"))),
    "resumed": switched(RUNNING, start_pause(7), resume(8, ANN), resume(9, BEN)),
}
STOPPED = frozenset({"all paused", "agent paused", "tool paused"})

COMMANDS: Mapping[str, Command] = {
    "submit again": submit(),
    "approve": vote(CEM, minutes=20, others=[ANN]),
    "approve again": vote(ANN, minutes=20, others=[ANN]),
    "deny": vote(CEM, Decision.DENY, minutes=20, others=[ANN]),
    "claim": claim(20, key="k2"),
    "claim without key": claim(20, key=None),
    "claim again": claim(20, key="k1"),
    "cancel": cancel(20),
    "outcome": outcome(20),
    "same packet": RecordPosted(at(20), ID, POSTED),
    "new packet": RecordPosted(at(20), ID, Posted("C1", POSTED.ts, Digest("sha256:other"))),
    "a moment": pass_time(20),
    "half time": pass_time(130),
    "all the time": pass_time(300),
    "thaw": thaw(20),
    "ask": ask(CEM, minutes=20),
    "answer": answer(20),
    "edit": edit(CEM, minutes=20),
    "take back": take_back(ANN, minutes=20),
}

OPEN = ("pending", "half approved")
AMEND_REFUSED = {
    **dict.fromkeys(STATES, "RequestRefused not-pending"),
    "expired": "RequestRefused expired",
    "lapsed": "RequestRefused expired",
}
AMEND_PAUSED = AMEND_REFUSED | dict.fromkeys(OPEN, "RequestRefused paused")
TAKEN_BACK = {
    **dict.fromkeys(STATES, "RequestRefused not-approved"),
    "expired": "RequestRefused expired",
    "lapsed": "RequestRefused expired",
    "revoked": "RequestRefused revoked",
    "approved": "Revoked",
    **dict.fromkeys(("claimed", "succeeded", "overdue"), "RequestRefused already-claimed"),
}
CLAIMED = ("claimed", "succeeded", "overdue")
VOTE_REFUSED = {
    **dict.fromkeys(STATES, "VoteRefused not-pending"),
    "expired": "VoteRefused expired",
    "lapsed": "VoteRefused expired",
}
VOTE_PAUSED = VOTE_REFUSED | dict.fromkeys(OPEN, "VoteRefused paused")
CLAIM_REFUSED = {
    **dict.fromkeys(STATES, "ClaimRefused not-approved"),
    "expired": "ClaimRefused expired",
    "lapsed": "ClaimRefused expired",
    "revoked": "ClaimRefused revoked",
    **dict.fromkeys(CLAIMED, "ClaimRefused already-claimed"),
}
CLAIM_OPEN = CLAIM_REFUSED | {"approved": "Claimed"}
CLAIM_PAUSED = CLAIM_REFUSED | {"approved": "ClaimRefused paused"}
REPLAYED = dict.fromkeys(CLAIMED, "")
CANCELLED = dict.fromkeys(OPEN, "Cancelled")
REPORTED = dict.fromkeys(("claimed", "overdue"), "OutcomeReported")
OVERDUE = {"claimed": "OutcomeOverdue"}

# What happens while nothing stops the action, and while something does. A state that is not named: nothing.
RUNS: Mapping[str, Mapping[str, str]] = {
    "submit again": {},
    "approve": VOTE_REFUSED | {"pending": "Voted", "half approved": "Voted Approved"},
    "approve again": VOTE_REFUSED | {"pending": "Voted", "half approved": "VoteRefused already-voted"},
    "deny": VOTE_REFUSED | dict.fromkeys(OPEN, "Voted Denied"),
    "claim": CLAIM_OPEN,
    "claim without key": CLAIM_OPEN,
    "claim again": CLAIM_OPEN | REPLAYED,
    "cancel": CANCELLED,
    "outcome": REPORTED,
    "same packet": {},
    "new packet": dict.fromkeys(STATES, "PacketPosted"),
    "a moment": {},
    "half time": dict.fromkeys(OPEN, "Reminded") | {"approved": "Expired"} | OVERDUE,
    "all the time": dict.fromkeys((*OPEN, "approved"), "Expired") | OVERDUE,
    "thaw": {},
    "ask": AMEND_REFUSED | dict.fromkeys(OPEN, "Asked"),
    "answer": {},
    "edit": AMEND_REFUSED | dict.fromkeys(OPEN, "RequestRefused not-editable"),
    "take back": TAKEN_BACK,
}
STOPS: Mapping[str, Mapping[str, str]] = {
    **RUNS,
    "approve": VOTE_PAUSED,
    "approve again": VOTE_PAUSED,
    "deny": VOTE_PAUSED,
    "claim": CLAIM_PAUSED,
    "claim without key": CLAIM_PAUSED,
    "claim again": CLAIM_PAUSED | dict.fromkeys(CLAIMED, "ClaimRefused paused"),
    "half time": OVERDUE,
    "all the time": OVERDUE,
    "ask": AMEND_PAUSED,
    "edit": AMEND_PAUSED,
}
AFTER_A_PAUSE: Mapping[str, Mapping[str, str]] = {**RUNS, "thaw": dict.fromkeys((*OPEN, "approved"), "Thawed")}


def told(event: object) -> str:
    """An event in the words of the table."""
    name = type(event).__name__
    return f"{name} {event.code.value}" if isinstance(event, VoteRefused | ClaimRefused | RequestRefused) else name


CASES = sorted(product(COMMANDS, STATES, SWITCHES))


@pytest.mark.parametrize(("command", "state", "switch"), CASES, ids=[" / ".join(case) for case in CASES])
def test_what_happens(command: str, state: str, switch: str) -> None:
    """This command in this state has exactly the events of the table; a final state never changes."""
    table = STOPS if switch in STOPPED else AFTER_A_PAUSE if switch == "resumed" else RUNS
    proposal = STATES[state]
    events = decide(proposal, COMMANDS[command], SWITCHES[switch])
    assert " ".join(map(told, events)) == table[command].get(state, "")
    stepwise = proposal
    for event in events:
        assert not isinstance(event, SubmitRefused | InitiationRefused)
        assert event.at == COMMANDS[command].at
        stepwise = evolve(stepwise, event)
    if proposal.status in FINAL:
        assert stepwise.status is proposal.status


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - {"submit again"}))
def test_only_submit_begins(name: str) -> None:
    """A command about nothing is a mistake of the caller, not a fact."""
    with pytest.raises(ValueError, match="must look first"):
        decide(None, COMMANDS[name], RUNNING)


def test_the_table_is_complete() -> None:
    """The table names every command, and the states differ from each other."""
    assert set(RUNS) == set(STOPS) == set(COMMANDS)
    # An Initiate is judged against one proposal and opens another: tests/rules/test_initiation.py.
    assert {type(command) for command in COMMANDS.values()} == set(get_args(Command)) - {Initiate}
    assert len({repr(proposal) for proposal in STATES.values()}) == len(STATES)
    assert fold(()) is None
    assert SWITCHES["all paused"].of(EVERYTHING)
