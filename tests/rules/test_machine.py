"""The rules against a naive model: random people, clicks, claims, pauses and time, compared after every step.

Each run uses a random subset of the steps, so that rare combinations are reached; everything is asserted at the first
point where it can be seen. There is one Hypothesis rule, which draws the step: so the subset is ours, and voting,
without which nothing happens, is in each of them.
"""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Protocol, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

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
from approval_rules.initiation_events import InitiationRefused
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
    TRIAL,
    TRIAL_OF_NOBODY,
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

T = TypeVar("T")
NAMES = ["ann", "ben", "cem", str(INITIATOR), str(OWNER)]
THREE = Requirement(Tier.YELLOW, (Seat(MANAGER, 2), Seat(FINANCE, 1)), BECAUSE)
ONE = Requirement(Tier.YELLOW, (Seat(MANAGER, 1),), BECAUSE)
REQUIREMENTS = [TWO_MANAGERS, MANAGER_AND_FINANCE, THREE, ONE, GREEN, NOBODY, TRIAL, TRIAL_OF_NOBODY]
ROLES = st.frozensets(st.sampled_from([MANAGER, FINANCE, RoleName("operator")]))
SCOPES = [EVERYTHING, Scope(ScopeKind.AGENT, AGENT.id), Scope(ScopeKind.TOOL, REFUND), Scope(ScopeKind.TOOL, "other")]
STEPS = ["wrong", "people", "claim", "agent", "cancel", "report", "pause", "resume", "sweep", "repost"]
SUBSETS = st.tuples(*(st.booleans() for _ in STEPS)).map(
    lambda used: ["click", "click", "wait", *(step for step, on in zip(STEPS, used, strict=True) if on)]
)
ENDS = (Denied, Expired, Cancelled, Blocked, Revoked)
NAME = st.sampled_from([*NAMES[:3], *NAMES])
MOSTLY = st.sampled_from([True] * 7 + [False])
RARELY = st.sampled_from([False] * 9 + [True])


class Draw(Protocol):
    """How a step draws what it needs."""

    def __call__(self, strategy: st.SearchStrategy[T], /) -> T:
        """Draw one value."""


class Approvals(RuleBasedStateMachine):
    """One proposal, five people, one kill switch."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = ["click"]
        self.log: list[ProposalEvent] = []
        self.state: Proposal | None = None
        self.switch = Switch()
        self.caller = AGENT
        self.message = Posted("C1", "1.0", Digest("sha256:shown-0"))
        self.pauses = 0
        self.grants = 0

    @initialize(
        steps=SUBSETS,
        requirement=st.sampled_from(REQUIREMENTS),
        ttl=st.sampled_from([30, 240, 1440]),
        roles=st.lists(ROLES, min_size=len(NAMES), max_size=len(NAMES)),
    )
    def begin(self, steps: list[str], requirement: Requirement, ttl: int, roles: list[frozenset[RoleName]]) -> None:
        """Draw the steps of this run and submit the proposal."""
        self.steps = steps
        # Everybody is a manager at first, so that runs get past the first vote.
        people = {name: Somebody(has | {MANAGER}) for name, has in zip(NAMES, roles, strict=True)}
        self.model = Model(requirement, frozenset({str(INITIATOR), str(OWNER)}), ttl, people)
        self.model.state = "approved" if requirement.tier is Tier.GREEN else "pending"
        self.do(submit(requirement, wish=draft(expires_in=timedelta(minutes=ttl))))
        self.do(RecordPosted(at(), ID, self.message))

    def do(self, command: Command) -> list[ProposalEvent]:
        """Judge a command and believe its events, one by one."""
        happened: list[ProposalEvent] = []
        state = self.state
        for event in decide(self.state, command, self.switch):
            assert not isinstance(event, SubmitRefused | InitiationRefused)
            state = evolve(state, event)
            react(state, event)
            happened.append(event)
        self.state = state
        self.log += happened
        return happened

    @property
    def proposal(self) -> Proposal:
        """The state now."""
        assert self.state is not None
        return self.state

    def teardown(self) -> None:
        """What was believed step by step is what the whole log says."""
        assert fold(self.log) == self.state

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

    @rule(data=st.data())
    def step(self, data: st.DataObject) -> None:
        """Somebody does something, or time passes."""
        getattr(self, data.draw(st.sampled_from(self.steps)))(data.draw)

    def wait(self, draw: Draw) -> None:
        """Time passes."""
        self.model.tick(draw(st.sampled_from([0, 1, 1, 2, 5, 5, 10, 30, 60])))

    def click(self, draw: Draw) -> None:
        """Somebody clicks a button that stands in Slack."""
        decision = Decision.DENY if draw(RARELY) else Decision.APPROVE
        self.judge(draw(NAME), decision, DIGEST, self.message.ts)

    def wrong(self, draw: Draw) -> None:
        """Somebody clicks a button with another digest, or on another message."""
        seen, ts = draw(st.sampled_from([("sha256:other", self.message.ts), (DIGEST, "0.9")]))
        self.judge(draw(NAME), Decision.APPROVE, seen, ts)

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

    def people(self, draw: Draw) -> None:
        """Somebody gets or loses roles, leaves, comes back, or cannot be looked up."""
        self.model.people[draw(NAME)] = Somebody(draw(ROLES), known=draw(MOSTLY), reachable=draw(MOSTLY))

    def agent(self, draw: Draw) -> None:
        """The agent is revoked or its tool is taken away, or both are undone."""
        self.caller = replace(AGENT, revoked=draw(RARELY), tools=AGENT.tools if draw(MOSTLY) else ())

    def claim(self, draw: Draw) -> None:
        """The agent claims; the model says whether it may."""
        key = draw(st.sampled_from(["k1", "k2", None]))
        digest = draw(st.sampled_from([DIGEST] * 4 + ["sha256:other"]))
        approvers = [self.standing(str(cast.voter)) for cast in self.proposal.approved_by]
        self.grants += 1
        grant = f"grant_{self.grants}"
        events = self.do(
            claim(self.model.now, approvers=approvers, agent=self.caller, digest=digest, key=key, grant_id=grant)
        )
        may = not self.caller.revoked and REFUND in self.caller.tools
        said = self.model.claim(key, right_digest=digest == DIGEST, agent_may=may)
        assert any(isinstance(event, Claimed) for event in events) is (said == "granted")
        assert (events == []) is (said == "replayed")
        assert self.proposal.status.value == self.model.state

    def cancel(self, draw: Draw) -> None:
        """The agent cancels; only what is pending can be. Rarely, since it ends the run."""
        if draw(RARELY):
            assert bool(self.do(cancel(self.model.now))) is (self.model.state == "pending")
            self.model.state = "cancelled" if self.model.state == "pending" else self.model.state

    def report(self, draw: Draw) -> None:
        """The agent reports; once, and only after a claim."""
        reported = any(isinstance(event, OutcomeReported) for event in self.log)
        command = replace(outcome(self.model.now), status=draw(st.sampled_from(["succeeded", "failed", "unknown"])))
        assert bool(self.do(command)) is (bool(self.model.claimed_with) and not reported)

    def repost(self, draw: Draw) -> None:
        """The packet is updated in place, or posted anew: then the old buttons are dead."""
        number = len(self.log)
        ts = f"{number}.0" if draw(RARELY) else self.message.ts
        self.message = Posted("C1", ts, Digest(f"sha256:shown-{number}"))
        self.do(RecordPosted(at(self.model.now), ID, self.message))

    def pause(self, draw: Draw) -> None:
        """Somebody pauses."""
        scope, lasts = draw(st.sampled_from(SCOPES)), draw(st.sampled_from([None, 5, 60]))
        self.pauses += 1
        name = f"p{self.pauses}"
        self.turn(start_pause(self.model.now, scope, pause=name, lasts=lasts))
        ours = scope != SCOPES[-1]
        self.model.pause(name, covers_us=ours, everything=scope == EVERYTHING, lasts=lasts)
        assert ours is False or self.switch.stops(AGENT.id, REFUND) is not None

    def resume(self, draw: Draw) -> None:
        """Somebody resumes, in Slack or on the machine; or the sweep ends the pauses whose time is over."""
        scope = draw(st.sampled_from([None, *SCOPES, EVERYTHING, EVERYTHING]))
        if scope is None:
            self.turn(LiftTimedPauses(at(self.model.now)))
            self.model.lift()
            return
        name = draw(st.sampled_from(NAMES[:2]))
        who: Actor = operator(PersonId(name)) if draw(RARELY) else human(PersonId(name))
        ours = [pause.id for pause in self.switch.of(scope)]
        self.turn(resume(self.model.now, None, scope, by=who))
        if scope == EVERYTHING:
            self.model.resume_everything((who.kind.value, name))
        else:
            self.model.end(ours)

    def sweep(self, draw: Draw) -> None:
        """The sweep looks at the clock; doing it again at the same moment changes nothing more."""
        del draw
        first = self.do(pass_time(self.model.now))
        self.model.sweep()
        assert self.proposal.status.value == self.model.state
        assert len(first) <= 1
        assert self.do(pass_time(self.model.now)) == []

    @invariant()
    def agrees_with_the_model(self) -> None:
        """Status, votes and pauses are what the model says."""
        if not self.log:
            return
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
    def a_trial_is_never_permitted(self) -> None:
        """Of a tool in shadow nothing is ever claimed, and its approval waits for nothing."""
        if self.log and self.model.trial:
            assert not any(isinstance(event, Claimed) for event in self.log)
            assert self.model.state == "pending" or self.proposal.deadline is None

    @invariant()
    def ends_once(self) -> None:
        """At most one approval, one claim, one report, two reminders; after an end nothing moves any more."""
        seen = Counter(map(type, self.log))
        assert all(seen[once] <= 1 for once in (Approved, Claimed, OutcomeReported, OutcomeOverdue))
        assert seen[Reminded] <= 2  # after half of the time, and after four fifths
        ends = [index for index, event in enumerate(self.log) if isinstance(event, ENDS)]
        assert len(ends) <= 1
        for event in self.log[ends[0] + 1 :] if ends else []:
            assert not isinstance(event, Voted | Approved | Claimed | Thawed | Reminded)
        assert len(self.model.claimed_with) == seen[Claimed]


TestApprovals = Approvals.TestCase
TestApprovals.settings = settings(max_examples=max(200, settings().max_examples))
