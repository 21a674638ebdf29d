"""Looked-up facts in the rules: the server's value counts, a missing one never allows, whatever the agent says."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approval_rules.canonical import digest_of
from approval_rules.commands import Draft
from approval_rules.conditions import compile_condition
from approval_rules.explanation import explain
from approval_rules.facts import DeclaredFact, FactType, LookedUp, Lookup, fits
from approval_rules.people import ToolName
from approval_rules.policy import Contradiction, Policy, PolicyFolder, Rule, classify
from approval_rules.requirement import Requirement, Seat, Tier
from approval_rules.text import AgentJson, AgentText, Json
from approval_rules.verdicts import Allow, Ask, Block, Verdict
from tests.rules.builders import AGENT, MANAGER, START

TOOL = ToolName("pay")
LOOKUP = Lookup("https://crm.example/{id}", "crm.example", "/tier", None, timedelta(), timedelta(seconds=2))
TIER = DeclaredFact("tier", "string", LOOKUP)
ASK = Ask((Seat(MANAGER, 2),))


def folder(*rules: tuple[str, Verdict], facts: tuple[DeclaredFact, ...] = (TIER,)) -> PolicyFolder:
    """A folder with one tool."""
    made = [Rule(number, compile_condition(text), verdict, "") for number, (text, verdict) in enumerate(rules, 1)]
    policy = Policy(TOOL, tuple(made), facts=facts)
    return PolicyFolder("sha256:x", {TOOL: policy}, {}, {})


GOLD_OR_ASK = folder(("tier == 'gold'", Allow()), ("n > 100", ASK))


def draft(found: Json = None, failed: str | None = None, **facts: Json) -> Draft:
    """A proposal whose lookup came to this; without either nobody asked."""
    arguments: dict[str, Json] = {"n": 1}
    digest = digest_of(TOOL, arguments)
    made = Draft(
        TOOL, AgentJson(arguments), digest, AgentText("x"), AgentJson({"facts": facts} if facts else {}), AgentJson({})
    )
    if found is None and failed is None:
        return made
    lookups = (LookedUp("tier", "crm.example", START, failed),)
    return replace(made, lookups=lookups, looked_up=AgentJson({"tier": found}))


def ruled(wish: Draft, rules: PolicyFolder = GOLD_OR_ASK) -> Requirement:
    """What the policy says of it."""
    result = classify(rules, wish, AGENT, START)
    assert isinstance(result, Requirement)
    return result


def test_a_looked_up_value_counts_as_a_name() -> None:
    """A condition reads it like a field; the agent may say the same, or nothing."""
    for wish in (draft("gold"), draft("gold", tier="gold"), draft("gold", tier=None)):
        assert ruled(wish).tier is Tier.GREEN
    assert ruled(draft("lead")).tier is Tier.YELLOW


def test_another_value_of_the_agents_is_refused() -> None:
    """One name has one value: the server's."""
    result = classify(GOLD_OR_ASK, draft("gold", tier="lead"), AGENT, START)
    assert isinstance(result, Contradiction)
    assert (result.name, result.pointer) == ("tier", "/context/facts/tier")
    wish = replace(draft("gold"), arguments=AgentJson({"n": 1, "tier": "lead"}))
    result = classify(GOLD_OR_ASK, wish, AGENT, START)
    assert isinstance(result, Contradiction)
    assert result.pointer == "/arguments/tier"


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        (draft(), "tier could not be looked up (nobody asked)"),
        (draft(tier="gold"), "tier could not be looked up (nobody asked)"),
        (draft(failed="timed out"), "tier could not be looked up (timed out)"),
        (draft(failed="timed out", tier="gold"), "tier could not be looked up (timed out)"),
        (replace(draft(failed="timed out"), looked_up=None), "tier could not be looked up (timed out)"),
    ],
)
def test_a_missing_value_asks_and_says_why(wish: Draft, why: str) -> None:
    """The reason names the fact and not a value."""
    assert ruled(wish).tier is Tier.YELLOW
    assert ruled(wish).policy.because.startswith(why)
    assert explain(GOLD_OR_ASK, wish, AGENT, START).rules[0].why == why


def test_without_people_a_missing_value_blocks() -> None:
    """A file that names nobody cannot ask."""
    assert ruled(draft(failed="timed out"), folder(("tier == 'gold'", Allow()))).tier is Tier.RED


def test_what_was_looked_up_counts_for_a_policy_that_no_longer_asks() -> None:
    """A recorded value is still the server's."""
    rules = folder(("tier == 'gold'", Allow()), ("n > 100", ASK), facts=(DeclaredFact("tier", "string"),))
    assert ruled(draft("gold"), rules).tier is Tier.GREEN
    assert ruled(draft(tier="gold"), rules).tier is Tier.GREEN


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["tier == 'gold'", "tier != 'lead'", "not (tier == 'lead')", "tier in ['gold']"]),
            st.sampled_from([Allow(), Allow(Decimal(100), ASK), ASK, Block()]),
        ),
        min_size=1,
        max_size=5,
    ),
    st.sampled_from([None, "timed out", "the answer was HTTP 404"]),
    st.none() | st.sampled_from(["gold", "lead", "", 1, True]),
)
def test_a_failed_lookup_never_allows(rules: list[tuple[str, Verdict]], failed: str | None, said: Json) -> None:
    """Whatever the rules and the agent say: where every rule reads the fact, nothing is green without it."""
    wish = draft(failed=failed) if said is None else draft(failed=failed, tier=said)
    made = replace(folder(*rules), dial_key=b"k" * 32)
    assert ruled(wish, made).tier is not Tier.GREEN


@pytest.mark.parametrize(
    ("wanted", "good", "bad"),
    [
        ("string", ["", "x"], [1, True, None, [], {}]),
        ("number", [0, -1, Decimal("1.5")], ["1", True, None, [1]]),
        ("boolean", [True, False], [0, 1, "true", None]),
        (None, ["x", 0, False, [], {}], [None]),
    ],
)
def test_what_fits_a_type(wanted: FactType | None, good: list[Json], bad: list[Json]) -> None:
    """Types are never mixed; null fits none."""
    assert all(fits(wanted, value) for value in good)
    assert not any(fits(wanted, value) for value in bad)
