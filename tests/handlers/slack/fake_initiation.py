"""A desk of starts that says what a test tells it to, and remembers what it was asked."""

from dataclasses import dataclass, field

from approval_rules.events import Refusal
from handlers.desk import Challenge, Envelope
from handlers.initiation_desk import Started, StartForm, StartRefused, StartWish, TypedProof


@dataclass
class FakeInitiation:
    """Provides `handlers.initiation_desk.InitiationDesk`."""

    form: StartForm | Refusal | None = None
    begun: Challenge | StartRefused = field(default_factory=lambda: StartRefused(Refusal.NOT_IN_ROLE))
    done: Started | StartRefused = field(default_factory=lambda: StartRefused(Refusal.STEP_UP_NEEDED))
    wishes: list[StartWish] = field(default_factory=list)
    proofs: list[TypedProof] = field(default_factory=list)

    async def form_of(self, who: Envelope, unverified_id: str) -> StartForm | Refusal | None:
        """Give the form."""
        del who, unverified_id
        return self.form

    async def form_for(self, who: Envelope, tool: str) -> StartForm | Refusal | None:
        """Give the form."""
        del who, tool
        return self.form

    async def begin_start(self, wish: StartWish) -> Challenge | StartRefused:
        """Answer."""
        self.wishes.append(wish)
        return self.begun

    async def start_with_code(self, proof: TypedProof) -> Started | StartRefused:
        """Answer."""
        self.proofs.append(proof)
        return self.done
