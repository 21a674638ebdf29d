"""What a person may say about being away, and who has named whom as delegate. It decides nothing itself."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from approval_rules.away import AwayCommand, ComeBack, SetAway, decide_away, decline
from approval_rules.duty_events import AwayDeclined, AwayRefused, AwaySet
from approval_rules.on_call import next_change
from approval_rules.people import Account, PersonId
from approval_rules.policy import PolicyFolder
from approval_rules.refusals import Refusal
from approval_rules.roles import AHEAD
from approval_rules.times import format_time, parse_time
from approval_rules.until_words import until_when
from bot.desk.persons import meet, standing_in
from bot.desk.wiring import Wiring, look_up_all, written
from bot.directory import Member
from bot.store import absences, outbox
from bot.store.outbox import Kind
from bot.store.reads import Snapshot
from bot.store.transaction import Transaction
from handlers.away_desk import Away, AwaySaid, Duty
from handlers.desk import Envelope, Face

MOST_SHOWN: Final = 20


class AwayUseCases:
    """Provides `handlers.away_desk.AwayDesk`."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring

    async def go_away(self, who: Envelope, until: str, delegate: str | None) -> AwaySaid:
        """Note that somebody is away, by the clock of the person's own zone in Slack."""
        deputy = None if delegate is None else Account(self._wiring.home_team, delegate)
        members = await look_up_all(self._wiring.directory, [who.account, *([deputy] if deputy else [])])
        me = members[who.account]
        name, zone = _zone(me.time_zone)
        end = until_when(until, self._wiring.clock(), zone)
        if end is None:
            return AwaySaid(None, await self._away(who.account), name, unread=True)

        def unit(tx: Transaction) -> AwaySaid:
            person = standing_in(tx, meet(tx, who.account, me, me.name or who.user_name), me)
            if deputy is None:
                return _noted(tx, who, SetAway(tx.at, person, end, None), name, None)
            other = members[deputy]
            found = standing_in(tx, meet(tx, deputy, other, other.name), other)
            away = bool(tx.rows(absences.OF_PERSON, {"person": found.person, "now": format_time(tx.at)}))
            command = SetAway(tx.at, person, end, found, delegate_away=away)
            return _noted(tx, who, command, name, Face(deputy.user_id, other.name))

        return await written(self._wiring, unit)

    async def come_back(self, who: Envelope) -> AwaySaid:
        """End it before its time."""
        me = await self._wiring.directory.look_up(who.account)
        name, _ = _zone(me.time_zone)

        def unit(tx: Transaction) -> AwaySaid:
            person = standing_in(tx, meet(tx, who.account, me, me.name or who.user_name), me)
            where = {"person": person.person, "now": format_time(tx.at)}
            return _noted(tx, who, ComeBack(tx.at, person, bool(tx.rows(absences.OF_PERSON, where))), name, None)

        return await written(self._wiring, unit)

    async def decline(self, who: Envelope) -> Sequence[Away] | Refusal:
        """Let a delegate stand in for nobody. Slack is not asked: saying no must work while it is down."""

        def unit(tx: Transaction) -> Sequence[Away] | Refusal:
            delegate = tx.person(who.account, "")
            if not tx.first_seen(hashlib.sha256(who.request_id.encode()).hexdigest()):
                return ()
            away = _naming(tx, delegate)
            _decline(tx, delegate, away)
            return list(away.values()) or Refusal.NO_DELEGATE

        return await written(self._wiring, unit)

    async def away_now(self, who: Envelope) -> AwaySaid:
        """Tell how things stand."""
        me = await self._wiring.directory.look_up(who.account)
        return AwaySaid(None, await self._away(who.account), _zone(me.time_zone)[0])

    async def _away(self, account: Account) -> Away | None:
        now = await everybody_away(self._wiring.reads.glance(), self._wiring.clock())
        return next((away for away in now if away.who.user_id == account.user_id), None)


def _noted(tx: Transaction, who: Envelope, command: AwayCommand, zone: str, delegate: Face | None) -> AwaySaid:
    """Record what was decided, once for each request, and tell everybody where somebody is to stand in."""
    if not tx.first_seen(hashlib.sha256(who.request_id.encode()).hexdigest()):
        return AwaySaid(None, None, zone)
    event = decide_away(command)
    recorded = tx.record(event)
    if isinstance(event, AwayRefused):
        return AwaySaid(event.code, None, zone)
    if not isinstance(event, AwaySet):
        return AwaySaid(None, None, zone)
    if event.delegate is not None:
        outbox.plan(tx, Kind.ANNOUNCE, event.person, recorded.seq, {})
    # Whoever is away stands in for nobody; those who counted on it are told as if this one had said so.
    if naming := _naming(tx, event.person):
        _decline(tx, event.person, naming)
    return AwaySaid(None, Away(Face(who.account.user_id, who.user_name), event.until, delegate), zone)


def _naming(tx: Transaction, delegate: PersonId) -> dict[PersonId, Away]:
    """Give those who are away and named this person."""
    naming = tx.rows(absences.NAMING, {"person": delegate, "now": format_time(tx.at)})
    return {PersonId(ref): Away(Face(user, name), parse_time(until), None) for ref, user, name, until in naming}


def _decline(tx: Transaction, delegate: PersonId, away: Mapping[PersonId, Away]) -> None:
    """Let a delegate stand in for nobody, and tell whoever is away and the channel."""
    for event in decline(tx.at, delegate, {person: one.until for person, one in away.items()}):
        recorded = tx.record(event)
        if isinstance(event, AwayDeclined):
            outbox.plan(tx, Kind.ANNOUNCE, event.person, recorded.seq, {})
            outbox.plan(tx, Kind.TELL, event.person, recorded.seq, {})


def _zone(name: str | None) -> tuple[str, tzinfo]:
    """Find the zone that Slack names; what cannot be found is read as UTC, and the answer says so."""
    try:
        return (name, ZoneInfo(name)) if name else ("UTC", UTC)
    except (ValueError, OSError, KeyError):
        return "UTC", UTC


def delegators(tx: Transaction, person: PersonId) -> Mapping[PersonId, Account]:
    """Give those who are away now and named this person, whoever has been away longest first."""
    found = tx.rows(absences.DELEGATED_TO, {"person": person, "now": format_time(tx.at)})
    return {PersonId(ref): Account(team, user) for ref, team, user in found}


async def everybody_away(snapshot: Snapshot, now: datetime) -> list[Away]:
    """List who is away now, whoever is back first first."""
    found = await snapshot.rows(absences.NOW, {"now": format_time(now), "limit": MOST_SHOWN})
    return [
        Away(Face(user, name), parse_time(until), None if deputy is None else Face(deputy, deputy_name or ""))
        for user, name, until, deputy, deputy_name in found
    ]


def duties_of(folder: PolicyFolder, account: Account, member: Member, now: datetime) -> Sequence[Duty]:
    """List the roles in which somebody takes turns."""
    found = []
    for role in sorted(member.roles | member.off_duty):
        schedule = folder.roles[role].on_call if role in folder.roles else None
        if schedule is not None:
            until = next_change(schedule, account.user_id, now, AHEAD)
            found.append(Duty(role, role in member.roles, until))
    return found
