"""The access review in Slack: the message with the summary, and what a press of its button does. It decides nothing."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from handlers.counting import counted
from handlers.review_desk import ReportSummary, ReviewDesk, SignedReview
from handlers.slack.blocks import MAX_SECTION, Block, button, header, plain, section, utc
from handlers.slack.escape import Safe, clipped, mrkdwn_safe, visible
from handlers.slack.ids import ACCESS_SIGN, read_report
from handlers.slack.packet import MAX_TEXT
from handlers.slack.parse import Typed, read_envelope
from handlers.slack.sentences import UNREADABLE, refusal_sentence
from handlers.slack.views import notice_view

_SHOWN: Final = 20
_NONE: Final = Safe("Nothing to warn of.")
ON_ITS_WAY: Final = Safe(
    "The report is being made from the policy in force, Slack's directory and the records. It comes to you alone, as a "
    "message from Foureyes with the whole in a file."
)
MAY_NOT_SEND_FILES: Final = Safe(
    "Foureyes may not send the report as a file: its app lacks the scope files:write (foureyes manifest). "
    "On the machine, foureyes access report prints it."
)


def report_message(summary: ReportSummary) -> tuple[str, list[Block]]:
    """Make the message to whoever asked: what to look at first, and the button that signs exactly this report."""
    head = Safe(
        f"Access review: {counted(summary.people, 'person', 'people')} as of {utc(datetime.fromisoformat(summary.at))}"
    )
    shown = [clipped(Safe(f"⚠ {visible(text)}"), MAX_SECTION) for text in summary.warnings[:_SHOWN]]
    more = len(summary.warnings) - len(shown)
    blocks = [
        header(Safe("Who may approve what")),
        section(Safe(f"{head}, policy {visible(summary.policy)}. The whole stands in the files below.")),
        *[section(line) for line in shown or [_NONE]],
        *([section(Safe(f"And {counted(more, 'more warning')}: see the files."))] if more else []),
        section(Safe(f"Report {visible(summary.digest)}")),
        {"type": "actions", "elements": [_sign(summary)]},
    ]
    return clipped(Safe(mrkdwn_safe(head)), MAX_TEXT), blocks


def _sign(summary: ReportSummary) -> Block:
    confirm = {
        "title": plain(Safe("Sign this review?")),
        "text": plain(Safe("You say that you have read the whole report and looked at every warning. It is recorded.")),
        "confirm": plain(Safe("Sign")),
        "deny": plain(Safe("Go back")),
    }
    return button(ACCESS_SIGN, Safe("I have reviewed this"), summary.digest, confirm=confirm)


async def report_asked(reviews: ReviewDesk, typed: Typed) -> Safe:
    """Have a report made, and say so."""
    refusal = await reviews.ask_report(typed.who)
    return ON_ITS_WAY if refusal is None else refusal_sentence(refusal)


async def report_signed(reviews: ReviewDesk, body: Mapping[str, Any], request_id: str) -> Block:
    """Sign the report that the button names, and give the modal that says what became of it."""
    who, digest = read_envelope(body, request_id), read_report(body["actions"][0].get("value"))
    if who is None or digest is None:
        return notice_view("This did not count", UNREADABLE)
    signed = await reviews.sign_report(who, digest)
    if signed.refusal is not None:
        return notice_view("This did not count", refusal_sentence(signed.refusal))
    return notice_view("Signed", _signed(signed))


def _signed(signed: SignedReview) -> Safe:
    if signed.complete:
        return Safe("Your signature is recorded, and the review is complete.")
    return Safe(
        "Your signature is recorded. By this report you can approve something yourself, so one more person must sign."
    )
