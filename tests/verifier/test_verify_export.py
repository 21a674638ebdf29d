"""The verifier over an export: every damage to any file of it is found, with its place; what holds is said."""

import base64
import shutil
from collections.abc import Callable
from pathlib import Path

import foureyes_verify
import pytest
from foureyes_verify import Keys, WrongError, read_checkpoint

from bot.keys import generate
from tests.verifier.scene import ENTRIES, KEYS, Scene, faults, found, scene_in

NO_KEYS = Keys()
Damage = Callable[[Path], None]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """A fresh export."""
    return scene_in(tmp_path)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_whole_export(scene: Scene, jobs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The report tells what is there, what is proved and by whose key; more processes find the same."""
    monkeypatch.setattr(foureyes_verify, "INLINE", 0)
    monkeypatch.setattr(foureyes_verify, "AT_ONCE", 256)
    (report,) = found(scene.export, jobs=jobs)
    assert report.broken == []
    assert report.proved == (
        f"Entries 0 to {ENTRIES - 1} are what the checkpoint of 602 entries says, signed with a key that you named."
    )
    root = (scene.export / "checkpoint").read_text("utf-8").split("\n")[2]
    leaf = scene.leaves()[-1].hex()
    assert report.facts == {"entries": ENTRIES, "disclosed": 946, "sealed": 0, "root": root, "head": leaf}
    assert report.notes == ["946 values are disclosed, and each is the one that its entry promises"]


def test_a_key_that_came_with_it_is_said(scene: Scene) -> None:
    """Who names no key learns that the export vouches for itself."""
    (report,) = found(scene.export, keys=NO_KEYS)
    assert report.broken == []
    assert report.notes[0].startswith("the key came with the export")
    assert report.proved.endswith("signed with a key that came with it.")


def test_another_key_proves_nothing(scene: Scene) -> None:
    """What was signed by somebody else is broken for whoever names a key, and nothing is proved."""
    stranger = Keys((generate().public_bytes(),), given=True)
    (report,) = found(scene.export, keys=stranger)
    assert {"no key that you named has signed it"} == {fault["what"].partition(": ")[2] for fault in report.broken}
    assert report.proved == "Nothing is proved: no checkpoint fits what is there."


def flip(name: str, at: int) -> Damage:
    """Change one byte of a file."""

    def damage(export: Path) -> None:
        data = bytearray((export / name).read_bytes())
        data[at] ^= 1
        (export / name).write_bytes(data)

    return damage


def cut(name: str, keep: int) -> Damage:
    """Keep only the beginning of a file."""

    def damage(export: Path) -> None:
        (export / name).write_bytes((export / name).read_bytes()[:keep])

    return damage


def without(name: str) -> Damage:
    """Take a file away."""
    return lambda export: (export / name).unlink()


def add(name: str, text: str) -> Damage:
    """Write more at the end of a file."""

    def damage(export: Path) -> None:
        with (export / name).open("a", encoding="utf-8") as file:
            file.write(text)

    return damage


def replace(name: str, old: bytes, new: bytes) -> Damage:
    """Change the first place of some bytes."""

    def damage(export: Path) -> None:
        data = (export / name).read_bytes()
        assert old in data
        (export / name).write_bytes(data.replace(old, new, 1))

    return damage


def swap(one: str, other: str) -> Damage:
    """Let two files change places."""

    def damage(export: Path) -> None:
        (export / one).rename(export / "between")
        (export / other).rename(export / one)
        (export / "between").rename(export / other)

    return damage


BUNDLE, TAIL = "tile/entries/001", "tile/entries/002.p/90"
HASH = "its bytes do not have the hash that stands beside it: one of them was changed"
DAMAGES: dict[str, tuple[Damage, int | None, str]] = {
    "a changed entry": (replace(BUNDLE, b'"type":"claim', b'"type":"claix'), 257, HASH),
    "a changed hash": (flip("tile/0/000", 5 * 32), 5, HASH),
    "a changed hash above": (flip("tile/1/000.p/2", 40), 0, "tile 0 of level 1 is not what the tiles below give"),
    "a cut bundle": (cut(TAIL, 1000), 512, "the 90 entries from here on cannot be read: the last entry"),
    "a bundle cut between entries": (cut(TAIL, 0), 512, "0 entries stand where 90 belong"),
    "a missing bundle": (without(BUNDLE), 256, "the 256 entries from here on cannot be read: No such file"),
    "a cut tile": (cut("tile/0/001", 8000), 256, "tile 1 of level 0 has 8000 bytes instead of 8192"),
    "a missing tile": (without("tile/0/002.p/90"), 512, "tile 2 of level 0 cannot be read: No such file"),
    "a missing tile above": (without("tile/1/000.p/2"), 0, "tile 0 of level 1 cannot be read: No such file"),
    "swapped bundles": (swap("tile/entries/000", BUNDLE), 0, "it calls itself 256"),
    "no checkpoint": (without("checkpoint"), None, "there is no checkpoint: this export was not finished"),
    "no signature": (cut("checkpoint", 95), None, "one of its signature lines is broken"),
    "half a checkpoint": (cut("checkpoint", 60), None, "its checkpoint is no signed checkpoint"),
    "another size": (replace("checkpoint", b"\n602\n", b"\n601\n"), None, "its signature is wrong: it was changed"),
    "another root": (replace("checkpoint", b"=\n\n", b"=\nmore\n\n"), None, "its signature is wrong: it was changed"),
    "a rubbish signature": (add("checkpoint", "— x\n"), None, "one of its signature lines is broken"),
    "a changed older checkpoint": (
        replace("checkpoints", b"\n256\n", b"\n255\n"),
        None,
        "the checkpoint of 255 entries: its signature is wrong: it was changed",
    ),
    "rubbish between checkpoints": (add("checkpoints", "\nx\n"), None, "checkpoints holds something that is no"),
    "a changed value": (
        replace("disclosures.ndjson", b"a refund", b"a reward"),
        0,
        "the detached value 'summary' is not the one that it promises",
    ),
    "a value of another entry": (
        add("disclosures.ndjson", '{"seq": 3, "name": "x", "salt": "", "value": "1"}\n'),
        3,
        "the detached value 'x' is not the one that it promises",
    ),
    "a value of no entry": (
        add("disclosures.ndjson", '{"seq": 602, "name": "x", "salt": "", "value": "1"}\n'),
        None,
        "line 947 of the disclosures belongs to no entry",
    ),
    "rubbish among values": (add("disclosures.ndjson", "[1]\n"), None, "line 947 of the disclosures cannot be read"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_every_damage_has_its_sentence(scene: Scene, name: str) -> None:
    """Whatever is done to a file of the export, the first thing that is told is what and where."""
    damage, entry, what = DAMAGES[name]
    damage(scene.export)
    told = faults(scene.export)
    assert any(at == entry and what in text for at, text in told), told


@pytest.mark.parametrize(
    ("bundle", "lost", "first"), [("tile/entries/000", 256, 0), (BUNDLE, 256, 256), (TAIL, 90, 512)]
)
def test_a_lost_bundle_takes_nothing_else_with_it(scene: Scene, bundle: str, lost: int, first: int) -> None:
    """Its hashes are there: one fault, where it is, and the rest is proved, as is that it stood there."""
    for damage in (without(bundle), add(bundle, "x")):
        whole = (scene.export / bundle).read_bytes()
        damage(scene.export)
        (report,) = found(scene.export)
        (fault,) = report.broken
        assert fault["entry"] == first
        assert fault["what"].startswith(f"the {lost} entries from here on cannot be read: ")
        assert report.proved.startswith(f"All of the first 602 entries but {lost} are what the checkpoint of 602 ")
        assert report.facts["entries"] == 602
        (scene.export / bundle).write_bytes(whole)


def test_half_a_bundle_is_the_half_that_is_lost(scene: Scene) -> None:
    """Cut between two entries: the first of them are checked, and too many are as wrong as too few."""
    data = (scene.export / BUNDLE).read_bytes()
    size = 2 + int.from_bytes(data[:2])
    cut(BUNDLE, size)(scene.export)
    (report,) = found(scene.export)
    assert report.broken == [{"entry": 257, "what": "1 entries stand where 256 belong"}]
    assert report.proved.startswith("All of the first 602 entries but 255 are")
    (scene.export / BUNDLE).write_bytes(data + data[:size])
    (report,) = found(scene.export)
    assert report.broken == [{"entry": 512, "what": "257 entries stand where 256 belong"}]


def test_without_its_hashes_the_log_ends_at_a_lost_bundle(scene: Scene) -> None:
    """Nothing tells what stood there; what is before it is proved by an older checkpoint."""
    without(BUNDLE)(scene.export)
    without("tile/0/001")(scene.export)
    (report,) = found(scene.export)
    assert report.facts["entries"] == 256
    assert {fault["entry"] for fault in report.broken} == {256}
    assert report.proved.startswith("Entries 0 to 255 are what the checkpoint of 256 entries says")


def test_every_byte_counts(scene: Scene) -> None:
    """One changed bit anywhere in any file is found (every 29,989th is tried; the keys are named by the auditor)."""
    for path in sorted(path for path in scene.export.rglob("*") if path.is_file() and path.name != "keys.txt"):
        whole = path.read_bytes()
        for at in range(0, len(whole), 29_989):
            flip(path.name, at)(path.parent)
            assert faults(scene.export), f"{path.relative_to(scene.export)} at {at}"
            path.write_bytes(whole)
    assert faults(scene.export) == []


def test_every_bit_of_the_checkpoint_counts(scene: Scene) -> None:
    """One bit anywhere in it is found, also one that base64 has to spare."""
    for at in range(len((scene.export / "checkpoint").read_bytes())):
        flip("checkpoint", at)(scene.export)
        note = (scene.export / "checkpoint").read_bytes().decode(errors="replace")
        with pytest.raises(WrongError):
            read_checkpoint(note, "it", KEYS)
        flip("checkpoint", at)(scene.export)


def test_what_remains_is_told_from_the_last_checkpoint_that_fits(scene: Scene) -> None:
    """An entry that was changed leaves everything under the older checkpoints proved."""
    replace(TAIL, b'"type":"claim', b'"type":"claix')(scene.export)
    (report,) = found(scene.export)
    assert report.proved.startswith("All of the first 602 entries but 1 are what the checkpoint of 602 entries says")
    flip("tile/0/002.p/90", 0)(scene.export)
    (report,) = found(scene.export)
    assert report.proved == (
        "Entries 0 to 511 are what the checkpoint of 512 entries says, signed with a key that you named."
    )
    assert "history was rewritten" in report.broken[0]["what"]


def test_a_cut_export_is_held_against_what_was_kept_elsewhere(scene: Scene, tmp_path: Path) -> None:
    """A shorter log, signed with the stolen key, lacks what a checkpoint in somebody's drawer counts."""
    kept = tmp_path / "kept.txt"
    kept.write_text(scene.note(602), "utf-8")
    short = shutil.copytree(scene.export, tmp_path / "short")
    for name in ("tile/entries/002.p", "tile/0/002.p", "checkpoints", "disclosures.ndjson"):
        path = short / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    (short / "checkpoint").write_text(scene.note(512), "utf-8")
    assert faults(short) == []
    assert faults(short, kept) == [
        (512, "the log has 512 entries, and the checkpoint of 602 entries in kept.txt is of 602: the last are missing")
    ]


def test_a_checkpoint_of_another_log_is_said(scene: Scene, tmp_path: Path) -> None:
    """A kept checkpoint with another origin says nothing of this log, and that is said."""
    other = scene_in(tmp_path / "other", 14)
    kept = tmp_path / "kept.txt"
    kept.write_text(other.note(14), "utf-8")
    ((entry, what),) = faults(scene.export, kept)
    assert entry == 0
    assert "kept.txt is of another log, foureyes/" in what


def test_a_huge_size_in_the_checkpoint_is_not_believed(scene: Scene) -> None:
    """Whoever made the export cannot keep the verifier busy for ever with a number."""
    replace("checkpoint", b"\n602\n", b"\n900000000000000\n")(scene.export)
    told = [what for _, what in faults(scene.export)]
    assert "its checkpoint: its signature is wrong: it was changed" in told
    assert len(told) < 10


def test_an_empty_log(tmp_path: Path) -> None:
    """An export of nothing is whole and proves nothing."""
    export = tmp_path / "export"
    export.mkdir()
    root = base64.b64encode(foureyes_verify.EMPTY_ROOT).decode()
    (export / "checkpoint").write_text(f"foureyes/empty\n0\n{root}\n\n— x AAAAAAAA\n", "utf-8")
    (report,) = found(export, keys=NO_KEYS)
    (fault,) = report.broken
    assert fault["what"].startswith("the key that should have come with it cannot be read (")
    assert fault["what"].endswith(": No such file or directory); name the log's key with --key")
    (export / "keys.txt").write_text("", "utf-8")
    (report,) = found(export, keys=NO_KEYS)
    assert (report.broken, report.facts["entries"], report.proved) == ([], 0, "")
