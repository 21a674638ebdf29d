"""The rich_text block: its four containers and the inline pieces inside them; nothing here is ever parsed as markup."""

from typing import Final

from bot.slack_standin.elements import IDENTIFIER, URL
from bot.slack_standin.shapes import array, boolean, choice, integer, record, string, tagged

MANY: Final = 1000
STYLE: Final = record(
    {}, {"bold": boolean, "italic": boolean, "strike": boolean, "code": boolean, "underline": boolean}
)
_STYLED: Final = {"style": STYLE}
_PIECES: Final = {
    "text": record({"text": string(1, 13_200)}, _STYLED),
    "link": record({"url": URL}, {"text": string(1, 3000), "unsafe": boolean, **_STYLED}),
    "user": record({"user_id": IDENTIFIER}, _STYLED),
    "usergroup": record({"usergroup_id": IDENTIFIER}, _STYLED),
    "channel": record({"channel_id": IDENTIFIER}, _STYLED),
    "broadcast": record({"range": choice("here", "channel", "everyone")}, _STYLED),
    "emoji": record({"name": string(1, 100)}, {"unicode": string(1, 100), "skin_tone": integer(2, 6), **_STYLED}),
}
PIECES: Final = array(tagged(_PIECES), 0, MANY)
_BORDER: Final = {"border": integer(0, 1)}
SECTION: Final = record({"elements": PIECES})
LIST: Final = record(
    {"style": choice("bullet", "ordered"), "elements": array(tagged({"rich_text_section": SECTION}), 1, MANY)},
    {"indent": integer(0, 8), "offset": integer(0, MANY), **_BORDER},
)
# A preformatted piece takes text and links only: people and emoji are not drawn inside it.
PREFORMATTED: Final = record(
    {"elements": array(tagged({"text": _PIECES["text"], "link": _PIECES["link"]}), 0, MANY)}, _BORDER
)
QUOTE: Final = record({"elements": PIECES}, _BORDER)

RICH_TEXT: Final = record(
    {
        "elements": array(
            tagged(
                {
                    "rich_text_section": SECTION,
                    "rich_text_list": LIST,
                    "rich_text_preformatted": PREFORMATTED,
                    "rich_text_quote": QUOTE,
                }
            ),
            1,
            MANY,
        )
    },
    {"block_id": IDENTIFIER},
)
