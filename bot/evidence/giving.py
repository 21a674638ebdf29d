"""Gives evidence over HTTP: to an agent about its own proposal, to auditors about any. It changes no decision.

An auditor's look is recorded before it is answered.
"""

import asyncio
import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Final

from approval_rules.auditor_events import AuditLooked
from approval_rules.people import Agent, AgentId
from bot.desk.auditing import AuditUseCases
from bot.desk.try_pace import TryPace
from bot.desk.wiring import Wiring, written
from bot.evidence.gathering import Place, TooMuchError, gathered
from bot.evidence.making import pack_of
from bot.evidence.pack import PAGE, Pack, zipped
from bot.store.transaction import Transaction
from handlers.audit_desk import Auditor
from handlers.desk import DeskUnavailableError, Refused
from handlers.evidence_desk import Evidence
from handlers.web.evidence_page import content_policy

MOST_ENTRIES: Final = 500
_A_MINUTE: Final = 20
_OFTEN: Final = Refused("too-many-requests", f"A key may ask for {_A_MINUTE} packs a minute.")
_LARGE: Final = Refused(
    "evidence-too-large", f"More than {MOST_ENTRIES} entries are about it: `foureyes audit prove` on the server."
)
_HIDDEN: Final = Refused("values-not-shown", "Evidence has values, and this key shows none.")
_BROKEN: Final = Refused("log-broken", "What is recorded about it cannot be read any more.")


class EvidenceUseCases:
    """Provides `handlers.evidence_desk.EvidenceDesk`."""

    def __init__(self, wiring: Wiring, auditing: AuditUseCases, anchor_file: Path) -> None:
        self._wiring = wiring
        self._auditing = auditing
        self._place = Place(wiring.reads.path, anchor_file, wiring.key)
        self._pace = TryPace(between=timedelta(0), most=_A_MINUTE)
        self._one_at_a_time = asyncio.Lock()

    async def auditor_of(self, unverified_key: str) -> Auditor | None:
        """Find whose key this is, as of now."""
        return await self._auditing.auditor_of(unverified_key)

    async def of_own(self, agent: Agent, unverified_id: str) -> Evidence | Refused | None:
        """Give an agent the evidence about its own proposal, without what the API does not tell it."""
        return await self._made(agent.id, unverified_id, agent.id)

    async def of_any(self, auditor: Auditor, unverified_id: str, known: str | None) -> Evidence | Refused | None:
        """Give an auditor the whole evidence about any proposal."""
        if not auditor.values:
            return _HIDDEN
        found = await self._made(auditor.key_id, unverified_id, None)
        if isinstance(found, Evidence) and found.digest != known:
            await written(self._wiring, lambda tx: _record(tx, auditor))
        return found

    async def _made(self, key: str, unverified_id: str, own: AgentId | None) -> Evidence | Refused | None:
        """Make a pack on a thread; one at a time, so that nobody keeps the server busy with them."""
        if not self._pace.allows(key, self._wiring.clock()):
            return _OFTEN
        async with self._one_at_a_time:
            try:
                pack = await asyncio.to_thread(self._pack, unverified_id, own)
            except TooMuchError:
                return _LARGE
            except sqlite3.OperationalError as error:
                raise DeskUnavailableError(f"the database could not be read: {error}") from error
            except (sqlite3.DatabaseError, ValueError, LookupError, TypeError, AttributeError):
                return _BROKEN
        if pack is None:
            return None
        policy = f"{content_policy()}; frame-ancestors 'none'"
        return Evidence(pack.proposal, pack.digest, zipped(pack), pack.files[PAGE], policy)

    def _pack(self, unverified_id: str, own: AgentId | None) -> Pack | None:
        decision = gathered(self._place, unverified_id, own, MOST_ENTRIES)
        if decision is None:
            return None
        now = self._wiring.clock()
        return pack_of(decision, self._place, now, "these-entries", for_agent=own is not None)


def _record(tx: Transaction, auditor: Auditor) -> None:
    tx.record(AuditLooked(tx.at, auditor.actor, auditor.key_id, "evidence", 1, ()))
