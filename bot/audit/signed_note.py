"""Signed notes and checkpoints in the C2SP formats, with Ed25519. Reads and writes text; holds no key, does no I/O.

A note is lines of text, an empty line, and one line a signature. A checkpoint is a note that says how large a log is
and what its root is. Any program that follows c2sp.org/signed-note and c2sp.org/tlog-checkpoint reads ours.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

Sign = Callable[[bytes], bytes]

_ED25519 = b"\x01"
_DASH = "\N{EM DASH}"
_NAME = re.compile(r"[^\s+\x00-\x1f\x7f]{1,255}")
_SIGNATURE = re.compile(rf"{_DASH} (?P<name>[^\s+]+) (?P<blob>[A-Za-z0-9+/]+={{0,2}})")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_ROOT_BYTES = 32
_ID_BYTES = 4
_ORIGIN = "foureyes/"
_EMPTY = "empty"
_KEPT = "kept "
_AT = "at "
_ORIGIN_DIGITS = 32
MAX_SIGNATURES = 16


class NoteError(ValueError):
    """A text that is no such note, or that nobody whom we know has signed; the message says why."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """Whose signature counts: a name without spaces or `+`, and the 32 bytes of an Ed25519 key."""

    name: str
    public: bytes

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise NoteError(f"{self.name!r}: a key's name has no spaces and no '+'")

    @property
    def key_id(self) -> bytes:
        """Four bytes that tell keys of one name apart; they prove nothing."""
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:_ID_BYTES]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(_ED25519 + self.public).decode()}"

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """Read `name+id+key`; raises NoteError."""
        name, _, rest = text.strip().partition("+")
        key_id, _, blob = rest.partition("+")
        try:
            data = base64.b64decode(blob, validate=True)
        except binascii.Error:
            data = b""
        if len(data) != 1 + _ROOT_BYTES or data[:1] != _ED25519:
            raise NoteError("a verifier key is NAME+ID+KEY with an Ed25519 key")
        key = cls(name, data[1:])
        if key.key_id.hex() != key_id:
            raise NoteError(f"the id of the verifier key {name} is not that of its key")
        return key


@dataclass(frozen=True, slots=True)
class Signer:
    """A verifier key with the means to sign under it."""

    key: VerifierKey
    sign: Sign


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The first `size` entries of the log `origin` have this root (32 bytes).

    `kept` and `at` are no part of what is compared. `kept` tells how many checkpoints the database keeps with this one:
    whoever takes one away must answer for the number. `at` is when it was signed to be kept.
    """

    origin: str
    size: int
    root: bytes
    kept: int | None = field(default=None, compare=False)
    at: str | None = field(default=None, compare=False)

    @property
    def text(self) -> str:
        """What is signed."""
        kept = "" if self.kept is None else f"{_KEPT}{self.kept}\n"
        at = "" if self.at is None else f"{_AT}{self.at}\n"
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n{kept}{at}"


def signed(text: str, signers: Iterable[Signer]) -> str:
    """Sign lines of text with each key; while a key is rotated, the old and the new one sign."""
    if not text.endswith("\n") or "\n\n" in text or text.startswith("\n"):
        raise NoteError("a note is lines of text, none of them empty, and the last one ends too")
    lines = [
        f"{_DASH} {signer.key.name} {base64.b64encode(signer.key.key_id + signer.sign(text.encode())).decode()}\n"
        for signer in signers
    ]
    return f"{text}\n{''.join(lines)}"


def opened(note: str, keys: Sequence[VerifierKey]) -> tuple[str, tuple[VerifierKey, ...]]:
    """Give the signed text, and which of the keys signed it, one at least. Raises NoteError.

    Signatures of keys that are not known are no reason to refuse; a wrong one of a known key is.
    """
    text, gap, tail = note.rpartition("\n\n")
    lines = tail.split("\n")
    if not gap or lines.pop() or not 0 < len(lines) <= MAX_SIGNATURES:
        raise NoteError("this is no signed note")
    text += "\n"
    known = {(key.name, key.key_id): key for key in keys}
    by: dict[VerifierKey, None] = {}
    for line in lines:
        match = _SIGNATURE.fullmatch(line)
        blob = b"" if match is None else _decoded(match["blob"])
        if match is None or not blob:
            raise NoteError("a signature line of the note is broken")
        key = known.get((match["name"], blob[:_ID_BYTES]))
        if key is None:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(key.public).verify(blob[_ID_BYTES:], text.encode())
        except InvalidSignature:
            raise NoteError(f"the signature of {key.name} is wrong: the note was changed") from None
        by[key] = None
    if not by:
        raise NoteError("no known key has signed this note")
    return text, tuple(by)


def _decoded(text: str) -> bytes:
    """Decode base64; nothing for what is none, or is not the one way to write these bytes."""
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""
    return data if base64.b64encode(data).decode() == text else b""


def read_checkpoint(text: str) -> Checkpoint:
    """Read a note's text as a checkpoint; lines after the third belong to extensions. Raises NoteError."""
    lines = text.split("\n")
    if len(lines) < len(("origin", "size", "root", "")) or lines[-1] or not lines[0] or not _SIZE.fullmatch(lines[1]):
        raise NoteError("this is no checkpoint")
    try:
        root = base64.b64decode(lines[2], validate=True)
    except (binascii.Error, ValueError):
        root = b""
    if len(root) != _ROOT_BYTES:
        raise NoteError("the checkpoint's root is no SHA-256")
    kept = [line.removeprefix(_KEPT) for line in lines[3:] if line.startswith(_KEPT)]
    known = int(kept[0]) if kept and _SIZE.fullmatch(kept[0]) else None
    at = next((line.removeprefix(_AT) for line in lines[3:] if line.startswith(_AT)), None)
    return Checkpoint(lines[0], int(lines[1]), root, known, at)


def origin_of(first_leaf: bytes | None) -> str:
    """Name a log after its first entry, so that no two logs have one name; None before there is one."""
    return f"{_ORIGIN}{_EMPTY if first_leaf is None else first_leaf.hex()[:_ORIGIN_DIGITS]}"


def signed_checkpoint(checkpoint: Checkpoint, signers: Iterable[tuple[bytes, Sign]]) -> str:
    """Sign a checkpoint with each key (its public bytes and its `sign`), under the name of the log."""
    return signed(checkpoint.text, [Signer(VerifierKey(checkpoint.origin, public), sign) for public, sign in signers])


def counting(keys: Sequence[bytes], retired: Mapping[bytes, int], size: int) -> list[bytes]:
    """Give the keys whose signature counts for the first `size` entries; a retired key's does for its own time only."""
    return [*keys, *(key for key, until in retired.items() if size <= until)]


def checkpoint_in(note: str, keys: Sequence[bytes]) -> Checkpoint:
    """Read a checkpoint that one at least of the public keys has signed under the name of the log. Raises NoteError."""
    origin = note.partition("\n")[0]
    if not origin:
        raise NoteError("this is no signed note")
    text, _ = opened(note, [VerifierKey(origin, public) for public in keys])
    return read_checkpoint(text)
