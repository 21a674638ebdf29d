"""Small people, proposals and times for the tests of the rules. Builds only; never asserts."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from approval_rules.canonical import Digest, digest_of
from approval_rules.commands import (
    Cancel,
    CastVote,
    Claim,
    Command,
    Draft,
    PassTime,
    RecordPosted,
    ReportOutcome,
    Resume,
    StartPause,
    Submit,
    Thaw,
)
from approval_rules.decide import decide, decide_switch
from approval_rules.events import Decision, Posted, ProposalEvent, SubmitRefused
from approval_rules.initiation_events import InitiationRefused
from approval_rules.people import (
    Actor,
    Agent,
    AgentId,
    Flaw,
    PersonId,
    ProposalId,
    RoleName,
    Standing,
    Standings,
    ToolName,
    human,
)
from approval_rules.requirement import PolicyRef, Requirement, Seat, Shadowed, Tier
from approval_rules.state import Proposal, Status, evolve, evolve_switch, fold
from approval_rules.switch import EVERYTHING, Scope, Switch
from approval_rules.text import AgentJson, AgentText, unwrap_json

Event = TypeVar("Event")

START = datetime(2025, 3, 3, 9, 0, tzinfo=UTC)
REFUND = ToolName("payments.refund")
MANAGER = RoleName("support_manager")
FINANCE = RoleName("finance")
ID = ProposalId("prop_1")
OWNER = PersonId("owner")
INITIATOR = PersonId("initiator")
AGENT = Agent(AgentId("agt_1"), "refund-bot", OWNER, (REFUND, ToolName("mail.send")))
STRANGE_AGENT = Agent(AgentId("agt_2"), "other-bot", OWNER, (REFUND,))
ARGUMENTS = AgentJson({"order_id": "A-1", "amount": Decimal("180.00")})
DIGEST = digest_of(REFUND, unwrap_json(ARGUMENTS))
BECAUSE = PolicyRef("sha256:policy", "payments.refund#1", "amount is over 50")
POSTED = Posted("C1", "1700000000.000100", Digest("sha256:shown"))
RUNNING = Switch()

GREEN = Requirement(Tier.GREEN, (), BECAUSE)
RED = Requirement(Tier.RED, (), BECAUSE)
NOBODY = Requirement(Tier.YELLOW, (), BECAUSE)
TWO_MANAGERS = Requirement(Tier.YELLOW, (Seat(MANAGER, 2),), BECAUSE)
MANAGER_AND_FINANCE = Requirement(Tier.YELLOW, (Seat(MANAGER, 1), Seat(FINANCE, 1)), BECAUSE)
GREEN_BY_ITSELF = Shadowed(Tier.GREEN, "payments.refund#1", "rule 1 allows it")
TRIAL = Requirement(Tier.YELLOW, (Seat(MANAGER, 2),), BECAUSE, shadow=GREEN_BY_ITSELF)
TRIAL_OF_NOBODY = Requirement(Tier.GREEN, (), BECAUSE, shadow=GREEN_BY_ITSELF)


def at(minutes: float = 0) -> datetime:
    """The moment so many minutes after the proposal was submitted."""
    return START + timedelta(minutes=minutes)


def person(name: str, *roles: RoleName, flaw: Flaw | None = None) -> Standing:
    """What the directory says about somebody."""
    return Standing(PersonId(name), frozenset(roles), flaw)


ANN, BEN, CEM = person("ann", MANAGER), person("ben", MANAGER), person("cem", MANAGER)


def standings(people: Iterable[Standing]) -> Standings:
    """What the directory says about several people."""
    return {standing.person: standing for standing in people}


def draft(tool: ToolName = REFUND, expires_in: timedelta | None = None, callback_url: str | None = None) -> Draft:
    """A refund of $180.00."""
    digest = digest_of(tool, unwrap_json(ARGUMENTS))
    nothing = AgentJson({})
    return Draft(tool, ARGUMENTS, digest, AgentText("refund A-1"), nothing, nothing, callback_url, expires_in)


def submit(requirement: Requirement = TWO_MANAGERS, agent: Agent = AGENT, wish: Draft | None = None) -> Submit:
    """The agent proposes at `START`, in a run that `INITIATOR` started."""
    return Submit(START, ID, agent, INITIATOR, wish or draft(), requirement)


def opened(requirement: Requirement = TWO_MANAGERS, **changes: Any) -> Proposal:  # noqa: ANN401 - fields of Draft
    """The proposal as submitted at `START`, with its packet in Slack."""
    posted = RecordPosted(START, ID, POSTED)
    return after(None, submit(requirement, wish=draft(**changes)), posted)


def after(proposal: Proposal | None, *commands: Command, switch: Switch = RUNNING) -> Proposal:
    """The proposal after these commands; each is judged and its events applied."""
    for command in commands:
        for event in decide(proposal, command, switch):
            assert not isinstance(event, SubmitRefused | InitiationRefused)
            proposal = evolve(proposal, event)
    assert proposal is not None
    return proposal


def replayed(events: Sequence[ProposalEvent | SubmitRefused | InitiationRefused]) -> Proposal | None:
    """The fold of what `decide` gave out; a refused submission leaves no proposal."""
    return fold(event for event in events if not isinstance(event, SubmitRefused | InitiationRefused))


def vote(  # one argument per thing that a click carries
    voter: Standing,
    decision: Decision = Decision.APPROVE,
    minutes: float = 5,
    *,
    others: Iterable[Standing] = (),
    seen: str = DIGEST,
    channel: str = POSTED.channel,
    ts: str = POSTED.ts,
) -> CastVote:
    """A click on the packet."""
    return CastVote(at(minutes), ID, voter, standings(others), decision, seen, channel, ts)


def deny(voter: Standing, minutes: float = 5) -> CastVote:
    """A click on Deny."""
    return vote(voter, Decision.DENY, minutes)


def claim(
    minutes: float = 10,
    *,
    approvers: Iterable[Standing] = (ANN, BEN),
    agent: Agent = AGENT,
    digest: str = DIGEST,
    key: str | None = "k1",
    grant_id: str = "grant_1",
) -> Claim:
    """The agent asks for its permission."""
    return Claim(at(minutes), ID, agent, digest, grant_id, key, standings(approvers))


def outcome(minutes: float = 12) -> ReportOutcome:
    """The agent says that it went well."""
    return ReportOutcome(at(minutes), ID, AGENT.id, "succeeded", AgentJson({"status": "succeeded"}))


def cancel(minutes: float = 5) -> Cancel:
    """The agent takes its proposal back."""
    return Cancel(at(minutes), ID, AGENT.id)


def pass_time(minutes: float) -> PassTime:
    """The sweep looks at the clock."""
    return PassTime(at(minutes), ID)


def thaw(minutes: float) -> Thaw:
    """A pause has just ended."""
    return Thaw(at(minutes), ID)


def approved() -> Proposal:
    """Approved by Ann and Ben after six minutes."""
    return after(opened(), vote(ANN), vote(BEN, minutes=6, others=[ANN]))


def claimed() -> Proposal:
    """Approved, and claimed with the key `k1` after ten minutes."""
    return after(approved(), claim())


def in_every_state() -> Mapping[str, Proposal]:
    """One proposal in each state that can be told apart, by name."""
    return {
        "pending": opened(),
        "half approved": after(opened(), vote(ANN)),
        "denied": after(opened(), deny(ANN)),
        "cancelled": after(opened(), cancel()),
        "blocked": after(None, submit(RED), RecordPosted(START, ID, POSTED)),
        "expired": after(opened(), pass_time(241)),
        "approved": approved(),
        "lapsed": after(approved(), pass_time(67)),
        "revoked": after(approved(), claim(approvers=[ANN])),
        "claimed": claimed(),
        "succeeded": after(claimed(), outcome()),
        "overdue": after(claimed(), pass_time(26)),
    }


FINAL = frozenset({Status.DENIED, Status.CANCELLED, Status.BLOCKED, Status.EXPIRED, Status.REVOKED})


def start_pause(
    minutes: float = 0,
    scope: Scope = EVERYTHING,
    *,
    pause: str = "pause_1",
    lasts: float | None = None,
    standing: Standing | None = ANN,
    by: Actor | None = None,
) -> StartPause:
    """Somebody stops a scope; `lasts` is in minutes."""
    who = by or human(ANN.person if standing is None else standing.person)
    span = None if lasts is None else timedelta(minutes=lasts)
    return StartPause(at(minutes), who, pause, scope, span, AgentText("stop"), standing)


def resume(
    minutes: float,
    standing: Standing | None = ANN,
    scope: Scope = EVERYTHING,
    *,
    by: Actor | None = None,
    may_resume: bool = True,
) -> Resume:
    """Somebody starts a scope again."""
    who = by or human(ANN.person if standing is None else standing.person)
    return Resume(at(minutes), who, scope, AgentText("go on"), standing, may_resume)


def switched(switch: Switch, *commands: Any) -> Switch:  # noqa: ANN401 - any SwitchCommand
    """The kill switch after these commands."""
    for command in commands:
        for event in decide_switch(switch, command):
            switch = evolve_switch(switch, event)
    return switch


def only(events: Sequence[object], kind: type[Event]) -> Event:
    """The one event of this kind."""
    (event,) = [event for event in events if isinstance(event, kind)]
    return event
