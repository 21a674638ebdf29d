"""What a second factor confirms: one RFC 8785 object, its digest, and the code that people compare. Verifies nothing.

Whoever confirms it confirms exactly this action, this packet and this policy, once, until it expires.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from approval_rules.canonical import Digest, canonical_text, sha256_name
from approval_rules.people import PersonId, ProposalId
from approval_rules.text import Json
from approval_rules.times import format_time

VERSION: Final = 1
_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CODE_BITS: Final = 40
_LETTER_BITS: Final = 5
_DIGEST_BITS: Final = 256


def intent(
    *,
    proposal: ProposalId,
    arguments: Digest,
    packet: Digest,
    policy: str,
    approver: PersonId,
    nonce: str,
    expires_at: datetime,
    rp: str,
    decision: str = "approve",
) -> Mapping[str, Json]:
    """Write down what is to be confirmed; `packet` digests what was shown, `rp` is the host that asks."""
    return {
        "v": VERSION,
        "proposal": proposal,
        "arguments": arguments,
        "packet": packet,
        "policy": policy,
        "decision": decision,
        "approver": approver,
        "nonce": nonce,
        "expires_at": format_time(expires_at),
        "rp": rp,
    }


def intent_text(confirmed: Mapping[str, Json]) -> str:
    """Give the RFC 8785 text: what is digested, signed and kept."""
    return canonical_text(confirmed)


def intent_digest(text: str) -> Digest:
    """Digest the text, as a vote's proof names it."""
    return sha256_name(text.encode())


def code_of(digest: Digest) -> str:
    """Give the eight characters that stand for a digest wherever people compare it: its first 40 bits, `ABCD-2345`."""
    number = int(digest.removeprefix("sha256:"), 16) >> (_DIGEST_BITS - _CODE_BITS)
    shifts = range(_CODE_BITS - _LETTER_BITS, -1, -_LETTER_BITS)
    letters = "".join([_LETTERS[number >> shift & 31] for shift in shifts])
    return f"{letters[:4]}-{letters[4:]}"
