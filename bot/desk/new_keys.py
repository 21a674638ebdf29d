"""How an agent whose keys were ended in Slack gets a new one: its owner makes it, on a page of ours, behind a link.

The link is good for one end of the keys: as soon as anything else has happened to them it is over, so a second use, a
key made on the machine, another end and a revocation need no bookkeeping. The key goes to that page and nowhere else.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from approval_rules.events import AgentChanged, SwitchRefused
from approval_rules.people import Account, Actor, Agent, AgentId, PersonId, ToolName, human, system
from approval_rules.refusals import Refusal
from approval_rules.switch import EVERYTHING, Scope, ScopeKind, Switch
from bot.agents import KeyEvent, end_keys, key_events, key_events_in, new_key
from bot.clock import NewToken
from bot.desk.apply import faces_in
from bot.desk.persons import meet, standing_in
from bot.desk.signed_links import SignedLinks
from bot.desk.wiring import Wiring, written
from bot.directory import Member
from bot.keys import callback_secret
from bot.store import outbox
from bot.store.outbox import Kind
from bot.store.transaction import Transaction
from handlers.desk import Envelope, Face
from handlers.key_desk import KeyAsked, KeyLink, KeyMade, KeysEnded

LINK_LIFE: Final = timedelta(minutes=10)
_PURPOSE: Final = "new-key-links/v1"
_PAGE: Final = system("new-key")


class NewKeys:
    """Provides `handlers.key_desk`. `public_url` None: nobody's browser reaches this server."""

    def __init__(self, wiring: Wiring, public_url: str | None, new_token: NewToken) -> None:
        self._wiring = wiring
        self._public_url = public_url
        self._new_token = new_token
        self._links = SignedLinks(wiring, _PURPOSE, LINK_LIFE)

    def end(self, tx: Transaction, agent: Agent, by: PersonId, *, owns: bool) -> KeysEnded:
        """End an agent's keys at once; its owner gets a link to a new one, whoever else pressed is told who that is."""
        recorded = end_keys(tx, agent, human(by))
        if self._public_url is None:
            return KeysEnded(agent.name)
        if owns:
            return KeysEnded(agent.name, self._link(self._public_url, agent.id, recorded.seq, by))
        return KeysEnded(agent.name, owner=faces_in(tx, [agent.owner]).get(agent.owner, Face("", "")))

    async def with_names(self, ended: KeysEnded) -> KeysEnded:
        """Put the owner's name in, where only an id is known so far."""
        if ended.owner is None or ended.owner.name:
            return ended
        member = await self._wiring.directory.look_up(Account(self._wiring.home_team, ended.owner.user_id))
        return replace(ended, owner=Face(ended.owner.user_id, member.name))

    def _link(self, origin: str, agent: AgentId, seq: int, by: PersonId) -> KeyLink:
        ends_at = self._wiring.clock() + LINK_LIFE
        return KeyLink(f"{origin}/new-key/{self._links.name(agent, str(seq), by)}", ends_at)

    async def new_key_link(self, who: Envelope, unverified_agent: str, unverified_seq: int) -> KeyLink | Refusal:
        """Give the agent's owner a link; a refusal is recorded."""
        member = await self._wiring.directory.look_up(who.account)

        def unit(tx: Transaction) -> KeyLink | Refusal:
            by = meet(tx, who.account, member, member.name or who.user_name)
            row = tx.agent(AgentId(unverified_agent))
            if row is None:
                return _refused(tx, human(by), EVERYTHING, Refusal.NOT_OUR_MESSAGE)
            refusal = _why_not(tx, row.agent, unverified_seq, by, member)
            if self._public_url is None or refusal is not None:
                return _refused(tx, human(by), _only(row.agent), refusal or Refusal.NO_PAGES)
            return self._link(self._public_url, row.agent.id, unverified_seq, by)

        return await written(self._wiring, unit)

    async def key_asked(self, unverified_name: str) -> KeyAsked | Refusal:
        """Tell what a link is for. It changes nothing."""
        link = self._links.read(unverified_name)
        if link is None:
            return Refusal.EXPIRED
        agent, seq, person = link.words
        async with self._wiring.reads.snapshot() as snapshot:
            happened = key_events(await snapshot.recorded(agent), AgentId(agent))
            over = _over(happened, int(seq))
            found = (await snapshot.accounts([PersonId(person)])).get(PersonId(person))
            switch = await snapshot.switch()
        if over is not None or found is None:
            return over or Refusal.EXPIRED
        account, name = found
        return KeyAsked(happened[-1][1].agent.name, Face(account.user_id, name), link.ends_at, _paused(switch, agent))

    async def make_key(self, unverified_name: str) -> KeyMade | Refusal:
        """Make the key in the name of whoever asked for the link, who must be the owner still."""
        link = self._links.read(unverified_name)
        if link is None:
            return Refusal.EXPIRED
        agent, seq, person = AgentId(link.words[0]), int(link.words[1]), PersonId(link.words[2])
        found = await self._wiring.reads.glance().accounts([person])
        if person not in found:
            return Refusal.EXPIRED
        member = await self._wiring.directory.look_up(found[person][0])

        def unit(tx: Transaction) -> KeyMade | Refusal:
            row = tx.agent(agent)
            if row is None:
                return Refusal.EXPIRED
            refusal = _why_not(tx, row.agent, seq, person, member)
            if refusal is not None:
                return _refused(tx, _PAGE, _only(row.agent), refusal)
            made = new_key(tx, row, human(person), self._new_token, timedelta())
            outbox.plan(tx, Kind.ANNOUNCE, agent, key_events_in(tx, agent)[-1][0], {})
            secret = callback_secret(self._wiring.key, agent, made.generation)
            return KeyMade(row.agent.name, made.key, secret, _paused(tx.switch, agent))

        return await written(self._wiring, unit)


def _why_not(tx: Transaction, agent: Agent, seq: int, by: PersonId, member: Member) -> Refusal | None:
    """Say why this person makes no key for the agent after this end of its keys; None where nothing is against it."""
    standing = standing_in(tx, by, member)
    if standing.flaw is not None:
        return Refusal(standing.flaw.value)
    if not standing.is_one_with(agent.owner):
        return Refusal.NOT_OPERATOR
    return _over(key_events_in(tx, agent.id), seq)


def _over(happened: Sequence[tuple[int, KeyEvent]], seq: int) -> Refusal | None:
    """Tell whether anything has happened to the keys since they were ended."""
    at, last = happened[-1]
    if at == seq:
        return None
    revoked = isinstance(last, AgentChanged) and last.change == "revoked"
    return Refusal.AGENT_REVOKED if revoked else Refusal.LINK_USED


def _refused(tx: Transaction, by: Actor, scope: Scope, refusal: Refusal) -> Refusal:
    tx.record(SwitchRefused(tx.at, by, scope, refusal))
    return refusal


def _only(agent: Agent) -> Scope:
    return Scope(ScopeKind.AGENT, agent.id)


def _paused(switch: Switch, agent: str) -> bool:
    return switch.stops(AgentId(agent), ToolName("")) is not None
