"""Reads `facts:` of a tool's page: which facts there are, and of which kind. Never knows what a fact's value is."""

import re
from collections.abc import Mapping
from typing import Final

import yaml

from approval_rules.kinds import NUMBER, TEXT, TRUTH, Kind
from approval_rules.names import RESERVED, TOUCHES
from approval_rules.nearest import nearest
from bot.marked_yaml import Page

_KINDS: Final[Mapping[str, Kind]] = {"string": TEXT, "number": NUMBER, "boolean": TRUTH}
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")


def read_facts(page: Page, node: yaml.Node, arguments: Kind) -> dict[str, Kind]:
    """Give each declared fact's kind; a name that an argument or the server bears is a fault."""
    facts = {}
    for name, each in page.fields(node, "facts").items():
        kind = _read_kind(page, each, name)
        if not _NAME.fullmatch(name):
            page.fault(each, f"the fact '{name}' cannot stand in a condition; use letters, digits and '_'")
        elif name in RESERVED or name in TOUCHES:
            page.fault(each, f"'{name}' is the server's own name; choose another")
        elif name in arguments.fields:
            page.fault(each, f"'{name}' is an argument in the contract already; a name has one value")
        elif kind is not None:
            facts[name] = kind
    return facts


def _read_kind(page: Page, node: yaml.Node, name: str) -> Kind | None:
    word = page.words(node, f"the kind of the fact '{name}'")
    if word is None or word in _KINDS:
        return None if word is None else _KINDS[word]
    near = nearest(word, _KINDS)
    page.fault(node, f"a fact is one of {', '.join(_KINDS)}" + (f"; did you mean '{near}'?" if near else ""))
    return None
