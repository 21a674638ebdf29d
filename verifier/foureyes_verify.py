#!/usr/bin/env python3
"""Checks what a Foureyes audit log left behind: an export, a database file, an evidence pack, a grant, a checkpoint.

    python3 foureyes_verify.py --key KEY export/ grant.jws kept-checkpoint.txt

One file, the standard library and `cryptography`. It shares no code with Foureyes, only the published formats (RFC
6962, C2SP tlog-checkpoint, tlog-tiles and tlog-proof, RFC 8785, RFC 9901), so that whoever distrusts the one need not
trust the other. Whatever is named together is held against each other. It reads, and MUST never write or ask a network.

Exit codes: 0 whole, 1 called wrongly or nothing readable there, 7 broken.
"""

import argparse
import base64
import binascii
import copy
import gc
import hashlib
import json
import os
import re
import sqlite3
import sys
import zipfile
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, NoReturn

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

__version__ = "1.0.0"

WHOLE, UNREADABLE, BROKEN = 0, 1, 7

FIELDS = frozenset(("_sd", "actor", "at", "data", "id", "policy", "prev", "seq", "subject", "type", "v"))
FIRST_PREV = "0" * 64
MOST_ENTRY_BYTES = 16 * 1024
EXACT = 2**53 - 1
TILE = 256
HASH = 32
AT_ONCE = 16 * TILE  # entries of one piece of work
INLINE = 5 * AT_ONCE  # below this, more processes cost more than they bring
MOST_FAULTS = 50
KEY_TABLES = {
    "agent_keys": "agent.changed",
    "operator_keys": "operator.key_changed",
    "auditor_keys": "auditor.key_changed",
}
ENROLLED = "factor.enrolled"
PAUSES = ("switch.paused", "switch.resumed")  # what held a proposal up, though it is about more than that one
LOOKED_INTO = frozenset(("values.erased", "log.key_changed", ENROLLED, *PAUSES, *KEY_TABLES.values()))  # data is read
MOST_PACK_BYTES = 256 * 1024 * 1024
MOST_TEXT_BYTES = 64 * 1024 * 1024
EMPTY_ROOT = hashlib.sha256(b"").digest()

LINK = "it does not link to the one before: one of them was changed, moved or removed"
REWRITTEN = "history was rewritten"


class UnreadableError(Exception):
    """Nothing can be said about this; the message says why."""


class WrongError(Exception):
    """Something that was to be checked is wrong; the message says what."""


# --- what was found


@dataclass(slots=True)
class Report:
    """What was found about one thing that was named. It is whole where `broken` is empty."""

    kind: str
    path: str
    facts: dict[str, Any] = field(default_factory=dict)
    broken: list[dict[str, Any]] = field(default_factory=list)
    more: int = 0
    proved: str = ""
    notes: list[str] = field(default_factory=list)

    def add(self, what: str, at: int | None = None) -> None:
        """Note a fault, with the entry where it shows; the first fifty are told."""
        if len(self.broken) < MOST_FAULTS:
            self.broken.append({"entry": at, "what": what})
        else:
            self.more += 1

    def lead(self, what: str, at: int) -> None:
        """Note a fault that explains the others, before them."""
        self.broken.insert(0, {"entry": at, "what": what})

    def as_json(self) -> dict[str, Any]:
        """Give everything for programs."""
        told = {"kind": self.kind, "path": self.path, "whole": not self.broken, **self.facts}
        return {**told, "broken": self.broken, "more_broken": self.more, "proved": self.proved, "notes": self.notes}

    def lines(self) -> Iterator[str]:
        """Tell it to a person."""
        size = f", {self.facts['entries']} entries" if "entries" in self.facts else ""
        yield f"{'BROKEN' if self.broken else 'whole '}  {self.kind} {self.path}{size}"
        for fault in self.broken:
            where = "" if fault["entry"] is None else f"entry {fault['entry']}: "
            yield f"        {where}{fault['what']}"
        if self.more:
            yield f"        and {self.more} faults more"
        if self.proved:
            yield f"        {self.proved}"
        for note in self.notes:
            yield f"        Note: {note}"


def printable(text: str) -> str:
    """Make text safe for a terminal: what was checked may have been written by somebody hostile."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


# --- RFC 6962: the tree


def leaf_hash(body: bytes) -> bytes:
    """Hash an entry as a leaf."""
    return hashlib.sha256(b"\x00" + body).digest()


def leaf_hashes(bodies: Iterable[bytes]) -> list[bytes]:
    """Hash many entries, as `leaf_hash` does one; a call for each would cost a fifth of it."""
    sha256 = hashlib.sha256
    return [sha256(b"\x00" + body).digest() for body in bodies]


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees into one."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def tile_root(leaves: bytes) -> bytes:
    """Give the root over 256 hashes that stand one behind the other."""
    sha256 = hashlib.sha256
    row = leaves
    while len(row) > HASH:
        row = b"".join([sha256(b"\x01" + row[at : at + 2 * HASH]).digest() for at in range(0, len(row), 2 * HASH)])
    return row


class Tree:
    """The complete subtrees that a growing tree is made of, largest first."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[tuple[int, bytes]] = []

    def push(self, level: int, subtree: bytes) -> None:
        """Append a complete subtree of `2 ** level` leaves; the size so far must be a multiple of that."""
        self.size += 1 << level
        while self._peaks and self._peaks[-1][0] == level:
            subtree = node_hash(self._peaks.pop()[1], subtree)
            level += 1
        self._peaks.append((level, subtree))

    def root(self) -> bytes:
        """Give the root over everything so far."""
        if not self._peaks:
            return EMPTY_ROOT
        root = self._peaks[-1][1]
        for _, peak in reversed(self._peaks[:-1]):
            root = node_hash(peak, root)
        return root


def proved_root(index: int, size: int, leaf: bytes, proof: Sequence[bytes]) -> bytes | None:
    """Give the root that an inclusion proof leads to (RFC 9162, 2.1.3.2); None where it cannot be one."""
    at, last, node = index, size - 1, leaf
    if not 0 <= index < size:
        return None
    for sibling in proof:
        if last == 0:
            return None
        if at & 1 or at == last:
            node = node_hash(sibling, node)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        at, last = at >> 1, last >> 1
    return node if last == 0 else None


# --- C2SP: keys, signed notes, checkpoints

_SIGNATURE = re.compile("\N{EM DASH} ([^ +\\s]+) ([A-Za-z0-9+/]+={0,2})")
_NOTE = re.compile("(?:[^\n]+\n)+\n(?:\N{EM DASH} [^\n]+\n?)+")
_SIZE = re.compile(r"0|[1-9][0-9]{0,15}")
_KEPT = re.compile(r"kept ([0-9]{1,15})")
_RETIRED = re.compile(r" retired (0|[1-9][0-9]{0,14})\Z")


@dataclass(frozen=True, slots=True)
class Keys:
    """Ed25519 keys whose signatures count, and whether the person at the keyboard named them.

    `ends` says of a key that was retired for how many entries of the log its signatures count.
    """

    public: tuple[bytes, ...] = ()
    given: bool = False
    ends: Mapping[bytes, int] = field(default_factory=dict)

    def words(self) -> str:
        """Say where they come from."""
        return "a key that you named" if self.given else "a key that came with it"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The first `size` entries of the log `origin` have this root; `signed` where one of the keys says so.

    `by` are the known keys that signed it; `kept` says how many checkpoints the database kept with it, `at` when it was
    signed to be kept.
    """

    origin: str
    size: int
    root: bytes
    source: str
    signed: bool
    kept: int = 0
    by: tuple[bytes, ...] = ()
    at: str = ""


def key_id(name: str, public: bytes) -> bytes:
    """Give the four bytes that lead a signature of an Ed25519 key under a name."""
    return hashlib.sha256(name.encode() + b"\n\x01" + public).digest()[:4]


def thumbprint(public: bytes) -> str:
    """Give the `kid` of a key: its RFC 7638 thumbprint."""
    jwk = json.dumps({"crv": "Ed25519", "kty": "OKP", "x": b64url(public)}, separators=(",", ":"))
    return b64url(hashlib.sha256(jwk.encode()).digest())


def is_signed(public: bytes, signature: bytes, data: bytes) -> bool:
    """Tell whether this Ed25519 key signed these bytes."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def read_checkpoint(note: str, source: str, keys: Keys) -> Checkpoint:
    """Read a signed note as a checkpoint. Raises WrongError where a known key's signature is wrong, or it is none."""
    text, gap, tail = note.rpartition("\n\n")
    text += "\n"
    lines = text.split("\n")
    if not gap or len(lines) < len(("origin", "size", "root", "")) or not lines[0] or not _SIZE.fullmatch(lines[1]):
        raise WrongError(f"{source} is no signed checkpoint")
    root = from_b64(lines[2])
    if len(root) != HASH:
        raise WrongError(f"{source}: its root is no SHA-256")
    known = {(lines[0], key_id(lines[0], public)): public for public in keys.public}
    by: list[bytes] = []
    for line in tail.removesuffix("\n").split("\n"):
        match = _SIGNATURE.fullmatch(line)
        blob = from_b64(match[2]) if match else b""
        if match is None or len(blob) < len("key id"):
            raise WrongError(f"{source}: one of its signature lines is broken")
        public = known.get((match[1], blob[:4]))
        if public is not None and not is_signed(public, blob[4:], text.encode()):
            raise WrongError(f"{source}: its signature is wrong: it was changed")
        by += [] if public is None else [public]
    if keys.given and not by:
        raise WrongError(f"{source}: no key that you named has signed it")
    if by and all(public in keys.ends and int(lines[1]) > keys.ends[public] for public in by):
        raise WrongError(f"{source}: {_after(max(keys.ends[public] for public in by))}")
    counts = [match[1] for line in lines[3:] if (match := _KEPT.fullmatch(line))]
    at = next((line.removeprefix("at ") for line in lines[3:] if line.startswith("at ")), "")
    return Checkpoint(lines[0], int(lines[1]), root, source, bool(by), int(counts[0]) if counts else 0, tuple(by), at)


def _after(end: int) -> str:
    return f"it was signed with a key that was retired, whose signature counts for the first {end} entries and no more"


def keys_of(text: str) -> tuple[bytes, ...]:
    """Read keys in any of their forms: `NAME+ID+KEY` lines, PEM, a JWKS. Raises UnreadableError.

    A line may end in `retired SIZE`.
    """
    text = text.strip()
    try:
        if text.startswith("-----BEGIN"):
            key = load_pem_public_key(text.encode())
            if not isinstance(key, Ed25519PublicKey):
                raise UnreadableError("the PEM holds no Ed25519 key")
            return (key.public_bytes_raw(),)
        if text.startswith("{"):
            document = json.loads(text)
            told = [key["x"] for key in document.get("keys", [document]) if key["crv"] == "Ed25519"]
            return tuple(Ed25519PublicKey.from_public_bytes(from_b64url(x)).public_bytes_raw() for x in told)
    except (ValueError, KeyError, TypeError, AttributeError, UnsupportedAlgorithm, RecursionError):
        raise UnreadableError("a key that is neither PEM, nor a JWKS") from None
    return tuple(_verifier_key(line) for line in text.splitlines() if line.strip())


def ends_of(text: str) -> dict[bytes, int]:
    """Read for how many entries the retired keys among `NAME+ID+KEY` lines count; others have no end."""
    lines = [line.strip() for line in text.splitlines()]
    return {_verifier_key(line): int(match[1]) for line in lines if (match := _RETIRED.search(line))}


def _verifier_key(line: str) -> bytes:
    name, _, rest = _RETIRED.sub("", line.strip()).partition("+")
    told, _, blob = rest.partition("+")
    data = from_b64(blob)
    if len(data) != 1 + HASH or data[0] != 1 or key_id(name, data[1:]).hex() != told:
        raise UnreadableError("a key is a PEM, a JWKS, or NAME+ID+KEY with an Ed25519 key and the right ID")
    return data[1:]


def from_b64(text: str) -> bytes:
    """Decode base64; nothing where it is none, or not the one way to write these bytes."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
    return data if base64.b64encode(data).decode() == text else b""


def b64url(data: bytes) -> str:
    """Encode as base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_b64url(text: str) -> bytes:
    """Decode base64url without padding; nothing where it is none, or not the one way to write these bytes."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""
    return data if b64url(data) == text else b""


# --- entries


def _no_float(_: str) -> Any:  # noqa: ANN401 - it never returns
    raise ValueError("an entry holds no floats")


def _exact_int(text: str) -> int:
    number = int(text) if len(text) <= len(str(-EXACT)) else EXACT + 1
    if not -EXACT <= number <= EXACT:
        raise ValueError("an integer beyond 2^53-1")
    return number


_decode = json.JSONDecoder(parse_float=_no_float, parse_constant=_no_float, parse_int=_exact_int).raw_decode
_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), check_circular=False).encode


def pseudonym(salt: str, team: str, user: str) -> str:
    """Give the pseudonym that was made for an account with this salt."""
    text = f'["{salt}","account",{json.dumps([team, user], separators=(",", ":"))}]'
    return f"pers_{hashlib.sha256(b64url(text.encode('utf-8', 'surrogatepass')).encode()).hexdigest()[:40]}"


def disclosure_digest(text: str) -> str:
    """Give the digest of an RFC 9901 disclosure, `["SALT","NAME",VALUE]`."""
    return b64url(hashlib.sha256(b64url(text.encode("utf-8", "surrogatepass")).encode()).digest())


@dataclass(slots=True)
class Piece:
    """Some entries that follow each other, as they were found."""

    numbers: Sequence[int]
    bodies: list[bytes]
    claimed: bytes  # the hashes that stand beside them
    columns: list[tuple[Any, ...]] | None = None
    values: list[tuple[Any, ...]] | None = None
    faults: list[tuple[str, int]] = field(default_factory=list)
    lost: set[int] = field(default_factory=set)  # entries that are not there, though their hashes are
    is_last: bool = False  # what comes after it cannot be placed


@dataclass(slots=True)
class Checked:
    """What a piece came to."""

    number: int
    count: int
    leaves: bytes
    claimed: bytes
    tiles: list[bytes]
    claimed_tiles: list[bytes]
    first_prev: Any
    last: bytes  # the hash that the next entry links to
    is_last: bool
    faults: list[tuple[str, int]]
    other: list[int]  # entries that do not have the hash beside them
    about: list[tuple[str, int]]
    disclosed: int
    sealed: int
    gone: list[tuple[int, str, int]]  # by entry and day, how many of its values are not there
    erased: Counter[str]  # by day, how many values were recorded as erased
    ended: dict[bytes, tuple[int, int]]  # by retired key, how many entries it counts for and the entry that says so
    given: set[tuple[str, str, str | None]]  # keys and factors by type of entry, time or id, and digest
    pauses: list[tuple[int, str, str]]  # by entry, what kind of thing it stopped or let go on, and which


@dataclass(frozen=True, slots=True)
class Task:
    """A range of a log to be checked; `values` are those that an export disclosed of it."""

    read: Callable[[int, int], Piece]
    first: int
    end: int
    subjects: frozenset[str]
    values: list[tuple[Any, ...]] | None = None


def check_piece(task: Task) -> Checked:
    """Read some entries and check all that can be seen in them alone; any process can do it."""
    piece = task.read(task.first, task.end)
    if task.values is not None:
        piece.values = task.values
    faults = piece.faults
    leaves = leaf_hashes(piece.bodies)
    links = _links(piece, leaves) if piece.lost else leaves
    seen = read_entries(piece, links, whole=bool(task.subjects))
    about: list[tuple[str, int]] = []
    if piece.columns is not None or task.subjects:
        for place, (number, entry) in enumerate(zip(piece.numbers, seen.entries, strict=True)):
            if entry is None:
                continue
            if piece.columns is not None and piece.columns[place] != (entry.subject, entry.type, entry.at):
                faults.append(("the look-up columns differ from it", number))
            if type(entry.subject) is str and entry.subject in task.subjects:
                about.append((entry.subject, number))
    disclosed, sealed, gone = _check_values(piece, seen.entries, faults)
    found = b"".join(leaves)
    tiles = tiles_of(found)
    same = piece.claimed == found
    other = [] if same else _other(piece, leaves)
    changed = [at for at in other if at not in piece.lost]
    faults += [("its bytes do not have the hash that stands beside it: one of them was changed", at) for at in changed]
    return Checked(
        number=piece.numbers[0] if piece.numbers else task.first,
        count=len(leaves),
        leaves=found,
        claimed=found if same else piece.claimed,  # what is the same goes once from process to process
        tiles=tiles,
        claimed_tiles=tiles if same else tiles_of(piece.claimed),
        first_prev=seen.first_prev,
        last=links[-1] if links else b"",
        is_last=piece.is_last,
        faults=faults,
        other=other,
        about=about,
        disclosed=disclosed,
        sealed=sealed,
        gone=gone,
        erased=_erased(seen.read),
        ended=_ended(seen.read),
        given=set(_given(seen.read)),
        pauses=list(_pauses(seen.read)),
    )


def _erased(entries: list[tuple[int, dict[str, Any]]]) -> Counter[str]:
    """Count by day the values that entries say were erased; what cannot be read has erased nothing."""
    found: Counter[str] = Counter()
    for _, entry in entries:
        if entry["type"] == "values.erased":
            try:
                for gone in entry["data"]["gone"]:
                    found[str(gone["day"])] += int(gone["count"])
            except (KeyError, TypeError, ValueError):
                continue
    return found


def _ended(entries: list[tuple[int, dict[str, Any]]]) -> dict[bytes, tuple[int, int]]:
    """Find the keys that entries retire; the smallest size that was ever said of one counts."""
    found: dict[bytes, tuple[int, int]] = {}
    for number, entry in entries:
        data = entry["data"] if entry["type"] == "log.key_changed" else None
        if type(data) is dict and data.get("change") == "retired" and type(data.get("size")) is int:
            public = from_b64url(str(data.get("key")))
            found[public] = min((data["size"], number), found.get(public, (EXACT, 0)))
    return found


def _given(entries: list[tuple[int, dict[str, Any]]]) -> Iterator[tuple[str, str, str | None]]:
    """Give the digests of the keys and factors that entries gave out; None for one of before there were digests."""
    for _, entry in entries:
        if type(entry["type"]) is not str or entry["type"] not in LOOKED_INTO or type(entry["data"]) is not dict:
            continue
        data = entry["data"]
        if entry["type"] == ENROLLED:
            found = data["bound"] if type(data.get("bound")) is list else [None]
            yield from ((ENROLLED, str(data.get("credential")), digest and str(digest)) for digest in found)
        elif data.get("change") in ("added", "rotated"):
            told = data.get("fingerprint")
            yield entry["type"], str(entry["at"]), told and str(told)


def _pauses(entries: list[tuple[int, dict[str, Any]]]) -> Iterator[tuple[int, str, str]]:
    """Give what entries say was stopped, or may go on."""
    for number, entry in entries:
        scope = entry["data"].get("scope") if entry["type"] in PAUSES and type(entry["data"]) is dict else None
        if type(scope) is dict:
            yield number, str(scope.get("kind")), str(scope.get("name"))


def _other(piece: Piece, leaves: list[bytes]) -> list[int]:
    places = zip(piece.numbers, leaves, _claimed(piece), strict=True)
    return [number for number, one, other in places if one != other]


def _claimed(piece: Piece) -> list[bytes]:
    return [piece.claimed[at : at + HASH] for at in range(0, len(piece.claimed), HASH)]


def _links(piece: Piece, leaves: list[bytes]) -> list[bytes]:
    """Give the hashes that entries link to: of one that is not there, the one that stands in its tile."""
    places = zip(piece.numbers, leaves, _claimed(piece), strict=True)
    return [claimed if number in piece.lost else leaf for number, leaf, claimed in places]


def tiles_of(leaves: bytes) -> list[bytes]:
    """Give the roots over each 256 hashes; what is left at the end has none."""
    width = TILE * HASH
    return [tile_root(leaves[at : at + width]) for at in range(0, len(leaves) - len(leaves) % width, width)]


def _parsed(body: bytes, number: int, faults: list[tuple[str, int]]) -> dict[str, Any] | None:
    try:
        text = body.decode()
        entry, end = _decode(text)
        readable = end == len(text) and len(body) <= MOST_ENTRY_BYTES and (body.isascii() or _ascii_names(entry))
    except (ValueError, RecursionError):
        readable = False
    if not readable:
        faults.append(("it cannot be read", number))
        return None
    if type(entry) is not dict or entry.keys() != FIELDS or type(entry["_sd"]) is not list:
        faults.append(("it does not have the fields of an entry", number))
        return None
    return entry


def _ascii_names(value: Any) -> bool:  # noqa: ANN401 - JSON
    if type(value) is dict:
        return all(name.isascii() and _ascii_names(part) for name, part in value.items())
    return type(value) is not list or all(map(_ascii_names, value))


class Forms:
    """Spares most entries being read as JSON and written again, which takes most of the time.

    A pattern is made from an entry that was. It has each of its names, brackets, colons and commas, in canonical order,
    and gaps where a value stands that is no object and no list of objects or lists. In a gap fits what is canonical
    however it reads: a string; or an integer, a truth, null or a list of those, where the entry had none of them. It is
    held only against ASCII without backslash and control characters, so that whatever stands between two quotation
    marks is a canonical string. What no pattern matches is read and written again; none ever says that something is
    wrong.
    """

    _ODD = (ord("\\"), *range(0x20))
    _STRING = rb'"[^"]*+"'
    _SIMPLE = rb"(?:" + _STRING + rb"|true|false|null|0|-?[1-9][0-9]{0,14}+)"  # 15 digits are less than 2^53
    _GAPS: ClassVar = {
        "_sd": rb"\[((?:" + _STRING + rb"(?:," + _STRING + rb")*+)?+)\]",
        "at": rb'"([^"]*+)"',
        "prev": rb'"([^"]*+"',  # with the number behind it one gap, whose text is known
        "seq": rb"[0-9]++)",
        "subject": rb'"([^"]*+)"',
        "v": rb"1",
    }
    _MOST = 128  # to make one takes as long as to read a hundred entries
    _MOST_OF_A_TYPE = 8
    _EXACT_OF_A_TYPE = 4  # the first have gaps for strings alone where they saw one, and are held twice as fast
    _LONGEST = 4096

    def __init__(self) -> None:
        self._known: dict[bytes, list[Callable[[bytes], re.Match[bytes] | None]]] = defaultdict(list)
        self._count = 0

    @classmethod
    def is_plain(cls, data: bytes) -> bool:
        """Tell whether a pattern can be held against this, or against any part of it."""
        return data.isascii() and not any(map(data.__contains__, cls._ODD))

    def match(self, plain: bytes) -> re.Match[bytes] | None:
        """Match an entry that is plain, else None. Gives its digests, time, `LINK","seq":NUMBER` and subject.

        Its bytes are canonical where LINK and NUMBER are what they should be; only the caller knows that.
        """
        if len(plain) > self._LONGEST:
            return None
        for fullmatch in self._known.get(plain[plain.rfind(b'"type":"') + len('"type":"') : -len('","v":1}')], ()):
            found = fullmatch(plain)
            if found is not None:
                return found
        return None

    def learn(self, entry: dict[str, Any], length: int) -> None:
        """Make a pattern of an entry that was read and is canonical, unless more of its type is wanted."""
        kind = entry["type"]
        if type(kind) is not str or kind in LOOKED_INTO or length > self._LONGEST or self._count == self._MOST:
            return
        known = self._known[kind.encode()]
        if len(known) == self._MOST_OF_A_TYPE:
            return
        exact = len(known) < self._EXACT_OF_A_TYPE
        gaps = {**self._GAPS, "type": re.escape(_encode(kind).encode())}
        try:
            parts = [self._named(name, gaps.get(name) or self._pattern(entry[name], exact)) for name in sorted(entry)]
        except RecursionError:
            return  # nobody nests so deep but to trouble us
        known.append(re.compile(rb"\{" + b",".join(parts) + rb"\}").fullmatch)
        self._count += 1

    def _pattern(self, value: Any, exact: bool) -> bytes:  # noqa: ANN401, FBT001 - JSON; and nobody else calls it
        if type(value) is dict:
            parts = [self._named(name, self._pattern(value[name], exact)) for name in sorted(value)]
            return rb"\{" + b",".join(parts) + rb"\}"
        if type(value) is list and any(type(part) in (dict, list) for part in value):
            return rb"\[" + b",".join([self._pattern(part, exact) for part in value]) + rb"\]"
        if type(value) is list:
            part = self._STRING if exact and all(type(each) is str for each in value) else self._SIMPLE
            return rb"\[(?:" + part + rb"(?:," + part + rb")*+)?+\]"
        return self._STRING if exact and type(value) is str else self._SIMPLE

    @staticmethod
    def _named(name: str, pattern: bytes) -> bytes:
        return re.escape(_encode(name).encode()) + b":" + pattern


_FORMS = Forms()


@dataclass(slots=True)
class Entry:
    """What is looked at in every entry, besides its form and its place."""

    digests: list[Any]
    at: Any
    subject: Any
    type: Any


@dataclass(slots=True)
class Seen:
    """What reading a piece came to: its entries where anything in them is to be looked at, and those that were read."""

    entries: list[Entry | None] = field(default_factory=list)
    read: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    first_prev: Any = None


def read_entries(piece: Piece, leaves: Sequence[bytes], *, whole: bool) -> Seen:
    """Read entries, and note as faults those that are none, not in RFC 8785's one way, or not in their place.

    An entry is looked into where a piece brings columns or values to hold against it, or `whole` says so.
    """
    seen, match = Seen(), _FORMS.match
    whole = whole or piece.columns is not None or piece.values is not None
    prev = b""  # of the first one it is known to whoever has the piece before
    for number, body, leaf, plain in zip(piece.numbers, piece.bodies, leaves, _plain(piece.bodies), strict=True):
        found = match(body) if plain else None
        if found is None or found[3] != b'%b","seq":%b' % (prev, str(number).encode()):
            entry = None if number in piece.lost else _read_entry(body, number, prev.decode(), seen, piece.faults)
            if whole:
                seen.entries.append(entry)
        elif whole:
            seen.entries.append(told_by(found))
        prev = binascii.hexlify(leaf)
    return seen


def told_by(found: re.Match[bytes]) -> Entry:
    """Give what is looked at of an entry that a pattern matched."""
    digests, at, _, subject = found.groups()
    kind = found.string[found.end(4) + len('","type":"') : -len('","v":1}')]
    told = digests[1:-1].decode().split('","') if digests else []
    return Entry(told, at.decode(), subject.decode(), kind.decode())


def _plain(bodies: Sequence[bytes]) -> Iterator[bool]:
    """Tell which entries a pattern can be held against; of many at once it is told in a third of the time."""
    for at in range(0, len(bodies), TILE):
        some = bodies[at : at + TILE]
        all_plain = Forms.is_plain(b"".join(some))
        yield from [all_plain or Forms.is_plain(body) for body in some]


def _read_entry(body: bytes, number: int, prev: str, seen: Seen, faults: list[tuple[str, int]]) -> Entry | None:
    """Read an entry that is like none before, or is the first of its piece."""
    entry = _parsed(body, number, faults)
    if entry is None:
        return None
    _check_form(body, entry, number, faults)
    if entry["v"] != 1 or entry["v"] is True:
        faults.append(("it is of a format that this program does not know; use a newer one", number))
    if entry["seq"] != number:
        faults.append((f"it calls itself {entry['seq']}", number))
    if not prev:
        seen.first_prev = entry["prev"]
    elif entry["prev"] != prev:
        faults.append((LINK, number))
    seen.read.append((number, entry))
    return Entry(entry["_sd"], entry["at"], entry["subject"], entry["type"])


def _check_form(body: bytes, entry: dict[str, Any], number: int, faults: list[tuple[str, int]]) -> None:
    """Hold the bytes of an entry against RFC 8785's one way to write it."""
    try:
        written = _encode(entry).encode()
    except UnicodeEncodeError:
        faults.append(("it cannot be read", number))
        return
    if written == body:
        _FORMS.learn(entry, len(body))
    else:
        faults.append(("it is not in canonical form", number))


def _check_values(
    piece: Piece, entries: list[Entry | None], faults: list[tuple[str, int]]
) -> tuple[int, int, list[tuple[int, str, int]]]:
    """Hold disclosed values against the digests in their entries; count those that fit, are sealed, and are gone."""
    if piece.values is None:
        return 0, 0, []
    promised = {
        number: entry.digests for number, entry in zip(piece.numbers, entries, strict=True) if entry is not None
    }
    fitting: dict[int, set[str]] = defaultdict(set)
    strange: Counter[int] = Counter()
    sealed: Counter[int] = Counter()
    for number, name, salt, value in piece.values:
        if salt is None:
            sealed[number] += 1
            continue
        if number not in promised:
            if piece.columns is not None and number not in piece.numbers:
                faults.append((f"the detached value {name!r} belongs to no entry", number))
            continue  # that the entry is not there, or cannot be read, is told already
        digest = disclosure_digest(f'["{salt}","{name}",{value}]')
        if digest in promised[number]:
            fitting[number].add(digest)
        else:
            strange[number] += 1
            faults.append((f"the detached value {name!r} is not the one that it promises", number))
    gone: list[tuple[int, str, int]] = []
    if piece.columns is not None:  # a database keeps all of them, an export only those that were asked for
        for number, entry in zip(piece.numbers, entries, strict=True):
            lacking = 0
            if entry is not None:
                lacking = len(entry.digests) - len(fitting[number]) - strange[number] - sealed[number]
            if entry is not None and lacking > 0:
                gone.append((number, str(entry.at)[:10], lacking))
    return sum(map(len, fitting.values())), sealed.total(), gone


# --- where entries lie: an export in tiles, or a database file


class Export:
    """A folder as C2SP's tlog-tiles lay it out. Picklable: each process reads its own files."""

    def __init__(self, folder: Path, size: int) -> None:
        self.folder = folder
        self.size = size

    def pieces(self) -> list[tuple[int, int]]:
        """Give the ranges that are checked by themselves. What the checkpoint says of the size is not believed."""
        tiles = [self.folder / "tile" / "entries", self.folder / "tile" / "0"]
        end = min(self.size, (1 + max(sum(not path.is_dir() for path in each.rglob("*")) for each in tiles)) * TILE)
        return [(first, min(first + AT_ONCE, end)) for first in range(0, end, AT_ONCE)]

    def read(self, first: int, end: int) -> Piece:
        """Read the bundles and the tiles of a range, as far as they go."""
        piece = Piece(range(first, first), [], b"")
        claimed: list[bytes] = []
        for at in range(first, end, TILE):
            width = min(TILE, self.size - at)
            found = self._bundle(at, width, piece.faults)
            tile = self.tile(0, at // TILE, width, piece.faults)
            piece.is_last = len(found) < width and not tile  # nothing tells what stood there
            if piece.is_last:
                break
            piece.lost.update(range(at + len(found), at + width))
            piece.bodies += found + [b""] * (width - len(found))
            claimed.append(tile or b"".join(leaf_hashes(found)))
        piece.numbers, piece.claimed = range(first, first + len(piece.bodies)), b"".join(claimed)
        return piece

    def _bundle(self, at: int, width: int, faults: list[tuple[str, int]]) -> list[bytes]:
        """Read the entries of a bundle, no more than belong there; a fault where they are not all there."""
        try:
            found = _unbundled(self._file("entries", at // TILE, width))
        except (OSError, ValueError) as error:
            faults.append((f"the {width} entries from here on cannot be read: {_reason(error)}", at))
            return []
        if len(found) != width:
            faults.append((f"{len(found)} entries stand where {width} belong", at + min(len(found), width)))
        return found[:width]

    def tile(self, level: int, index: int, width: int, faults: list[tuple[str, int]]) -> bytes:
        """Read a tile of hashes; nothing, and a fault, where it is not there or not as long as it should be."""
        at = index * TILE ** (level + 1)
        try:
            data = self._file(level, index, width)
        except OSError as error:
            faults.append((f"tile {index} of level {level} cannot be read: {_reason(error)}", at))
            return b""
        if len(data) != width * HASH:
            faults.append((f"tile {index} of level {level} has {len(data)} bytes instead of {width * HASH}", at))
            return b""
        return data

    def _file(self, level: int | str, index: int, width: int) -> bytes:
        groups = [f"{index % 1000:03}"]
        while index := index // 1000:
            groups.insert(0, f"x{index % 1000:03}")
        name = f"tile/{level}/{'/'.join(groups)}" + ("" if width == TILE else f".p/{width}")
        with (self.folder / name).open("rb") as file:
            return file.read(min(os.fstat(file.fileno()).st_size, TILE * (MOST_ENTRY_BYTES + 2) + 1))


def _unbundled(data: bytes) -> list[bytes]:
    """Take an entry bundle apart: each entry stands behind its length, two bytes, the high one first."""
    bodies = []
    at, length = 0, len(data)
    while at + 2 <= length:
        start = at + 2
        at = start + (data[at] << 8) + data[at + 1]
        bodies.append(data[start:at])
    if at != length:
        raise ValueError("the last entry of the bundle is cut off")
    return bodies


def _reason(error: Exception) -> str:
    return str(error.strerror) if isinstance(error, OSError) else str(error)


class Database:
    """A SQLite file, opened so that nothing can be written. Picklable: each process opens its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self.gaps: list[tuple[int, int]] = []  # the first and the last of each row of entries that are not there
        self._ranges: list[tuple[int, int]] = []

    def open(self) -> sqlite3.Connection:
        """Open it for reading. A file without a WAL beside it is read as it lies, without a lock file."""
        quoted = str(self.path.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
        how = "mode=ro" if self.path.with_name(f"{self.path.name}-wal").exists() else "immutable=1"
        connection = sqlite3.connect(f"file:{quoted}?{how}", uri=True, isolation_level=None)
        connection.execute("PRAGMA query_only = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        return connection

    def measure(self, connection: sqlite3.Connection) -> int | None:
        """Note which entries there are, and give the index of the last; later ones are not looked at."""
        first, last, count = connection.execute("SELECT min(seq), max(seq), count(*) FROM entries").fetchone()
        self.size = count
        if count and not (isinstance(first, int) and isinstance(last, int)):
            raise UnreadableError("its entries are not numbered")
        if count and (first, last) != (0, count - 1):
            numbers = [row[0] for row in connection.execute("SELECT seq FROM entries ORDER BY seq")]
            if not all(type(number) is int for number in numbers):
                raise UnreadableError("its entries are not numbered")
            self.gaps = [(at + 1, then - 1) for at, then in pairwise((-1, *numbers)) if at + 1 < then]
            starts = numbers[::AT_ONCE]
            self._ranges = list(zip(starts, [*starts[1:], last + 1], strict=True))
        else:
            self._ranges = [(at, min(at + AT_ONCE, count)) for at in range(0, count, AT_ONCE)]
        return last if count else None

    def pieces(self) -> list[tuple[int, int]]:
        """Give the ranges that are checked by themselves."""
        return self._ranges

    def read(self, first: int, end: int) -> Piece:
        """Read the rows of a range, with what is detached from them."""
        with closing(self.open()) as connection:
            rows = connection.execute(
                "SELECT seq, body, leaf_hash, subject, type, at FROM entries WHERE seq >= ? AND seq < ? ORDER BY seq",
                (first, end),
            ).fetchall()
            values = connection.execute(
                f"SELECT seq, name, {_salt(connection)}, value FROM detached WHERE seq >= ? AND seq < ? ORDER BY seq",  # noqa: S608 - one of two constants
                (first, end),
            ).fetchall()
        bodies = [body if type(body) is bytes else str(body).encode() for _, body, *_ in rows]
        numbers: Sequence[int] = [row[0] for row in rows]
        if len(rows) == end - first:
            numbers = range(first, end)
        claimed = b"".join([row[2] if type(row[2]) is bytes and len(row[2]) == HASH else bytes(HASH) for row in rows])
        return Piece(numbers, bodies, claimed, [row[3:] for row in rows], values)


def _salt(connection: sqlite3.Connection) -> str:
    """Say how the salt is read: a value with a key is sealed, and has none that can be read here."""
    columns = {row[1] for row in connection.execute("PRAGMA table_info(detached)")}
    return "CASE WHEN key IS NULL THEN salt END" if "key" in columns else "salt"


# --- a whole log


@dataclass(slots=True)
class Walk:
    """Goes through a log piece by piece, in order, and keeps the tree over it."""

    report: Report
    stops: list[int]  # the sizes at which a root is wanted, sorted
    own: list[Checkpoint] = field(default_factory=list)
    found: bytearray = field(default_factory=bytearray)  # the hashes as the entries' bytes give them
    roots: dict[int, bytes] = field(default_factory=lambda: {0: EMPTY_ROOT})
    claimed_roots: dict[int, bytes] = field(default_factory=lambda: {0: EMPTY_ROOT})
    subtrees: list[bytes] = field(default_factory=list)  # of 256 entries each, as the hashes beside them give them
    other: list[int] = field(default_factory=list)
    about: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    names: set[str] = field(default_factory=set)  # what the log may call itself
    gap: int | None = None  # the first entry that is known to be missing between others
    disclosed: int = 0
    sealed: int = 0
    gone: list[tuple[int, str, int]] = field(default_factory=list)
    erased: Counter[str] = field(default_factory=Counter)
    ended: dict[bytes, tuple[int, int]] = field(default_factory=dict)
    given: set[tuple[str, str, str | None]] = field(default_factory=set)
    pauses: list[tuple[int, str, str]] = field(default_factory=list)
    _tree: Tree = field(default_factory=Tree)
    claimed_tree: Tree | None = None
    _prev: str = FIRST_PREV

    @property
    def size(self) -> int:
        """How many entries there are."""
        return self._tree.size

    def end(self) -> bytes:
        """Give the root over all of it."""
        return self._tree.root()

    def leaf(self, index: int) -> bytes | None:
        """Give the hash of an entry as its bytes give it."""
        at = index * HASH
        return bytes(self.found[at : at + HASH]) if 0 <= index < self.size else None

    def add(self, piece: Checked) -> None:
        """Take the next piece."""
        if not piece.count:
            self._tell(piece.faults)
            return
        if not self.size:
            self.names = {_origin(piece.leaves), _origin(piece.claimed)}
        if piece.first_prev is not None and piece.first_prev != self._prev:
            piece.faults.append((LINK, piece.number))
        if piece.leaves != piece.claimed and self.claimed_tree is None:
            self.claimed_tree = copy.deepcopy(self._tree)
            self.claimed_roots = dict(self.roots)
        if self.claimed_tree is not None:
            self._grow(self.claimed_tree, piece.claimed, piece.claimed_tiles, self.claimed_roots)
        self._grow(self._tree, piece.leaves, piece.tiles, self.roots)
        self.found += piece.leaves
        self.subtrees += piece.claimed_tiles
        self._prev = piece.last.hex()
        self.other += piece.other
        for subject, number in piece.about:
            self.about[subject].append(number)
        self.disclosed += piece.disclosed
        self.sealed += piece.sealed
        self.gone += piece.gone
        self.erased += piece.erased
        self.given |= piece.given
        self.pauses += piece.pauses
        for public, end in piece.ended.items():
            self.ended[public] = min(end, self.ended.get(public, end))
        self._tell(piece.faults)

    def _tell(self, faults: list[tuple[str, int]]) -> None:
        for what, number in sorted(faults, key=lambda fault: fault[1]):
            self.report.add(what, number)

    def _grow(self, tree: Tree, leaves: bytes, tiles: list[bytes], roots: dict[int, bytes]) -> None:
        """Append leaves, by whole subtrees of 256 where no root is asked for inside of one."""
        width = TILE * HASH
        for place in range(0, len(leaves), width):
            part = leaves[place : place + width]
            end = tree.size + len(part) // HASH
            stop = bisect_right(self.stops, tree.size)
            if len(part) == width and tree.size % TILE == 0 and (stop == len(self.stops) or self.stops[stop] >= end):
                tree.push(8, tiles[place // width])
            else:
                for at in range(0, len(part), HASH):
                    tree.push(0, part[at : at + HASH])
                    if stop < len(self.stops) and self.stops[stop] == tree.size:
                        roots[tree.size] = tree.root()
                        stop += 1
            if stop < len(self.stops) and self.stops[stop] == end:
                roots[end] = tree.root()


def _origin(first_leaf: bytes) -> str:
    """Give the name of a log with this first entry."""
    return f"foureyes/{first_leaf[:16].hex()}"


def walk(source: Export | Database, tasks: Sequence[Task], into: Walk, jobs: int) -> None:
    """Check all pieces, in several processes where it is worth it."""
    if source.size <= INLINE or jobs == 1:
        _take(map(check_piece, tasks), into)
        return
    # Reading JSON leaves no cycles, and looking for them among so many objects takes a tenth of the time.
    with ProcessPoolExecutor(jobs, initializer=gc.disable) as pool:
        _take(pool.map(check_piece, tasks), into)


def _take(pieces: Iterable[Checked], into: Walk) -> None:
    for checked in pieces:
        into.add(checked)
        if checked.is_last:
            return


def count_kept(sizes: Sequence[int], checkpoints: Iterable[Checkpoint], report: Report) -> None:
    """Hold the checkpoints that are kept, by their sizes, against how many the signed ones count."""
    in_order = sorted(sizes)
    for checkpoint in sorted(checkpoints, key=lambda each: each.size):
        gone = checkpoint.kept - bisect_right(in_order, checkpoint.size)
        if gone > 0:
            told = f"{checkpoint.source} counts {checkpoint.kept} checkpoints"
            report.add(f"{told} that were kept, and {gone} of them are gone", checkpoint.size)
            return


def judge(into: Walk, checkpoints: Iterable[Checkpoint], keys: Keys) -> None:
    """Hold a log against what was signed about it, and say what that proves."""
    report, best, pinned, missing = into.report, None, None, None
    differs: list[Checkpoint] = []
    for checkpoint in sorted(checkpoints, key=lambda each: each.size):
        size, told = checkpoint.size, checkpoint.source
        ended = [into.ended[public] for public in checkpoint.by if public in into.ended]
        if ended and len(ended) == len(checkpoint.by) and checkpoint.origin in into.names and size > max(ended)[0]:
            end, entry = max(ended)
            report.lead(f"{told}: {_after(end)}, as entry {entry} says", max(size - 1, 0))
        elif size > into.size:
            missing = checkpoint
        elif size and checkpoint.origin and checkpoint.origin not in into.names:
            report.lead(f"{told} is of another log, {checkpoint.origin}", 0)
        elif into.roots.get(size) == checkpoint.root:
            best = checkpoint
        elif into.claimed_tree is not None and into.claimed_roots.get(size) == checkpoint.root:
            pinned = checkpoint
        else:
            differs.append(checkpoint)
    if differs:
        first = differs[0]
        later = f", nor what {len(differs) - 1} later ones say" if len(differs) > 1 else ""
        what = f"the first {first.size} entries are not what {first.source} says{later}: {REWRITTEN}"
        report.lead(what, max(first.size - 1, 0))
    if missing is not None:
        told = f"{missing.source} is of {missing.size}"
        lack = "the last are missing" if into.gap is None else "some are missing"
        report.lead(f"the log has {into.size} entries, and {told}: {lack}", into.size if into.gap is None else into.gap)
    report.proved = _proved(into, best, pinned, keys)


def _proved(into: Walk, best: Checkpoint | None, pinned: Checkpoint | None, keys: Keys) -> str:
    """Say what stands in spite of all faults."""
    if pinned is not None and (best is None or pinned.size > best.size):
        but = sum(1 for number in into.other if number < pinned.size)
        return f"All of the first {pinned.size} entries but {but} are what {_by(pinned, keys)}."
    if best is not None and best.size:
        return f"Entries 0 to {best.size - 1} are what {_by(best, keys)}."
    return "Nothing is proved: no checkpoint fits what is there." if into.size else ""


def _by(checkpoint: Checkpoint, keys: Keys) -> str:
    if checkpoint.signed:
        return f"{checkpoint.source} says, signed with {keys.words()}"
    return f"{checkpoint.source} says, but whose signature that is nobody checked: name the log's key with --key"


def check_export(folder: Path, named: "Named") -> Walk:
    """Check an export in tiles."""
    report = Report("export", str(folder))
    note = folder / "checkpoint"
    if not note.exists():
        report.add("there is no checkpoint: this export was not finished")
        return Walk(report, [])
    keys, own, size = named.keys if named.keys.given else _came_along(folder, named, report), [], 0
    try:
        size = read_checkpoint(_text(note), "its checkpoint", Keys()).size
        own = [read_checkpoint(_text(note), "its checkpoint", keys)]
    except (WrongError, UnreadableError) as error:
        report.add(str(error))
    kept = _read_notes(folder / "checkpoints", keys, report)
    own += kept
    source = Export(folder, size)
    into = Walk(report, named.stops(own), own=own)
    values = _disclosures(folder / "disclosures.ndjson", size, report)
    tasks = []
    for first, end in source.pieces():
        mine = None
        if values is not None:
            mine = values[bisect_left(values, (first,)) : bisect_left(values, (end,))]
        tasks.append(Task(source.read, first, end, named.subjects(), mine))
    walk(source, tasks, into, named.jobs)
    if into.size == size:
        _check_upper_tiles(source, into)
    elif not report.broken:
        report.add(f"the checkpoint is of {size} entries, and {into.size} are there", into.size)
    count_kept([each.size for each in kept], own, report)
    judge(into, [*own, *named.kept], keys)
    _tell_values(into, "disclosed, and each is the one that its entry promises")
    return into


def _came_along(folder: Path, named: "Named", report: Report) -> Keys:
    """Read the keys that came with an export."""
    try:
        text = _text(folder / "keys.txt")
        keys = Keys(keys_of(text), ends=ends_of(text))
    except UnreadableError as error:
        report.add(f"the key that should have come with it cannot be read ({error}); name the log's key with --key")
        return Keys()
    named.inside += keys.public
    named.ends |= keys.ends
    report.notes.append("the key came with the export: compare it with the one that you know, or name that")
    return keys


def _check_upper_tiles(source: Export, into: Walk) -> None:
    for level, row in enumerate(rows_above(into.subtrees), 1):
        for first in range(0, len(row), TILE):
            wanted = b"".join(row[first : first + TILE])
            faults: list[tuple[str, int]] = []
            found = source.tile(level, first // TILE, len(wanted) // HASH, faults)
            if found and found != wanted:
                at = first * TILE**level
                faults.append((f"tile {first // TILE} of level {level} is not what the tiles below give", at))
            for what, at in faults:
                into.report.add(what, at)


def rows_above(row: list[bytes]) -> Iterator[list[bytes]]:
    """Give the hashes of every eighth level, from the subtrees of 256 entries on."""
    while row:
        yield row
        full = len(row) - len(row) % TILE
        row = [tile_root(b"".join(row[at : at + TILE])) for at in range(0, full, TILE)]


def _read_notes(path: Path, keys: Keys, report: Report) -> list[Checkpoint]:
    """Read the checkpoints that the database kept; without the file there are none."""
    if not path.exists():
        return []
    text = _text(path)
    found = []
    for match in _NOTE.finditer(text):
        size = match[0].split("\n", 2)[1]
        try:
            found.append(read_checkpoint(match[0], f"the checkpoint of {size} entries", keys))
        except WrongError as error:
            report.add(str(error))
    if _NOTE.sub("", text).strip():
        report.add(f"{path.name} holds something that is no checkpoint")
    return found


def _disclosures(path: Path, size: int, report: Report) -> list[tuple[Any, ...]] | None:
    """Read what was disclosed, sorted by entry; None where nothing was asked for."""
    if not path.exists():
        return None
    values: list[tuple[Any, ...]] = []
    with path.open(encoding="utf-8", errors="surrogateescape") as file:
        for place, line in enumerate(file, 1):
            try:
                told = json.loads(line)
                value = (told["seq"], told["name"], told["salt"], told["value"])
            except (ValueError, KeyError, TypeError, RecursionError):
                report.add(f"line {place} of the disclosures cannot be read")
                continue
            if type(value[0]) is not int or not 0 <= value[0] < size or not all(type(x) is str for x in value[1:]):
                report.add(f"line {place} of the disclosures belongs to no entry")
            else:
                values.append(value)
    return sorted(values)


def _tell_values(into: Walk, words: str) -> None:
    into.report.facts |= {"entries": into.size, "disclosed": into.disclosed, "sealed": into.sealed}
    if into.size:
        into.report.facts |= {"root": base64.b64encode(into.end()).decode(), "head": into.found[-HASH:].hex()}
    if into.disclosed:
        into.report.notes.append(f"{into.disclosed} values are {words}")
    if into.sealed:
        into.report.notes.append(f"{into.sealed} values are sealed; without their keys they were not looked at")


def _weigh_values(into: Walk) -> None:
    """Hold what is gone of a database's values, day by day, against what was recorded as erased."""
    by_day: Counter[str] = Counter()
    for _, day, lacking in into.gone:
        by_day[day] += lacking
    for number, day, lacking in into.gone:
        if not into.erased[day]:
            into.report.add(f"{lacking} of its detached values are gone and no erasure was recorded", number)
        elif by_day[day] > into.erased[day]:
            told = (
                f"{by_day[day]} detached values of {day} are gone, and the erasure of {into.erased[day]} was recorded"
            )
            into.report.add(told, number)
            by_day[day] = 0  # said once
    if sum(into.erased.values()):
        into.report.notes.append(f"{sum(into.erased.values())} values were recorded as erased")


def check_database(path: Path, named: "Named") -> Walk:
    """Check a database file: its entries, what is detached from them, its tree and its checkpoints."""
    report = Report("database", str(path))
    source = Database(path)
    into = Walk(report, [])
    try:
        with closing(source.open()) as connection:
            connection.execute("BEGIN")
            last = source.measure(connection)
            tree = {(level, at): node for level, at, node in _rows(connection, "SELECT level, idx, hash FROM tree")}
            notes = _rows(connection, "SELECT size, note, at FROM checkpoints ORDER BY size")
            keys = {
                name: _rows(connection, f"SELECT key_id, hash, created_at FROM {name} ORDER BY key_id")  # noqa: S608 - ours
                for name in KEY_TABLES
            }
            factors = _rows(connection, "SELECT id, material FROM credentials ORDER BY id")
            span = (0, -1 if last is None else last)
            stray = connection.execute("SELECT seq, name FROM detached WHERE seq NOT BETWEEN ? AND ?", span).fetchall()
        own = list(_checkpoints(notes, named.keys, report))
        into = Walk(report, named.stops(own), own=own)
        tasks = [Task(source.read, first, end, named.subjects()) for first, end in source.pieces()]
        into.gap = source.gaps[0][0] if source.gaps else None
        for begin, end in source.gaps[:MOST_FAULTS]:
            report.add(
                f"entry {begin} is missing" if begin == end else f"the entries {begin} to {end} are missing", begin
            )
        walk(source, tasks, into, named.jobs)
    except sqlite3.DatabaseError as error:
        report.add(f"the database file is damaged, or cannot be read as it lies here: {error}")
        return into
    except UnreadableError as error:
        report.add(str(error))
        return into
    _weigh_values(into)
    if stray:
        (number, name), more = stray[0], f", and {len(stray) - 1} more" if len(stray) > 1 else ""
        report.add(f"the detached value {name!r} belongs to no entry{more}", number)
    _check_kept_tree(tree, into)
    _check_given(keys, factors, into)
    about_it = [each for each in named.kept if each.origin in into.names]
    count_kept([row[0] for row in notes if type(row[0]) is int], [*own, *about_it], report)
    judge(into, [*own, *named.kept], named.keys)
    _tell_values(into, "there, and each is the one that its entry promises")
    return into


def _rows(connection: sqlite3.Connection, sql: str) -> list[tuple[Any, ...]]:
    """Read a table that whoever rewrote the schema may have taken away."""
    try:
        return connection.execute(sql).fetchall()
    except sqlite3.OperationalError:
        return []


def _checkpoints(rows: list[tuple[Any, ...]], keys: Keys, report: Report) -> Iterator[Checkpoint]:
    for size, note, at in rows:
        source = f"the checkpoint of {size} entries in the database"
        try:
            found = read_checkpoint(str(note), source, keys)
        except WrongError as error:
            report.add(str(error))
            continue
        if found.size != size:
            report.add(f"{source} is one of {found.size}")
            continue
        if found.at and found.at != at:
            report.add(f"{source} was not signed when it says")
        yield found


def _check_given(keys: dict[str, list[tuple[Any, ...]]], factors: list[tuple[Any, ...]], into: Walk) -> None:
    """Hold keys and factors against what entries gave out: whoever exchanges one acts in another's name."""
    digests = {(kind, digest) for kind, _, digest in into.given}
    for table, rows in keys.items():
        for key_id, kept, created_at in rows:
            kind = KEY_TABLES[table]
            if (kind, _sha256_name(f"{key_id} {kept}")) not in digests and (kind, created_at, None) not in into.given:
                into.report.add(f"the key {key_id} of {table} is none that an entry gave out")
    enrolled = {ident for kind, ident, _ in into.given if kind == ENROLLED}
    for ident, text in factors:
        try:
            is_known = ident in enrolled and (
                (ENROLLED, ident, None) in into.given
                or text == "{}"  # it was removed
                or all((ENROLLED, ident, each) in into.given for each in _material_digests(json.loads(text)))
            )
        except (ValueError, TypeError, AttributeError, RecursionError):
            is_known = False
        if not is_known:
            into.report.add(f"the second factor {ident} is not verified by what was enrolled")


def _material_digests(material: dict[str, Any]) -> list[str]:
    if "hashes" in material:
        return [_sha256_name(str(each)) for each in material["hashes"]]
    return [_sha256_name(json.dumps({k: v for k, v in material.items() if k != "removal_asked"}, sort_keys=True))]


def _sha256_name(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _check_kept_tree(kept: dict[tuple[Any, Any], Any], into: Walk) -> None:
    for above, row in enumerate(rows_above(into.subtrees), 1):
        for at, subtree in enumerate(row):
            if kept.pop((8 * above, at), None) != subtree:
                first = at * TILE**above
                into.report.add(f"the kept subtree {at} of level {8 * above} is not what the entries give", first)
    for level, at in list(kept)[:MOST_FAULTS]:
        into.report.add(f"a subtree {at} of level {level} is kept that the entries do not have")


# --- a grant


@dataclass(frozen=True, slots=True)
class Grant:
    """A grant as it was given out: nothing of it is checked yet."""

    source: str
    header: dict[str, Any]
    claims: dict[str, Any]
    signed: bytes
    signature: bytes


_LONGEST_LIFE_S = 600
_JWS = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


def read_grant(text: str, source: str) -> Grant:
    """Take a compact JWS apart. Raises WrongError."""
    head, body, tail = text.strip().split(".")
    try:
        header, claims = json.loads(from_b64url(head)), json.loads(from_b64url(body))
    except (ValueError, RecursionError):
        header = claims = None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise WrongError(f"{source}: its header or its claims cannot be read")
    return Grant(source, header, claims, f"{head}.{body}".encode(), from_b64url(tail))


def check_grant(grant: Grant, keys: Keys, report: Report) -> bool:
    """Check who signed a grant and that it is one; gives whether its signature can be believed."""
    claims = grant.claims
    if (grant.header.get("alg"), grant.header.get("typ")) != ("EdDSA", "foureyes-grant+jwt"):
        report.add("this is no grant: its header says something else")
    if not all(isinstance(claims.get(name), str) for name in ("iss", "aud", "jti", "proposal", "tool", "args_sha256")):
        report.add("it does not name its issuer, agent, id, proposal, tool and arguments")
    begins, ends = claims.get("iat"), claims.get("exp")
    if type(begins) is not int or type(ends) is not int or not begins < ends <= begins + _LONGEST_LIFE_S:
        report.add("it lives longer than a grant may")
    report.facts |= {name: claims[name] for name in ("proposal", "jti", "aud", "args_sha256") if name in claims}
    if not keys.public:
        report.notes.append("whose signature it bears nobody checked: name the key set with --key")
        return False
    public = next((key for key in keys.public if thumbprint(key) == grant.header.get("kid")), None)
    if public is None:
        report.add(
            f"none of the keys ({'named' if keys.given else 'that came with the rest'}) is the one that it names"
        )
    elif not is_signed(public, grant.signature, grant.signed):
        report.add("its signature is wrong: it was changed")
    elif public in keys.ends and grant_size(grant) > keys.ends[public]:
        report.add(_after(keys.ends[public]))
    else:
        report.proved = f"It was signed with {keys.words()}."
        return True
    return False


def seen_by(grant: Grant) -> tuple[int, int, str, bytes] | None:
    """Give what a grant says of the log: its entry's index, the size, the entry's hash and the root; None for none."""
    log = grant.claims.get("log")
    if not isinstance(log, dict) or type(log.get("index")) is not int or type(log.get("size")) is not int:
        return None
    told = log.get("root", "")
    root = b""
    if isinstance(told, str):
        root = bytes.fromhex(told) if re.fullmatch(r"[0-9a-f]{64}", told) else from_b64(told) or from_b64url(told)
    return log["index"], log["size"], str(log.get("head", "")), root


def grant_size(grant: Grant) -> int:
    """Give how many entries the log had when a grant was signed; what does not say so comes after every end."""
    seen = seen_by(grant)
    return EXACT + 1 if seen is None else seen[1]


def hold_grant(grant: Grant, into: Walk, report: Report) -> None:
    """Hold a grant against a log."""
    seen = seen_by(grant)
    for public, (end, entry) in into.ended.items():
        if thumbprint(public) == grant.header.get("kid") and grant_size(grant) > end:
            report.add(f"{_after(end)}, as entry {entry} of {into.report.path} says")
    if seen is None:
        report.add("it does not say where in the log it stands")
        return
    index, size, head, _ = seen
    leaf = into.leaf(index)
    path = into.report.path
    if leaf is None:
        into.report.add(f"{grant.source} names entry {index} of {size}: the last ones are missing", into.size)
    elif head and leaf.hex() != head:
        into.report.add(f"it is not the one that {grant.source} names: {REWRITTEN}", index)
    elif index not in into.about.get(str(grant.claims.get("proposal")), ()):
        report.add(f"entry {index} of {path} is not about its proposal")
    else:
        report.notes.append(f"entry {index} of {path} is the one that it names")


# --- an evidence pack

_PACK = "foureyes-evidence/1"
_ALONE = (
    "that its maker left out no entry about it, and no pause that stopped it, a pack by itself does not prove: name an"
    " export of the log, or the database, with it"
)
_ENTRY_FILE = re.compile(r"entries/(0|[1-9][0-9]{0,15})\.json")
_PROOF_HEAD = "c2sp.org/tlog-proof@v1\n"
_OPENING = "foureyes approval v1\n"
_KNOWN_PERSON = 0x05  # the flags of WebAuthn: the person was present and verified


@dataclass(slots=True)
class Pack:
    """An evidence pack: its files, and what was read of them."""

    report: Report
    files: dict[str, bytes]
    keys: Keys
    manifest: dict[str, Any] = field(default_factory=dict)
    checkpoint: Checkpoint | None = None
    entries: dict[int, dict[str, Any]] = field(default_factory=dict)
    living: dict[int, dict[str, Any]] = field(default_factory=dict)

    @property
    def subject(self) -> str:
        """The proposal that it is about."""
        return str(self.manifest.get("proposal"))

    @property
    def is_for_agent(self) -> bool:
        """Whether it says of itself that it was made for an agent, which is told of no pauses."""
        return self.manifest.get("for") == "agent"

    def json(self, name: str) -> Any:  # noqa: ANN401 - JSON
        """Read one of its files, which must be canonical. Raises WrongError."""
        try:
            value = json.loads(self.files[name])
            if _encode(value).encode() == self.files[name]:
                return value
        except (KeyError, ValueError, RecursionError):
            pass
        raise WrongError(f"{name} is missing, or is no canonical JSON")

    def text(self, name: str) -> str:
        """Read one of its files as text. Raises WrongError."""
        try:
            return self.files[name].decode()
        except (KeyError, ValueError):
            raise WrongError(f"{name} is missing, or is no text") from None


def load_pack(path: Path) -> dict[str, bytes]:
    """Read all files of a folder or a ZIP. Raises UnreadableError, and WrongError for what no maker of ours writes."""
    files: dict[str, bytes] = {}
    if path.is_dir():
        for each in sorted(path.rglob("*")):
            if each.is_symlink():
                raise WrongError(f"{each} is a link; a pack has none")
            if each.is_file():
                files[each.relative_to(path).as_posix()] = each.read_bytes()
        return files
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(info.file_size for info in archive.infolist()) > MOST_PACK_BYTES:
                raise UnreadableError(f"{path} is larger than {MOST_PACK_BYTES} bytes")
            for info in archive.infolist():
                if info.filename in files:
                    raise WrongError(f"{info.filename} is in it twice")
                files[info.filename] = archive.read(info)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, RuntimeError, ValueError) as error:
        raise WrongError(f"the ZIP is damaged: {error}") from None
    return files


def check_pack(path: Path, named: "Named") -> Pack:
    """Check all that an evidence pack says of itself."""
    report = Report("pack", str(path))
    pack = Pack(report, {}, named.keys)
    try:
        pack.files = load_pack(path)
        if not named.keys.given:
            inside = keys_of(pack.text("keys.txt")) + keys_of(pack.text("jwks.json"))
            pack.keys = Keys(inside)
            named.inside += inside
            report.notes.append("the keys came with the pack: compare them with those that you know, or name them")
    except (WrongError, UnreadableError) as error:
        report.add(str(error))
    steps = (_sums, _manifest, _pack_checkpoint, _pack_entries, _action, _policies, _packets, _people, _factors, _jws)
    for step in steps:
        try:
            step(pack)
        except WrongError as error:
            report.add(str(error))
        except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
            report.add(f"it is not as a pack should be: {type(error).__name__} in {step.__name__.strip('_')}")
    return pack


def _sums(pack: Pack) -> None:
    listed: dict[str, str] = {}
    pack.report.facts["sums"] = hashlib.sha256(pack.text("SHA256SUMS").encode()).hexdigest()
    pack.report.notes.append("index.html, README.txt and decision.json retell it: they prove nothing by themselves")
    *lines, end = pack.text("SHA256SUMS").split("\n")
    for line in lines:
        digest, _, name = line.partition("  ")
        listed[name] = digest
    if end or lines != [f"{digest}  {name}" for name, digest in sorted(listed.items())]:
        pack.report.add("SHA256SUMS is not as a maker of packs writes it")
    for name in sorted(listed.keys() | (pack.files.keys() - {"SHA256SUMS"})):
        if name not in listed:
            pack.report.add(f"{name} is not listed in SHA256SUMS")
        elif name not in pack.files:
            pack.report.add(f"{name} is missing")
        elif hashlib.sha256(pack.files[name]).hexdigest() != listed[name]:
            pack.report.add(f"{name} was changed: it is not what SHA256SUMS says")


def _manifest(pack: Pack) -> None:
    manifest = pack.json("manifest.json")
    if not isinstance(manifest, dict) or manifest.get("format") != _PACK:
        raise WrongError(f"manifest.json is not of the format {_PACK}")
    pack.manifest = manifest
    pack.report.facts |= {name: manifest.get(name) for name in ("proposal", "state", "final", "verified")}
    for fault in manifest["broken"]:
        pack.report.add(f"its maker found: {fault if isinstance(fault, str) else json.dumps(fault)}")
    if pack.is_for_agent:
        pack.report.notes.append("it was made for an agent, which is not told of pauses")
    if not manifest["final"]:
        pack.report.notes.append("the proposal was not at its end when this pack was made")
    numbers = [each["seq"] for each in manifest["entries"]]
    found = sorted(int(match[1]) for name in pack.files if (match := _ENTRY_FILE.fullmatch(name)))
    if numbers != found:
        raise WrongError("the entries of the manifest are not those that are there")


def _pack_checkpoint(pack: Pack) -> None:
    told = pack.manifest.get("checkpoint")
    if told is None and "checkpoint" not in pack.files:
        pack.report.notes.append("no signed checkpoint covers it: nothing in it is proved")
        return
    found = read_checkpoint(pack.text("checkpoint"), "its checkpoint", pack.keys)
    if told != {"origin": found.origin, "root": base64.b64encode(found.root).decode(), "size": found.size}:
        raise WrongError("its checkpoint is not the one that the manifest names")
    if not found.signed:
        raise WrongError("none of its keys has signed its checkpoint")
    pack.checkpoint = found


def _pack_entries(pack: Pack) -> None:
    proved = 0
    for told in pack.manifest.get("entries", ()):
        number = told["seq"]
        name = f"entries/{number}"
        body = pack.files[f"{name}.json"]
        faults: list[tuple[str, int]] = []
        entry = _parsed(body, number, faults)
        for what, at in faults:
            pack.report.add(what, at)
        if entry is None:
            continue
        about = entry["subject"] == pack.subject or entry["type"] in PAUSES
        if _encode(entry).encode() != body or entry["seq"] != number or not about:
            pack.report.add("it is not in canonical form, of another number, or about something else", number)
        pack.entries[number] = entry
        _living(pack, number, entry, told)
        if told["proved"]:
            proved += _is_proved(pack, number, body)
        elif f"{name}.tlog-proof" in pack.files:
            pack.report.add("the manifest says that it has no proof, and it has one", number)
    pack.report.facts["entries"] = len(pack.entries)
    if pack.checkpoint is not None:
        told = f"{proved} of {len(pack.entries)} entries stand under its checkpoint"
        pack.report.proved = f"{told}, signed with {pack.keys.words()}."


def _living(pack: Pack, number: int, entry: dict[str, Any], told: dict[str, Any]) -> None:
    """Hold the values that still live against the digests in their entry."""
    name = f"entries/{number}.disclosures"
    lines = pack.text(name).split("\n")[:-1] if name in pack.files else []
    living: dict[str, Any] = {}
    for line in lines:
        _, key, value = json.loads(line)
        if disclosure_digest(line) not in entry["_sd"] or key in living:
            pack.report.add(f"the value {key!r} is not the one that it promises", number)
        living[key] = value
    pack.living[number] = living
    lacking = told["erased"] + told.get("withheld", 0)
    if (told["disclosed"], lacking) != (len(lines), len(entry["_sd"]) - len(lines)):
        pack.report.add("the manifest says another number of values that live or were erased", number)


def _is_proved(pack: Pack, number: int, body: bytes) -> bool:
    """Check the C2SP tlog-proof of one entry against the pack's checkpoint."""
    text = pack.text(f"entries/{number}.tlog-proof")
    head = f"{_PROOF_HEAD}index {number}\n"
    proof, gap, note = text.removeprefix(head).partition("\n\n") if text.startswith(head) else ("", "", "")
    if text.startswith(f"{head}\n"):  # the only entry of a log needs no hash
        proof, gap, note = "", "\n\n", text.removeprefix(f"{head}\n")
    hashes = [from_b64(line) for line in proof.split("\n") if line]
    if not gap or note != pack.text("checkpoint") or not all(len(each) == HASH for each in hashes):
        pack.report.add("its proof is none, or for another checkpoint", number)
    elif pack.checkpoint is not None:
        if proved_root(number, pack.checkpoint.size, leaf_hash(body), hashes) == pack.checkpoint.root:
            return True
        pack.report.add("its proof does not lead to the signed root: it does not stand in that log", number)
    return False


def _of(pack: Pack, *kinds: str) -> list[int]:
    return [number for number, entry in sorted(pack.entries.items()) if entry["type"] in kinds]


def _action(pack: Pack) -> None:
    if "action.json" not in pack.files:
        _tell_erased(pack)
        return
    pack.json("action.json")
    found = f"sha256:{hashlib.sha256(pack.files['action.json']).hexdigest()}"
    told = [pack.living[number].get("digest") for number in _of(pack, "proposal.submitted", "proposal.edited")]
    if told and told[-1] is None:
        pack.report.notes.append(
            "the digest of the action was erased: what action.json says was not held against the log"
        )
    elif told and told[-1] != found:
        raise WrongError("action.json is not the action of which the log has the digest")
    pack.report.facts["digest"] = found


def _tell_erased(pack: Pack) -> None:
    """Say which of the arguments are gone: it is no damage, but nobody can compute the digest any more."""
    for number in _of(pack, "proposal.submitted", "proposal.edited")[-1:]:
        names = pack.entries[number]["data"]["requirement"].get("personal")
        if names and "arguments" in pack.living[number] and "personal" not in pack.living[number]:
            pack.report.notes.append(
                f"of the arguments these fields were erased: {', '.join(names)}; the digest of the action is over the"
                " whole, so it cannot be computed from what is left"
            )


def _policies(pack: Pack) -> None:
    known = {
        str((pack.entries[number].get("policy") or {}).get("version"))
        for number in _of(pack, "proposal.submitted", "proposal.edited")
    }
    for name, data in pack.files.items():
        if not name.startswith("policy/"):
            continue
        folder, version = "/".join(name.split("/")[:2]), name.split("/")[1]
        listing = pack.files[f"{folder}/listing"]
        if name == f"{folder}/listing":
            if hashlib.sha256(data).hexdigest() != version or f"sha256:{version}" not in known:
                pack.report.add(f"{name} is not the policy version that an entry names")
        elif f"{hashlib.sha256(data).hexdigest()}  {name.removeprefix(f'{folder}/files/')}" not in (
            listing.decode().splitlines()
        ):
            pack.report.add(f"{name} is not the file that its listing names")


def _packets(pack: Pack) -> None:
    for name in sorted(pack.files):
        if not name.startswith("packets/"):
            continue
        packet = pack.json(name)
        blocks = _encode(packet["blocks"]).encode()
        rendered = f"sha256:{hashlib.sha256(blocks).hexdigest()}"
        posted = pack.living.get(packet["seq"], {}).get("posted")
        if packet["rendered"] != rendered or packet["same"] != (rendered == packet["shown"]):
            pack.report.add(f"{name}: its blocks are not those of which it has the digest")
        if posted is not None and posted["shown"] != packet["shown"]:
            pack.report.add(f"{name}: this is not what the log says was shown")
        if not packet["same"]:
            pack.report.notes.append(f"{name}: its maker renders it otherwise than it was posted")


def _people(pack: Pack) -> None:
    """Check that each pseudonym was made for the account that stands there; whoever was erased stands nowhere."""
    people = pack.json("people.json") if "people.json" in pack.files else {}
    for ref, told in people.items():
        team, user = told["account"]
        # Whoever was noted before the workspace was known is bound without it.
        if ref not in [pseudonym(str(told["salt"]), each, user) for each in (team, "")]:
            raise WrongError(f"people.json: {ref} was made for another account than the one that stands there")
    actors = {entry["actor"]["ref"] for entry in pack.entries.values() if entry["actor"]["kind"] == "human"}
    if nameless := sorted(actors - people.keys()):
        pack.report.notes.append(f"whose these pseudonyms are is not borne out: {', '.join(nameless)}")


def _factors(pack: Pack) -> None:
    """Check each second factor: the intent is the one in the log and for this action, and the passkey signed it."""
    for folder in sorted({name.rpartition("/")[0] for name in pack.files if name.startswith("votes/")}):
        text = pack.files[f"{folder}/intent.json"]
        entry = pack.entries[int(folder.split("/")[1])]
        proof = (entry["data"].get("initiator") or entry["data"])["proof"]  # a start has it with who started
        if hashlib.sha256(text).hexdigest() != str(proof["intent"]).removeprefix("sha256:"):
            raise WrongError(f"{folder}: its intent is not the one in the log")
        intent = pack.json(f"{folder}/intent.json")
        if intent["proposal"] != pack.subject or intent["approver"] != entry["actor"]["ref"]:
            raise WrongError(f"{folder}: its intent is about another proposal, or of another person")
        if intent["arguments"] != pack.report.facts.get("digest", intent["arguments"]):
            pack.report.notes.append(f"{folder}: it confirmed an action that was edited later")
        if f"{folder}/key.pem" in pack.files:
            _passkey(pack, folder, text, str(intent["rp"]))


def _passkey(pack: Pack, folder: str, intent: bytes, host: str) -> None:
    """Check what a browser and an authenticator said (WebAuthn, 7.2), as far as a kept answer can be checked."""
    client, told = pack.files[f"{folder}/client-data.json"], pack.files[f"{folder}/authenticator-data.bin"]
    signed = told + hashlib.sha256(client).digest()
    if not _is_passkeys(pack.files[f"{folder}/key.pem"], pack.files[f"{folder}/signature.bin"], signed):
        raise WrongError(f"{folder}: the passkey did not sign this")
    said = json.loads(client)
    challenge = b64url(hashlib.sha256(_OPENING.encode() + intent).digest())
    if said["challenge"] != challenge or said["type"] != "webauthn.get":
        raise WrongError(f"{folder}: the passkey signed another intent")
    if told[:HASH] != hashlib.sha256(host.encode()).digest() or told[HASH] & _KNOWN_PERSON != _KNOWN_PERSON:
        raise WrongError(f"{folder}: it was asked by another host, or the authenticator did not know the person")


def _is_passkeys(pem: bytes, signature: bytes, data: bytes) -> bool:
    key = load_pem_public_key(pem)
    try:
        if isinstance(key, Ed25519PublicKey):
            key.verify(signature, data)
        elif isinstance(key, EllipticCurvePublicKey):
            key.verify(signature, data, ECDSA(SHA256()))
        elif isinstance(key, RSAPublicKey):
            key.verify(signature, data, PKCS1v15(), SHA256())
        else:
            return False
    except InvalidSignature:
        return False
    return True


def _jws(pack: Pack) -> None:
    if "grant.jws" not in pack.files:
        return
    grant = read_grant(pack.text("grant.jws"), "grant.jws")
    report = Report("grant", "grant.jws")
    check_grant(grant, pack.keys, report)
    for fault in report.broken:
        pack.report.add(f"grant.jws: {fault['what']}")
    if grant.claims.get("proposal") != pack.subject:
        raise WrongError("grant.jws is for another proposal")
    digest = pack.report.facts.get("digest")
    if digest is not None and grant.claims.get("args_sha256") != digest:
        raise WrongError("grant.jws is not for this action")
    seen = seen_by(grant)
    body = b"" if seen is None else pack.files.get(f"entries/{seen[0]}.json", b"")
    if seen is None or pack.entries.get(seen[0], {}).get("type") != "claim.granted":
        raise WrongError("grant.jws names no entry that granted it")
    if seen[2] and leaf_hash(body).hex() != seen[2]:
        raise WrongError("grant.jws names another entry than this one")


def hold_pack(pack: Pack, into: Walk) -> None:
    """Hold a pack against a log: each of its entries stands there, and none about the same is left out."""
    if pack.checkpoint is not None and pack.checkpoint.origin not in into.names:
        pack.report.add(f"it is of another log than {into.report.path}")
        return
    for number in pack.entries:
        if into.leaf(number) != leaf_hash(pack.files[f"entries/{number}.json"]):
            pack.report.add(f"the entry of {into.report.path} is another one, or is missing", number)
    covered = pack.checkpoint.size if pack.checkpoint else 0
    out = [number for number in into.about.get(pack.subject, ()) if number < covered and number not in pack.entries]
    if out:
        pack.report.add(f"{len(out)} entries about it in {into.report.path} are not in the pack", out[0])
    pauses = _left_out(pack, into, covered)
    if pauses and pack.is_for_agent:
        told = (
            f"{len(pauses)} entries of {into.report.path} that stopped it, or let it go on, from entry {pauses[0]} on"
        )
        pack.report.notes.append(f"{told}, are not in this pack, which was made for an agent")
    elif pauses:
        told = f"{len(pauses)} entries of {into.report.path} that stopped it, or let it go on, are not in the pack"
        pack.report.add(told, pauses[0])
    if not pack.report.broken:
        both = "" if pack.is_for_agent else ", and those that stopped it,"
        pack.report.notes.append(f"all entries about it{both} in {into.report.path} up to {covered} are in the pack")


def _left_out(pack: Pack, into: Walk, covered: int) -> list[int]:
    """Find what stopped its agent or tool, or let it go on, between its first entry and its end, and is not there."""
    own = [number for number, entry in sorted(pack.entries.items()) if entry["subject"] == pack.subject]
    if not own:
        return []
    data = pack.entries[own[0]]["data"]
    agent = data.get("agent") if type(data) is dict else None
    names = {("agent", str(agent.get("id"))), ("tool", str(data.get("tool")))} if type(agent) is dict else set()
    end = min(covered, own[-1]) if pack.manifest.get("final") else covered
    return [
        number
        for number, kind, name in into.pauses
        if own[0] < number < end and number not in pack.entries and (kind == "all" or (kind, name) in names)
    ]


# --- everything that was named


@dataclass(slots=True)
class Named:
    """What was named on the command line, and what the one says about the other."""

    keys: Keys
    jobs: int
    kept: list[Checkpoint] = field(default_factory=list)
    grants: list[tuple[Grant, Report]] = field(default_factory=list)
    packs: list[Pack] = field(default_factory=list)
    inside: tuple[bytes, ...] = ()
    ends: dict[bytes, int] = field(default_factory=dict)

    def stops(self, own: Iterable[Checkpoint]) -> list[int]:
        """Give the sizes at which the root of a log must be known, sorted."""
        return sorted({each.size for each in (*own, *self.kept)})

    def subjects(self) -> frozenset[str]:
        """Give the proposals whose entries are looked for."""
        packs = {pack.subject for pack in self.packs}
        return frozenset(packs | {str(grant.claims.get("proposal")) for grant, _ in self.grants})

    def all_keys(self) -> Keys:
        """Give the keys to check what brings none of its own."""
        return self.keys if self.keys.given else Keys(self.inside, ends=self.ends)


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MOST_TEXT_BYTES:
            raise UnreadableError(f"{path} is too large for what it should be")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UnreadableError(f"{path}: {error.strerror}") from None
    except ValueError:
        raise UnreadableError(f"{path} is none of what can be checked here") from None


def kind_of(path: Path) -> str:
    """Recognise what lies there. Raises UnreadableError."""
    if path.is_dir():
        if (path / "manifest.json").exists() or (path / "SHA256SUMS").exists():
            return "pack"
        if (path / "checkpoint").exists() or (path / "tile").exists():
            return "export"
        raise UnreadableError(f"{path} is neither an export nor an evidence pack")
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise UnreadableError(f"{path}: {error.strerror}") from None
    if head == b"SQLite format 3\0":
        return "database"
    if head.startswith(b"PK\x03\x04"):
        return "pack"
    text = _text(path)
    if _JWS.fullmatch(text.strip()):
        return "grant"
    if _NOTE.search(text):
        return "checkpoint"
    raise UnreadableError(f"{path} is no export, database, evidence pack, grant or checkpoint")


def check_all(paths: Sequence[Path], keys: Keys, jobs: int) -> tuple[list[Report], list[str]]:
    """Check everything, and each against the others; gives the reports, and what could not be read."""
    by_kind: dict[str, list[Path]] = defaultdict(list)
    unreadable: list[str] = []
    for path in paths:
        try:
            by_kind[kind_of(path)].append(path)
        except UnreadableError as error:
            unreadable.append(str(error))
    named = Named(keys, jobs)
    named.packs = [check_pack(path, named) for path in by_kind["pack"]]
    for path in by_kind["export"]:
        text = _keys_inside(path)
        named.inside += keys_of(text)
        named.ends |= ends_of(text)
    reports = [_take_note(path, named) for path in by_kind["checkpoint"]]
    for path in by_kind["grant"]:
        _take_grant(path, named)
    named.kept += [pack.checkpoint for pack in named.packs if pack.checkpoint is not None]
    walks = [check_export(path, named) for path in by_kind["export"]]
    walks += [check_database(path, named) for path in by_kind["database"]]
    for into in walks:
        for grant, report in named.grants:
            hold_grant(grant, into, report)
        for pack in named.packs:
            hold_pack(pack, into)
    for pack in named.packs if not walks else ():
        pack.report.notes.append(_ALONE)
    reports = [*(into.report for into in walks), *(pack.report for pack in named.packs), *reports]
    return [*reports, *(report for _, report in named.grants)], unreadable


def _keys_inside(folder: Path) -> str:
    """Give the keys that came with an export; what is wrong with them is told where it is checked."""
    try:
        text = _text(folder / "keys.txt")
        keys_of(text)
        ends_of(text)
    except UnreadableError:
        return ""
    return text


def _take_note(path: Path, named: Named) -> Report:
    report = Report("checkpoint", str(path))
    for match in _NOTE.finditer(_text(path)):
        try:
            size = match[0].split("\n", 2)[1]
            found = read_checkpoint(match[0], f"the checkpoint of {size} entries in {path.name}", named.all_keys())
        except WrongError as error:
            report.add(str(error))
            continue
        named.kept.append(found)
        report.proved = f"{found.size} entries of {found.origin} are what {_by(found, named.all_keys())}."
    return report


def _take_grant(path: Path, named: Named) -> None:
    report = Report("grant", str(path))
    try:
        grant = read_grant(_text(path), f"the grant {path.name}")
    except WrongError as error:
        report.add(str(error))
        grant = Grant(path.name, {}, {}, b"", b"")
    else:
        believed = check_grant(grant, named.all_keys(), report)
        seen = seen_by(grant)
        if seen is not None and seen[3] and not report.broken:
            named.kept.append(Checkpoint("", seen[1], seen[3], grant.source, believed))
    named.grants.append((grant, report))


def main(arguments: Sequence[str] | None = None) -> int:
    """Check what the command line names."""
    parser = argparse.ArgumentParser(prog="foureyes_verify.py", description=__doc__.partition("\n")[0], epilog=_EPILOG)
    parser.error = _usage  # type: ignore[method-assign] # 2 would be somebody else's meaning
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="what to check")
    parser.add_argument(
        "--key",
        action="append",
        default=[],
        help="a key that you trust: NAME+ID+KEY, or a file of such lines, PEM or JWKS",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: one a core)")
    parser.add_argument("--version", action="version", version=__version__)
    asked = parser.parse_args(arguments)
    try:
        texts = [told if "+" in told else _text(Path(told)) for told in asked.key]
        public = tuple(key for text in texts for key in keys_of(text))
        ends = {key: end for text in texts for key, end in ends_of(text).items()}
    except UnreadableError as error:
        _usage(str(error))
    reports, unreadable = check_all(asked.paths, Keys(public, given=bool(public), ends=ends), max(1, asked.jobs))
    broken = any(report.broken for report in reports)
    if asked.json:
        told = {"whole": not broken and not unreadable, "unreadable": unreadable}
        print(json.dumps({**told, "checked": [report.as_json() for report in reports]}, indent=2))
    else:
        for line in (line for report in reports for line in report.lines()):
            print(printable(line))
    for line in unreadable:
        print(f"cannot be checked: {printable(line)}", file=sys.stderr)
    return BROKEN if broken else UNREADABLE if unreadable else WHOLE


_EPILOG = "Exit code 0: whole; 1: called wrongly, or nothing readable there; 7: broken."


def _usage(message: str) -> NoReturn:
    print(f"foureyes_verify.py: {printable(message)} (see --help)", file=sys.stderr)
    raise SystemExit(UNREADABLE)


if __name__ == "__main__":
    sys.exit(main())
