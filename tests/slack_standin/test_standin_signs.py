"""Signs that the bot writes: the page draws each of them itself, for many computers have no font with them."""

import re

import pytest

from bot.slack_standin.page_api import PAGE
from tests.architecture.source_tree import ROOT

EMOJI = re.compile("[\u231a-\u231b\u23e9-\u23ff\u2600-\u26ff\u2705\u274c-\u2757\u21a9\u25b6\U0001f300-\U0001faff]")
SOURCES = sorted([*ROOT.glob("handlers/**/*.py"), *ROOT.glob("bot/desk/*.py"), *ROOT.glob("bot/access/*.py")])
DRAWN = re.findall(r"'\\u\{?([0-9A-F]+)\}?': '(\w+)'", (PAGE / "emoji.js").read_text(encoding="utf-8"))


def test_every_sign_is_drawn() -> None:
    """None of them is left to the fonts of whoever looks."""
    used = {sign for path in SOURCES for sign in EMOJI.findall(path.read_text(encoding="utf-8"))}
    assert len(used) > 10
    missing = used - {chr(int(code, 16)) for code, _ in DRAWN}
    assert not missing, "draw it in bot/slack_standin/page/emoji.js (DRAWN and NAMES)"


@pytest.mark.parametrize("name", sorted({name for _, name in DRAWN}))
def test_every_drawing_exists(name: str) -> None:
    """A sign leads to a name that has a drawing."""
    assert f" {name}: ['#" in (PAGE / "emoji.js").read_text(encoding="utf-8").replace("{", " ")
