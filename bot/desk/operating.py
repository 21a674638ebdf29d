"""What an operator's key may do: pause, resume, look, drill. It works with Slack down, and can never approve."""

from datetime import timedelta
from typing import Literal

from approval_rules.commands import Resume, StartPause
from approval_rules.decide import decide_switch
from approval_rules.events import Paused, Refusal, ResumeAsked, SwitchRefused
from approval_rules.people import keyholder
from approval_rules.stop_events import DrillHeld
from approval_rules.switch import Scope
from approval_rules.text import AgentText
from bot.desk.drilling import Drills
from bot.desk.people import PeopleUseCases
from bot.desk.switching import record_switch
from bot.desk.taking_back import count_unclaimed
from bot.desk.wiring import Wiring, written
from bot.held_keys import OPERATOR, holder_of
from bot.store.transaction import Transaction
from handlers.desk import Overview, Refused, Switched
from handlers.operator_desk import Operator

_NOTHING = "this is not paused; GET /v1/operator/status shows what is"
_NO_DRILL = "a pause is in force that covers the drill too; hold it after the resume"


class OperatorUseCases:
    """Provides `handlers.operator_desk.OperatorDesk`."""

    def __init__(self, wiring: Wiring, people: PeopleUseCases, drills: Drills) -> None:
        self._wiring = wiring
        self._people = people
        self._drills = drills

    async def operator_of(self, unverified_key: str) -> Operator | None:
        """Find whose key this is, as of now."""
        holder = await holder_of(self._wiring.reads, OPERATOR, unverified_key)
        return None if holder is None else Operator(holder.name, keyholder(holder.person))

    async def scope_named(self, kind: Literal["all", "agent", "tool"], name: str) -> Scope | None:
        """Find a scope, as people in Slack would name it."""
        return await self._people.scope_named(kind, name)

    async def pause(
        self, operator: Operator, scope: Scope, lasts: timedelta | None, reason: AgentText, *, revoke: bool
    ) -> Switched:
        """Stop a scope now."""

        def unit(tx: Transaction) -> Switched:
            unused = count_unclaimed(tx, scope) if revoke else None
            ident = tx.new_id("pause")
            command = StartPause(tx.at, operator.actor, ident, scope, lasts, reason, None, revoke)
            events = decide_switch(tx.switch, command)
            record_switch(tx, events)
            until = next((event.until for event in events if isinstance(event, Paused)), None)
            return Switched(None, scope, tx.switch.of(scope), until=until, taken_back=unused)

        return await written(self._wiring, unit)

    async def resume(self, operator: Operator, scope: Scope, reason: AgentText) -> Switched | Refused:
        """Start a scope again. Asking twice is asking once: a second person is waited for."""

        def unit(tx: Transaction) -> Switched | Refused:
            command = Resume(tx.at, operator.actor, scope, reason, None, may_resume=True)
            events = decide_switch(tx.switch, command)
            record_switch(tx, events)
            event = events[0]
            if isinstance(event, SwitchRefused) and event.code is Refusal.NOTHING_PAUSED:
                return Refused(event.code.value, _NOTHING)
            return Switched(None, scope, tx.switch.active, waiting=isinstance(event, ResumeAsked | SwitchRefused))

        return await written(self._wiring, unit)

    async def overview(self) -> Overview:
        """Give the state of everything."""
        return await self._people.overview()

    async def drill(self, operator: Operator) -> DrillHeld | Refused:
        """Hold a drill now."""
        held = await self._drills.hold(operator.actor)
        return Refused(Refusal.PAUSED.value, _NO_DRILL) if held is None else held
