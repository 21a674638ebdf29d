"""Makes the escalation packet: one proposal as a Slack message, pure and the same for the same facts.

Everything shown comes from the stored proposal. An argument is shown whole, or the packet has no Approve button.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from approval_rules.canonical import Digest, sha256_name
from approval_rules.personal import lost
from approval_rules.quorum import filled
from approval_rules.state import Proposal, Status
from handlers.counting import counted
from handlers.desk import Seen
from handlers.slack.amending_views import lowerable
from handlers.slack.amending_words import clock_words, edit_lines, question_blocks
from handlers.slack.blocks import (
    MAX_CONFIRM,
    Block,
    button,
    context,
    header,
    length_of,
    moment,
    plain,
    section,
    utc,
)
from handlers.slack.escape import Safe, mrkdwn_safe, named, visible
from handlers.slack.ids import APPROVE, ASK, DENY, DETAILS, LOWER, START, TAKE_BACK, value_of
from handlers.slack.lines import Sheet, fitting
from handlers.slack.sentence import Sentence, sentence_of
from handlers.slack.standing import (
    Standing,
    author_of,
    backup_words,
    name_of,
    next_step,
    on_duty_words,
    standing_of,
    trial_words,
    vote_words,
    what_became,
    who_decides,
)
from handlers.slack.started import NEVER_THE_STARTER, may_be_started, start_words, whose_words
from handlers.slack.text import LOOKED_UP, Evidence, arguments_of, evidence_of, fields_of, looked_up_of, paragraphs
from handlers.slack.values import Line
from handlers.slack.why import would_run_if
from handlers.slack.wording import Words, changes_policy, words_of

MAX_TEXT: Final = 4000
MAX_CHARACTERS: Final = 13_000
"""Slack refuses a message with more than about 13,200 characters in its blocks."""
ARGUMENT_CHARACTERS: Final = 5000
ARGUMENT_LINES: Final = 60
CHANGE_CHARACTERS: Final = 9000
"""For a change of the policy: it is one long diff, and tells little else."""
_SENTENCE: Final = 900
_GLANCE: Final = 160
_GLANCE_LINES: Final = 6
_MORE: Final = 40
_REASON: Final = 400
_NAME: Final = 160
_COST: Final = 40
_WORDS: Final = 700
_SPOKEN: Final = 700
_VOTES: Final = 6
_EDITS: Final = 2
_COSTS: Final = (
    ("cost_usd", "{} spent"),
    ("tool_calls", "{} tool calls"),
    ("tokens", "{} tokens"),
    ("elapsed_s", "{} seconds"),
    ("model", "model {}"),
)
_TOO_LONG: Final = "⚠ This cannot be shown whole here, so it cannot be approved. "
_NEVER_RUNS: Final = "This is a trial run: nothing is executed."
_ID_DIGITS: Final = 16
_SHORT_DIGEST: Final = len("sha256:") + 12


@dataclass(frozen=True, slots=True)
class Packet:
    """A message for `chat.postMessage` or `chat.update`; post it with `unfurl_links` and `unfurl_media` false.

    `text` is what notifications and screen readers use. `shown` digests the blocks. `live` tells that there are buttons
    which vote.
    """

    text: str
    blocks: list[Block]
    shown: Digest
    live: bool


def packet(seen: Seen, at: datetime, *, voting: bool = True) -> Packet:
    """Show one proposal as of `at`; `voting` false leaves out the buttons that vote, for copies of the packet."""
    proposal = seen.proposal
    sentence = sentence_of(proposal)
    standing = standing_of(seen, at)
    personal = proposal.requirement.personal
    lines = tuple(arguments_of(proposal.arguments, proposal.requirement.hidden, personal))
    shown = fitting(lines, CHANGE_CHARACTERS if changes_policy(proposal) else ARGUMENT_CHARACTERS, ARGUMENT_LINES)
    # What is erased is still kept while a proposal is open; should it ever be gone, nobody votes on the rest.
    gone = lost(personal, proposal.arguments)
    whole = len(shown) == len(lines) and len(visible(proposal.tool)) <= _NAME and not gone
    evidence = evidence_of(proposal.context, proposal.requirement.hidden)
    live = standing.open and voting
    facts = [
        *_first(sentence, standing, seen, at),
        *_arguments(proposal, shown, len(lines) - len(shown)),
        *([section(Safe(_TOO_LONG + words_of(proposal).smaller))] if live and not whole else []),
        *_why(seen),
        *_votes(seen),
    ]
    elements = _buttons(
        proposal,
        sentence,
        live=live,
        whole=whole,
        unused=voting and _is_unused(proposal, at),
        startable=may_be_started(proposal) and voting,
    )
    buttons: Block = {"type": "actions", "elements": elements}
    end = [buttons, context(*_small_print(seen)), *_own_words(seen, evidence)]
    end += question_blocks(seen, MAX_CHARACTERS - length_of([*facts, *end]))
    found = tuple(looked_up_of(proposal.lookups or (), proposal.looked_up, proposal.requirement.hidden))
    told = _told(words_of(proposal), found, evidence, MAX_CHARACTERS - length_of([*facts, *end]))
    made = numbered([*facts, *told, *end])
    return Packet(_text(seen, sentence, standing, shown, len(lines)), made, digest_of_blocks(made), live)


def numbered(blocks: list[Block]) -> list[Block]:
    """Give every block an id that is new whenever the message is, as Slack asks, and the same where it is the same."""
    version = digest_of_blocks(blocks).removeprefix("sha256:")[:_ID_DIGITS]
    return [{**block, "block_id": f"{version}.{place}"} for place, block in enumerate(blocks)]


def digest_of_blocks(blocks: list[Block]) -> Digest:
    """Digest what is shown: of the RFC 8785 form, which this is for blocks, for they hold no floats and plain keys."""
    return sha256_name(json.dumps(blocks, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode())


def _first(sentence: Sentence, standing: Standing, seen: Seen, at: datetime) -> list[Block]:
    blocks = [header(sentence.headline)]
    if sentence.text != sentence.headline and len(sentence.text) <= _SENTENCE:
        blocks.append(section(sentence.text))
    started = start_words(seen)
    said = [standing.text] if started is None else [standing.text, started]
    blocks += [section(each) for each in (reversed(said) if seen.proposal.by_person else said)]
    if trial := trial_words(seen.proposal):
        blocks.append(section(trial))
    deadline = seen.proposal.deadline
    if deadline is not None and seen.frozen_by is None:
        blocks.append(moment(Safe("Until"), deadline, next_step(seen)))
    if stands := clock_words(seen.proposal, at):
        blocks.append(context(stands))
    return blocks


def _arguments(proposal: Proposal, shown: Sequence[Line], missing: int) -> list[Block]:
    sheet = Sheet()
    tool = _fit(visible(proposal.tool), _NAME)
    sheet.heading(Safe(f"{what_became(proposal)}: {tool}"))
    for line in shown:
        sheet.line(line)
    if not shown and not missing:
        sheet.line(Line(Safe(""), Safe("(no arguments)")))
    blocks = sheet.blocks()
    if missing:
        more = counted(missing, "more argument stands", "more arguments stand")
        blocks.append(section(Safe(f"⚠ {more} in Details: too long for here.")))
    return blocks


def _why(seen: Seen) -> list[Block]:
    proposal, late = seen.proposal, backup_words(seen)
    policy = proposal.requirement.policy
    nearly = would_run_if(seen) if proposal.status is Status.PENDING else None
    asked = Safe(f"Why: {_fit(visible(policy.because), _REASON)}")
    starter = NEVER_THE_STARTER if proposal.requirement.initiation else ""
    excluded = f"{words_of(proposal).excluded}{starter}{_interested(seen)}"
    needs = Safe(f"Needs {_fit(who_decides(proposal.requirement), _REASON)}; {excluded}.")
    blocked = proposal.status is Status.BLOCKED  # who might approve a start stands beside who may start it
    said = [asked, *([nearly] if nearly else []), *([needs] if proposal.requirement.seats and not blocked else [])]
    return [context(*said, *([late] if late else []), *on_duty_words(seen))]


def _votes(seen: Seen) -> list[Block]:
    votes, edits = seen.proposal.votes, list(edit_lines(seen))
    sheet = Sheet()
    if edits:
        sheet.heading(Safe("Changed by a person"))
    for line in edits[-_EDITS:]:
        sheet.line(line)
    if votes:
        sheet.heading(Safe("Votes"))
    for vote in votes[-_VOTES:]:
        sheet.line(Line(Safe(""), vote_words(vote, seen)))
    if len(votes) > _VOTES:
        sheet.line(Line(Safe(""), Safe(f"{counted(len(votes) - _VOTES, 'earlier vote')} in Details")))
    return sheet.blocks()


def _told(words: Words, found: Sequence[Line], evidence: Evidence, room: int) -> list[Block]:
    """Show at a glance what was looked up and what the agent told, as far as there is room, and how much more there is.

    What the server found stands apart from what the agent says.
    """
    sheet = Sheet()
    left = 0
    for heading, lines in (
        (LOOKED_UP, found),
        (Safe(words.facts), evidence.facts),
        (Safe(words.history), evidence.history),
        (Safe("What the agent tried"), evidence.steps),
        (Safe("Evidence from the agent"), evidence.evidence),
    ):
        fit = [line for line in lines if not line.block and line.size <= _GLANCE][:_GLANCE_LINES]
        room -= len(heading) + sum([line.size for line in fit])
        glance = fit if room > _MORE else []
        left += len(lines) - len(glance)
        if glance:
            sheet.heading(heading)
        for line in glance:
            sheet.line(line)
    return [*sheet.blocks(), *([context(Safe(f"{counted(left, 'more line')} in Details"))] if left else [])]


def _is_unused(proposal: Proposal, at: datetime) -> bool:
    """Tell whether there is a permission that can be taken back."""
    usable = proposal.status is Status.APPROVED and proposal.execution is None and proposal.claim_by is not None
    return usable and proposal.claim_by is not None and at < proposal.claim_by


def _buttons(  # one switch for each kind of button
    proposal: Proposal, sentence: Sentence, *, live: bool, whole: bool, unused: bool, startable: bool
) -> list[Block]:
    value = value_of(proposal)
    details = [button(DETAILS, Safe("Details"), value)]
    if unused:
        return [button(TAKE_BACK, Safe("Take back …"), value, "danger"), *details]
    if not live:
        return [*([button(START, Safe("Start it myself …"), value)] if startable else []), *details]
    deny = button(DENY, sentence.deny, value, "danger")
    ask = button(ASK, Safe("Ask …"), value)
    if not whole:
        return [deny, ask, *details]
    lower = [button(LOWER, Safe("Lower …"), value)] if lowerable(proposal) else []
    approve = button(APPROVE, sentence.approve, value, "primary", _confirm(proposal, sentence))
    return [approve, deny, ask, *lower, *details]


def _confirm(proposal: Proposal, sentence: Sentence) -> Block:
    needed = proposal.requirement.approvals
    last = filled(proposal.approved_by, proposal.requirement.seats, proposal.backup) + 1 >= needed
    said = words_of(proposal)
    then = said.last if last else said.not_before.format(needed)
    after = f"\n\n{_NEVER_RUNS if proposal.requirement.shadow else then}"
    what = sentence.text if len(sentence.text + after) <= MAX_CONFIRM else sentence.headline
    return {
        "title": plain(Safe("Approve this?")),
        "text": plain(Safe(what + after)),
        "confirm": plain(Safe("Approve")),
        "deny": plain(Safe("Go back")),
        "style": "primary",
    }


def _interested(seen: Seen) -> str:
    """Name who may not decide either, because a field of the action names them."""
    people = seen.proposal.interested
    return f", never {_fit(Safe(' or '.join([name_of(each, seen) for each in people])), _REASON)}" if people else ""


def _small_print(seen: Seen) -> list[Safe]:
    proposal = seen.proposal
    costs: dict[str, Safe] = {line.name: _fit(line.value, _COST) for line in fields_of(proposal.run)}
    said = [_cost(told, costs[name]) for name, told in _COSTS if name in costs]
    small = [
        author_of(seen)
        if changes_policy(proposal)
        else Safe(f"Agent {named(proposal.agent.name)}, owned by {name_of(proposal.agent.owner, seen)}"),
        Safe(f"{proposal.id} · {proposal.digest[:_SHORT_DIGEST]}…"),
    ]
    return [*small, Safe(f"So far, says the agent: {', '.join(said)}")] if said else small


def _cost(told: str, value: Safe) -> str:
    return (told.removesuffix("s") if value == "1" else told).format(value)


def _own_words(seen: Seen, evidence: Evidence) -> list[Block]:
    """Put the agent's own words last and under a heading that says whose they are; a change of the policy has none."""
    proposal, sheet = seen.proposal, Sheet()
    if changes_policy(proposal):
        return sheet.blocks()
    sheet.heading(whose_words(seen))
    for name, words in (
        ("", paragraphs(proposal.summary)),
        ("If you say no", evidence.if_declined),
        ("How to undo it", evidence.rollback),
    ):
        if words is not None:
            sheet.box(Safe(name), _fit(words, _WORDS))
    return sheet.blocks()


def _text(seen: Seen, sentence: Sentence, standing: Standing, shown: Sequence[Line], lines: int) -> str:
    """Put every fact that a decision needs into plain words, for notifications and screen readers."""
    proposal = seen.proposal
    long = len(mrkdwn_safe(sentence.text)) > _SPOKEN
    start = [sentence.headline if long else sentence.text, standing.text]
    end = [
        start_words(seen) or "",
        trial_words(proposal) or "",
        _fit(visible(proposal.tool), _NAME),
        f"Why: {_fit(visible(proposal.requirement.policy.because), _REASON)}",
        f"Needs {_fit(who_decides(proposal.requirement), _REASON)}."
        if proposal.requirement.seats and proposal.status is not Status.BLOCKED
        else "",
        backup_words(seen) or "",
        *on_duty_words(seen),
        f"Until {utc(proposal.deadline)}. {next_step(seen)}" if proposal.deadline and not seen.frozen_by else "",
        str(proposal.id),
    ]
    fixed = [_spoken(Safe(part)) for part in (*start, *end) if part]
    told = [mrkdwn_safe(line.in_one()) for line in shown]
    room = MAX_TEXT - sum([len(part) + 1 for part in fixed]) - len("\n99999 more lines in the message")
    kept: list[str] = []
    for line in told:
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    if len(kept) < lines:
        kept.append(f"{counted(lines - len(kept), 'more line')} in the message")
    return "\n".join([*fixed[:2], *kept, *fixed[2:]])


def _spoken(text: Safe) -> str:
    escaped = mrkdwn_safe(text)
    return escaped if len(escaped) <= _SPOKEN else "(long: read it in the message)"


def _fit(text: Safe, most: int) -> Safe:
    """Give text that fits, else where it stands whole."""
    return text if len(text) <= most else Safe(f"({len(text)} characters, whole in Details)")
