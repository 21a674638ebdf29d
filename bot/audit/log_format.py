"""The bytes of the log: entries, links, disclosures. No I/O, no meaning; imports nothing of ours.

An entry is the RFC 8785 form of `{v, seq, prev, id, at, type, actor, subject, policy, data, _sd}`. It holds strings,
booleans, null and integers only. `prev` is the leaf hash of the entry before, so that the entries form a chain; the
leaf hash is RFC 6962's, so that a tree can stand over the same bytes. Personal values are not in an entry: `_sd` holds
the salted digest of each (RFC 9901), and the value with its salt lies in a row that can be erased.
"""

import hashlib
from binascii import b2a_base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from msgspec.json import Encoder

Plain: TypeAlias = "str | bool | int | Sequence[Plain] | Mapping[str, Plain] | None"

VERSION = 1
FIRST_PREV = "0" * 64
MAX_ENTRY_BYTES = 16 * 1024
FIELDS = ("_sd", "actor", "at", "data", "id", "policy", "prev", "seq", "subject", "type", "v")
_EXACT = 2**53 - 1
_URL_SAFE = bytes.maketrans(b"+/", b"-_")

# RFC 8785 for what an entry may hold: sorted ASCII keys, minimal escapes, no white space. This encoder writes that;
# a property test holds it against the rfc8785 package.
_encode = Encoder(order="sorted").encode


class EntryError(ValueError):
    """An entry that the format cannot hold; the message says why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as stored: its place, its exact bytes, and its RFC 6962 leaf hash (32 bytes)."""

    seq: int
    body: bytes
    leaf_hash: bytes


def seal(
    *,
    seq: int,
    prev: bytes | None,
    entry_id: str,
    at: str,
    kind: str,
    actor: Mapping[str, str],
    subject: str,
    policy: Plain,
    data: Mapping[str, Plain],
    sd: Sequence[str],
) -> Entry:
    """Write one entry after the one whose leaf hash is `prev` (None for the first). Raises EntryError over 16 KiB."""
    body = canonical(
        {
            "v": VERSION,
            "seq": seq,
            "prev": FIRST_PREV if prev is None else prev.hex(),
            "id": entry_id,
            "at": at,
            "type": kind,
            "actor": actor,
            "subject": subject,
            "policy": policy,
            "data": data,
            "_sd": sorted(sd),
        }
    )
    if len(body) > MAX_ENTRY_BYTES:
        raise EntryError(
            f"an entry {kind} of {len(body)} bytes is over {MAX_ENTRY_BYTES}: nothing was recorded; give less"
        )
    return Entry(seq, body, leaf_hash(body))


def leaf_hash(body: bytes) -> bytes:
    """Hash an entry as a leaf of an RFC 6962 tree: SHA-256 of a zero byte and the entry's bytes."""
    return hashlib.sha256(b"\x00" + body).digest()


def canonical(value: Plain) -> bytes:
    """Write a value of an entry in its RFC 8785 form. Raises EntryError for what an entry may not hold."""
    _check([[value]])
    try:
        return _encode(value)
    except UnicodeEncodeError:
        raise EntryError("an entry cannot hold a lone surrogate") from None


def disclosure_digest(salt: str, name: str, value_json: str) -> str:
    """Digest one detached value as RFC 9901 does; `value_json` is the value's canonical JSON text."""
    return _base64url(hashlib.sha256(disclosure(salt, name, value_json)).digest()).decode()


def disclosure(salt: str, name: str, value_json: str) -> bytes:
    """Write a value with its salt as RFC 9901 does; its SHA-256 is the digest."""
    return _base64url(f'["{salt}","{name}",{value_json}]'.encode())


def _base64url(data: bytes) -> bytes:
    return b2a_base64(data, newline=False).translate(_URL_SAFE).rstrip(b"=")


def _check(containers: list[Any]) -> None:
    """Look at everything in containers, at any depth; raises EntryError."""
    for container in containers:  # it grows while it is walked
        if isinstance(container, dict):
            if not "".join(container).isascii():
                raise EntryError("an entry's field names are ASCII")
            parts: Iterable[Any] = container.values()
        else:
            parts = container
        for part in parts:
            kind = type(part)
            if kind is str or kind is bool or part is None:
                continue
            if kind is dict or kind is list or kind is tuple:
                containers.append(part)
            elif kind is not int:
                raise EntryError(f"an entry cannot hold a {kind.__name__}")
            elif not -_EXACT <= part <= _EXACT:
                raise EntryError("an entry cannot hold an integer beyond 2^53-1")
