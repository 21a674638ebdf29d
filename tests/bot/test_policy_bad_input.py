"""Files that are made to hurt: each is refused with its place and a reason, at once, and nothing else ever happens."""

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from approval_rules.text import Json
from bot.contracts.contract import ContractError, compile_contract
from bot.policy_files import PolicyFault, PolicyFolderError, load

SECONDS = 1.0 if sys.gettrace() is None else 4.0
"""Of the processor, so that a busy machine fails no test; measuring coverage costs as much again and more."""
HANGS_AFTER = 30
USES = b"policy: {tool: pay, contract: pay.json, rules: [{block: true}]}\n"


def page(rules: str, more: str = "") -> bytes:
    """A tool's page with these rules."""
    return f"policy:\n  tool: pay\n{more}  rules:\n{rules}".encode()


def rule(condition: str) -> bytes:
    """A tool's page with one condition."""
    return page(f'    - if: "{condition}"\n      block: true\n')


def chained(number: int) -> str:
    """A contract whose definitions lead to one another."""
    links = {f"a{i}": {"$ref": f"#/$defs/a{i + 1}"} for i in range(number)}
    return json.dumps({"properties": {"a": {"$ref": "#/$defs/a0"}}, "$defs": {**links, f"a{number}": {}}})


BAD_PAGES: dict[str, tuple[bytes, str]] = {
    "duplicate keys": (page("    - block: true\n      block: true\n"), "'block' stands here twice"),
    "tabs": (b"policy:\n\ttool: pay\n", "a tab cannot indent"),
    "an anchor bomb": (b"a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\npolicy: *c\n", "'&' and '*' are not for policies"),
    "an alias of nothing": (b"policy: *a\n", "'&' and '*' are not for policies"),
    "an alias of itself": (b"policy: &a [*a]\n", "'&' and '*' are not for policies"),
    "10 MB": (b"#" * 10_000_000, "larger than 64 KiB"),
    "10 MB of lists": (b"[" * 10_000_000, "larger than 64 KiB"),
    "100,000 rules": (page("    - block: true\n" * 100_000), "larger than 64 KiB"),
    "as many rules as fit": (page("    - a\n" * 5_900), "more than 200 rules"),
    "as many lists as fit": (b"[" * 65_000, "nested too deeply"),
    "as many values as fit": (b"[" + b"a," * 32_000 + b"]", "more than 6000 values"),
    "as many wrong keys as fit": (b"{" + b"".join(b"a%d: ," % i for i in range(2_900)) + b"}", "has no 'a0'"),
    "as many odd keys as fit": (b"{" + b"? ," * 2_900 + b"}", "must be text"),
    "unknown keys": (page("    - {blok: true}\n"), "did you mean 'block'?"),
    "a regex that explodes": (rule("name =~ '(a+)+$'"), "regular expressions"),
    "a power that explodes": (rule("n > 9 ** 9 ** 9 ** 9"), "write the number out"),
    "a product that explodes": (rule("n > " + " * ".join(["9" * 20] * 40)), "too long or too large"),
    "deep brackets": (rule("n in " + "[" * 490), "condition: "),
    "deep negations": (rule("not " * 240 + "n"), "nested deeper than 32 levels"),
    "deep signs": (rule("-" * 990 + "n > 1"), "nested deeper than 32 levels"),
    "a long chain": (rule(" or ".join(f"n=={i}" for i in range(105))), "nested deeper than 32 levels"),
    "a loop": (rule("[x for x in y] == y"), "a loop can run for very long"),
    "a NUL": (b"policy:\n  tool: p\x00y\n", "a character that YAML does not allow"),
    "UTF-16": ("policy: {}".encode("utf-16"), "not UTF-8 from here on"),
    "Latin-1": ("policy: caf\xe9".encode("latin-1"), "not UTF-8 from here on"),
    "half a character": (page('    - block: "\\uDC00"\n'), "half of a character"),
    "no character at all": (page('    - block: "\\UFFFFFFFF"\n'), "not YAML from here on"),
    "a version of many digits": (b"%YAML 1." + b"1" * 6_000 + b"\n---\na\n", "not YAML from here on"),
    "a program": (b"!!python/object/apply:os.system ['true']\n", "must be a mapping"),
    "two documents": (b"policy: {}\n---\npolicy: {}\n", "one file holds one"),
    "nothing": (b"", "empty"),
}
BAD_CONTRACTS: dict[str, tuple[str | bytes, str]] = {
    "deep nesting": ('{"properties": {"a": ' + '{"items": ' * 6_000, "nested deeper than 32 levels"),
    "deep lists": ("[" * 65_000, "nested deeper than 32 levels"),
    "10 MB": (" " * 10_000_000, "larger than 64 KiB"),
    "a regex that explodes": ('{"properties": {"a": {"pattern": "(a{999}){999}"}}}', "no pattern that ends in time"),
    "many that explode": (
        json.dumps({"properties": {f"a{i}": {"pattern": f"(a{{999}}){{{i}}}"} for i in range(900, 999)}}),
        "no pattern that ends in time",
    ),
    "a reference to the net": ('{"properties": {"a": {"$ref": "https://example.com/a"}}}', "nothing is ever fetched"),
    "a reference to a file": ('{"properties": {"a": {"$ref": "file:///dev/zero"}}}', "nothing is ever fetched"),
    "a reference to itself": (
        '{"properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"items": {"$ref": "#/$defs/a"}}}}',
        "leads back to itself",
    ),
    "references in a row": (chained(1_000), "more than 32 times"),
    "references that multiply": (
        json.dumps(
            {
                "properties": {"a": {"$ref": "#/$defs/a0"}},
                "$defs": {
                    **{f"a{i}": {"allOf": [{"$ref": f"#/$defs/a{i + 1}"}] * 9} for i in range(30)},
                    "a30": {},
                },
            }
        ),
        "comes to more than 10000 schemas",
    ),
    "as many schemas as fit": (json.dumps({"properties": {f"a{i}": {} for i in range(5_000)}}), "more than 2000"),
    "as many wrong words as fit": (json.dumps({"properties": {"a": dict.fromkeys(map(str, range(6_000)), 0)}}), "unkn"),
    "duplicate names": ('{"properties": {}, "properties": {}}', "appears twice"),
    "a huge number": ('{"properties": {"a": {"maximum": 1e999999}}}', "cannot be carried exactly"),
    "many digits": ('{"properties": {"a": {"maximum": ' + "9" * 60_000 + "}}}", "cannot be carried exactly"),
    "a NUL": (b'{"properties": {"a\x00": {}}}', "not JSON from here on"),
    "UTF-16": ("{}".encode("utf-16"), "not UTF-8 from here on"),
}


@contextmanager
def at_once() -> Iterator[None]:
    """Fail what takes longer than a second of the processor, and end what hangs."""

    def hangs(_: int, __: FrameType | None) -> None:
        raise TimeoutError

    old = signal.signal(signal.SIGALRM, hangs)
    signal.alarm(HANGS_AFTER)
    begin = time.process_time()
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, old)
    assert time.process_time() - begin < SECONDS


def faults_of(folder: Path) -> tuple[PolicyFault, ...]:
    """Load, and give what is wrong."""
    with at_once(), pytest.raises(PolicyFolderError) as refused:
        load(folder)
    return refused.value.faults


@pytest.fixture(autouse=True, scope="module")
def _warm(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Import the engines first: that takes a second, once."""
    folder = tmp_path_factory.mktemp("warm")
    (folder / "pay.yml").write_text(
        "policy: {tool: pay, contract: {properties: {n: {}}}, rules: [{if: n, allow: true}]}"
    )
    load(folder)


@pytest.mark.parametrize(("data", "reason"), BAD_PAGES.values(), ids=BAD_PAGES)
def test_a_page_that_is_made_to_hurt(tmp_path: Path, data: bytes, reason: str) -> None:
    """It is refused within a second, with file, line, column and reason, and few enough faults to read."""
    (tmp_path / "pay.yml").write_bytes(data)
    found = faults_of(tmp_path)
    assert len(found) <= 25
    assert {fault.file for fault in found} == {str(tmp_path / "pay.yml")}
    assert any(reason in fault.detail for fault in found), found[:3]


@pytest.mark.parametrize(("data", "reason"), BAD_CONTRACTS.values(), ids=BAD_CONTRACTS)
def test_a_contract_that_is_made_to_hurt(tmp_path: Path, data: str | bytes, reason: str) -> None:
    """So is a contract: nothing is fetched, nothing is followed without end."""
    (tmp_path / "pay.yml").write_bytes(USES)
    (tmp_path / "contracts").mkdir()
    (tmp_path / "contracts" / "pay.json").write_bytes(data if isinstance(data, bytes) else data.encode())
    found = faults_of(tmp_path)
    assert len(found) <= 26
    assert {fault.file for fault in found} == {str(tmp_path / "contracts" / "pay.json")}
    assert any(reason in fault.detail for fault in found), found[:3]


@pytest.mark.parametrize("name", ["pay.yml", "roles.yml", "contracts/pay.json"])
@pytest.mark.parametrize("kind", ["loop", "nowhere", "pipe", "folder", "endless"])
def test_what_is_no_file(tmp_path: Path, kind: str, name: str) -> None:
    """A link in a circle or to nowhere, a pipe, a folder and a device are faults; none of them is waited for."""
    (tmp_path / "contracts").mkdir()
    (tmp_path / "mail.yml").write_bytes(USES.replace(b"pay,", b"mail,"))
    (tmp_path / "contracts" / "pay.json").write_text('{"properties": {}}')
    odd = tmp_path / name
    odd.unlink(missing_ok=True)
    match kind:
        case "loop":
            odd.symlink_to(odd)
        case "nowhere":
            odd.symlink_to(tmp_path / "none")
        case "pipe":
            os.mkfifo(odd)
        case "folder":
            odd.mkdir()
        case _:
            odd.symlink_to("/dev/zero")
    found = faults_of(tmp_path)
    assert (str(odd), "cannot be read (") in {(fault.file, fault.detail[:16]) for fault in found}


_TOOL = (
    b"policy:\n  tool: pay\n  class: payment\n  contract: pay.json\n  facts: {tier: string}\n  time_zone: UTC\n"
    b"  rules:\n    - {if: \"n <= 50 and tier in ['a']\", allow: {share: 5 %, else: manager}}\n    - block: no\n"
    b"    - require_approval: {seats: [{role: manager, count: 2}], expires_in: 4h, channel: C012}\n"
    b"    - log: {redact_fields: [card], retain_days: 5}\n"
)
_good_pages = [
    _TOOL,
    b'{"properties": {"n": {"type": "number", "maximum": 5e1}, "tier": {"$ref": "#/$defs/t"}}, "$defs": {"t": {}}}',
    b"roles: {manager: {users: [U0ANN, U0BEN], usergroup: team}}\nchannels: {default: C012}\n",
    b"holidays: [2026-12-25, '2026-12-26']\n",
]
_pieces = st.sampled_from(_good_pages).flatmap(
    lambda whole: st.tuples(st.integers(0, len(whole)), st.integers(0, len(whole))).map(
        lambda cut: whole[min(cut) : max(cut)]
    )
)
_anything = st.binary(max_size=60) | st.lists(_pieces | st.binary(max_size=8), max_size=4).map(b"".join)


@given(_anything, _anything, _anything, _anything)
@example(_good_pages[0], _good_pages[1], _good_pages[2], _good_pages[3])
def test_any_bytes_load_or_are_faults(tool: bytes, contract: bytes, roles: bytes, holidays: bytes) -> None:
    """Whatever lies in the folder, it loads or is refused with a place inside it; nothing else is raised."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "contracts").mkdir()
        for file, data in {"pay.yml": tool, "roles.yml": roles, "holidays.yml": holidays}.items():
            (folder / file).write_bytes(data)
        (folder / "mail.yml").write_bytes(USES.replace(b"pay,", b"mail,"))
        (folder / "contracts" / "pay.json").write_bytes(contract)
        try:
            load(folder)
        except PolicyFolderError as error:
            assert error.faults  # noqa: PT017 - most folders are faults, some are not
            assert all(fault.file.startswith(name) and fault.detail for fault in error.faults)  # noqa: PT017 - as above
            assert all(fault.line >= 1 and fault.column >= 1 for fault in error.faults)  # noqa: PT017 - as above


_keywords = st.sampled_from(
    [
        *("type", "enum", "const", "properties", "required", "items", "allOf", "anyOf", "oneOf", "not", "if", "then"),
        *("$ref", "$defs", "maximum", "minimum", "exclusiveMinimum", "multipleOf", "pattern", "format", "minLength"),
        *("additionalProperties", "patternProperties", "dependentSchemas", "prefixItems", "contains", "minContains"),
        *("x-domains", "x-sensitive", "x-touches", "x-amount", "a", "b", "order_id", "idempotency_key", "amount"),
    ]
)
_scalars: st.SearchStrategy[Json] = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False).map(Decimal)
    | st.sampled_from(["string", "number", "object", "#/$defs/a", "#/$defs/b", "pii", "mask", "a+", "date", "\x00"])
    | st.text(max_size=5)
)
_schemas: st.SearchStrategy[Json] = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keywords, inner, max_size=4),
    max_leaves=25,
)


@given(
    st.dictionaries(_keywords, _schemas, max_size=4), st.dictionaries(_keywords, _schemas, max_size=4), st.booleans()
)
def test_any_schema_compiles_or_is_a_fault(fields: dict[str, Json], more: dict[str, Json], payment: bool) -> None:  # noqa: FBT001 - Hypothesis gives it
    """Whatever JSON stands in a contract, it is a contract or has faults; nothing else is raised, no engine panics."""
    try:
        compile_contract({**more, "properties": fields}, "contracts/pay.json", payment=payment)
    except ContractError as error:
        assert error.faults  # noqa: PT017 - most schemas are faults, some are not
