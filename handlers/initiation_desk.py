"""What the edges may ask for where a person starts himself what the policy blocks. Provided by `bot.desk.initiating`.

The rules of `handlers.desk` hold here too: who it is comes from the verified envelope and the second factor alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from approval_rules.events import Refusal
from approval_rules.people import ToolName
from approval_rules.text import AgentJson, AgentText, Json
from handlers.desk import Challenge, Envelope, Fault, Seen


@dataclass(frozen=True, slots=True)
class StartForm:
    """What a person fills in. `taken_up` is the blocked proposal whose arguments stand in it at first.

    `schema` is the tool's contract, None where there is none; `agents` are the names of those that could execute it.
    Of a blocked proposal what the policy hides is kept as it is. `field` is the argument that the contract marks to be
    typed again. `policy` is the version that this was made by.
    """

    tool: ToolName
    schema: Mapping[str, Json] | None
    agents: Sequence[str]
    taken_up: Seen | None
    field: str | None
    policy: str


@dataclass(frozen=True, slots=True)
class StartWish:
    """A filled-in form. Everything in it but `who` is unproved; `arguments` is what the person typed."""

    who: Envelope
    unverified_taken_up: str | None
    unverified_tool: str
    unverified_agent: str
    unverified_policy: str
    arguments: AgentJson
    typed: AgentText
    reason: AgentText


@dataclass(frozen=True, slots=True)
class StartRefused:
    """Nothing was started, and why; `faults` point into the arguments, `field` had to be typed again."""

    refusal: Refusal
    faults: Sequence[Fault] = ()
    field: str | None = None


@dataclass(frozen=True, slots=True)
class TypedProof:
    """The code of a second factor for one start. Everything in it but `who` is unproved."""

    who: Envelope
    unverified_start: str
    unverified_ticket: str = field(repr=False)
    unverified_code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Started:
    """It is started, and waits for two others."""

    seen: Seen


class InitiationDesk(Protocol):
    """What a person may ask for in Slack."""

    async def form_of(self, who: Envelope, unverified_id: str) -> StartForm | Refusal | None:
        """Give the form for a blocked proposal, to a person who may start it; None for an unknown one."""

    async def form_for(self, who: Envelope, tool: str) -> StartForm | Refusal | None:
        """Give the form for a tool, to a person who may start something of it; None for an unknown one."""

    async def begin_start(self, wish: StartWish) -> Challenge | StartRefused:
        """Judge it but for the second factor, and ask for that; a refusal is recorded."""

    async def start_with_code(self, proof: TypedProof) -> Started | StartRefused:
        """Verify the code and start it, in one transaction."""
