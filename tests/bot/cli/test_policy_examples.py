"""What the worked examples of the documentation say is what the program does; and so with what `init` writes."""

import re
from collections import defaultdict
from collections.abc import Mapping

import pytest

from approval_rules.action_tiers import DUTIES
from bot.policy_files import load
from bot.starting import Template
from tests.architecture.source_tree import ROOT
from tests.bot.cli.shell import Shell

PAGE = (ROOT / "docs" / "policy-examples.md").read_text("utf-8")
BLOCK = re.compile(r"^```yaml\n# (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def examples() -> Mapping[str, Mapping[str, str]]:
    """Give the files of each example by its heading; those before the first heading belong to all."""
    found: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for part in PAGE.split("\n## ")[1:]:
        heading = part.split("\n", 1)[0]
        found[heading] |= dict(BLOCK.findall(PAGE.split("\n## ")[0])) | dict(BLOCK.findall(part))
    return found


def test_there_are_ten_and_every_block_is_read() -> None:
    """No block of the page is passed over because it is written in another way."""
    assert len(examples()) == 10
    assert len(BLOCK.findall(PAGE)) == PAGE.count("\n```yaml") == 21
    assert PAGE.count("```") == 42


@pytest.mark.parametrize("heading", examples())
def test_an_example_does_what_it_says(heading: str, shell: Shell) -> None:
    """Copied into a folder as it is written, it loads, every case comes out as expected and every rule is shown."""
    for name, text in examples()[heading].items():
        path = shell.folder / "policy" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    checked = shell("policy", "check")
    assert (checked.code, "Good: 1 tool" in checked.err) == (0, True), checked.err
    tested = shell("policy", "test", "--require-coverage")
    assert (tested.code, ", 0 not; " in tested.out) == (0, True), tested.out


@pytest.mark.parametrize("template", [None, *Template])
def test_a_template_is_good_from_the_first_minute(template: Template | None, shell: Shell) -> None:
    """`init` into an empty folder writes rules, roles and cases that pass every check, as they are."""
    made = shell("init", *([] if template is None else ["--template", template]))
    assert made.code == 0, made.err
    # The founding example is written down to the byte, and allows negative amounts: the check says so, rightly.
    checked = shell("policy", "check", *([] if template is None else ["--strict"]))
    assert (checked.code, checked.err.startswith("Good: 1 tool")) == (0, True), checked.err
    assert ("Danger" in checked.err) is (template is None)
    tested = shell("policy", "test", "--require-coverage")
    assert (tested.code, ", 0 not; " in tested.out) == (0, True), tested.out


def test_init_begins_with_the_founding_refund_rules(shell: Shell) -> None:
    """Without a template the policy is the documentation's first one, to the byte, with its 279 cases."""
    assert shell("init").code == 0
    for name in ("payments.refund.yml", "cases/payments.refund.yml"):
        example = ROOT / "examples" / "policy" / name
        assert (shell.folder / "policy" / name).read_bytes() == example.read_bytes()
    assert "279 cases" in shell("policy", "test").out


def test_an_unknown_template_is_refused_with_the_nearest(shell: Shell) -> None:
    """A slip writes nothing."""
    for name, hint in (("refund", "did you mean refunds?"), ("xyzzy", "there are refunds, mail,")):
        ended = shell("init", "--template", name)
        assert ended.code == 2
        assert hint in " ".join(ended.err.split())
    assert list(shell.folder.iterdir()) == []


def test_the_templates_cover_the_tiers_that_they_are_for() -> None:
    """Reading is tier 0, our own list 2, what reaches others 3, production 4."""
    folder = ROOT / "bot" / "templates" / "policies"
    tiers = {path.name: next(iter(load(path).policies.values())).tier for path in folder.iterdir()}
    assert tiers == {
        "founding": None,
        "refunds": 3,
        "mail": 3,
        "deploy": 4,
        "data-access": 3,
        "read-only": 0,
        "internal": 2,
    }


def test_the_templates_begin_with_the_founding_budget_of_a_run() -> None:
    """Eight tool calls, 20,000 tokens and a minute, until somebody who knows the agents says otherwise."""
    folder = ROOT / "bot" / "templates" / "policies"
    for template in Template:
        assert load(folder / template).budgets.per_run == {"tool_calls": 8, "tokens": 20_000, "elapsed": 60}


def test_the_documented_tiers_are_those_of_the_code() -> None:
    """What a reader is promised about each tier is what the table of the program says."""
    text = (ROOT / "docs" / "policy.md").read_text("utf-8")
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if re.match(r"\| [0-4] \|", line)
    ]
    assert [int(row[0]) for row in rows] == list(DUTIES)
    for row, duties in zip(rows, DUTIES.values(), strict=True):
        assert row[1].startswith(duties.name)
        within = duties.answer_within.total_seconds() // 60 if duties.answer_within else 0
        number, _, unit = row[4].partition(" ")
        assert int(number or 0) * (60 if unit.startswith("hour") else 1) == within
        assert row[3].startswith("two people" if duties.approvals == 2 else "one person")
        assert ("change ticket" in row[3]) is duties.ticket
        assert row[5] == f"{duties.retain_days} days"
        assert row[2].startswith(
            {"always": "always", "condition": "under", "limit": "where", "never": "never"}[duties.may_allow]
        )
