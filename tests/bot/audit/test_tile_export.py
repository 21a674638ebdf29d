"""The export in tiles: laid out as C2SP says, of any size, and never half of one in its place."""

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from bot.audit import tile_export
from bot.audit.merkle import EMPTY_ROOT
from bot.audit.signed_note import VerifierKey, checkpoint_in, origin_of
from bot.audit.tile_export import Disclosure, ExportError, export, tile_path
from bot.keys import generate
from tests.bot.audit.signing import KEY, KEYS, checkpoint_of, note_of

WIDTH = 256


def leaf(body: bytes) -> bytes:
    """RFC 6962, once more."""
    return hashlib.sha256(b"\0" + body).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The definition of RFC 6962, word for word."""
    if len(leaves) == 1:
        return leaves[0]
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + root(leaves[:half]) + root(leaves[half:])).digest()


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    """A log without entries."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute("CREATE TABLE entries (seq INTEGER PRIMARY KEY, body, leaf_hash)")
        connection.execute("CREATE TABLE checkpoints (size INTEGER PRIMARY KEY, note)")
        yield connection


def grow(db: sqlite3.Connection, count: int) -> list[bytes]:
    """Write so many entries; the export looks at no meaning."""
    bodies = [b'{"seq":%d}' % seq for seq in range(count)]
    rows = ((seq, body, leaf(body)) for seq, body in enumerate(bodies))
    db.executemany("INSERT INTO entries VALUES (?, ?, ?)", rows)
    return bodies


def tiles(folder: Path, level: int | str) -> bytes:
    """Everything on one level, as the files' names order it."""
    found = [path for path in (folder / "tile" / str(level)).rglob("*") if path.is_file()]
    return b"".join(path.read_bytes() for path in sorted(found, key=lambda path: str(path).replace(".p", "~")))


def unbundled(data: bytes) -> Iterator[bytes]:
    """Take bundles apart: two bytes of length, then the entry."""
    while data:
        end = 2 + int.from_bytes(data[:2], "big")
        yield data[2:end]
        data = data[end:]


@pytest.mark.parametrize(
    ("index", "width", "path"),
    [
        (0, 256, "tile/0/000"),
        (7, 1, "tile/0/007.p/1"),
        (999, 256, "tile/0/999"),
        (1000, 256, "tile/0/x001/000"),
        (1_234_067, 256, "tile/0/x001/x234/067"),
        (1_234_067, 255, "tile/0/x001/x234/067.p/255"),
    ],
)
def test_a_tile_has_the_name_that_the_specification_gives_it(index: int, width: int, path: str) -> None:
    """Groups of three digits, an x before each but the last, and the width of what is not full; its own example too."""
    assert tile_path(0, index, width) == path


@pytest.mark.parametrize("count", [1, 2, 255, 256, 257, 512, 700])
def test_entries_and_hashes_lie_in_tiles(db: sqlite3.Connection, tmp_path: Path, count: int) -> None:
    """Every entry behind its length, every hash in its place, and a checkpoint that says what they come to."""
    bodies = grow(db, count)
    folder = tmp_path / "export"
    told, _ = export(db, folder, [KEY.signer])
    leaves = [leaf(body) for body in bodies]
    full = count // WIDTH
    assert list(unbundled(tiles(folder, "entries"))) == bodies
    assert tiles(folder, 0) == b"".join(leaves)
    above = [root(leaves[at * WIDTH : (at + 1) * WIDTH]) for at in range(full)]
    assert tiles(folder, 1) == b"".join(above)
    widths = {path.name for path in folder.rglob("*") if path.parent.name.endswith(".p")}
    assert widths == ({str(count % WIDTH)} if count % WIDTH else set()) | ({str(full)} if full else set())
    signed = checkpoint_in((folder / "checkpoint").read_text("utf-8"), KEYS)
    assert signed == told == checkpoint_of(db)
    assert told.root == root(leaves)
    assert not db.in_transaction


def test_a_tile_of_tiles_is_full_at_65536(db: sqlite3.Connection, tmp_path: Path) -> None:
    """The third level begins when the second has a full tile, and each level has the roots of the one below."""
    grow(db, WIDTH * WIDTH + 1)
    folder = tmp_path / "export"
    told, _ = export(db, folder, [KEY.signer])
    assert told == checkpoint_of(db)
    lower = (folder / "tile/1/000").read_bytes()
    assert (len(lower), (folder / "tile/2/000.p/1").read_bytes()) == (WIDTH * 32, root(_split(lower)))
    assert (folder / "tile/0/256.p/1").exists()
    assert not (folder / "tile/1/001.p").exists()
    assert _split(lower)[255] == root(_split((folder / "tile/0/255").read_bytes()))


def _split(data: bytes) -> list[bytes]:
    return [data[begin:end] for begin, end in pairwise(range(0, len(data) + 1, 32))]


def test_an_empty_log_is_an_export_too(db: sqlite3.Connection, tmp_path: Path) -> None:
    """Before the first entry there is a checkpoint of nothing."""
    folder = tmp_path / "export"
    told, _ = export(db, folder, [KEY.signer])
    assert (told.origin, told.size, told.root) == (origin_of(None), 0, EMPTY_ROOT)
    assert sorted(path.name for path in folder.rglob("*")) == ["checkpoint", "checkpoints", "keys.txt"]


def test_who_signs_and_what_was_signed_before_lie_beside(db: sqlite3.Connection, tmp_path: Path) -> None:
    """The key as C2SP writes keys, and the checkpoints that the database kept, with an empty line between them."""
    grow(db, 5)
    notes = [note_of(checkpoint_of(db, size)) for size in (2, 4)]
    db.executemany("INSERT INTO checkpoints VALUES (?, ?)", [(2, notes[0]), (4, notes[1])])
    folder = tmp_path / "export"
    old = generate().public_bytes()
    told, keys = export(db, folder, [KEY.signer], retired={old: 3})
    assert (folder / "keys.txt").read_text("utf-8").splitlines() == keys
    assert keys == [str(VerifierKey(told.origin, KEYS[0])), f"{VerifierKey(told.origin, old)} retired 3"]
    assert (folder / "checkpoints").read_text("utf-8") == f"{notes[0]}\n{notes[1]}"


def test_values_come_only_when_they_are_asked_for(db: sqlite3.Connection, tmp_path: Path) -> None:
    """One line of JSON each, with what its digest is made of."""
    grow(db, 2)
    value: Disclosure = (1, "reason", "c2FsdA", '"spät\u2028"')
    export(db, tmp_path / "without", [KEY.signer])
    export(db, tmp_path / "with", [KEY.signer], lambda _: [value, value])
    assert not (tmp_path / "without" / "disclosures.ndjson").exists()
    lines = (tmp_path / "with" / "disclosures.ndjson").read_text("utf-8").split("\n")
    assert [json.loads(line) for line in lines[:-1]] == [
        dict(zip(("seq", "name", "salt", "value"), value, strict=True))
    ] * 2
    assert lines[-1] == ""


def test_a_folder_that_is_there_is_not_touched(db: sqlite3.Connection, tmp_path: Path) -> None:
    """An export never mixes with an older one, whatever lies there."""
    with pytest.raises(ExportError, match="is there already"):
        export(db, tmp_path, [KEY.signer])
    assert list(tmp_path.iterdir()) == []


def test_what_was_stopped_half_way_is_no_export(
    db: sqlite3.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder has its name only when all of it is there; what was left is neither used nor thrown away."""
    grow(db, 600)
    folder = tmp_path / "export"

    def full(path: Path, data: bytes) -> None:
        if path.name == "001":
            raise OSError(28, "No space left on device", str(path))
        write(path, data)

    write = tile_export._write
    with monkeypatch.context() as patch:
        patch.setattr(tile_export, "_write", full)
        with pytest.raises(OSError, match="No space left"):
            export(db, folder, [KEY.signer])
    assert not folder.exists()
    assert not db.in_transaction
    with pytest.raises(ExportError, match=r"export\.part is what an export left that was stopped"):
        export(db, folder, [KEY.signer])
