"""The documentation's reference and the reader of policies know the same words: none is missing, none is made up."""

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from approval_rules.names import RESERVED, TOUCHES
from bot.contracts import schema
from bot.policy_budgets import _READERS
from bot.policy_files import _SPECIAL_CHANNELS
from tests.architecture.source_tree import ROOT

REFERENCE = tuple(ROOT / "docs" / name for name in ("policy.md", "persons.md", "time.md"))
READERS = sorted((ROOT / "bot").glob("policy_*.py"))
# Below these stand names that an author chooses: arguments, facts, roles, tools and dates.
FREE = {"facts", "looked_up", "arguments", "counters", "roles", "channels", "people", "properties", "run"}
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")


def keys_of(call: ast.Call, module: Any) -> Iterator[str]:  # noqa: ANN401 - a module
    """Give the keys that one call of `Page.fields` accepts; names that only a folder has are none of ours."""
    for node in ast.walk(call.args[2]):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.Name) and hasattr(module, node.id):
            yield from getattr(module, node.id)


def known_keys() -> set[str]:
    """Give every key that some part of a policy folder accepts, read from the calls that accept them."""
    found: set[str] = set()
    for path in READERS:
        module = import_module(f"bot.{path.stem}")
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "fields" and len(node.args) > 2:
                found.update(keys_of(node, module))
    return found


def code(page: Path) -> str:
    """Give what stands as code on a page."""
    text = page.read_text("utf-8")
    return "\n".join([*(body for _, body in BLOCK.findall(text)), *INLINE.findall(BLOCK.sub("", text))])


def mentioned(word: str, text: str) -> bool:
    """Tell whether a word stands in a text as a whole."""
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text) is not None


def missing(words: set[str]) -> set[str]:
    """Give the words that stand as code on no page of the reference."""
    text = "\n".join(map(code, REFERENCE))
    return {word for word in words if not mentioned(word, text)}


def used(node: yaml.Node, parent: str = "") -> Iterator[str]:
    """Give every key that a block of the documentation uses, without those that an author chooses."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from used(item, parent)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if parent not in FREE:
                yield key.value
            yield from used(value, "" if parent in FREE else key.value)


def test_the_keys_are_read_from_every_reader() -> None:
    """The words that the test looks for are the program's: a key of each reader is among them."""
    found = known_keys()
    assert {"policy", "tool", "require_approval", "share", "then", "per_run", "redact_fields", "url"} <= found
    assert {"usergroup", "handover", "holidays", "expect", "days", "count"} <= found
    assert len(found) > 75


def test_every_key_is_in_the_reference() -> None:
    """Whatever a file of the folder may say is written down for whoever writes one."""
    assert missing(known_keys() | set(_READERS) | set(_SPECIAL_CHANNELS)) == set()


def test_every_name_in_conditions_is_in_the_reference() -> None:
    """So is each name that the server fills, and each field of it."""
    names = {f"{name}.{field}" for name, fields in RESERVED.items() for field in fields}
    assert missing({*names, *RESERVED, *TOUCHES}) == set()


def test_every_keyword_of_ours_in_contracts_is_in_the_reference() -> None:
    """JSON Schema has its own reference; what we add to it stands in ours."""
    assert missing(set(schema._OURS)) == set()


@pytest.mark.parametrize("page", REFERENCE, ids=lambda page: page.name)
def test_no_block_of_the_reference_uses_a_key_that_there_is_not(page: Path) -> None:
    """What a reader copies is accepted: no example has a key from an earlier time, or a slip."""
    blocks = [yaml.compose(body) for language, body in BLOCK.findall(page.read_text("utf-8")) if language == "yaml"]
    assert blocks
    assert {key for block in blocks if block is not None for key in used(block)} - known_keys() == set()
