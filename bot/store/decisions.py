"""Reads what was recorded about one proposal with its exact bytes and salts, for evidence. It only looks."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from approval_rules.people import PersonId
from approval_rules.times import parse_time
from bot.store import rows
from handlers.desk import Face

_SEQS = "SELECT seq FROM entries WHERE subject = :subject"
_AT = "SELECT seq, body, leaf_hash FROM entries WHERE seq IN (SELECT value FROM json_each(:seqs)) ORDER BY seq"
_VALUES = "SELECT seq, name, salt, value FROM detached WHERE seq IN (SELECT value FROM json_each(:seqs))"
_CALLBACKS = "SELECT wanted_seq, state, due_at, attempts FROM outbox WHERE name > :first AND name < :last"
_KEPT = "SELECT size, note FROM checkpoints WHERE size >= :size ORDER BY size LIMIT 1"


class Disclosure(NamedTuple):
    """A detached value that lives: `value` is its canonical JSON text."""

    salt: str
    name: str
    value: str

    @property
    def line(self) -> str:
        """Write it as RFC 9901 does, before base 64."""
        return f'["{self.salt}","{self.name}",{self.value}]'


class Written(NamedTuple):
    """One entry as it stands in the database; `withheld` counts what lives and is not given out."""

    seq: int
    body: bytes
    leaf_hash: bytes
    living: tuple[Disclosure, ...]
    withheld: int = 0

    @property
    def entry(self) -> Mapping[str, Any]:
        """Read the entry; empty where it cannot be read."""
        try:
            entry = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return entry if isinstance(entry, dict) else {}

    @property
    def erased(self) -> int:
        """Count the values that the entry had once and that are gone."""
        promised = self.entry.get("_sd")
        return max(0, len(promised) - len(self.living) - self.withheld) if isinstance(promised, list) else 0


def written_of(connection: sqlite3.Connection, proposal: str) -> tuple[Written, ...]:
    """Give every entry about a proposal, in the order of the log."""
    return written_at(connection, [row[0] for row in connection.execute(_SEQS, {"subject": proposal})])


def written_at(connection: sqlite3.Connection, seqs: Iterable[int]) -> tuple[Written, ...]:
    """Give the entries at these log indexes, in the order of the log."""
    where = {"seqs": json.dumps(list(seqs))}
    living: dict[int, list[Disclosure]] = defaultdict(list)
    for seq, name, salt, value in sorted(connection.execute(_VALUES, where), key=lambda row: row[:2]):
        if salt is not None:  # else it was erased; what was changed has no value any more, and is no erasure
            living[seq].append(Disclosure(salt, name, "null" if value is None else value))
    found = connection.execute(_AT, where)
    return tuple(Written(seq, bytes(body), bytes(leaf), tuple(living[seq])) for seq, body, leaf in found)


def faces_of(connection: sqlite3.Connection, people: Iterable[str]) -> dict[PersonId, Face]:
    """Give the account and the name behind each pseudonym that has one still."""
    found = connection.execute(rows.PEOPLE_BY_REF, {"refs": json.dumps(sorted(set(people)))})
    return {PersonId(ref): Face(user, name) for ref, _team, user, name in found}


class Callback(NamedTuple):
    """How far the telling of the agent is: `at` is when it was delivered, or when it is tried next."""

    state: str
    at: datetime
    attempts: int


def callbacks_of(connection: sqlite3.Connection, proposal: str) -> dict[int, Callback]:
    """Give the callbacks about a proposal by the log index of what they tell; the outbox proves nothing."""
    found = connection.execute(_CALLBACKS, {"first": f"callback:{proposal}:", "last": f"callback:{proposal};"})
    return {seq: Callback(state, parse_time(at), attempts) for seq, state, at, attempts in found}


class KeptCheckpoint(NamedTuple):
    """A signed checkpoint of the database, not yet believed."""

    size: int
    note: str


def kept_checkpoint(connection: sqlite3.Connection, size: int) -> KeptCheckpoint | None:
    """Give the oldest kept checkpoint of so many entries or more: it stays the same while the log grows."""
    row = connection.execute(_KEPT, {"size": size}).fetchone()
    return None if row is None else KeptCheckpoint(int(row[0]), str(row[1]))
