"""The one stand-in for second factors in tests: it keeps its tickets in memory and takes the code 123456 once."""

from dataclasses import dataclass, field
from datetime import timedelta

from approval_rules.canonical import Digest
from approval_rules.events import Refusal
from approval_rules.people import PersonId
from approval_rules.step_up import STEP_UPS, Factor, Proof
from approval_rules.text import AgentJson
from bot.desk.start_proof import Asked, Asking, Taken
from bot.store.transaction import Transaction

RIGHT = "123456"
LIFE = timedelta(minutes=5)


def proof_by(factor: Factor) -> Proof:
    """Make a proof as the desk verifies it."""
    return Proof(factor, "cred_1", "sha256:" + "0" * 64, "ABCD-2345")


@dataclass
class FakeFactors:
    """Provides `bot.desk.start_proof.StartFactors`: everybody holds one factor, `has`."""

    has: Factor = "passkey"
    asked: list[Asking] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    def ask(self, tx: Transaction, asking: Asking) -> Asked | Refusal:
        """Ask, where the factor is enough."""
        if STEP_UPS.index(self.has) < STEP_UPS.index(asking.asked):
            return Refusal.STEP_UP_NEEDED
        self.asked.append(asking)
        return Asked(self.has, f"ticket-{len(self.asked)}", "ABCD-2345", tx.at.replace(microsecond=0) + LIFE)

    def take_code(
        self, tx: Transaction, unverified_ticket: str, person: PersonId, unverified_code: str
    ) -> Taken | Refusal:
        """Take the right code of the right person, once."""
        del tx
        place = int(unverified_ticket.removeprefix("ticket-")) - 1
        asking = self.asked[place]
        if unverified_code != RIGHT or unverified_ticket in self.used or asking.person != person:
            return Refusal.STEP_UP_NEEDED
        self.used.add(unverified_ticket)
        return Taken(person, asking.proposal, Digest(asking.arguments), proof_by(self.has), AgentJson({"by": "test"}))
