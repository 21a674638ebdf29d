"""What people are told about second factors: by direct message, in the operators' channel, and in answer. No secret."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, assert_never

from approval_rules.events import Refusal
from approval_rules.factor_events import (
    FactorConfirmed,
    FactorEnrolled,
    FactorEvent,
    FactorKept,
    FactorLocked,
    FactorRefused,
    FactorRemovalAsked,
    FactorRemoved,
    Held,
    RecoveryUsed,
)
from handlers.counting import counted
from handlers.desk import Face
from handlers.factor_desk import FactorSaid, HeldFactor, MyFactors
from handlers.slack.blocks import Message, button, section, utc
from handlers.slack.escape import Safe, mrkdwn_safe
from handlers.slack.ids import FACTOR_CONFIRM, FACTOR_REFUSE, factor_value
from handlers.slack.sentences import refusal_sentence
from handlers.slack.text import person

NAMES: Final[dict[Held, str]] = {
    "totp": "authenticator app",
    "passkey": "passkey",
    "recovery": "recovery codes",
}
_NOT_YOU: Final = "If this was not you, type /agent factor lock now and tell whoever runs Foureyes."
_FACTOR_REFUSED: Final = {
    Refusal.NOT_WAITING: "Nothing was changed: there is nothing like that waiting. /agent factor lists what is there.",
    Refusal.OWN_FACTOR: "Nothing was changed: nobody confirms his own second factor. Please ask another person of the "
    "role admin (or operator, where there is no admin).",
    Refusal.NOT_FACTOR_ADMIN: "Nothing was changed: only the role admin (or operator, where there is no admin) does "
    "this for others; /agent whoami shows your roles.",
    Refusal.OTHER_ADMIN_NEEDED: "Nothing was changed: you asked for this, so somebody else must confirm it.",
    Refusal.SEVERAL_WAIT: "Nothing was changed: there is more than one. Please use the buttons in the operators' "
    "channel, or name the kind: passkey or totp.",
    Refusal.EXPIRED: "Nothing was changed: that enrolment is more than a week old. The person must enrol again.",
    Refusal.NO_PAGES: "There is no page to enrol on yet: whoever runs Foureyes must set FOUREYES_PUBLIC_URL.",
    Refusal.TOO_FAST: "You have several open links already. Please use one of them, or wait half an hour.",
    Refusal.NOT_IN_ROLE: "Nothing was done: you have no role here, so you need no second factor.",
}


@dataclass(frozen=True, slots=True)
class About:
    """What a message about a person's factor needs besides the event: whose it is, who did it, and what came of it.

    `by` is None where it was done on the server, or by Foureyes itself.
    """

    whose: Face
    by: Face | None
    factor: Held
    answer: FactorEvent | None = None
    answered_by: Face | None = None


def told(event: FactorEvent, about: About) -> Safe:
    """Tell a person in a direct message what happened to his factor, and what to do if it was not he."""
    what, by = NAMES[about.factor], _who(about.by)
    match event:
        case FactorEnrolled():
            said = f"A new {what} was enrolled for you. It counts once another person has confirmed it."
        case FactorConfirmed():
            said = f"{by} confirmed your {what}: it counts from now on."
        case FactorLocked() if event.why == "failures":
            said = f"Your {what} is locked: too many wrong codes in a row. Another person must confirm it again."
        case FactorLocked():
            said = f"{by} locked your {what}. It counts no more until another person confirms it again."
        case FactorRemovalAsked():
            said = f"{by} asked to remove your {what}. It stays until another person confirms that."
        case FactorKept():
            said = f"{by} refused to remove your {what}: it stays."
        case FactorRemoved():
            done = "was refused and is" if event.why == "refused" else "is"
            said = f"Your {what} {done} removed, says {by}."
        case RecoveryUsed():
            said = (
                "A recovery code of yours was used to enrol a new authenticator app, which counts at once; the old one "
                f"is gone. {counted(event.left, 'code')} left."
            )
        case FactorRefused():
            said = "Your enrolment link was opened a second time, by another browser, which was shown nothing."
        case _:
            assert_never(event)
    return Safe(f"🔐 {said} {_NOT_YOU}")


def question(event: FactorEvent, about: About, credential: str) -> Message:
    """Ask those who confirm for others, or show what was answered; then there is no button any more."""
    whose, what = person(about.whose.name, about.whose.user_id), NAMES[about.factor]
    asks = isinstance(event, FactorEnrolled | FactorRemovalAsked)
    match event:
        case FactorEnrolled():
            said = f"{whose} enrolled a new {what}. Confirm only after you have spoken to that person."
        case FactorRemovalAsked():
            said = f"{_who(about.by)} asks to remove the {what} of {whose}."
        case FactorLocked():
            said = f"The {what} of {whose} is locked: too many wrong codes in a row. If that was an attack, act now."
        case _:
            said = f"{whose} used a recovery code to enrol a new {what}. Ask that person whether it was so."
    lines = [Safe(f"🔐 {said}")]
    if about.answer is not None and asks:
        lines.append(_answered(about.answer, about.answered_by))
    blocks = [section(line) for line in lines]
    if asks and about.answer is None:
        value = factor_value(about.whose.user_id, credential)
        yes, no = ("Confirm", "Refuse") if isinstance(event, FactorEnrolled) else ("Remove it", "Keep it")
        buttons = [
            button(FACTOR_CONFIRM, Safe(yes), value, "primary"),
            button(FACTOR_REFUSE, Safe(no), value, "danger"),
        ]
        blocks.append({"type": "actions", "elements": buttons})
    return Message("\n".join([mrkdwn_safe(line) for line in lines]), blocks)


def said_words(said: FactorSaid) -> Safe:
    """Answer whoever did something with a factor."""
    if said.refusal is not None:
        return factor_refusal(said.refusal)
    whose = person(said.face.name, said.face.user_id) if said.face else Safe("that person")
    what = NAMES[said.factor] if said.factor else "second factor"
    match said.done:
        case "confirmed":
            return Safe(f"✅ The {what} of {whose} counts from now on.")
        case "removed":
            return Safe(f"✅ The {what} of {whose} is removed.")
        case "refused":
            return Safe(f"✅ The {what} of {whose} was refused and is gone.")
        case "kept":
            return Safe(f"✅ The {what} of {whose} stays.")
        case "locked":
            return Safe(f"🔒 Locked: nothing of {whose} counts until another person confirms it again.")
        case _:
            return Safe(f"Another person must confirm that the {what} of {whose} is removed.")


def factor_refusal(code: Refusal) -> Safe:
    """Tell why something was not done with a factor."""
    return Safe(_FACTOR_REFUSED[code]) if code in _FACTOR_REFUSED else refusal_sentence(code)


def list_words(found: MyFactors) -> list[Safe]:
    """List what a person holds, and what waits for him."""
    lines = [_one(one) for one in found.mine]
    if not any(one.factor != "recovery" for one in found.mine):
        lines.append(
            Safe("You have no second factor. To get one: /agent factor add passkey, or /agent factor add totp")
        )
    waiting = [one for one in found.others if one.asks]
    lines += [_waits(one) for one in waiting]
    if found.may_confirm and not waiting:
        lines.append(Safe("Nothing of others waits for you."))
    return lines


def whoami_words(held: Sequence[HeldFactor]) -> Safe:
    """Name a person's factors in one line."""
    named = [f"{NAMES[one.factor]} ({one.state})" for one in held if one.factor != "recovery"]
    return Safe(f"Your second factors: {', '.join(named) or 'none'}. /agent factor shows more.")


def _one(one: HeldFactor) -> Safe:
    state = {"waiting": "waits for another person to confirm it", "active": "counts", "locked": "locked"}[one.state]
    if one.codes_left is not None:
        return Safe(f"· {counted(one.codes_left, 'recovery code')}, {state} since {utc(one.since)}")
    used = f", last used {utc(one.last_used_at)}" if one.last_used_at else ""
    removal = ", somebody asked to remove it" if one.asks == "removal" else ""
    return Safe(f"· {NAMES[one.factor].capitalize()}: {state} since {utc(one.since)}{used}{removal}")


def _waits(one: HeldFactor) -> Safe:
    wanted = "asks for your word on a new" if one.asks == "enrolment" else "is to lose the"
    whose = person(one.face.name, one.face.user_id)
    return Safe(f"⏳ {whose} {wanted} {NAMES[one.factor]}. Type /agent factor confirm, or refuse, and the name.")


def _answered(event: FactorEvent, by: Face | None) -> Safe:
    match event:
        case FactorConfirmed():
            return Safe(f"✅ Confirmed by {_who(by)}, {utc(event.at)}.")
        case FactorKept():
            return Safe(f"✅ It stays, says {_who(by)}, {utc(event.at)}.")
        case FactorRemoved() if event.why == "replaced":
            return Safe(f"↩ A newer one took its place, {utc(event.at)}.")
        case _:
            return Safe(f"❌ It is gone, says {_who(by)}, {utc(event.at)}.")


def _who(face: Face | None) -> Safe:
    return person(face.name, face.user_id) if face else Safe("An operator on the server")
