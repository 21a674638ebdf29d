"""Finds in texts what people outside hold of a log: signed checkpoints, callback bodies, grants. Believes none of it.

A statement says: when the log had so many entries, its root (or its last entry's hash) was this.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from bot.audit.signed_note import NoteError, checkpoint_in, read_checkpoint

_NOTE = re.compile(
    r"^[^\n]+\n[0-9]{1,19}\n[A-Za-z0-9+/]{43}=\n(?:[^\n]+\n)*\n(?:\N{EM DASH} [^\n]+(?:\n|\Z))+", re.MULTILINE
)
_GRANT = re.compile(r"eyJ[A-Za-z0-9_-]{10,2000}\.[A-Za-z0-9_-]{10,8000}\.[A-Za-z0-9_-]{86}")
_GRANT_TYPE = "foureyes-grant+jwt"
_HASH = re.compile(r"[0-9a-f]{64}")
_LARGEST = 2**53

Walk: TypeAlias = tuple[Any, str | None]


class Kind(StrEnum):
    """In what form somebody holds it, in the words of a report."""

    CHECKPOINT = "checkpoint"
    SLACK = "Slack message"
    CALLBACK = "callback"
    GRANT = "grant"
    COSIGNED = "cosignature"
    STAMPED = "time stamp"


@dataclass(frozen=True, slots=True)
class Statement:
    """What is held about the log of `size` entries: its root, or its last entry's hash, 32 bytes.

    `proof` is the signed text, where there is one; `where` names the message that it stood in; `origin` the log that it
    says it is of.
    """

    kind: Kind
    size: int
    root: bytes | None
    head: bytes | None
    origin: str | None = None
    proof: str | None = None
    where: str | None = None

    def is_signed(self, keys: Sequence[bytes]) -> bool:
        """Tell whether one of the public keys has signed it.

        Nobody signs what stands in a callback's body; a cosignature was verified when it was read.
        """
        match self.kind:
            case Kind.CALLBACK | Kind.COSIGNED:
                return True
            case Kind.GRANT:
                return any(_signed_by(self.proof or "", key) for key in keys)
            case _:
                try:
                    checkpoint_in(self.proof or "", keys)
                except NoteError:
                    return False
                return True


@dataclass(frozen=True, slots=True)
class Found:
    """What a text holds, how many lines of it nobody could read, and what is to be said of the rest."""

    statements: tuple[Statement, ...]
    unread: int
    notes: tuple[str, ...] = ()


def statements_in(text: str) -> Found:
    """Find every statement in a text: notes, JSON or JSON lines, a Slack export's day, grants one a line."""
    try:
        return Found(tuple(dict.fromkeys(_in_json(json.loads(text)))), 0)
    except (ValueError, RecursionError):
        pass
    found = [statement for note in _NOTE.finditer(text) for statement in _of_note(note[0], None)]
    unread = 0
    for line in _NOTE.sub("", text).splitlines():
        if line.strip():
            of_line = _in_line(line.strip())
            found += of_line
            unread += not of_line
    return Found(tuple(dict.fromkeys(found)), unread)


def _in_line(line: str) -> list[Statement]:
    try:
        return list(_in_json(json.loads(line)))
    except (ValueError, RecursionError):
        return list(_of_grant(line))


def _in_json(document: object) -> Iterator[Statement]:
    """Walk a document, at any depth; a Slack message is known by its time stamp."""
    waiting: list[Walk] = [(document, None)]
    while waiting:
        node, message = waiting.pop()
        if isinstance(node, dict):
            if node.get("type") == "message" and isinstance(node.get("ts"), str):
                message = node["ts"]
            yield from _of_callback(node.get("log"))
            waiting += [(part, message) for part in reversed(node.values())]
        elif isinstance(node, list):
            waiting += [(part, message) for part in reversed(node)]
        elif isinstance(node, str):
            yield from _of_grant(node)
            for note in _NOTE.finditer(node):
                yield from _of_note(note[0], message)


def _of_note(note: str, message: str | None) -> Iterator[Statement]:
    whole = note if note.endswith("\n") else note + "\n"
    try:
        found = read_checkpoint(whole.partition("\n\n")[0] + "\n")
    except NoteError:  # a size with a zero in front
        return
    kind = Kind.CHECKPOINT if message is None else Kind.SLACK
    yield Statement(kind, found.size, found.root, None, found.origin, whole, message)


def _of_callback(log: object) -> Iterator[Statement]:
    found = _of_log(log)
    if found is not None:
        yield Statement(Kind.CALLBACK, *found)


def _of_grant(text: str) -> Iterator[Statement]:
    if not _GRANT.fullmatch(text):
        return
    header, payload = (_segment(part) for part in text.split(".")[:2])
    found = _of_log(payload.get("log"))
    if header.get("typ") == _GRANT_TYPE and found is not None:
        yield Statement(Kind.GRANT, *found, proof=text)


def _of_log(log: object) -> tuple[int, bytes | None, bytes | None] | None:
    """Read `{index, size, head, root}`; grants and callbacks of earlier versions have no root."""
    if not isinstance(log, dict):
        return None
    size, root, head = log.get("size"), _hash(log.get("root")), _hash(log.get("head"))
    if type(size) is not int or not 0 < size < _LARGEST or (root is None and head is None):
        return None
    return size, root, head


def _hash(value: object) -> bytes | None:
    return bytes.fromhex(value) if isinstance(value, str) and _HASH.fullmatch(value) else None


def _segment(part: str) -> Mapping[str, Any]:
    try:
        found = json.loads(_bytes(part))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _bytes(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _signed_by(grant: str, key: bytes) -> bool:
    signed, _, signature = grant.rpartition(".")
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(_bytes(signature), signed.encode())
    except (InvalidSignature, binascii.Error):
        return False
    return True
