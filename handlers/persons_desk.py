"""What the edges may ask for about who is one person. The edges own this interface; `bot.desk` provides it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from approval_rules.events import Refusal
from approval_rules.people_events import PersonsChange
from handlers.desk import Envelope, Face


@dataclass(frozen=True, slots=True)
class PersonsSaid:
    """What became of joining or parting two accounts: `waiting` means that a second admin must say the same."""

    refusal: Refusal | None
    one: Face
    other: Face
    waiting: bool = False


@dataclass(frozen=True, slots=True)
class PersonsKnown:
    """The persons with several accounts, the accounts that two admins parted, and what waits for a second admin."""

    groups: Sequence[Sequence[Face]]
    apart: Sequence[Sequence[Face]]
    asked: Sequence[tuple[PersonsChange, Face, Face]]


class PersonsDesk(Protocol):
    """What an admin may ask for about people."""

    async def change(self, who: Envelope, change: PersonsChange, one: str, other: str) -> PersonsSaid:
        """Say that two accounts (Slack user ids) are one person, or are not; two admins must."""

    async def known(self, who: Envelope) -> PersonsKnown | Refusal:
        """Give who is one person, to somebody in any role."""
