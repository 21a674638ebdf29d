"""Lays out named values as `rich_text` blocks, each small enough for Slack. It splits what is long and never cuts."""

from collections.abc import Sequence
from typing import Final

from handlers.slack.blocks import CHUNK, Block, bullets, chunks, piece, preformatted, rich, title
from handlers.slack.escape import Safe
from handlers.slack.values import Line

_MANY_ELEMENTS: Final = 40


class Sheet:
    """Rich text under construction: elements are gathered into as few blocks as Slack's limits allow."""

    def __init__(self) -> None:
        self._blocks: list[Block] = []
        self._elements: list[Block] = []
        self._bullets: list[list[Block]] = []
        self._size = 0

    def heading(self, text: Safe) -> None:
        """Begin a part with a bold line."""
        self._room_for(len(text))
        self._close_list()
        self._elements.append(title(text))

    def line(self, line: Line) -> None:
        """Add one value, whole."""
        if line.block or line.size > CHUNK:
            self.box(line.name, line.value)
        else:
            name = [piece(Safe(f"{line.name}: "), bold=True)] if line.name else []
            self._room_for(line.size)
            self._bullets.append([*name, piece(line.value)])

    def box(self, name: Safe, text: Safe) -> None:
        """Add long text in boxes under its name."""
        for part in chunks(name):
            self.heading(part)
        for number, chunk in enumerate(chunks(text)):
            self._room_for(len(chunk))
            self._close_list()
            if number:
                self._elements.append(title(Safe("(continued)")))
            self._elements.append(preformatted(chunk))

    def blocks(self) -> list[Block]:
        """Close it and give the blocks."""
        self._flush()
        return self._blocks

    def _room_for(self, size: int) -> None:
        if self._size and (self._size + size > CHUNK or len(self._elements) + len(self._bullets) >= _MANY_ELEMENTS):
            self._flush()
        self._size += size

    def _close_list(self) -> None:
        if self._bullets:
            self._elements.append(bullets(self._bullets))
            self._bullets = []

    def _flush(self) -> None:
        self._close_list()
        if self._elements:
            self._blocks.append(rich(*self._elements))
        self._elements = []
        self._size = 0


def fitting(lines: Sequence[Line], most_characters: int, most_lines: int) -> Sequence[Line]:
    """Give the lines from the first that fit, each whole."""
    used = 0
    for count, line in enumerate(lines):
        used += line.size
        if used > most_characters or count >= most_lines:
            return lines[:count]
    return lines
