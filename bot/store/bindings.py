"""Holds who stands behind each pseudonym against what the log bears out: the pseudonym itself, and what was erased.

It only looks. Without keys nobody can say whose account a pseudonym is.
"""

import json
import re
import sqlite3
from collections.abc import Collection, Iterator
from typing import Final, NamedTuple, TypeAlias

from approval_rules.people import Account, PersonId
from bot.store.codec import RETENTION
from bot.store.people import BOUND, pseudonym
from bot.store.policies import Look, looking
from bot.store.transaction import Transaction

_ROWS: Final = (
    "SELECT m.ref, m.key, m.mark, p.team_id, p.user_id, p.salt,"
    " CASE WHEN m.key IS NULL THEN 'open' ELSE whose(m.ref, m.key, m.box, 4) END,"
    " CASE WHEN m.key IS NULL THEN NULL ELSE whose(m.ref, m.key, m.box, 5) END"
    " FROM main.people m LEFT JOIN people p ON p.ref = m.ref ORDER BY m.ref"
)
_ERASURES: Final = "SELECT body FROM entries WHERE subject = :subject AND type = 'values.erased' ORDER BY seq"
_IN_A_BODY: Final = re.compile(rb'"(pers_[0-9a-f]{40})"')


class _Row(NamedTuple):
    ref: str
    key: str | None
    mark: object
    team: str
    user: str
    salt: str | None
    state: str
    wanted_mark: str | None


Named: TypeAlias = dict[str, int]
"""The bound pseudonyms of the log, and the entry in which each stands first."""


def note(named: Named, seq: int, body: bytes) -> None:
    """Note whom an entry names."""
    for ref in _IN_A_BODY.findall(body):
        named.setdefault(ref.decode(), seq)


def faults(connection: sqlite3.Connection, named: Named) -> Iterator[str]:
    """Give a line for each person who is not whom the log bears out, and for each who is gone without an erasure."""
    given_up = _given_up(looking(connection))
    accounts: dict[tuple[str, str], str] = {}
    found: set[str] = set()
    for each in connection.execute(_ROWS):
        row = _Row(*each)
        found.add(row.ref)
        if row.state == "open":
            yield from _open_faults(row, given_up, accounts)
        elif row.state == "changed":
            yield f"person {row.ref}: what is sealed of the account was changed"
        elif row.state == "gone" and row.ref not in given_up:
            yield f"person {row.ref}: nobody can tell any more who that is, and no erasure was recorded"
    for ref, seq in named.items():
        if ref not in found and ref not in given_up:
            yield f"person {ref}, first in entry {seq}: who that is was deleted, and no erasure was recorded"


def unbound(connection: sqlite3.Connection) -> tuple[int, int]:
    """Count the pseudonyms of an earlier version, which bind nothing, and those that cannot be looked at."""
    rows = [_Row(*each) for each in connection.execute(_ROWS)]
    return sum(BOUND.fullmatch(row.ref) is None for row in rows), sum(row.state == "closed" for row in rows)


def lost(tx: Transaction, living: Collection[str]) -> list[PersonId]:
    """Name whom nothing bears out any more: the key is gone, or a row was written again without what it was."""
    given_up = _given_up(tx.rows)
    return [
        PersonId(row.ref)
        for row in (_Row(*each) for each in tx.rows(_ROWS, {}))
        if row.ref not in given_up
        and (row.key not in living if row.state != "open" else row.salt is None and BOUND.fullmatch(row.ref))
    ]


def _open_faults(row: _Row, given_up: Collection[str], accounts: dict[tuple[str, str], str]) -> Iterator[str]:
    account = row.team, row.user
    other = accounts.setdefault(account, row.ref)
    if other != row.ref:
        yield f"person {row.ref}: it is the account of {other} too"
    mark = row.mark.hex() if isinstance(row.mark, bytes) else row.mark
    if row.wanted_mark != mark and (row.key is None or row.wanted_mark is not None):
        yield f"person {row.ref}: by what the account is found again was changed"
    if BOUND.fullmatch(row.ref) is None or (row.salt is None and row.ref in given_up):
        return
    # Whoever was noted before the workspace was known is bound without it.
    bound = [] if row.salt is None else [pseudonym(row.salt, Account(team, row.user)) for team in (row.team, "")]
    if row.ref not in bound:
        yield f"person {row.ref}: it was made for another account than the one that stands there"


def _given_up(look: Look) -> frozenset[str]:
    """Name those who were erased, or whose keys were lost, on record."""
    bodies = look(_ERASURES, {"subject": RETENTION})
    return frozenset(ref for (body,) in bodies for ref in json.loads(body)["data"].get("people", ()))
