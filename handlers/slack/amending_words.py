"""Questions, answers, edits and a taking back in words, for packets, details and replies. It decides nothing."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from approval_rules.amendments import Edit, Question
from approval_rules.people import ActorKind, PersonId
from approval_rules.state import Proposal, Status
from handlers.counting import counted
from handlers.desk import Seen
from handlers.slack.blocks import Block, context, utc
from handlers.slack.escape import Safe, named, visible
from handlers.slack.lines import Sheet
from handlers.slack.standing import name_of
from handlers.slack.text import numbers_of, paragraphs
from handlers.slack.values import Line

_NEWEST: Final = 3
_LONG: Final = 400
_TIGHT: Final = 60


def edit_lines(seen: Seen) -> Iterator[Line]:
    """Tell who lowered what, and whose votes are void since."""
    for edit in seen.proposal.edits:
        yield Line(Safe(""), edit_words(edit, seen))


def edit_words(edit: Edit, seen: Seen) -> Safe:
    """Tell one edit."""
    who, what = name_of(edit.editor, seen), f"{visible(edit.field)}{_from_to(edit, seen.proposal)}"
    said = f"✎ {who} lowered {what} at {utc(edit.at)}; whoever did so cannot vote"
    if not edit.voided:
        return Safe(f"{said}.")
    names = [name_of(person, seen) for person in edit.voided]
    votes = "the vote" if len(names) == 1 else "the votes"
    return Safe(f"{said}. Void since then, for it was about another value: {votes} of {' and '.join(names)}.")


def _from_to(edit: Edit, proposal: Proposal) -> Safe:
    """Give the value before and after, where it may be shown and is known."""
    later = [each.was for each in proposal.edits[proposal.edits.index(edit) + 1 :]]
    both = (edit.was, (*later, proposal.arguments)[0])
    shown = [
        line.value
        for data in both
        if data is not None
        for _, line in numbers_of(data, (edit.field,), proposal.requirement.hidden)
        if not line.covered
    ]
    return Safe(f" from {shown[0]} to {shown[1]}") if len(shown) == len(both) else Safe("")


def clock_words(proposal: Proposal, at: datetime) -> Safe | None:
    """Say that the clock stands for a question; None where it runs."""
    if proposal.status is not Status.PENDING:
        return None
    until = [each.stands_until for each in proposal.questions if each.open and each.stands_until is not None]
    last = max(until, default=None)
    if last is None or last <= at:
        return None
    return Safe(f"⏱ The clock stands until a question is answered, at most until {utc(last)}.")


def whom(question: Question, seen: Seen) -> Safe:
    """Name who was asked."""
    return Safe(f"the agent {named(seen.proposal.agent.name)}") if question.to is None else name_of(question.to, seen)


def asked_words(question: Question, seen: Seen) -> Safe:
    """Head a question."""
    return Safe(f"{name_of(question.by, seen)} asked {whom(question, seen)} at {utc(question.at)}")


def answer_words(question: Question, seen: Seen) -> Safe:
    """Head an answer with whose words it is; or say that there is none."""
    if question.answered_by is None or question.answered_at is None:
        return Safe("Not answered yet" if seen.proposal.status is Status.PENDING else "Never answered")
    if question.answered_by.kind is ActorKind.AGENT:
        return Safe(f"What the agent answers (unverified), at {utc(question.answered_at)}")
    return Safe(f"{name_of(PersonId(question.answered_by.ref), seen)} answered at {utc(question.answered_at)}")


def question_blocks(seen: Seen, room: int) -> list[Block]:
    """Show the newest questions whole, as far as there is room, and say how many more there are."""
    sheet = Sheet()
    left = len(seen.proposal.questions)
    for question in reversed(seen.proposal.questions[-_NEWEST:]):
        asked, answer = asked_words(question, seen), answer_words(question, seen)
        said = [_fit(paragraphs(each)) for each in (question.text, question.answer) if each is not None]
        room -= len(asked) + len(answer) + sum([len(each) for each in said]) + _TIGHT
        if room < 0:
            break
        left -= 1
        sheet.box(asked, said[0])
        if question.answer is None:
            sheet.line(Line(Safe(""), answer))
        else:
            sheet.box(answer, said[1])
    return [*sheet.blocks(), *([context(Safe(f"{counted(left, 'more question')} in Details"))] if left else [])]


def question_lines(seen: Seen) -> Iterator[Line]:
    """Give every question and answer whole, for Details."""
    for question in seen.proposal.questions:
        yield Line(asked_words(question, seen), paragraphs(question.text), block=True)
        answer = answer_words(question, seen)
        if question.answer is None:
            yield Line(Safe(""), answer)
        else:
            yield Line(answer, paragraphs(question.answer), block=True)


def question_note(seen: Seen, about: str | None) -> Safe:
    """Write the reply that tells of a question, or of its answer."""
    question = next((each for each in seen.proposal.questions if each.id == about), None)
    if question is None:
        return Safe("A question was asked; the packet above shows it.")
    if question.answer is not None:
        return Safe(f"💬 {answer_words(question, seen)}: {_fit(visible_words(question))}")
    how = "Please answer here: your first reply is the answer." if question.to else "The packet shows the answer."
    return Safe(f"❓ {asked_words(question, seen)}: {_fit(paragraphs(question.text))}\n{how}")


def visible_words(question: Question) -> Safe:
    """Give an answer's words."""
    return paragraphs(question.answer) if question.answer is not None else Safe("")


def _fit(text: Safe) -> Safe:
    return text if len(text) <= _LONG else Safe(f"({len(text)} characters, whole in Details)")
