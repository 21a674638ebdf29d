"""Makes the message to the operators about an agent that a budget stopped. It has no buttons and decides nothing."""

from dataclasses import dataclass
from typing import Final

from approval_rules.events import BudgetExceeded
from handlers.slack.blocks import MAX_SECTION, Block, header, section
from handlers.slack.escape import Safe, clipped, mrkdwn_safe, named, visible
from handlers.slack.lines import Sheet
from handlers.slack.sentences import named_word
from handlers.slack.text import fields_of, paragraphs
from handlers.slack.values import Line

_SUMMARY: Final = 1500
_VALUE: Final = 200
_LOOPS: Final = {
    "repeated_action": "proposed the same action {used} times, and it never came to a yes",
    "repeated_contract_error": "made the same contract error {used} times",
}


@dataclass(frozen=True, slots=True)
class Escalation:
    """One message; `text` is what a notification shows."""

    text: str
    blocks: list[Block]


def escalation(event: BudgetExceeded) -> Escalation:
    """Say who was stopped by what, what the agent said, and what one can do now."""
    name = named(event.agent.name)
    headline, what = Safe(f"🛑 {name} was stopped"), _what(event)
    sheet = Sheet()
    sheet.heading(Safe("What the agent said last (its own words, unchecked)"))
    sheet.line(Line(Safe("tool"), visible(event.tool)))
    for line in fields_of(event.run):
        sheet.line(Line(Safe(f"run, {line.name}"), clipped(line.value, _VALUE)))
    sheet.box(Safe("summary"), clipped(paragraphs(event.summary), _SUMMARY))
    blocks = [header(headline), section(what), *sheet.blocks(), section(clipped(_now(event), MAX_SECTION))]
    return Escalation(mrkdwn_safe(clipped(Safe(f"{headline}. {what}"), MAX_SECTION)), blocks)


def _what(event: BudgetExceeded) -> Safe:
    if event.budget in _LOOPS:
        done = _LOOPS[event.budget].format(used=event.used)
        return Safe(f"A run of it goes in circles: it {done}. Nothing of this is taken any more.")
    unit = " s" if event.budget.endswith(".elapsed") else ""
    budget = f"{event.budget} ({_file(event)}): {event.used} of {event.limit}{unit}"
    if event.budget.startswith("per_run."):
        return Safe(f"A run of it has used up its budget {budget}. Nothing more of this run is taken.")
    return Safe(f"It has used up its budget of 24 hours, {budget}. Nothing more of it is taken until that is less.")


def _now(event: BudgetExceeded) -> Safe:
    pause = f"/agent pause agent {named_word(event.agent.name)}"
    return Safe(
        f"Now: take over by hand what it was doing. To stop it altogether: {pause}. Where it was right and the limit "
        f"is too low, raise it in {_file(event)}."
    )


def _file(event: BudgetExceeded) -> Safe:
    return Safe("budgets.yml") if event.limit_of is None else Safe(f"{visible(event.limit_of)}.yml")
