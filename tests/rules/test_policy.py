"""The rules of one tool, in order: what is green, who is asked, what is blocked, and the reason in words."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from approval_rules.explanation import explain
from approval_rules.nearest import nearest
from approval_rules.people import RoleName, ToolName
from approval_rules.policy import Contradiction, PolicyFolder, classify
from approval_rules.requirement import Requirement, Seat, Tier
from approval_rules.verdicts import Ask, Block, Verdict
from bot.policy_files import load
from tests.rules.builders import AGENT, MANAGER, REFUND, START
from tests.rules.policies import ALLOW, BLOCK, THREE, TWO, draft, folder, judged

FOUNDING = load(Path(__file__).parents[2] / "examples" / "policy")
TWO_MANAGERS = (Seat(MANAGER, 2),)


def refund(amount: Any, tier: Any) -> Requirement:  # noqa: ANN401 - an agent may send anything
    """What the founding policy says about a refund."""
    return judged(FOUNDING, {"amount_usd": amount, "customer_tier": tier})


@pytest.mark.parametrize(
    ("amount", "tier", "rule"),
    [
        ("42.50", "standard", 1),
        ("50", "pro", 1),
        ("50.00", "pro", 1),
        ("180", "enterprise", 2),
        ("200", "enterprise", 2),
    ],
)
def test_founding_policy_allows(amount: str, tier: str, rule: int) -> None:
    """Small refunds are green, and the reason names the rule."""
    requirement = refund(Decimal(amount), tier)
    assert (requirement.tier, requirement.seats) == (Tier.GREEN, ())
    assert requirement.policy.rule == f"payments.refund#{rule}"
    assert requirement.policy.because.endswith("so it is allowed")


@pytest.mark.parametrize(
    ("amount", "tier"),
    [
        ("180", "pro"),
        ("200.01", "enterprise"),
        ("50.000000000000001", "pro"),
        ("500", "standard"),
        ("51", "unheard-of"),
    ],
)
def test_founding_policy_asks_two_managers(amount: str, tier: str) -> None:
    """Anything over the limits asks two support managers; a trillionth of a cent over is over."""
    requirement = refund(Decimal(amount), tier)
    assert (requirement.tier, requirement.seats) == (Tier.YELLOW, TWO_MANAGERS)
    expected = "rule 3 of payments.refund: amount_usd > 50, so two people in the role support_manager must approve"
    assert requirement.policy.because == expected


def test_founding_policy_keeps_what_log_says() -> None:
    """Redaction and retention of the `log` item reach every requirement, and nothing else is set."""
    for requirement in (refund(1, "pro"), refund(100, "pro"), judged(FOUNDING, {})):
        assert requirement.redact == ("card_number", "bank_account")
        assert (requirement.retain_days, requirement.ttl, requirement.step_up) == (365, None, "none")


def test_no_match_asks_the_strictest() -> None:
    """A small refund of a tier that no rule names asks people."""
    requirement = refund(40, "unheard-of")
    assert (requirement.tier, requirement.seats, requirement.policy.rule) == (Tier.YELLOW, TWO_MANAGERS, None)
    assert requirement.policy.because == (
        "no rule of payments.refund matches, so the strictest people of the file are asked: "
        "two people in the role support_manager must approve"
    )


@pytest.mark.parametrize("amount", ["1", "50", "180", "1000000"])
@pytest.mark.parametrize("tier", [{}, {"customer_tier": None}])
def test_missing_tier_never_allows(amount: str, tier: dict[str, None]) -> None:
    """Without customer_tier every amount asks two people; where it mattered the reason says that it is missing."""
    requirement = judged(FOUNDING, {"amount_usd": Decimal(amount)}, tier)
    assert (requirement.tier, requirement.seats) == (Tier.YELLOW, TWO_MANAGERS)
    assert ("customer_tier is missing" in requirement.policy.because) == (Decimal(amount) <= 200)


def test_missing_value_says_who_is_asked() -> None:
    """The reason for a missing value is one sentence."""
    assert judged(FOUNDING, {"amount_usd": 1}).policy.because == (
        "customer_tier is missing, so the strictest people of the file are asked (rule 1 of payments.refund needs it): "
        "two people in the role support_manager must approve"
    )


@pytest.mark.parametrize("amount", ["50", True, None, [50], {"usd": 50}, Decimal("nan"), "x" * 500_000])
def test_mistyped_amount_never_allows(amount: Any) -> None:  # noqa: ANN401 - an agent may send anything
    """Text, true, null, lists and not-a-number are no amounts: people are asked, without the value in the reason."""
    requirement = refund(amount, "standard")
    assert (requirement.tier, requirement.seats) == (Tier.YELLOW, TWO_MANAGERS)
    assert "amount_usd is " in requirement.policy.because
    assert len(requirement.policy.because) < 300


def test_facts_fill_in_what_arguments_lack() -> None:
    """customer_tier may come from the facts; the arguments come first and may repeat it."""
    assert judged(FOUNDING, {"amount_usd": 42}, {"customer_tier": "pro"}).tier is Tier.GREEN
    both = {"amount_usd": 42, "customer_tier": "pro"}
    assert judged(FOUNDING, both, {"customer_tier": "pro", "amount_usd": Decimal("42.00")}).tier is Tier.GREEN


@pytest.mark.parametrize("facts", [None, [], "x", 5, {}])
def test_facts_that_are_no_object_are_none(facts: object) -> None:
    """Facts of another kind name nothing."""
    assert judged(FOUNDING, {"amount_usd": 42}, facts).tier is Tier.YELLOW


@pytest.mark.parametrize(
    ("argument", "fact"),
    [
        ("pro", "enterprise"),
        ("50", 50),
        (1, True),
        (None, "pro"),
        (50, Decimal("50.000000000000001")),
        ({"a": 1}, {"a": 2}),
        ({"a": 1}, {"b": 1}),
        ([1, 2], [2, 1]),
        ([1], [1, 1]),
        ([1], {"a": 1}),
        (Decimal("nan"), Decimal("nan")),
        (Decimal("sNaN"), 1),
    ],
)
def test_one_name_with_two_values_is_refused(argument: Any, fact: Any) -> None:  # noqa: ANN401 - an agent may send anything
    """The same name in arguments and facts with different values is a contradiction, at the fact's place."""
    for tool in (REFUND, ToolName("no.policy")):
        result = classify(FOUNDING, draft({"customer_tier": argument}, {"customer_tier": fact}, tool), AGENT, START)
        assert isinstance(result, Contradiction)
        assert (result.name, result.pointer) == ("customer_tier", "/context/facts/customer_tier")


def test_contradiction_points_by_rfc_6901() -> None:
    """A name with '/' or '~' is escaped in the pointer."""
    result = classify(FOUNDING, draft({"a/b~c": 1}, {"a/b~c": 2}), AGENT, START)
    assert isinstance(result, Contradiction)
    assert result.pointer == "/context/facts/a~1b~0c"


@pytest.mark.parametrize(
    ("argument", "fact"),
    [(50, Decimal("50.00")), ({"a": [1, None]}, {"a": [Decimal("1.0"), None]}), ("x", "x"), (True, True)],
)
def test_one_name_with_one_value_is_fine(argument: Any, fact: Any) -> None:  # noqa: ANN401 - an agent may send anything
    """50 and 50.00 are one value."""
    result = classify(FOUNDING, draft({"x": argument}, {"x": fact}), AGENT, START)
    assert isinstance(result, Requirement)


def test_values_too_deep_to_compare_are_refused() -> None:
    """Two deep values are a contradiction rather than a crash."""
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    assert isinstance(classify(FOUNDING, draft({"x": deep}, {"x": deep}), AGENT, START), Contradiction)


def test_block_wins_over_an_earlier_allow() -> None:
    """A block that matches decides, wherever it stands."""
    requirement = judged(folder((None, ALLOW), ("n > 1", TWO), ("n > 2", BLOCK)), {"n": 3})
    assert (requirement.tier, requirement.seats) == (Tier.RED, ())
    assert requirement.policy.rule == "payments.refund#3"
    assert requirement.policy.because == "rule 3 of payments.refund: n > 2, so it is blocked: not this one"


def test_block_wins_over_a_doubt() -> None:
    """A block that matches decides although other rules are undetermined."""
    assert judged(folder(("m > 1", BLOCK), (None, Block())), {"n": 3}).policy.because.endswith("so it is blocked")


def test_undetermined_block_never_allows() -> None:
    """A block that cannot be decided takes the allow away, wherever it stands, and also a milder ask."""
    for first in (ALLOW, TWO):
        requirement = judged(folder((None, first), ("m > 2", BLOCK), ("n > 99", THREE)), {"n": 3})
        assert (requirement.tier, requirement.seats) == (Tier.YELLOW, THREE.seats)
        assert requirement.policy.rule == "payments.refund#2"


def test_undetermined_rule_before_an_allow_never_allows() -> None:
    """What stands before the matching allow and cannot be decided asks the strictest people."""
    for doubtful in (ALLOW, TWO, THREE):
        requirement = judged(folder(("m > 2", doubtful), ("n > 0", ALLOW), ("n > 99", THREE)), {"n": 3})
        assert (requirement.tier, requirement.seats) == (Tier.YELLOW, THREE.seats)


def test_ask_stays_after_an_undetermined_allow() -> None:
    """An allow that cannot be decided leaves the ask behind it as it is, and the reason says so."""
    requirement = judged(folder(("m > 2", ALLOW), ("n > 0", TWO), ("n > 99", THREE)), {"n": 3})
    assert requirement.seats == TWO.seats
    assert requirement.policy.because == (
        "rule 2 of payments.refund: n > 0, so two people in the role support_manager must approve; "
        "rule 1 could not be decided: m is missing"
    )


def test_undetermined_ask_before_an_ask_asks_the_strictest() -> None:
    """An ask that cannot be decided might have asked more people than the one behind it."""
    assert judged(folder(("m > 2", THREE), ("n > 0", TWO)), {"n": 3}).seats == THREE.seats


def test_one_stricter_ask_in_doubt_is_enough() -> None:
    """Doubts about rules that would allow leave an ask as it is; one about a stricter ask among them does not."""
    some: tuple[tuple[Verdict, ...], ...] = (ALLOW, THREE), (THREE, ALLOW), (ALLOW, THREE, ALLOW)
    for doubts in some:
        rules = [("m > 2", doubtful) for doubtful in doubts]
        assert judged(folder(*rules, ("n > 0", TWO)), {"n": 3}).seats == THREE.seats
    assert judged(folder(("m > 2", ALLOW), ("m > 3", ALLOW), ("n > 0", TWO)), {"n": 3}).seats == TWO.seats


def test_doubt_after_the_match_does_not_matter() -> None:
    """The first match decides; a later allow or ask that cannot be decided changes nothing."""
    assert judged(folder(("n > 0", ALLOW), ("m > 2", TWO), ("m > 2", ALLOW)), {"n": 3}).tier is Tier.GREEN


def test_strictest_has_most_approvals_and_stands_first() -> None:
    """Most approvals win; on a tie the first that the file names."""
    other = Ask((Seat(RoleName("finance"), 1), Seat(RoleName("security"), 2)))
    assert judged(folder(("n > 9", TWO), ("n > 99", THREE), ("n > 999", other)), {"n": 1}).seats == THREE.seats
    asked = judged(folder(("n > 9", TWO), ("n > 99", other), ("n > 999", THREE)), {"n": 1})
    assert asked.seats == other.seats
    assert asked.policy.because.endswith("one person in the role finance and two in the role security must approve")


@pytest.mark.parametrize("arguments", [{"n": 1}, {}, {"n": "1"}])
def test_nobody_to_ask_is_blocked(arguments: dict[str, Any]) -> None:
    """Where the file names nobody, no match, a missing value and an error block, and the reason says so."""
    requirement = judged(folder(("n > 9", ALLOW)), arguments)
    assert requirement.tier is Tier.RED
    assert "the file names nobody to ask, so it is blocked" in requirement.policy.because


def test_no_policy_is_blocked() -> None:
    """A tool without a file is blocked, with nothing known about redaction."""
    requirement = classify(FOUNDING, draft({}, tool=ToolName("keys.rotate")), AGENT, START)
    assert isinstance(requirement, Requirement)
    assert (requirement.tier, requirement.policy.rule, requirement.redact) == (Tier.RED, None, ())
    assert requirement.policy.because == "there is no policy for keys.rotate, so it is blocked"


def test_rule_without_condition_always_matches() -> None:
    """No `if` means always, and reads like that."""
    assert judged(folder((None, TWO)), {}).policy.because.startswith("rule 1 of payments.refund: always, so two")


def test_long_form_reaches_the_requirement() -> None:
    """Deadline and channel of the rule are those of the requirement; eleven people are a figure in words."""
    ask = Ask((Seat(MANAGER, 11),), timedelta(minutes=30), "none", "C9")
    requirement = judged(folder((None, ask)), {})
    assert (requirement.ttl, requirement.channel) == (timedelta(minutes=30), "C9")
    assert "so 11 people in the role support_manager must approve" in requirement.policy.because


@pytest.mark.parametrize(
    ("seats", "told"),
    [
        ([("support_manager", 1)], "one person in the role support_manager must approve"),
        ([("finance", 3)], "three people in the role finance must approve"),
        ([("finance", 1), ("it", 1)], "one person in the role finance and one in the role it must approve"),
        (
            [("a", 2), ("b", 1), ("c", 11)],
            "two people in the role a, one in the role b and 11 in the role c must approve",
        ),
    ],
)
def test_who_must_approve_is_a_sentence(seats: list[tuple[str, int]], told: str) -> None:
    """Whatever the roles are called and however many people each needs, a manager reads plain English."""
    ask = Ask(tuple(Seat(RoleName(role), count) for role, count in seats))
    assert judged(folder((None, ask)), {}).policy.because == f"rule 1 of payments.refund: always, so {told}"


@pytest.mark.parametrize(
    ("channels", "expected"),
    [
        ({}, None),
        ({"default": "C0", "announcements": "CA"}, "C0"),
        ({"default": "C0", "support_manager": "C1"}, "C1"),
        ({"default": "C0", "support_manager": "C1", "payments.refund": "C2"}, "C2"),
    ],
)
def test_channel_is_the_nearest_named(channels: dict[str, str], expected: str | None) -> None:
    """The tool's channel comes before the role's, and that before the default."""
    assert judged(folder((None, TWO), channels=channels), {}).channel == expected


def test_explain_shows_every_rule() -> None:
    """Each rule says matched, not matched, or why it could not be decided, and what it would do."""
    explanation = explain(FOUNDING, draft({"amount_usd": 180}), AGENT, START)
    shown = [(each.rule.index, each.outcome, each.why, each.says) for each in explanation.rules]
    assert shown == [
        (1, "not matched", "", "it is allowed"),
        (2, "undetermined", "customer_tier is missing", "it is allowed"),
        (3, "matched", "", "two people in the role support_manager must approve"),
    ]
    assert explanation.result == judged(FOUNDING, {"amount_usd": 180})
    assert explanation.rules[1].rule.condition_text == "amount_usd <= 200 and customer_tier == 'enterprise'"


def test_explain_without_a_policy() -> None:
    """A tool without a file has no rules to show."""
    explanation = explain(FOUNDING, draft({}, tool=ToolName("keys.rotate")), AGENT, START)
    assert explanation.rules == ()


def test_version_and_policy_stay_with_the_requirement() -> None:
    """The folder's version is pinned in what it decides."""
    renamed: PolicyFolder = replace(FOUNDING, version="sha256:other")
    assert judged(renamed, {}).policy.version == "sha256:other"


def test_nearest_name() -> None:
    """A slip finds its name; nonsense, and a name of any length, finds nothing."""
    assert nearest("suport_manager", ["finance", "support_manager"]) == "support_manager"
    assert nearest("zzz", ["finance"]) is None
    assert nearest("finance" * 100_000, ["finance"]) is None
