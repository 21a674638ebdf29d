"""Ends the life of kept values: seals what is plain, records what goes before it goes, drops what nobody can read.

A value becomes unreadable when its key is shredded, after the commit that recorded it. Nothing here touches the keys'
file but to seal.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from approval_rules.erasure_events import Gone, Why, erasures
from approval_rules.people import Actor, PersonId
from approval_rules.text import AgentText
from approval_rules.times import format_time
from bot.data_keys import key_name
from bot.store import bindings, sealed, terms
from bot.store.sealed import Vault
from bot.store.transaction import Transaction

AT_ONCE: Final = 500
_PLAIN = (
    "SELECT d.seq, d.name, d.salt, d.value, e.at FROM main.detached d INDEXED BY detached_plain"
    " JOIN entries e ON e.seq = d.seq WHERE d.key IS NULL ORDER BY d.seq LIMIT :limit"
)
_SEAL = (
    "UPDATE main.detached SET salt = NULL, value = NULL, key = ?, box = ?, mark = ?"
    " WHERE seq = ? AND name = ? AND key IS NULL"
)
COUNT: Final = "SELECT count(*) FROM main.detached WHERE seq BETWEEN :first AND :last AND key = :key"
REACHES: Final = "SELECT key, first_seq, last_seq, ended FROM sealed_with"
_END = "UPDATE sealed_with SET ended = 'erased' WHERE key = ?"
_ERASED = "SELECT key, first_seq, last_seq FROM sealed_with WHERE ended = 'erased' ORDER BY key LIMIT 1"
_MOVING = "SELECT key, first_seq, last_seq FROM sealed_with WHERE ended = 'moved' ORDER BY key LIMIT 1"
_UNDER = (
    "SELECT d.seq, d.name, d.salt, d.value FROM main.detached m JOIN detached d ON d.seq = m.seq AND d.name = m.name"
    " WHERE m.seq BETWEEN :first AND :last AND m.key = :key"
)
_MOVE = "UPDATE main.detached SET key = ?, box = ? WHERE seq = ? AND name = ?"
_DROP = "DELETE FROM main.detached WHERE seq BETWEEN ? AND ? AND key = ?"
_NEXT = "UPDATE sealed_with SET first_seq = ? WHERE key = ?"
_FORGET = "DELETE FROM sealed_with WHERE key = ?"


def seal_some(tx: Transaction, vault: Vault) -> int:
    """Seal values that lie there in plain: from before there were keys, or written by who could not read them."""
    found = tx.rows(_PLAIN, {"limit": AT_ONCE})
    marked = {format_time(tx.at - timedelta(days=back))[:10] for back in range(terms.MARK_DAYS)}
    for seq, name, salt, text, at in found:
        days = terms.days_of(name, terms.RECORD_DAYS)
        key, box = vault.seal(at[:10], days, sealed.boxed(salt, text), sealed.place(seq, name))
        mark = sealed.mark_of(vault, at[:10], text) if name == sealed.DIGEST and at[:10] in marked else None
        tx.write(_SEAL, (key, box, mark, seq, name))
        tx.write(sealed.REACH, (key, seq, seq))
    return len(found)


def end(
    tx: Transaction,
    keys: Collection[str],
    by: Actor,
    why: Why = Why.TERM,
    reason: AgentText | None = None,
    spared: Mapping[str, int] = MappingProxyType({}),
    people: Collection[PersonId] = (),
) -> int:
    """Record how many values go with these keys, and which people; give the former. Shred right after the commit.

    `spared` counts by key the values that this unit has moved away.
    """
    gone: list[Gone] = []
    for key, first, last, ended in tx.rows(REACHES, {}):
        if key in keys and ended != "erased":
            day, days, _ = key_name(key)
            count: int = tx.rows(COUNT, {"first": first, "last": last, "key": key})[0][0]
            gone.append(Gone(day, days, count - spared.get(key, 0)))
            tx.write(_END, (key,))
    for event in erasures(tx.at, by, why, gone, reason, people):
        tx.record(event)
    return sum(one.count for one in gone)


def lose(tx: Transaction, living: Collection[str], by: Actor, reason: AgentText) -> int:
    """Record as lost whatever was sealed with other keys than these, and give how many values that is.

    Who is not borne out any more for want of a key is named.
    """
    lost = {key for key, _, _, ended in tx.rows(REACHES, {}) if key not in living and ended != "erased"}
    return end(tx, lost, by, Why.LOST, reason, people=bindings.lost(tx, living))


def ended(rows: Iterable[tuple[str, str | None]]) -> list[str]:
    """Give, of the rows of KEYS, the keys whose values were recorded as erased."""
    return [key for key, how in rows if how == "erased"]


KEYS: Final = "SELECT key, ended FROM sealed_with"


def move_some(tx: Transaction, vault: Vault) -> bool:
    """Seal a stretch of what lies under a key that is to go with the newest of its day; False where there is none."""
    found = tx.rows(_MOVING, {})
    for key, first, last in found:
        day, days, _ = key_name(key)
        upto = min(first + AT_ONCE - 1, last)
        for seq, name, salt, text in tx.rows(_UNDER, {"first": first, "last": upto, "key": key}):
            if text is None:
                continue  # it cannot be opened: nothing can move it, and the verification says so
            new, box = vault.seal(day, days, sealed.boxed(salt, text), sealed.place(seq, name))
            tx.write(_MOVE, (new, box, seq, name))
            tx.write(sealed.REACH, (new, seq, seq))
        if upto < last:
            tx.write(_NEXT, (upto + 1, key))
        else:
            tx.write(_END, (key,))
    return bool(found)


def wipe(tx: Transaction) -> None:
    """Let nothing stand in the WAL that was overwritten since."""
    tx.wipes = True


def drop_some(tx: Transaction) -> bool:
    """Drop boxes that nobody can open any more, a stretch of the log at a time; False where there are none."""
    found = tx.rows(_ERASED, {})
    for key, first, last in found:
        upto = min(first + AT_ONCE - 1, last)
        tx.write(_DROP, (first, upto, key))
        if upto < last:
            tx.write(_NEXT, (upto + 1, key))
        else:
            tx.write(_FORGET, (key,))
    return bool(found)
