"""docs/verify.md, "By hand": the commands that stand there say what they should, with no program of ours."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.architecture.source_tree import ROOT
from tests.verifier.scene import Scene, scene_in


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """A fresh export."""
    return scene_in(tmp_path)


def by_hand(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the block of the page in an export."""
    text = (ROOT / "docs" / "verify.md").read_text("utf-8").partition("## By hand")[2]
    block = re.search(r"```sh\n(.*?)```", text, re.DOTALL)
    assert block is not None
    command = ["bash", "-c", block[1]]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603


def test_the_commands_of_the_page_verify_an_entry_and_the_checkpoint(scene: Scene) -> None:
    """The computed hash is the one in the tile, which is the one of the log; and openssl takes the signature."""
    ran = by_hand(scene.export)
    assert ran.stderr == ""
    computed, first, second, verdict = ran.stdout.splitlines()
    assert computed.split()[0] == (first + second).replace(" ", "") == scene.leaves()[5].hex()
    assert verdict == "Signature Verified Successfully"


def test_they_find_what_was_changed(scene: Scene) -> None:
    """Another entry has another hash, and another size no signature."""
    bundle, note = scene.export / "tile/entries/000", scene.export / "checkpoint"
    bundle.write_bytes(bundle.read_bytes().replace(b'"type":"claim', b'"type":"claix', 1))
    note.write_text(note.read_text("utf-8").replace("\n602\n", "\n601\n"), "utf-8")
    computed, first, second, *verdict = by_hand(scene.export).stdout.splitlines()
    assert computed.split()[0] != (first + second).replace(" ", "")
    assert verdict == ["Signature Verification Failure"]
