"""What the Slack edge may ask for besides votes: questions, edits, taking back, replies; and what an agent answers.

As in `handlers.desk`, one method is one transaction, and a refusal is an answer.
"""

from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from approval_rules.people import Agent
from approval_rules.text import AgentText
from handlers.desk import Envelope, Judged, Refused, Seen

What: TypeAlias = Literal["ask", "edit", "take-back"]


@dataclass(frozen=True, slots=True)
class Screen:
    """What a person had before him, on the message `ts` in `who.channel`. Everything in it but `who` is unproved."""

    who: Envelope
    unverified_proposal: str
    unverified_digest: str
    ts: str


@dataclass(frozen=True, slots=True)
class Asking:
    """A question to the agent, or to the Slack user `to`."""

    screen: Screen
    to: str | None
    text: AgentText
    stops_clock: bool


@dataclass(frozen=True, slots=True)
class Editing:
    """A lower value, as it was typed."""

    screen: Screen
    field: str
    unverified_value: str


@dataclass(frozen=True, slots=True)
class TakingBack:
    """An approval is wanted back, and why."""

    screen: Screen
    reason: AgentText


@dataclass(frozen=True, slots=True)
class Reply:
    """What somebody wrote under the message `thread_ts` in `who.channel`; `who.request_id` names the event."""

    who: Envelope
    thread_ts: str
    text: AgentText


class AmendingDesk(Protocol):
    """What a person may do to a proposal besides voting."""

    async def begin(self, what: What, screen: Screen) -> Judged:
        """Tell whether this person may do that now; a refusal is recorded."""

    async def ask(self, asking: Asking) -> Judged:
        """Put a question."""

    async def edit(self, editing: Editing) -> Judged:
        """Lower a field; the policy judges what comes of it."""

    async def take_back(self, wish: TakingBack) -> Judged:
        """Take an unused approval back."""

    async def reply(self, reply: Reply) -> None:
        """Take a reply in a thread as the answer, where its author was asked; any other is ignored."""


class AnsweringDesk(Protocol):
    """What an agent may do with the questions that it was asked."""

    async def answer(self, agent: Agent, unverified_id: str, question: str, text: AgentText) -> Seen | Refused | None:
        """Answer a question; the same answer again is the same. None for another agent's proposal."""
