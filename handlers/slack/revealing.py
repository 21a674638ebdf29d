"""A look at an original in words: what is hidden, for the person who asked alone. It decides nothing.

What it shows is escaped as ever, and withholds nothing: it MUST stand in no message that others see.
"""

from collections.abc import Iterator
from typing import Final

from approval_rules.refusals import Refusal
from approval_rules.text import AgentText
from handlers.counting import counted
from handlers.desk import Envelope
from handlers.reveal_desk import MOST_REASON, Choice, RevealDesk, Uncovered
from handlers.slack.blocks import CHUNK
from handlers.slack.escape import Safe, visible
from handlers.slack.grammar import RevealWish
from handlers.slack.sentences import UNKNOWN_PROPOSAL, refusal_sentence
from handlers.slack.text import original_words, words

_MOST_LINES: Final = 40
_HOW: Final = Safe("Type /agent reveal, the id, the name of what is hidden, and why: the reason is recorded.")
MORE: Final = Safe("There is more than Slack takes: on the server, foureyes audit reveal shows all of it.")


async def reveal_lines(desk: RevealDesk, who: Envelope, wish: RevealWish) -> list[Safe]:
    """Ask for an original, and say what came of it."""
    if not wish.about or len(wish.reason) > MOST_REASON:
        return [_HOW, Safe(f"At most {MOST_REASON} characters of reason.")] if wish.about else [_HOW]
    # Without a reason nothing is asked for but the names.
    field = wish.field if wish.reason.strip() else ""
    look = await desk.in_slack(who, wish.about, field, AgentText(wish.reason))
    match look:
        case None:
            return [UNKNOWN_PROPOSAL]
        case Refusal():
            return [refusal_sentence(look)]
        case Choice():
            return [*_choice(look), _HOW]
        case Uncovered():
            lines = list(_lines(look))
            return lines if len(lines) <= _MOST_LINES else [*lines[:_MOST_LINES], MORE]


def _choice(look: Choice) -> Iterator[Safe]:
    if not look.fields:
        yield Safe("Nothing of this proposal is hidden, or it has been erased.")
    else:
        yield Safe(f"Nothing was shown. Hidden there: {', '.join([visible(name) for name in look.fields])}.")


def _lines(look: Uncovered) -> Iterator[Safe]:
    many = counted(len(look.originals), "original")
    yield Safe(f"{many} of {visible(look.field)} in {visible(look.proposal)}. This look is on record. Copy it nowhere.")
    for each in look.originals:
        said = f"{words(each.where)} (entry {each.seq}): {original_words(each.text)}"
        yield from (Safe(said[at : at + CHUNK]) for at in range(0, len(said), CHUNK))
