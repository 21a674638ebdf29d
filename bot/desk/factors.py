"""What people may do with second factors in Slack: list, confirm for others, refuse, lock, remove. Sees no secret."""

import hashlib
from collections.abc import Mapping
from typing import Final

from approval_rules.factor_events import (
    FactorEvent,
)
from approval_rules.factors import Credential, Factors, Wish, confirm, fold_factors, lock, refuse, remove
from approval_rules.people import Account, Flaw, PersonId, RoleName, human
from approval_rules.policy import RoleMembers
from approval_rules.refusals import Refusal
from approval_rules.step_up import Factor
from approval_rules.times import parse_time
from bot.desk.factor_record import Act, apply_wish, said, several
from bot.desk.persons import meet, standing_in
from bot.desk.wiring import Wiring, written
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
from handlers.factor_desk import FactorSaid, HeldFactor, MyFactors

ADMIN: Final = RoleName("admin")
OPERATOR: Final = RoleName("operator")


class FactorUseCases:
    """Provides the part of `handlers.factor_desk.FactorDesk` that needs no code."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring

    async def factors(self, who: Envelope) -> MyFactors:
        """List what a person holds and what waits for him."""
        member = await self._wiring.directory.look_up(who.account)
        may = member.flaw is None and may_confirm(member, self._wiring.policy.folder.roles)
        snapshot = self._wiring.reads.glance()
        me = self._wiring.reads.person(who.account)
        mine = await _held_by(snapshot, me)
        others: list[HeldFactor] = []
        for (ref,) in await snapshot.rows(WAITING, {}) if may else ():
            if ref != me:
                others += [one for one in await _held_by(snapshot, PersonId(ref)) if one.asks]
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
                return several(wish, "remove")
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
            actor = meet(tx, who.account, member, member.name or who.user_name)
            person = meet(tx, account, theirs, name)
            wish = Wish(tx.at, human(actor), person, standing_in(tx, actor, member), may)
            if not tx.first_seen(hashlib.sha256(who.request_id.encode()).hexdigest()):
                return FactorSaid(Refusal.NOT_WAITING)
            return said(apply_wish(tx, wish, act, credential), Face(user_id, theirs.name), factors_of(tx, person))

        return await written(self._wiring, unit)


_ANY: Final[dict[bool, tuple[Factor, ...]]] = {True: ("passkey", "totp"), False: ()}


def may_confirm(member: Member, roles: Mapping[RoleName, RoleMembers]) -> bool:
    """Tell who confirms for others: the role `admin` where the roles name it, else `operator`; nobody without both."""
    return (ADMIN if ADMIN in roles else OPERATOR) in member.roles


async def _held_by(snapshot: Snapshot, person: PersonId | None) -> list[HeldFactor]:
    listed: list[HeldFactor] = []
    for ref, (account, name) in (await snapshot.accounts({person} if person else ())).items():
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
