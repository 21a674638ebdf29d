"""What the pages name is there: every link between them leads somewhere, and every command and option exists."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from bot.cli.main import app
from tests.architecture.source_tree import ROOT

PAGES = (*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md")
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
COMMAND = re.compile(r"(?:^|&& |; )(?:\$ )?foureyes ([a-z][^`\n|#;&]*)", re.MULTILINE)
ROOT_COMMAND = typer.main.get_command(app)
# What a passkey's challenge begins with; no command.
NO_COMMANDS = {"foureyes approval v1"}
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


def anchors(page: Path) -> set[str]:
    """Give what a page's headings are called in links."""
    headings = HEADING.findall(page.read_text("utf-8"))
    return {re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def dead(page: Path) -> Iterator[str]:
    """Give each link that leads nowhere."""
    for path, anchor in LINK.findall(page.read_text("utf-8")):
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            yield f"{page.name}: {path}#{anchor}"


def unknown(text: str) -> Iterator[str]:
    """Give each command that there is not, and each option that its command does not take."""
    for line in COMMAND.findall(text):
        words = line.split()
        command: Any = ROOT_COMMAND
        while words and hasattr(command, "commands"):
            word = words.pop(0)
            if word not in command.commands:
                yield f"foureyes {line.strip()}"
                break
            command = command.commands[word]
        else:
            takes = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
            yield from (f"{command.name} {option}" for option in OPTION.findall(line) if option not in takes)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    """A page that moved, or a heading that was renamed, is found here and not by a reader."""
    assert list(dead(page)) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_exists(page: Path) -> None:
    """What a page tells people to type can be typed: the command and its options."""
    text = page.read_text("utf-8")
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE))
    blocks = re.findall(r"^```[a-z]*\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    code = "\n".join([*inline, *blocks])
    assert set(unknown(code)) - NO_COMMANDS == set()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("foureyes audit verify --against FILE", []),
        ("foureyes audit verfy", ["foureyes audit verfy"]),
        ("foureyes audit verify --agenst FILE", ["verify --agenst"]),
        ("foureyes agent add refund-bot --owner U1", []),
    ],
)
def test_the_check_finds_a_planted_command(text: str, found: list[str]) -> None:
    """A misspelt command or option is named."""
    assert list(unknown(text)) == found
