"""What lets more through than a reader thinks is named by `policy check`, with the remedy; what is tight is not."""

from pathlib import Path

import pytest

from bot.policy_files import load
from bot.policy_lint import dangers
from tests.bot.test_policy_files import Write, write
from tests.bot.test_policy_lint import told

__all__ = ["write"]  # the fixture
ALLOW, BLOCK, ASK = "allow: true", "block: true", "require_approval: manager"
CASES = [
    ("to.ends_with('example.com')", ALLOW, "ends with evil-example.com"),
    ("not f and to.ends_with('example.co.uk')", ALLOW, "ends with evil-example.co.uk"),
    ("to.ends_with('@example.com')", ALLOW, None),
    ("to.ends_with('.example.com')", ALLOW, None),
    ("file.ends_with('.pdf')", ALLOW, None),
    ("note.ends_with('plus')", ALLOW, None),
    ("to.ends_with('example.com')", ASK, None),
    ("url.starts_with('https://example.com')", ALLOW, "such as https://example.com.evil"),
    ("url.starts_with('https://example.com/')", ALLOW, None),
    ("path.starts_with('/srv/data')", ALLOW, "goes on after /srv/data"),
    ("path.starts_with('/srv/data/')", ALLOW, None),
    ("id.starts_with('ORD-')", ALLOW, None),
    ("s < 'm1'", ALLOW, "puts s in order letter by letter"),
    ("'m1' >= s", ALLOW, "puts s in order letter by letter"),
    ("now.time >= '09:00' and now.date < '2027-01-01'", ALLOW, None),
    ("s < 'm1'", ASK, None),
    ("s != 'banned'", ALLOW, "allows every s but"),
    ("o.s not in ['a', 'b']", ALLOW, "allows every o.s but"),
    ("s != 'banned' and s in ['a', 'b']", ALLOW, None),
    ("f != true and n != 5", ALLOW, None),
    ("environment != 'production'", ALLOW, "in every environment that has another name"),
    ("environment not in ['production', 'staging']", ALLOW, "in every environment"),
    ("environment in ['dev', 'staging']", ALLOW, None),
    ("now.weekday != 'sunday'", ALLOW, None),
    ("agent.name == 'x'", BLOCK, None),
    ("n > 5 or country in ['KP', 'SY']", BLOCK, "blocks a country that is written exactly so"),
    ("o.country == 'KP'", BLOCK, "blocks a o.country that is written exactly so"),
    ("country == other", BLOCK, None),
    ("n == 5", BLOCK, None),
    ("country == 'KP'", ASK, None),
    ("country == '\u0421U'", ASK, "letter (U+0421) looks like another"),
    ("country in ['US', '\u0455\u0435']", ALLOW, "letter (U+0455) looks like another"),
    ("s == '\uff21'", ASK, "letter (U+FF21) looks like another"),
    ("city == '\u041c\u043e\u0441\u043a\u0432\u0430'", ASK, None),
    ("city == 'Z\u00fcrich'", ASK, None),
    ("f or not f", BLOCK, "always holds, whatever f is"),
    ("n > 5 or n <= 5", ASK, "always holds, whatever n is"),
]


@pytest.mark.parametrize(("condition", "verdict", "said"), CASES)
def test_traps(write: Write, condition: str, verdict: str, said: str | None) -> None:
    """Each trap is named where it is one, and nothing is said of the way that is right."""
    found = told(write, f'[{{if: "{condition}", {verdict}}}]')
    assert [line for line in found if said is not None and said in line] == found


def test_a_rule_that_always_matches_is_no_trap(write: Write) -> None:
    """It has no condition that could be misread."""
    assert told(write, f"[{{{ASK}}}]") == []


@pytest.mark.parametrize(
    ("more", "condition", "verdict"),
    [
        ("contract: {properties: {country: {enum: [KP, DE]}}}", "country == 'KP'", BLOCK),
        ("contract: {properties: {country: {enum: [KP, DE]}}}", "country != 'KP'", ALLOW),
        ("contract: {properties: {o: {type: object, properties: {c: {enum: [a, b]}}}}}", "o.c != 'a'", ALLOW),
        ("facts: {country: {url: 'https://crm.example.com/c'}}", "country == 'KP'", BLOCK),
        ("facts: {country: {url: 'https://crm.example.com/c'}}", "country != 'KP'", ALLOW),
    ],
)
def test_what_an_agent_cannot_choose_is_no_trap(tmp_path: Path, more: str, condition: str, verdict: str) -> None:
    """A list of values in the contract, or a value that the server looks up, is written in one way only."""
    rules = f'rules: [{{if: "{condition}", {verdict}}}]'
    (tmp_path / "pay.yml").write_text(f"policy:\n  tool: pay\n  {more}\n  {rules}\n", "utf-8")
    assert [danger for danger in map(str, dangers(load(tmp_path))) if "exactly so" in danger] == []


@pytest.mark.parametrize(
    ("schema", "log", "said"),
    [
        ("id: {type: string, pattern: 'ORD-[0-9]+'}", "", "the pattern ORD-[0-9]+ need not match"),
        ("id: {type: string, pattern: '^ORD-[0-9]+'}", "", "the pattern ^ORD-[0-9]+ need not match"),
        ("id: {type: string, pattern: '^a|b$'}", "", "the pattern ^a|b$ need not match"),
        ("id: {type: string, pattern: '^a[)]|b$'}", "", "the pattern ^a[)]|b$ need not match"),
        ("id: {type: string, pattern: '^cost \\$'}", "", "need not match"),
        ("l: {type: array, items: {type: string, pattern: xy}}", "", "the pattern xy need not match"),
        ("id: {type: string, pattern: '^(?:a|b)[c|d]\\|e$'}", "", None),
        ("pattern: {type: string}", "", None),
        ("id: {type: string, pattern: '\\S'}", "", None),
        ("card: {type: string}", "crad", "hides crad, as no field is called; did you mean card?"),
        ("o: {type: object, properties: {card: {type: string}}}", "card", None),
        ("card: {type: string}", "iban", None),
    ],
)
def test_traps_of_a_contract(tmp_path: Path, schema: str, log: str, said: str | None) -> None:
    """A pattern that matches somewhere in a text, and a field that is hidden under a name that nothing has."""
    hidden = f"\n    - log: {{redact_fields: [{log}]}}" if log else ""
    text = f"policy:\n  tool: pay\n  contract: {{properties: {{{schema}}}}}\n  rules:\n    - block: true{hidden}\n"
    (tmp_path / "pay.yml").write_text(text, "utf-8")
    found = [str(danger) for danger in dangers(load(tmp_path))]
    assert [line for line in found if said is not None and said in line] == found
    assert len(found) == (said is not None)
