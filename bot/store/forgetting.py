"""Erases one person's or one subject's values at once: finds them, records how many, deletes them.

What is left under the same keys moves under new ones, so that the old keys can be shredded and no backup opens them.
What is still going on is never touched.
"""

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, NamedTuple

from approval_rules.erasure_events import Gone, Why, erasures
from approval_rules.people import Actor, PersonId
from approval_rules.text import AgentText
from bot.data_keys import DataKeys, key_name
from bot.store import erasing, people, terms
from bot.store.holds import held_proposals
from bot.store.transaction import Transaction
from bot.store.unsaying import unsay

PERSONAL_TEXTS: Final = frozenset({"reason", "note", "text", "typed", "evidence"})
"""The detached fields that hold what a person wrote, or signed with a device of his own."""
_LIVING = "SELECT d.seq, d.name, d.value, e.subject FROM detached d JOIN entries e ON e.seq = d.seq"
_OPEN = "SELECT id FROM proposals WHERE clock IS NOT NULL"
_PROPOSALS = "SELECT id FROM proposals WHERE id IN (SELECT value FROM json_each(?))"
_OF_SUBJECTS = (
    "SELECT d.seq, d.name FROM main.detached d JOIN entries e ON e.seq = d.seq"
    " WHERE e.subject IN (SELECT value FROM json_each(?)) ORDER BY d.seq"
)
_OF_ENTRIES = "SELECT seq, name FROM main.detached WHERE seq IN (SELECT value FROM json_each(?))"
_OF_PEOPLE = (
    "SELECT d.seq, d.name, e.subject FROM main.detached d JOIN entries e ON e.seq = d.seq"
    " WHERE json_extract(CAST(e.body AS TEXT), '$.actor.ref') IN (SELECT value FROM json_each(?))"
)
_ROWS = (
    "SELECT d.seq, d.name, d.key, e.at FROM main.detached d JOIN entries e ON e.seq = d.seq"
    " WHERE d.seq IN (SELECT value FROM json_each(:seqs))"
)
_REPORTS = "SELECT digest FROM access_reports WHERE instr(CAST(content AS TEXT), ?)"
_DELETE = "DELETE FROM main.detached WHERE seq = ? AND name = ?"
_MOVE = "UPDATE sealed_with SET ended = 'moved' WHERE key = ? AND ended IS NULL"
_OF_A_PERSON = (
    *people.FORGET,
    "DELETE FROM person_marks WHERE person = ?",
    "DELETE FROM tickets WHERE person = ?",
    "DELETE FROM starts WHERE person = ?",
    "UPDATE credentials SET label = '', material = '{}' WHERE person = ?",
)
_KEEPS: Final[Mapping[str, str]] = {
    "owns an agent: revoke it first": "SELECT 1 FROM agents WHERE owner = ? AND revoked_at IS NULL",
    "has a second factor: `foureyes factor remove` first": (
        "SELECT 1 FROM credentials WHERE person = ? AND state <> 'removed'"
    ),
    "has an operator's key: `foureyes operator revoke` first": (
        "SELECT 1 FROM operator_keys WHERE person = ? AND revoked_at IS NULL"
    ),
    "has an auditor's key: `foureyes auditor revoke` first": (
        "SELECT 1 FROM auditor_keys WHERE person = ? AND revoked_at IS NULL"
    ),
    "takes part in a proposal that is still going on: wait until it has ended": (
        "SELECT 1 FROM entries WHERE subject IN (SELECT id FROM proposals WHERE clock IS NOT NULL)"
        " AND instr(CAST(body AS TEXT), ?)"
    ),
}


class Found(NamedTuple):
    """What an erasure would take: values by entry and name, of which proposals.

    `still_open` are proposals that it leaves alone: they are still going on, or on hold. `reports` are those on access
    that name the account and stay: each is what somebody signed, or goes within 30 days.
    """

    why: Why
    values: tuple[tuple[int, str], ...]
    proposals: tuple[str, ...] = ()
    still_open: tuple[str, ...] = ()
    people: tuple[PersonId, ...] = ()
    words: tuple[str, ...] = ()
    reports: tuple[str, ...] = ()


def about_subject(connection: sqlite3.Connection, field: str, value: str) -> Found:
    """Find every proposal of which a living value has this field with this value; all its values go."""
    entries: defaultdict[str, set[int]] = defaultdict(set)
    for seq, _name, text, subject in connection.execute(_LIVING):
        if text is not None and value in text and _has(json.loads(text), field, value):
            entries[subject].add(seq)
    proposals = {row[0] for row in connection.execute(_PROPOSALS, (json.dumps(sorted(entries)),))}
    still_open = proposals & _staying(connection)
    going = proposals - still_open
    values = set(connection.execute(_OF_SUBJECTS, (json.dumps(sorted(going)),)))
    # What was turned away is no proposal.
    loose = {seq for subject, seqs in entries.items() if subject not in proposals for seq in seqs}
    values |= set(connection.execute(_OF_ENTRIES, (json.dumps(sorted(loose)),)))
    return Found(Why.SUBJECT, tuple(sorted(values)), tuple(sorted(going)), tuple(sorted(still_open)))


def about_person(connection: sqlite3.Connection, people: Collection[PersonId]) -> Found:
    """Find what these pseudonyms, all of one person, wrote, and where the run of a proposal names the account."""
    refs = json.dumps(sorted(people))
    still_open = _staying(connection)
    wrote = [row for row in connection.execute(_OF_PEOPLE, (refs,)) if row[1] in PERSONAL_TEXTS]
    values = {(seq, name) for seq, name, subject in wrote if subject not in still_open}
    accounts = connection.execute(
        "SELECT user_id, name FROM people WHERE ref IN (SELECT value FROM json_each(?))", (refs,)
    ).fetchall()
    users = {user for user, _ in accounts}
    for seq, name, text, subject in connection.execute(f"{_LIVING} WHERE d.name = 'run'"):
        if text is not None and any(user in text for user in users) and subject not in still_open:
            values.add((seq, name))
    words = tuple(sorted({word for account in accounts for word in account if word}))
    reports = {row[0] for user in users for row in connection.execute(_REPORTS, (user,))}
    return Found(
        *(Why.PERSON, tuple(sorted(values))), people=tuple(sorted(people)), words=words, reports=tuple(sorted(reports))
    )


def _staying(connection: sqlite3.Connection) -> frozenset[str]:
    """Name what must not be touched: what is going on, and what is on hold."""
    return held_proposals(connection) | {row[0] for row in connection.execute(_OPEN)}


def keeps(connection: sqlite3.Connection, people: Collection[PersonId]) -> list[str]:
    """Say why a person cannot be forgotten yet: whoever can still act, or did in what goes on, must be known."""
    return [
        why for why, sql in _KEEPS.items() if any(connection.execute(sql, (person,)).fetchone() for person in people)
    ]


def _has(node: Any, field: str, value: str) -> bool:  # noqa: ANN401 - JSON
    if isinstance(node, dict):
        return any((name == field and str(part) == value) or _has(part, field, value) for name, part in node.items())
    return isinstance(node, list) and any(_has(part, field, value) for part in node)


def forget(tx: Transaction, keys: DataKeys, found: Found, by: Actor, reason: AgentText) -> int:
    """Record how many values go, delete them, and let what is left under their keys move; give how many went."""
    wanted = set(found.values)
    ended: dict[str, str | None] = {row[0]: row[1] for row in tx.rows(erasing.KEYS, {})}
    gone: Counter[tuple[str, int]] = Counter()
    affected: set[str] = set()
    for seq, name, key, at in tx.rows(_ROWS, {"seqs": json.dumps(sorted({seq for seq, _ in wanted}))}):
        if (seq, name) not in wanted:
            continue
        tx.write(_DELETE, (seq, name))
        if key is not None:
            affected.add(key)
        if ended.get(key) != "erased":  # else it was counted when it was recorded
            days = terms.days_of(name, terms.RECORD_DAYS) if key is None else key_name(key).days
            gone[at[:10], days] += 1
    for key in sorted(affected):
        keys.make(key_name(key).day, key_name(key).days)  # nothing new may come under the old one
        tx.write(_MOVE, (key,))
    _forget_beside(tx, keys, found)
    for event in erasures(tx.at, by, found.why, _counted(gone), reason, found.people):
        tx.record(event)
    tx.wipes = True
    return gone.total()


def _counted(gone: Mapping[tuple[str, int], int]) -> Iterable[Gone]:
    return [Gone(day, days, count) for (day, days), count in gone.items()]


def _forget_beside(tx: Transaction, keys: DataKeys, found: Found) -> None:
    """Take away what stands outside of the log: messages that were sent, and who a pseudonym is."""
    unsay(tx, keys, found.proposals, found.words)
    for person in found.people:
        for sql in _OF_A_PERSON:
            tx.write(sql, (person,))
