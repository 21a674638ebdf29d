"""Reads one YAML file into nodes that know their place, and collects every fault. Never builds an object from a tag.

The nodes stay PyYAML's; a `Page` answers questions about them (is this text, a whole number, a list, a mapping with
these keys?) and writes down a fault, with line and column, where the answer is no.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal
from textwrap import dedent

import yaml

from approval_rules.nearest import nearest
from approval_rules.text import Json
from bot.plain_sight import hidden_in
from bot.yaml_loaders import PlainLoader, quick_node

MAX_BYTES = 64 * 1024
MAX_FAULTS = 25
_WHOLE = re.compile(r"0|[1-9][0-9]{0,9}")  # YAML 1.1 also reads 010 as eight
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,6})?")  # as JSON writes them
_SHORT = 17  # digits; longer ones are for Decimal
_CONSTANTS: dict[str, Json] = {"true": True, "false": False, "null": None}
_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True, order=True)
class PolicyFault:
    """What is wrong at one place (line and column count from 1), and what to do."""

    file: str
    line: int
    column: int
    detail: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.detail}"


@dataclass
class Page:
    """One file while it is read: its text, and the faults found so far."""

    file: str
    text: str = ""
    faults: list[PolicyFault] = field(default_factory=list)

    def read(self, data: bytes) -> yaml.Node | None:
        """Give the file's one node, or None after a fault."""
        if len(data) > MAX_BYTES:
            self.fault_at(0, 0, f"larger than {MAX_BYTES // 1024} KiB; split it")
            return None
        try:
            self.text = data.decode()
        except UnicodeDecodeError as error:
            self._fault_after(data[: error.start].decode(), "not UTF-8 from here on; save the file as UTF-8")
            return None
        hidden = hidden_in(self.text)
        if hidden:
            self._fault_after(self.text[: hidden[0]], hidden[1])
            return None
        node = self._compose()
        if node is None and not self.faults:
            self.fault_at(0, 0, "empty; fill it, or remove it")
        return node

    def _compose(self) -> yaml.Node | None:
        quick = quick_node(self.text)
        if quick is not None:
            return quick
        loader = None
        try:
            loader = PlainLoader(self.text)
            node: yaml.Node | None = loader.get_single_node()
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self.fault_at(mark.line if mark else 0, mark.column if mark else 0, _advice(error))
        except (ValueError, OverflowError):  # PyYAML makes a character of any number, and a number of any digits
            mark = loader.get_mark() if loader is not None else None
            self.fault_at(mark.line if mark else 0, mark.column if mark else 0, "not YAML from here on")
        except yaml.reader.ReaderError as error:
            self._fault_after(self.text[: error.position], "a character that YAML does not allow; take it out")
        else:
            return node
        finally:
            if loader is not None:
                loader.dispose()
        return None

    # --- faults

    def fault(self, node: yaml.Node, detail: str) -> None:
        """Write down a fault at the start of a node."""
        self.fault_at(node.start_mark.line, node.start_mark.column, detail)

    def fault_at(self, line: int, column: int, detail: str) -> None:
        """Write down a fault at a place that counts from 0; of several at one place the first says it all.

        More than `MAX_FAULTS` of one file are not told: nobody reads them, and finding them takes long.
        """
        if len(self.faults) >= MAX_FAULTS:
            return
        fault = PolicyFault(self.file, line + 1, column + 1, detail)
        if all((each.line, each.column) != (fault.line, fault.column) for each in self.faults):
            self.faults.append(fault)

    def fault_inside(self, node: yaml.ScalarNode, offset: int, detail: str) -> None:
        """Write down a fault at an offset in a node's text; at the node itself where the text is folded or escaped."""
        start, end = node.start_mark.index, node.end_mark.index
        at = self.text.find(node.value, start, end)
        if at < 0:
            self.fault(node, detail)
        else:
            self._fault_after(self.text[: at + offset], detail)

    def _fault_after(self, before: str, detail: str) -> None:
        self.fault_at(before.count("\n"), len(before) - before.rfind("\n") - 1, detail)

    def source(self, node: yaml.Node) -> str:
        """Give the text of a node as it stands in the file, moved to the left edge."""
        text = self.text[node.start_mark.index : node.end_mark.index].rstrip()
        return dedent(" " * node.start_mark.column + text)

    # --- questions

    def fields(self, node: yaml.Node, what: str, known: Collection[str] | None = None) -> dict[str, yaml.Node]:
        """Give a mapping's values by key; a repeated key, and one that `known` does not have, are faults."""
        found: dict[str, yaml.Node] = {}
        if not isinstance(node, yaml.MappingNode) or node.tag != f"{_TAG}map":
            self.fault(node, f"{what} must be a mapping (name: value)")
            return found
        for key, value in node.value:
            if len(self.faults) >= MAX_FAULTS:
                break
            if not isinstance(key, yaml.ScalarNode) or key.tag != f"{_TAG}str":
                self.fault(key, f"a name in {what} must be text; put it in quotes")
            elif key.value in found:
                self.fault(key, f"'{key.value}' stands here twice; keep one")
            elif known is not None and key.value not in known:
                self.fault(key, f"{what} has no '{key.value}'; {_choice(key.value, known)}")
            else:
                found[key.value] = value
        return found

    def items(self, node: yaml.Node, what: str, *, empty: bool = False) -> list[yaml.Node]:
        """Give a list's nodes; anything else, and an empty list unless it is `empty` that is allowed, is a fault."""
        if isinstance(node, yaml.SequenceNode) and node.tag == f"{_TAG}seq" and (node.value or empty):
            return list(node.value)
        self.fault(node, f"{what} must be a list" + ("" if empty else " that is not empty"))
        return []

    def words(self, node: yaml.Node, what: str) -> str | None:
        """Give a node's text, which must not be blank."""
        if isinstance(node, yaml.ScalarNode) and node.tag == f"{_TAG}str" and node.value.strip():
            return str(node.value)
        self.fault(node, f"{what} must be text; put it in quotes")
        return None

    def whole(self, node: yaml.Node, what: str, low: int, high: int) -> int | None:
        """Give a node's whole number."""
        if isinstance(node, yaml.ScalarNode) and node.tag == f"{_TAG}int" and _WHOLE.fullmatch(node.value):
            number = int(node.value)
            if low <= number <= high:
                return number
        self.fault(node, f"{what} must be a whole number from {low} to {high}")
        return None

    def json(self, node: yaml.Node, what: str) -> Json:
        """Give a node's value as JSON, numbers exact to the digit.

        What YAML's versions read in different ways (yes, 010, 1_000, 1e3, a bare date) is a fault.
        """
        if isinstance(node, yaml.MappingNode):
            return {name: self.json(each, f"{what}.{name}") for name, each in self.fields(node, what).items()}
        if isinstance(node, yaml.SequenceNode):
            return [self.json(each, f"an entry of {what}") for each in self.items(node, what, empty=True)]
        text, bare = str(node.value), isinstance(node, yaml.ScalarNode) and not node.style
        number = _NUMBER.fullmatch(text) if bare else None
        if node.tag == f"{_TAG}str" and not number:
            return text
        if bare and node.tag in (f"{_TAG}bool", f"{_TAG}null") and text in _CONSTANTS:
            return _CONSTANTS[text]
        if number and node.tag in (f"{_TAG}int", f"{_TAG}float"):
            return Decimal(text) if len(text) > _SHORT or set(text) & set(".eE") else int(text)
        self.fault(node, f"{what} can be read in two ways; put it in quotes for text, or write it as JSON does")
        return None

    def is_true(self, node: yaml.Node) -> bool:
        """Whether a node is YAML's true."""
        return node.tag == f"{_TAG}bool" and yaml.SafeLoader.bool_values.get(str(node.value).lower(), False)


def _choice(name: str, known: Collection[str]) -> str:
    near = nearest(name, known)
    return f"did you mean '{near}'?" if near else f"write one of {', '.join(sorted(known)[:8])}"


def _advice(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or error.context or "not YAML"
    if "\\t" in problem:
        return "a tab cannot indent; use spaces"
    if "but found another document" in problem:
        return "a second document ('---') begins here; one file holds one"
    return problem
