"""What a person may ask for in Slack: vote, look, pause, resume."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Literal, TypeVar

from approval_rules.commands import CastVote, ClearIncident, DeclareIncident, IncidentCommand, Resume, StartPause
from approval_rules.decide import Events, decide, decide_switch
from approval_rules.events import (
    IncidentRefused,
    Paused,
    Refusal,
    ResumeAsked,
    Resumed,
    SwitchEvent,
    SwitchRefused,
    Voted,
    VoteRefused,
)
from approval_rules.incident import decide_incident
from approval_rules.people import Account, AgentId, Flaw, PersonId, RoleName, Standing, human
from approval_rules.switch import EVERYTHING, Scope, ScopeKind
from approval_rules.text import AgentText
from approval_rules.times import parse_time
from bot.desk.apply import apply, known, seen_in
from bot.desk.away import AwayUseCases, delegators, duties_of, everybody_away
from bot.desk.explained import explained
from bot.desk.persons import NeedPeopleError, concerned, judges, meet, standing_in, vouched
from bot.desk.persons_changed import PersonsUseCases
from bot.desk.revealing import RevealUseCases
from bot.desk.reviewing import ReviewUseCases
from bot.desk.switching import record_incident, record_switch
from bot.desk.taking_back import count_unclaimed
from bot.desk.wiring import Wiring, all_seen_from, look_up_all, seen_from, written
from bot.directory import Member
from bot.store import drills, outbox, rows
from bot.store.outbox import Kind
from bot.store.rows import Loaded
from bot.store.transaction import Transaction
from handlers.desk import Click, Envelope, Face, IncidentSaid, Judged, Overview, Seen, Switched, Whoami

T = TypeVar("T")
OPERATOR = RoleName("operator")
_ROUNDS = 5


class PeopleUseCases(AwayUseCases):
    """Provides `handlers.desk.PeopleDesk`."""

    def __init__(self, wiring: Wiring) -> None:
        super().__init__(wiring)
        self.persons = PersonsUseCases(wiring)
        self.reviews = ReviewUseCases(wiring)
        self.originals = RevealUseCases(wiring)

    async def vote(self, click: Click) -> Judged:
        """Count or refuse a vote."""
        return await self.with_people(click, lambda tx, members: vote(tx, click, members, rehearse=False))

    async def begin_denial(self, click: Click) -> Judged:
        """Tell whether a denial would count; only a refusal is recorded."""
        return await self.with_people(click, lambda tx, members: vote(tx, click, members, rehearse=True))

    async def with_people(self, click: Click, unit: Callable[[Transaction, dict[Account, Member]], T]) -> T:
        """Run a unit that needs standings: whoever it misses is looked up outside, and it runs again.

        The directory is asked before a transaction and never inside, so a unit can only say whom it misses: somebody
        who voted after the first look.
        """
        snapshot = self._wiring.reads.glance()
        loaded = await snapshot.proposal(click.unverified_proposal)
        accounts = await snapshot.accounts(concerned(loaded.proposal) if loaded else ())
        asked = {click.who.account: None} | {account: None for account, _ in accounts.values()}
        members = await look_up_all(self._wiring.directory, list(asked))
        for _ in range(_ROUNDS):
            try:
                return await written(self._wiring, partial(_turned, unit, members))
            except NeedPeopleError as missing:
                members |= await look_up_all(self._wiring.directory, list(missing.accounts.values()))
        # Voters keep arriving faster than they can be looked up: whoever is missing cannot be vouched for.
        return await written(self._wiring, lambda tx: unit(tx, _Unvouched(members)))

    async def show(self, who: Envelope, unverified_id: str) -> Seen | Refusal | None:
        """Give one proposal to a person who may see it."""
        member = await self._wiring.directory.look_up(who.account)
        snapshot = self._wiring.reads.glance()
        loaded = await snapshot.proposal(unverified_id)
        seen = None if loaded is None else await seen_from(snapshot, loaded)
        if seen is not None and self._may_see(who, member, seen):
            return await explained(self._wiring, seen)
        if member.flaw is not None:
            return Refusal(member.flaw.value)
        return Refusal.NOT_IN_ROLE if seen is not None else None

    def _may_see(self, who: Envelope, member: Member, seen: Seen) -> bool:
        owner = seen.faces.get(seen.proposal.agent.owner)
        owns = (
            owner is not None and owner.user_id == who.account.user_id and who.account.team_id == self._wiring.home_team
        )
        return member.flaw is None and (bool(member.roles or member.off_duty) or owns)

    async def pending(self, who: Envelope, limit: int) -> Sequence[Seen] | Refusal:
        """List what waits for people, by deadline; somebody in no role sees what the own agents wait for."""
        member = await self._wiring.directory.look_up(who.account)
        if member.flaw is not None:
            return Refusal(member.flaw.value)
        async with self._wiring.reads.snapshot() as snapshot:
            if member.roles or member.off_duty:
                found = await snapshot.rows(rows.PENDING, {"limit": limit})
            else:
                owner = self._wiring.reads.person(who.account)
                found = await snapshot.rows(rows.PENDING_OF_OWNER, {"owner": owner, "limit": limit})
            several = [await snapshot.proposal(row[0]) for row in found]
            seen = await all_seen_from(snapshot, [loaded for loaded in several if loaded is not None])
        return [one for one in seen if self._may_see(who, member, one)]

    async def pause(
        self, who: Envelope, scope: Scope, lasts: timedelta | None, reason: AgentText, *, revoke: bool = False
    ) -> Switched:
        """Stop a scope now."""
        member = await self._wiring.directory.look_up(who.account)
        flaw = None if member.full_member else member.flaw

        def unit(tx: Transaction) -> Switched:
            person = tx.person(who.account, member.name or who.user_name)
            standing = Standing(person, flaw=flaw)
            command = StartPause(tx.at, human(person), tx.new_id("pause"), scope, lasts, reason, standing, revoke)
            return switched(tx, scope, decide_switch(tx.switch, command), who.request_id)

        return await written(self._wiring, unit)

    async def resume(self, who: Envelope, scope: Scope, reason: AgentText) -> Switched:
        """Start a scope again; everything needs two people."""
        member = await self._wiring.directory.look_up(who.account)

        def unit(tx: Transaction) -> Switched:
            person = meet(tx, who.account, member, member.name or who.user_name)
            standing = standing_in(tx, person, member)
            command = Resume(tx.at, human(person), scope, reason, standing, may_resume=self.may_resume(member))
            return switched(tx, scope, decide_switch(tx.switch, command), who.request_id)

        return await written(self._wiring, unit)

    async def declare_incident(self, who: Envelope, reason: AgentText) -> IncidentSaid:
        """Say that an incident is going on."""
        member = await self._wiring.directory.look_up(who.account)
        flaw = None if member.full_member else member.flaw

        def unit(tx: Transaction) -> IncidentSaid:
            person = tx.person(who.account, member.name or who.user_name)
            command = DeclareIncident(tx.at, human(person), reason, Standing(person, flaw=flaw))
            return _incident(tx, command, who.request_id)

        return await written(self._wiring, unit)

    async def clear_incident(self, who: Envelope, reason: AgentText) -> IncidentSaid:
        """Say that it is over."""
        member = await self._wiring.directory.look_up(who.account)

        def unit(tx: Transaction) -> IncidentSaid:
            person = meet(tx, who.account, member, member.name or who.user_name)
            standing, may = standing_in(tx, person, member), self.may_resume(member)
            return _incident(tx, ClearIncident(tx.at, human(person), reason, standing, may), who.request_id)

        return await written(self._wiring, unit)

    def may_resume(self, member: Member) -> bool:
        """The role `operator` where the roles name it, else anyone in an approver role."""
        roles = self._wiring.policy.folder.roles
        return OPERATOR in member.roles if OPERATOR in roles else bool(member.roles)

    async def overview(self) -> Overview:
        """Give the state of everything."""
        tools = await self._tools_of_agents()
        async with self._wiring.reads.snapshot() as snapshot:
            switch = await snapshot.switch()
            actors = [one.by for one in (*switch.active, switch.incident) if one is not None]
            accounts = await snapshot.accounts(PersonId(actor.ref) for actor in actors)
            agents = await snapshot.rows("SELECT id, name FROM agents", {})
            states = await snapshot.rows(rows.OPEN_COUNTS, {})
            waiting = await snapshot.rows(outbox.COUNTS, {})
            away = await everybody_away(snapshot, self._wiring.clock())
            drill = drills.newest(await snapshot.rows(drills.NEWEST, {}))
        counts = {state: count for state, count, _ in states}
        queue = {str(state): int(count) for state, count in waiting}
        oldest = next((oldest for state, _, oldest in states if state == "pending"), None)
        return Overview(
            pauses=switch.active,
            faces={person: Face(account.user_id, name) for person, (account, name) in accounts.items()},
            agents={AgentId(ident): name for ident, name in agents},
            pending=counts.get("pending", 0),
            oldest_pending_at=None if oldest is None else parse_time(oldest),
            approved_unclaimed=counts.get("approved", 0),
            outbox_waiting=queue.get("queued", 0) + queue.get("sending", 0),
            outbox_dead=queue.get("dead", 0),
            tools=sorted({*self._wiring.policy.folder.policies, *tools}),
            policy_version=self._wiring.policy.folder.version,
            incident=switch.incident,
            away=away,
            drill=drill,
        )

    async def whoami(self, who: Envelope) -> Whoami:
        """Tell a person what they are here."""
        member = await self._wiring.directory.look_up(who.account)
        snapshot = self._wiring.reads.glance()
        owned = await snapshot.rows(
            "SELECT name FROM agents WHERE owner = :owner AND revoked_at IS NULL ORDER BY name",
            {"owner": self._wiring.reads.person(who.account)},
        )
        flaw = None if member.flaw is None else Refusal(member.flaw.value)
        face = Face(who.account.user_id, member.name or who.user_name)
        may_resume = flaw is None and self.may_resume(member)
        duties = duties_of(self._wiring.policy.folder, who.account, member, self._wiring.clock())
        away = (await self.away_now(who)).away
        owns = tuple(row[0] for row in owned)
        return Whoami(face, tuple(sorted(member.roles)), flaw, owns, may_resume, duties, away)

    async def scope_named(self, kind: Literal["all", "agent", "tool"], name: str) -> Scope | None:
        """Find the scope that a person typed."""
        if kind == "all":
            return EVERYTHING
        if kind == "tool":
            known_tools = {*self._wiring.policy.folder.policies, *await self._tools_of_agents()}
            return Scope(ScopeKind.TOOL, name) if name in known_tools else None
        async with self._wiring.reads.snapshot() as snapshot:
            found = await snapshot.rows("SELECT id FROM agents WHERE name = :name OR id = :name", {"name": name})
        return Scope(ScopeKind.AGENT, found[0][0]) if found else None

    async def _tools_of_agents(self) -> set[str]:
        async with self._wiring.reads.snapshot() as snapshot:
            found = await snapshot.rows("SELECT DISTINCT value FROM agents, json_each(agents.tools)", {})
        return {row[0] for row in found}


def _turned(
    unit: Callable[[Transaction, dict[Account, Member]], T], members: dict[Account, Member], tx: Transaction
) -> T:
    return unit(tx, members)


class _Unvouched(dict[Account, Member]):
    """Members that never miss anyone: whoever was not looked up is somebody Slack could not vouch for."""

    def __missing__(self, account: Account) -> Member:
        known_at = next(iter(self.values())).known_at
        return Member("", Flaw.DIRECTORY_DOWN, frozenset(), known_at, full_member=False)

    def __contains__(self, account: object) -> bool:
        return True


def vote(tx: Transaction, click: Click, members: dict[Account, Member], *, rehearse: bool) -> Judged:
    """Count or refuse a vote; with `rehearse`, only a refusal is recorded."""
    loaded = known(tx, click.unverified_proposal)
    if not first_click(tx, click):
        return told_before(tx, click, loaded)
    if loaded is None:
        _answer(tx, click, None, Refusal.NOT_OUR_MESSAGE)
        return Judged(Refusal.NOT_OUR_MESSAGE, None)
    command = vote_command(tx, click, loaded, members)
    foreseen = decide(loaded.proposal, command, tx.switch)
    if rehearse and refusal_in(foreseen) is None:
        return Judged(None, seen_in(tx, loaded))
    return recorded_vote(tx, click, loaded, command, foreseen)


def vote_command(tx: Transaction, click: Click, loaded: Loaded, members: dict[Account, Member]) -> CastVote:
    """Say what a click asks for, with the clicker and the earlier voters as they stand now."""
    who = click.who
    name = members[who.account].name or who.user_name
    found = judges(tx, loaded, who.account, name, members)
    return CastVote(
        at=tx.at,
        proposal=loaded.proposal.id,
        voter=found.voter,
        others=found.others,
        decision=click.decision,
        seen=click.unverified_digest,
        channel=who.channel,
        ts=click.ts,
        reason=click.reason,
        absent=vouched(tx, delegators(tx, found.voter.person), members),
        category=click.category,
    )


def refusal_in(foreseen: Events) -> Refusal | None:
    """Tell why a vote would not count; None where it would."""
    return next((event.code for event in foreseen if isinstance(event, VoteRefused)), None)


def recorded_vote(tx: Transaction, click: Click, loaded: Loaded, command: CastVote, foreseen: Events) -> Judged:
    """Record what a vote came to, and plan the answer to the clicker."""
    refusal = refusal_in(foreseen)
    after = apply(tx, loaded, command, foreseen).loaded or loaded
    _answer(tx, click, after, refusal)
    return Judged(refusal, seen_in(tx, after))


def first_click(tx: Transaction, click: Click) -> bool:
    """Note the request that a click came with; False where exactly this one was handled before."""
    return tx.first_seen(_fingerprint(click.who.request_id))


def told_before(tx: Transaction, click: Click, loaded: Loaded | None) -> Judged:
    """Say again what became of a request that comes again: the newest such decision of this person."""
    if loaded is None:
        return Judged(Refusal.NOT_OUR_MESSAGE, None)
    by = human(tx.person(click.who.account, ""))
    judged = [
        item.event
        for item in loaded.recorded
        if isinstance(item.event, Voted | VoteRefused) and (item.event.by, item.event.decision) == (by, click.decision)
    ]
    newest = judged[-1] if judged else None
    return Judged(newest.code if isinstance(newest, VoteRefused) else None, seen_in(tx, loaded))


def _answer(tx: Transaction, click: Click, after: Loaded | None, refusal: Refusal | None) -> None:
    """Plan the answer that only the clicker sees. The response address lives in the outbox alone, and not for long."""
    url = click.who.response_url
    if url is None:
        return
    subject = after.proposal.id if after else "unknown"
    payload = {
        "url": url,
        "decision": click.decision.value,
        "refusal": None if refusal is None else refusal.value,
    }
    outbox.plan(tx, Kind.ANSWER, subject, tx.size, payload, name=f"answer:{_fingerprint(click.who.request_id)}")


def once(tx: Transaction, request_id: str) -> bool:
    """Note a signed request; False where exactly this one was handled before."""
    return tx.first_seen(_fingerprint(request_id))


def _fingerprint(request_id: str) -> str:
    return hashlib.sha256(request_id.encode()).hexdigest()


def switched(tx: Transaction, scope: Scope, events: Sequence[SwitchEvent], request_id: str) -> Switched:
    """Record what became of a pause or a resume, once for each request."""
    if not tx.first_seen(_fingerprint(request_id)):
        return Switched(None, scope, tx.switch.active)
    event = events[0]
    taken_back = count_unclaimed(tx, scope) if isinstance(event, Paused) and event.revoke else None
    record_switch(tx, events)
    match event:
        case SwitchRefused():
            return Switched(event.code, scope, tx.switch.active)
        case ResumeAsked():
            return Switched(None, scope, tx.switch.active, waiting=True)
        case Paused():
            return Switched(None, scope, tx.switch.active, until=event.until, taken_back=taken_back)
        case Resumed():
            return Switched(None, scope, tx.switch.active)


def _incident(tx: Transaction, command: IncidentCommand, request_id: str) -> IncidentSaid:
    refusal = None
    if tx.first_seen(_fingerprint(request_id)):
        event = decide_incident(tx.switch, command)
        record_incident(tx, event)
        refusal = event.code if isinstance(event, IncidentRefused) else None
    return IncidentSaid(refusal, tx.switch.incident)
