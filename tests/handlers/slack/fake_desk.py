"""A desk that answers as it is told and remembers what it was asked. It judges nothing."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from approval_rules.events import Refusal
from approval_rules.people import human
from approval_rules.people_events import PersonsChange
from approval_rules.switch import EVERYTHING, Incident, Pause, Scope, ScopeKind
from approval_rules.text import AgentText
from handlers.amending_desk import Asking, Editing, Reply, Screen, TakingBack, What
from handlers.audit_desk import Auditor
from handlers.away_desk import Away, AwaySaid
from handlers.desk import Click, Envelope, Face, IncidentSaid, Judged, Overview, Seen, Switched, Whoami
from handlers.persons_desk import PersonsKnown, PersonsSaid
from handlers.reveal_desk import Look
from handlers.review_desk import SignedReview
from tests.handlers.slack.made import AGENT, FACES, GRACE, NOW, seen


@dataclass(slots=True)
class FakePersons:
    """What is said about people."""

    known_ones: PersonsKnown | Refusal = field(default_factory=lambda: PersonsKnown((), (), ()))
    refusal: Refusal | None = None
    waiting: bool = True
    changes: list[tuple[str, str, str]] = field(default_factory=list)

    async def change(self, who: Envelope, change: PersonsChange, one: str, other: str) -> PersonsSaid:
        """Remember what was said."""
        self.changes.append((change, one, other))
        return PersonsSaid(self.refusal, Face(one, "One"), Face(other, who.user_name), self.waiting)

    async def known(self, who: Envelope) -> PersonsKnown | Refusal:
        """Give what it was told."""
        assert who.account.user_id
        return self.known_ones


@dataclass(slots=True)
class FakeDesk:
    """Tell it what to answer; read afterwards what it was asked. `trouble` is raised by every call."""

    judged: Judged = field(default_factory=lambda: Judged(None, seen()))
    shown: Seen | Refusal | None = field(default_factory=seen)
    waiting: Sequence[Seen] | Refusal = ()
    refuses_switch: Refusal | None = None
    second_person: bool = False
    pauses: Sequence[Pause] = ()
    incident: Incident | None = None
    me: Whoami = field(default_factory=lambda: Whoami(FACES[GRACE], (), None, (), may_resume=False))
    trouble: Exception | None = None
    slow: bool = False
    clicks: list[Click] = field(default_factory=list)
    amended: list[tuple[What, Screen] | Asking | Editing | TakingBack] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    denials: list[Click] = field(default_factory=list)
    asked: list[tuple[Envelope, str]] = field(default_factory=list)
    paused: list[tuple[Scope, timedelta | None, AgentText]] = field(default_factory=list)
    resumed: list[Scope] = field(default_factory=list)
    oldest: bool = True
    away: AwaySaid = field(default_factory=lambda: AwaySaid(None, None, "UTC"))
    gone: list[tuple[str, str | None]] = field(default_factory=list)
    dead: int = 0
    persons: "FakePersons" = field(default_factory=FakePersons)
    look: Look = None
    looks: list[tuple[str, str, AgentText]] = field(default_factory=list)

    @property
    def reviews(self) -> "FakeReviews":
        """Give the access review, which answers as this desk does."""
        return FakeReviews(self)

    @property
    def originals(self) -> "FakeOriginals":
        """Give the looks at originals, which are answered as the test says."""
        return FakeOriginals(self)

    async def answering(self) -> None:
        """Be slow, or in trouble, where the test says so."""
        if self.slow:
            await asyncio.sleep(30)
        if self.trouble is not None:
            raise self.trouble

    async def vote(self, click: Click) -> Judged:
        """Remember the vote."""
        await self.answering()
        self.clicks.append(click)
        return self.judged

    async def begin_denial(self, click: Click) -> Judged:
        """Remember the wish to deny."""
        await self.answering()
        self.denials.append(click)
        return self.judged

    async def begin(self, what: What, screen: Screen) -> Judged:
        """Remember what somebody is about to do."""
        await self.answering()
        self.amended.append((what, screen))
        return self.judged

    async def ask(self, asking: Asking) -> Judged:
        """Remember the question."""
        return await self._amended(asking)

    async def edit(self, editing: Editing) -> Judged:
        """Remember the edit."""
        return await self._amended(editing)

    async def take_back(self, wish: TakingBack) -> Judged:
        """Remember the wish."""
        return await self._amended(wish)

    async def _amended(self, wish: Asking | Editing | TakingBack) -> Judged:
        await self.answering()
        self.amended.append(wish)
        return self.judged

    async def reply(self, reply: Reply) -> None:
        """Remember the reply."""
        await self.answering()
        self.replies.append(reply)

    async def show(self, who: Envelope, unverified_id: str) -> Seen | Refusal | None:
        """Remember who looked."""
        await self.answering()
        self.asked.append((who, unverified_id))
        return self.shown

    async def go_away(self, who: Envelope, until: str, delegate: str | None) -> AwaySaid:
        """Remember the wish."""
        await self.answering()
        self.asked.append((who, "away"))
        self.gone.append((until, delegate))
        return self.away

    async def come_back(self, who: Envelope) -> AwaySaid:
        """Remember it."""
        await self.answering()
        self.asked.append((who, "back"))
        self.gone.append(("back", None))
        return self.away

    async def decline(self, who: Envelope) -> Sequence[Away] | Refusal:
        """Note it, and give for whom that person stood in."""
        self.asked.append((who, "decline"))
        return Refusal.NO_DELEGATE if self.away.away is None else [self.away.away]

    async def away_now(self, who: Envelope) -> AwaySaid:
        """Give how things stand."""
        await self.answering()
        self.asked.append((who, "away?"))
        return self.away

    async def pending(self, who: Envelope, limit: int) -> Sequence[Seen] | Refusal:
        """Give what waits."""
        await self.answering()
        self.asked.append((who, "pending"))
        return self.waiting if isinstance(self.waiting, Refusal) else self.waiting[:limit]

    async def pause(
        self, who: Envelope, scope: Scope, lasts: timedelta | None, reason: AgentText, *, revoke: bool = False
    ) -> Switched:
        """Remember the pause."""
        await self.answering()
        self.asked.append((who, "pause"))
        if self.refuses_switch is None:
            self.paused.append((scope, lasts, reason))
        until = NOW + lasts if lasts else None
        return Switched(self.refuses_switch, scope, until=until, taken_back=2 if revoke else None)

    async def resume(self, who: Envelope, scope: Scope, reason: AgentText) -> Switched:
        """Remember the resume."""
        await self.answering()
        self.asked.append((who, "resume"))
        self.resumed.append(scope)
        assert isinstance(reason, AgentText)
        return Switched(self.refuses_switch, scope, waiting=self.second_person)

    async def declare_incident(self, who: Envelope, reason: AgentText) -> IncidentSaid:
        """Remember the warning."""
        await self.answering()
        self.asked.append((who, "incident on"))
        self.incident = Incident(NOW, human(GRACE), reason)
        return IncidentSaid(self.refuses_switch, self.incident)

    async def clear_incident(self, who: Envelope, reason: AgentText) -> IncidentSaid:
        """Remember its end."""
        await self.answering()
        self.asked.append((who, "incident off"))
        assert isinstance(reason, AgentText)
        return IncidentSaid(self.refuses_switch, None)

    async def overview(self) -> Overview:
        """Give a few figures."""
        await self.answering()
        return Overview(
            pauses=self.pauses,
            incident=self.incident,
            faces=FACES,
            agents={AGENT.id: AGENT.name},
            pending=3,
            oldest_pending_at=NOW if self.oldest else None,
            approved_unclaimed=1,
            outbox_waiting=2,
            outbox_dead=self.dead,
            policy_version="sha256:0f1e2d",
            tools=("payments.refund", "mail.send"),
        )

    async def whoami(self, who: Envelope) -> Whoami:
        """Give what was set."""
        await self.answering()
        self.asked.append((who, "whoami"))
        return self.me

    async def scope_named(self, kind: Literal["all", "agent", "tool"], name: str) -> Scope | None:
        """Know one agent and two tools."""
        await self.answering()
        if kind == "all":
            return EVERYTHING
        known = {"agent": ("refund-bot",), "tool": ("payments.refund", "mail.send")}[kind]
        return Scope(ScopeKind(kind), name) if name in known else None


@dataclass(slots=True)
class FakeReviews:
    """An access review that remembers on its desk."""

    desk: FakeDesk

    async def ask_report(self, who: Envelope) -> Refusal | None:
        """Remember who wants one."""
        await self.desk.answering()
        self.desk.asked.append((who, "access"))
        return self.desk.refuses_switch

    async def sign_report(self, who: Envelope, unverified_digest: str) -> SignedReview:
        """Remember who signed what."""
        await self.desk.answering()
        self.desk.asked.append((who, unverified_digest))
        return SignedReview(self.desk.refuses_switch, complete=not self.desk.second_person)


@dataclass(slots=True)
class FakeOriginals:
    """Answers looks as its desk says, and keeps what was asked."""

    desk: "FakeDesk"

    async def may_in_slack(self, who: Envelope) -> bool:
        """Offer it to nobody but who would be shown something."""
        assert who.account.user_id
        return self.desk.look is not None and not isinstance(self.desk.look, Refusal)

    async def in_slack(self, who: Envelope, unverified_id: str, field: str, reason: AgentText) -> Look:
        """Answer a person."""
        assert who.account.user_id
        self.desk.looks.append((unverified_id, field, reason))
        return self.desk.look

    async def over_http(self, auditor: Auditor, unverified_id: str, field: str, reason: AgentText) -> Look:
        """Nobody comes here from Slack."""
        raise AssertionError((auditor, unverified_id, field, reason))
