"""`foureyes operator`: keys for pausing over HTTP, shown once, listed without their secret, revoked by name."""

import json
import sqlite3
from contextlib import closing

from tests.bot.cli.shell import Shell


def test_a_key_is_shown_once_listed_and_taken_away(ready: Shell) -> None:
    """Nothing but the first answer has the key."""
    added = ready("operator", "add", "ana.sousa", "--json").json()
    assert added["name"] == "ana.sousa"
    assert added["key"].startswith("op_")
    (listed,) = ready("operator", "list", "--json").json()
    assert (listed["name"], listed["revoked_at"]) == ("ana.sousa", None)
    assert added["key"] not in json.dumps(listed)
    assert ready("operator", "revoke", "ana.sousa").out == "Revoked the key of ana.sousa.\n"
    assert ready("operator", "list", "--json").json()[0]["revoked_at"] is not None
    again = ready("operator", "add", "ana.sousa")
    assert "Key       op_" in again.out
    assert "two keys count as two people" in again.err
    assert ready("audit", "verify").code == 0


def test_what_cannot_be_is_said(ready: Shell) -> None:
    """A second key for one name, a name that has none, and a name that is none."""
    ready("operator", "add", "ana")
    assert ready("operator", "add", "ana").code == 1
    assert ready("operator", "revoke", "ben").code == 1
    assert ready("operator", "add", "Ana Sousa").code == 2
    assert ready("operator", "list").code == 0


def test_a_name_stands_nowhere_beside_the_key(ready: Shell) -> None:
    """Whose key it is lies sealed with the person; without the data keys its id is enough to take it away."""
    ready("operator", "add", "erika.mustermann")
    ready("auditor", "add", "bernd.beispiel")
    files = [file for file in ready.folder.rglob("*") if file.is_file()]
    assert not [file for file in files if b"mustermann" in file.read_bytes() or b"beispiel" in file.read_bytes()]
    (listed,) = ready("operator", "list", "--json").json()
    (ready.folder / "foureyes.data-keys").chmod(0o644)
    (sealed,) = ready("operator", "list", "--json").json()
    assert sealed == {**listed, "name": listed["key_id"]}
    ended = ready("operator", "revoke", "erika.mustermann")
    assert (ended.code, "data keys or the signing key cannot be read" in ended.err) == (3, True)
    ended = ready("operator", "revoke", listed["key_id"])
    assert ended.code == 0, ended.err
    (ready.folder / "foureyes.data-keys").chmod(0o600)
    assert [row["revoked_at"] is None for row in ready("operator", "list", "--json").json()] == [False]
    assert ready("audit", "verify").code == 0


def test_names_that_an_earlier_version_kept_are_taken_out(ready: Shell) -> None:
    """The upgrade leaves no page with them, and whose key it is stays known."""
    ready("operator", "add", "erika.mustermann")
    with closing(sqlite3.connect(ready.folder / "foureyes.db", isolation_level=None)) as db:
        db.execute("ALTER TABLE operator_keys ADD COLUMN name TEXT NOT NULL DEFAULT ''")
        db.execute("ALTER TABLE auditor_keys ADD COLUMN name TEXT NOT NULL DEFAULT ''")
        db.execute("UPDATE operator_keys SET name = 'erika.mustermann'")
        db.execute("UPDATE alembic_version SET version_num = '0016'")
    assert ready("db", "upgrade").code == 0
    assert ready("operator", "list", "--json").json()[0]["name"] == "erika.mustermann"
    with closing(sqlite3.connect(ready.folder / "foureyes.db", isolation_level=None)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    assert b"mustermann" not in (ready.folder / "foureyes.db").read_bytes()
