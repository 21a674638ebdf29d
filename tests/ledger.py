"""Everything that a database file says, for assertions at the end: the log, the folded proposals, the outbox."""

import sqlite3
from collections import defaultdict
from dataclasses import dataclass
from typing import Any, TypeVar, cast, get_args

from approval_rules.events import Event, ProposalEvent
from approval_rules.state import Proposal, fold
from bot.audit import anchor
from bot.audit.verify import verify
from bot.keys import load
from bot.search.checking import faults as search_faults
from bot.search.words import marker
from bot.settings import Settings
from bot.store import rows
from bot.store.check import differences
from bot.store.codec import Recorded

E = TypeVar("E", bound=Event)
_EVERY_ENTRY = "SELECT seq, body, leaf_hash FROM entries ORDER BY seq"
_EVERY_VALUE = "SELECT seq, name, value FROM detached ORDER BY seq"


@dataclass(frozen=True, slots=True)
class Ledger:
    """The log, oldest first, and what follows from it. `accounts` maps pseudonyms to Slack user ids."""

    recorded: tuple[Recorded, ...]
    proposals: dict[str, Proposal]
    outbox: list[dict[str, Any]]
    accounts: dict[str, str]
    keys: dict[tuple[str, str], str]

    @classmethod
    def read(cls, db: sqlite3.Connection) -> "Ledger":
        """Read it in one transaction."""
        db.execute("BEGIN")
        try:
            recorded = rows.recorded_from(db.execute(_EVERY_ENTRY).fetchall(), db.execute(_EVERY_VALUE).fetchall())
            cursor = db.execute("SELECT * FROM outbox ORDER BY id")
            names = [column[0] for column in cursor.description]
            outbox = [dict(zip(names, row, strict=True)) for row in cursor]
            accounts = dict(db.execute("SELECT ref, user_id FROM people").fetchall())
            used = db.execute("SELECT agent_id, key, proposal_id FROM idempotency").fetchall()
        finally:
            db.execute("ROLLBACK")
        keys = {(agent, key): proposal for agent, key, proposal in used}
        return cls(recorded, _folded(recorded), outbox, accounts, keys)

    def proposal_by_key(self, key: str) -> str | None:
        """Give the proposal for which any agent used this idempotency key; the database has its hash only."""
        agents = {agent for agent, _ in self.keys}
        found = (self.keys.get((agent, rows.key_hash(agent, key))) for agent in agents)
        return next((proposal for proposal in found if proposal is not None), None)

    def events(self, kind: type[E]) -> list[E]:
        """List the events of one kind, oldest first."""
        return [item.event for item in self.recorded if isinstance(item.event, kind)]

    def of(self, proposal: str) -> list[ProposalEvent]:
        """List what happened to one proposal."""
        return [
            cast("ProposalEvent", item.event)
            for item in self.recorded
            if isinstance(item.event, get_args(ProposalEvent)) and item.event.proposal == proposal
        ]

    def user(self, person: str) -> str:
        """Give the Slack user id behind a pseudonym."""
        return self.accounts[person]

    def faults(self, db: sqlite3.Connection, settings: Settings) -> list[str]:
        """Verify the log offline against its anchor, and the index against the log; empty where all is whole."""
        key = load(settings.signing_key_file)
        keys = key.publics
        known = anchor.read(settings.anchor_file, keys)
        report = verify(db, known, keys)
        broken = [f"{broken.seq}: {broken.what}" for broken in report.broken]
        return broken + list(differences(db)) + list(search_faults(db, marker(key)))


def _folded(recorded: tuple[Recorded, ...]) -> dict[str, Proposal]:
    histories: dict[str, list[ProposalEvent]] = defaultdict(list)
    for item in recorded:
        if isinstance(item.event, get_args(ProposalEvent)):
            event = cast("ProposalEvent", item.event)
            histories[event.proposal].append(event)
    return {ident: cast("Proposal", fold(history)) for ident, history in histories.items()}
