"""What a proposal keeps of what people did to it besides voting: questions, edits, a taking back. Judges nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from approval_rules.canonical import Digest
from approval_rules.people import Actor, PersonId
from approval_rules.switch import Span, union
from approval_rules.text import AgentJson, AgentText, unwrap_object


@dataclass(frozen=True, slots=True)
class Question:
    """One question to the agent, or to the person `to`, and its answer. The clock stands until `stands_until`."""

    id: str
    by: PersonId
    to: PersonId | None
    text: AgentText
    at: datetime
    stands_until: datetime | None = None
    answer: AgentText | None = None
    answered_by: Actor | None = None
    answered_at: datetime | None = None

    @property
    def open(self) -> bool:
        """Whether nobody has answered yet."""
        return self.answered_at is None

    def answered(self, text: AgentText, by: Actor, at: datetime) -> "Question":
        """Give the question with its answer; the clock stands for it no longer."""
        stood = None if self.stands_until is None else min(self.stands_until, at)
        return replace(self, answer=text, answered_by=by, answered_at=at, stands_until=stood)


@dataclass(frozen=True, slots=True)
class Edit:
    """One version that was replaced: who lowered which field, the digest before, and whose votes became void.

    `was` holds the arguments before, where they are known.
    """

    editor: PersonId
    at: datetime
    field: str
    digest: Digest
    voided: tuple[PersonId, ...]
    was: AgentJson | None = None


@dataclass(frozen=True, slots=True)
class TakenBack:
    """Which person took the approval back, and why."""

    by: Actor
    at: datetime
    reason: AgentText


def stops(questions: Iterable[Question]) -> Sequence[Span]:
    """Give the spans in which the clock stands for questions."""
    return [(each.at, each.stands_until) for each in questions if each.stands_until is not None]


def stood_for(questions: Iterable[Question]) -> timedelta:
    """Add up how long the clock stands for questions; what overlaps counts once."""
    return union(stops(questions))


def lowered(arguments: AgentJson, field: str, wish: Decimal) -> AgentJson | None:
    """Give the arguments with a top-level number replaced by a smaller one above zero; None where it is none."""
    fields = unwrap_object(arguments)
    now = fields.get(field)
    if isinstance(now, bool) or not isinstance(now, int | Decimal) or not wish.is_finite():
        return None
    return AgentJson({**fields, field: wish}) if 0 < wish < now else None
