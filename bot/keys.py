"""Keys: the signing key in its file, what is derived from it, and the API keys of agents.

The private part must never reach a database, a log, an error or a repr; an agent's key is kept as its hash only.
"""

import base64
import hashlib
import json
import os
import re
import stat
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Final, TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from bot.clock import NewToken, base32

_LARGEST_FILE: Final = 16 * 1024
_DERIVATION_SALT: Final = b"foureyes/derive/v1"
_CALLBACK_SECRET_BYTES: Final = 32
_AGENT_KEY: Final = re.compile(r"fe_([0-9a-hjkmnp-tv-z]{8})_[A-Za-z0-9_-]{43}")
# What stands before a block, RFC 7468 leaves to us.
_BLOCK: Final = re.compile(
    rb"(?:^Retired: (?P<retired_at>[0-9]{1,19})\r?\n)?"
    rb"(?P<block>^-----BEGIN (?P<kind>[A-Z ]+)-----$.*?^-----END (?P=kind)-----$)",
    re.MULTILINE | re.DOTALL,
)
_OPERATOR_KEY: Final = re.compile(r"op_([0-9a-hjkmnp-tv-z]{8})_[A-Za-z0-9_-]{43}")
_AUDITOR_KEY: Final = re.compile(r"au_([0-9a-hjkmnp-tv-z]{8})_[A-Za-z0-9_-]{43}")


Signer: TypeAlias = tuple[bytes, Callable[[bytes], bytes]]


class KeyFileError(Exception):
    """The signing key's file cannot be used; the message names it and says what to do."""


@dataclass(frozen=True, slots=True, repr=False)
class _One:
    """One key of the file. `retired_at` is None while it signs; else how many entries its signatures count for."""

    private: Ed25519PrivateKey
    public: bytes
    retired_at: int | None = None

    @classmethod
    def of(cls, private: Ed25519PrivateKey) -> "_One":
        return cls(private, private.public_key().public_bytes_raw())

    def jwk(self) -> dict[str, str]:
        x = base64url(self.public)
        return {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid_of(self.public), "use": "sig", "alg": "EdDSA"}


class SigningKey:
    """The keys of this installation, newest first; mostly there is one.

    The newest signs grants and checkpoints, and so do those before it until they are retired. The oldest is the root of
    every secret that can be computed again, for ever: a rotation must not change what others were given.
    """

    __slots__ = ("_ring",)

    def __init__(self, private: Ed25519PrivateKey, older: tuple[_One, ...] = ()) -> None:
        self._ring = (_One.of(private), *older)

    def __repr__(self) -> str:
        return f"SigningKey(kid={self.kid!r})"

    @property
    def kid(self) -> str:
        """The newest key's id, its RFC 7638 thumbprint."""
        return kid_of(self.public_bytes())

    def jwk(self) -> dict[str, str]:
        """Give the newest public key as a JSON Web Key."""
        return self._ring[0].jwk()

    def jwks(self) -> list[dict[str, str]]:
        """Give every key that signs or has just signed grants, newest first."""
        return [one.jwk() for one in self._signing()]

    def public_bytes(self) -> bytes:
        """Give the 32 bytes of the newest public key."""
        return self._ring[0].public

    @property
    def publics(self) -> list[bytes]:
        """The public keys whose signatures count now, newest first."""
        return [one.public for one in self._signing()]

    @property
    def retired(self) -> dict[bytes, int]:
        """The public keys of the past, and for how many entries of the log their signatures count."""
        return {one.public: one.retired_at for one in self._ring if one.retired_at is not None}

    @property
    def root_public(self) -> bytes:
        """The oldest public key: the one that this installation began with."""
        return self._ring[-1].public

    @property
    def signer(self) -> Signer:
        """Give the newest public key and the way to sign under it, for whoever may not know more."""
        return self.public_bytes(), self.sign

    @property
    def signers(self) -> list[Signer]:
        """Give everybody who signs a checkpoint: two while a rotation lasts."""
        return [(one.public, one.private.sign) for one in self._signing()]

    def sign(self, data: bytes) -> bytes:
        """Sign `data` with the newest key: 64 bytes, the same for the same data."""
        return self._ring[0].private.sign(data)

    def derive(self, label: str, size: int = 32) -> bytes:
        """Compute a secret of `size` bytes for one purpose: HKDF-SHA256 over the root's seed, `label` as info."""
        kdf = HKDF(algorithm=SHA256(), length=size, salt=_DERIVATION_SALT, info=label.encode())
        return kdf.derive(self._ring[-1].private.private_bytes_raw())

    def rotated(self) -> "SigningKey":
        """Give these keys with a new one before them."""
        return SigningKey(Ed25519PrivateKey.generate(), self._ring)

    def with_retired(self, size: int) -> "SigningKey":
        """Give these keys with all but the newest retired; their signatures count for the first `size` entries."""
        newest, *older = self._ring
        ended = [one if one.retired_at is not None else replace(one, retired_at=size) for one in older]
        return SigningKey(newest.private, tuple(ended))

    def with_ends(self, ends: Mapping[bytes, int]) -> "SigningKey":
        """Give these keys with other ends of retired ones: for how many entries their signatures count."""
        newest, *older = self._ring
        return SigningKey(newest.private, tuple(replace(o, retired_at=ends.get(o.public, o.retired_at)) for o in older))

    def as_it_was(self, newest: bytes) -> "SigningKey | None":
        """Give these keys as they were while a public key was the newest; None where it is none of them."""
        for place, one in enumerate(self._ring):
            if one.public == newest:
                return SigningKey(one.private, self._ring[place + 1 :])
        return None

    def every_jwk(self) -> list[dict[str, str]]:
        """Give every key that ever signed, newest first, for whoever looks at something old."""
        return [one.jwk() for one in self._ring]

    def become(self, other: "SigningKey") -> None:
        """Sign with other keys from here on. Raises KeyFileError where their root is another: secrets hang on it."""
        if other.root_public != self.root_public:
            raise KeyFileError("the file has another first key than this server was started with; restart it")
        self._ring = other._ring  # noqa: SLF001 - of the same class

    def pem(self) -> bytes:
        """Write the private keys, for the file."""
        lines = []
        for one in self._ring:
            if one.retired_at is not None:
                lines.append(f"Retired: {one.retired_at}\n".encode())
            lines.append(one.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return b"".join(lines)

    def _signing(self) -> list[_One]:
        return [one for one in self._ring if one.retired_at is None]


@lru_cache(maxsize=64)
def kid_of(public: bytes) -> str:
    """Name a public key by its RFC 7638 thumbprint."""
    thumbprint = json.dumps({"crv": "Ed25519", "kty": "OKP", "x": base64url(public)}, separators=(",", ":"))
    return base64url(hashlib.sha256(thumbprint.encode()).digest())


def generate() -> SigningKey:
    """Make a new key that is in no file."""
    return SigningKey(Ed25519PrivateKey.generate())


def load_or_create(path: Path) -> SigningKey:
    """Read the signing key, or make one (mode 0600) where there is none; raises KeyFileError for any other file."""
    try:
        return load(path)
    except FileNotFoundError:
        pass
    try:
        _create(path)
    except FileExistsError:  # another process was faster; its key is the one
        return load(path)
    except OSError as error:
        raise KeyFileError(f"{path}: cannot create the signing key: {error.strerror}") from None
    return load(path)


def load(path: Path) -> SigningKey:
    """Read the signing key; raises FileNotFoundError where there is none and KeyFileError for anything unfit."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # non-blocking: a FIFO must not hang us
        try:
            pem = _read_if_ours(descriptor, path)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise KeyFileError(f"{path}: cannot read the signing key: {error.strerror}") from None
    return _parse(pem, path)


def _read_if_ours(descriptor: int, path: Path) -> bytes:
    status = os.fstat(descriptor)  # of what is open, not of the name: what was checked is what is read
    if not stat.S_ISREG(status.st_mode):
        raise KeyFileError(f"{path}: the signing key must be a regular file")
    if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyFileError(f"{path}: others can reach the signing key; run: chmod 600 {path}")
    return os.read(descriptor, _LARGEST_FILE + 1)


def _parse(pem: bytes, path: Path) -> SigningKey:
    if len(pem) > _LARGEST_FILE:
        raise KeyFileError(f"{path}: not a signing key: too large")
    newest, *older = [_one(found, path) for found in _BLOCK.finditer(pem)] or [_private(pem, path)]
    if newest.retired_at is not None:
        raise KeyFileError(f"{path}: its first key is retired; restore it from its backup")
    return SigningKey(newest.private, tuple(older))


def _one(found: re.Match[bytes], path: Path) -> _One:
    retired_at = found["retired_at"]
    return replace(_private(found["block"], path), retired_at=None if retired_at is None else int(retired_at))


def _private(pem: bytes, path: Path) -> _One:
    try:
        private = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # The parser's own message is left out: it could quote the file.
        raise KeyFileError(f"{path}: not an unencrypted PEM private key; restore it from its backup") from None
    if not isinstance(private, Ed25519PrivateKey):
        raise KeyFileError(f"{path}: not an Ed25519 key")
    return _One.of(private)


def save(path: Path, key: SigningKey) -> None:
    """Replace the key's file in one step, with its owner; raises KeyFileError."""
    path = path.resolve()  # a link stays where it is
    new = path.with_name(f"{path.name}.new")
    try:
        owner = path.stat()
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor with the mode it was made with
            os.fchmod(descriptor, 0o600)
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
            file.write(key.pem())
            file.flush()
            os.fsync(descriptor)
        new.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            new.unlink()
        raise KeyFileError(f"{path}: cannot write the signing key: {error.strerror}; nothing was changed") from None


def _create(path: Path) -> None:
    pem = generate().pem()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor that only this process could create
            file.write(pem)
            file.flush()
            os.fsync(descriptor)
        _sync_folder(path.parent)
    except BaseException:
        path.unlink(missing_ok=True)  # half a key would stop every later start
        raise


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def dial_key(key: SigningKey) -> bytes:
    """Compute the secret under which the autonomy dial draws; it changes with the signing key and with nothing else."""
    return key.derive("autonomy-dial/v1")


def callback_secret(key: SigningKey, agent_id: str, generation: int) -> str:
    """Compute an agent's callback secret, `whsec_` and base 64; rotating is the next `generation`."""
    secret = key.derive(f"callback/{generation}/{agent_id}", _CALLBACK_SECRET_BYTES)
    return "whsec_" + base64.b64encode(secret).decode()


def new_agent_key(new_token: NewToken) -> tuple[str, str, str]:
    """Make an agent's API key: its text (shown once), its id, and the SHA-256 in hex that is kept."""
    return _new_key("fe", new_token)


def new_operator_key(new_token: NewToken) -> tuple[str, str, str]:
    """Make an operator's key, in the same three parts; no agent's key has its form."""
    return _new_key("op", new_token)


def new_auditor_key(new_token: NewToken) -> tuple[str, str, str]:
    """Make an auditor's key, in the same three parts and in a form of its own."""
    return _new_key("au", new_token)


def _new_key(prefix: str, new_token: NewToken) -> tuple[str, str, str]:
    key_id = base32(int.from_bytes(new_token(5), "big"), 8)
    text = f"{prefix}_{key_id}_{base64url(new_token(32))}"
    return text, key_id, _hash(text)


def split_key(unverified_key: str) -> tuple[str, str] | None:
    """Take a key's text apart into its id and its SHA-256 in hex; None for anything not of its exact form."""
    match = _AGENT_KEY.fullmatch(unverified_key)
    return (match[1], _hash(unverified_key)) if match else None


def split_operator_key(unverified_key: str) -> tuple[str, str] | None:
    """Take an operator's key apart in the same way."""
    match = _OPERATOR_KEY.fullmatch(unverified_key)
    return (match[1], _hash(unverified_key)) if match else None


def split_auditor_key(unverified_key: str) -> tuple[str, str] | None:
    """Take an auditor's key apart in the same way."""
    match = _AUDITOR_KEY.fullmatch(unverified_key)
    return (match[1], _hash(unverified_key)) if match else None


def base64url(data: bytes) -> str:
    """Write bytes in base 64 for addresses, without padding (RFC 7515)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _hash(text: str) -> str:
    # 256 random bits need no slow hash: there is nothing to guess.
    return hashlib.sha256(text.encode()).hexdigest()
