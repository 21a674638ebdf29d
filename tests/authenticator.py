"""An authenticator in software: makes passkeys and answers as a browser would, and lies where a test tells it to."""

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any, Literal

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from bot.clock import new_token

ORIGIN = "https://approvals.example.com"
RP = "approvals.example.com"
Algorithm = Literal["ES256", "EdDSA", "RS256"]
PRESENT, VERIFIED, _ATTESTED = 0x01, 0x04, 0x40
_AAGUID = bytes(16)
Answer = dict[str, Any]


def base64url(raw: bytes) -> str:
    """Write bytes as WebAuthn does."""
    return urlsafe_b64encode(raw).decode().rstrip("=")


def from_base64url(text: str) -> bytes:
    """Read bytes as WebAuthn writes them."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass(slots=True)
class Lie:
    """What an answer says instead of the truth; None and False mean that it is honest."""

    origin: str = ORIGIN
    rp: str = RP
    flags: int = PRESENT | VERIFIED
    kind: str | None = None
    counter: int | None = None
    more: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Passkey:
    """One key pair; `count` is its signature counter, which synced passkeys leave at 0."""

    algorithm: Algorithm = "ES256"
    id: bytes = field(default_factory=lambda: new_token(16))
    count: int = 0
    _key: Any = None

    def __post_init__(self) -> None:
        match self.algorithm:
            case "ES256":
                self._key = ec.generate_private_key(ec.SECP256R1())
            case "EdDSA":
                self._key = ed25519.Ed25519PrivateKey.generate()
            case "RS256":
                self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @property
    def cose(self) -> bytes:
        """The public key as authenticators write it."""
        match self.algorithm:
            case "ES256":
                at = self._key.public_key().public_numbers()
                return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: at.x.to_bytes(32, "big"), -3: at.y.to_bytes(32, "big")})
            case "EdDSA":
                return cbor2.dumps({1: 1, 3: -8, -1: 6, -2: self._key.public_key().public_bytes_raw()})
            case "RS256":
                n = self._key.public_key().public_numbers().n
                return cbor2.dumps({1: 3, 3: -257, -1: n.to_bytes(256, "big"), -2: b"\x01\x00\x01"})

    @property
    def material(self) -> dict[str, str]:
        """What the server keeps of it."""
        return {"credential_id": base64url(self.id), "public_key": base64url(self.cose)}

    def make(self, challenge: bytes, lie: Lie | None = None) -> Answer:
        """Answer `navigator.credentials.create`."""
        lie = lie or Lie()
        attested = _AAGUID + len(self.id).to_bytes(2, "big") + self.id + self.cose
        data = self._data(lie, lie.flags | _ATTESTED) + attested
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client = _client_data("webauthn.create", challenge, lie)
        return self._answer({"clientDataJSON": base64url(client), "attestationObject": base64url(attestation)})

    def answer(self, challenge: bytes, lie: Lie | None = None) -> Answer:
        """Answer `navigator.credentials.get`."""
        lie = lie or Lie()
        data, client = self._data(lie, lie.flags), _client_data("webauthn.get", challenge, lie)
        signature = self._sign(data + hashlib.sha256(client).digest())
        return self._answer(
            {
                "clientDataJSON": base64url(client),
                "authenticatorData": base64url(data),
                "signature": base64url(signature),
                "userHandle": None,
            }
        )

    def _data(self, lie: Lie, flags: int) -> bytes:
        count = self.count if lie.counter is None else lie.counter
        return hashlib.sha256(lie.rp.encode()).digest() + bytes([flags]) + count.to_bytes(4, "big")

    def _sign(self, message: bytes) -> bytes:
        match self.algorithm:
            case "ES256":
                return bytes(self._key.sign(message, ec.ECDSA(hashes.SHA256())))
            case "EdDSA":
                return bytes(self._key.sign(message))
            case "RS256":
                return bytes(self._key.sign(message, padding.PKCS1v15(), hashes.SHA256()))

    def _answer(self, response: dict[str, Any]) -> Answer:
        named = base64url(self.id)
        return {"id": named, "rawId": named, "type": "public-key", "response": response}


def _client_data(kind: str, challenge: bytes, lie: Lie) -> bytes:
    said = {"type": lie.kind or kind, "challenge": base64url(challenge), "origin": lie.origin, "crossOrigin": False}
    return json.dumps({**said, **lie.more}, separators=(",", ":")).encode()  # as browsers write it
