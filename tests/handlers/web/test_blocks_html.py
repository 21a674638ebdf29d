"""A packet as HTML: every kind of block that we post, as text and never as markup."""

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
from handlers.web.blocks_html import html_of
from tests.handlers.slack.made import NOW

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
