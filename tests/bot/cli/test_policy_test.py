"""`policy test`: cases beside the policy, failures that can be read, JUnit's XML, and rules that no case reaches."""

import shutil
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.bot.cli.shell import Shell
from tests.world import EXAMPLES

NASTY = "\x1b]0;owned\x07\x1b[2J\u202e\x9b31m"
GOOD = """\
- name: small
  arguments: {amount_usd: 20}
  facts: {customer_tier: pro}
  expect: allowed
  rule: 1
- name: large
  arguments: {amount_usd: 180}
  facts: {customer_tier: pro}
  expect: asked
  rule: 3
  approvals: 2
  roles: [support_manager]
  because: amount_usd > 50
"""
ENTERPRISE = """\
- {name: enterprise, arguments: {amount_usd: 180}, facts: {customer_tier: enterprise}, expect: allowed, rule: 2}
"""
BAD = """\
- name: a pro gets 180 at once
  arguments: {amount_usd: 180}
  facts: {customer_tier: pro}
  expect: allowed
  rule: 1
- {name: three of them, arguments: {amount_usd: 180}, facts: {customer_tier: pro}, expect: asked, approvals: 3}
- {name: finance, arguments: {amount_usd: 180}, facts: {customer_tier: pro}, expect: asked, roles: [finance]}
- name: both
  arguments: {amount_usd: 180}
  facts: {customer_tier: pro}
  expect: asked
  roles: [support_manager, finance]
- {name: another rule, arguments: {amount_usd: 20}, facts: {customer_tier: pro}, expect: allowed, rule: 2}
- {name: a reason, arguments: {amount_usd: 20}, facts: {customer_tier: pro}, expect: allowed, because: on Sundays}
- {name: two tiers, arguments: {amount_usd: 20, customer_tier: pro}, facts: {customer_tier: x}, expect: allowed}
"""
FAILURES = (
    "cases/payments.refund.yml:1 a pro gets 180 at once: expected allowed by rule 1, got asked 2 support_manager by",
    "cases/payments.refund.yml:6 three of them: expected asked 3 people, got asked 2 support_manager by rule 3 because",
    "cases/payments.refund.yml:7 finance: expected asked finance, got asked 2 support_manager by rule 3 because",
    "cases/payments.refund.yml:8 both: expected asked 1 support_manager and 1 finance, got asked 2 support_manager by",
    "cases/payments.refund.yml:13 another rule: expected allowed by rule 2, got allowed by rule 1 because rule 1",
    "cases/payments.refund.yml:14 a reason: expected allowed because of 'on Sundays', got allowed by rule 1 because",
    "cases/payments.refund.yml:15 two tiers: expected allowed, got refused because /context/facts/customer_tier: the",
)


@pytest.fixture
def policy(shell: Shell) -> Path:
    """A policy folder without cases, where commands look for one."""
    folder = shell.folder / "policy"
    folder.mkdir()
    for name in ("payments.refund.yml", "roles.yml"):
        shutil.copy(EXAMPLES / name, folder)
    return folder


def put(policy: Path, text: str, name: str = "payments.refund.yml") -> None:
    """Write a file of cases."""
    (policy / "cases").mkdir(exist_ok=True)
    (policy / "cases" / name).write_text(text, "utf-8")


def test_cases_that_hold(shell: Shell, policy: Path) -> None:
    """One line and exit 0; a rule that no case reaches is told, and fails only where that is asked for."""
    put(policy, GOOD)
    ended = shell("policy", "test")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == (
        "no case reaches rule 2 of payments.refund: amount_usd <= 200 and customer_tier == 'enterprise'\n"
        "2 cases: 2 as expected, 0 not; 2 of 3 rules reached.\n"
    )
    assert shell("policy", "test", "--require-coverage").code == 1
    put(policy, GOOD + ENTERPRISE)
    ended = shell("policy", "test", str(policy), "--require-coverage")
    assert (ended.code, ended.out) == (0, "3 cases: 3 as expected, 0 not; 3 of 3 rules reached.\n")


def test_a_rule_that_only_could_not_be_decided_is_not_reached(shell: Shell, policy: Path) -> None:
    """A case without a tier names rule 1 as its reason; it does not try it."""
    put(policy, "- {name: a, arguments: {amount_usd: 20}, expect: asked, rule: 1}")
    missing = shell("policy", "test", "--json").json()["rules_without_a_case"]
    assert [row["rule"] for row in missing] == [1, 2, 3]


def test_failures_can_be_read(shell: Shell, policy: Path) -> None:
    """Where the case stands, what was expected, what came and why: one line each, and exit 1."""
    put(policy, BAD)
    ended = shell("policy", "test")
    assert ended.code == 1
    lines = ended.out.splitlines()
    for line, told in zip(lines, FAILURES, strict=False):
        assert line.startswith(told)
    assert lines[-1] == "7 cases: 0 as expected, 7 not; 2 of 3 rules reached."
    found = shell("policy", "test", "--json").json()
    assert (found["cases"], len(found["failures"]), found["rules"]) == (7, 7, 3)
    assert found["failures"][1] == {
        "file": "cases/payments.refund.yml",
        "line": 6,
        "name": "three of them",
        "expected": "asked 3 people",
        "got": "asked 2 support_manager by rule 3",
        "because": found["failures"][0]["because"],
    }
    assert found["version"].startswith("sha256:")


def test_what_the_api_would_turn_away_is_refused(shell: Shell, policy: Path) -> None:
    """A case is read as the API reads a body: what it could not carry is no proposal, and the place says so."""
    put(
        policy,
        "- {name: a, arguments: {amount_usd: 1.0e+400}, expect: refused, because: /arguments/amount_usd}\n"
        "- {name: b, arguments: {}, run: {tier: pro}, expect: refused, because: /run/tier}\n"
        "- {name: c, tool: No Tool, arguments: {}, expect: refused, because: /tool}\n",
    )
    assert shell("policy", "test").code == 0


def test_time_agent_and_counters_are_those_of_the_case(shell: Shell, policy: Path) -> None:
    """A rule about the hour, about who asks and about what went before is tried without a clock and a database."""
    rules = """policy:
  tool: payments.refund
  rules:
    - if: "now.hour >= 22"
      block: at night
    - if: "count(24h) >= 5"
      block: too many
    - if: "agent.name == 'night-bot'"
      allow: true
    - require_approval: support_manager
"""
    (policy / "payments.refund.yml").write_text(rules, "utf-8")
    put(
        policy,
        "- {name: a, arguments: {}, at: 2026-01-07T23:00:00Z, expect: blocked, rule: 1}\n"
        "- {name: b, arguments: {}, counters: {count(24h): 5}, expect: blocked, rule: 2}\n"
        "- {name: c, arguments: {}, counters: {count(24h): 4}, agent: night-bot, expect: allowed, rule: 3}\n"
        "- {name: d, arguments: {}, counters: {count(24h): 4}, expect: asked, rule: 4}\n"
        "- {name: nobody counted, arguments: {}, agent: night-bot, expect: asked, rule: 2}\n",
    )
    ended = shell("policy", "test", "--require-coverage")
    assert (ended.code, ended.out) == (0, "5 cases: 5 as expected, 0 not; 4 of 4 rules reached.\n")


def test_junit_counts_what_was_told(shell: Shell, policy: Path) -> None:
    """Valid XML with a suite a file, whose counts are those of the cases; a rule without one counts where asked for."""
    put(policy, BAD)
    put(policy, '{"tool": "payments.refund", "name": "x", "arguments": {}, "expect": "asked"}', "a.jsonl")
    assert shell("policy", "test", "--junit", "out.xml", "--require-coverage").code == 1
    root = ET.parse(shell.folder / "out.xml").getroot()  # noqa: S314 - written a moment ago by the product
    assert root.tag == "testsuites"
    assert {(suite.get("name"), suite.get("tests"), suite.get("failures")) for suite in root} == {
        ("cases/a.jsonl", "1", "0"),
        ("cases/payments.refund.yml", "7", "7"),
        ("rules without a case", "1", "1"),
    }
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("9", "8", "0")
    failure = root.find("./testsuite/testcase[@name='three of them']/failure")
    assert failure is not None
    assert failure.get("message") == "expected asked 3 people, got asked 2 support_manager by rule 3"
    assert (failure.text or "").startswith("cases/payments.refund.yml:6 three of them: ")
    shell("policy", "test", "--junit", "out.xml")
    assert ET.parse(shell.folder / "out.xml").getroot().get("failures") == "7"  # noqa: S314 - likewise


def test_nothing_hostile_in_a_case_reaches_the_terminal_or_the_xml_raw(shell: Shell, policy: Path) -> None:
    """A case may hold what somebody else wrote: it is shown as text, and the XML stays XML."""
    words = NASTY.encode("unicode_escape").decode().replace("\\x", "\\u00")
    put(
        policy,
        f'{{"tool": "payments.refund", "name": "n {words} <b>&", "arguments": {{"{words}": 1}}, "facts": {{"{words}":'
        f' 2}}, "expect": "allowed", "because": "{words}"}}',
        "denied.jsonl",
    )
    ended = shell("policy", "test", "--junit", "out.xml")
    assert ended.code == 1
    assert "expected allowed because of" in ended.out
    assert all(char.isprintable() or char == "\n" for char in ended.out + ended.err)
    text = (shell.folder / "out.xml").read_text("utf-8")
    assert all(char.isprintable() or char == "\n" for char in text)
    case = ET.fromstring(text).find("./testsuite/testcase")  # noqa: S314 - likewise
    assert case is not None
    assert "<b>&" in str(case.get("name"))
    put(policy, f'{{"{words}": 1}}', "denied.jsonl")
    ended = shell("policy", "test")
    assert ended.code == 1
    assert all(char.isprintable() or char == "\n" for char in ended.out + ended.err)


def test_a_fault_in_the_cases_has_its_place(shell: Shell, policy: Path) -> None:
    """File, line, column and the nearest name, in words and in JSON; no case of the folder is run."""
    put(policy, GOOD + "- {name: a, arguments: {}, exepct: asked}\n")
    ended = shell("policy", "test")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith(
        "policy/cases/payments.refund.yml:14:28: a case has no 'exepct'; did you mean 'expect'?"
    )
    (fault,) = shell("policy", "test", "--json").json()
    assert (fault["line"], fault["column"]) == (14, 28)


def test_no_case_is_a_failure(shell: Shell, policy: Path) -> None:
    """A job in CI that tested nothing must not be green."""
    ended = shell("policy", "test")
    assert ended.code == 1
    assert ended.out.endswith("0 cases: 0 as expected, 0 not; 0 of 3 rules reached.\n")
    assert ended.err == "There are no cases; put some into policy/cases, one file a tool.\n"
    (policy / "payments.refund.yml").write_text("policy: []", "utf-8")
    assert shell("policy", "test").code == 3
