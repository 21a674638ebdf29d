"""Verifies what a passkey signed, and writes down what anybody can verify it by again. It judges no vote.

What a passkey signs is the SHA-256 of a line that says what kind of thing it is for, and of the intent. Whatever does
not hold is refused without a reason: the caller knows which person tried, and no more is to be learnt by trying.
"""

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bot.desk.factor_record import New
from bot.store.credentials import CredentialRow
from handlers.confirming_desk import BrowserAnswer

APPROVAL: Final = "foureyes approval v1\n"
ENROLMENT: Final = "foureyes enrolment v1\n"
LABEL: Final = "Passkey"
# Those that `openssl` verifies too: ECDSA over P-256, Ed25519, and RSA with PKCS #1.
ALGORITHMS: Final = (-7, -8, -257)


@dataclass(frozen=True, slots=True)
class Site:
    """Where the pages stand for browsers: the origin, and the host that passkeys are bound to."""

    origin: str

    @property
    def rp(self) -> str:
        """The relying party's id, in WebAuthn's words."""
        return urlsplit(self.origin).hostname or ""


@dataclass(frozen=True, slots=True)
class Signed:
    """A passkey's answer that holds: the credential with its new count, and the evidence."""

    credential: CredentialRow
    evidence: Mapping[str, str]


def load() -> None:
    """Import what verifies, before anybody waits for it; a server without pages never needs its seven megabytes."""
    import webauthn  # noqa: F401, PLC0415


def challenge_of(purpose: str, intent: str) -> bytes:
    """Give what a passkey is asked to sign."""
    return hashlib.sha256(f"{purpose}{intent}".encode()).digest()


def signed(site: Site, intent: str, held: Sequence[CredentialRow], answer: BrowserAnswer) -> Signed | None:
    """Verify an answer by one of the passkeys that the person holds; None where anything does not hold."""
    from webauthn import verify_authentication_response  # noqa: PLC0415 - see `load`

    try:
        named = answer["id"]
        passkey = next(one for one in held if one.factor == "passkey" and one.material["credential_id"] == named)
        if passkey.state != "active":
            return None
        response = answer["response"]
        client_data = from_base64url(response["clientDataJSON"])
        _refuse_framed(client_data)
        key = from_base64url(passkey.material["public_key"])
        verified = verify_authentication_response(
            credential=dict(answer),
            expected_challenge=challenge_of(APPROVAL, intent),
            expected_rp_id=site.rp,
            expected_origin=site.origin,
            credential_public_key=key,
            credential_current_sign_count=passkey.counter,
            require_user_verification=True,
        )
        evidence = {
            "authenticator_data": base64url(from_base64url(response["authenticatorData"])),
            "client_data": base64url(client_data),
            "signature": base64url(from_base64url(response["signature"])),
            "public_key": pem_of(key),
            "intent": intent,
        }
    except Exception:  # noqa: BLE001 - hostile bytes through three parsers: whatever they raise, it does not hold
        return None
    return Signed(replace(passkey, counter=verified.new_sign_count), evidence)


def made(site: Site, intent: str, answer: BrowserAnswer) -> New | None:
    """Verify a new passkey; gives what is kept of it, and None where anything does not hold."""
    from webauthn import verify_registration_response  # noqa: PLC0415 - see `load`
    from webauthn.helpers.cose import COSEAlgorithmIdentifier  # noqa: PLC0415

    try:
        _refuse_framed(from_base64url(answer["response"]["clientDataJSON"]))
        verified = verify_registration_response(
            credential=dict(answer),
            expected_challenge=challenge_of(ENROLMENT, intent),
            expected_rp_id=site.rp,
            expected_origin=site.origin,
            require_user_verification=True,
            supported_pub_key_algs=[COSEAlgorithmIdentifier(number) for number in ALGORITHMS],
        )
        pem_of(verified.credential_public_key)
    except Exception:  # noqa: BLE001 - hostile bytes through four parsers: whatever they raise, it does not hold
        return None
    material = {
        "credential_id": base64url(verified.credential_id),
        "public_key": base64url(verified.credential_public_key),
        "aaguid": verified.aaguid,
    }
    return New(LABEL, material, verified.sign_count)


def pem_of(cose: bytes) -> str:
    """Write a passkey's public key as `openssl` reads it."""
    from webauthn.helpers import (  # noqa: PLC0415 - see `load`
        decode_credential_public_key,
        decoded_public_key_to_cryptography,
    )

    key = decoded_public_key_to_cryptography(decode_credential_public_key(cose))
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def base64url(raw: bytes) -> str:
    """Write bytes as WebAuthn does."""
    return urlsafe_b64encode(raw).decode().rstrip("=")


def from_base64url(text: str) -> bytes:
    """Read bytes as WebAuthn writes them."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _refuse_framed(client_data: bytes) -> None:
    """Refuse an answer that was given inside another site's page. Raises ValueError."""
    read = json.loads(client_data)
    if read.get("crossOrigin") or "topOrigin" in read:
        raise ValueError("asked from inside another site's page")
