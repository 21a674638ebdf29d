"""Puts one bug into the loaded product: the source of a function is changed in memory, and nothing on disk.

The product has no switch for this. A change that does not fit the source any more fails loudly.
"""

import inspect
import os
import sys
import textwrap
from dataclasses import dataclass
from importlib import import_module
from types import FunctionType, ModuleType

PRODUCT = ("approval_rules", "bot", "handlers")
VARIABLE = "PLANTED_BUG"


@dataclass(frozen=True, slots=True)
class Change:
    """In `module:name` (a function, a `Class.method` or a constant text) `old`, which stands there once, is `new`."""

    place: str
    old: str
    new: str


class NotPlantedError(Exception):
    """The product has changed and the bug does not fit any more: change the bug too."""


def plant(change: Change) -> None:
    """Make a change in this process."""
    module_name, _, name = change.place.partition(":")
    module = import_module(module_name)
    owner_name, _, last = name.rpartition(".")
    owner = getattr(module, owner_name) if owner_name else module
    original = getattr(owner, last)
    if isinstance(original, str):
        _everywhere(original, _changed(original, change))
        return
    assert isinstance(original, FunctionType)
    made = _compiled(module, original, change)
    if owner is module:
        _everywhere(original, made)
    else:
        setattr(owner, last, made)


def _compiled(module: ModuleType, original: FunctionType, change: Change) -> FunctionType:
    source = _changed(textwrap.dedent(inspect.getsource(original)), change)
    found: dict[str, FunctionType] = {}
    exec(compile(source, f"<planted in {change.place}>", "exec"), module.__dict__, found)  # noqa: S102 - our own text
    return found[original.__name__]


def _changed(text: str, change: Change) -> str:
    if text.count(change.old) != 1:
        raise NotPlantedError(f"{change.place} has {change.old!r} {text.count(change.old)} times, not once")
    return text.replace(change.old, change.new)


def _everywhere(original: object, made: object) -> None:
    """Replace an object under every name under which a module of the product knows it."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in PRODUCT:
            for known, value in list(vars(module).items()):
                if value is original:
                    setattr(module, known, made)


def planted_here() -> str | None:
    """Name the bug that this process was started with."""
    return os.environ.get(VARIABLE) or None
