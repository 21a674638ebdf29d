"""What an operator may ask for over HTTP: stop, start again, look, drill. Never anything that approves."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, Protocol

from approval_rules.people import Actor
from approval_rules.stop_events import DrillHeld
from approval_rules.switch import Scope
from approval_rules.text import AgentText
from handlers.desk import Overview, Refused, Switched


@dataclass(frozen=True, slots=True)
class Operator:
    """Who holds an operator's key."""

    name: str
    actor: Actor


class OperatorDesk(Protocol):
    """The use cases behind an operator's key."""

    async def operator_of(self, unverified_key: str) -> Operator | None:
        """Find whose key this is; None for an unknown or revoked one, and for every agent's."""

    async def scope_named(self, kind: Literal["all", "agent", "tool"], name: str) -> Scope | None:
        """Find a scope; None for an unknown agent or tool."""

    async def pause(
        self, operator: Operator, scope: Scope, lasts: timedelta | None, reason: AgentText, *, revoke: bool
    ) -> Switched:
        """Stop a scope now."""

    async def resume(self, operator: Operator, scope: Scope, reason: AgentText) -> Switched | Refused:
        """Start a scope again; of everything, this is one half."""

    async def overview(self) -> Overview:
        """Give the state of everything."""

    async def drill(self, operator: Operator) -> DrillHeld | Refused:
        """Prove that a claim is refused in a pause."""
