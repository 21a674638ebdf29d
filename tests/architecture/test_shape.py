"""Sizes, names and finished work: what keeps the code readable."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

import pytest

from tests.architecture.source_tree import (
    PRODUCT,
    ROOT,
    Source,
    functions,
    place,
    planted,
    python_files,
    text_files,
)

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
VAGUE = frozenset(
    {"utils", "util", "helpers", "helper", "manager", "managers", "service", "services", "common", "base"}
)
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b")
OURS = (*PRODUCT, "benchmarks", "examples")


def long_functions(source: Source) -> Iterator[str]:
    """Every function that is longer than allowed."""
    for function in functions(source):
        if (function.end_lineno or function.lineno) - function.lineno + 1 > MAX_FUNCTION_LINES:
            yield f"{place(source, function)} {function.name}"


def vague_names(path: str) -> set[str]:
    """The words of a path that say nothing; `conditions_base.py` is as vague as `base.py`."""
    return {word for part in PurePosixPath(path).with_suffix("").parts for word in part.split("_")} & VAGUE


def test_no_file_is_over_400_lines() -> None:
    """A file that does not fit the eye is two files; that holds for the page's scripts too."""
    found = {
        path.relative_to(ROOT).as_posix(): count
        for path in text_files(*OURS)
        if path.suffix in {".py", ".js"}
        and (count := len(path.read_text(encoding="utf-8").splitlines())) > MAX_FILE_LINES
    }
    assert found == {}


def test_no_function_is_over_60_lines() -> None:
    """A function that does not fit the eye is two functions, in tests as well."""
    assert [where for source in python_files(*OURS, "tests") for where in long_functions(source)] == []


def test_no_module_has_a_vague_name() -> None:
    """A module is named after what it does."""
    assert [source.path for source in python_files(*OURS, "tests") if vague_names(source.path)] == []


def test_nothing_is_unfinished() -> None:
    """The product has no promises to itself, in any language."""
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in text_files(*OURS)
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if UNFINISHED.search(line)
    ]
    assert found == []


@pytest.mark.parametrize("lines", [60, 61])
def test_the_check_finds_a_planted_long_function(lines: int) -> None:
    """60 lines pass and 61 do not."""
    code = "def long():\n" + "    pass\n" * (lines - 1)
    assert bool(list(long_functions(planted(code)))) is (lines > MAX_FUNCTION_LINES)


def test_the_checks_find_planted_words() -> None:
    """A vague name and an unfinished place are found; words that only look like them are not."""
    assert vague_names("bot/utils.py")
    assert vague_names("bot/store/base_tables.py")
    assert not vague_names("bot/database.py")
    assert UNFINISHED.search("# TODO: later")
    assert UNFINISHED.search("raise NotImplementedError")
    assert not UNFINISHED.search("TODOS UXXX")
