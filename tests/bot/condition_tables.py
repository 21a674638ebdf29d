"""Writes bot/condition_tables.json again, for another rule-engine: `python -m tests.bot.condition_tables`."""

import json
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

import rule_engine  # type: ignore[import-untyped]
from rule_engine._vendor.ply import yacc  # type: ignore[import-untyped]

from bot.condition_tables import FILE


def made() -> str:
    """Let rule-engine's ply work the tables out of the grammar, and write them with a line for each state."""
    parser = rule_engine.Rule.parser
    found = yacc.yacc(module=parser, debug=False, write_tables=False, tabmodule="none_such")
    described = yacc.ParserReflect({name: getattr(parser, name) for name in dir(parser)} | {"__file__": ""})
    described.get_all()
    states = range(len(found.action))
    parts = {
        "action": _lines(found.action[state] for state in states),
        "goto": _lines(found.goto.get(state, {}) for state in states),
        "productions": _lines((each.name, each.len, each.func) for each in found.productions),
    }
    grammar = sha256(described.signature().encode()).hexdigest()
    return f'{{"grammar": "{grammar}",\n' + ",\n".join(f'"{name}": {lines}' for name, lines in parts.items()) + "}\n"


def _lines(rows: Iterable[Any]) -> str:
    return "[\n" + ",\n".join(json.dumps(row, sort_keys=True, separators=(",", ":")) for row in rows) + "]"


if __name__ == "__main__":
    FILE.write_text(made(), encoding="utf-8")
