"""Everything that somebody can do to the tables of the record, and how it must be told. Does it; judges nothing."""

import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bot.audit.log_format import FIRST_PREV, leaf_hash
from bot.audit.merkle import Frontier, grown

Apply = Callable[[sqlite3.Connection, int], None]
"""Does the damage to the row at a place, counted from 0 in the order of the table's key."""

HASH = "the stored hash is not the hash of the entry"
LINK = "does not link to the one before"
NUMBER = "the entry calls itself"
MISSING = r"entry \d+ is missing|entries are missing"
COLUMNS = "the look-up columns differ"
CHANGED = "the detached value '.*' was changed"
STRAY = "belongs to no entry"
GONE = "of its detached values are gone and no erasure was recorded"
TREE = r"the tree's subtree \d+ of level \d+ is not what|the tree keeps a subtree"
WHEN = "the checkpoint of .* was not signed when it says"
NOTE = "the checkpoint of .* in the database (cannot be believed|is one of)"
KEPT = r"counts \d+ checkpoints in the database, and \d+ of them are gone"
REWRITTEN = "history was rewritten"


@dataclass(frozen=True)
class Damage:
    """One way to tamper: `told` is what `audit verify` must say of it, `places` how many rows it can be done to."""

    table: str
    what: str
    told: str
    apply: Apply
    in_bytes: bool = True  # whether the log's own bytes show it, so that the verifier of one file finds it too
    only: str = "true"  # which of the rows

    @property
    def name(self) -> str:
        """Say it in a few words."""
        return f"{self.table}: {self.what}"

    @property
    def is_of_one_row(self) -> bool:
        """Whether it is done to one row, and shows where that row is, or was."""
        return self.what.endswith(" changed") or self.what in ("a row deleted", "a row added", "a sealed value deleted")

    def is_told(self, faults: Sequence[str]) -> bool:
        """Tell whether the right reason is among the faults."""
        return any(re.search(self.told, fault) for fault in faults)


@dataclass(frozen=True)
class Table:
    """A table of the record: its key, its columns, and what is told of a row that is gone or too much."""

    name: str
    key: str
    columns: dict[str, str]
    gone: str
    added: str | None
    in_bytes: bool = False
    only: str = "true"
    by_file: frozenset[str] = frozenset()  # columns that the verifier of one file looks at; "+" is a row too much


def _index(what: str) -> str:
    return rf"{what} .*(index says|not in the (log|index)|not as the log says|differ)"


_PROPOSAL = "^prop_.*(the index says|is in the (index|log) and not)"
_AWAY = "differ in whether .* was turned away"
_AGENT_KEYS = "the keys of agent .* are not those|a key of agent .* (lives longer than|ends, and) the log"
ACCOUNT = "person .* was (deleted|made for another account)|is the account of|is sealed of the account"
FOUND_AGAIN = "by what the account is found again"
REACH = "data key .*: (values are sealed with it|its values lie|it is said where|what is said to become)"
ENDED = f"are gone or about to go|{REACH}"
MARKED = "is found again by"
PLAIN, SEALED = "key IS NULL", "key IS NOT NULL"
TABLES = (
    Table(
        "entries",
        "seq",
        {
            "seq": f"{MISSING}|{NUMBER}",
            "subject": COLUMNS,
            "type": COLUMNS,
            "at": COLUMNS,
            "body": HASH,
            "leaf_hash": HASH,
        },
        MISSING,
        None,
        in_bytes=True,
    ),
    Table(
        "detached",
        "seq, name",
        {"seq": f"{CHANGED}|{STRAY}|{GONE}", "name": CHANGED, "salt": CHANGED, "value": CHANGED},
        GONE,
        f"{CHANGED}|{STRAY}",
        in_bytes=True,
        only=PLAIN,
    ),
    Table(
        "sealed_with",
        "key",
        {"key": REACH, "first_seq": REACH, "last_seq": REACH, "ended": ENDED},
        REACH,
        REACH,
    ),
    Table("tree", "level, idx", {"level": TREE, "idx": TREE, "hash": TREE}, TREE, TREE, in_bytes=True),
    Table("checkpoints", "size", {"size": NOTE, "note": NOTE, "at": WHEN}, KEPT, NOTE, in_bytes=True),
    Table(
        "proposals",
        "id",
        dict.fromkeys(
            (
                "id",
                "agent_id",
                "tool",
                "state",
                "clock",
                "next_at",
                "deadline",
                "channel",
                "ts",
                "created_at",
                "last_seq",
            ),
            _PROPOSAL,
        ),
        _PROPOSAL,
        _PROPOSAL,
    ),
    Table(
        "turned_away",
        "agent_id, seq",
        dict.fromkeys(("agent_id", "seq"), "was turned away"),
        "was turned away",
        "turned away",
    ),
    Table(
        "absences",
        "person",
        dict.fromkeys(("person", "since", "until", "delegate", "seq"), "in until when .* is away"),
        "in until when .* is away",
        "in until when .* is away",
    ),
    Table(
        "credentials",
        "id",
        dict.fromkeys(("id", "person", "factor", "state"), _index("credential"))
        | {"material": "the index has another key, secret or code"},
        _index("credential"),
        _index("credential"),
        by_file=frozenset(("id", "material", "+")),
    ),
    Table(
        "people",
        "ref",
        dict.fromkeys(("ref", "team_id", "user_id", "salt"), ACCOUNT),
        ACCOUNT,
        None,  # an account has one row; somebody else's is a person who has done nothing yet
        only=PLAIN,
    ),
    Table(
        "policy_content",
        "hash",
        dict.fromkeys(("hash", "content"), "policy content .* was changed|policy version .* cannot be trusted"),
        "policy version .* cannot be trusted",
        "policy content .* was changed",
    ),
    Table(
        "access_reports",
        "digest",
        dict.fromkeys(("digest", "content"), "the report .* was (changed|signed and is missing)"),
        "the report .* was signed and is missing",
        "the report .* was changed",
    ),
    Table(
        "agents",
        "id",
        dict.fromkeys(
            ("id", "name", "owner", "tools", "callback_hosts", "secret_generation", "created_at", "revoked_at"),
            _index("agent"),
        ),
        _index("agent"),
        _index("agent"),
    ),
    Table(
        "agent_keys",
        "agent_id, created_at",
        dict.fromkeys(("agent_id", "created_at", "expires_at", "key_id", "hash"), _AGENT_KEYS),
        _AGENT_KEYS,
        _AGENT_KEYS,
        by_file=frozenset(("key_id", "hash", "+")),
    ),
    Table(
        "operator_keys",
        "key_id",
        dict.fromkeys(("key_id", "hash", "person", "created_at", "revoked_at"), _index("operator's key")),
        _index("operator's key"),
        _index("operator's key"),
        by_file=frozenset(("key_id", "hash", "+")),
    ),
    Table(
        "auditor_keys",
        "key_id",
        dict.fromkeys(
            ("key_id", "hash", "person", "shows_values", "created_at", "revoked_at"), _index("auditor's key")
        ),
        _index("auditor's key"),
        _index("auditor's key"),
        by_file=frozenset(("key_id", "hash", "+")),
    ),
)
"""The tables that are the record, or a fold of it that somebody acts on."""

OUTSIDE = {
    "alembic_version": "the revision of the schema: a server that needs another one does not start",
    "sqlite_sequence": "SQLite's own counter",
    "facts": "what Slack said of the workspace, asked again at each start",
    "outbox": "what is still to be told; what was told stands in the log",
    "idempotency": "which key an agent used for which proposal",
    "seen_requests": "which requests of Slack were seen, for some minutes",
    "tickets": "links to pages, for minutes",
    "starts": "what somebody began to start, for minutes",
    "switch_posts": "where the message about a pause stands in Slack",
    "person_marks": "by what two accounts are known to be one person's: keyed hashes, made again from Slack",
    "cosignatures": "what witnesses signed: each bears their signature, and what is gone they have themselves",
    "search_rows": "the search's own index: every hit is read in the log again",
    "search_terms": "likewise",
    "search_words": "likewise",
    "search_amounts": "likewise",
    "search_place": "likewise",
}
"""The tables that are neither, each with its reason. A table that stands nowhere here breaks the test."""

OUTSIDE_COLUMNS = {
    "detached": {
        "mark": "of a plain value, which is sealed within a minute; of a sealed one it is tried by itself",
        "key": "of a plain value there is none; of a sealed one it is tried by itself",
        "box": "likewise",
    },
    "people": {
        "name": "what Slack calls the account now; the account is borne out",
        "key": "of a plain row there is none; of a sealed one it is tried by itself",
        "box": "likewise",
        "mark": "likewise",
    },
    "access_reports": {"made_at": "stands in the signed content too; it orders a list"},
    "credentials": {
        "label": "a name that its owner gave it",
        "counter": "of the authenticator, moves with each use",
        "failures": "wrong codes since the last right one",
        "created_at": "for people; the log has the time",
        "active_since": "for people; the log has the time",
        "confirmed_by": "for people; the log has who",
        "last_used_at": "for people; the log has each use",
    },
}
"""The columns of those tables that the log does not bear out, each with its reason."""


def _in_bytes(table: Table, column: str) -> bool:
    return table.in_bytes or column in table.by_file


def damages() -> Iterator[Damage]:
    """Give every way to tamper with one row of one table."""
    for table in TABLES:
        for column, told in table.columns.items():
            what = f"{column} changed"
            yield Damage(table.name, what, told, _flip(table, column), _in_bytes(table, column), table.only)
        if table.gone:
            yield Damage(table.name, "a row deleted", table.gone, _delete(table), table.in_bytes, table.only)
        if table.added is not None:
            yield Damage(table.name, "a row added", table.added, _add(table), _in_bytes(table, "+"), table.only)
    links = f"{LINK}|{NUMBER}|{REWRITTEN}|{MISSING}"
    yield Damage("entries", "deleted with all that belongs to it", MISSING, _without)
    yield Damage("entries", "deleted and the gap closed", links, _close)
    yield Damage("entries", "two neighbours swapped", NUMBER, _swap)
    yield Damage("entries", "one inserted before it", links, _insert)
    yield Damage("entries", "everything from it on cut off", f"entries are missing|{TREE}", _cut)
    yield Damage("entries", "changed with its hash", f"{LINK}|{REWRITTEN}", _with_hash)
    yield Damage("entries", "changed, and all hashes after it", REWRITTEN, _relinked)
    yield Damage("entries", "changed, all hashes and the tree", REWRITTEN, _regrown)
    told = f"{REWRITTEN}|this log was rewritten from its first entry"
    yield Damage("entries", "the same, and no checkpoint in the database", told, _forgotten)
    yield Damage("detached", "two values exchanged", CHANGED, _exchange, only=PLAIN)
    for column, told in {"seq": f"{CHANGED}|{STRAY}|{GONE}", "name": CHANGED, "box": CHANGED, "key": GONE}.items():
        what = f"{column} of a sealed value changed"
        yield Damage("detached", what, told, _flip(_BOXES, column), in_bytes=column == "seq", only=SEALED)
    yield Damage("detached", "mark of a sealed value changed", MARKED, _flip(_DIGESTS, "mark"), False, _DIGESTS.only)  # noqa: FBT003
    yield Damage("detached", "mark of a sealed value taken away", MARKED, _unmark, False, _DIGESTS.only)  # noqa: FBT003
    yield Damage("detached", "mark put to another value", MARKED, _mark_other, False, _DIGESTS.only)  # noqa: FBT003
    for column, told in {"name": CHANGED, "box": CHANGED, "key": GONE}.items():
        what = f"{column} of personal arguments changed"
        yield Damage("detached", what, told, _flip(_PERSONAL, column), in_bytes=False, only=_PERSONAL.only)
    yield Damage("detached", "personal arguments deleted", GONE, _delete(_PERSONAL), only=_PERSONAL.only)
    yield Damage("detached", "personal arguments exchanged", CHANGED, _exchange_personal, False, _PERSONAL.only)  # noqa: FBT003
    told_of = {"ref": ACCOUNT, "box": ACCOUNT, "key": "nobody can tell any more who that is", "mark": FOUND_AGAIN}
    for column, told in told_of.items():
        yield Damage("people", f"{column} of somebody sealed changed", told, _flip(_PEOPLE, column), False, SEALED)  # noqa: FBT003
    yield Damage("people", "somebody sealed deleted", ACCOUNT, _delete(_PEOPLE), in_bytes=False, only=SEALED)
    yield Damage("people", "two exchanged", ACCOUNT, _exchange_people, in_bytes=False, only=SEALED)
    yield Damage("people", "somebody sealed written in plain as another", ACCOUNT, _as_another, False, SEALED)  # noqa: FBT003
    for what, sql in _ENDS.items():
        yield Damage("sealed_with", what, ENDED, _ending(sql), in_bytes=False)
    yield Damage("detached", "a sealed value deleted", GONE, _delete(_BOXES), only=SEALED)
    yield Damage("detached", "a value written beside its box", CHANGED, _beside, in_bytes=False, only=SEALED)


_BOXES = Table("detached", "seq, name", {}, GONE, None, only=SEALED)
_PERSONAL = Table("detached", "seq, name", {}, GONE, None, only="name = 'personal'")
_PEOPLE = Table("people", "ref", {}, ACCOUNT, None, only=SEALED)
_DIGESTS = Table("detached", "seq, name", {}, GONE, None, only="key IS NOT NULL AND mark IS NOT NULL")
_ENDS = {
    "a key's values said to be erased": "SET ended = 'erased'",
    "it is said where none of a key's values lie": "SET first_seq = last_seq + 1, last_seq = last_seq + 2",
}


def _place(db: sqlite3.Connection, table: Table, place: int, columns: str) -> Any:  # noqa: ANN401 - a row
    rows = f"SELECT {columns} FROM main.{table.name} WHERE {table.only}"  # noqa: S608 - our own names
    return db.execute(f"{rows} ORDER BY {table.key} LIMIT 1 OFFSET ?", (place,)).fetchone()


def _where(table: Table) -> str:
    return " AND ".join(f"{name} = ?" for name in table.key.split(", "))


def changed(column: str, value: object) -> object:
    """Change a stored value a little, within its type and what the table allows."""
    if isinstance(value, bytes):
        middle = len(value) // 2
        return value[:middle] + bytes([value[middle] ^ 1]) + value[middle + 1 :]
    if isinstance(value, int):
        return value + 1_000_000
    if column == "expires_at":
        return None if value is not None else "2030-01-01T00:00:00.000000Z"
    closed = {"state": ("approved", "denied"), "clock": ("decide", "claim"), "factor": ("passkey", "totp")}
    if column == "state" and value in ("active", "waiting", "locked", "removed"):
        return "active" if value != "active" else "locked"
    if column in closed:
        first, other = closed[column]
        return other if value == first else first
    return "x" if value is None else f"{value}x"


def _flip(table: Table, column: str) -> Apply:
    def apply(db: sqlite3.Connection, place: int) -> None:
        *key, old = _place(db, table, place, f"{table.key}, {column}")
        sql = f"UPDATE main.{table.name} SET {column} = ? WHERE {_where(table)}"  # noqa: S608 - our own names
        db.execute(sql, (changed(column, old), *key))

    return apply


def _delete(table: Table) -> Apply:
    def apply(db: sqlite3.Connection, place: int) -> None:
        key = _place(db, table, place, table.key)
        db.execute(f"DELETE FROM main.{table.name} WHERE {_where(table)}", key)  # noqa: S608 - our own names

    return apply


def _add(table: Table) -> Apply:
    """Copy a row under a key of its own."""

    def apply(db: sqlite3.Connection, place: int) -> None:
        names = [row[1] for row in db.execute(f"PRAGMA main.table_info({table.name})")]
        row = dict(zip(names, _place(db, table, place, ", ".join(names)), strict=True))
        unique = {"agent_keys": ("key_id",), "agents": ("id", "name"), "detached": ("name",), "tree": ("idx",)}
        for name in unique.get(table.name, table.key.split(", ")[:1]):
            row[name] = changed(name, row[name])
        if table.name in ("operator_keys", "auditor_keys"):
            row["person"] += "x"
        marks = ", ".join("?" * len(row))
        db.execute(f"INSERT INTO main.{table.name} ({', '.join(row)}) VALUES ({marks})", [*row.values()])  # noqa: S608 - ours

    return apply


def _exchange_personal(db: sqlite3.Connection, place: int) -> None:
    """Let one action be to whom another was."""
    seq, _ = _place(db, _PERSONAL, place, _PERSONAL.key)
    of = "FROM main.detached WHERE name = 'personal' AND seq"
    (other,) = db.execute(f"SELECT seq {of} <> ? LIMIT 1", (seq,)).fetchone()
    for old, new in ((seq, -1), (other, seq), (-1, other)):
        db.execute("UPDATE main.detached SET seq = ? WHERE name = 'personal' AND seq = ?", (new, old))


def _exchange_people(db: sqlite3.Connection, place: int) -> None:
    (one,) = _place(db, _PEOPLE, place, "ref")
    (other,) = db.execute("SELECT ref FROM main.people WHERE key IS NOT NULL AND ref <> ? LIMIT 1", (one,)).fetchone()
    for old, new in ((one, "aside"), (other, one), ("aside", other)):
        db.execute("UPDATE main.people SET ref = ? WHERE ref = ?", (new, old))


def _as_another(db: sqlite3.Connection, place: int) -> None:
    """With a salt, as a row of somebody who had no keys would stand there."""
    db.execute(
        "UPDATE main.people SET team_id = 'T0DEMO', user_id = 'U0ANOTHER', name = '', salt = 'c2FsdHNhbHRzYWx0',"
        " key = NULL, box = NULL, mark = NULL WHERE ref = ?",
        _place(db, _PEOPLE, place, "ref"),
    )


# --- entries as somebody with time and skill tampers with them


def _without(db: sqlite3.Connection, seq: int) -> None:
    db.execute("DELETE FROM entries WHERE seq = ?", (seq,))
    db.execute("DELETE FROM main.detached WHERE seq = ?", (seq,))
    db.execute("DELETE FROM proposals WHERE last_seq = ?", (seq,))


def _close(db: sqlite3.Connection, seq: int) -> None:
    _without(db, seq)
    for table in ("entries", "detached"):
        db.execute(f"UPDATE main.{table} SET seq = -seq WHERE seq > ?", (seq,))  # noqa: S608 - constants
        db.execute(f"UPDATE main.{table} SET seq = -seq - 1 WHERE seq < 0")  # noqa: S608 - constants


def _swap(db: sqlite3.Connection, seq: int) -> None:
    other = seq - 1 if seq else 1
    for table in ("entries", "detached"):
        for old, new in ((seq, -1), (other, seq), (-1, other)):
            db.execute(f"UPDATE main.{table} SET seq = ? WHERE seq = ?", (new, old))  # noqa: S608 - constants


def _insert(db: sqlite3.Connection, seq: int) -> None:
    for table in ("entries", "detached"):
        db.execute(f"UPDATE main.{table} SET seq = -seq WHERE seq > ?", (seq,))  # noqa: S608 - constants
        db.execute(f"UPDATE main.{table} SET seq = -seq + 1 WHERE seq < 0")  # noqa: S608 - constants
    db.execute(
        "INSERT INTO entries SELECT seq + 1, subject, type, at, body, leaf_hash FROM entries WHERE seq = ?", (seq,)
    )


def _cut(db: sqlite3.Connection, seq: int) -> None:
    db.execute("DELETE FROM main.detached WHERE seq >= ?", (seq,))
    db.execute("DELETE FROM entries WHERE seq >= ?", (seq,))
    db.execute("DELETE FROM checkpoints WHERE size > ?", (seq,))
    db.execute("DELETE FROM proposals WHERE last_seq >= ?", (seq,))


def _forged(db: sqlite3.Connection, seq: int) -> bytes:
    (body,) = db.execute("SELECT body FROM entries WHERE seq = ?", (seq,)).fetchone()
    return bytes(body).replace(b'"kind":"', b'"kind":"x', 1)


def _with_hash(db: sqlite3.Connection, seq: int) -> None:
    body = _forged(db, seq)
    db.execute("UPDATE entries SET body = ?, leaf_hash = ? WHERE seq = ?", (body, leaf_hash(body), seq))


def _relinked(db: sqlite3.Connection, seq: int) -> None:
    _with_hash(db, seq)
    (prev,) = db.execute("SELECT leaf_hash FROM entries WHERE seq = ?", (seq,)).fetchone()
    for later, body in db.execute("SELECT seq, body FROM entries WHERE seq > ? ORDER BY seq", (seq,)).fetchall():
        start = body.index(b'"prev":"') + len(b'"prev":"')
        forged = body[:start] + prev.hex().encode() + body[start + len(FIRST_PREV) :]
        prev = leaf_hash(forged)
        db.execute("UPDATE entries SET body = ?, leaf_hash = ? WHERE seq = ?", (forged, prev, later))


def leaves_of(db: sqlite3.Connection) -> list[bytes]:
    """Give the stored hashes in order."""
    return [row[0] for row in db.execute("SELECT leaf_hash FROM entries ORDER BY seq")]


def _regrown(db: sqlite3.Connection, seq: int) -> None:
    _relinked(db, seq)
    db.execute("DELETE FROM tree")
    db.executemany("INSERT INTO tree (level, idx, hash) VALUES (?, ?, ?)", grown(Frontier(), leaves_of(db))[1])


def _forgotten(db: sqlite3.Connection, seq: int) -> None:
    _regrown(db, seq)
    db.execute("DELETE FROM checkpoints")


def _exchange(db: sqlite3.Connection, place: int) -> None:
    sql = "SELECT rowid, salt, value FROM main.detached WHERE key IS NULL ORDER BY seq, name LIMIT 2 OFFSET ?"
    rows = db.execute(sql, (max(place - 1, 0),)).fetchall()
    (one, *first), (other, *second) = rows
    db.execute("UPDATE main.detached SET salt = ?, value = ? WHERE rowid = ?", (*second, one))
    db.execute("UPDATE main.detached SET salt = ?, value = ? WHERE rowid = ?", (*first, other))


def _unmark(db: sqlite3.Connection, place: int) -> None:
    key = _place(db, _DIGESTS, place, _DIGESTS.key)
    db.execute("UPDATE main.detached SET mark = NULL WHERE seq = ? AND name = ?", key)


def _mark_other(db: sqlite3.Connection, place: int) -> None:
    (mark,) = _place(db, _DIGESTS, place, "mark")
    db.execute(
        "UPDATE main.detached SET mark = ? WHERE rowid ="
        " (SELECT rowid FROM main.detached WHERE key IS NOT NULL AND name <> 'digest' LIMIT 1)",
        (mark,),
    )


def _ending(sql: str) -> Apply:
    def apply(db: sqlite3.Connection, place: int) -> None:
        (key,) = db.execute("SELECT key FROM sealed_with ORDER BY key LIMIT 1 OFFSET ?", (place,)).fetchone()
        db.execute(f"UPDATE sealed_with {sql} WHERE key = ?", (key,))

    return apply


def _beside(db: sqlite3.Connection, place: int) -> None:
    key = _place(db, _BOXES, place, _BOXES.key)
    db.execute("UPDATE main.detached SET salt = 'c2FsdA', value = '\"all well\"' WHERE seq = ? AND name = ?", key)
