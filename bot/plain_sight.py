"""Finds what a reviewer of a policy would not see as the machine reads it. Knows characters only, and judges no rule.

Whoever hides something in a pull request has few ways that are not words: characters without a shape, or that turn the
direction of writing; blanks that push a rule out of the window; escapes that spell another word.
"""

import re
from typing import Final

_HIDDEN: Final = re.compile(
    "[\u0085\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f"
    "\u2800\u3000\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
    r"|(?!\A)\ufeff|\r(?!\n)"
)
_GAP: Final = re.compile(r"(?<=\S) {40,}(?=[^\s#])")
_HOLE: Final = re.compile(r"\s{4,}|\n\s*\n")
_ESCAPE: Final = re.compile(r'\\[^"]', re.DOTALL)

Found = tuple[int, str]
"""An offset in the text that was looked at, and what to do."""


def hidden_in(text: str) -> Found | None:
    """Find the first character that nobody sees, or takes for another one, or what stands far off to the right."""
    found = _HIDDEN.search(text)
    if found:
        return found.start(), f"an invisible character, U+{ord(found[0]):04X}; take it out, so that all can be seen"
    for gap in _GAP.finditer(text):
        if not text[text.rfind("\n", 0, gap.start()) + 1 :].lstrip(" ").startswith("#"):
            return gap.end(), "far off to the right, where nobody looks; begin a new line"
    return None


def hole_in(condition: str) -> Found | None:
    """Find where a condition goes on after a gap."""
    found = _HOLE.search(condition.rstrip())
    return (found.end(), "goes on after a gap; write it without") if found else None


def spelt_out(source: str) -> bool:
    """Whether a condition's text in quotes is spelt in escapes other than that of a quote."""
    return source.startswith('"') and _ESCAPE.search(source) is not None
