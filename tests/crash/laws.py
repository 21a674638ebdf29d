"""What must be true of any log, whatever was done to the process: a second, naive reading of the events.

It must never ask the rules (`decide`, `evolve`) what they think: it judges them. It only looks.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from approval_rules.canonical import digest_of
from approval_rules.events import (
    Approved,
    Blocked,
    Cancelled,
    Claimed,
    Decision,
    Denied,
    Event,
    Expired,
    OutcomeOverdue,
    Paused,
    Resumed,
    Revoked,
    Submitted,
    Thawed,
    Voted,
)
from approval_rules.people import ActorKind
from approval_rules.requirement import Tier
from approval_rules.switch import Scope
from approval_rules.text import unwrap_json
from tests.ledger import Ledger

ENDS = (Approved, Blocked, Denied, Expired, Cancelled, Revoked)
AFTER = {
    "pending": (Approved, Blocked, Denied, Expired, Cancelled),
    "approved": (Expired, Revoked),
}


@dataclass(slots=True)
class Known:
    """One proposal as somebody with pencil and paper would keep it."""

    born: Submitted
    deadline: datetime
    state: str = "pending"
    claims: int = 0
    votes: dict[str, Decision] = field(default_factory=dict)


@dataclass(slots=True)
class Reading:
    """The whole log, read once from the start."""

    proposals: dict[str, Known] = field(default_factory=dict)
    pauses: dict[str, Scope] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    repeated: set[int] = field(default_factory=set)

    def take(self, seq: int, event: Event) -> None:
        """Read one entry and note every promise that it breaks."""
        match event:
            case Submitted():
                self.expect(seq, event.proposal not in self.proposals, "a proposal begins once")
                self.proposals[event.proposal] = Known(event, event.expires_at)
                self.expect(seq, digest_of(event.tool, unwrap_json(event.arguments)) == event.digest, "I3: the digest")
            case Paused():
                self.pauses[event.pause] = event.scope
            case Resumed():
                for pause in event.pauses:
                    self.pauses.pop(pause, None)
            case Thawed():
                self.proposals[event.proposal].deadline = event.deadline
            case Voted():
                self.vote(seq, event, self.proposals[event.proposal])
            case Claimed():
                self.claim(seq, event, self.proposals[event.proposal])
            case _ if isinstance(event, ENDS):
                self.end(seq, event, self.proposals[event.proposal])

    def expect(self, seq: int, true: object, promise: str) -> None:
        """Note a broken promise."""
        if not true:
            self.broken.append(f"entry {seq}: {promise} does not hold")

    def stopped(self, known: Known) -> bool:
        """Tell whether a pause stood on this proposal."""
        return any(scope.covers(known.born.agent.id, known.born.tool) for scope in self.pauses.values())

    def vote(self, seq: int, event: Voted, known: Known) -> None:
        """I2, I3, I4: who voted, on what, and when."""
        excluded = {known.born.started_by, known.born.agent.owner}
        self.expect(seq, known.state == "pending", "I4: a vote counts on a pending proposal only")
        self.expect(seq, event.at < known.deadline, "I4: no vote counts at or after the deadline")
        self.expect(seq, not self.stopped(known), "I4: no vote counts during a pause")
        self.expect(seq, event.voter not in excluded, "I2: neither initiator nor owner votes")
        self.expect(seq, event.digest == known.born.digest, "I3: a vote is for the digest of the action")
        self.expect(seq, event.shown, "I3: a vote is for blocks that were shown")
        self.expect(seq, event.roles, "I2: a vote has a role")
        if known.votes.get(event.voter) is event.decision:
            self.repeated.add(seq)
        known.votes[event.voter] = event.decision

    def claim(self, seq: int, event: Claimed, known: Known) -> None:
        """I5: one permission, in time, and never in a pause."""
        known.claims += 1
        self.expect(seq, known.claims == 1, "I5: at most one claim")
        self.expect(seq, known.born.requirement.shadow is None, "I5: nothing in shadow is claimed")
        self.expect(seq, known.state == "approved", "I5: only what is approved is claimed")
        self.expect(seq, event.at < known.deadline, "I5: no claim at or after the deadline")
        self.expect(seq, not self.stopped(known), "I5: no claim during a pause")

    def end(self, seq: int, event: Event, known: Known) -> None:
        """I2, I4: an end follows from votes or policy, and is final."""
        self.expect(seq, isinstance(event, AFTER.get(known.state, ())), f"I4: nothing follows {known.state}")
        self.expect(seq, known.claims == 0, "I4: what was claimed does not end otherwise")
        if isinstance(event, Approved):
            self.repeated.discard(seq - 1)  # said again when an earlier voter had become known again: now it decides
            self.expect(seq, not self.stopped(known), "I4: nothing is approved during a pause")
            self.approval(seq, event, known)
            known.deadline = event.claim_by
        if isinstance(event, Denied):
            self.expect(seq, known.votes.get(event.by.ref) is Decision.DENY, "a denial is somebody's no")
        known.state = type(event).__name__.lower()

    def approval(self, seq: int, event: Approved, known: Known) -> None:
        """I2: so many distinct people said yes, or the policy allowed it."""
        need = known.born.requirement
        if need.tier is Tier.GREEN:
            self.expect(seq, event.by.kind is ActorKind.SYSTEM, "green is approved by policy")
            return
        yes = [voter for voter, decision in known.votes.items() if decision is Decision.APPROVE]
        self.expect(seq, need.tier is Tier.YELLOW and need.seats, "I2: without seats nobody approves")
        self.expect(seq, len(yes) >= need.approvals, f"I2: {need.approvals} distinct people, not {len(yes)}")
        self.expect(seq, Decision.DENY not in known.votes.values(), "I2: a no denies")


def shown(ledger: Ledger) -> set[str]:
    """Name the proposals that people are shown: those that ask, and those whose execution nobody knows the end of."""
    asking = {str(event.proposal) for event in ledger.events(Submitted) if event.requirement.tier is Tier.YELLOW}
    return asking | {str(event.proposal) for event in ledger.events(OutcomeOverdue)}


def broken_promises(ledger: Ledger) -> list[str]:
    """Give every promise that the log and its outbox break; empty where all is well."""
    reading = Reading()
    for item in ledger.recorded:
        reading.take(item.seq, item.event)
    reading.broken += [f"entry {seq}: I4: a click counts once" for seq in reading.repeated]
    told = Counter((row["kind"], row["subject"]) for row in ledger.outbox)
    packets = {row["subject"] for row in ledger.outbox if row["name"].startswith("packet:")}
    reading.broken += [f"I1: {ident} has no message, not even a queued one" for ident in shown(ledger) - packets]
    for ident, known in reading.proposals.items():
        decisions = sum(isinstance(event, ENDS) for event in ledger.of(ident))
        if known.born.callback_url and told["callback", ident] != decisions:
            reading.broken.append(f"I6: {ident} has {decisions} decisions, {told['callback', ident]} callbacks")
    if Counter(ledger.keys.values()) != Counter(dict.fromkeys(reading.proposals, 1)):
        reading.broken.append("I1: one agent and key is one proposal, and each proposal has its key")
    return reading.broken
