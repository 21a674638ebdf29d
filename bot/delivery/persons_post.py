"""Tells people that two accounts became one person, or two again: each of them, and the operators' channel.

It tells what the log says and decides nothing. Told twice is better than not told.
"""

from typing import Final

from approval_rules.people import PersonId
from approval_rules.people_events import PersonsJoined, PersonsParted
from bot.delivery.factor_post import FactorSenders
from bot.delivery.slack_post import NO_CHANNEL, OPS
from bot.delivery.worker import Attempt, Later, Never, Result, Sent
from bot.store.codec import PEOPLE
from bot.store.outbox import OutboxRow
from handlers.desk import Face
from handlers.slack.persons import persons_change, to_the_operators, to_the_person

_GONE: Final = "the people concerned are not in the log"
# This account has no direct messages; its other account and the operators' channel are told all the same.
_UNREACHABLE: Final = frozenset(
    {"channel_not_found", "user_not_found", "cannot_dm_bot", "user_disabled", "messages_tab_disabled"}
)


class PersonsSenders(FactorSenders):
    """The senders of `tell` and `announce`, for who is one person too."""

    async def tell(self, row: OutboxRow, attempt: Attempt) -> Result:
        """Tell one account, by direct message, with whom it is one."""
        if row.subject != PEOPLE:
            return await super().tell(row, attempt)
        event = await self._change_of(row)
        to = PersonId(row.payload["person"])
        faces = {} if event is None else await self._faces(event.one, event.other, to)
        if event is None or to not in faces:
            return Never(_GONE)
        text = to_the_person(persons_change(event, faces.get(event.one), faces.get(event.other)))
        result = await self._say(faces[to].user_id, text, row.wanted_seq, attempt)
        return Sent(row.wanted_seq) if isinstance(result, Later) and result.error in _UNREACHABLE else result

    async def announce(self, row: OutboxRow, attempt: Attempt) -> Result:
        """Tell the operators' channel."""
        if row.subject != PEOPLE:
            return await super().announce(row, attempt)
        event = await self._change_of(row)
        if event is None:
            return Never(_GONE)
        channels = self._wiring.policy.folder.channels
        channel = next((channels[name] for name in OPS if name in channels), self._slack.default_channel)
        if channel is None:
            return Later(NO_CHANNEL)
        faces = await self._faces(event.one, event.other)
        text = to_the_operators(event, persons_change(event, faces.get(event.one), faces.get(event.other)))
        return await self._say(channel, text, row.wanted_seq, attempt)

    async def _change_of(self, row: OutboxRow) -> PersonsJoined | PersonsParted | None:
        recorded = await self._wiring.reads.glance().recorded(PEOPLE)
        event = next((item.event for item in recorded if item.seq == row.wanted_seq), None)
        return event if isinstance(event, PersonsJoined | PersonsParted) else None

    async def _faces(self, *people: PersonId) -> dict[PersonId, Face]:
        accounts = await self._wiring.reads.glance().accounts(people)
        return {person: Face(account.user_id, name) for person, (account, name) in accounts.items()}
