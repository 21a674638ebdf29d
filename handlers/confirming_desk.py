"""What the edges may ask for where a vote needs a passkey: begin it, look at what is asked, answer it.

Provided by `bot.desk`. The rules of `handlers.desk` hold here too. The name of a ticket is a secret.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeAlias

from approval_rules.events import Refusal
from handlers.desk import Challenge, Click, Face, Judged, Seen

BrowserAnswer: TypeAlias = Mapping[str, Any]
"""A passkey's answer in WebAuthn's JSON form, as a page sent it. Everything in it is unproved."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What one person is asked to confirm, for the page. `refusal` is set where it can no longer be confirmed so.

    `challenge` is what the passkey signs, `rp` the host that it signs for; `passkeys` are ids in base64url. `starts` is
    true where the person starts the action himself, and false for a vote.
    """

    seen: Seen
    me: Face
    code: str
    challenge: bytes
    rp: str
    passkeys: Sequence[str]
    expires_at: datetime
    refusal: Refusal | None
    starts: bool = False


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """What a browser is asked to make a passkey for. `handle` stands for the person and names nobody."""

    me: Face
    challenge: bytes
    rp: str
    handle: bytes
    passkeys: Sequence[str]
    expires_at: datetime
    refusal: Refusal | None


class ConfirmingDesk(Protocol):
    """What Slack may ask for."""

    async def begin_approval(self, click: Click) -> Judged | Challenge:
        """Count or refuse an approval; where a second factor is missing and nothing else, ask for it."""


class ConfirmationPages(Protocol):
    """What the page of a vote may ask for. Looking uses nothing up; whoever answers has one try."""

    async def asked(self, unverified_name: str) -> Asked | None:
        """Tell what is to be confirmed; None for a name that is not known."""

    async def confirm(self, unverified_name: str, answer: BrowserAnswer) -> Judged | None:
        """Verify the passkey's answer and count the vote, in one transaction; None for a name that is not known."""


class PasskeyPages(Protocol):
    """What the page of a new passkey may ask for. Looking uses nothing up; whoever answers has one try."""

    async def new_passkey(self, unverified_name: str) -> NewPasskey | None:
        """Tell for whom a passkey is to be made; None for a name that is not known."""

    async def register(self, unverified_name: str, answer: BrowserAnswer) -> Refusal | None:
        """Keep a new passkey, which counts once somebody else has confirmed it; gives why not."""
