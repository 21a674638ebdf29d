"""Looks at originals that people are not shown: who may, recorded before it is shown. Changes no decision.

In Slack it takes the role `reveal`; where roles.yml has none, nobody may. Over HTTP it takes a key that shows values.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing

from approval_rules.people import Actor, human
from approval_rules.refusals import Refusal
from approval_rules.reveal_events import Door
from approval_rules.text import AgentText
from bot.desk.persons import meet
from bot.desk.wiring import Wiring, written
from bot.directory import Member
from bot.reveal.looking import REVEAL, looked, record_look, record_refusal
from bot.reveal.originals import Covered, covered_in
from bot.store.engine import StoreUnavailableError, open_reader
from bot.store.transaction import Transaction
from handlers.audit_desk import Auditor
from handlers.desk import DeskUnavailableError, Envelope
from handlers.reveal_desk import Look, Uncovered


class RevealUseCases:
    """Provides `handlers.reveal_desk.RevealDesk`."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring

    async def may_in_slack(self, who: Envelope) -> bool:
        """Tell whether this person would be shown an original."""
        return _refusal(await self._wiring.directory.look_up(who.account)) is None

    async def in_slack(self, who: Envelope, unverified_id: str, field: str, reason: AgentText) -> Look:
        """Uncover for a person who has the role; whoever has it not is refused, on record."""
        member = await self._wiring.directory.look_up(who.account)

        def actor(tx: Transaction) -> Actor:
            return human(meet(tx, who.account, member, member.name or who.user_name))

        return await self._look(unverified_id, field, reason, actor, "slack", _refusal(member))

    async def over_http(self, auditor: Auditor, unverified_id: str, field: str, reason: AgentText) -> Look:
        """Uncover for a key that shows values; another one is refused, on record."""
        refusal = None if auditor.values else Refusal.MAY_NOT_REVEAL
        return await self._look(unverified_id, field, reason, lambda _: auditor.actor, "http", refusal)

    async def _look(
        self,
        unverified_id: str,
        field: str,
        reason: AgentText,
        actor: Callable[[Transaction], Actor],
        door: Door,
        refusal: Refusal | None,
    ) -> Look:
        covered = await asyncio.to_thread(self._covered, unverified_id)
        if covered is None:
            return refusal  # whoever may not look is not told which proposals there are
        if refusal is not None:
            return await written(
                self._wiring, lambda tx: record_refusal(tx, actor(tx), door, covered.proposal, refusal)
            )
        look = looked(covered, field)
        if isinstance(look, Uncovered):
            await written(self._wiring, lambda tx: record_look(tx, actor(tx), door, look, reason))
        return look

    def _covered(self, unverified_id: str) -> Covered | None:
        """Read on a thread and a connection of its own: what agents wrote can be long."""
        try:
            with closing(open_reader(self._wiring.reads.path)) as connection:
                return covered_in(connection, unverified_id)
        except (sqlite3.Error, StoreUnavailableError) as error:
            raise DeskUnavailableError(f"the database could not be read: {error}") from error


def _refusal(member: Member) -> Refusal | None:
    if member.flaw is not None:
        return Refusal(member.flaw.value)
    return None if REVEAL in member.roles else Refusal.MAY_NOT_REVEAL
