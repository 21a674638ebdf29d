"""Tells people what others did to their standing: joined or parted as one person, or a delegate who declined.

It tells what the log says and decides nothing. Told twice is better than not told.
"""

from typing import Final

from approval_rules.duty_events import AwayDeclined
from approval_rules.people import PersonId
from approval_rules.people_events import PersonsJoined, PersonsParted
from bot.delivery.calling import away_told
from bot.delivery.factor_post import FactorSenders
from bot.delivery.slack_post import NO_CHANNEL, OPS
from bot.delivery.worker import Attempt, Later, Never, Result, Sent
from bot.store.codec import PEOPLE
from bot.store.outbox import OutboxRow
from handlers.desk import Face
from handlers.slack.escape import Safe
from handlers.slack.persons import persons_change, to_the_operators, to_the_person

_GONE: Final = "the people concerned are not in the log"
# This account has no direct messages; its other account and the operators' channel are told all the same.
UNREACHABLE: Final = frozenset(
    {"channel_not_found", "user_not_found", "cannot_dm_bot", "user_disabled", "messages_tab_disabled"}
)


class PersonsSenders(FactorSenders):
    """The senders of `tell` and `announce`, for who is one person too."""

    async def tell(self, row: OutboxRow, attempt: Attempt) -> Result:
        """Tell one account, by direct message, with whom it is one; or whoever is away that nobody stands in."""
        if row.subject != PEOPLE:
            return await self._declined(row, attempt) or await super().tell(row, attempt)
        event = await self._change_of(row)
        to = PersonId(row.payload["person"])
        faces = {} if event is None else await self._faces(event.one, event.other, to)
        if event is None or to not in faces:
            return Never(_GONE)
        text = to_the_person(persons_change(event, faces.get(event.one), faces.get(event.other)))
        return await self._direct(faces[to].user_id, text, row, attempt)

    async def _declined(self, row: OutboxRow, attempt: Attempt) -> Result | None:
        """Tell whoever is away; None where it is about something else."""
        snapshot = self._wiring.reads.glance()
        recorded = await snapshot.recorded(row.subject)
        event = next((item.event for item in recorded if item.seq == row.wanted_seq), None)
        if not isinstance(event, AwayDeclined):
            return None
        found = await snapshot.accounts([event.person])
        if event.person not in found:
            return Never(_GONE)
        text, _ = await away_told(snapshot, event)
        return await self._direct(found[event.person][0].user_id, text, row, attempt)

    async def _direct(self, user: str, text: Safe, row: OutboxRow, attempt: Attempt) -> Result:
        result = await self._say(user, text, row.wanted_seq, attempt)
        return Sent(row.wanted_seq) if isinstance(result, Later) and result.error in UNREACHABLE else result

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
