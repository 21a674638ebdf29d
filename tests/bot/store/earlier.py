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


def go_back(connection: sqlite3.Connection, revision: str) -> None:
    """Undo every migration after this one."""
    for statement in _UNSEAL if revision < "0013" else ():
        connection.execute(statement)
    for later, made in _MADE_BY.items():
        for thing in made if later > revision else ():
            connection.execute(f"DROP {thing}")
    connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
