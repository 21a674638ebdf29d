"""Codes of authenticator apps (RFC 6238: SHA-1, six digits, 30 s) and recovery codes. Keeps nothing.

A secret or a code must reach no log, error or repr.
"""

import hashlib
import hmac
import re
from base64 import b32encode
from datetime import datetime
from typing import Final

import pyotp

from bot.clock import NewToken, base32

STEP_SECONDS: Final = 30
WINDOW: Final = (0, -1, 1)
"""A phone's clock may be half a minute off."""
RECOVERY_CODES: Final = 10
_SECRET_BYTES: Final = 20
_RECOVERY_BYTES: Final = 10
_RECOVERY_LETTERS: Final = 16
_CODE: Final = re.compile(r"[0-9]{6}")


def new_secret(new_token: NewToken) -> str:
    """Make the secret of an authenticator app: 160 bits in base 32, as RFC 4226 asks."""
    return b32encode(new_token(_SECRET_BYTES)).decode()


def setup_uri(secret: str, account: str, issuer: str) -> str:
    """Write what an app's camera reads."""
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=issuer)


def accepted_step(secret: str, unverified_code: str, at: datetime, last: int) -> int | None:
    """Give the time step whose code this is, if it is later than the `last` one that counted; else None."""
    code = "".join(unverified_code.split())
    if not _CODE.fullmatch(code) or not code.isascii():
        return None
    now = int(at.timestamp()) // STEP_SECONDS
    app = pyotp.TOTP(secret)
    found = None
    for step in (now + offset for offset in WINDOW):  # all of them, so that the time it takes tells nothing
        right = hmac.compare_digest(app.generate_otp(step), code)
        if right and step > last:
            found = step
    return found


def new_recovery_codes(new_token: NewToken) -> list[str]:
    """Make ten codes of 80 bits, written so that people can copy them."""
    letters = [
        base32(int.from_bytes(new_token(_RECOVERY_BYTES), "big"), _RECOVERY_LETTERS) for _ in range(RECOVERY_CODES)
    ]
    return ["-".join([code[i : i + 4] for i in range(0, len(code), 4)]) for code in letters]


def recovery_hash(unverified_code: str) -> str:
    """Give what is kept of a recovery code: 80 random bits need no slow hash. Case, spaces and dashes do not matter."""
    plain = "".join(letter for letter in unverified_code.casefold() if letter.isalnum())
    return hashlib.sha256(f"foureyes recovery v1\n{plain}".encode(errors="replace")).hexdigest()
