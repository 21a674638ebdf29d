"""What a tool's file makes known at load: facts, class, annotations, and rules that its contract makes pointless."""

from collections.abc import Callable
from pathlib import Path

import pytest

from approval_rules.people import Flaw, RoleName, ToolName
from approval_rules.policy import Policy
from approval_rules.verdicts import asked_by
from bot.policy_files import PolicyFolderError, load
from bot.policy_lint import dangers

CONTRACT = """  contract:
    properties:
      n: {type: number, minimum: 0, maximum: 500}
      tier: {enum: [standard, pro]}
      email: {type: string, x-touches: pii}
      scope: {x-touches: [admin, pii]}
"""
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a folder with one tool: what stands above its rules, and the rules."""

    def written(rules: str, more: str = CONTRACT) -> Path:
        (tmp_path / "pay.yml").write_text(f"policy:\n  tool: pay\n{more}  rules: {rules}\n", "utf-8")
        return tmp_path

    return written


def pay(folder: Path) -> Policy:
    """The one policy of a folder."""
    return load(folder).policies[ToolName("pay")]


def faults_of(folder: Path) -> list[tuple[int, int, str]]:
    """Load, and give what is wrong."""
    with pytest.raises(PolicyFolderError) as refused:
        load(folder)
    return [(f.line, f.column, f.detail) for f in refused.value.faults]


def test_facts_are_declared_with_their_kind(write: Write) -> None:
    """A declared fact may be read, and is known as the agent's own word."""
    facts = "  facts: {age: number, vip: boolean, region: string}\n"
    policy = pay(write("[{if: age > 18 and vip and region == 'eu', allow: true}]", CONTRACT + facts))
    assert policy.asserted == {"age", "vip", "region"}
    ((line, column, detail),) = faults_of(write("[{if: vip == 'x', allow: true}]", CONTRACT + facts))
    assert (line, column) == (10, 16)
    assert "vip is true or false, which cannot be compared with text" in detail
    assert pay(write("[{if: vip and anything > 5, allow: true}]", facts)).asserted == {"age", "vip", "region"}


def test_annotations_are_read_by_rules(write: Write) -> None:
    """touches_pii and touches_admin may be read where the contract annotates a field so."""
    policy = pay(write("[{if: touches_pii or touches_admin, block: true}]"))
    assert policy.contract is not None
    assert policy.contract.touching == {"pii": {"email", "scope"}, "admin": {"scope"}}
    assert policy.reserved == {"touches_pii", "touches_admin"}


def test_a_broken_contract_makes_no_further_faults(write: Write) -> None:
    """Which names are wrong would be a guess then: its own fault stands alone."""
    broken = "  contract: {properties: {n: {maxmum: 5}}}\n  facts: {age: number}\n"
    ((line, _, detail),) = faults_of(write("[{if: touches_pii and whatever > 5, allow: true}]", broken))
    assert line == 3
    assert "did you mean 'maximum'?" in detail


@pytest.mark.parametrize("label", ["payment", "refunds", "tier-3", "deployment", "pay", "customer_mail"])
def test_a_class_is_a_label(write: Write, label: str) -> None:
    """Any class is kept for people to read; only payment asks for more."""
    needed = "required: [order_id, idempotency_key, amount]"
    fields = "order_id: {type: string}, idempotency_key: {type: string}, amount: {type: number, maximum: 5}"
    more = f"  class: {label}\n  contract: {{{needed}, properties: {{{fields}}}}}\n"
    assert pay(write("[{block: true}]", more)).label == label
    if label != "payment":
        assert pay(write("[{block: true}]", f"  class: {label}\n")).label == label


@pytest.mark.parametrize("label", ["payments", "Payment", "PAYMENT", "paymnet", "pyment", "payement"])
def test_a_slip_of_payment_protects_nothing_and_is_refused(write: Write, label: str) -> None:
    """A class that looks like payment would be a label, and no protection."""
    ((line, column, detail),) = faults_of(write("[{block: true}]", f"  class: {label}\n"))
    assert (line, column) == (3, 10)
    assert "did you mean 'payment'?" in detail


@pytest.mark.parametrize(
    ("rules", "refused"),
    [
        ("[{if: n > 500, allow: true}]", True),
        ("[{if: n >= 500, allow: true}]", False),
        ("[{if: 'n < 0 and tier == ''pro''', allow: true}]", True),
        ("[{if: n > 500 or tier == 'pro', allow: true}]", False),
        ("[{if: n > 500, block: true}]", False),
        ("[{if: count(24h) > 500, allow: true}]", False),
    ],
)
def test_a_rule_that_the_contract_makes_pointless(write: Write, rules: str, *, refused: bool) -> None:
    """What the contract turns away reaches no rule; a block may stand all the same, as a second lock."""
    if refused:
        assert "can never be reached: the contract allows no such n" in faults_of(write(rules))[0][2]
    else:
        assert pay(write(rules)).rules


@pytest.mark.parametrize(
    ("earlier", "later", "refused"),
    [
        ("n <= 100", "n <= 50", True),
        ("n <= 100", "n < 100", True),
        ("n < 100", "n <= 100", False),
        ("n <= 100 and n > 1", "n <= 50 and n > 1 and tier == 'pro'", True),
        ("n <= 100 and n > 1", "n <= 50", False),
        ("n <= 100 and tier == 'pro'", "n <= 50", False),
        ("n <= 100 or n > 200", "n > 300", False),
        ("n <= 100", "tier == 'pro'", False),
    ],
)
def test_a_rule_below_a_wider_one(write: Write, earlier: str, later: str, *, refused: bool) -> None:
    """It would never decide, and its reader would believe that it does; only where that is certain."""
    rules = f'[{{if: "{earlier}", allow: true}}, {{if: "{later}", allow: true}}]'
    if refused:
        assert "rule 1 above matches all that this one does" in faults_of(write(rules))[0][2]
    else:
        assert len(pay(write(rules)).rules) == 2
    assert len(pay(write(rules.replace("allow", "block"))).rules) == 2


def test_the_rest_after_a_condition_is_reached(write: Write) -> None:
    """A rule without a condition takes what is left."""
    assert len(pay(write("[{if: n <= 100, allow: true}, {allow: true}]")).rules) == 2


@pytest.mark.parametrize("name", ["manager", "now", "environment"])
@pytest.mark.parametrize("place", ["the file", "the ask"])
def test_people_are_barred_by_fields_that_can_be_sent(write: Write, name: str, place: str) -> None:
    """A field that nobody can send would bar nobody, and everybody would think that it does."""
    above, inside = (f"  excluded: [{name}]\n", "") if place == "the file" else ("", f", excluded: [{name}]")
    folder = write(f"[{{require_approval: {{role: lead{inside}}}}}]", CONTRACT + above)
    (folder / "roles.yml").write_text("roles: {lead: {users: [U0ANN, U0BEN]}}\n", "utf-8")
    ((_, _, detail),) = faults_of(folder)
    assert detail == f"excluded: there is no field '{name}'; declare it under facts, or in the contract"


def test_whom_the_file_bars_no_rule_asks(write: Write) -> None:
    """What stands beside the rules holds for an ask, for a dial's people, and beside a rule's own."""
    more = f"{CONTRACT}  facts: {{manager: string, boss: string}}\n  excluded: [manager]\n"
    dial = "{if: n < 5, allow: {share: 5 %, else: {role: lead, excluded: [boss]}}}"
    folder = write(f"[{dial}, {{require_approval: lead}}, {{if: n > 400, block: true}}]", more)
    (folder / "roles.yml").write_text("roles: {lead: {users: [U0ANN, U0BEN], admits: [guest]}}\n", "utf-8")
    policy = pay(folder)
    asks = [asked_by(rule.verdict) for rule in policy.rules]
    assert [ask and ask.excluded for ask in asks] == [("manager", "boss"), ("manager",), None]
    assert policy.names_people == ("manager", "boss")
    assert load(folder).roles[RoleName("lead")].admits == {Flaw.GUEST}
    assert any("whom manager names" in str(danger) for danger in dangers(load(folder)))
