"""What starting an action needs of second factors: to ask for one, and to take the answer. Verifies nothing itself.

Whoever provides it keeps the tickets; here stands only what may be asked, so that a start is bound to one proof.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from approval_rules.canonical import Digest
from approval_rules.events import Refusal
from approval_rules.people import PersonId, ProposalId
from approval_rules.step_up import Factor, Proof, StepUp
from approval_rules.text import AgentJson
from bot.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Asking:
    """What a person is to confirm: starting exactly these arguments, as they are shown, under this policy."""

    person: PersonId
    proposal: ProposalId
    arguments: Digest
    shown: Digest
    policy: str
    asked: StepUp


@dataclass(frozen=True, slots=True)
class Asked:
    """The question as it was put; `code` stands wherever it is shown. `url` is the page, for a passkey."""

    factor: Factor
    ticket: str = field(repr=False)
    code: str
    expires_at: datetime
    url: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Taken:
    """A verified answer: who confirmed which start of which arguments, with what."""

    person: PersonId
    proposal: ProposalId
    arguments: Digest
    proof: Proof
    evidence: AgentJson | None = None


class StartFactors(Protocol):
    """Asks for second factors, and takes each answer once."""

    def ask(self, tx: Transaction, asking: Asking) -> Asked | Refusal:
        """Make a one-time ticket for the best factor that the person has; a refusal where it is not enough."""
        ...

    def take_code(
        self, tx: Transaction, unverified_ticket: str, person: PersonId, unverified_code: str
    ) -> Taken | Refusal:
        """Verify a typed code against its ticket, and use both up."""
        ...
