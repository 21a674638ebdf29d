"""A stateful model on the real engine: agents, people, pauses, time and trouble in any order.

Each run takes a random subset of the rules, and every promise is checked at the first moment at which it could be seen
to be broken: after each step, by a second, naive reading of the log.
"""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from approval_rules.events import Approved, Claimed, Decision, Voted
from approval_rules.people import Flaw
from approval_rules.state import Status
from approval_rules.switch import EVERYTHING, Scope, ScopeKind
from approval_rules.text import AgentText
from bot.store import rows
from bot.store.codec import Recorded
from bot.store.engine import open_reader
from handlers.desk import Accepted, Envelope, Grant, Judged, Refused
from tests.bot.desk.rig import PEOPLE, Rig
from tests.crash.laws import Reading
from tests.ledger import Ledger
from tests.world import TOOL

T = TypeVar("T")
Rule = TypeVar("Rule", bound=Callable[..., object])
RELEASE = os.environ.get("FOUREYES_HYPOTHESIS") == "release"
RULES = ("cancel", "claim", "pause", "people", "race", "report", "restart", "retry", "shadow", "time", "wrong")
_NEW_ENTRIES = "SELECT seq, body, leaf_hash FROM entries WHERE seq > ? ORDER BY seq"
_NEW_VALUES = "SELECT seq, name, value FROM detached WHERE seq > ? ORDER BY seq"

people = st.sampled_from(PEOPLE)
some_people = st.lists(people, min_size=2, max_size=5)
decisions = st.sampled_from([Decision.APPROVE, Decision.APPROVE, Decision.APPROVE, Decision.DENY])
which = st.integers(0, 10**6)
scopes = st.sampled_from([EVERYTHING, Scope(ScopeKind.TOOL, TOOL), Scope(ScopeKind.AGENT)])


def enabled(name: str) -> Callable[[Rule], Rule]:
    """Let a rule run only in the runs that drew it, and only where there is something to act on."""
    return precondition(lambda self: name in self.drawn and bool(self.proposals))


# Whoever is one of these is no person of this workspace, so he cannot have started a run.
NO_STARTER = {Flaw.UNKNOWN, Flaw.OTHER_WORKSPACE, Flaw.STRANGER, Flaw.BOT}


class Engine(RuleBasedStateMachine):
    """What agents, people, the clock and misfortune do; and what they were told."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="foureyes-model-"))
        self.runner = asyncio.Runner()
        self.rig = self.run(self._rig())
        self.drawn: frozenset[str] = frozenset()
        self.reading = Reading()
        self.seen = -1
        self.proposals: list[tuple[str, str, int]] = []
        self.places: dict[str, str] = {}
        self.submitted: dict[str, tuple[Any, ...]] = {}
        self.ids: dict[str, str] = {}
        self.grants: dict[str, set[str]] = {}
        self.counted = 0
        self.votes = 0
        self.steps = 0

    def run(self, work: Awaitable[T]) -> T:
        """Run something to its end."""

        async def wait() -> T:
            return await work

        return self.runner.run(wait())

    async def _rig(self) -> Rig:
        rig = Rig(self.folder)
        await rig.hire()
        return rig

    def teardown(self) -> None:
        """At the end of each run the log verifies and the index is its fold."""
        try:
            assert self.rig.faults() == []
            with closing(open_reader(self.rig.path)) as db:
                ledger = Ledger.read(db)
            assert sorted(ledger.keys.values()) == sorted(set(self.ids.values()))
        finally:
            self.run(self.rig.close())
            self.runner.close()
            shutil.rmtree(self.folder)

    @initialize(names=st.frozensets(st.sampled_from(RULES)))
    def choose_rules(self, names: frozenset[str]) -> None:
        """Choose what may happen in this run."""
        self.drawn = names

    # --- what happens

    @precondition(lambda self: self.few_are_open())
    @rule(
        agent=st.sampled_from([0, 1]),
        amount=st.sampled_from([20, 180, 180, 180]),
        starter=st.none() | people,
        expires=st.sampled_from([None, None, timedelta(minutes=1), timedelta(days=2)]),
        claim=st.booleans(),
    )
    def submit(
        self,
        agent: int,
        amount: int,
        starter: str | None,
        expires: timedelta | None,
        claim: bool,  # noqa: FBT001 - drawn by Hypothesis
    ) -> None:
        """Propose; most packets are posted at once."""
        key = f"key-{len(self.submitted)}"
        self.submitted[key] = (agent, amount, starter, expires, claim)
        self.propose(key)

    def propose(self, key: str) -> None:
        """Submit what a key stands for, and hold the answer against every earlier one (I1)."""
        agent, amount, starter, expires, claim = self.submitted[key]
        answer = self.run(
            self.rig.submit(self.rig.agents[agent], amount, key, starter=starter, expires=expires, claim=claim)
        )
        if not isinstance(answer, Accepted):
            nobody = self.rig.staff.flaws.get(starter or "") in NO_STARTER
            assert answer.code == "paused" or (nobody and key not in self.ids)
            return
        assert answer.replayed or self.rig.staff.flaws.get(starter or "") not in NO_STARTER
        proposal = answer.seen.proposal
        assert self.ids.setdefault(key, proposal.id) == proposal.id
        if answer.grant is not None:
            self.grants.setdefault(proposal.id, set()).add(answer.grant.token)
        if not answer.replayed:
            self.proposals.append((proposal.id, proposal.digest, agent))
            if proposal.status is Status.PENDING:
                self.post(0)

    @enabled("retry")
    @rule(number=which)
    def submit_again(self, number: int) -> None:
        """Retry any earlier proposal, in its own words."""
        self.propose(f"key-{number % len(self.submitted)}")

    @enabled("wrong")
    @rule(number=which)
    def post(self, number: int) -> None:
        """Post a packet, or post it anew: the old message has no power any more."""
        proposal, _, _ = self.proposals[self.place(number)]
        self.places[proposal] = f"{1_700_000_000 + len(self.places)}.{self.steps:06d}"
        self.run(self.rig.post(proposal, self.places[proposal]))

    def place(self, number: int) -> int:
        """Choose one of the newest proposals: the older ones are mostly over."""
        return len(self.proposals) - 1 - number % min(3, len(self.proposals))

    def few_are_open(self) -> bool:
        """Tell whether there is room for one more; a crowd would only spread what happens over too many."""
        return sum(known.state == "pending" for known in self.reading.proposals.values()) < 3

    def press(self, number: int, user: str, decision: Decision) -> Awaitable[Judged]:
        """Make one click."""
        proposal, digest, _ = self.proposals[self.place(number)]
        ts = self.places.get(proposal, "1.1")
        return self.rig.for_people.vote(self.rig.click(user, proposal, digest, ts, decision))

    def ask(self, number: int, key: str | None = None) -> Awaitable[Grant | Refused | None]:
        """Make one claim."""
        proposal, digest, agent = self.proposals[self.place(number)]
        return self.rig.for_agents.claim(self.rig.agents[agent], proposal, digest, key)

    def together(self, number: int, *works: Awaitable[Any]) -> None:
        """Let things about one proposal happen at once, and keep what was answered.

        Whoever is told that a click counted must have been counted; there are never two permissions (I5).
        """

        async def all_of_them() -> list[Any]:
            return await asyncio.gather(*works)

        proposal, _, _ = self.proposals[self.place(number)]
        grants = self.grants.setdefault(proposal, set())
        for answer in self.run(all_of_them()):
            if isinstance(answer, Judged) and answer.refusal is None:
                self.counted += 1
            if isinstance(answer, Grant):
                grants.add(answer.token)
        assert len(grants) <= 1

    @precondition(lambda self: bool(self.proposals))
    @rule(number=which, user=people, decision=decisions)
    def vote(self, number: int, user: str, decision: Decision) -> None:
        """Press a button of a packet."""
        self.together(number, self.press(number, user, decision))

    @precondition(lambda self: bool(self.proposals))
    @rule(users=some_people, decision=decisions)
    def vote_together(self, users: list[str], decision: Decision) -> None:
        """Several people press at once, on the newest packet."""
        self.together(0, *(self.press(0, user, decision) for user in users))

    @enabled("wrong")
    @rule(number=which, user=people, what=st.sampled_from(["digest", "place", "proposal"]))
    def vote_wrongly(self, number: int, user: str, what: str) -> None:
        """Press something that is not what was recorded: it never counts."""
        proposal, digest, _ = self.proposals[self.place(number)]
        ts = self.places.get(proposal, "1.1")
        wrong = {
            "digest": (proposal, "sha256:" + "0" * 64, ts),
            "place": (proposal, digest, "9.9"),
            "proposal": ("prop_none", digest, ts),
        }[what]
        click = self.rig.click(user, *wrong, Decision.APPROVE)
        assert self.run(self.rig.for_people.vote(click)).refusal is not None

    @enabled("claim")
    @rule(number=which, key=st.none() | st.sampled_from(["a", "b"]), times=st.integers(1, 3))
    def claim(self, number: int, key: str | None, times: int) -> None:
        """Ask for the permission, several times at once."""
        self.together(number, *(self.ask(number, key) for _ in range(times)))

    @enabled("race")
    @rule(users=some_people, scope=scopes, user=people)
    def race(self, users: list[str], scope: Scope, user: str) -> None:
        """Votes, claims, a cancellation and a pause meet on the newest proposal."""
        proposal, _, agent = self.proposals[0]
        self.together(
            0,
            *(self.press(0, one, Decision.APPROVE) for one in users[:2]),
            self.ask(0),
            self.pausing(user, scope, None),
            *(self.press(0, one, Decision.APPROVE) for one in users[2:]),
            self.ask(0),
            self.rig.for_agents.cancel(self.rig.agents[agent], proposal),
        )

    @precondition(lambda self: "shadow" in self.drawn)
    @rule()
    def turn_shadow(self) -> None:
        """Put the tool into shadow, or take it live; what is under way stays what it was."""
        folder = self.rig.policy.folder
        turned = {tool: replace(policy, shadow=not policy.shadow) for tool, policy in folder.policies.items()}
        self.rig.policy.folder = replace(folder, policies=turned)

    @enabled("cancel")
    @rule(number=which)
    def cancel(self, number: int) -> None:
        """Take a proposal back."""
        proposal, _, agent = self.proposals[self.place(number)]
        self.run(self.rig.for_agents.cancel(self.rig.agents[agent], proposal))

    @enabled("report")
    @rule(number=which, status=st.sampled_from(["succeeded", "failed"]))
    def report(self, number: int, status: Any) -> None:  # noqa: ANN401 - a literal
        """Say how it went."""
        proposal, _, agent = self.proposals[self.place(number)]
        self.run(self.rig.for_agents.report(self.rig.agents[agent], proposal, status, {}))

    def pausing(self, user: str, scope: Scope, lasts: timedelta | None) -> Awaitable[object]:
        """Make one pause."""
        return self.rig.for_people.pause(self.asking(user), self.scope(scope), lasts, AgentText("stop"))

    def asking(self, user: str) -> Envelope:
        """Make the envelope of one command."""
        return self.rig.envelope(user, f"command-{self.steps}-{user}-{len(self.reading.broken)}-{self.seen}")

    def scope(self, scope: Scope) -> Scope:
        """Fill in the agent of a scope."""
        return Scope(ScopeKind.AGENT, self.rig.agents[0].id) if scope.kind is ScopeKind.AGENT else scope

    @enabled("pause")
    @rule(number=which, user=people, scope=scopes, lasts=st.sampled_from([None, None, timedelta(minutes=5)]))
    def pause(self, number: int, user: str, scope: Scope, lasts: timedelta | None) -> None:
        """Stop a scope, with a claim right behind it."""
        self.together(number, self.pausing(user, scope, lasts), self.ask(number))

    @precondition(lambda self: {"pause", "race"} & self.drawn)
    @rule(user=people, scope=scopes)
    def resume(self, user: str, scope: Scope) -> None:
        """Start a scope again, or ask for it."""
        self.run(self.rig.for_people.resume(self.asking(user), self.scope(scope), AgentText("go on")))

    @enabled("time")
    @rule(minutes=st.sampled_from([1, 10, 70, 300]), sweep=st.booleans())
    def time_passes(self, minutes: int, sweep: bool) -> None:  # noqa: FBT001 - drawn by Hypothesis
        """Go ahead in time; the sweeps may come late."""
        self.rig.clock.move(timedelta(minutes=minutes))
        if sweep:
            self.run(self.rig.sweeps.lift_timed_pauses())
            self.run(self.rig.sweeps.pass_time())

    @enabled("people")
    @rule(number=which, user=people, change=st.sampled_from(["leaves", "leaves", "returns", *Flaw]), other=people)
    def somebody_changes(self, number: int, user: str, change: str, other: str) -> None:
        """Somebody, rather one who has voted, leaves, returns, or cannot be known; then somebody else votes."""
        staff = self.rig.staff
        voters = [self.user(voter) for voter in self.yes_of(self.proposals[self.place(number)][0])]
        who = voters[number % len(voters)] if voters else user
        staff.outside.discard(who)
        staff.flaws.pop(who, None)
        if change == "leaves":
            staff.outside.add(who)
        elif change != "returns":
            staff.flaws[who] = Flaw(change)
        self.together(number, self.press(number, other, Decision.APPROVE))

    @enabled("restart")
    @rule()
    def restart(self) -> None:
        """Close everything and open it again on the same file."""
        self.run(self.rig.restart())

    # --- what must be true after each step

    @invariant()
    def every_promise_holds(self) -> None:
        """Read what is new in the log, judge it without asking the rules, and hold it against the world of now."""
        self.steps += 1
        for item in self.new_entries():
            self.reading.take(item.seq, item.event)
            self.seen = item.seq
            match item.event:
                case Voted():
                    self.votes += 1
                    assert self.rig.staff.eligible(self.user(item.event.voter)), "I2: eligible when voting"
                case Approved() if item.event.by.ref == "quorum":
                    assert self.enough(item.event.proposal), "I2: eligible when deciding"
                case Claimed():
                    assert self.enough(item.event.proposal), "I2: eligible when claiming"
        assert self.reading.broken == []
        assert self.counted == self.votes, "whoever is told that it counted was counted, and nobody else"

    def enough(self, proposal: str) -> bool:
        """Tell whether as many as are needed said yes and are eligible now; whoever else did does not count."""
        needed = self.reading.proposals[proposal].born.requirement.approvals
        eligible = [voter for voter in self.yes_of(proposal) if self.rig.staff.eligible(self.user(voter))]
        return len(eligible) >= needed

    def yes_of(self, proposal: str) -> list[str]:
        """List who said yes, as the naive reading has it."""
        votes = self.reading.proposals[proposal].votes
        return [voter for voter, decision in votes.items() if decision is Decision.APPROVE]

    def user(self, person: str) -> str:
        """Give the Slack user behind a pseudonym."""
        with closing(open_reader(self.rig.path)) as db:
            row = db.execute("SELECT user_id FROM people WHERE ref = ?", (person,)).fetchone()
        return str(row[0])

    def new_entries(self) -> tuple[Recorded, ...]:
        """Read the entries since the last step, as a stranger with the file would."""
        with closing(open_reader(self.rig.path)) as db:
            return rows.recorded_from(
                db.execute(_NEW_ENTRIES, (self.seen,)).fetchall(), db.execute(_NEW_VALUES, (self.seen,)).fetchall()
            )


TestEngine = Engine.TestCase
TestEngine.settings = settings(
    max_examples=settings.default.max_examples if RELEASE and settings.default else 60,
    stateful_step_count=settings.default.stateful_step_count if settings.default else 50,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    deadline=None,
)
