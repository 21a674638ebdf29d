"""What the demo says on the terminal: short lines, colours only where somebody can see them. Never a traceback."""

import os
import sys
from typing import Final, TextIO

_GREEN: Final = "32"
_RED: Final = "31"
_BOLD: Final = "1"


class Terminal:
    """Writes to standard output; NO_COLOR and pipes get plain text."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._colours = self._out.isatty() and not os.environ.get("NO_COLOR")

    def say(self, text: str = "") -> None:
        """Write a line."""
        self._out.write(text + "\n")
        self._out.flush()

    def title(self, text: str) -> None:
        """Write a heading."""
        self.say(self._in(_BOLD, text))

    def mark(self, text: str, *, ok: bool) -> None:
        """Write what was checked, with a check mark or a cross."""
        sign = self._in(_GREEN, "✓") if ok else self._in(_RED, "✗")
        self.say(f"   {sign} {text}")

    def strong(self, text: str) -> str:
        """Make text stand out inside a line."""
        return self._in(_BOLD, text)

    def _in(self, colour: str, text: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self._colours else text
