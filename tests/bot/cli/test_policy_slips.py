"""The cases of the refund template are a net: a slip in its rules or its contract fails `foureyes policy test`."""

import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.cli.testing import met
from bot.policy_cases import Case, read_folder
from bot.policy_files import load
from bot.replay.judging import judge
from tests.architecture.source_tree import ROOT

TEMPLATE = ROOT / "bot" / "templates" / "policies" / "refunds"
RULES = "payments.refund.yml"
CONTRACT = "contracts/payments.refund.json"
SLIPS = [
    (RULES, '"amount_usd > 200"', '"amount_usd >= 200"'),
    (RULES, '"amount_usd > 200"', '"amount_usd > 200.01"'),
    (RULES, "amount_usd <= 50 and", "amount_usd < 50 and"),
    (RULES, "amount_usd <= 50 and", "amount_usd <= 50.01 and"),
    (RULES, "and not incident and", "and"),
    (RULES, "+ amount_usd <= 100", "+ amount_usd < 100"),
    (RULES, "+ amount_usd <= 100", "+ amount_usd <= 100.01"),
    (RULES, "+ amount_usd <= 100", "<= 100"),
    (RULES, '["support_manager", "finance_lead"]', '["support_manager", "support_manager"]'),
    (RULES, "role: support_manager", "approvals: 3\n        role: support_manager"),
    (RULES, "        backup: finance_lead", "#"),
    (CONTRACT, '"maximum": 500', '"maximum": 500.01'),
    (CONTRACT, '"maximum": 500', '"maximum": 499.99'),
    (CONTRACT, '"exclusiveMinimum": 0', '"minimum": 0'),
    (CONTRACT, ', "multipleOf": 0.01', ""),
    (CONTRACT, '"order_id", "customer_id", "amount_usd"', '"order_id", "amount_usd"'),
    (CONTRACT, '"minLength": 8', '"minLength": 7'),
    (CONTRACT, '"minLength": 8', '"minLength": 9'),
    (CONTRACT, '"maxLength": 128', '"maxLength": 129'),
    (CONTRACT, '"maxLength": 32', '"maxLength": 33'),
    (CONTRACT, '"maxLength": 64', '"maxLength": 65'),
    (CONTRACT, '"damaged", "late"', '"damaged", "late", "stolen"'),
    (CONTRACT, '"damaged", "late"', '"late"'),
    (CONTRACT, '"type": "object",', '"type": "object", "additionalProperties": true,'),
]


@pytest.fixture(scope="module")
def cases() -> Sequence[Case]:
    """The template's cases."""
    return read_folder(TEMPLATE, {"payments.refund"})


def test_a_golden_set_comes_with_the_template(cases: Sequence[Case]) -> None:
    """More than two hundred cases, most of them hostile or at a bound; enough of each outcome."""
    counts = Counter(case.expect.outcome for case in cases)
    assert counts.total() >= 200
    assert min(counts[outcome] for outcome in ("allowed", "asked", "refused")) >= 30


@pytest.mark.parametrize(("file", "good", "slip"), [(RULES, "policy:", "policy:"), *SLIPS])
def test_a_slip_is_found(tmp_path: Path, cases: Sequence[Case], file: str, good: str, slip: str) -> None:
    """A cent more, a role less, a forgotten condition: some case comes out otherwise. Without a slip none does."""
    policy = Path(shutil.copytree(TEMPLATE, tmp_path / "policy"))
    text = (policy / file).read_text("utf-8")
    assert good in text
    (policy / file).write_text(text.replace(good, slip, 1), "utf-8")
    folder = load(policy)
    assert any(not met(case.expect, judge(folder, case)) for case in cases) is (good != slip)
