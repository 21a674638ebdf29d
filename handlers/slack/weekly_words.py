"""The weekly review in Slack: its message, the call to sign it off, and its modals. Pure; it decides nothing."""

from collections.abc import Iterator, Sequence
from typing import Final

from approval_rules.refusals import Refusal
from handlers.counting import counted
from handlers.desk import Face
from handlers.review_words import FLAG_EXAMPLE, QUIET, TITLES
from handlers.slack.blocks import MAX_SECTION, Block, Message, button, context, header, plain, section, utc
from handlers.slack.escape import Safe, clipped, mrkdwn_safe, named, visible
from handlers.slack.ids import ITEMS, OPEN_PAGE, REASON, REVIEW_FLAG, REVIEW_READ, REVIEW_SIGN
from handlers.slack.packet import MAX_TEXT
from handlers.slack.sentences import refusal_sentence
from handlers.slack.text import person, words
from handlers.slack.views import MAX_REASON, notice_view
from handlers.weekly_desk import Counted, ReviewLink, WeekShown

_LAST: Final = 10
NOTHING: Final = Safe("Nothing to report.")
_REFUSED: Final = {
    Refusal.NOT_IN_ROLE: Safe(
        "It did not count: this review is for whoever has its role. /agent whoami shows your roles."
    ),
    Refusal.UNKNOWN_REPORT: Safe("It did not count: Foureyes does not keep this report."),
}


def week_message(shown: WeekShown) -> Message:
    """Make the message about one review: what alarms first, then who has done what to it, then the buttons."""
    alarms = [one for one in shown.counts if one.now and one.what not in QUIET]
    calm = [one for one in shown.counts if one.now and one.what in QUIET]
    told = [
        *(Safe(f"⚠ {_count(one)}") for one in alarms),
        *map(_count, calm),
        *([] if shown.items else [NOTHING]),
    ]
    head = Safe(f"Weekly review of {named(shown.role)}, {visible(shown.week)}")
    blocks = [
        header(head),
        section(Safe("\n".join(told))),
        *(section(clipped(line, MAX_SECTION)) for line in _standing(shown)),
        context(Safe(f"Monday to Sunday in the zone {visible(shown.zone)}. Report {visible(shown.digest)}")),
        {"type": "actions", "elements": _buttons(shown)},
    ]
    most = f"{counted(sum(one.now for one in alarms), 'thing')} to look at" if alarms else "nothing alarming"
    return Message(clipped(Safe(mrkdwn_safe(Safe(f"{head}: {most}"))), MAX_TEXT), blocks)


def call_words(shown: WeekShown, days: int, *, escalated: bool) -> Safe:
    """Call people to a review that nobody has signed off."""
    half = "One more person must sign" if shown.signed else "Nobody has signed"
    of = f"the weekly review of {named(shown.role)} for {visible(shown.week)}"
    told = f"⏰ {half} {of}: it is {counted(days, 'day')} old."
    return Safe(f"{told} Whoever has a role that is called here may read it and sign it." if escalated else told)


def call_buttons(shown: WeekShown) -> Sequence[Block]:
    """Give the buttons of a review, where its message is not at hand."""
    return [{"type": "actions", "elements": _buttons(shown)}]


def link_view(link: ReviewLink) -> Block:
    """Send a person to the whole report, or say that it comes."""
    if link.url is None:
        return notice_view("On its way", Safe("The whole report comes to you alone, as files in a message."))
    goes = {**button(OPEN_PAGE, Safe("Open the report"), "review", "primary"), "url": link.url}
    return {
        **notice_view("The whole report", Safe("It names people and what was asked for. Keep the link to yourself.")),
        "blocks": [
            section(Safe("It names people and what was asked for. Keep the link to yourself.")),
            {"type": "actions", "elements": [goes]},
            context(Safe("The link opens once, and works there for 15 minutes. Press Read for another one.")),
        ],
    }


def flag_view(shown: WeekShown) -> Block:
    """Ask which items should be looked at, and why."""
    return {
        "type": "modal",
        "callback_id": REVIEW_FLAG,
        "title": plain(Safe("Flag items")),
        "blocks": [
            section(Safe(f"{named(shown.role)}, {visible(shown.week)}: items 1 to {shown.items}.")),
            _input(ITEMS, "Which items?", FLAG_EXAMPLE, 200, multiline=False),
            _input(REASON, "What should be looked at?", "It stands under the review.", MAX_REASON, multiline=True),
        ],
        "submit": plain(Safe("Flag")),
        "close": plain(Safe("Go back")),
        "private_metadata": shown.digest,
    }


def signed_words(shown: WeekShown) -> Safe:
    """Tell whoever has signed what that came to."""
    if shown.complete:
        return Safe("Your signature is recorded, and the review is complete.")
    return Safe(
        "Your signature is recorded. You took part in every decision of this week, so one more person must sign."
    )


def week_refusal(code: Refusal) -> Safe:
    """Tell why it did not count."""
    return _REFUSED.get(code) or refusal_sentence(code)


def _count(one: Counted) -> Safe:
    before = "" if one.before is None else f" (the week before: {one.before})"
    return Safe(f"{TITLES[one.what]}: {one.now}{before}")


def _standing(shown: WeekShown) -> Iterator[Safe]:
    for one in shown.signed[-_LAST:]:
        part = f"took part in {one.decided} of {counted(shown.decisions, 'decision')}"
        yield Safe(f"✅ Signed off by {_who(one.face)} on {utc(one.at)}, who {part}.")
    for flag in shown.flagged[-_LAST:]:
        yield Safe(f"🚩 Flagged by {_who(flag.face)}: {', '.join(map(str, flag.items))}. {words(flag.note)}")
    if shown.signed and not shown.complete:
        yield Safe("One more person must sign: whoever has signed took part in every decision of the week.")
    if shown.superseded:
        yield Safe("The report on the next week has taken the place of this one.")
    if shown.missed_before is not None:
        yield Safe(f"⚠ The review of {visible(shown.missed_before)} was never signed off.")


def _who(face: Face | None) -> Safe:
    return Safe("(erased)") if face is None else person(face.name, face.user_id)


def _buttons(shown: WeekShown) -> list[Block]:
    confirm = {
        "title": plain(Safe("Sign this review off?")),
        "text": plain(
            Safe("You say that you have read the whole report. It is recorded, with your part in its decisions.")
        ),
        "confirm": plain(Safe("Sign off")),
        "deny": plain(Safe("Go back")),
    }
    read = button(REVIEW_READ, Safe("Read the whole report"), shown.digest)
    sign = button(REVIEW_SIGN, Safe("Sign off"), shown.digest, "primary", confirm)
    flag = button(REVIEW_FLAG, Safe("Flag items"), shown.digest)
    over = shown.complete or shown.superseded
    return [read, *([] if over else [sign]), *([] if shown.superseded or not shown.items else [flag])]


def _input(name: str, label: str, hint: str, most: int, *, multiline: bool) -> Block:
    return {
        "type": "input",
        "block_id": name,
        "label": plain(Safe(label)),
        "hint": plain(Safe(hint)),
        "element": {
            "type": "plain_text_input",
            "action_id": name,
            "multiline": multiline,
            "min_length": 1,
            "max_length": most,
        },
    }
