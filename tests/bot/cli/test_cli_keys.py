"""`foureyes key`: a rotation from end to end, interrupted anywhere, and what an attacker makes of it."""

import json
from datetime import timedelta

import pytest

from bot.audit.signed_note import VerifierKey, checkpoint_in, signed_checkpoint
from bot.clock import SteadyClock
from bot.key_rotation import GRANT_ENDS
from bot.keys import SigningKey, load, save
from bot.store.engine import open_reader
from tests.bot.audit.signing import checkpoint_of
from tests.bot.cli.shell import Shell
from tests.bot.cli.test_cli_audit import ADD


@pytest.fixture
def kept(ready: Shell) -> Shell:
    """A shell whose log has an entry."""
    ready(*ADD)
    return ready


def key_of(shell: Shell) -> SigningKey:
    """Read the key's file."""
    return load(shell.folder / "foureyes.key")


def is_whole(shell: Shell) -> bool:
    """Tell whether the log verifies."""
    return shell("audit", "verify").code == 0


def told(shell: Shell) -> list[dict[str, str]]:
    """Give what the log says of keys."""
    return [json.loads(body)["data"] for (body,) in shell.rows("SELECT body FROM entries WHERE subject = 'log'")]


def test_a_rotation_from_end_to_end(kept: Shell) -> None:
    """New and old sign, then the new one alone; each step is an entry, and the log verifies after each."""
    first = key_of(kept)
    ended = kept("key", "rotate")
    assert ended.code == 0
    assert "Back the file up now" in ended.err
    both = key_of(kept)
    assert ended.out.startswith(f"The key {both.kid} signs from now on")
    head = (kept.folder / "foureyes.head").read_text("utf-8")
    for key in (first, both):
        checkpoint_in(head, [key.public_bytes()])
    assert is_whole(kept)
    listed = kept("key", "list", "--json").json()
    assert [(row["kid"], row["state"]) for row in listed] == [(both.kid, "signs"), (first.kid, "signs")]
    assert VerifierKey.parse(listed[0]["verifier"]).public == both.public_bytes()
    ended = kept("key", "retire")
    assert (ended.code, ended.out) == (3, "")
    assert "ten minutes" in ended.err
    ended = kept("key", "retire", "--now")
    assert (ended.code, ended.out) == (
        0,
        f"Only {both.kid} signs now. What the key before has signed counts for the first 2 entries.\n",
    )
    assert key_of(kept).retired == {first.public_bytes(): 2}
    assert [row["change"] for row in told(kept)] == ["added", "retired"]
    assert is_whole(kept)
    assert "retired, counts for 2 entries" in kept("key", "list").out
    kept("pause", "looks odd")
    head = (kept.folder / "foureyes.head").read_text("utf-8")
    assert checkpoint_in(head, [both.public_bytes()]).size == 4
    assert str(kept("key", "retire").err).startswith("foureyes: foureyes.key has one key that signs")


def test_after_ten_minutes_no_grant_is_on_its_way(kept: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the old key is retired without being asked again."""
    kept("key", "rotate")
    clock = SteadyClock()
    monkeypatch.setattr("bot.clock.SteadyClock", lambda: lambda: clock() + GRANT_ENDS + timedelta(seconds=1))
    assert kept("key", "retire").code == 0


def test_two_rotations_at_once_are_refused(kept: Shell) -> None:
    """The one under way is ended first."""
    kept("key", "rotate")
    before = key_of(kept).publics
    ended = kept("key", "rotate")
    assert (ended.code, key_of(kept).publics) == (3, before)
    assert "two keys that sign already" in ended.err


def test_a_rotation_that_was_stopped_halfway_is_ended(kept: Shell) -> None:
    """Where only the file, or only the log, has a step: verify says so, and the same command ends it."""
    save(kept.folder / "foureyes.key", key_of(kept).rotated())
    begun = key_of(kept).kid
    ended = kept("audit", "verify")
    assert ended.code == 7
    assert "and no entry says so; `foureyes key rotate` ends what was begun" in ended.out
    assert kept("key", "rotate").code == 0
    assert key_of(kept).kid == begun
    assert is_whole(kept)
    unfinished = (kept.folder / "foureyes.key").read_bytes()
    kept("key", "retire", "--now")
    size = key_of(kept).retired
    (kept.folder / "foureyes.key").write_bytes(unfinished)
    assert "`foureyes key retire` ends what was begun" in kept("audit", "verify").out
    kept("pause", "looks odd")
    assert kept("key", "retire", "--now").code == 0
    assert key_of(kept).retired == size
    assert is_whole(kept)
    assert [row["change"] for row in told(kept)] == ["added", "retired"]


def test_an_old_file_put_back_is_found(kept: Shell) -> None:
    """The log names a key that the file does not have; a server that began with it would sign what nobody believes."""
    old = (kept.folder / "foureyes.key").read_bytes()
    kept("key", "rotate")
    kept("key", "retire", "--now")
    (kept.folder / "foureyes.key").write_bytes(old)
    ended = kept("audit", "verify")
    assert ended.code == 7
    assert "no known key has signed this note" in ended.out


def test_a_stolen_retired_key_signs_nothing_any_more(kept: Shell) -> None:
    """With it, an anchor, a checkpoint in the database or a witness's file of a later size count for nothing."""
    stolen = key_of(kept)
    kept("key", "rotate")
    kept("key", "retire", "--now")
    kept("pause", "looks odd")
    with open_reader(kept.folder / "foureyes.db") as connection:
        newest, early = checkpoint_of(connection), checkpoint_of(connection, 1)
    (kept.folder / "w").write_text(signed_checkpoint(newest, [stolen.signer]), "utf-8")
    assert "no key that is known here has signed it" in kept("audit", "verify", "--against", "w").err
    (kept.folder / "w").write_text(signed_checkpoint(early, [stolen.signer]), "utf-8")
    assert "w: 1 checkpoint, for entries 0 to 0." in kept("audit", "verify", "--against", "w").out
    forged = signed_checkpoint(newest, [stolen.signer])
    kept.tamper(f"INSERT INTO checkpoints VALUES ({newest.size}, '{forged}', '2026')")  # noqa: S608 - our own note
    assert "cannot be believed" in kept("audit", "verify").out
    (kept.folder / "foureyes.head").write_text(signed_checkpoint(newest, [stolen.signer]), "utf-8")
    assert "no known key has signed this note" in kept("audit", "verify").out


def test_a_key_that_only_the_database_names_makes_nobody_believed(kept: Shell) -> None:
    """Whoever adds a key to the database gets a fault, and his checkpoints none of the trust."""
    kept("key", "rotate")
    own = (kept.folder / "foureyes.key").read_bytes()
    kept("key", "retire", "--now")
    kept("key", "rotate")
    (kept.folder / "foureyes.key").write_bytes(own)
    ended = kept("audit", "verify")
    assert ended.code == 7
    assert "the log names the signing key" in ended.out
