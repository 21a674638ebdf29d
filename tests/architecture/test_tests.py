"""Tests say what they promise, and none is skipped in silence."""

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.source_tree import Source, dotted, functions, place, planted, python_files

SKIPS = frozenset({"skip", "skipif", "xfail", "importorskip"})


def unpromised(source: Source) -> Iterator[str]:
    """Every test function without a docstring."""
    for function in functions(source):
        if function.name.startswith("test_") and not (ast.get_docstring(function) or "").strip():
            yield f"{place(source, function)} {function.name}"


def silent_skips(source: Source) -> Iterator[str]:
    """Every skip or expected failure without a reason."""
    reasoned: set[int] = set()
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and is_skip(node.func) and has_reason(node):
            reasoned.add(id(node.func))
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and is_skip(node) and id(node) not in reasoned:
            yield place(source, node)
        if isinstance(node, ast.ImportFrom) and node.module == "pytest" and SKIPS & {name.name for name in node.names}:
            yield place(source, node)


def is_skip(function: ast.expr) -> bool:
    """Whether this is pytest's way to leave a test out."""
    name = dotted(function).split(".")
    return name[0] == "pytest" and name[-1] in SKIPS


def has_reason(call: ast.Call) -> bool:
    """Whether a reason is given: by name, or, for `pytest.skip` itself, first."""
    if any(word.arg == "reason" and ast.unparse(word.value) not in {"''", "None"} for word in call.keywords):
        return True
    return dotted(call.func) == "pytest.skip" and bool(call.args)


@pytest.mark.parametrize(
    "code",
    [
        "@pytest.mark.skip\ndef test_a(): ...",
        "@pytest.mark.skip()\ndef test_a(): ...",
        "@pytest.mark.skipif(True, reason='')\ndef test_a(): ...",
        "@pytest.mark.xfail(strict=True)\ndef test_a(): ...",
        "pytest.skip()",
        "pytest.importorskip('x')",
        "from pytest import skip",
    ],
)
def test_the_check_finds_a_planted_skip(code: str) -> None:
    """Each way to leave a test out without a reason is found."""
    assert list(silent_skips(planted(code)))


def test_a_reasoned_skip_passes() -> None:
    """With a reason a test may be left out."""
    code = "@pytest.mark.skipif(no_browser, reason='needs Chromium')\ndef test_a(): ...\npytest.skip('no server')"
    assert not list(silent_skips(planted(code)))
    assert list(unpromised(planted("def test_a(): ...")))
    assert not list(unpromised(planted("def test_a():\n    'A promise.'")))


def test_every_test_has_a_promise() -> None:
    """A test's docstring is the promise that it checks."""
    assert [where for source in python_files("tests") for where in unpromised(source)] == []


def test_no_test_is_skipped_in_silence() -> None:
    """Whoever reads the report learns why something did not run."""
    assert [where for source in python_files("tests") for where in silent_skips(source)] == []
