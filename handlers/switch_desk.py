"""What a person may ask for with the buttons about a pause. Who asks comes from Slack, never from the button."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from approval_rules.events import Refusal
from approval_rules.people import Actor, AgentId, PersonId
from approval_rules.switch import Switch
from handlers.desk import Envelope, Face, Overview, Seen, Switched, Whoami
from handlers.key_desk import KeysEnded


@dataclass(frozen=True, slots=True)
class PausePress:
    """One press of a button about a pause. All but `who` is unproved; `version` is the policy's that was offered."""

    who: Envelope
    unverified_pause: str
    ts: str
    version: str | None = None


@dataclass(frozen=True, slots=True)
class SwitchView:
    """What a message about the kill switch is made of; `earlier` is the policy version that a rollback leads to.

    `proof` says when the switch was last seen to stop something; empty where nobody asks.
    """

    switch: Switch
    faces: Mapping[PersonId, Face]
    agents: Mapping[AgentId, str]
    earlier: str | None = None
    proof: str = ""

    def face(self, by: Actor) -> Face | None:
        """Name an actor; None for the machine itself, and where the name was erased."""
        return self.faces.get(PersonId(by.ref))


@dataclass(frozen=True, slots=True)
class HomeView:
    """What one person sees in the app's home."""

    me: Whoami
    overview: Overview
    waiting: Sequence[Seen] | Refusal


class SwitchDesk(Protocol):
    """The use cases of the buttons. A refusal is an answer: `NOT_OUR_MESSAGE` where the button is not the newest."""

    async def resume_from(self, press: PausePress) -> Switched:
        """Resume what the message is about; everything needs a second person."""

    async def end_keys(self, press: PausePress) -> Refusal | KeysEnded:
        """End every key of the agent that is paused, at once; its owner is shown the way to a new one."""

    async def roll_back(self, press: PausePress) -> Refusal | str:
        """Let the earlier policy version decide that the button offered; gives it."""

    async def home(self, who: Envelope) -> HomeView:
        """Give what a person sees at home."""
