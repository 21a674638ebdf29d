"""I1: what an agent was told is accepted exists: the proposal, its entry, and a message in Slack or on its way there.

One agent and key is one proposal, however often, in whatever order, and with whatever body it is sent.
"""

from collections import Counter, defaultdict

from approval_rules.events import Submitted
from approval_rules.requirement import Tier
from tests.crash.laws import broken_promises
from tests.invariants.story import Story


def test_every_201_has_its_proposal_and_its_entry(story: Story) -> None:
    """Every id that an agent heard with 201 has one entry that begins it, and nothing began that nobody heard of."""
    heard = [one.json()["id"] for one in story.heard if one.path == "/v1/proposals" and one.status == 201]
    assert len(heard) >= 15
    assert Counter(event.proposal for event in story.ledger.events(Submitted)) == Counter(heard)
    assert set(story.ledger.proposals) == set(heard)
    assert broken_promises(story.ledger) == []


def test_every_question_has_one_message(story: Story) -> None:
    """What needs people stands in Slack once, though posts failed and answers were lost; what does not never asked."""
    for ident, proposal in story.ledger.proposals.items():
        packets = story.packets(ident)
        assert len(packets) == int(proposal.requirement.tier is Tier.YELLOW), ident
        where = [(one.channel, one.ts) for one in packets]
        assert where == ([(proposal.packet.channel, proposal.packet.ts)] if proposal.packet else [])


def test_one_key_is_one_proposal(story: Story) -> None:
    """Each key was sent three times, once with another body: one proposal, one replay of it, one refusal."""
    sent: dict[tuple[str, str], list[tuple[int, str | None]]] = defaultdict(list)
    agents = {ident: proposal.agent.id for ident, proposal in story.ledger.proposals.items()}
    keys = {proposal: key for (_, key), proposal in story.ledger.keys.items()}
    assert len(keys) == len(story.ledger.keys) == len(agents)
    for one in story.heard:
        if one.path == "/v1/proposals" and one.status in (200, 201):
            ident = one.json()["id"]
            sent[agents[ident], keys[ident]].append((one.status, ident))
    for (agent, key), answers in sent.items():
        assert {ident for _, ident in answers} == {story.ledger.keys[agent, key]}
        assert [status for status, _ in answers].count(201) == 1
    assert any(status == 200 for answers in sent.values() for status, _ in answers)
    codes = [one.json()["code"] for one in story.heard if one.path == "/v1/proposals" and one.status >= 400]
    assert "idempotency-key-reused" in codes
