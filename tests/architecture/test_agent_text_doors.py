"""What an agent wrote is unwrapped in a few named files, each of which escapes it or judges it."""

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.source_tree import PRODUCT, Source, planted, python_files

UNWRAPPERS = frozenset({"unwrap_text", "unwrap_json", "unwrap_canonical", "unwrap_object"})
INSIDES = frozenset({"_text", "_value", "_canonical"})
DOORS = {
    "approval_rules/text.py": "defines them",
    "approval_rules/contract.py": "hands arguments to their contract, which names no value; shows nothing",
    "approval_rules/personal.py": "names the fields of a contract that are erased; shows nothing",
    "approval_rules/policy.py": "judges arguments and facts; shows nothing",
    "approval_rules/amendments.py": "compares a number with a lower one and puts that in its place; shows nothing",
    "bot/desk/amending.py": "digests the lowered action; shows nothing",
    "bot/store/past.py": "gives the value that a person lowered, for cases, from which what policy hides is taken out",
    "approval_rules/budgets.py": "compares what an agent said about its run with budgets; shows nothing",
    "approval_rules/initiation.py": "compares what a person typed again with the arguments; shows nothing",
    "approval_rules/names.py": "reads back what the server told the rules; shows nothing",
    "approval_rules/conditions.py": "compares arguments and facts; shows nothing",
    "handlers/slack/text.py": "the one place that turns it into Slack text, every character made visible",
    "handlers/http/render.py": "gives an agent its own words back, as JSON",
    "handlers/http/audit_render.py": "gives an auditor an original as JSON, once the look is on record",
    "bot/cli/revealing.py": "gives the command line an original, once the look is on record; its printer makes it safe",
    "bot/cli/overview.py": "gives the command line a pause's reason, which its printer makes safe for a terminal",
    "bot/cli/past_reviews.py": "gives the command line what reviewers noted, which its printer makes safe",
    "bot/store/tally.py": "sums and compares arguments and facts; shows nothing",
    "bot/store/starts.py": "keeps what a person typed until it is proved; shows nothing",
    "bot/desk/start_draft.py": "puts a person's arguments beside those that policy hides from him; shows nothing",
    "bot/replay/change.py": "reads which version a change of the policy leads to; shows nothing",
    "bot/replay/judging.py": "looks which names are among the arguments; shows nothing",
    "bot/replay/recorded.py": "writes amounts, which printers make safe, and cases as JSON without what policy hides",
    "bot/lookups/asking.py": "puts arguments into addresses, percent-encoded; shows nothing",
    "bot/lookup_stand_ins.py": "hands what was said to the rules, in place of a lookup; shows nothing",
    "bot/search/folding.py": "hashes the words under a key and compares amounts; shows nothing",
    "bot/store/codec.py": "writes it to the erasable rows of the log, as canonical JSON",
}


def unwraps(source: Source) -> Iterator[int]:
    """Every line that imports or names an unwrapper, or reaches behind it."""
    for node in ast.walk(source.tree):
        match node:
            case ast.ImportFrom(names=names) if any(alias.name in UNWRAPPERS for alias in names):
                yield node.lineno
            case ast.Attribute(attr=attr) if attr in UNWRAPPERS:
                yield node.lineno
            case ast.Attribute(attr=attr, value=value) if attr in INSIDES and not is_self(value):
                yield node.lineno
            case ast.Constant(value=str() as text) if text in UNWRAPPERS | INSIDES:
                yield node.lineno


def is_self(value: ast.expr) -> bool:
    """Whether an attribute belongs to the object's own method."""
    return isinstance(value, ast.Name) and value.id == "self"


@pytest.mark.parametrize(
    "code",
    [
        "from approval_rules.text import unwrap_text",
        "from approval_rules.text import unwrap_json as plain",
        "import approval_rules.text as t\nt.unwrap_object(x)",
        "summary._text",
        "getattr(summary, '_text')",
        "getattr(text, 'unwrap_text')(x)",
    ],
)
def test_the_check_finds_a_planted_door(code: str) -> None:
    """Each way around the wrapper is found."""
    assert list(unwraps(planted(code)))


def test_agent_text_is_unwrapped_in_the_named_files_only() -> None:
    """No other file of the product can see the raw words of an agent."""
    found = {source.path: list(unwraps(source)) for source in python_files(*PRODUCT) if source.path not in DOORS}
    assert {path: lines for path, lines in found.items() if lines} == {}
