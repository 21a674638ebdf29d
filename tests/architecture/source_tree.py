"""Reads the product's own source for the tests of this folder. Never imports it."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("approval_rules", "handlers", "bot")
TEXT_ENDINGS = frozenset({".py", ".js", ".html", ".css", ".yml", ".yaml", ".sql", ".mako", ".md", ".svg"})

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """One Python file: its path from the root, its text and its syntax tree."""

    path: str
    text: str
    tree: ast.Module


def read(path: Path) -> Source:
    """Read and parse one file."""
    text = path.read_text(encoding="utf-8")
    return Source(path.relative_to(ROOT).as_posix(), text, ast.parse(text))


def planted(code: str, path: str = "planted.py") -> Source:
    """A made-up file, to prove that a check finds what it looks for."""
    return Source(path, code, ast.parse(code))


@cache
def python_files(*folders: str) -> Sequence[Source]:
    """Every Python file under these folders."""
    paths = sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return tuple(read(path) for path in paths)


def text_files(*folders: str) -> Iterator[Path]:
    """Every file of text under these folders, whatever its language, but those that are broken on purpose."""
    for folder in folders:
        found = (path for path in (ROOT / folder).rglob("*") if path.suffix in TEXT_ENDINGS and path.is_file())
        yield from sorted(path for path in found if "policy-faults" not in path.parts or path.name == "README.md")


def functions(source: Source) -> Iterator[Function]:
    """Every function and method of a file, inner ones too."""
    for node in ast.walk(source.tree):
        if isinstance(node, Function):
            yield node


def dotted(node: ast.expr) -> str:
    """The dotted name of an expression such as `datetime.datetime.now`; empty where it is none."""
    match node:
        case ast.Name():
            return node.id
        case ast.Attribute():
            before = dotted(node.value)
            return f"{before}.{node.attr}" if before else node.attr
        case _:
            return ""


def place(source: Source, node: ast.AST) -> str:
    """Where something stands, for a message."""
    return f"{source.path}:{getattr(node, 'lineno', 0)}"
