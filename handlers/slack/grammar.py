"""Reads what a person typed after `/agent`, and forgives slips. It looks nothing up and decides nothing."""

import html
import re
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from typing import Final, Literal, TypeAlias

from handlers.slack.away import AwayWish, away_wish

_STRAIGHT: Final = str.maketrans("“”„«»\u2018\u2019\u00a0", '"""""\'\' ')
_MENTION: Final = re.compile(r"<[@#!]([^>|]*)(?:\|([^>]*))?>")
_USER: Final = re.compile(r"<@([A-Z][A-Z0-9]{1,30})(?:\|[^>]*)?>")
_LINK: Final = re.compile(r"<[a-z]+:[^>|]*\|([^>]*)>|<([a-z]+:[^>]*)>")
_LASTS: Final = re.compile(
    r"for\s+(?:(?P<count>[0-9]{1,4})\s*|(?P<one>an?)\s+)(?P<unit>s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?)"
    r"(?=\s|[.,;:!]|$)[.,;:]?",
    re.IGNORECASE,
)
_REVOKE: Final = re.compile(r"(?:and\s+)?(?:--)?revoke(?=\s|[.,;:!]|$)[.,;:]?", re.IGNORECASE)
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_NAME: Final = re.compile(r'"([^"]*)"|\'([^\']*)\'|(\S+)')
_SAME: Final = {
    "stop": "pause",
    "halt": "pause",
    "freeze": "pause",
    "paused": "pause",
    "unpause": "resume",
    "continue": "resume",
    "list": "pending",
    "whoami?": "whoami",
    "who": "whoami",
    "factors": "factor",
    "?": "help",
    "ooo": "away",
    "return": "back",
    "": "status",
}
_ALL: Final = frozenset({"all", "everything", "everyone", "*"})
_ON_OFF: Final = {"on": True, "start": True, "off": False, "over": False, "end": False}
VERBS: Final = (
    *("pause", "resume", "incident", "status", "pending", "show", "request", "factor", "people"),
    *("reveal", "access", "whoami", "away", "back", "help"),
)

Kind: TypeAlias = Literal["all", "agent", "tool"]


@dataclass(frozen=True, slots=True)
class PauseWish:
    """Stop everything, one agent or one tool; with `revoke`, take back what is approved and unused there."""

    kind: Kind
    name: str
    lasts: timedelta | None
    reason: str
    revoke: bool = False


@dataclass(frozen=True, slots=True)
class LoosePause:
    """Stop, but what? `named` holds if its name is known, else `everything`, with all words as the reason."""

    named: PauseWish
    everything: PauseWish


@dataclass(frozen=True, slots=True)
class ResumeWish:
    """Start something again. `kind` None: no scope word was typed."""

    kind: Kind | None
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class IncidentWish:
    """Declare an incident, or end it. `on` None: neither was said."""

    on: bool | None
    reason: str


@dataclass(frozen=True, slots=True)
class FactorWish:
    """Do something with second factors: `act` is the first word, `about` the next, `users` the people mentioned."""

    act: str
    about: str
    users: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PersonsWish:
    """Say who is one person: `join`, `apart`, or anything else to read who is."""

    word: str


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask for something to read: `status`, `pending`, `show`, `access`, `whoami`, `help`; `about` follows it."""

    verb: str
    about: str
    bare: bool = False


@dataclass(frozen=True, slots=True)
class StartWish:
    """Start oneself what the policy blocks: a tool's name."""

    tool: str


@dataclass(frozen=True, slots=True)
class RevealWish:
    """See the original of what is hidden under the name `field` in one proposal, for a reason."""

    about: str
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """No command of ours; `nearest` is the one that was perhaps meant."""

    word: str
    nearest: str | None


Wish: TypeAlias = (
    PauseWish
    | LoosePause
    | ResumeWish
    | IncidentWish
    | FactorWish
    | PersonsWish
    | StartWish
    | AwayWish
    | RevealWish
    | Ask
    | NotUnderstood
)


def understand(typed: str) -> Wish:
    """Read the words after `/agent`."""
    text = _straight(typed)
    word, _, rest = text.partition(" ")
    word = word.strip("\"'.,:;!`").casefold() if word != "?" else word
    verb = _SAME.get(word, word)
    rest = rest.strip()
    if verb == "pause":
        return _pause(rest)
    if verb == "resume":
        kind, name, reason = _scope(rest)
        return ResumeWish(kind, name, reason)
    if verb == "incident":
        word, _, reason = rest.partition(" ")
        return IncidentWish(_ON_OFF.get(word.strip("\"'.,:;!`").casefold()), reason.strip())
    if verb == "factor":
        return _factor(typed)
    if verb == "people":
        return PersonsWish(_first(rest)[0].casefold())
    if verb == "request":
        return StartWish(_first(rest)[0])
    if verb == "reveal":
        about, rest = _first(rest)
        return RevealWish(about, *_first(rest))
    if verb in ("away", "back"):
        return AwayWish(back=True) if verb == "back" else away_wish(typed, rest)
    if verb in VERBS:
        return Ask(verb, _first(rest)[0], bare=not text)
    nearest = get_close_matches(word, VERBS, 1, 0.6)
    return NotUnderstood(word, nearest[0] if nearest else None)


def _straight(typed: str) -> str:
    """Undo what Slack and phones do to typed text: escapes, mentions, links, curly quotes, odd spaces."""
    text = _MENTION.sub(lambda found: found[2] or found[1], typed)
    text = _LINK.sub(lambda found: found[1] or found[2], text)
    return " ".join(html.unescape(text).translate(_STRAIGHT).split())


def _pause(rest: str) -> PauseWish | LoosePause:
    kind, name, after = _scope(rest)
    if kind is not None:
        return PauseWish(kind, name, *_terms(after))
    everything = PauseWish("all", "", *_terms(rest))
    name, after = _first(rest)
    if everything.lasts is not None or everything.revoke or not name:
        return everything
    return LoosePause(PauseWish("agent", name, *_terms(after)), everything)


def _factor(typed: str) -> FactorWish:
    words = _straight(_USER.sub(" ", typed)).casefold().split()[1:3]
    act, about = [*words, "", ""][:2]
    return FactorWish(act or "list", about, tuple(_USER.findall(typed)))


def _scope(rest: str) -> tuple[Kind | None, str, str]:
    """Split off the scope: its kind, its name, and what follows."""
    word, _, after = rest.partition(" ")
    match word.strip("\"'.,:;!`").casefold():
        case "agent":
            return "agent", *_first(after)
        case "tool":
            return "tool", *_first(after)
        case scope if scope in _ALL:
            return "all", "", after.strip()
        case _:
            return None, "", rest


def _first(rest: str) -> tuple[str, str]:
    """Split off the first name, which may stand in quotes."""
    found = _NAME.match(rest)
    if found is None:
        return "", rest
    name = next(group for group in found.groups() if group is not None)
    return name.strip("`,;"), rest[found.end() :].strip()


def _terms(rest: str) -> tuple[timedelta | None, str, bool]:
    """Split off `for 30m` and `revoke` where they come first, in either order; the rest is the reason."""
    said = _REVOKE.match(rest)
    lasts, reason = _lasts(rest[said.end() :].strip() if said else rest)
    said_later = None if said else _REVOKE.match(reason)
    return lasts, reason[said_later.end() :].strip() if said_later else reason, bool(said or said_later)


def _lasts(rest: str) -> tuple[timedelta | None, str]:
    """Split off `for 30m` where it comes first; anywhere else it belongs to the reason, and the pause has no end."""
    found = _LASTS.match(rest)
    count = int(found["count"] or 1) if found else 0
    if found is None or count == 0:
        return None, rest
    return timedelta(seconds=count * _SECONDS[found["unit"][0].lower()]), rest[found.end() :].strip()
