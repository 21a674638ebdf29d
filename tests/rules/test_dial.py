"""The autonomy dial: stable under retry, not to be foreseen, exact over many, and never looser than it says."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approval_rules.canonical import Digest, sha256_name
from approval_rules.commands import Draft
from approval_rules.dial import place
from approval_rules.people import ToolName
from approval_rules.policy import PolicyFolder, classify
from approval_rules.requirement import Requirement, Tier
from approval_rules.text import AgentJson, AgentText
from approval_rules.verdicts import Allow, Verdict, consequence
from tests.rules.builders import AGENT, REFUND, START
from tests.rules.policies import BLOCK, THREE, TWO, folder

KEY = b"k" * 32


def dialled(share: str, *others: tuple[str, Verdict], key: bytes = KEY) -> PolicyFolder:
    """A folder whose last rule lets a share of everything through."""
    return replace(folder(*others, ("n == n", Allow(Decimal(share), TWO))), dial_key=key)


def judged(policy: PolicyFolder, number: int, **facts: int) -> Requirement:
    """Classify the case of a number."""
    digest = sha256_name(str(number).encode())
    context = AgentJson({"facts": dict(facts)})
    draft = Draft(REFUND, AgentJson({"n": number}), digest, AgentText("x"), context, AgentJson({}))
    found = classify(policy, draft, AGENT, START)
    assert isinstance(found, Requirement)
    return found


@given(st.binary(min_size=1, max_size=64), st.text(max_size=20))
def test_a_place_is_on_the_dial_and_always_the_same(key: bytes, digest: str) -> None:
    """From 0 to just under 100, whenever it is asked."""
    found = place(key, REFUND, Digest(digest))
    assert found is not None
    assert 0 <= found < 100
    assert place(key, REFUND, Digest(digest)) == found


def test_places_of_other_keys_and_tools_are_others() -> None:
    """What one server or one tool lets through says nothing of another's."""
    places = {place(key, ToolName(tool), Digest("d")) for key in (b"1", b"2") for tool in ("a", "b")}
    assert len(places) == 4


def test_a_dial_is_fine_enough_for_any_share() -> None:
    """A hundredth of a per cent can be told from none: places do not fall together."""
    places = {place(KEY, REFUND, sha256_name(str(number).encode())) for number in range(2_000)}
    assert len(places) == 2_000


@pytest.mark.parametrize("share", ["0", "5", "20", "50", "99.5", "100"])
def test_the_share_is_exact_over_many(share: str) -> None:
    """Of ten thousand cases as many go through as the dial says, give or take what chance gives; each by its place."""
    policy = dialled(share)
    places = [place(KEY, REFUND, sha256_name(str(number).encode())) for number in range(10_000)]
    lets = [found is not None and found < Decimal(share) for found in places]
    assert [judged(policy, number).tier is Tier.GREEN for number in range(1_000)] == lets[:1_000]
    through = sum(lets)
    deviation = (10_000 * float(share) / 100 * (1 - float(share) / 100)) ** 0.5
    assert abs(through - 100 * float(share)) <= 4 * deviation


def test_turning_the_dial_up_takes_no_case_back() -> None:
    """Whoever went through at 5 % goes through at 20 %."""
    policies = [dialled(share) for share in ("0", "5", "20", "100")]
    for number in range(300):
        tiers = [judged(policy, number).tier for policy in policies]
        assert tiers == sorted(tiers, key=lambda tier: tier is Tier.GREEN)


def test_what_the_dial_keeps_is_asked_as_the_rule_says() -> None:
    """The reason names the dial, either way."""
    policy = dialled("50")
    kept = next(found for number in range(100) if (found := judged(policy, number)).tier is Tier.YELLOW)
    assert kept.seats == TWO.seats
    assert "the dial of 50 % keeps this one for people: two people" in kept.policy.because
    let = next(found for number in range(100) if (found := judged(policy, number)).tier is Tier.GREEN)
    assert "the dial of 50 % lets this one through: it is allowed" in let.policy.because


def test_without_a_key_everything_is_asked() -> None:
    """Nothing that cannot be drawn is let through, not even at 100 %."""
    for share in ("5", "100"):
        found = judged(dialled(share, key=b""), 1)
        assert found.tier is Tier.YELLOW
        assert f"the dial of {share} % is not drawn here" in found.policy.because


def test_a_block_and_a_doubt_stand_above_the_dial() -> None:
    """A case that the dial would let through is still blocked, or asked while an earlier block cannot be decided."""
    policy = dialled("100", ("m > 5", BLOCK))
    assert judged(policy, 1, m=6).tier is Tier.RED
    assert judged(policy, 1, m=1).tier is Tier.GREEN
    doubted = judged(policy, 1)
    assert (doubted.tier, doubted.seats) == (Tier.YELLOW, TWO.seats)


def test_where_nothing_is_drawn_the_dial_lets_nothing_through() -> None:
    """Whoever only asks what would happen learns nothing of where an action stands on the dial, not even at 100 %."""
    draft = Draft(REFUND, AgentJson({"n": 1}), sha256_name(b"1"), AgentText("x"), AgentJson({}), AgentJson({}))
    told = classify(dialled("100"), draft, AGENT, START, drawn=False)
    assert isinstance(told, Requirement)
    assert (told.tier, told.seats) == (Tier.YELLOW, TWO.seats)
    assert "is not drawn here" in told.policy.because
    assert judged(dialled("100"), 1).tier is Tier.GREEN


def test_a_dial_in_doubt_asks_no_fewer_people() -> None:
    """Whoever leaves out a field that a dial reads is not asked by a milder rule below it."""
    rules = ("m > 2", Allow(Decimal(0), THREE)), ("n > 0", TWO)
    policy = replace(folder(*rules), dial_key=KEY)
    assert judged(policy, 1, m=3).seats == judged(policy, 1).seats == THREE.seats
    assert judged(policy, 1, m=1).seats == TWO.seats


def test_a_dial_is_explained_whatever_it_says_of_a_case() -> None:
    """Who reads the rules sees the share and the people, without a case."""
    assert consequence(Allow(Decimal(20), TWO)) == (
        "20 % of the cases are allowed; in the others two people in the role support_manager must approve"
    )
