"""Cases are read to the digit or refused with their place: a case that means something else proves nothing."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bot.cli.testing import run
from bot.policy_cases import NOON, CaseFaultsError, read_file, read_folder

EXAMPLE = Path(__file__).parents[2] / "examples" / "policy"
TOOLS = ("pay", "mail.send")
GOOD = '{"name": "a", "arguments": {}, "expect": "asked"}'

Read = Callable[..., Any]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Read one file of cases by its content and its name."""

    def reading(content: str | bytes, name: str = "pay.yml") -> Any:  # noqa: ANN401 - a list, or what a raise leaves
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_file(path, TOOLS)

    return reading


def faults(read: Read, content: str | bytes, name: str = "pay.yml") -> list[str]:
    """Give what is wrong with a file, without its folder."""
    with pytest.raises(CaseFaultsError) as caught:
        read(content, name)
    return [f"{Path(each.file).name}:{each.line}:{each.column}: {each.detail}" for each in caught.value.faults]


def test_a_case_says_who_asks_for_what_when_and_what_should_come(read: Read) -> None:
    """Every field arrives; YAML and JSON lines say the same."""
    yaml = """
- name: a large one
  arguments: {amount: 180.10, tags: [a, 1, true, null]}
  facts: {tier: pro}
  counters: {"count(24h)": 3, "sum(amount, 7d by customer)": 12.50}
  run: {tokens: 5}
  agent: night-bot
  environment: staging
  incident: true
  at: 2026-01-31T13:30:00+01:00
  expect: asked
  rule: 3
  approvals: 2
  roles: [manager, finance]
  backup: lead
  because: more than
  note: as agreed in March
"""
    line = (
        '{"name": "a large one", "arguments": {"amount": 180.10, "tags": ["a", 1, true, null]}, "facts": {"tier":'
        ' "pro"}, "counters": {"count(24h)": 3, "sum(amount, 7d by customer)": 12.50}, "run": {"tokens": 5}, "agent":'
        ' "night-bot", "environment": "staging", "incident": true,'
        ' "at": "2026-01-31T12:30:00Z", "expect": "asked", "rule": 3, "approvals": 2, "roles": ["manager",'
        ' "finance"], "backup": "lead", "because": "more than", "note": "as agreed in March"}\n\n'
    )
    (one,), (other,) = read(yaml), read(line, "pay.jsonl")
    assert (one.line, other.line) == (2, 1)
    assert one.body == other.body
    assert one.body == {
        "tool": "pay",
        "arguments": {"amount": Decimal("180.10"), "tags": ["a", 1, True, None]},
        "context": {"facts": {"tier": "pro"}},
        "run": {"tokens": 5},
    }
    assert one.before == other.before
    assert one.before == {
        "environment": "staging",
        "incident": True,
        "count_24h": 3,
        "sum_amount_7d_by_customer": Decimal("12.50"),
    }
    assert (one.agent, one.at) == (other.agent, other.at)
    assert (one.agent, one.at) == ("night-bot", datetime(2026, 1, 31, 12, 30, tzinfo=UTC))
    assert one.expect == other.expect
    assert one.expect.seats == {"manager": 1, "finance": 1}
    assert one.expect.backup == "lead"


def test_what_is_left_out_means_whatever(read: Read) -> None:
    """Without a moment it is noon of one fixed Wednesday in production, so that a case says the same everywhere."""
    (case,) = read(GOOD, "pay.jsonl")
    assert (case.at, case.agent) == (NOON, "example")
    assert case.before == {"environment": "production", "incident": False}
    assert (case.expect.rule, case.expect.approvals, case.expect.roles, case.expect.seats) == (None, None, (), None)
    assert "context" not in case.body


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("50", 50),
        ("50.000000000000001", Decimal("50.000000000000001")),
        ("1.0e+400", Decimal("1.0e+400")),
        ("9" * 5000, Decimal("9" * 5000)),
        ("-0.0", Decimal("-0.0")),
        ("'50'", "50"),
        ('"true"', "true"),
        ("true", True),
        ("null", None),
        ("plain words", "plain words"),
        ("[[], {}]", [[], {}]),
    ],
)
def test_values_are_read_to_the_digit(read: Read, written: str, value: object) -> None:
    """A number is exactly what stands there, and text is text."""
    (case,) = read(f"- {{name: a, arguments: {{x: {written}}}, expect: asked}}")
    found = case.body["arguments"]["x"]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "written", ["yes", "True", "~", "", "010", "0x10", "1_000", "1e400", "1e3", "2026-01-31", ".5", ".inf", "!!str 5"]
)
def test_what_can_be_read_in_two_ways_is_refused(read: Read, written: str) -> None:
    """`yes` is text in one version of YAML and true in another: the author says which."""
    (fault,) = faults(read, f"- name: a\n  arguments: {{x: {written} }}\n  expect: asked\n")
    assert fault.startswith("pay.yml:2:")
    assert fault.endswith("arguments.x can be read in two ways; put it in quotes for text, or write it as JSON does")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "pay.yml:1:1: empty"),
        ("- {name: a, arguments: {}, incident: 'on', expect: asked}", "pay.yml:1:38: incident is true or false"),
        ("- {name: a, arguments: {}, incident: 1, expect: asked}", "pay.yml:1:38: incident is true or false"),
        ("- {name: a, arguments: {}, environment: [x], expect: asked}", "pay.yml:1:41: environment must be text"),
        ("- {name: a, arguments: {}, expect: blocked, backup: b}", "pay.yml:1:53: backup can only be expected where"),
        ("[]", "pay.yml:1:1: the file must be a list that is not empty"),
        ("a: 1", "pay.yml:1:1: the file must be a list"),
        (
            "- name: a\n  argumets: {}\n  expect: asked",
            "pay.yml:2:3: a case has no 'argumets'; did you mean 'arguments'?",
        ),
        ("- name: a\n  zzz: 1", "pay.yml:2:3: a case has no 'zzz'; write one of "),
        (
            "- {name: a, arguments: {}, expect: asked}\n- {name: a, arguments: {}, expect: asked}",
            "pay.yml:2:10: another case of this file has this name; give each its own",
        ),
        ("- {arguments: {}, expect: asked}", "pay.yml:1:3: every case needs a name of its own"),
        ("- {name: ' ', arguments: {}, expect: asked}", "pay.yml:1:10: every case needs a name"),
        (f"- {{name: {'a' * 301}, arguments: {{}}, expect: asked}}", "pay.yml:1:10: a name has at most 300 characters"),
        ("- {name: a, expect: asked}", "pay.yml:1:3: arguments must be an object, which every case needs"),
        ("- {name: a, arguments: [], expect: asked}", "pay.yml:1:24: arguments must be an object"),
        ("- {name: a, arguments: {}, facts: 1, expect: asked}", "pay.yml:1:35: facts must be an object"),
        ("- {name: a, arguments: {}, expect: 1}", "pay.yml:1:36: every case needs 'expect': allowed, asked,"),
        (
            "- {name: a, arguments: {}, expect: ask}",
            "pay.yml:1:36: expect is one of allowed, asked, blocked, refused; did you mean 'asked'?",
        ),
        ("- {name: a, arguments: {}, expect: maybe}", "pay.yml:1:36: expect is one of allowed, asked,"),
        ("- {name: a, arguments: {}, expect: asked, rule: 0}", "pay.yml:1:49: rule must be a whole number from 1"),
        ("- {name: a, arguments: {}, expect: asked, rule: true}", "rule must be a whole number"),
        (
            "- {name: a, arguments: {}, expect: allowed, approvals: 2}",
            "pay.yml:1:56: approvals can only be expected where people are asked",
        ),
        ("- {name: a, arguments: {}, expect: asked, roles: m}", "pay.yml:1:50: roles must be a list of roles"),
        ("- {name: a, arguments: {}, expect: asked, roles: []}", "roles must be a list of roles that is not empty"),
        ("- {name: a, arguments: {}, expect: asked, roles: [1]}", "roles must be a list of roles"),
        (
            "- {name: a, arguments: {}, expect: asked, roles: [m, f], approvals: 3}",
            "pay.yml:1:69: with several roles each name is one person, so approvals is 2",
        ),
        ("- {name: a, arguments: {}, at: 2026-01-31, expect: asked}", "at must be a moment with its zone, such as"),
        ("- {name: a, arguments: {}, at: 2026-13-31T12:00:00Z, expect: asked}", "at must be a moment with its zone"),
        ("- {name: a, arguments: {}, at: [], expect: asked}", "at must be a moment with its zone"),
        ("- {name: a, arguments: {}, expect: asked, because: ''}", "because must be text that is not blank"),
        ("- {name: a, arguments: {}, counters: {count: 1}, expect: asked}", "'count' is no counter; write count(24h)"),
        (
            "- {name: a, arguments: {}, counters: {'count(24h)': '1'}, expect: asked}",
            "pay.yml:1:38: count(24h) must be a number",
        ),
        ("- {name: a, arguments: {}, expect: asked\n", "pay.yml:2:1: "),
        (b"- {name: \xff}", "pay.yml:1:10: not UTF-8 from here on"),
    ],
)
def test_each_fault_has_its_place_and_what_to_do(read: Read, content: str | bytes, told: str) -> None:
    """File, line and column of exactly one fault."""
    (fault,) = faults(read, content)
    assert told in fault


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            GOOD + '\n{"name": "b", "arguments": {"expct": 1}, "expct": "asked"}',
            "pay.jsonl:2:42: a case has no 'expct'; did you mean 'expect'?",
        ),
        ('{"name": "b", "qqqq": 1}', "pay.jsonl:1:15: a case has no 'qqqq'; write one of name, "),
        ('{"name": "b", "arguments": {"x": 1e400}, "expect": "asked"}', "pay.jsonl:1:15: /arguments/x: "),
        (
            '{"name": "b", "arguments": {"x": 50.0000000000000001}, "expect": "asked"}',
            "pay.jsonl:1:15: /arguments/x: this number cannot be carried exactly",
        ),
        ('{"name": "b", "name": "c"}', "pay.jsonl:1:2: /name: this name appears twice in its object"),
        ('{"name": "b"', "pay.jsonl:1:13: not JSON: "),
        ("[1]", "pay.jsonl:1:1: a line must hold one case, as a JSON object"),
        ('{"name": "b", "expect": "no", "arguments": {}}', "pay.jsonl:1:15: expect is one of allowed"),
        ('{"expect": "asked", "arguments": {}}', "pay.jsonl:1:1: every case needs a name"),
        (b'{"name": "\xff"}', "pay.jsonl:1:11: not UTF-8 from here on"),
        ("\n \n", "pay.jsonl:1:1: holds no case"),
    ],
)
def test_each_line_of_json_has_its_place_too(read: Read, content: str | bytes, told: str) -> None:
    """The column is that of the field in its line, wherever else the name stands."""
    (fault,) = faults(read, content, "pay.jsonl")
    assert told in fault


def test_a_file_is_named_after_its_tool_or_says_it(read: Read) -> None:
    """A misspelt file would test a tool that nobody has; a collection of lines names the tool in each."""
    (fault,) = faults(read, f"- {GOOD}", "mail.sned.yml")
    assert "no policy here is for the tool mail.sned, after which the file is named; did you mean mail.send?" in fault
    (fault,) = faults(read, f"- {GOOD}", "zzz.yml")
    assert fault.endswith("named, or give the case a 'tool'")
    (fault,) = faults(read, GOOD, "denied.jsonl")
    assert fault.endswith("needs 'tool': the file is not named after a tool of the policy")
    (case,) = read('{"tool": "other", ' + GOOD[1:], "denied.jsonl")
    assert case.tool == "other"
    (fault,) = faults(read, GOOD, "pay.json")
    assert fault == "pay.json:1:1: cases are read from TOOL.yml and from .jsonl; rename it, or move it away"


def test_a_folder_gives_every_fault_of_every_file(tmp_path: Path) -> None:
    """No folder is no case; hidden files and folders are left alone; one bad file refuses them all."""
    assert read_folder(tmp_path, TOOLS) == []
    folder = tmp_path / "cases"
    (folder / "old").mkdir(parents=True)
    (folder / ".hidden.yml").write_text("[", "utf-8")
    (folder / "pay.jsonl").write_text(GOOD, "utf-8")
    assert [case.name for case in read_folder(tmp_path, TOOLS)] == ["a"]
    (folder / "pay.yml").write_text("[]", "utf-8")
    (folder / "notes.txt").write_text("x", "utf-8")
    with pytest.raises(CaseFaultsError) as caught:
        read_folder(tmp_path, TOOLS)
    assert [Path(fault.file).name for fault in caught.value.faults] == ["notes.txt", "pay.yml"]


def test_the_golden_set_of_the_refund_template_holds() -> None:
    """At least 200 cases ship, each comes out as it says, every rule is reached, and no outcome is left out."""
    tested = run(EXAMPLE)
    assert [tried.told for tried in tested.failures] == []
    assert len(tested.cases) >= 200
    assert tested.missed == []
    outcomes = Counter(tried.case.expect.outcome for tried in tested.cases)
    assert min(outcomes[outcome] for outcome in ("allowed", "asked", "refused")) >= 25
    assert outcomes["blocked"] >= 4
