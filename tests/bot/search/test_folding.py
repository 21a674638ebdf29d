"""What a proposal is found by follows from its events: everybody who had a part, and every amount within bounds."""

from dataclasses import replace
from decimal import Decimal

from approval_rules.events import Submitted, Voted
from approval_rules.initiation_events import Initiator
from approval_rules.people import PersonId, ProposalId, RoleName
from approval_rules.people import human as a_human
from approval_rules.state import fold
from approval_rules.step_up import Proof
from approval_rules.text import AgentJson, Json
from bot.search.folding import found_by, millionths, money_in
from bot.store.codec import Recorded
from bot.store.rows import Loaded
from tests.events import one_of_each

SUBMITTED = next(event for event in one_of_each() if isinstance(event, Submitted))
PROOF = Proof("passkey", "cred_1", "sha256:" + "0" * 64, "K7QX2M9P")
VOTED = next(event for event in one_of_each() if isinstance(event, Voted))


def loaded(*events: Submitted | Voted) -> Loaded:
    """Fold events as the store does."""
    proposal = fold(events)
    assert proposal is not None
    return Loaded(proposal, tuple(Recorded(seq, b"", event) for seq, event in enumerate(events)))


def test_everybody_who_had_a_part_is_found() -> None:
    """Who is said to have started it, who started it in Slack, who voted, and in whose name."""
    initiator = Initiator(PersonId("p_init"), (RoleName("lead"),), PROOF)
    first = replace(SUBMITTED, proposal=ProposalId("prop_1"), started_by=PersonId("p_start"), initiator=initiator)
    vote = replace(VOTED, proposal=ProposalId("prop_1"), by=a_human(PersonId("p_del")), on_behalf_of=PersonId("p_away"))
    people = {term for term in found_by(loaded(first, vote)).terms if term.startswith("person:")}
    assert people == {"person:p_init", "person:p_start", "person:p_del", "person:p_away"}


def test_amounts_are_exact_to_a_millionth_and_rounded_down() -> None:
    """What cannot be held as a whole number of millionths in 62 bits is no amount; lists are looked into."""
    arguments: Json = {
        "amount_usd": Decimal("180.10"),
        "fees": [{"fee_eur": Decimal("-0.0000001")}],
        "huge_usd": Decimal(10) ** 13,
        "count": 7,
    }
    found = loaded(replace(SUBMITTED, arguments=AgentJson(arguments)))
    assert money_in(found.proposal) == [("eur", Decimal("-0.0000001")), ("usd", Decimal("180.10"))]
    assert {(each.currency, each.millionths) for each in found_by(found).amounts} == {("usd", 180_100_000), ("eur", -1)}
    assert millionths(Decimal("1.9999999")) == 1_999_999
