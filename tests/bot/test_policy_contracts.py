"""Contracts in a policy folder: where they stand, what is wrong with them and where, and what version they make."""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from approval_rules.people import ToolName
from approval_rules.policy import Policy
from bot.marked_yaml import MAX_BYTES
from bot.policy_files import MAX_FILES, PolicyFolderError, load
from bot.policy_watch import _stamp

EXAMPLES = Path(__file__).parents[2] / "examples" / "contracts"
SCHEMA = '{"properties": {"card": {"x-sensitive": "hash"}, "note": {"x-sensitive": "drop"}, "n": {"maximum": 5}}}'

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a folder: one tool with more lines in its policy, and contract files by name."""

    def written(more: str, contracts: dict[str, str | bytes] | None = None, rules: str = "[{allow: true}]") -> Path:
        (tmp_path / "pay.yml").write_text(f"policy:\n  tool: pay\n  rules: {rules}\n{more}", "utf-8")
        (tmp_path / "contracts").mkdir(exist_ok=True)
        for name, text in (contracts or {}).items():
            (tmp_path / "contracts" / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return tmp_path

    return written


def pay(folder: Path) -> Policy:
    """The one policy of a folder."""
    return load(folder).policies[ToolName("pay")]


def faults_of(folder: Path) -> list[tuple[str, int, int, str]]:
    """Load, and give what is wrong."""
    with pytest.raises(PolicyFolderError) as refused:
        load(folder)
    return [(str(Path(f.file).relative_to(folder)), f.line, f.column, f.detail) for f in refused.value.faults]


def test_a_contract_of_a_file_and_an_inline_one(write: Write) -> None:
    """Both hold, know where they stand, and hide their fields."""
    policy = pay(write("  contract: pay.json\n", {"pay.json": SCHEMA}))
    assert policy.contract is not None
    assert policy.contract.source == "contracts/pay.json"
    assert [breach.pointer for breach in policy.contract.breaches({"n": 6})] == ["/arguments/n"]
    assert policy.redact == ("card", "note")
    (write("") / "contracts" / "pay.json").unlink()
    policy = pay(write("  contract: {properties: {n: {maximum: 0.30, type: number}}}\n"))
    assert policy.contract is not None
    assert policy.contract.source == "inline"
    assert policy.contract.breaches({"n": 0}) == ()
    assert [breach.detail for breach in policy.contract.breaches({"n": 6})] == ["must be at most 0.3"]


def test_a_tool_without_a_contract_has_none(write: Write) -> None:
    """Nothing is asked of arguments that nobody described."""
    assert pay(write("")).contract is None


def test_the_log_item_and_the_contract_hide_together(write: Write) -> None:
    """redact_fields means mask; what both name is hidden once."""
    schema = '{"properties": {"card": {"x-sensitive": "mask"}, "note": {"x-sensitive": "drop"}}}'
    rules = "[{allow: true}, {log: {redact_fields: [iban, card]}}]"
    assert pay(write("  contract: pay.json\n", {"pay.json": schema}, rules)).redact == ("iban", "card", "note")
    rules = "[{allow: true}, {log: {redact_fields: [iban, note]}}]"
    ((file, line, column, detail),) = faults_of(write("  contract: pay.json\n", rules=rules))
    assert (file, line, column) == ("pay.yml", 3, 55)
    assert "the contract says x-sensitive: drop" in detail


def test_the_example_folder_loads() -> None:
    """The example in examples/contracts is good, and its payment needs its three fields."""
    contract = load(EXAMPLES).policies[ToolName("payments.refund")].contract
    assert contract is not None
    assert {breach.pointer for breach in contract.breaches({})} == {
        "/arguments/order_id",
        "/arguments/idempotency_key",
        "/arguments/amount_usd",
    }


@pytest.mark.parametrize(
    ("more", "line", "column", "advice"),
    [
        ("  contract: pay.jsn\n", 4, 13, "the name of a file in contracts/"),
        ("  contract: ../pay.json\n", 4, 13, "the name of a file in contracts/"),
        ("  contract: contracts/pay.json\n", 4, 13, "the name of a file in contracts/"),
        ("  contract: .json\n", 4, 13, "the name of a file in contracts/"),
        ("  contract: 5\n", 4, 13, "contract must be text"),
        ("  contract: pya.json\n", 4, 13, "there is no contracts/pya.json; did you mean 'pay.json'?"),
        ("  contract: zzzzzzz.json\n", 4, 13, "there is no contracts/zzzzzzz.json"),
        ("  contract: []\n", 4, 13, "a contract is a JSON Schema"),
        ("  contract: {}\n", 4, 13, "a contract is a JSON Schema"),
        ("  contract:\n    properties:\n      a: {maxmum: 5}\n", 6, 19, "did you mean 'maximum'?"),
        (
            "  contract:\n    properties:\n      a:\n        allOf: [{}, {type: strin}]\n",
            7,
            28,
            "did you mean 'string'?",
        ),
        ("  contract: {properties: {a: {maximum: 1_000}}}\n", 4, 40, "can be read in two ways"),
        ("  contract: {properties: {a: {enum: [yes]}}}\n", 4, 38, "can be read in two ways"),
        ("  contract: {properties: {a: {}, a: {}}}\n", 4, 34, "stands here twice"),
        ("  contract: {properties: {a/b: {pattern: '(?=a)'}}}\n", 4, 42, "look-around"),
        ("  class: payment\n", 4, 10, "needs a 'contract' that requires order_id, idempotency_key"),
        ("  class: paiment\n", 4, 10, "did you mean 'payment'?"),
        ("  class: Payment\n", 4, 10, "did you mean 'payment'?"),
        ("  class: Refund\n", 4, 10, "a class has small letters"),
        ("  class: [payment]\n", 4, 10, "class must be text"),
        ("  class: payment\n  contract: {properties: {}}\n", 5, 13, "class: payment needs 'order_id'"),
    ],
)
def test_a_fault_in_a_tools_file(write: Write, more: str, line: int, column: int, advice: str) -> None:
    """Each slip is one fault at its line and column."""
    ((file, *place, detail),) = faults_of(write(more, {"pay.json": SCHEMA}))
    assert (file, place) == ("pay.yml", [line, column])
    assert advice in detail


@pytest.mark.parametrize(
    ("data", "line", "column", "advice"),
    [
        ("", 1, 1, "not JSON from here on"),
        ('{"properties":\n {"a": }}', 2, 8, "not JSON from here on"),
        (b'{"properties":\n"\xc3\xa9\xff"}', 2, 3, "not UTF-8 from here on"),
        ('{"properties": {"a": {"maximum": 5, "maximum": 6}}}', 1, 48, "appears twice"),
        ('{"properties": {"a": {"maximum": NaN}}}', 1, 34, "finite number"),
        ('{"properties": {"a": {"maximum": 1e999999999999}}}', 1, 34, "cannot be carried exactly"),
        ('{"properties": {"a":' * 10_000, 1, 1, "nested deeper"),
        ("[" * 40 + "]" * 40, 1, 33, "nested deeper than 32 levels"),
        (" " * (MAX_BYTES + 1), 1, 1, "larger than 64 KiB"),
        ("[]", 1, 1, "/: a contract is a JSON Schema"),
        ('{"properties": {"a": {"type": "strin"}}}', 1, 31, "/properties/a/type: "),
        ('{"properties": {"a": {"$ref": "http://example.com"}}}', 1, 31, "/properties/a/$ref: "),
    ],
)
def test_a_fault_in_a_contract_file(write: Write, data: str | bytes, line: int, column: int, advice: str) -> None:
    """It names the file and the JSON pointer, or the line and column where it stops to be JSON."""
    raw = data if len(data) <= MAX_BYTES or not data.strip() else data[: MAX_BYTES - 10]
    ((file, *place, detail),) = faults_of(write("  contract: pay.json\n", {"pay.json": raw}))
    assert (file, place) == ("contracts/pay.json", [line, column])
    assert advice in detail


def test_two_tools_share_one_broken_contract(write: Write) -> None:
    """Its fault is told once."""
    folder = write("  contract: pay.json\n", {"pay.json": "[]"})
    (folder / "mail.yml").write_text("policy: {tool: mail, contract: pay.json, rules: [{allow: true}]}", "utf-8")
    assert len(faults_of(folder)) == 1


def test_a_contract_that_nobody_uses_is_a_fault(write: Write) -> None:
    """A forgotten line must not leave a tool without its cap; other files in there would be ignored."""
    ((file, _, _, detail),) = faults_of(write("", {"pay.json": SCHEMA}))
    assert file == "contracts/pay.json"
    assert "write `contract: pay.json`" in detail
    found = faults_of(write("  contract: pay.json\n", {"pay.yaml": "", "a b.json": "{}", ".hidden": ""}))
    assert [(file, detail) for file, _, _, detail in found] == [
        (f"contracts/{name}", "would be ignored; only NAME.json stands here") for name in ("a b.json", "pay.yaml")
    ]


def test_a_contracts_folder_that_cannot_be_read(write: Write) -> None:
    """A file in its place, a folder in a file's place, and too many files are told."""
    folder = write("")
    (folder / "contracts" / "pay.json").mkdir()
    assert "cannot be read (Is a directory)" in faults_of(folder)[0][3]
    (folder / "contracts" / "pay.json").rmdir()
    for number in range(MAX_FILES + 1):
        (folder / "contracts" / f"{number}.json").touch()
    assert "more than 500 files" in faults_of(folder)[0][3]
    for each in (folder / "contracts").iterdir():
        each.unlink()
    (folder / "contracts").rmdir()
    (folder / "contracts").touch()
    assert "cannot be read (Not a directory)" in faults_of(folder)[0][3]


def test_the_version_names_the_contracts_too(write: Write) -> None:
    """It is what sha256sum prints for the pages, then for the contracts; without contracts it is as it always was."""
    folder = write("  contract: pay.json\n", {"pay.json": SCHEMA})
    lines = [
        f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n"
        for name in ("pay.yml", "contracts/pay.json")
    ]
    first = load(folder).version
    assert first == f"sha256:{hashlib.sha256(''.join(lines).encode()).hexdigest()}"
    (folder / "contracts" / "pay.json").write_text(json.dumps(json.loads(SCHEMA)) + " ", "utf-8")
    assert load(folder).version != first


def test_the_watch_notices_a_contract(write: Write) -> None:
    """A change, a new file and the folder's end change the mark that the watch compares."""
    folder = write("  contract: pay.json\n", {"pay.json": SCHEMA})
    first = _stamp(folder)
    assert first == _stamp(folder)
    os.utime(folder / "contracts" / "pay.json", (1, 1))
    second = _stamp(folder)
    (folder / "contracts" / "new.json").touch()
    assert len({repr(each) for each in (first, second, _stamp(folder))}) == 3
    assert _stamp(folder / "none") is None
