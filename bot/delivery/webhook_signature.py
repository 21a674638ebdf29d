"""Signatures on callbacks, as Standard Webhooks has them: `v1` with the shared secret, `v1a` with the signing key.

The secret must never appear in an error.
"""

import base64
import binascii
import hashlib
import hmac
import re
from datetime import datetime
from typing import Final

from bot.keys import SigningKey

_PREFIX: Final = "whsec_"
_SECRET_BYTES: Final = range(24, 65)
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")  # no dot: dots separate what is signed


class UnfitSecretError(ValueError):
    """Not a secret of the form `whsec_<base 64 of 24 to 64 bytes>`."""


def signature_headers(
    webhook_id: str, at: datetime, body: bytes, secret: str, key: SigningKey | None = None
) -> dict[str, str]:
    """Sign one attempt and give its three headers; with `key`, also by the key that anybody can verify with.

    `at` is when this attempt is made, rounded down to seconds: receivers refuse what is more than five minutes old.
    """
    if not _ID.fullmatch(webhook_id):
        raise ValueError("a webhook id has 1 to 128 letters, digits, - and _")
    if at.tzinfo is None:
        raise ValueError("the time of an attempt needs a zone")
    timestamp = str(int(at.timestamp()))
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    signatures = ["v1," + _base64(hmac.digest(_secret_bytes(secret), signed, hashlib.sha256))]
    if key is not None:
        signatures.append("v1a," + _base64(key.sign(signed)))
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(signatures),
    }


def _secret_bytes(secret: str) -> bytes:
    if not secret.startswith(_PREFIX):
        raise UnfitSecretError("a callback secret begins with whsec_")
    try:
        raw = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        raise UnfitSecretError("a callback secret is base 64 after whsec_") from None
    if len(raw) not in _SECRET_BYTES:
        raise UnfitSecretError("a callback secret has 24 to 64 bytes")
    return raw


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
