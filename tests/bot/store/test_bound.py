"""What keys and factors are verified by is what the log says: whatever is exchanged, added or taken back is told."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from approval_rules.factor_events import FactorEnrolled, FactorRemovalAsked, FactorRemoved, Held, RecoveryUsed
from approval_rules.factors import evolve_factors, fold_factors
from approval_rules.people import PersonId, human
from approval_rules.stop_events import OperatorKeyChanged
from bot.store import credentials
from bot.store.bound import key_digest, material_digests
from bot.store.registered import Registry
from tests.world import empty_database

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ADA = PersonId("pers_1")
PASSKEY: dict[str, Any] = {"credential_id": "c", "public_key": "k", "aaguid": "a"}
CODES: dict[str, Any] = {"hashes": ["h1", "h2", "h3"]}


def enrolled(material: dict[str, Any], factor: Held = "passkey", *, bound: bool = True) -> FactorEnrolled:
    """Say that a factor was enrolled."""
    digests = material_digests(material) if bound else None
    return FactorEnrolled(NOON, human(ADA), ADA, "cred_1", factor, bound=digests)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """An empty database."""
    (tmp_path / "foureyes.db").write_bytes(empty_database())
    with closing(sqlite3.connect(tmp_path / "foureyes.db", isolation_level=None)) as connection:
        yield connection


def faults(db: sqlite3.Connection, material: object, *events: Any, state: str = "waiting") -> list[str]:  # noqa: ANN401 - events
    """Let the row of the one credential have this material, and the log these events."""
    text = material if isinstance(material, str) else json.dumps(material)
    values = ("cred_1", ADA, events[0].factor, state, "", text, 0, 0, "2026")
    db.execute(
        "INSERT OR REPLACE INTO credentials"
        " (id, person, factor, state, label, material, counter, failures, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        values,
    )
    return list(credentials.faults(db, fold_factors(events)))


OTHER = ["credential cred_1: the index has another key, secret or code than the log says"]
USED = RecoveryUsed(NOON, human(ADA), ADA, "cred_1", 2)
ASKED = FactorRemovalAsked(NOON, human(ADA), ADA, "cred_1")


def test_what_was_enrolled_is_no_fault(db: sqlite3.Connection) -> None:
    """A passkey as it was, codes of which one was used, and one whose removal somebody asked for."""
    assert faults(db, PASSKEY, enrolled(PASSKEY)) == []
    assert faults(db, {"hashes": ["h3", "h1"]}, enrolled(CODES, "recovery"), USED) == []
    assert faults(db, {**PASSKEY, "removal_asked": True}, enrolled(PASSKEY), ASKED) == []


@pytest.mark.parametrize("material", [{**PASSKEY, "public_key": "evil"}, {}, {"hashes": []}, "{", "[1]", {"hashes": 3}])
def test_an_exchanged_key_is_told(db: sqlite3.Connection, material: object) -> None:
    """Whoever writes his own public key into a colleague's row signs with it, and is found."""
    assert faults(db, material, enrolled(PASSKEY)) == OTHER


@pytest.mark.parametrize("hashes", [["h1", "h2", "h3"], ["h1"], ["h1", "h1"], ["h1", "evil"], []])
def test_codes_that_came_back_or_were_added_are_told(db: sqlite3.Connection, hashes: list[str]) -> None:
    """After the use of one, two of the three must be left: not all, not fewer, none twice, and no other."""
    assert faults(db, {"hashes": hashes}, enrolled(CODES, "recovery"), USED) == OTHER


def test_a_wish_to_remove_that_nobody_had_is_told(db: sqlite3.Connection) -> None:
    """It stands in the material, and must stand in the log."""
    assert faults(db, {**PASSKEY, "removal_asked": True}, enrolled(PASSKEY)) == OTHER


def test_of_what_was_removed_nothing_may_be_left(db: sqlite3.Connection) -> None:
    """A removed factor has no material."""
    gone = FactorRemoved(NOON, human(ADA), ADA, "cred_1", "asked")
    assert faults(db, {}, enrolled(PASSKEY), gone, state="removed") == []
    assert faults(db, PASSKEY, enrolled(PASSKEY), gone, state="removed") == OTHER


def test_what_was_enrolled_before_there_were_digests_is_known_by_its_state_alone(db: sqlite3.Connection) -> None:
    """Old entries hold none, and nothing is made up."""
    assert faults(db, {**PASSKEY, "public_key": "other"}, enrolled(PASSKEY, bound=False)) == []


def test_an_operators_key_of_before_is_known_by_its_times_alone(db: sqlite3.Connection) -> None:
    """With a digest an exchanged one is told."""
    at = "2026-11-22T12:00:00.000000Z"
    db.execute("INSERT INTO operator_keys VALUES ('k', ?, 'hash', ?, NULL)", (ADA, at))
    for fingerprint, wanted in ((None, 0), (key_digest("k", "hash"), 0), (key_digest("k", "other"), 1)):
        registry = Registry()
        registry.note(OperatorKeyChanged(NOON, human(ADA), ADA, "k", "added", fingerprint))
        assert len(list(registry.faults(db))) == wanted


def test_the_fold_keeps_what_the_events_say() -> None:
    """The digests come with the enrolment, and how many codes are left with each use."""
    held = evolve_factors({}, enrolled(CODES, "recovery"))
    assert (held["cred_1"].bound, held["cred_1"].left) == (material_digests(CODES), None)
    assert evolve_factors(held, USED)["cred_1"].left == 2
