"""I3: a vote is for exactly the bytes that the voter had in front of them, and those bytes are what may run."""

import json
from typing import Any

from approval_rules.canonical import digest_of
from approval_rules.events import ClaimRefused, Refusal, Voted
from approval_rules.text import unwrap_json
from tests.invariants.story import Story, payload_of


def test_a_vote_is_for_blocks_that_stood_in_slack(story: Story) -> None:
    """What every vote says was shown was sent to Slack byte for byte, and it showed the whole action."""
    votes = story.ledger.events(Voted)
    assert len(votes) >= 2
    shown = story.shown()
    for vote in votes:
        assert vote.shown in shown
        assert f"{vote.proposal}|{vote.digest}" in buttons(shown[vote.shown])
        arguments = unwrap_json(story.ledger.proposals[vote.proposal].arguments)
        assert isinstance(arguments, dict)
        seen = json.dumps(shown[vote.shown], ensure_ascii=False)
        assert all(str(value) in seen for value in arguments.values())


def buttons(blocks: list[dict[str, Any]]) -> set[str]:
    """List what the buttons of a message stand for."""
    return {
        one["value"] for block in blocks if block["type"] == "actions" for one in block["elements"] if "value" in one
    }


def test_what_was_sent_is_what_was_voted_on_and_what_is_granted(story: Story) -> None:
    """From the agent's own request to the permission there is one digest, and it is that of the action."""
    first = {one.json()["id"]: json.loads(one.sent) for one in story.heard if one.status == 201}
    granted = story.grants()
    assert granted
    for ident, sent in first.items():
        digest = digest_of(sent["tool"], sent["arguments"])
        assert story.ledger.proposals[ident].digest == digest
        assert story.proposals.get(ident, {"digest": digest})["digest"] == digest
        assert {vote.digest for vote in story.ledger.events(Voted) if vote.proposal == ident} <= {digest}
        assert {payload_of(grant)["args_sha256"] for grant in granted.get(ident, ())} <= {digest}


def test_another_digest_gets_no_permission(story: Story) -> None:
    """Claims for other bytes were made, and none got a permission."""
    lies = [
        one for one in story.heard if one.path.endswith("/claim") and json.loads(one.sent)["digest"].endswith("0" * 64)
    ]
    assert lies
    assert all(one.status >= 400 for one in lies)
    assert Refusal.DIGEST_MISMATCH in {event.code for event in story.ledger.events(ClaimRefused)}
