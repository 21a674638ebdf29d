"""The rules against a naive model: random people, clicks, claims, pauses and time, compared after every step.

Each run uses a random subset of the steps, so that rare combinations are reached; everything is asserted at the first
point where it can be seen.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from approval_rules.canonical import Digest
from approval_rules.commands import Command, LiftTimedPauses, RecordPosted, SwitchCommand, Thaw
from approval_rules.decide import QUORUM, decide, decide_switch
from approval_rules.events import (
    Approved,
    Blocked,
    Cancelled,
    Claimed,
    Decision,
    Denied,
    Expired,
    OutcomeOverdue,
    OutcomeReported,
    Posted,
    ProposalEvent,
    Reminded,
    Resumed,
    Revoked,
    SubmitRefused,
    Thawed,
    Voted,
)
from approval_rules.people import Actor, Flaw, PersonId, RoleName, Standing, human, operator
from approval_rules.react import react
from approval_rules.requirement import Requirement, Seat, Tier
from approval_rules.state import Proposal, evolve, evolve_switch, fold
from approval_rules.switch import EVERYTHING, Scope, ScopeKind, Switch
from tests.rules.builders import (
    AGENT,
    BECAUSE,
    DIGEST,
    FINANCE,
    GREEN,
    ID,
    INITIATOR,
    MANAGER,
    MANAGER_AND_FINANCE,
    NOBODY,
    OWNER,
    REFUND,
    TWO_MANAGERS,
    at,
    cancel,
    claim,
    draft,
    outcome,
    pass_time,
    resume,
    start_pause,
    submit,
    vote,
)
from tests.rules.naive_model import Model, Somebody

NAMES = ["ann", "ben", "cem", str(INITIATOR), str(OWNER)]
THREE = Requirement(Tier.YELLOW, (Seat(MANAGER, 2), Seat(FINANCE, 1)), BECAUSE)
ONE = Requirement(Tier.YELLOW, (Seat(MANAGER, 1),), BECAUSE)
REQUIREMENTS = [TWO_MANAGERS, MANAGER_AND_FINANCE, THREE, ONE, GREEN, NOBODY]
ROLES = st.frozensets(st.sampled_from([MANAGER, FINANCE, RoleName("operator")]))
SCOPES = [EVERYTHING, Scope(ScopeKind.AGENT, AGENT.id), Scope(ScopeKind.TOOL, REFUND), Scope(ScopeKind.TOOL, "other")]
STEPS = ["wrong", "wait", "people", "claim", "agent", "cancel", "report", "pause", "resume", "sweep", "repost"]
ENDS = (Denied, Expired, Cancelled, Blocked, Revoked)
NAME = st.sampled_from([*NAMES[:3], *NAMES])
MOSTLY = st.sampled_from([True] * 5 + [False])
RARELY = st.sampled_from([False] * 5 + [True])
# Which of the steps a run leaves out, as bits: half of them on average.
OFF = st.just(frozenset())


def enabled(step: str) -> Callable[["Approvals"], bool]:
    """The condition under which a run uses this step."""
    return lambda machine: step not in machine.off


class Approvals(RuleBasedStateMachine):
    """One proposal, five people, one kill switch."""

    def __init__(self) -> None:
        super().__init__()
        self.off: frozenset[str] = frozenset()
        self.log: list[ProposalEvent] = []
        self.switch = Switch()
        self.agent = AGENT
        self.message = Posted("C1", "1.0", Digest("sha256:shown-0"))
        self.pauses = 0
        self.grants = 0

    @initialize(
        off=OFF,
        requirement=st.sampled_from(REQUIREMENTS),
        ttl=st.sampled_from([30, 240, 1440]),
        roles=st.lists(ROLES, min_size=len(NAMES), max_size=len(NAMES)),
    )
    def begin(self, off: frozenset[str], requirement: Requirement, ttl: int, roles: list[frozenset[RoleName]]) -> None:
        """Draw the steps of this run and submit the proposal."""
        self.off = off
        # Everybody is a manager at first, so that runs get past the first vote.
        people = {name: Somebody(has | {MANAGER}) for name, has in zip(NAMES, roles, strict=True)}
        self.model = Model(requirement, frozenset({str(INITIATOR), str(OWNER)}), ttl, people)
        self.model.state = "approved" if requirement.tier is Tier.GREEN else "pending"
        self.do(submit(requirement, wish=draft(expires_in=timedelta(minutes=ttl))))
        self.do(RecordPosted(at(), ID, self.message))

    def do(self, command: Command) -> list[ProposalEvent]:
        """Judge a command and believe its events."""
        happened: list[ProposalEvent] = []
        before = fold(self.log)
        for event in decide(before, command, self.switch):
            assert not isinstance(event, SubmitRefused)
            happened.append(event)
            react(self.folded([*self.log, *happened]), event)
        self.log += happened
        return happened

    def folded(self, log: list[ProposalEvent]) -> Proposal:
        """The state after these events."""
        proposal = fold(log)
        assert proposal is not None
        return proposal

    @property
    def proposal(self) -> Proposal:
        """The state now."""
        return self.folded(self.log)

    def turn(self, command: SwitchCommand) -> None:
        """Judge a command to the kill switch; what was resumed is thawed in the same breath."""
        for event in decide_switch(self.switch, command):
            self.switch = evolve_switch(self.switch, event)
            if isinstance(event, Resumed):
                self.do(Thaw(event.at, ID))

    def standing(self, name: str) -> Standing:
        """What the directory says about somebody now."""
        person = self.model.people[name]
        flaw = None if person.known else Flaw.DEACTIVATED
        return Standing(PersonId(name), person.roles, flaw if person.reachable else Flaw.DIRECTORY_DOWN)

    @precondition(enabled("wait"))
    @rule(minutes=st.sampled_from([0, 1, 1, 2, 5, 5, 10, 30, 60]))
    def wait(self, minutes: int) -> None:
        """Time passes."""
        self.model.tick(minutes)

    @rule(name=NAME, no=RARELY)
    def click(self, name: str, no: bool) -> None:  # noqa: FBT001 - drawn by Hypothesis
        """Somebody clicks a button that stands in Slack."""
        self.judge(name, Decision.DENY if no else Decision.APPROVE, DIGEST, self.message.ts)

    @precondition(enabled("wrong"))
    @rule(name=NAME, digest=st.booleans())
    def click_something_else(self, name: str, digest: bool) -> None:  # noqa: FBT001 - drawn by Hypothesis
        """Somebody clicks a button with another digest, or on another message."""
        self.judge(name, Decision.APPROVE, "sha256:other" if digest else DIGEST, self.message.ts if digest else "0.9")

    def judge(self, name: str, decision: Decision, seen: str, ts: str) -> None:
        """Compare a click with the model at once: whether it counts, and what it decides."""
        others = [self.standing(str(cast.voter)) for cast in self.proposal.votes]
        events = self.do(
            vote(self.standing(name), decision, self.model.now, others=others, seen=seen, channel="C1", ts=ts)
        )
        right = (seen, ts) == (DIGEST, self.message.ts)
        counted = self.model.click(name, approve=decision is Decision.APPROVE, right_button=right)
        assert any(isinstance(event, Voted) for event in events) is counted
        assert self.proposal.status.value == self.model.state
        for event in events:
            if isinstance(event, Voted):
                assert (event.voter, event.digest, event.shown) == (name, DIGEST, self.message.shown)
            if isinstance(event, Approved):
                assert event.by == QUORUM

    @precondition(enabled("people"))
    @rule(name=NAME, roles=ROLES, known=MOSTLY, reachable=MOSTLY)
    def change_person(self, name: str, roles: frozenset[RoleName], known: bool, reachable: bool) -> None:  # noqa: FBT001 - drawn by Hypothesis
        """Somebody gets or loses roles, leaves, comes back, or cannot be looked up."""
        self.model.people[name] = Somebody(roles, known, reachable)

    @precondition(enabled("agent"))
    @rule(revoked=RARELY, allowed=MOSTLY)
    def change_agent(self, revoked: bool, allowed: bool) -> None:  # noqa: FBT001 - drawn by Hypothesis
        """The agent is revoked or its tool is taken away, or both are undone."""
        self.agent = replace(AGENT, revoked=revoked, tools=AGENT.tools if allowed else ())

    @precondition(enabled("claim"))
    @rule(key=st.sampled_from(["k1", "k2", None]), digest=st.sampled_from([DIGEST, DIGEST, DIGEST, "sha256:other"]))
    def ask_to_act(self, key: str | None, digest: str) -> None:
        """The agent claims; the model says whether it may."""
        approvers = [self.standing(str(cast.voter)) for cast in self.proposal.approved_by]
        self.grants += 1
        grant = f"grant_{self.grants}"
        events = self.do(
            claim(self.model.now, approvers=approvers, agent=self.agent, digest=digest, key=key, grant_id=grant)
        )
        may = not self.agent.revoked and REFUND in self.agent.tools
        said = self.model.claim(key, right_digest=digest == DIGEST, agent_may=may)
        assert any(isinstance(event, Claimed) for event in events) is (said == "granted")
        assert (events == []) is (said == "replayed")
        assert self.proposal.status.value == self.model.state

    @precondition(enabled("cancel"))
    @rule(sure=RARELY)
    def take_back(self, sure: bool) -> None:  # noqa: FBT001 - drawn by Hypothesis
        """The agent cancels; only what is pending can be. Rarely, since it ends the run."""
        if not sure:
            return
        events = self.do(cancel(self.model.now))
        assert bool(events) is (self.model.state == "pending")
        if events:
            self.model.state = "cancelled"

    @precondition(enabled("report"))
    @rule()
    def say_how_it_went(self) -> None:
        """The agent reports; once, and only after a claim."""
        reported = any(isinstance(event, OutcomeReported) for event in self.log)
        assert bool(self.do(outcome(self.model.now))) is (bool(self.model.claimed_with) and not reported)

    @precondition(enabled("repost"))
    @rule(moved=st.booleans())
    def post_again(self, moved: bool) -> None:  # noqa: FBT001 - drawn by Hypothesis
        """The packet is updated in place, or posted anew: then the old buttons are dead."""
        number = len(self.log)
        ts = f"{number}.0" if moved else self.message.ts
        self.message = Posted("C1", ts, Digest(f"sha256:shown-{number}"))
        self.do(RecordPosted(at(self.model.now), ID, self.message))

    @precondition(enabled("pause"))
    @rule(scope=st.sampled_from(SCOPES), lasts=st.sampled_from([None, 5, 60]))
    def stop(self, scope: Scope, lasts: int | None) -> None:
        """Somebody pauses."""
        self.pauses += 1
        name = f"p{self.pauses}"
        self.turn(start_pause(self.model.now, scope, pause=name, lasts=lasts))
        ours = scope != SCOPES[-1]
        self.model.pause(name, covers_us=ours, everything=scope == EVERYTHING, lasts=lasts)
        assert ours is False or self.switch.stops(AGENT.id, REFUND) is not None

    @precondition(enabled("resume"))
    @rule(name=st.sampled_from(NAMES[:2]), machine=st.booleans(), scope=st.sampled_from([*SCOPES, *[EVERYTHING] * 3]))
    def go_on(self, name: str, machine: bool, scope: Scope) -> None:  # noqa: FBT001 - drawn by Hypothesis
        """Somebody resumes, in Slack or on the machine."""
        who: Actor = operator(PersonId(name)) if machine else human(PersonId(name))
        self.turn(resume(self.model.now, None, scope, by=who))
        if scope == EVERYTHING:
            self.model.resume_everything((who.kind.value, name))
        else:
            ended = {pause.id for pause in self.switch.pauses if pause.scope == scope}
            self.model.end([pause for pause in self.model.stops if pause in ended])

    @precondition(enabled("resume"))
    @rule()
    def lift(self) -> None:
        """The sweep ends the pauses whose time is over."""
        self.turn(LiftTimedPauses(at(self.model.now)))
        self.model.lift()

    @precondition(enabled("sweep"))
    @rule()
    def sweep(self) -> None:
        """The sweep looks at the clock; doing it again at the same moment changes nothing more."""
        first = self.do(pass_time(self.model.now))
        self.model.sweep()
        assert self.proposal.status.value == self.model.state
        assert len(first) <= 1
        assert self.do(pass_time(self.model.now)) == []

    @invariant()
    def agrees_with_the_model(self) -> None:
        """Status, votes and pauses are what the model says; fold and stepwise evolve agree."""
        if not self.log:
            return
        stepwise = None
        for event in self.log:
            stepwise = evolve(stepwise, event)
        assert stepwise == self.proposal
        assert self.proposal.status.value == self.model.state
        assert {cast.voter for cast in self.proposal.approved_by} == set(self.model.yes)
        assert len({cast.voter for cast in self.proposal.votes}) == len(self.proposal.votes)
        assert {pause.id for pause in self.switch.active} == set(self.model.stops)
        assert {(who.kind.value, who.ref) for who in self.switch.resume_asked_by} == self.model.asked

    @invariant()
    def has_the_time_that_is_left(self) -> None:
        """While nothing stops it, the open deadline is exactly as far away as the model's countdown."""
        if not self.log or self.model.stopped or self.proposal.deadline is None or self.model.claimed_with:
            return
        left = self.model.left if self.model.state == "pending" else self.model.claim_left
        assert self.proposal.deadline - at(self.model.now) == timedelta(minutes=left)

    @invariant()
    def ends_once(self) -> None:
        """At most one approval, one claim, one report, one reminder; after an end nothing moves any more."""
        for once in (Approved, Claimed, OutcomeReported, OutcomeOverdue, Reminded):
            assert sum(isinstance(event, once) for event in self.log) <= 1
        ends = [index for index, event in enumerate(self.log) if isinstance(event, ENDS)]
        assert len(ends) <= 1
        for event in self.log[ends[0] + 1 :] if ends else []:
            assert not isinstance(event, Voted | Approved | Claimed | Thawed | Reminded)
        assert len(self.model.claimed_with) == sum(isinstance(event, Claimed) for event in self.log)


TestApprovals = Approvals.TestCase
