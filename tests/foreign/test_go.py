"""The export verifies with Go's libraries for transparency logs (golang.org/x/mod/sumdb), which nobody of us wrote.

The program in verify_export.go opens the checkpoint with `note` and asks `tlog` everything else: every entry and tile,
inclusion proofs, consistency with each older checkpoint, a tlog-proof by itself. It must believe only what is whole.
"""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.audit.log_format import leaf_hash
from bot.audit.merkle import inclusion_proof, node_hash
from bot.audit.signed_note import Checkpoint, signed_checkpoint
from bot.audit.tlog_proof import tlog_proof
from bot.keys import generate
from tests.verifier.scene import KEY, Scene, scene_in

PACKAGES = Path("/usr/share/gocode")  # where Debian puts Go's libraries
PROGRAM = Path(__file__).with_name("verify_export.go")
Run = Callable[..., subprocess.CompletedProcess[str]]


def _missing() -> str | None:
    if shutil.which("go") is None:
        return "no Go compiler on the PATH (Debian: golang-go)"
    if not (PACKAGES / "src/golang.org/x/mod/sumdb/tlog").is_dir():
        return "no Go library for transparency logs (Debian: golang-golang-x-mod-dev)"
    return None


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, compiled against Debian's library and nothing from a network."""
    if reason := _missing():
        if os.environ.get("FOUREYES_REQUIRE_GO") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("go")
    settings = {"GO111MODULE": "off", "GOPATH": str(PACKAGES), "GOCACHE": str(folder / "cache"), "GOFLAGS": ""}
    built = subprocess.run(  # noqa: S603 - our own program
        ["go", "build", "-o", folder / "verify_export", PROGRAM],  # noqa: S607 - the compiler on the PATH
        env={"PATH": os.environ["PATH"], "HOME": str(folder), **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert built.returncode == 0, built.stderr
    return folder / "verify_export"


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """A fresh export."""
    return scene_in(tmp_path)


@pytest.fixture
def verify(program: Path, scene: Scene) -> Run:
    """Run it on the export."""

    def run(*proofs: Path, key: str | None = None) -> subprocess.CompletedProcess[str]:
        command: list[str | Path] = [program, key or scene.vkey(), scene.export, *proofs]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - ours

    return run


def proof_of(scene: Scene, index: int) -> tuple[Path, Path]:
    """Write the proof of one entry, and the entry."""
    leaves = scene.leaves()

    def node(level: int, at: int) -> bytes:
        row = leaves[at << level : (at + 1) << level]
        return node_over(row)

    bundle = (scene.export / f"tile/entries/{index // 256:03}").read_bytes()
    for _ in range(index % 256):
        bundle = bundle[2 + int.from_bytes(bundle[:2], "big") :]
    proof, entry = scene.folder / f"{index}.tlog-proof", scene.folder / f"{index}.json"
    entry.write_bytes(bundle[2 : 2 + int.from_bytes(bundle[:2], "big")])
    note = (scene.export / "checkpoint").read_text("utf-8")
    proof.write_text(tlog_proof(index, inclusion_proof(index, len(leaves), node), note), "utf-8")
    return proof, entry


def node_over(row: list[bytes]) -> bytes:
    """Fold a row of a power of two."""
    return row[0] if len(row) == 1 else node_hash(node_over(row[: len(row) // 2]), node_over(row[len(row) // 2 :]))


def test_go_verifies_the_export_and_a_proof(verify: Run, scene: Scene) -> None:
    """602 entries, the three checkpoints that the database kept, and the proofs of two entries by themselves."""
    ran = verify(*proof_of(scene, 5), *proof_of(scene, 300))
    assert (ran.returncode, ran.stderr) == (0, "")
    origin = scene.vkey().partition("+")[0]
    assert ran.stdout == f"602 entries of {origin}, 3 older checkpoints, 2 proofs: whole\n"


def change(name: str, old: bytes, new: bytes) -> Callable[[Path], object]:
    """Give the damage that changes the first place of some bytes in a file of the export."""

    def damage(export: Path) -> object:
        data = (export / name).read_bytes()
        assert old in data
        return (export / name).write_bytes(data.replace(old, new, 1))

    return damage


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (change("tile/entries/001", b'"type":"claim', b'"type":"claix'), "tile/0/001 is not what the entries come to"),
        (lambda export: (export / "tile/entries/001").unlink(), "no such file"),
        (lambda export: (export / "tile/0/000").write_bytes(bytes(8192)), "tile/0/000 is not what the"),
        (lambda export: (export / "tile/1/000.p/2").write_bytes(bytes(64)), "tile/1/000.p/2 is not what the"),
        (change("checkpoint", b"\n602\n", b"\n601\n"), "the checkpoint: invalid signature"),
        (change("checkpoints", b"\n256\n", b"\n255\n"), "older checkpoint 0: invalid signature"),
    ],
)
def test_go_finds_what_was_changed(verify: Run, scene: Scene, damage: Callable[[Path], object], said: str) -> None:
    """An entry, a tile, a checkpoint: each is found, so that it was looked at."""
    damage(scene.export)
    ran = verify()
    assert (ran.returncode, ran.stdout) == (1, "")
    assert said in ran.stderr


def test_go_finds_an_entry_that_was_changed_with_its_hashes(verify: Run, scene: Scene) -> None:
    """Whoever sets all tiles right that stand over a changed entry cannot set right what was signed."""
    change("tile/entries/001", b'"type":"claim', b'"type":"claix')(scene.export)
    leaves = scene.leaves()[256:512]
    bundle = (scene.export / "tile/entries/001").read_bytes()
    first = 2 + int.from_bytes(bundle[:2], "big")
    leaves[1] = leaf_hash(bundle[first + 2 : first + 2 + int.from_bytes(bundle[first : first + 2], "big")])
    (scene.export / "tile/0/001").write_bytes(b"".join(leaves))
    above = scene.export / "tile/1/000.p/2"
    above.write_bytes(above.read_bytes()[:32] + node_over(leaves))
    ran = verify()
    assert (ran.returncode, ran.stderr) == (1, "the entries do not come to the hash that was signed\n")


def test_go_finds_another_history(verify: Run, scene: Scene) -> None:
    """An older checkpoint of another history, signed with the right key, is not consistent with this one."""
    text = (scene.export / "checkpoints").read_text("utf-8")
    first = text.partition("\n\n— ")[0]
    origin, size, _ = first.split("\n")
    other = signed_checkpoint(Checkpoint(origin, int(size), bytes(32)), [KEY.signer])
    (scene.export / "checkpoints").write_text(other, "utf-8")
    ran = verify()
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "the checkpoint of 256 entries: invalid transparency proof" in ran.stderr


def test_go_believes_no_stranger_and_no_proof_of_another_entry(verify: Run, scene: Scene) -> None:
    """Another key opens nothing; the proof of one entry proves no other."""
    assert "the checkpoint: note has no verifiable signatures" in verify(key=scene.vkey(generate())).stderr
    (proof, _), (_, entry) = proof_of(scene, 5), proof_of(scene, 6)
    assert "invalid transparency proof" in verify(proof, entry).stderr
