"""By what two Slack accounts are known to be one person's: an e-mail address or an identity, as keyed hashes.

Whoever has the database without the key learns no address, and cannot try addresses out.
"""

import hmac
import unicodedata
from collections.abc import Callable
from hashlib import sha256
from typing import TypeAlias

from bot.keys import SigningKey

Marking: TypeAlias = Callable[[str | None, str | None], frozenset[str]]
"""Gives the marks of an account from its e-mail address and its identity; None is one that Slack does not say."""


def marking(key: SigningKey) -> Marking:
    """Make the marks of this server; another signing key makes others."""
    secret = key.derive("person-marks/v1")

    def mark(kind: str, text: str) -> str:
        return f"{kind}:{hmac.new(secret, f'{kind}:{text}'.encode(), sha256).hexdigest()}"

    def marks(email: str | None, identity: str | None) -> frozenset[str]:
        address = None if email is None else folded_address(email)
        found = {mark("e-mail", address)} if address else set()
        return frozenset(found | ({mark("identity", identity)} if identity else set()))

    return marks


def account_marking(key: SigningKey) -> Callable[[str, str], bytes]:
    """Make what gives by what an account (its workspace and its id) is found again: 16 bytes."""
    secret = key.derive("account-marks/v1")
    return lambda team, user: hmac.digest(secret, f"{team}/{user}".encode(), "sha256")[:16]


def unmarked(_email: str | None, _identity: str | None) -> frozenset[str]:
    """Make no marks: where nobody is judged."""
    return frozenset()


def folded_address(address: str) -> str | None:
    """Write an address as every other writing of the same mailbox is written; None where it is no address.

    Case, width and what stands behind a `+` make no other mailbox. Two people who share one are one person until two
    admins say otherwise.
    """
    local, at, domain = unicodedata.normalize("NFKC", address).strip().casefold().rpartition("@")
    mailbox = local.partition("+")[0] or local
    return f"{mailbox}@{_ascii(domain.rstrip('.'))}" if at and local and domain else None


def _ascii(domain: str) -> str:
    try:
        return domain.encode("idna").decode()
    except UnicodeError:
        return domain
