"""A signing key that was retired, and stolen: the verifier takes what it signed in its time, and nothing after."""

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from foureyes_verify import UnreadableError, ends_of, keys_of, main

from bot.audit.signed_note import VerifierKey, origin_of
from bot.audit.tile_export import export
from bot.clock import SteadyClock, TimeOrderedIds, salts
from bot.key_rotation import record_added, record_retired
from bot.keys import SigningKey
from bot.store.commit import run_now
from bot.store.engine import open_reader, open_writer
from bot.store.transaction import Sources, Transaction
from tests.verifier.scene import ENTRIES, KEY, Scene, found, scene_in

NEW = KEY.rotated()
END = ENTRIES + 1  # entry 602 adds the new key, entry 603 retires the old one
REASON = f"it was signed with a key that was retired, whose signature counts for the first {END} entries and no more"


def written(scene: Scene, work: Callable[[Transaction], object]) -> None:
    """Let the writer do something to the scene's database."""
    with closing(open_writer(scene.database, checkpoints=True)) as db:
        run_now(db, Sources(SteadyClock(), TimeOrderedIds(), salts), work)
        db.execute("PRAGMA journal_mode = DELETE")


def lines(scene: Scene, *, retired: bool = True) -> list[str]:
    """Give what an auditor was told of the keys: the new one, and the old one with its end."""
    origin = origin_of(scene.leaves()[0])
    end = f" retired {END}" if retired else ""
    return [str(VerifierKey(origin, NEW.public_bytes())), f"{VerifierKey(origin, KEY.public_bytes())}{end}"]


@pytest.fixture
def rotated(tmp_path: Path) -> Scene:
    """The scene after its key was exchanged, with checkpoints of the new key, and with an export of then."""
    scene = scene_in(tmp_path)
    written(scene, lambda tx: record_added(tx, "root", NEW))
    written(scene, lambda tx: record_retired(tx, "root", NEW))
    keep(scene, scene.note(ENTRIES + 2, NEW))
    with closing(open_reader(scene.database)) as db:
        export(db, tmp_path / "rotated", [NEW.signer], retired={KEY.public_bytes(): END})
    return scene


def keep(scene: Scene, note: str) -> None:
    """Put a checkpoint among those of the database."""
    size = int(note.split("\n")[1])
    with closing(open_writer(scene.database, checkpoints=True)) as db:
        db.execute("INSERT OR REPLACE INTO checkpoints VALUES (?, ?, '2026')", (size, note))
        db.execute("PRAGMA journal_mode = DELETE")


def told(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    """Run the verifier; gives its exit code and the faults that it tells."""
    code = main(["--json", *arguments])
    checked = json.loads(capsys.readouterr().out)["checked"]
    return code, [fault["what"] for report in checked for fault in report["broken"]]


def named(scene: Scene, *, retired: bool = True) -> list[str]:
    """Name both keys on the command line."""
    return [part for line in lines(scene, retired=retired) for part in ("--key", line)]


@pytest.mark.parametrize("retired", [True, False])
def test_what_it_signed_in_its_time_counts(
    rotated: Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str], *, retired: bool
) -> None:
    """A rotation alone breaks nothing, whether or not the auditor was told of the end."""
    paths = [str(rotated.database), str(tmp_path / "rotated")]
    assert told([*named(rotated, retired=retired), *paths], capsys) == (0, [])
    assert found(tmp_path / "rotated")[0].proved


def test_the_end_stands_in_the_export(rotated: Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`keys.txt` says of a retired key for how many entries it counts, and can be named as it is."""
    keys = tmp_path / "rotated" / "keys.txt"
    assert keys.read_text("utf-8").splitlines() == lines(rotated)
    assert told(["--key", str(keys), str(tmp_path / "rotated")], capsys) == (0, [])
    assert told([str(tmp_path / "rotated")], capsys) == (0, [])
    keys.write_text(f"{keys.read_text('utf-8')}nonsense retired 3\n", "utf-8")
    assert told([str(tmp_path / "rotated")], capsys)[0] == 7


def test_a_checkpoint_that_a_thief_signs_is_refused(rotated: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    """The true root and all: who signs with a retired key is not who should."""
    keep(rotated, rotated.note(END + 1))
    source = f"the checkpoint of {END + 1} entries in the database"
    assert told([*named(rotated), str(rotated.database)], capsys) == (7, [f"{source}: {REASON}"])


def test_the_log_itself_says_when_it_ended(rotated: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    """An auditor who was told of no end is told by the entry."""
    keep(rotated, rotated.note(END + 1))
    code, faults = told([*named(rotated, retired=False), str(rotated.database)], capsys)
    source = f"the checkpoint of {END + 1} entries in the database"
    assert (code, faults) == (7, [f"{source}: {REASON}, as entry {END} says"])
    (report,) = found(rotated.database)
    assert [fault["what"] for fault in report.broken][-1] == f"{source}: {REASON}, as entry {END} says"


def test_a_log_rewritten_with_the_stolen_key_is_refused(
    rotated: Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The thief takes the exchange out of the log, so that it says nothing; who was told of the end refuses it."""
    rewritten = tmp_path / "rewritten"
    for table, column in (("entries", "seq"), ("detached", "seq"), ("checkpoints", "size")):
        rotated.change(f"DELETE FROM {table} WHERE {column} > {ENTRIES - 1}")  # noqa: S608 - constants
    for _ in range(3):
        written(rotated, lambda tx: record_added(tx, "thief", NEW))
    with closing(open_reader(rotated.database)) as db:
        export(db, rewritten, [KEY.signer])
    code, faults = told([*named(rotated), str(rewritten)], capsys)
    assert code == 7
    assert faults[0] == f"its checkpoint: {REASON}"


def grant(key: SigningKey, size: int | None) -> str:
    """Sign a grant that says how large the log was."""
    claims = {
        **dict.fromkeys(("iss", "aud", "jti", "proposal", "tool", "args_sha256"), "x"), "iat": 1, "exp": 2,
        "log": {} if size is None else {"index": 0, "size": size},
    }  # fmt: skip
    private = load_pem_private_key(key.pem(), None)
    headers = {"kid": key.kid, "typ": "foureyes-grant+jwt"}
    return jwt.encode(claims, private, "EdDSA", headers=headers)  # type: ignore[arg-type] # an Ed25519 key


@pytest.mark.parametrize(("size", "refused"), [(END, False), (END + 1, True), (None, True)])
def test_a_grant_of_a_retired_key(
    rotated: Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str], *, size: int | None, refused: bool
) -> None:
    """One of its time is good; one that says more of the log, or nothing, is refused by the end and by the entry."""
    path = tmp_path / "grant.jws"
    path.write_text(grant(KEY, size), "utf-8")
    assert (REASON in told([*named(rotated), str(path)], capsys)[1]) == refused
    faults = told([*named(rotated, retired=False), str(path), str(rotated.database)], capsys)[1]
    assert any(REASON in fault and f"as entry {END} of" in fault for fault in faults) == refused


def test_ends_are_read_as_they_are_written(rotated: Scene) -> None:
    """A key without an end has none; a line that is no key is none with an end either."""
    text = "\n".join(lines(rotated))
    assert keys_of(text) == (NEW.public_bytes(), KEY.public_bytes())
    assert ends_of(text) == {KEY.public_bytes(): END}
    with pytest.raises(UnreadableError):
        ends_of("nonsense retired 3")
