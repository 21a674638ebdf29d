"""`policy check | explain`: each fault with file, line and column, and what a policy would say."""

import json
import shutil

import pytest

from tests.bot.cli.shell import Shell
from tests.world import EXAMPLES

REFUND = {"tool": "payments.refund", "arguments": {"amount_usd": 180}, "context": {"facts": {"customer_tier": "pro"}}}


@pytest.fixture
def written(shell: Shell) -> Shell:
    """A shell in a folder with the example policy."""
    shutil.copytree(EXAMPLES, shell.folder / "policy")
    return shell


def test_a_good_folder(written: Shell) -> None:
    """A line a tool on standard output, the verdict beside it; JSON for programs; a folder may be named."""
    ended = written("policy", "check")
    assert ended.code == 0
    assert ended.out == "payments.refund\t3\tcard_number, bank_account\t365\t-\t-\tlive\t-\n"
    assert ended.err.startswith("Good: 1 tool, 1 role, version sha256:")
    ended = written("policy", "check", "--json", str(EXAMPLES))
    assert [{name: row[name] for name in row if name != "dangers"} for row in ended.json()] == [
        {
            "tool": "payments.refund",
            "rules": 3,
            "redacts": ["card_number", "bank_account"],
            "retain_days": 365,
            "action_tier": None,
            "contract": None,
            "mode": "live",
            "class": None,
        }
    ]
    assert ended.err == ""


def test_a_fault_has_its_place(written: Shell) -> None:
    """File, line and column, in words and in JSON, with exit code 1."""
    (written.folder / "policy" / "mail.yml").write_text(
        "policy:\n  tool: mail\n  rules: [{allow: true, bloc: 1}]\n", "utf-8"
    )
    ended = written("policy", "check")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("policy/mail.yml:3:25: a rule has no 'bloc'; did you mean 'block'?")
    (fault,) = written("policy", "check", "--json").json()
    assert (fault["file"], fault["line"], fault["column"]) == ("policy/mail.yml", 3, 25)


@pytest.mark.parametrize(
    "asks",
    [
        "require_approval: {role: boss, step_up: passkey}",
        "{if: 'a > 1', allow: {share: 5 %, else: {role: boss, step_up: passkey}}}",
        "{block: true, initiate: boss}",
        "{block: true, initiate: {role: boss, step_up: totp, then: {role: boss, step_up: passkey}}}",
    ],
)
def test_passkeys_without_a_page_are_a_fault_with_its_place(written: Shell, asks: str) -> None:
    """Where FOUREYES_PUBLIC_URL is not set nobody could approve, so the check says where, as the start would refuse."""
    folder = written.folder / "policy"
    (folder / "roles.yml").write_text(
        "roles: {support_manager: {users: [U0AAA, U0BBB]}, boss: {users: [U0A, U0B, U0C]}}\n"
    )
    (folder / "mail.yml").write_text(
        f"policy:\n  tool: mail\n  rules:\n    - if: a < 0\n      block: true\n    - {asks}\n"
    )
    ended = written("policy", "check")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("policy/mail.yml:6:7: rule 2 asks for a passkey, and FOUREYES_PUBLIC_URL is not set;")
    (fault,) = written("policy", "check", "--json").json()
    assert (fault["file"], fault["line"], fault["column"]) == ("policy/mail.yml", 6, 7)
    written.set(FOUREYES_PUBLIC_URL="https://approvals.example.com")
    assert written("policy", "check").code == 0


def test_no_folder_says_how_to_make_one(shell: Shell) -> None:
    """The first command of a newcomer may be this one."""
    ended = shell("policy", "check")
    assert ended.code == 1
    assert "'foureyes init' makes a folder, FOUREYES_POLICY names another" in ended.err


def test_a_folder_of_roles_alone_blocks_everything_and_says_so(written: Shell) -> None:
    """A policy folder without a policy is allowed, and nobody is left in doubt what it does."""
    (written.folder / "policy" / "payments.refund.yml").unlink()
    ended = written("policy", "check")
    assert ended.code == 0
    assert "The folder has no policy: every proposal will be blocked." in ended.err


def test_check_names_dangers(written: Shell) -> None:
    """What may come into force and should be looked at is said, and fails only where that is asked for."""
    ended = written("policy", "check")
    assert ended.code == 0
    assert "Danger: payments.refund.yml, rule 1: allows amount_usd below 0; add `amount_usd > 0`" in ended.err
    assert written("policy", "check", "--strict").code == 1
    (row,) = written("policy", "check", "--json").json()
    assert [danger.partition(":")[0] for danger in row["dangers"]] == [
        "payments.refund.yml",
        "payments.refund.yml, rule 1",
        "payments.refund.yml, rule 2",
    ]
    page = (
        "policy: {tool: payments.refund, contract: {properties: {amount_usd: {type: number}}},"
        " rules: [{if: amount_usd > 0 and amount_usd <= 5, allow: true}]}"
    )
    (written.folder / "policy" / "payments.refund.yml").write_text(page, "utf-8")
    assert written("policy", "check", "--strict").code == 0


def test_explain_reads_as_lines(written: Shell) -> None:
    """Each rule with its outcome and what it saw, then the verdict and the nearest rule; from text or from a file."""
    text = json.dumps(REFUND)
    ended = written("policy", "explain", text)
    assert ended.code == 0
    *rules, verdict, nearest = ended.out.splitlines()
    assert len([line for line in rules if line.startswith("Rule ")]) == 3
    assert '    saw      amount_usd 180, customer_tier "pro"' in rules
    assert verdict.startswith("=> asked: ")
    assert nearest == "Rule 1 would have allowed it if amount_usd were at most 50; it is 180."
    (written.folder / "proposal.json").write_text(text, "utf-8")
    assert written("policy", "explain", "proposal.json").out == ended.out
    found = written("policy", "explain", "proposal.json", "--json", "--policy", str(EXAMPLES)).json()
    assert found["would_be"] == "asked"
    assert found["seats"] == [{"role": "support_manager", "count": 2}]
    assert found["policy"]["version"].startswith("sha256:")


@pytest.mark.parametrize(
    ("amount", "would_be"), [("50", "allowed"), ("50.01", "asked"), ("50.00000001", "asked"), ('"x"', "asked")]
)
def test_explain_reads_numbers_to_the_digit(written: Shell, amount: str, would_be: str) -> None:
    """The answer is that of the API: a hair over the limit is over the limit."""
    text = json.dumps(REFUND).replace("180", amount)
    assert written("policy", "explain", text, "--json").json()["would_be"] == would_be


def test_what_is_in_shadow_is_said_and_its_rules_are_tested_as_ever(written: Shell) -> None:
    """`check` names the mode; `explain` and the cases tell what the rules say, not that people are asked meanwhile."""
    page = written.folder / "policy" / "payments.refund.yml"
    page.write_text(page.read_text("utf-8").replace("  rules:", "  mode: shadow\n  rules:"), "utf-8")
    assert "\tshadow\t" in written("policy", "check").out
    text = json.dumps(REFUND).replace("180", "42")
    ended = written("policy", "explain", text)
    assert "=> allowed: rule 1 of payments.refund" in ended.out
    assert ended.out.endswith("The tool is in shadow: people are asked all the same, and nothing is ever executed.\n")
    found = written("policy", "explain", "--json", text).json()
    assert (found["would_be"], found["seats"], found["shadow"]) == ("allowed", [], True)
    assert found["policy"]["rule"] == "payments.refund#1"
    shutil.copytree(EXAMPLES / "cases", written.folder / "policy" / "cases", dirs_exist_ok=True)
    assert written("policy", "test").code == 0


def test_explain_says_a_contradiction(written: Shell) -> None:
    """One name with two values is refused, as the API does."""
    body = {**REFUND, "context": {"facts": {"customer_tier": "pro", "amount_usd": 20}}}
    ended = written("policy", "explain", json.dumps(body))
    assert ended.code == 0
    assert "=> refused: /context/facts/amount_usd: the arguments give this name another value" in ended.out


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("nofile", "'nofile': No such file or directory; give an id, a file, or JSON text that begins with {"),
        (".", "'.': Is a directory"),
        ("binary", "'binary': not text"),
        ("{", "this is no proposal: "),
        ("{}", "this is no proposal: /tool this field is required; add it; /arguments"),
        ('{"tool": "a.b", "arguments": {}, "extra": 1}', "/extra"),
        ('{"tool": "a.b", "arguments": {"x": 50.0000000000000001}}', "/arguments/x: this number cannot be carried"),
        ('{"tool": "a.b", "tool": "c.d", "arguments": {}}', "this is no proposal: "),
    ],
)
def test_what_is_no_proposal_is_a_usage_error(written: Shell, given: str, told: str) -> None:
    """A wrong file or body is named with what is wrong in it."""
    (written.folder / "binary").write_bytes(b"\xff\xfe")
    ended = written("policy", "explain", given)
    assert (ended.code, ended.out) == (2, "")
    assert told in ended.err


def test_explain_with_a_broken_folder_is_not_ready(written: Shell) -> None:
    """Every fault of the folder is told, and no verdict."""
    (written.folder / "policy" / "mail.yml").write_text("policy: []", "utf-8")
    ended = written("policy", "explain", json.dumps(REFUND))
    assert (ended.code, ended.out) == (3, "")
    assert ended.err.startswith("foureyes: policy/mail.yml:1:")


def test_nothing_hostile_in_a_proposal_reaches_the_terminal_raw(written: Shell) -> None:
    """A value with escape sequences is shown as text."""
    body = {**REFUND, "context": {"facts": {"customer_tier": "\x1b[2J\x9b"}}}
    ended = written("policy", "explain", json.dumps(body))
    assert all(char.isprintable() or char == "\n" for char in ended.out)


def test_explain_and_check_show_the_contract(shell: Shell) -> None:
    """`check` names where the contract stands; `explain` says what breaks it, in words and as data."""
    shutil.copytree(EXAMPLES.parent / "contracts", shell.folder / "policy")
    (row,) = shell("policy", "check", "--json").json()
    assert row["contract"] == "contracts/payments.refund.json"
    ended = shell("policy", "explain", json.dumps(REFUND))
    assert ended.code == 0
    assert "=> refused: contract-violation: /arguments/order_id missing: a payment needs it" in ended.out
    found = shell("policy", "explain", "--json", json.dumps(REFUND)).json()
    assert found["would_be"] == "refused"
    assert [error["pointer"] for error in found["errors"]] == ["/arguments/order_id", "/arguments/idempotency_key"]
    good = {**REFUND, "arguments": {"amount_usd": 180, "order_id": "ORD-1234", "idempotency_key": "key-12345"}}
    assert shell("policy", "explain", "--json", json.dumps(good)).json()["would_be"] == "asked"
    unknown = {**REFUND, "tool": "mail.send"}
    assert shell("policy", "explain", "--json", json.dumps(unknown)).json()["would_be"] == "blocked"
