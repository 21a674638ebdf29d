"""A grant says exactly what was approved, to anybody with the public key, for ten minutes at most."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from approval_rules.people import AgentId, ProposalId
from bot.grants import GrantClaims, GrantRefusedError, LogHead, jwks, sign_grant
from bot.keys import SigningKey, generate

NOON = datetime(2026, 11, 21, 12, 0, 0, 250_000, tzinfo=UTC)
CLAIMS = GrantClaims(
    iss="https://foureyes.example",
    aud=AgentId("agent_1"),
    jti="grant_1",
    proposal=ProposalId("prop_1"),
    tool="payments.refund",
    args_sha256="sha256:" + "0f" * 32,
    policy="sha256:" + "aa" * 32,
    approvers=("person_1", "person_2"),
    iat=NOON,
    exp=NOON + timedelta(minutes=10),
    log=LogHead(index=41, size=42, head="bb" * 32, root="cc" * 32),
)


def verify(token: str, key: SigningKey, audience: str = "agent_1") -> dict[str, object]:
    """Verify as an agent would, with another implementation, at the time of the claim."""
    keys = jwt.PyJWKSet.from_dict(jwks([generate(), key]))
    found = keys[jwt.get_unverified_header(token)["kid"]]
    options: jwt.types.Options = {"verify_exp": False, "verify_iat": False, "require": ["exp", "iat", "aud", "jti"]}
    return jwt.decode(token, found, algorithms=["EdDSA"], audience=audience, issuer=CLAIMS.iss, options=options)


def test_the_agent_reads_what_was_approved() -> None:
    """Every claim arrives, whole seconds for times, under the header that names the key and the kind."""
    key = generate()
    token = sign_grant(key, CLAIMS)
    assert jwt.get_unverified_header(token) == {"alg": "EdDSA", "typ": "foureyes-grant+jwt", "kid": key.kid}
    assert verify(token, key) == {
        "iss": "https://foureyes.example",
        "aud": "agent_1",
        "jti": "grant_1",
        "proposal": "prop_1",
        "tool": "payments.refund",
        "args_sha256": CLAIMS.args_sha256,
        "policy": CLAIMS.policy,
        "approvers": ["person_1", "person_2"],
        "iat": int(NOON.timestamp()),
        "exp": int(NOON.timestamp()) + 600,
        "log": {"index": 41, "size": 42, "head": "bb" * 32, "root": "cc" * 32},
    }


def test_the_same_claims_are_the_same_bytes() -> None:
    """A repeated claim replays the answer without the answer being stored: golden bytes."""
    key = SigningKey(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
    token = sign_grant(key, CLAIMS)
    assert token == sign_grant(key, replace(CLAIMS))
    assert (
        token.rsplit(".", 1)[1]
        == "YUTI5bEKgFzIA0IsbWXUg0hDS3p8s4iLpXGLT0dAl9cH4lbpIkPR03HsBYyAI4MV4RUKMbzYYp8-QMEWx0stAA"
    )


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_changed_grant_verifies_nowhere(part: int) -> None:
    """Changing any one character of any part is found."""
    key = generate()
    parts = sign_grant(key, CLAIMS).split(".")
    changed = 0
    for place in range(0, len(parts[part]), 7):
        letter = "A" if parts[part][place] != "A" else "B"
        tampered = [*parts]
        tampered[part] = parts[part][:place] + letter + parts[part][place + 1 :]
        with pytest.raises((jwt.InvalidTokenError, KeyError, jwt.PyJWKSetError)):
            verify(".".join(tampered), key)
        changed += 1
    assert changed > 10


def test_a_grant_is_for_one_agent_and_one_key() -> None:
    """Another agent's audience, another key under the same id, and a token without a signature fail."""
    key, other = generate(), generate()
    token = sign_grant(key, CLAIMS)
    with pytest.raises(jwt.InvalidAudienceError):
        verify(token, key, audience="agent_2")
    imposter = jwt.PyJWK.from_dict({**other.jwk(), "kid": key.kid})
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(token, imposter, algorithms=["EdDSA"], audience="agent_1")
    header = base64.urlsafe_b64encode(json.dumps({"alg": "none", "kid": key.kid}).encode()).rstrip(b"=").decode()
    with pytest.raises(jwt.InvalidTokenError):
        verify(f"{header}.{token.split('.')[1]}.", key)


@pytest.mark.parametrize(
    "life", [timedelta(0), timedelta(seconds=-1), timedelta(minutes=10, microseconds=1), timedelta(days=1)]
)
def test_a_grant_lives_ten_minutes_at_most(life: timedelta) -> None:
    """No grant is signed that ends before it begins or outlives its ten minutes."""
    with pytest.raises(GrantRefusedError, match="600 seconds"):
        sign_grant(generate(), replace(CLAIMS, exp=NOON + life))


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        (replace(CLAIMS, args_sha256="0f" * 32), "digest"),
        (replace(CLAIMS, args_sha256="sha256:" + "0F" * 32), "digest"),
        (replace(CLAIMS, args_sha256="sha256:" + "0f" * 32 + "\n"), "digest"),
        (replace(CLAIMS, aud=AgentId("")), "names"),
        (replace(CLAIMS, jti=""), "names"),
        (replace(CLAIMS, iat=NOON.replace(tzinfo=None)), "zone"),
        (replace(CLAIMS, exp=NOON.replace(tzinfo=None)), "zone"),
    ],
)
def test_an_unbound_grant_is_not_signed(claims: GrantClaims, said: str) -> None:
    """A grant without exactly one digest, an agent, an id and real times never exists."""
    with pytest.raises(GrantRefusedError, match=said):
        sign_grant(generate(), claims)
