"""What the edges may ask of originals that people are not shown. Each look is recorded before the original is given."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from approval_rules.refusals import Refusal
from approval_rules.text import AgentText
from handlers.audit_desk import Auditor
from handlers.desk import Envelope

MOST_REASON = 500


@dataclass(frozen=True, slots=True)
class Original:
    """One thing as it was written: the log index of its entry, where it stands there, and the text itself."""

    seq: int
    where: AgentText
    text: AgentText


@dataclass(frozen=True, slots=True)
class Uncovered:
    """What was hidden under one name in a proposal; the look is on record."""

    proposal: str
    field: str
    originals: Sequence[Original]


@dataclass(frozen=True, slots=True)
class Choice:
    """Nothing was shown: no field of this name is hidden there. `fields` are, as far as they still live."""

    proposal: str
    fields: Sequence[str]


Look: TypeAlias = Uncovered | Choice | Refusal | None
"""What became of asking; None where there is no such proposal."""


class RevealDesk(Protocol):
    """The use cases behind a look at an original."""

    async def may_in_slack(self, who: Envelope) -> bool:
        """Tell whether this person has the role `reveal`: only for what is offered, never in place of being asked."""

    async def in_slack(self, who: Envelope, unverified_id: str, field: str, reason: AgentText) -> Look:
        """Uncover for a person who has the role `reveal`."""

    async def over_http(self, auditor: Auditor, unverified_id: str, field: str, reason: AgentText) -> Look:
        """Uncover for an auditor's key that shows values."""
