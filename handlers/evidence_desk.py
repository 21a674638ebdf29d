"""What may be asked for as evidence over HTTP: the pack of one decision, by its agent or an auditor. It only looks."""

from dataclasses import dataclass, field
from typing import Protocol

from approval_rules.people import Agent
from handlers.audit_desk import Auditor
from handlers.desk import Refused


@dataclass(frozen=True, slots=True)
class Evidence:
    """One pack: as a ZIP, and its page alone, with the policy to serve it under. `digest` names its content."""

    proposal: str
    digest: str
    zipped: bytes = field(repr=False)
    page: bytes = field(repr=False)
    page_policy: str


class EvidenceDesk(Protocol):
    """The use cases behind `GET /v1/proposals/{id}/evidence`."""

    async def auditor_of(self, unverified_key: str) -> Auditor | None:
        """Find whose key this is; None for every key that is no auditor's."""

    async def of_own(self, agent: Agent, unverified_id: str) -> Evidence | Refused | None:
        """Give an agent the evidence about its own proposal; None where it has no such proposal."""

    async def of_any(self, auditor: Auditor, unverified_id: str, known: str | None) -> Evidence | Refused | None:
        """Give an auditor the evidence about any proposal; what is not `known` to him already is a look at values."""
