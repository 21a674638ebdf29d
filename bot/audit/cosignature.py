"""Cosignatures in the C2SP forms: what a tlog-witness is asked, and what it answers. Reads and writes text; no I/O.

A witness signs only what continues everything that it has signed before: c2sp.org/tlog-cosignature, tlog-witness.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from bot.audit.signed_note import NoteError, read_checkpoint
from bot.audit.statements import Found, Kind, Statement

_COSIGNATURE_V1 = b"\x04"
_PUBLIC_BYTES = 32
_ID_BYTES = 4
_TIME_BYTES = 8
_SIGNATURE_BYTES = 64
_NAME = re.compile(r"[^\s+\x00-\x1f\x7f]{1,255}")
_LINE = re.compile(r"\N{EM DASH} (?P<name>[^\s+]+) (?P<blob>[A-Za-z0-9+/]+={0,2})")


@dataclass(frozen=True, slots=True)
class WitnessKey:
    """Whose cosignatures count: a witness's name, and the 32 bytes of its Ed25519 key."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """Four bytes that tell keys of one name apart; they prove nothing."""
        return hashlib.sha256(self.name.encode() + b"\n" + _COSIGNATURE_V1 + self.public).digest()[:_ID_BYTES]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(_COSIGNATURE_V1 + self.public).decode()}"

    @classmethod
    def parse(cls, text: str) -> "WitnessKey":
        """Read `name+id+key`; raises NoteError."""
        name, _, rest = text.strip().partition("+")
        key_id, _, blob = rest.partition("+")
        data = _decoded(blob)
        if not _NAME.fullmatch(name) or len(data) != 1 + _PUBLIC_BYTES or data[:1] != _COSIGNATURE_V1:
            raise NoteError("a witness's key is NAME+ID+KEY with an Ed25519 key for cosignature/v1")
        key = cls(name, data[1:])
        if key.key_id.hex() != key_id:
            raise NoteError(f"the id of the witness's key {name} is not that of its key")
        return key


def question(old: int, proof: Sequence[bytes], note: str) -> bytes:
    """Write the body of `add-checkpoint`: from which size on, the consistency proof, and the signed checkpoint."""
    hashes = "".join(f"{base64.b64encode(each).decode()}\n" for each in proof)
    return f"old {old}\n{hashes}\n{note}".encode()


def cosigned(note: str, answer: str, key: WitnessKey) -> str:
    """Give the note with the witness's line of its answer added; raises NoteError where it signed nothing of this."""
    for line in answer.splitlines():
        try:
            cosigned_at(f"{note}{line}\n", key)
        except NoteError:
            continue
        return f"{note}{line}\n"
    raise NoteError(f"{key.name} has not signed this checkpoint")


def cosigned_at(note: str, key: WitnessKey) -> datetime:
    """Give when the witness has signed a note; raises NoteError where it has not."""
    text, gap, lines = note.rpartition("\n\n")
    for line in lines.splitlines() if gap else ():
        match = _LINE.fullmatch(line)
        blob = b"" if match is None else _decoded(match["blob"])
        if match is None or match["name"] != key.name or blob[:_ID_BYTES] != key.key_id:
            continue
        stamp, signature = blob[_ID_BYTES : _ID_BYTES + _TIME_BYTES], blob[_ID_BYTES + _TIME_BYTES :]
        seconds = int.from_bytes(stamp, "big")
        signed = f"cosignature/v1\ntime {seconds}\n{text}\n".encode()
        if len(signature) == _SIGNATURE_BYTES and _verifies(key.public, signature, signed):
            return _moment(seconds)
    raise NoteError(f"{key.name} has not signed this note")


def statements_of(notes: Iterable[str], key: WitnessKey) -> Found:
    """Give what a witness has signed among some notes; those that it has not signed are counted as unread."""
    found: list[Statement] = []
    unread = 0
    for note in notes:
        try:
            at = cosigned_at(note, key)
            known = read_checkpoint(note.partition("\n\n")[0] + "\n")
        except NoteError:
            unread += 1
            continue
        where = f"of {at:%Y-%m-%d %H:%M:%S} UTC"
        found.append(Statement(Kind.COSIGNED, known.size, known.root, None, known.origin, note, where))
    return Found(tuple(found), unread)


def _verifies(public: bytes, signature: bytes, signed: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, signed)
    except InvalidSignature:
        return False
    return True


def _moment(seconds: int) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise NoteError("the witness's time is none") from None


def _decoded(blob: str) -> bytes:
    try:
        return base64.b64decode(blob, validate=True)
    except (binascii.Error, ValueError):
        return b""
