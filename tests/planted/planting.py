"""Puts one bug into the loaded product: the source of a function is changed in memory, and nothing on disk.

The product has no switch for this. A change that does not fit the source any more fails loudly.
"""

import inspect
import os
import sys
from dataclasses import dataclass
from importlib import import_module
from types import FunctionType, ModuleType

PRODUCT = ("approval_rules", "bot", "handlers")
_SOURCES: dict[FunctionType, str] = {}
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
    module, owner, last = _found(change)
    original = getattr(owner, last)
    source = changed(change)
    made = source if isinstance(original, str) else _compiled(module, change, source)
    if isinstance(made, FunctionType):
        _SOURCES[made] = source
    if owner is module:
        _everywhere(original, made)
    else:
        setattr(owner, last, made)


def changed(change: Change) -> str:
    """Give the changed text without planting it; raises NotPlantedError where it does not fit."""
    _, owner, last = _found(change)
    original = getattr(owner, last)
    text = original if isinstance(original, str) else _SOURCES.get(original) or inspect.getsource(original)
    if text.count(change.old) != 1:
        raise NotPlantedError(f"{change.place} has {change.old!r} {text.count(change.old)} times, not once")
    return text.replace(change.old, change.new)


def _found(change: Change) -> tuple[ModuleType, object, str]:
    module_name, _, name = change.place.partition(":")
    module = import_module(module_name)
    owner_name, _, last = name.rpartition(".")
    return module, getattr(module, owner_name) if owner_name else module, last


def _compiled(module: ModuleType, change: Change, source: str) -> FunctionType:
    made: dict[str, FunctionType] = {}
    whole = f"if True:\n{source}" if source.startswith(" ") else source  # a method stands indented
    exec(compile(whole, f"<planted in {change.place}>", "exec"), module.__dict__, made)  # noqa: S102 - our own text
    (function,) = made.values()
    return function


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
