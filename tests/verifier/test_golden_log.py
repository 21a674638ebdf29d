"""The golden log: one entry of every kind, as earlier versions wrote them, is whole to the verifier of one file."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from foureyes_verify import Keys

from bot.audit.merkle import Frontier, grown
from bot.audit.signed_note import Checkpoint, origin_of, signed_checkpoint
from tests.golden.rebuild import FOLDER
from tests.verifier.scene import KEY, faults, found

COLUMNS = "(seq INTEGER PRIMARY KEY, subject, type, at, body BLOB, leaf_hash BLOB)"


def test_the_golden_log_is_whole_and_a_changed_one_is_not(tmp_path: Path) -> None:
    """Every kind's bytes, links and values, under a checkpoint; and one other letter in it is found."""
    documents = [json.loads(path.read_bytes()) for path in FOLDER.glob("*.json") if path.name != "chain.json"]
    database = tmp_path / "golden.db"
    with closing(sqlite3.connect(database, isolation_level=None)) as db:
        db.execute(f"CREATE TABLE entries {COLUMNS}")
        db.execute("CREATE TABLE detached (seq, name, salt, value)")
        db.execute("CREATE TABLE checkpoints (size, note, at)")
        for document in documents:
            entry = json.loads(document["entry"])
            row = (entry["seq"], entry["subject"], entry["type"], entry["at"], document["entry"].encode())
            db.execute("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?)", (*row, bytes.fromhex(document["leaf_hash"])))
            db.executemany(
                "INSERT INTO detached VALUES (?, ?, ?, ?)", [(entry["seq"], *v) for v in document["detached"]]
            )
        leaves = [row[0] for row in db.execute("SELECT leaf_hash FROM entries ORDER BY seq")]
        signed = Checkpoint(origin_of(leaves[0]), len(leaves), grown(Frontier(), leaves)[0].root)
        note = signed_checkpoint(signed, [KEY.signer])
        db.execute("INSERT INTO checkpoints (size, note) VALUES (?, ?)", (len(leaves), note))
    keys = Keys((KEY.public_bytes(),), given=True)
    (report,) = found(database, keys=keys)
    assert (report.broken, report.facts["entries"]) == ([], len(documents))
    assert report.facts["disclosed"] == sum(len(document["detached"]) for document in documents)
    with closing(sqlite3.connect(database, isolation_level=None)) as db:
        db.execute("UPDATE entries SET body = CAST(replace(body, 'seq', 'sea') AS BLOB) WHERE seq = 7")
    assert any(entry == 7 for entry, _ in faults(database, keys=keys))
