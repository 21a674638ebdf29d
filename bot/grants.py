"""The grant: the single-use permission that an agent can verify offline.

It must never be signed before the claim is certain to commit, and never lives longer than ten minutes.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from approval_rules.people import AgentId, ProposalId
from approval_rules.requirement import GRANT_LIFE
from bot.keys import SigningKey, base64url

_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")


class GrantRefusedError(ValueError):
    """These claims must not be signed; the message says which."""


@dataclass(frozen=True, slots=True)
class LogHead:
    """The log right after the claim: the entry's index and hash, and the size and root that can be held against us."""

    index: int
    size: int
    head: str
    root: str


@dataclass(frozen=True, slots=True)
class GrantClaims:
    """What is permitted, to whom, by whom and until when. `args_sha256` is the proposal's digest, `sha256:` and hex."""

    iss: str
    aud: AgentId
    jti: str
    proposal: ProposalId
    tool: str
    args_sha256: str
    policy: str
    approvers: tuple[str, ...]
    iat: datetime
    exp: datetime
    log: LogHead


def sign_grant(key: SigningKey, claims: GrantClaims) -> str:
    """Sign a compact EdDSA JWS; same claims, same bytes. Raises GrantRefusedError for a wrong life or digest."""
    _check(claims)
    header = {"alg": "EdDSA", "typ": "foureyes-grant+jwt", "kid": key.kid}
    payload = {
        "iss": claims.iss,
        "aud": claims.aud,
        "jti": claims.jti,
        "proposal": claims.proposal,
        "tool": claims.tool,
        "args_sha256": claims.args_sha256,
        "policy": claims.policy,
        "approvers": list(claims.approvers),
        "iat": int(claims.iat.timestamp()),
        "exp": int(claims.exp.timestamp()),
        "log": asdict(claims.log),
    }
    signed = f"{_segment(header)}.{_segment(payload)}"
    return f"{signed}.{base64url(key.sign(signed.encode()))}"


def jwks(keys: Iterable[SigningKey]) -> dict[str, list[dict[str, str]]]:
    """Give the key set that verifies grants: every key that signs or has just signed them, newest first."""
    return {"keys": [one for key in keys for one in key.jwks()]}


def _check(claims: GrantClaims) -> None:
    if claims.iat.tzinfo is None or claims.exp.tzinfo is None:
        raise GrantRefusedError("a grant's times need a zone")
    if not claims.iat < claims.exp <= claims.iat + GRANT_LIFE:
        raise GrantRefusedError(f"a grant lives more than 0 and at most {GRANT_LIFE.seconds} seconds")
    if not _DIGEST.fullmatch(claims.args_sha256):
        raise GrantRefusedError("a grant is for exactly one digest, sha256: and 64 hex digits")
    if not all((claims.iss, claims.aud, claims.jti, claims.proposal, claims.tool)):
        raise GrantRefusedError("a grant names its issuer, agent, id, proposal and tool")


def _segment(part: Mapping[str, object]) -> str:
    return base64url(json.dumps(part, separators=(",", ":")).encode())
