"""Everything about one proposal, whole, as pages for a modal. It leaves nothing out but what policy hides."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Final

from approval_rules.action_tiers import DUTIES
from approval_rules.requirement import Tier
from approval_rules.state import Execution, Proposal, Status
from handlers.desk import Seen
from handlers.slack.amending_words import edit_lines, question_lines
from handlers.slack.blocks import Block, length_of, utc
from handlers.slack.escape import Safe, named, visible
from handlers.slack.lines import Sheet
from handlers.slack.sentence import sentence_of
from handlers.slack.standing import name_of, standing_of, trial_words, vote_words, who_decides
from handlers.slack.text import (
    LOOKED_UP,
    Evidence,
    arguments_of,
    erased_of,
    evidence_of,
    exact,
    fields_of,
    looked_up_of,
    paragraphs,
)
from handlers.slack.values import Line
from handlers.slack.why import why_lines
from handlers.slack.wording import changes_policy, words_of

PAGE_CHARACTERS: Final = 9000
PAGE_BLOCKS: Final = 40
_NOTHING: Final = Safe("")
_ERASED: Final = Safe("What was asked for has been erased.")
_BY_ITSELF: Final = {Tier.GREEN: "would have allowed it", Tier.YELLOW: "would have asked", Tier.RED: "blocked it"}


def pages_of(seen: Seen, at: datetime) -> list[list[Block]]:
    """Give every page in order, at least one; each within the limits of a modal."""
    sheet = Sheet()
    for heading, lines in _parts(seen, at):
        if lines:
            sheet.heading(heading)
        for line in lines:
            sheet.line(line)
    pages: list[list[Block]] = [[]]
    room = PAGE_CHARACTERS
    for block in sheet.blocks():
        room -= length_of(block)
        if pages[-1] and (room < 0 or len(pages[-1]) >= PAGE_BLOCKS):
            pages.append([])
            room = PAGE_CHARACTERS - length_of(block)
        pages[-1].append(block)
    return pages


def _parts(seen: Seen, at: datetime) -> Iterator[tuple[Safe, Sequence[Line]]]:
    proposal = seen.proposal
    hidden = proposal.requirement.hidden
    told = evidence_of(proposal.context, hidden)
    said = sentence_of(proposal).text if proposal.digest else _ERASED
    yield Safe("In short"), [_say(said), _say(standing_of(seen, at).text)]
    yield from _arguments(proposal)
    yield Safe("Changed by people"), list(edit_lines(seen))
    yield Safe("Votes"), list(_votes(seen))
    yield Safe("What became of it"), list(_execution(proposal.execution))
    yield Safe("Policy"), list(_policy(proposal))
    yield Safe("Why: each rule, and the values that it saw"), list(why_lines(seen))
    yield LOOKED_UP, list(looked_up_of(proposal.lookups or (), proposal.looked_up, hidden))
    yield Safe(words_of(proposal).facts), told.facts
    yield Safe(words_of(proposal).history), told.history
    yield Safe("What the agent tried"), told.steps
    yield Safe("Evidence from the agent"), told.evidence
    yield Safe("The run, says the agent"), fields_of(proposal.run)
    yield Safe("Identity"), list(_identity(seen))
    if not changes_policy(proposal):
        yield Safe("What the agent says (unverified)"), list(_own_words(proposal, told))
    yield Safe("Questions"), list(question_lines(seen))


def _arguments(proposal: Proposal) -> Iterator[tuple[Safe, Sequence[Line]]]:
    """List the arguments; what was erased, and its digest with it, is not shown as if it had been nothing."""
    if not proposal.digest:
        yield Safe("Arguments"), [_say(Safe("(erased)"))]
        return
    hidden, personal = proposal.requirement.hidden, proposal.requirement.personal
    arguments = list(arguments_of(proposal.arguments, hidden, personal))
    gone = erased_of(proposal.arguments, hidden, personal)
    covered = any(line.covered for line in arguments)
    yield Safe("Arguments"), arguments
    yield (
        Safe("Arguments, exactly"),
        [
            _named("canonical form", exact(proposal.arguments, hidden)),
            *(_hidden(hidden) if covered else ()),
            *([_say(Safe(f"Erased, and not in it: {', '.join(gone)}. The digest is over the whole."))] if gone else ()),
        ],
    )


def _own_words(proposal: Proposal, told: Evidence) -> Iterator[Line]:
    yield _named("", paragraphs(proposal.summary), block=True)
    if told.if_declined:
        yield _named("If you say no", told.if_declined, block=True)
    if told.rollback:
        yield _named("How to undo it", told.rollback, block=True)


def _say(text: Safe) -> Line:
    return Line(_NOTHING, text)


def _named(name: str, text: str, *, block: bool = False) -> Line:
    return Line(Safe(name), Safe(text), block=block)


def _hidden(hidden: Collection[str]) -> Iterator[Line]:
    if hidden:
        yield _named("hidden by policy", ", ".join([visible(name) for name in sorted(hidden)]))
        yield _say(Safe("The digest is over the real values."))


def _votes(seen: Seen) -> Iterator[Line]:
    for vote in seen.proposal.votes:
        yield _say(vote_words(vote, seen))
        yield _named("in the role of", ", ".join([visible(role) for role in vote.roles]) or "none")
        if vote.reason is not None:
            yield _named("reason", paragraphs(vote.reason), block=True)


def _execution(execution: Execution | None) -> Iterator[Line]:
    if execution is None:
        return
    yield _named("permission taken", utc(execution.claimed_at))
    yield _named("permission ended", utc(execution.grant_expires_at))
    yield _named("report due", utc(execution.outcome_by))
    if execution.outcome_at is not None:
        yield _named("reported", f"{execution.status} at {utc(execution.outcome_at)}")
    yield from fields_of(execution.report)


def _policy(proposal: Proposal) -> Iterator[Line]:
    needs = proposal.requirement
    if trial := trial_words(proposal):
        yield _say(trial)
    # Whoever still has to decide is not told what the policy says: the answer would follow it.
    if needs.shadow is not None and proposal.status is not Status.PENDING:
        yield _named("the policy by itself", f"{_BY_ITSELF[needs.shadow.tier]}: {visible(needs.shadow.because)}")
    yield _named("tier", needs.tier.value)
    if needs.action_tier is not None:
        duties = DUTIES[needs.action_tier]
        yield _named("action tier", f"{needs.action_tier}, {duties.name}: {duties.control}")
    yield _named("needs", who_decides(needs) if needs.seats else "no person")
    if needs.backup is not None:
        yield _named("from half of the time on also", f"the role {named(needs.backup)}")
    yield _named("why", visible(needs.policy.because))
    if needs.shadow is None:
        yield _named("rule", visible(needs.policy.rule) if needs.policy.rule else "none matched")
    yield _named("policy version", visible(needs.policy.version))
    yield _named("asked", utc(proposal.created_at))
    yield _named("to be decided by", utc(proposal.expires_at))
    if proposal.claim_by is not None:
        yield _named("to be started by", utc(proposal.claim_by))


def _identity(seen: Seen) -> Iterator[Line]:
    proposal = seen.proposal
    yield _named("proposal", proposal.id)
    if proposal.taken_back is not None:
        yield _named("why it was taken back", paragraphs(proposal.taken_back.reason), block=True)
    yield _named("digest", proposal.digest or "(erased)")
    yield _named("tool", visible(proposal.tool))
    yield _named("agent", f"{visible(proposal.agent.name)} ({visible(proposal.agent.id)})")
    yield _named("owner", name_of(proposal.agent.owner, seen))
    if proposal.started_by is not None:
        yield _named("run started by", name_of(proposal.started_by, seen))
    for each in proposal.interested:
        yield _named("has an interest, so cannot decide", name_of(each, seen))
    yield _named("newest log entry", str(seen.index))
