"""`/agent away` and `/agent back`: what was typed, and the answers. It decides nothing."""

import re
from dataclasses import dataclass
from typing import Final

from approval_rules.duty_events import AwayDeclined, AwaySet
from approval_rules.refusals import Refusal
from handlers.away_desk import Away, AwayDesk, AwaySaid, Duty
from handlers.desk import Envelope, Face
from handlers.slack.blocks import utc
from handlers.slack.escape import Safe, visible
from handlers.slack.sentences import refusal_sentence
from handlers.slack.text import person

_COLLEAGUE: Final = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>")
_TO: Final = re.compile(r"\s*\b(?:delegates?|delegate\s+to|deputy|ask)\b.*", re.IGNORECASE | re.DOTALL)
_NAMELESS: Final = Safe("A person whose name is no longer kept")
_NO: Final = frozenset({"decline", "no"})
HOW: Final = Safe(
    "Say until when: /agent away until friday, until tomorrow 09:00, until 2026-12-01, for 3 days. To have somebody"
    " called instead of you, add: delegate @colleague. /agent back ends it."
)


@dataclass(frozen=True, slots=True)
class AwayWish:
    """Be away until then; `until` empty asks how things stand. `back` ends it.

    `decline` stands in for nobody. `delegate` is a Slack user id, None where none was named; `unread` says that one was
    named and cannot be told.
    """

    until: str = ""
    delegate: str | None = None
    unread: bool = False
    back: bool = False
    decline: bool = False


def away_wish(typed: str, rest: str) -> AwayWish:
    """Read what stands after the verb: `typed` as Slack sent it, with ids; `rest` as people read it."""
    if rest.strip(" .,;!").casefold() in _NO:
        return AwayWish(decline=True)
    found = _COLLEAGUE.search(typed)
    named = _TO.search(rest)
    until = rest[: named.start()] if named else rest
    return AwayWish(until.strip(" .,;"), found[1] if found else None, unread=bool(named) and found is None)


async def away_lines(desk: AwayDesk, who: Envelope, wish: AwayWish) -> list[Safe]:
    """Do what was typed and say what became of it."""
    if wish.back:
        done = await desk.come_back(who)
        return [refusal_sentence(done.refusal) if done.refusal else Safe("👋 You are back, and called again.")]
    if wish.decline:
        done_for = await desk.decline(who)
        return [refusal_sentence(done_for)] if isinstance(done_for, Refusal) else [_declined(away) for away in done_for]
    if wish.unread:
        return [Safe("Nothing was changed: name the colleague by typing @ and choosing from the list."), HOW]
    if not wish.until:
        return _standing(await desk.away_now(who)) if wish.delegate is None else [_nothing(), HOW]
    done = await desk.go_away(who, wish.until, wish.delegate)
    if done.refusal is not None:
        return [refusal_sentence(done.refusal)]
    return [_nothing(), HOW] if done.unread else _standing(done)


def _declined(away: Away) -> Safe:
    return Safe(
        f"🌴 You do not stand in for {_name(away.who)} any more, who is away until {utc(away.until)} and is told so."
        " Nobody is called instead."
    )


def _nothing() -> Safe:
    return Safe("Nothing was changed: until when is not clear. It must be ahead, and within a year.")


def _standing(said: AwaySaid) -> list[Safe]:
    away = said.away
    if away is None:
        return [Safe("You are not away."), HOW]
    return [Safe(f"🌴 You are away {until_words(away, said.zone)}. /agent back ends it.")]


def until_words(away: Away, zone: str = "UTC") -> Safe:
    """Say until when somebody is away, and who is called instead."""
    told = f"until {utc(away.until)}" + ("" if zone == "UTC" else f", read in the time zone {visible(zone)}")
    if away.delegate is None:
        return Safe(f"{told}; nobody is called instead")
    return Safe(f"{told}; {_name(away.delegate)} is called instead, and decides by the own right")


def away_line(away: Away) -> Safe:
    """Say of somebody who is away."""
    return Safe(f"🌴 {_name(away.who)} is away {until_words(away)}.")


def duty_line(duty: Duty) -> Safe:
    """Say whether somebody is on call, and until when or from when on."""
    if duty.now:
        until = f", until {utc(duty.until)}" if duty.until else ""
        return Safe(f"☎ You are on call as {visible(duty.role)}{until}.")
    since = f"; your turn begins {utc(duty.until)}" if duty.until else ""
    return Safe(f"You take turns as {visible(duty.role)}, and are not on call now{since}.")


def declined_words(event: AwayDeclined, who: Face | None, delegate: Face | None) -> Safe:
    """Tell that somebody stands in for nobody any more, and how another one is named."""
    name, deputy = (_name(face) if face else _NAMELESS for face in (who, delegate))
    return Safe(
        f"🌴 {deputy} cannot stand in for {name}, who is away until {utc(event.until)}: nobody is called instead now."
        f" {name} can name somebody else: /agent away until friday delegate @colleague."
    )


def away_announcement(event: AwaySet, who: Face | None, delegate: Face | None) -> Safe:
    """Tell a channel that somebody is away and who stands in, so that the delegate knows."""
    name, deputy = (_name(face) if face else _NAMELESS for face in (who, delegate))
    return Safe(
        f"🌴 {name} is away until {utc(event.until)}. {deputy} is called instead, for what both of them may decide."
        " That gives no new right. Whoever cannot do it types /agent away decline."
    )


def _name(face: Face) -> Safe:
    return person(face.name, face.user_id)
