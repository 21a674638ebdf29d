"""docs/audit.md, "By hand": what stands there is the golden log, and the commands say what the page says."""

import json
import re
import subprocess
import sys
from pathlib import Path

from bot.audit.signed_note import checkpoint_in
from tests.architecture.source_tree import ROOT

LOG = Path(__file__).parent / "log"
PAGE = (ROOT / "docs" / "audit.md").read_text("utf-8").partition("### By hand")[2]
# RFC 8032, 7.1, test 1.
TEST_KEY = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")


def block(kind: str, number: int = 0) -> str:
    """Give a block of the page: its code, or what is said to come out."""
    found: list[str] = re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    return found[number]


def ran(command: list[str], folder: Path) -> str:
    """Run a block and give what it says."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, timeout=60)  # noqa: S603
    return done.stdout


def golden(number: int) -> dict[str, str]:
    """Give an entry of the golden log by its place."""
    chain = json.loads((LOG / "chain.json").read_text("utf-8"))
    entries = [json.loads(file.read_text("utf-8")) for file in LOG.glob("*.json") if file.name != "chain.json"]
    return next(dict(one) for one in entries if one["leaf_hash"] == chain[number])


def said() -> list[str]:
    """Give what the page says that its two blocks print, and the checkpoint."""
    outside = re.sub(r"^```(?:sh|python|json)\n.*?^```$", "", PAGE, flags=re.DOTALL | re.MULTILINE)
    return re.findall(r"^```\n(.*?)^```$", outside, re.DOTALL | re.MULTILINE)


def test_the_entry_is_the_golden_one() -> None:
    """The page shows the fourth golden entry, byte for byte."""
    assert block("json") == golden(3)["entry"] + "\n"


def test_the_commands_compute_the_leaf_and_a_digest_of_it(tmp_path: Path) -> None:
    """With `sha256sum` and `openssl` alone: the leaf hash, and a digest that stands in the entry."""
    (tmp_path / "entry.json").write_text(block("json").removesuffix("\n"), "utf-8")
    told = ran(["bash", "-c", block("sh")], tmp_path)
    assert told.split() == said()[0].split()
    leaf, digest = told.split()
    assert leaf == golden(3)["leaf_hash"]
    assert digest in json.loads(golden(3)["entry"])["_sd"]


def test_the_root_is_the_one_in_the_checkpoint(tmp_path: Path) -> None:
    """Six lines of Python give the root of the first four; the note says the same, and its signature is good."""
    told = ran([sys.executable, "-I", "-c", block("python")], tmp_path).strip()
    assert told == said()[1].strip()
    leaves = re.findall(r"^[0-9a-f]{64}$", block("python"), re.MULTILINE)
    assert [golden(number)["leaf_hash"] for number in range(4)] == leaves
    note = said()[2]
    checkpoint = checkpoint_in(note, [TEST_KEY])
    assert (checkpoint.size, checkpoint.root.hex()) == (4, told)
