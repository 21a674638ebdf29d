"""A database as an earlier version left it: what each later migration made is taken away again."""

import sqlite3
from typing import Final

_MADE_BY: Final = {
    "0002": ("TABLE policy_content",),
    "0003": ("TABLE turned_away", "INDEX detached_digests"),
    "0004": ("TABLE credentials", "TABLE tickets"),
    "0005": ("TABLE person_marks",),
    "0010": ("TABLE starts",),
    "0009": ("TABLE absences",),
    "0006": ("INDEX proposals_by_packet",),
    "0007": ("TABLE operator_keys", "TABLE switch_posts"),
    "0008": ("TABLE access_reports", "INDEX votes_by_time"),
    "0011": ("TABLE tree", "TABLE checkpoints"),
    "0014": ("TABLE cosignatures",),
    "0012": (
        "TRIGGER search_forgets_with_the_value",
        *("TABLE auditor_keys", "TABLE search_rows", "TABLE search_terms", "TABLE search_words"),
        *("TABLE search_amounts", "TABLE search_place"),
    ),
}

# What the connection cannot open is lost on the way back.
_UNSEAL: Final = (
    "DROP TABLE sealed_with",
    "CREATE TEMP TABLE opened AS SELECT seq, name, salt, value FROM detached WHERE value IS NOT NULL",
    "DROP VIEW temp.detached",
    "DROP TABLE detached",
    "CREATE TABLE detached (seq INTEGER REFERENCES entries (seq), name TEXT, salt TEXT, value TEXT) STRICT",
    "CREATE UNIQUE INDEX detached_by_entry ON detached (seq, name)",
    "INSERT INTO detached (seq, name, salt, value) SELECT * FROM temp.opened",
    "DROP TABLE temp.opened",
    """CREATE TRIGGER search_forgets_with_the_value AFTER DELETE ON detached BEGIN
        DELETE FROM search_words WHERE entry = old.seq AND name = old.name;
        DELETE FROM search_amounts WHERE entry = old.seq AND old.name = 'arguments';
    END""",
    "CREATE INDEX detached_digests ON detached (substr(value, 9, 24), seq) WHERE name = 'digest'",
)


# Likewise whoever cannot be opened.
_UNSEAL_PEOPLE: Final = (
    "CREATE TEMP TABLE known AS SELECT ref, team_id, user_id, name FROM people",
    "DROP VIEW temp.people",
    "DROP TABLE people",
    "CREATE TABLE people (ref TEXT PRIMARY KEY, team_id TEXT, user_id TEXT, name TEXT) STRICT",
    "CREATE UNIQUE INDEX people_by_account ON people (user_id, team_id)",
    "INSERT INTO people SELECT * FROM temp.known",
    "DROP TABLE temp.known",
)


_NAME_KEYS: Final = tuple(
    statement
    for table in ("operator_keys", "auditor_keys")
    for statement in (
        f"ALTER TABLE {table} ADD COLUMN name TEXT NOT NULL DEFAULT ''",
        f"UPDATE {table} SET name = key_id",  # noqa: S608 - our own names
        f"DROP INDEX {table}_living",
        f"CREATE UNIQUE INDEX {table}_living ON {table} (name) WHERE revoked_at IS NULL",
    )
)


def go_back(connection: sqlite3.Connection, revision: str) -> None:
    """Undo every migration after this one."""
    for later, statements in (("0017", _NAME_KEYS), ("0016", _UNSEAL_PEOPLE), ("0013", _UNSEAL)):
        for statement in statements if later > revision else ():
            connection.execute(statement)
    for later, made in _MADE_BY.items():
        for thing in made if later > revision else ():
            connection.execute(f"DROP {thing}")
    connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
