"""Checks a permission as an agent does, offline: signature, audience, exact arguments, time. It asks nobody."""

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class GrantRefusedError(Exception):
    """This is no permission for that; the message says why."""


def checked(
    token: str, keys: Mapping[str, Any], *, audience: str, proposal: str, digest: str, now: datetime
) -> dict[str, Any]:
    """Give what the permission says, or raise GrantRefusedError. `keys` is the server's key set (JWKS)."""
    try:
        header, claims, signature = token.split(".")
        kid = json.loads(_bytes(header))["kid"]
        key = next(key for key in keys["keys"] if key["kid"] == kid)
        Ed25519PublicKey.from_public_bytes(_bytes(key["x"])).verify(_bytes(signature), f"{header}.{claims}".encode())
        said: dict[str, Any] = json.loads(_bytes(claims))
    except (ValueError, KeyError, StopIteration, binascii.Error, InvalidSignature):
        raise GrantRefusedError("the server did not sign this") from None
    for name, wanted in (("aud", audience), ("proposal", proposal), ("args_sha256", digest)):
        if said.get(name) != wanted:
            raise GrantRefusedError(f"it is for another {name}")
    if not said["iat"] - 60 <= now.timestamp() < said["exp"]:
        raise GrantRefusedError("its time is over")
    return said


def _bytes(segment: str) -> bytes:
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
