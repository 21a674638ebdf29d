"""Policy versions in the database: kept once, never changed, and given out only as what their names say."""

import hashlib
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from approval_rules.decide import POLICY
from approval_rules.policy_events import PolicyActivated, PolicyLoaded, PolicySeen
from approval_rules.versions import Versions
from bot.clock import SteadyClock, TimeOrderedIds, salts
from bot.desk.versions import take_up
from bot.policy_content import PolicyContent, listed
from bot.store import schema
from bot.store.check import differences
from bot.store.commit import run_now
from bot.store.engine import open_reader, open_writer
from bot.store.policies import PolicyStoreError, content_of, keep, looking
from bot.store.reads import Reads
from bot.store.transaction import Sources, Transaction
from tests.bot.store.conftest import Store
from tests.bot.store.earlier import go_back
from tests.world import empty_database

GOOD = PolicyContent({"pay.yml": b"policy: 1\n", "roles.yml": b"roles: {}\n", "contracts/pay.json": b"{}"})
NEXT = PolicyContent({**GOOD.files, "pay.yml": b"policy: 2\n"})
SOURCES = Sources(SteadyClock(), TimeOrderedIds(), salts)


def activate(tx: Transaction, content: PolicyContent) -> Versions:
    """Keep a version and let it decide."""
    keep(tx, content)
    tx.record(PolicySeen(tx.at, POLICY, content.version))
    tx.record(PolicyActivated(tx.at, POLICY, content.version, tx.versions.active, "changed"))
    return tx.versions


@pytest.fixture
def kept(db: sqlite3.Connection) -> sqlite3.Connection:
    """Two versions in a database, without its guards: an administrator can drop them."""
    run_now(db, SOURCES, lambda tx: activate(tx, GOOD))
    run_now(db, SOURCES, lambda tx: activate(tx, NEXT))
    for trigger in ("policy_content_never_changes", "policy_content_never_goes"):
        db.execute(f"DROP TRIGGER {trigger}")
    return db


def test_the_version_is_what_sha256sum_says(tmp_path: Path) -> None:
    """Anybody can check a version with two well-known programs, whatever the order that the files were given in."""
    (tmp_path / "contracts").mkdir()
    for name, data in GOOD.files.items():
        (tmp_path / name).write_bytes(data)
    command = ["sh", "-c", "LC_ALL=C sha256sum *.yml contracts/*.json"]
    printed = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True).stdout  # noqa: S603 - ours
    assert GOOD.listing == printed
    assert GOOD.version == f"sha256:{hashlib.sha256(printed).hexdigest()}"
    assert PolicyContent(dict(sorted(GOOD.files.items(), reverse=True))).version == GOOD.version
    assert listed(GOOD.listing).keys() == GOOD.files.keys()


def test_a_version_comes_back_byte_for_byte(db: sqlite3.Connection) -> None:
    """What was kept can be loaded, also from before a later version; equal files are kept once."""
    run_now(db, SOURCES, lambda tx: activate(tx, GOOD))
    assert run_now(db, SOURCES, lambda tx: activate(tx, NEXT)) == Versions(NEXT.version, NEXT.version)
    run_now(db, SOURCES, lambda tx: keep(tx, GOOD))
    assert content_of(looking(db), GOOD.version) == GOOD
    assert run_now(db, SOURCES, lambda tx: content_of(tx.rows, NEXT.version)) == NEXT
    # Two listings and four files, two of them in both versions.
    assert db.execute("SELECT count(*) FROM policy_content").fetchone() == (6,)


async def test_what_decides_follows_from_the_log(store: Store) -> None:
    """Readers, the same batch and a later one agree; a unit that fails moves nothing."""

    def fails(tx: Transaction) -> None:
        activate(tx, NEXT)
        raise ValueError

    results = await store.together(lambda tx: activate(tx, GOOD), fails, lambda tx: tx.versions)
    assert results[2] == Versions(GOOD.version, GOOD.version)
    assert await store.writer.run(lambda tx: tx.versions) == Versions(GOOD.version, GOOD.version)
    reads = Reads(store.path)
    assert await reads.glance().versions() == Versions(GOOD.version, GOOD.version)
    await reads.close()
    with closing(open_reader(store.path)) as connection:
        assert list(differences(connection)) == []


@pytest.mark.parametrize("statement", ["UPDATE policy_content SET content = x'00'", "DELETE FROM policy_content"])
def test_the_database_refuses_to_change_a_version(db: sqlite3.Connection, statement: str) -> None:
    """Kept means kept: the triggers stop whoever does not take them away first."""
    run_now(db, SOURCES, lambda tx: activate(tx, GOOD))
    with pytest.raises(sqlite3.IntegrityError, match="never changes"):
        db.execute(statement)


@pytest.mark.parametrize("name", sorted([*GOOD.files, "its list of files"]))
@pytest.mark.parametrize("harm", ["was changed", "is missing"])
def test_a_tampered_version_is_not_given_out(kept: sqlite3.Connection, name: str, harm: str) -> None:
    """Any content that is not what its name says, or is gone: loading says which, and `audit verify` finds it."""
    digest = GOOD.version if name not in GOOD.files else f"sha256:{hashlib.sha256(GOOD.files[name]).hexdigest()}"
    assert list(differences(kept)) == []
    change = (
        "UPDATE policy_content SET content = CAST(content || ' ' AS BLOB)"
        if harm == "was changed"
        else "DELETE FROM policy_content"
    )
    kept.execute(f"{change} WHERE hash = ?", (digest,))
    with pytest.raises(PolicyStoreError, match=f"{name} {harm}"):
        content_of(looking(kept), GOOD.version)
    assert any(harm in line for line in differences(kept))


def test_a_swap_is_found(kept: sqlite3.Connection) -> None:
    """Another version's list under this version's name is not this version, whole as it is in itself."""
    kept.execute("UPDATE policy_content SET hash = 'x' WHERE hash = ?", (GOOD.version,))
    kept.execute("UPDATE policy_content SET hash = ? WHERE hash = ?", (GOOD.version, NEXT.version))
    with pytest.raises(PolicyStoreError, match="its list of files was changed"):
        content_of(looking(kept), GOOD.version)
    assert len(list(differences(kept))) == 4


def test_a_rewritten_schema_does_not_stop_the_check(kept: sqlite3.Connection) -> None:
    """Text where bytes belong is a finding, never a crash."""
    for view in ("detached", "people"):  # SQLite renames nothing beside a view that hides a table
        kept.execute(f"DROP VIEW temp.{view}")
    kept.execute("ALTER TABLE policy_content RENAME TO old")
    kept.execute("CREATE TABLE policy_content AS SELECT hash, 'text' AS content FROM old")
    assert any("was changed" in line for line in differences(kept))


def test_a_database_from_before_versions_is_taken_over(tmp_path: Path) -> None:
    """After an upgrade nobody knows what decided before, so the folder's version comes into force, and not quietly."""
    path = tmp_path / "old.db"
    path.write_bytes(empty_database())
    with closing(open_writer(path, checkpoints=True)) as connection:
        run_now(connection, SOURCES, lambda tx: tx.record(PolicyLoaded(tx.at, POLICY, GOOD.version, "loaded")))
        go_back(connection, "0001")
    schema.upgrade(path)
    schema.require_current(path)
    with closing(open_writer(path, checkpoints=True)) as connection:
        activated = run_now(connection, SOURCES, lambda tx: take_up(tx, GOOD))
        assert isinstance(activated, PolicyActivated)
        assert (activated.version, activated.previous, activated.why) == (GOOD.version, None, "changed")
        assert run_now(connection, SOURCES, lambda tx: take_up(tx, GOOD)) is None
        assert content_of(looking(connection), GOOD.version) == GOOD
