"""The modals to ask, to lower a value and to take an approval back. Pure; within Slack's limits of a view."""

from typing import Final

from approval_rules.state import Proposal
from handlers.desk import Seen
from handlers.slack.blocks import Block, plain, section
from handlers.slack.escape import Safe, clipped, named
from handlers.slack.ids import ASK, CLOCK, LOWER, REASON, TAKE_BACK, TO, Target, place_of
from handlers.slack.sentence import sentence_of
from handlers.slack.text import numbers_of
from handlers.slack.values import Line
from handlers.slack.wording import changes_policy

MAX_WORDS: Final = 1000
_MAX_AMOUNT: Final = 30
_FIELDS: Final = 5
_SENTENCE: Final = 2000
_LABEL: Final = 200
_STOPS: Final = "stops"


def lowerable(proposal: Proposal) -> list[tuple[str, Line]]:
    """Give the fields that people may lower, with what they hold now."""
    needs = proposal.requirement
    found = list(numbers_of(proposal.arguments, needs.editable or (), needs.hidden))
    return [] if needs.shadow else [each for each in found if not each[1].covered][:_FIELDS]


def ask_view(seen: Seen, channel: str, ts: str) -> Block:
    """Ask whom, what, and whether the clock stands until then."""
    proposal = seen.proposal
    agent = named(proposal.agent.name)
    to_person = changes_policy(proposal)
    whom: Block = {
        "type": "input",
        "block_id": TO,
        "optional": not to_person,
        "label": plain(Safe("Whom?")),
        "hint": plain(
            Safe("The answer is that person's first reply in the packet's thread.")
            if to_person
            else Safe(f"Nobody chosen: the agent {clipped(agent, _LABEL)}. A person answers in the packet's thread.")
        ),
        "element": {"type": "users_select", "action_id": TO, "placeholder": plain(Safe("A person"))},
    }
    clock: Block = {
        "type": "input",
        "block_id": CLOCK,
        "optional": True,
        "label": plain(Safe("The clock")),
        "element": {
            "type": "checkboxes",
            "action_id": CLOCK,
            "options": [{"text": plain(Safe("Stop it until answered (at most 24 hours)")), "value": _STOPS}],
        },
    }
    question = _words("What do you want to know?", "Everybody in the channel can read it. Votes stay as they are.")
    return _modal(ASK, "Ask a question", "Ask", seen, [question, whom, clock], channel, ts)


def lower_view(seen: Seen, channel: str, ts: str) -> Block:
    """Ask for the lower value of one of the fields that the policy names."""
    fields = lowerable(seen.proposal)
    inputs: list[Block] = [
        {
            "type": "input",
            "block_id": f"{LOWER}.{place}",
            "optional": len(fields) > 1,
            "label": plain(clipped(Safe(f"{line.name}, now {line.value}"), _LABEL)),
            "hint": plain(Safe("A smaller number above zero, such as 120.50")),
            "element": {"type": "plain_text_input", "action_id": field, "min_length": 1, "max_length": _MAX_AMOUNT},
        }
        for place, (field, line) in enumerate(fields)
    ]
    told = Safe(
        "The policy judges it anew. Votes so far are void, and yours will not count: others decide. If the policy "
        "allows the lower value without people, it is approved at once."
    )
    return _modal(LOWER, "Lower a value", "Lower it", seen, [section(told), *inputs], channel, ts)


def take_back_view(seen: Seen, channel: str, ts: str) -> Block:
    """Ask why an approval is taken back."""
    why = _words("Why?", "The agent is told that it was taken back, and these words.")
    return _modal(TAKE_BACK, "Take the approval back", "Take back", seen, [why], channel, ts)


def _words(label: str, hint: str) -> Block:
    return {
        "type": "input",
        "block_id": REASON,
        "label": plain(Safe(label)),
        "hint": plain(Safe(hint)),
        "element": {
            "type": "plain_text_input",
            "action_id": REASON,
            "multiline": True,
            "min_length": 1,
            "max_length": MAX_WORDS,
        },
    }


def _modal(callback_id: str, title: str, submit: str, seen: Seen, blocks: list[Block], channel: str, ts: str) -> Block:
    proposal = seen.proposal
    sentence = sentence_of(proposal)
    said = sentence.text if len(sentence.text) <= _SENTENCE else sentence.headline
    return {
        "type": "modal",
        "callback_id": callback_id,
        "title": plain(Safe(title)),
        "submit": plain(Safe(submit)),
        "close": plain(Safe("Go back")),
        "private_metadata": place_of(Target(proposal.id, proposal.digest), channel, ts),
        "blocks": [section(said), *blocks],
    }
