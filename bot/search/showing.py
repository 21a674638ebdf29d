"""Turns a proposal that was found into what is shown of it. It shows nothing that a packet may not show."""

import json
import sqlite3
from typing import Final

from approval_rules.people import PersonId
from approval_rules.state import Proposal, Status
from bot.search.folding import money_in
from bot.store import rows
from bot.store.rows import Loaded
from handlers.audit_desk import Deciding, Hit
from handlers.slack.sentence import sentence_of
from handlers.slack.text import person as face

_TOLD: Final = {
    Status.PENDING: "waits for people",
    Status.APPROVED: "approved, not used yet",
    Status.DENIED: "denied",
    Status.EXPIRED: "expired, nobody decided",
    Status.CANCELLED: "taken back by the agent",
    Status.BLOCKED: "blocked by policy",
    Status.REVOKED: "approved, then taken back",
}
_BECAME: Final = {
    "claimed": "approved, under way",
    "succeeded": "approved and done",
    "failed": "approved, and it failed",
    "unknown": "approved, outcome unknown",
}


def hit_of(connection: sqlite3.Connection, loaded: Loaded, *, values: bool) -> Hit:
    """Say what a proposal was, where it stands and who decided; without `values`, nothing that anybody wrote."""
    proposal = loaded.proposal
    names = _names(connection, proposal) if values else {}
    first = loaded.recorded[0]
    erased = not proposal.digest  # it goes with the arguments that it is the digest of
    return Hit(
        seq=first.seq,
        proposal=proposal.id,
        at=proposal.created_at,
        agent_id=proposal.agent.id,
        agent=proposal.agent.name,
        tool=proposal.tool,
        rule=proposal.requirement.policy.rule,
        state=proposal.status.value,
        told=told(proposal),
        decided_at=proposal.decided_at,
        decided_by=tuple(Deciding(vote.voter, names.get(vote.voter), vote.decision.value) for vote in proposal.votes),
        words=str(sentence_of(proposal).text) if values and not erased else None,
        amounts=tuple(money_in(proposal)) if values else None,
        erased=erased,
    )


def told(proposal: Proposal) -> str:
    """Say in words where a proposal stands."""
    if proposal.status is Status.EXPIRED and proposal.expired_why == "unclaimed":
        return "approved, and lapsed unused"
    if proposal.execution is not None:
        return _BECAME[proposal.execution.status]
    return _TOLD[proposal.status]


def _names(connection: sqlite3.Connection, proposal: Proposal) -> dict[PersonId, str]:
    refs = json.dumps(sorted({vote.voter for vote in proposal.votes}))
    found = connection.execute(rows.PEOPLE_BY_REF, {"refs": refs})
    return {PersonId(ref): str(face(name, user)) for ref, _, user, name in found}
