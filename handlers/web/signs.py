"""Draws the signs of a packet on our pages: many machines have no font for them, and an empty box tells nothing.

In the colour of the text around it, and beside words that say the same. It never changes a word.
"""

import re
from typing import Final

_HOURGLASS: Final = "M7 4h10l-5 8 5 8H7l5-8z"
_ROUND: Final = "M12 3a9 9 0 100 18 9 9 0 000-18z"
_BOX: Final = "M4 4h16v16H4z"
_PATHS: Final = {
    "\u23f3": _HOURGLASS,
    "\u231b": f"{_HOURGLASS}M9 19h6",
    "\u23f8": "M8 5v14M16 5v14",
    "\u23f1": f"{_ROUND}M12 7v5h4",
    "\u25b6": "M7 4l12 8-12 8z",
    "\u26d4": f"{_ROUND}M7 12h10",
    "\u2705": f"{_BOX}M7.5 12.5l3 3 6-7",
    "\u2611": f"{_BOX}M7.5 12.5l3 3 6-7",
    "\u2753": f"{_ROUND}M9 9.5a3 3 0 115 2c-1.3 1-2 1.5-2 2.8M12 17.2v.3",
    "\u2757": f"{_ROUND}M12 7v6.5M12 16.7v.3",
    "\u21a9": "M9 5L5 9l4 4M5 9h9a5 5 0 010 10h-3",
    "\u26a0": "M12 3.5L2.5 20h19zM12 10v5M12 17.5v.5",
    "\u260e": "M6 4l3 4-2 2c1 3 3 5 6 6l2-2 4 3-2 3C10 20 4 14 4 7z",
    "\U0001f4ac": "M4 5h16v11h-8l-4 4v-4H4z",
    "\U0001f534": f"{_ROUND}M12 8a4 4 0 100 8 4 4 0 000-8z",
    "\U0001f9ea": "M8 4h8M9.5 4v13a2.5 2.5 0 005 0V4M9.5 11h5",
}
_SIGN: Final = re.compile(f"[{''.join(_PATHS)}]")


def with_signs(html: str) -> str:
    """Put drawings in the place of signs, in text that is escaped already."""
    return _SIGN.sub(_drawn, html)


def _drawn(found: re.Match[str]) -> str:
    return (
        '<svg width="18" height="18" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2"'
        f' stroke-linejoin="round" role="img" aria-label="{found[0]}"><path d="{_PATHS[found[0]]}"/></svg>'
    )
