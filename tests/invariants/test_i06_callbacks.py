"""I6: every decision reaches its agent at least once, under one id over all attempts, or is a visible dead letter."""

from collections import Counter, defaultdict
from datetime import UTC, datetime

from standardwebhooks import Webhook

from approval_rules.state import Proposal
from tests.crash.laws import ENDS, broken_promises
from tests.invariants.story import Story


def decisions(story: Story) -> dict[str, Proposal]:
    """Give the proposals that wanted to be called back, by `id type` of each of their decisions."""
    found = {}
    for ident, proposal in story.ledger.proposals.items():
        for event in story.ledger.of(ident):
            if proposal.callback_url and isinstance(event, ENDS):
                found[f"{ident} proposal.{type(event).__name__.lower()}"] = proposal
    return found


def test_every_decision_arrives_or_is_a_dead_letter(story: Story) -> None:
    """Receivers broke and hung up: each decision arrived all the same, and those for the one that is gone are dead."""
    reached = {f"{body['data']['id']} {body['type']}" for _, body in story.told()}
    dead = Counter(row["subject"] for row in story.ledger.outbox if row["state"] == "dead")
    assert dead
    assert len(reached) >= 10
    assert reached == set(decisions(story))
    assert set(dead) == story.unreachable
    assert {row["kind"] for row in story.ledger.outbox if row["state"] == "dead"} == {"callback"}
    assert broken_promises(story.ledger) == []


def test_all_attempts_of_a_decision_have_one_id_and_one_body(story: Story) -> None:
    """However often a decision was sent: the same id, the same bytes; and no id is used for two decisions."""
    ids: dict[str, set[str]] = defaultdict(set)
    bodies: dict[str, set[bytes]] = defaultdict(set)
    decided: dict[str, set[str]] = defaultdict(set)
    requests = [*story.receiver.requests, *story.gone.requests]
    for request, (ident, body) in zip(requests, story.told(), strict=True):
        name = f"{body['data']['id']} {body['type']}"
        ids[name].add(ident)
        bodies[name].add(request.body)
        decided[ident].add(name)
    assert {len(found) for found in ids.values()} == {1}
    assert {len(found) for found in bodies.values()} == {1}
    assert {len(found) for found in decided.values()} == {1}
    assert len(requests) > len(ids)


def test_every_attempt_is_signed_for_its_own_agent(story: Story) -> None:
    """Each attempt carries the signature by the secret of the agent that it is for, and tells what the log says."""
    for request, (ident, body) in zip(story.receiver.requests, story.told(), strict=False):
        proposal = story.ledger.proposals[body["data"]["id"]]
        at = datetime.fromtimestamp(int(request.headers["webhook-timestamp"]), UTC)
        signature = Webhook(story.callback_secrets[proposal.agent.id]).sign(ident, at, request.body.decode())
        assert signature in request.headers["webhook-signature"].split()
        assert story.ledger.recorded[body["log"]["index"]].leaf_hash.hex() == body["log"]["head"]
