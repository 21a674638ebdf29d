"""What is confirmed: one object, one digest, one code."""

import base64
import hashlib
from datetime import UTC, datetime
from typing import Any

import pytest

from approval_rules.canonical import Digest
from approval_rules.intent import code_of, intent, intent_digest, intent_text
from approval_rules.people import PersonId, ProposalId

_CROCKFORD = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "0123456789ABCDEFGHJKMNPQRSTVWXYZ")
_ALL: dict[str, Any] = {
    "proposal": ProposalId("prop_1"),
    "arguments": Digest("sha256:" + "a" * 64),
    "packet": Digest("sha256:" + "b" * 64),
    "policy": "sha256:c",
    "approver": PersonId("pers_1"),
    "nonce": "n",
    "expires_at": datetime(2026, 1, 1, tzinfo=UTC),
    "rp": "approvals.example.com",
}


def test_the_code_is_the_first_forty_bits_in_crockfords_letters() -> None:
    """Anybody can work it out from the text: eight letters, none of which looks like another."""
    text = intent_text(intent(**_ALL))
    digest = intent_digest(text)
    first = hashlib.sha256(text.encode()).digest()[:5]
    expected = base64.b32encode(first).decode().translate(_CROCKFORD)
    assert code_of(digest) == f"{expected[:4]}-{expected[4:]}"


@pytest.mark.parametrize("name", _ALL)
def test_everything_in_it_changes_the_code(name: str) -> None:
    """A code for another action, packet, policy, person, moment or place is another code."""
    other: Any = datetime(2026, 1, 2, tzinfo=UTC) if name == "expires_at" else f"{_ALL[name]}2"
    one = intent_digest(intent_text(intent(**_ALL)))
    changed: dict[str, Any] = {**_ALL, name: other}
    two = intent_digest(intent_text(intent(**changed)))
    assert code_of(one) != code_of(two)
