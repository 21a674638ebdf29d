"""`/agent people`: who is one person, what two admins say about it, and what people are told. Decides nothing."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from approval_rules.events import Refusal
from approval_rules.people_events import PersonsJoined, PersonsParted, SameBy
from handlers.desk import Envelope, Face
from handlers.persons_desk import PersonsDesk, PersonsKnown, PersonsSaid
from handlers.slack.escape import Safe
from handlers.slack.sentences import refusal_sentence
from handlers.slack.text import person

_USER: Final = re.compile(r"<@([UW][A-Z0-9]{1,31})(?:\|[^>]*)?>|\b([UW][A-Z0-9]{7,31})\b")
_HOW: Final = Safe(
    "Name two people: /agent people join @A @B says that both are one person, /agent people apart @A @B that they are "
    "two. Two admins must say the same."
)
_WHY: Final[Mapping[SameBy, str]] = {
    "e-mail": "because both accounts have the same e-mail address",
    "identity": "because Slack has one identity for both accounts",
    "admins": "as two admins said",
}


async def persons_answer(desk: PersonsDesk, who: Envelope, word: str, typed: str) -> Sequence[Safe]:
    """Do what was typed after `/agent people`; `typed` is the raw text, with its mentions."""
    if word not in ("join", "apart"):
        known = await desk.known(who)
        return [refusal_sentence(known)] if isinstance(known, Refusal) else [*_listed(known), _HOW]
    users = [found[1] or found[2] for found in _USER.finditer(typed)]
    if len(users) != 2:  # noqa: PLR2004 - a pair
        return [Safe("Nothing was changed."), _HOW]
    return [_done(word, await desk.change(who, "join" if word == "join" else "part", users[0], users[1]))]


def _done(word: str, said: PersonsSaid) -> Safe:
    if said.refusal is not None:
        return refusal_sentence(said.refusal)
    both = f"{_face(said.one)} and {_face(said.other)}"
    if said.waiting:
        return Safe(
            f"{refusal_sentence(Refusal.SECOND_ADMIN_NEEDED)} They type: /agent people {word}, and the two in this"
            f" order: {both}."
        )
    if word == "join":
        return Safe(f"{both} are one person from now on, and have one vote.")
    return Safe(f"{both} are two persons from now on, whatever address both have.")


def _listed(known: PersonsKnown) -> list[Safe]:
    lines = [Safe(f"One person: {_all(group)}.") for group in known.groups]
    lines += [Safe(f"Two persons, as two admins said: {_all(pair)}.") for pair in known.apart]
    lines += [
        Safe(f"Waits for a second admin: {'join' if change == 'join' else 'apart'} {_face(one)} and {_face(other)}.")
        for change, one, other in known.asked
    ]
    return lines or [Safe("Nobody here has several accounts, as far as Foureyes knows.")]


def _all(faces: Sequence[Face]) -> str:
    return " and ".join([_face(face) for face in faces])


def _face(face: Face) -> Safe:
    return person(face.name, face.user_id)


def persons_change(event: PersonsJoined | PersonsParted, one: Face | None, other: Face | None) -> Safe:
    """Say who is one person now, or no longer, and why."""
    both = " and ".join(_face(face) if face else "an account that is no longer kept" for face in (one, other))
    if isinstance(event, PersonsParted):
        return Safe(f"👥 {both} count as two persons from now on, as two admins said. Each has a vote.")
    return Safe(f"👥 {both} count as one person from now on, {_WHY[event.why]}. Together they have one vote.")


def to_the_person(said: Safe) -> Safe:
    """Tell somebody whose account it is about."""
    return Safe(
        f"{said} One of these accounts is yours, or counts as yours. If this is wrong, tell whoever runs Foureyes: two"
        " admins set it right with /agent people."
    )


def to_the_operators(event: PersonsJoined | PersonsParted, said: Safe) -> Safe:
    """Tell the operators' channel what to type where it is wrong."""
    word = "join" if isinstance(event, PersonsParted) else "apart"
    return Safe(f"{said} If this is wrong, two admins type /agent people {word}, and the two in this order.")
