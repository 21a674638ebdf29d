"""Binds to the log what keys and factors are verified by: the digests that their entries hold of it.

An entry never holds the material itself. Every part of it is random, of 80 bits or more: no digest here can be guessed.
"""

import json
from collections.abc import Mapping
from typing import Any

from approval_rules.canonical import sha256_name

_ASKED = "removal_asked"


def key_digest(key_id: str, key_hash: str) -> str:
    """Give what an entry says of an API key: a digest of its id and of the hash that is kept of it."""
    return sha256_name(f"{key_id} {key_hash}".encode())


def material_digests(material: Mapping[str, Any]) -> tuple[str, ...]:
    """Give what an entry says of a factor: one digest, or of recovery codes one for each that is left."""
    if "hashes" in material:
        return tuple(sha256_name(str(each).encode()) for each in material["hashes"])
    kept = {name: part for name, part in material.items() if name != _ASKED}
    return (sha256_name(json.dumps(kept, sort_keys=True).encode()),)
