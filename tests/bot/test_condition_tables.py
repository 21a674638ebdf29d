"""The tables of rule-engine's grammar that lie beside the program: its own, found, and left out where they do not fit.

Each is tried in a Python of its own, where rule-engine is imported for the first time.
"""

import subprocess
import sys

import pytest
import rule_engine  # type: ignore[import-untyped]

from bot.condition_tables import FILE, Signature, use
from tests.bot.condition_tables import made

_KIND = "import rule_engine; print(type(rule_engine.Rule.parser._parser.productions[1]).__name__)"
_FOUND, _WORKED_OUT = "MiniProduction", "Production"


def told(text: str) -> str:
    """Run a text in a Python of its own, and give what it prints."""
    ran = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    assert not ran.stderr
    return ran.stdout.strip()


def test_the_tables_are_those_that_rule_engine_makes() -> None:
    """A condition is parsed as ever. After an upgrade of rule-engine: `python -m tests.bot.condition_tables`."""
    assert FILE.read_text("utf-8") == made()


def test_rule_engine_takes_them() -> None:
    """It works nothing out where a policy is loaded."""
    assert told(f"from bot.condition_tables import use; use(); {_KIND}") == _FOUND


def test_tables_of_another_grammar_are_not_taken() -> None:
    """Another rule-engine, for which nobody wrote the tables yet, parses by its own."""
    other = "from bot import condition_tables as t; t.Signature.__eq__ = lambda *_: False; t.use()"
    assert told(f"{other}; {_KIND}") == _WORKED_OUT


def test_the_signature_is_that_of_one_grammar() -> None:
    """It equals the text whose hash it is, and nothing else."""
    of_a = Signature("ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb")
    assert of_a == "a"
    assert of_a != "b"
    assert of_a != 5


def test_a_rule_engine_that_is_there_already_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has its tables."""
    monkeypatch.delitem(sys.modules, "rule_engine.parser.parsetab", raising=False)
    use()
    assert "rule_engine.parser.parsetab" not in sys.modules


def test_they_lie_where_ply_looks_and_are_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    """State by state, and each production with the function that makes its node."""
    parser = rule_engine.Rule.parser._parser
    monkeypatch.delitem(sys.modules, "rule_engine")
    monkeypatch.setitem(sys.modules, "rule_engine.parser.parsetab", sys)
    use()
    laid = vars(sys.modules["rule_engine.parser.parsetab"])
    assert laid["_lr_action"] == parser.action
    assert laid["_lr_goto"] == parser.goto
    assert [each[1:4] for each in laid["_lr_productions"]] == [(p.name, p.len, p.func) for p in parser.productions]
