"""What the buttons about a pause do: resume, end an agent's keys, roll the policy back; and what the home shows.

A button says which pause it is about, and where it stood; both are checked against what was posted. It never carries
authority: who pressed comes from Slack's envelope, and what they may do from the directory as of now.
"""

from collections.abc import Callable
from typing import TypeVar

from approval_rules.commands import Resume
from approval_rules.decide import decide_switch
from approval_rules.events import Refusal, SwitchRefused
from approval_rules.people import AgentId, human
from approval_rules.switch import EVERYTHING, Pause, Scope, ScopeKind
from approval_rules.text import AgentText
from approval_rules.versions import POLICY_ADMIN
from bot.desk.new_keys import NewKeys
from bot.desk.people import PeopleUseCases, once, switched
from bot.desk.persons import meet, standing_in
from bot.desk.versions import VersionError, activations, before_that, roll_back
from bot.desk.wiring import Wiring, written
from bot.directory import Member
from bot.store import switch_posts
from bot.store.transaction import Transaction
from handlers.desk import Envelope, Switched
from handlers.key_desk import KeysEnded
from handlers.switch_desk import HomeView, PausePress

T = TypeVar("T")
_SHOWN_AT_HOME = 10


class PauseButtons:
    """Provides `handlers.switch_desk.SwitchDesk`; whose keys are ended gets new ones by `keys`."""

    def __init__(self, wiring: Wiring, people: PeopleUseCases, keys: NewKeys) -> None:
        self._wiring = wiring
        self._people = people
        self.keys = keys

    async def resume_from(self, press: PausePress) -> Switched:
        """Resume what the message is about."""
        member = await self._wiring.directory.look_up(press.who.account)

        def unit(tx: Transaction) -> Switched:
            person = meet(tx, press.who.account, member, member.name or press.who.user_name)
            by, pause = human(person), _pause_of(tx, press)
            scope = EVERYTHING if pause is None else pause.scope
            command = Resume(
                *(tx.at, by, scope, AgentText(""), standing_in(tx, person, member)), self._people.may_resume(member)
            )
            events = decide_switch(tx.switch, command)
            if pause is None or (pause.ended_at is None and tx.switch.of(scope)[-1] != pause):
                events = (SwitchRefused(tx.at, by, scope, Refusal.NOT_OUR_MESSAGE),)
            elif pause.ended_at is not None:
                events = (SwitchRefused(tx.at, by, scope, Refusal.NOTHING_PAUSED),)
            return switched(tx, scope, events, press.who.request_id)

        return await written(self._wiring, unit)

    async def end_keys(self, press: PausePress) -> Refusal | KeysEnded:
        """End the keys of the agent that is paused: its owner may, and whoever may resume."""

        def unit(tx: Transaction, member: Member, pause: Pause) -> Refusal | KeysEnded:
            agent = tx.agent(AgentId(pause.scope.name)) if pause.scope.kind is ScopeKind.AGENT else None
            if agent is None:
                return Refusal.NOT_OUR_MESSAGE
            by = meet(tx, press.who.account, member, member.name or press.who.user_name)
            owns = standing_in(tx, by, member).is_one_with(agent.agent.owner)
            if not owns and not self._people.may_resume(member):
                return Refusal.NOT_OPERATOR
            return self.keys.end(tx, agent.agent, by, owns=owns)

        done = await self._in_force(press, unit)
        return done if isinstance(done, Refusal) else await self.keys.with_names(done)

    async def roll_back(self, press: PausePress) -> Refusal | str:
        """Let the version decide that decided before: policy_admin may, or whoever may resume where nobody is that."""

        def unit(tx: Transaction, member: Member, _pause: Pause) -> Refusal | str:
            roles = self._wiring.policy.folder.roles
            may = POLICY_ADMIN in member.roles if POLICY_ADMIN in roles else self._people.may_resume(member)
            if not may:
                return Refusal.NOT_OPERATOR
            if press.version is None or press.version != before_that(activations(tx)):
                return Refusal.NOT_OUR_MESSAGE
            by = human(meet(tx, press.who.account, member, member.name or press.who.user_name))
            try:
                return roll_back(tx, press.version, by).version or ""
            except VersionError:
                return Refusal.NOT_OUR_MESSAGE

        return await self._in_force(press, unit)

    async def _in_force(
        self, press: PausePress, unit: Callable[[Transaction, Member, Pause], Refusal | T]
    ) -> Refusal | T:
        """Run a unit for a full member, on a pause that is in force still; a refusal is recorded."""
        member = await self._wiring.directory.look_up(press.who.account)

        def whole(tx: Transaction) -> Refusal | T:
            if not once(tx, press.who.request_id):
                return Refusal.ALREADY_VOTED
            pause = _pause_of(tx, press)
            done: Refusal | T
            if member.flaw is not None:
                done = Refusal(member.flaw.value)
            elif pause is None or pause.ended_at is not None:
                done = Refusal.NOTHING_PAUSED if pause else Refusal.NOT_OUR_MESSAGE
            else:
                done = unit(tx, member, pause)
            if isinstance(done, Refusal):
                by = human(meet(tx, press.who.account, member, member.name or press.who.user_name))
                scope: Scope = EVERYTHING if pause is None else pause.scope
                tx.record(SwitchRefused(tx.at, by, scope, done))
            return done

        return await written(self._wiring, whole)

    async def home(self, who: Envelope) -> HomeView:
        """Give what a person sees at home."""
        waiting = await self._people.pending(who, _SHOWN_AT_HOME + 1)
        return HomeView(await self._people.whoami(who), await self._people.overview(), waiting)


def _pause_of(tx: Transaction, press: PausePress) -> Pause | None:
    """Find the pause that a message of ours is about; None for a button that stood elsewhere."""
    if not switch_posts.is_ours(tx, press.unverified_pause, press.who.channel, press.ts):
        return None
    return next((pause for pause in tx.switch.pauses if pause.id == press.unverified_pause), None)
