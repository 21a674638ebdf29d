"""What people may do with second factors in Slack: list, confirm for others, refuse, lock, remove. Sees no secret."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal

from approval_rules.factor_events import (
    FactorConfirmed,
    FactorEvent,
    FactorKept,
    FactorLocked,
    FactorRefused,
    FactorRemovalAsked,
    FactorRemoved,
)
from approval_rules.factors import Credential, Factors, Wish, confirm, fold_factors, lock, refuse, remove
from approval_rules.people import Account, Flaw, PersonId, RoleName, human
from approval_rules.policy import RoleMembers
from approval_rules.refusals import Refusal
from approval_rules.step_up import Factor
from approval_rules.times import parse_time
from bot.desk.factor_record import record_factors
from bot.desk.wiring import Wiring, standing_of, written
from bot.directory import Member
from bot.store.credentials import (
    OF_PERSON,
    WAITING,
    CredentialRow,
    credentials_from,
    events_in,
    factors_of,
)
from bot.store.reads import Snapshot
from bot.store.transaction import Transaction
from handlers.desk import Envelope, Face
from handlers.factor_desk import Done, FactorSaid, HeldFactor, MyFactors

ADMIN: Final = RoleName("admin")
OPERATOR: Final = RoleName("operator")
_DONE: Final[dict[type[FactorEvent], Done]] = {
    FactorConfirmed: "confirmed",
    FactorRemoved: "removed",
    FactorKept: "kept",
    FactorLocked: "locked",
    FactorRemovalAsked: "removal-asked",
}
Act = Callable[[Factors, Wish, str], tuple[FactorEvent, ...]]


class FactorUseCases:
    """Provides the part of `handlers.factor_desk.FactorDesk` that needs no code."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring

    async def factors(self, who: Envelope) -> MyFactors:
        """List what a person holds and what waits for him."""
        member = await self._wiring.directory.look_up(who.account)
        may = member.flaw is None and may_confirm(member, self._wiring.policy.folder.roles)
        snapshot = self._wiring.reads.glance()
        mine = await _held_by(snapshot, who.account)
        others: list[HeldFactor] = []
        for (ref,) in await snapshot.rows(WAITING, {}) if may else ():
            for account, _ in (await snapshot.accounts([PersonId(ref)])).values():
                others += [one for one in await _held_by(snapshot, account) if one.asks and account != who.account]
        return MyFactors(mine, others, may)

    async def confirm_factor(self, who: Envelope, user_id: str, credential: str | None) -> FactorSaid:
        """Say yes to what waits of somebody else."""
        return await self._about(who, user_id, confirm, credential)

    async def refuse_factor(self, who: Envelope, user_id: str, credential: str | None) -> FactorSaid:
        """Say no to it."""
        return await self._about(who, user_id, refuse, credential)

    async def lock_factors(self, who: Envelope, user_id: str) -> FactorSaid:
        """Let nothing of that person's count from now on."""
        return await self._about(who, user_id, lambda held, wish, _: lock(held, wish), "")

    async def remove_factor(self, who: Envelope, user_id: str, factor: Factor | None) -> FactorSaid:
        """Ask for a factor to be removed."""

        def act(held: Factors, wish: Wish, _: str) -> tuple[FactorEvent, ...]:
            found = [
                one for one in held.values() if one.state != "removed" and one.factor in (factor, *_ANY[factor is None])
            ]
            if len(found) > 1:
                return _several(wish, "remove")
            return remove(held, wish, found[0].id if found else "")

        return await self._about(who, user_id, act, "")

    async def _about(self, who: Envelope, user_id: str, act: Act, credential: str | None) -> FactorSaid:
        account = Account(self._wiring.home_team, user_id)
        member = await self._wiring.directory.look_up(who.account)
        theirs = member if account == who.account else await self._wiring.directory.look_up(account)
        may = may_confirm(member, self._wiring.policy.folder.roles)
        if theirs.flaw is Flaw.UNKNOWN:
            return FactorSaid(Refusal.NOT_WAITING)
        name = "" if theirs.name == user_id else theirs.name  # Slack did not say: what is known of the name stays

        def unit(tx: Transaction) -> FactorSaid:
            actor = tx.person(who.account, member.name or who.user_name)
            person = tx.person(account, name)
            wish = Wish(tx.at, human(actor), person, standing_of(actor, member), may)
            if not tx.first_seen(hashlib.sha256(who.request_id.encode()).hexdigest()):
                return FactorSaid(Refusal.NOT_WAITING)
            return said(apply_wish(tx, wish, act, credential), Face(user_id, theirs.name), factors_of(tx, person))

        return await written(self._wiring, unit)


_ANY: Final[dict[bool, tuple[Factor, ...]]] = {True: ("passkey", "totp"), False: ()}


def may_confirm(member: Member, roles: Mapping[RoleName, RoleMembers]) -> bool:
    """Tell who confirms for others: the role `admin` where the roles name it, else `operator`; nobody without both."""
    return (ADMIN if ADMIN in roles else OPERATOR) in member.roles


def apply_wish(tx: Transaction, wish: Wish, act: Act, credential: str | None) -> tuple[FactorEvent, ...]:
    """Do one thing with a person's factors and record it; without a `credential`, with all that it can be about."""
    held = factors_of(tx, wish.person)
    meant = [credential] if credential is not None else _meant(held)
    if len(meant) > 1 and any(held[one].asks for one in meant):
        events = _several(wish, "confirm")
    else:
        events = ()
        for one in meant:
            events += act(held, wish, one)
    record_factors(tx, events)
    return events


def said(events: Sequence[FactorEvent], face: Face, held: Factors) -> FactorSaid:
    """Put into one answer what the events say."""
    first = events[0]
    if isinstance(first, FactorRefused):
        return FactorSaid(first.code, face=face)
    factor = held[first.credential].factor
    done = _DONE[type(first)]
    if isinstance(first, FactorRemoved) and first.why == "refused":
        done = "locked" if any(isinstance(event, FactorLocked) for event in events) else "refused"
    return FactorSaid(None, done, face, factor)


def _meant(held: Factors) -> list[str]:
    """Name what a confirmation can be about: what asks for one; where nothing does, everything that is locked."""
    asking = [one.id for one in held.values() if one.asks]
    return asking or [one.id for one in held.values() if one.state == "locked" and one.factor != "recovery"] or [""]


def _several(wish: Wish, tried: Literal["confirm", "remove"]) -> tuple[FactorEvent, ...]:
    return (FactorRefused(wish.at, wish.by, wish.person, tried, Refusal.SEVERAL_WAIT),)


async def _held_by(snapshot: Snapshot, account: Account) -> list[HeldFactor]:
    found = await snapshot.rows(
        "SELECT ref, name FROM people WHERE team_id = :team AND user_id = :user",
        {"team": account.team_id, "user": account.user_id},
    )
    listed: list[HeldFactor] = []
    for ref, name in found:
        rows = credentials_from(await snapshot.rows(OF_PERSON, {"person": ref}))
        held = fold_factors(events_in(await snapshot.recorded(ref)))
        face = Face(account.user_id, name)
        listed += [listed_of(row, held[row.id], face) for row in rows if row.state != "removed"]
    return listed


def listed_of(row: CredentialRow, credential: Credential, face: Face) -> HeldFactor:
    """Show one credential in a list."""
    return HeldFactor(
        id=row.id,
        face=face,
        factor=row.factor,
        state=row.state,
        since=parse_time(row.active_since or row.created_at),
        last_used_at=None if row.last_used_at is None else parse_time(row.last_used_at),
        asks=credential.asks,
        codes_left=len(row.material.get("hashes", ())) if row.factor == "recovery" else None,
    )
