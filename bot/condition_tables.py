"""Hands rule-engine the tables of its grammar, which it else works out at each start: half a second. Parses nothing.

ply, by which rule-engine parses, looks for a module `parsetab` beside the parser, and takes the tables in it where they
were made of the very grammar that it has; else it makes its own, as it does without this module. The tables are a file
that `python -m tests.bot.condition_tables` writes; a test holds it against what rule-engine makes.
"""

import json
import sys
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Final

FILE: Final = Path(__file__).with_name("condition_tables.json")
_PLACE: Final = "rule_engine.parser.parsetab"
_PLY_FORMAT: Final = "3.10"


class Signature(str):
    """The SHA-256 of a grammar, equal to the grammar itself as ply writes it down."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        """Whether this is the other's hash."""
        return isinstance(other, str) and str(self) == sha256(other.encode()).hexdigest()

    __hash__ = None  # type: ignore[assignment]  # equal to something with another hash


def use() -> None:
    """Let rule-engine find the tables when it is imported for the first time."""
    if "rule_engine" in sys.modules:
        return
    tables = json.loads(FILE.read_bytes())
    module = ModuleType(_PLACE)
    vars(module).update(
        _tabversion=_PLY_FORMAT,
        _lr_method="LALR",
        _lr_signature=Signature(tables["grammar"]),
        _lr_action=dict(enumerate(tables["action"])),
        _lr_goto=dict(enumerate(tables["goto"])),
        # ply's own say in which file and line a production stands, for whoever debugs a grammar
        _lr_productions=[(name, name, length, function, "", 0) for name, length, function in tables["productions"]],
    )
    sys.modules[_PLACE] = module
