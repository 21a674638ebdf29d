"""What `/agent factor` does: one call of the desk for each wish, and an answer that only the person sees."""

from dataclasses import dataclass
from typing import Final

from approval_rules.events import Refusal
from approval_rules.step_up import Factor
from handlers.desk import Envelope
from handlers.factor_desk import FactorDesk
from handlers.slack.blocks import Block, button, section, utc
from handlers.slack.escape import Safe
from handlers.slack.factor_words import NAMES, factor_refusal, list_words, said_words
from handlers.slack.grammar import FactorWish
from handlers.slack.ids import FACTOR_ENROL

HELP: Final = (
    Safe("/agent factor · your second factors, and what waits for you"),
    Safe("/agent factor add passkey · /agent factor add totp · get one"),
    Safe("/agent factor lock · at once, where yours is lost; @name after it locks that person's, for admins"),
    Safe("/agent factor remove passkey · remove totp · another person must confirm it"),
    Safe("/agent factor confirm @name · refuse @name · for admins"),
)
_FACTORS: Final[dict[str, Factor]] = {"passkey": "passkey", "totp": "totp", "app": "totp", "code": "totp"}


@dataclass(frozen=True, slots=True)
class FactorAnswer:
    """What was typed is answered so; `blocks` where words are not enough."""

    lines: list[Safe]
    blocks: list[Block]


async def factor_answer(desk: FactorDesk, who: Envelope, wish: FactorWish) -> FactorAnswer:
    """Do what was typed after `/agent factor` and say what became of it."""
    whom = wish.users[0] if len(wish.users) == 1 else None
    factor = _FACTORS.get(wish.about)
    if len(wish.users) > 1:
        return _words(Safe("Nothing was done: please name one person at a time."))
    match wish.act:
        case "add" if factor is not None and whom is None:
            return await _add(desk, who, factor)
        case "confirm" if whom is not None:
            return _words(said_words(await desk.confirm_factor(who, whom, None)))
        case "refuse" if whom is not None:
            return _words(said_words(await desk.refuse_factor(who, whom, None)))
        case "lock" if not wish.about:
            return _words(said_words(await desk.lock_factors(who, whom or who.account.user_id)))
        case "remove":
            return _words(said_words(await desk.remove_factor(who, whom or who.account.user_id, factor)))
        case "list" if not wish.about and whom is None:
            return _words(*list_words(await desk.factors(who)))
        case _:
            return _words(Safe("Nothing was done: this was not understood."), *HELP)


async def _add(desk: FactorDesk, who: Envelope, factor: Factor) -> FactorAnswer:
    link = await desk.begin_enrolment(who, factor)
    if isinstance(link, Refusal):
        return _words(factor_refusal(link))
    lines = [
        Safe(f"Enrol your {NAMES[factor]} on this page. It is for you alone: whoever opens it first has it."),
        Safe(f"It works once, until {utc(link.expires_at)}. Afterwards another person must confirm; you will be told."),
    ]
    opens = {**button(FACTOR_ENROL, Safe("Open the page"), factor, "primary"), "url": link.url}
    return FactorAnswer(lines, [*map(section, lines), {"type": "actions", "elements": [opens]}])


def _words(*lines: Safe) -> FactorAnswer:
    return FactorAnswer([*lines], [])
