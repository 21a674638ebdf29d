"""A packet as HTML: every kind of block that we post, as text and never as markup."""

import re
import unicodedata

import pytest

from handlers.slack.blocks import (
    Block,
    bullets,
    button,
    context,
    header,
    mentions,
    moment,
    piece,
    preformatted,
    rich,
    section,
)
from handlers.slack.blocks import title as bold
from handlers.slack.escape import Safe
from handlers.slack.packet import packet
from handlers.web.blocks_html import html_of
from tests.handlers.slack.made import NOW, states

EVIL = Safe("<b onclick='x'>&amp;\"")
ESCAPED = "&lt;b onclick=&#x27;x&#x27;&gt;&amp;amp;&quot;"


@pytest.mark.parametrize(
    ("block", "html"),
    [
        (header(EVIL), f"<h1>{ESCAPED}</h1>"),
        (section(EVIL), f"<p>{ESCAPED}</p>"),
        (context(EVIL, EVIL), f"<p><small>{ESCAPED}<br>{ESCAPED}</small></p>"),
        (rich(bold(EVIL)), f"<p><strong>{ESCAPED}</strong></p>"),
        (rich(preformatted(EVIL)), f"<pre>{ESCAPED}</pre>"),
        (rich(bullets([[piece(EVIL)], [piece(EVIL)]])), f"<ul><li>{ESCAPED}</li><li>{ESCAPED}</li></ul>"),
        (mentions(["U0MAYA"], ["S0OPS"]), "<p>U0MAYA S0OPS </p>"),
        ({"type": "divider"}, "<hr>"),
        ({"type": "actions", "elements": [button("approve", EVIL, "value")]}, ""),
        (rich({"type": "rich_text_quote", "elements": [piece(EVIL)]}), ""),
    ],
)
def test_text_is_escaped_whatever_it_stands_in(block: Block, html: str) -> None:
    """What a browser gets is the text that Slack shows; buttons are left out."""
    assert html_of([block]) == html


def test_a_time_is_told_in_utc() -> None:
    """Slack writes it in the reader's own zone; a page without a script has what Slack shows where it cannot."""
    shown = html_of([moment(Safe("Until"), NOW, Safe("then it expires."))])
    assert shown == f"<p><small>Until {NOW:%Y-%m-%d %H:%M} UTC<br>then it expires.</small></p>"


def test_a_sign_is_drawn_and_told() -> None:
    """A machine without a font for it shows a drawing in the colour of the text, and a screen reader says the sign."""
    html = html_of([section(Safe("\u23f3 Waiting: 0 of 2"))])
    assert html.startswith('<p><svg width="18" height="18" viewBox="0 0 24 24" fill="none" stroke="currentColor"')
    assert 'aria-label="\u23f3"' in html
    assert html.endswith("</svg> Waiting: 0 of 2</p>")


def test_every_sign_of_a_state_is_drawn() -> None:
    """Whatever state a packet has, no sign of it is left to a font that may lack it; DejaVu has those of votes."""
    left = {
        character
        for made in states().values()
        for character in re.sub(r"<svg.*?</svg>", "", html_of(packet(made, NOW).blocks))
        if unicodedata.category(character) == "So"
    }
    assert left <= set("\u2716\u2714\u270e"), left
