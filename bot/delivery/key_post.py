"""Tells an agent's owner that its keys were ended, in a message that stays true; and everybody that it has a new one.

The message has a button to ask for a link, and never the link: what stands in a conversation can be read for years.
"""

from typing import Final, Literal

from approval_rules.events import AgentChanged
from approval_rules.people import Actor, AgentId, PersonId
from approval_rules.stop_events import AgentKeysEnded
from bot.agents import KeyEvent, key_events
from bot.delivery.persons_post import UNREACHABLE, PersonsSenders
from bot.delivery.slack_mark import Mark
from bot.delivery.slack_post import NO_CHANNEL, OPS, SlackPost
from bot.delivery.worker import Attempt, Later, Never, Result, Sent
from bot.desk.wiring import Wiring
from bot.store.outbox import OutboxRow, told_of
from handlers.desk import Face
from handlers.key_desk import KeysStory
from handlers.slack.key_words import key_announcement, keys_message

KEYS_EVENT: Final = "foureyes_agent_keys"
_AGENT: Final = "agent_"


class KeySenders(PersonsSenders):
    """The senders of `tell` and `announce`, for agents' keys too. `pages`: whether a browser reaches this server."""

    def __init__(self, wiring: Wiring, slack: SlackPost, *, pages: bool) -> None:
        super().__init__(wiring, slack)
        self._pages = pages

    async def tell(self, row: OutboxRow, attempt: Attempt) -> Result:
        """Tell the owner, or show in the same message what came after."""
        if not row.subject.startswith(_AGENT):
            return await super().tell(row, attempt)
        snapshot = self._wiring.reads.glance()
        as_of, seq = await snapshot.size() - 1, told_of(row)
        happened = key_events(await snapshot.recorded(row.subject), AgentId(row.subject))
        after = next((event for at, event in happened if at > seq), None)
        ended = next((event for at, event in happened if at == seq), None)
        if not isinstance(ended, AgentKeysEnded):
            return Never("the end of these keys is not in the log")
        owner = ended.agent.owner
        accounts = await snapshot.accounts([owner])
        if owner not in accounts:
            return Sent(as_of)  # erased since: there is nobody to tell
        shown = keys_message(
            KeysStory(
                *(ended.agent.name, ended.agent.id, seq, await self._face(ended.by), self._pages),
                *(_kind(after), await self._face(after.by) if after else None, after.at if after else None),
            )
        )
        mark = Mark(KEYS_EVENT, "entry", str(seq), ended.at)
        result = await self.stand(row, attempt, accounts[owner][0].user_id, mark, shown, as_of)
        return Sent(as_of) if isinstance(result, Later) and result.error in UNREACHABLE else result

    async def announce(self, row: OutboxRow, attempt: Attempt) -> Result:
        """Tell the channel that an agent has a new key; anything else is another's."""
        if not row.subject.startswith(_AGENT):
            return await super().announce(row, attempt)
        happened = key_events(await self._wiring.reads.glance().recorded(row.subject), AgentId(row.subject))
        made = next((event for at, event in happened if at == row.wanted_seq), None)
        if not isinstance(made, AgentChanged):
            return await super().announce(row, attempt)
        channels = self._wiring.policy.folder.channels
        channel = next((channels[name] for name in OPS[1:] if name in channels), self._slack.default_channel)
        if channel is None:
            return Later(NO_CHANNEL)
        return await self._say(channel, key_announcement(made, await self._face(made.by)), row.wanted_seq, attempt)

    async def _face(self, by: Actor) -> Face | None:
        person = PersonId(by.ref)
        found = (await self._wiring.reads.glance().accounts([person])).get(person)
        return None if found is None else Face(found[0].user_id, found[1])


def _kind(after: KeyEvent | None) -> Literal["made", "ended", "revoked"] | None:
    match after:
        case None:
            return None
        case AgentKeysEnded():
            return "ended"
        case AgentChanged():
            return "revoked" if after.change == "revoked" else "made"
