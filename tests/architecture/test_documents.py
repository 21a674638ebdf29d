"""Decisions are written down, and dependencies are pinned by content."""

import re
from itertools import pairwise

import pytest

from tests.architecture.source_tree import ROOT

EXPECTED = range(1, 7)
NUMBERED = re.compile(r"(\d{4})-[a-z0-9-]+\.md")
STATUS = re.compile(r"^\W*status\W+(proposed|accepted|rejected|superseded|deprecated)\b", re.IGNORECASE | re.MULTILINE)
DATE = re.compile(r"\b20\d{2}-[01]\d-[0-3]\d\b")
PINNED = re.compile(r"[a-z0-9._-]+(\[[a-z0-9,._-]+\])?==[^ ;\\]+( ; [^\\]+?)? \\")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")
COMMENT = re.compile(r" *#.*")


def test_every_decision_has_number_status_and_date() -> None:
    """Each record in docs/adr says in its head what it is called, whether it holds and since when."""
    records = sorted((ROOT / "docs/adr").glob("[0-9]*.md"))
    for record in records:
        assert NUMBERED.fullmatch(record.name), f"{record.name} is not of the form 0001-some-words.md"
        head = record.read_text(encoding="utf-8")[:1000]
        assert re.match(r"# \S", head), f"{record.name} has no title"
        assert STATUS.search(head), f"{record.name} has no status"
        assert DATE.search(head), f"{record.name} has no date"
    numbers = [int(record.name[:4]) for record in records]
    assert numbers == list(range(1, len(numbers) + 1)), "numbers are dense and used once"
    assert set(EXPECTED) <= set(numbers)


@pytest.mark.parametrize("name", ["runtime.txt", "dev.txt"])
def test_lock_files_pin_by_hash_and_name_no_address(name: str) -> None:
    """Every requirement is one version with its hashes, from wherever the reader's own index is."""
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    assert not re.search(r"https?:|file:|git\+|index-url|find-links|/(home|work|tmp|root)/", text)
    lines = [line for line in text.splitlines() if line and not COMMENT.fullmatch(line)]
    pins = [line for line in lines if PINNED.fullmatch(line)]
    assert pins
    assert [line for line in lines if not PINNED.fullmatch(line) and not HASH.fullmatch(line)] == []
    for pin, following in pairwise(lines):
        assert not PINNED.fullmatch(pin) or HASH.fullmatch(following), f"{pin} has no hash"


def test_the_runtime_is_part_of_the_development_lock() -> None:
    """What is tested is what is installed: the same versions."""
    runtime, dev = (
        {line.split(" ")[0] for line in (ROOT / "requirements" / name).read_text("utf-8").splitlines() if "==" in line}
        for name in ("runtime.txt", "dev.txt")
    )
    assert runtime - dev == set()
