"""What is sent about second factors: a direct message to the person, and one question to those who confirm for others.

A direct message that may have been lost is sent again: told twice is better than not told.
"""

from collections.abc import Sequence

from approval_rules.factor_events import (
    FactorConfirmed,
    FactorEvent,
    FactorKept,
    FactorRefused,
    FactorRemoved,
    RecoveryUsed,
)
from approval_rules.factors import fold_factors
from approval_rules.people import Actor, ActorKind, PersonId
from bot.delivery.slack_mark import Mark
from bot.delivery.slack_post import OPS
from bot.delivery.standing_post import StandingSenders
from bot.delivery.worker import Attempt, Never, Result
from bot.store.codec import Recorded
from bot.store.credentials import FACTOR_EVENTS, events_in
from bot.store.outbox import OutboxRow
from bot.store.reads import Snapshot
from handlers.desk import Face
from handlers.slack.factor_words import About, question, told

VOUCH_EVENT = "foureyes_second_factor"


class FactorSenders(StandingSenders):
    """The senders of `tell` and `vouch`."""

    async def tell(self, row: OutboxRow, attempt: Attempt) -> Result:
        """Tell a person, by direct message, what happened to his factors."""
        snapshot = self._wiring.reads.glance()
        recorded = await snapshot.recorded(row.subject)
        event = _at(recorded, row.wanted_seq)
        about = None if event is None else await _about(snapshot, recorded, event)
        if event is None or about is None:
            return Never("what is to be told, or the person, is not in the log")
        return await self._say(about.whose.user_id, told(event, about), row.wanted_seq, attempt)

    async def vouch(self, row: OutboxRow, attempt: Attempt) -> Result:
        """Ask the operators, or show in the same message what was answered."""
        snapshot = self._wiring.reads.glance()
        as_of = await snapshot.size() - 1
        recorded = await snapshot.recorded(row.subject)
        event = _at(recorded, row.payload["asked"])
        about = None if event is None else await _about(snapshot, recorded, event)
        if event is None or about is None:
            return Never("what is asked about, or the person, is not in the log")
        shown = question(event, about, row.payload["credential"])
        mark = Mark(VOUCH_EVENT, "row", row.name, event.at)
        channels = self._wiring.policy.folder.channels
        channel = next((channels[name] for name in OPS if name in channels), self._slack.default_channel)
        return await self.stand(row, attempt, channel, mark, shown, as_of)


def _at(recorded: Sequence[Recorded], seq: int) -> FactorEvent | None:
    found = [item for item in recorded if item.seq == seq and isinstance(item.event, FACTOR_EVENTS)]
    return events_in(found)[0] if found else None


async def _about(snapshot: Snapshot, recorded: Sequence[Recorded], event: FactorEvent) -> About | None:
    """Find whose it is, who did it, and what came of it; None where the person has been erased."""
    events = events_in(recorded)
    answer = None if isinstance(event, FactorRefused | RecoveryUsed) else _answer(events, event)
    actors = [event.by, *([answer.by] if answer else [])]
    accounts = await snapshot.accounts([event.person, *(PersonId(actor.ref) for actor in actors)])
    faces = {person: Face(account.user_id, name) for person, (account, name) in accounts.items()}
    if event.person not in faces:
        return None

    def face(actor: Actor | None) -> Face | None:
        return faces.get(PersonId(actor.ref)) if actor and actor.kind is ActorKind.HUMAN else None

    factor = (
        "totp" if isinstance(event, FactorRefused | RecoveryUsed) else fold_factors(events)[event.credential].factor
    )
    return About(faces[event.person], face(event.by), factor, answer, face(answer.by if answer else None))


def _answer(events: Sequence[FactorEvent], asked: FactorEvent) -> FactorEvent | None:
    """Give the first thing after the question that answers it."""
    after = events[events.index(asked) + 1 :]
    return next(
        (
            event
            for event in after
            if isinstance(event, FactorConfirmed | FactorKept | FactorRemoved)
            and event.credential == getattr(asked, "credential", None)
        ),
        None,
    )
