"""The two readers of YAML: whatever a text is, the quick one never says anything else of it than the plain one."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.marked_yaml import Page
from bot.yaml_loaders import PlainLoader, quick_node

HERE = Path(__file__).parents[2]
PLACES = (HERE / "examples", HERE / "bot" / "templates")
FILES = sorted(path for place in PLACES for path in place.rglob("*.yml") if path.is_file())
TEXTS = [path.read_bytes().decode(errors="replace") for path in FILES if path.stat().st_size < 3_000]
BITS = [
    *(" ", "  ", "\n", "\n\n", ":", ": ", "- ", "-", "#", " #", "'", '"', "''", "[", "]", "{", "}", ",", "|", "|\n"),
    *(">", ">-\n", "|2\n", "%", "---", "...\n", "\n--- ", "!", "!!str ", "!!int ", "&a ", "*a", "<<: ", "~", "yes"),
    *("010", "\\", '"\\x41"', "@", "`", "\t", "\r\n", "? ", "\u00e9", "\u0085", "\u2028", "\ufeff", "\U0001f600"),
]


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A file of ours that somebody changed here and there."""
    text = draw(st.sampled_from(TEXTS))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(text)))
        if draw(st.booleans()):
            text = text[:at] + draw(st.sampled_from(BITS)) + text[at:]
        else:
            text = text[:at] + text[at + draw(st.integers(1, 8)) :]
    return text


def told(text: str, node: yaml.Node) -> Iterator[object]:
    """Everything that a page asks of a node: what it is, where it begins, and the text that it covers."""
    yield type(node), node.tag, node.start_mark.line, node.start_mark.column, node.start_mark.index
    yield text[node.start_mark.index : node.end_mark.index].rstrip()
    if isinstance(node, yaml.ScalarNode):
        yield node.value, node.style or None
        return
    for each in node.value:
        for part in each if isinstance(each, tuple) else (each,):
            yield from told(text, part)


@given(texts())
def test_what_the_quick_reader_gives_the_plain_one_gives_too(text: str) -> None:
    """A policy means the same in both, to the column: a text that they would read in two ways is left to one."""
    quick = quick_node(text)
    if quick is not None:
        plain = PlainLoader(text).get_single_node()
        assert plain is not None
        assert list(told(text, quick)) == list(told(text, plain))


@pytest.mark.parametrize(
    "path", [path for path in FILES if "policy-faults" not in path.parts], ids=lambda path: path.name
)
def test_ordinary_files_are_read_by_the_quick_one(path: Path) -> None:
    """Every policy that we ship is."""
    text = path.read_text("utf-8")
    assert quick_node(text) is not None or "?" in text


@pytest.mark.parametrize(
    "text",
    [
        "a:\tb",
        "{a? b: c}",
        "a: \ufeffb",
        "a: b\r\n",
        "a: \u2028b",
        "a:",
        "a: {b: }",
        "a: [",
        "a: &x b",
        "a: *x",
        "a: 2000-99-99\n...\nb",
        "a: '\\",
        "[" * 13 + "]" * 13,
        "",
        "# nothing",
    ],
)
def test_what_is_odd_or_wrong_is_left_to_the_plain_one(text: str) -> None:
    """So a fault is told in one way only."""
    assert quick_node(text) is None


def test_without_libyaml_the_plain_one_reads_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyYAML can be built without it: a policy is read all the same."""
    monkeypatch.setattr(yaml, "__with_libyaml__", False)
    assert quick_node("a: b") is None
    assert Page("x.yml").read(b"a: b") is not None


def test_a_bomb_of_brackets_is_refused_by_the_quick_one_as_well() -> None:
    """It stops at the same depth, and at the same number of values."""
    assert quick_node("a: " + "[" * 11 + "]" * 11) is not None
    assert quick_node("a: " + "[" * 12 + "]" * 12) is None
    assert quick_node("[" + "a, " * 5_998 + "a]") is not None
    assert quick_node("[" + "a, " * 5_999 + "a]") is None


def test_odd_characters_are_kept_out_one_by_one() -> None:
    """What is ordinary: printable ASCII without '?', the end of a line, and letters of other scripts."""
    ordinary = {chr(each) for each in range(0x20, 0x2FF) if quick_node(f"'{chr(each)}'") is not None}
    assert ordinary >= set(map(chr, range(0xA1, 0x2FF)))
    assert not re.search("[?\t\r\x7f\x85\xa0]", "".join(ordinary))
