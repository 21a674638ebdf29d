"""Writes the golden log again: `python -m tests.golden.rebuild`.

Only for a new type of entry. A file that changes here is a log that an earlier version wrote and this one reads
differently: give the new meaning a new class instead.
"""

import json
from pathlib import Path

from approval_rules.times import format_time
from bot.audit.log_format import disclosure_digest, seal
from bot.store.codec import encode
from tests.events import one_of_each

FOLDER = Path(__file__).parent / "log"
SALT = "c2FsdHNhbHRzYWx0c2FsdA"


def files() -> dict[str, bytes]:
    """Give the name and the bytes of each golden file: one a type, and the hashes of the whole chain."""
    made: dict[str, bytes] = {}
    chain: list[str] = []
    prev: bytes | None = None
    for seq, event in enumerate(one_of_each()):
        encoded = encode(event)
        entry = seal(
            seq=seq,
            prev=prev,
            entry_id=f"evt_{seq:026d}",
            at=format_time(event.at),
            kind=encoded.kind,
            actor={"kind": event.by.kind.value, "ref": event.by.ref},
            subject=encoded.subject,
            policy=encoded.policy,
            data=encoded.data,
            sd=[disclosure_digest(SALT, name, text) for name, text in encoded.detached.items()],
        )
        prev = entry.leaf_hash
        chain.append(prev.hex())
        detached = [[name, SALT, text] for name, text in encoded.detached.items()]
        document = {"entry": entry.body.decode(), "leaf_hash": prev.hex(), "detached": detached}
        made[f"{encoded.kind}.json"] = (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()
    made["chain.json"] = (json.dumps(chain, indent=1) + "\n").encode()
    return made


def main() -> None:
    """Write every file."""
    FOLDER.mkdir(exist_ok=True)
    for name, data in files().items():
        (FOLDER / name).write_bytes(data)


if __name__ == "__main__":
    main()
