"""Packs for tests, and a check of one that uses nothing of what made it but the format of the log."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

from bot.anchoring import Anchoring
from bot.audit.log_format import leaf_hash
from bot.audit.merkle import includes
from bot.audit.signed_note import Checkpoint, checkpoint_in
from bot.evidence.gathering import Decision, Place, gathered
from bot.evidence.making import pack_of
from bot.evidence.pack import Pack
from bot.keys import load
from tests.world import Proposal, World


def place_of(world: World) -> Place:
    """Say where a world keeps its evidence."""
    return Place(world.database, world.settings.anchor_file, load(world.settings.signing_key_file))


def decision_of(world: World, ident: str) -> Decision:
    """Gather one decision, with everything so far under the anchor."""
    where = place_of(world)
    Anchoring(world.database, where.anchor_file, where.key, world.clock).close()
    found = gathered(where, ident)
    assert found is not None
    return found


def pack(world: World, proposal: Proposal | str) -> Pack:
    """Make the pack of a proposal as of now, with everything so far under the anchor."""
    ident = proposal if isinstance(proposal, str) else proposal["id"]
    return pack_of(decision_of(world, ident), place_of(world), world.clock(), "whole-log")


def read(made: Pack, name: str) -> Any:  # noqa: ANN401 - JSON
    """Read a JSON file of a pack."""
    return json.loads(made.files[name])


def entries_of(made: Pack) -> dict[int, dict[str, Any]]:
    """Give the entries by log index."""
    return {each["seq"]: read(made, f"entries/{each['seq']}.json") for each in read(made, "manifest.json")["entries"]}


def page_of(made: Pack) -> str:
    """Give the page."""
    return made.files["index.html"].decode()


def require_proved(made: Pack, key: Path) -> Checkpoint:
    """Assert that every entry stands under the checkpoint, that `key` signed it, and that its values are its own."""
    note = made.files["checkpoint"].decode()
    checkpoint = checkpoint_in(note, [load(key).public_bytes()])
    for seq, entry in entries_of(made).items():
        header, index, *hashes = made.files[f"entries/{seq}.tlog-proof"].decode().partition("\n\n")[0].split("\n")
        assert (header, index) == ("c2sp.org/tlog-proof@v1", f"index {seq}")
        assert made.files[f"entries/{seq}.tlog-proof"].decode().partition("\n\n")[2] == note
        leaf = leaf_hash(made.files[f"entries/{seq}.json"])
        assert includes(checkpoint.root, checkpoint.size, seq, leaf, [base64.b64decode(each) for each in hashes])
        for line in made.files.get(f"entries/{seq}.disclosures", b"").split(b"\n")[:-1]:
            digest = hashlib.sha256(base64.urlsafe_b64encode(line).rstrip(b"=")).digest()
            assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() in entry["_sd"]
    return checkpoint


def require_listed(made: Pack) -> None:
    """Assert that SHA256SUMS has every other file as it is, and nothing else."""
    listed = {line[66:]: line[:64] for line in made.files["SHA256SUMS"].decode().splitlines()}
    assert listed == {
        name: hashlib.sha256(data).hexdigest() for name, data in made.files.items() if name != "SHA256SUMS"
    }
