"""What is sent about second factors: a direct message to the person, and one question to those who confirm for others.

A direct message that may have been lost is sent again: told twice is better than not told.
"""

from collections.abc import Sequence
from functools import partial

from approval_rules.canonical import Digest
from approval_rules.events import Posted
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
from bot.delivery.slack_post import GONE, NO_CHANNEL, OPS, SlackSenders, failed
from bot.delivery.worker import Attempt, Later, Never, Result, Sent
from bot.slack_calls import SlackUnavailableError
from bot.store.codec import Recorded
from bot.store.credentials import FACTOR_EVENTS, events_in
from bot.store.outbox import OutboxRow
from bot.store.reads import Snapshot
from bot.store.vouching import stands_at
from handlers.desk import Face
from handlers.slack.factor_words import About, Message, question, told

VOUCH_EVENT = "foureyes_second_factor"


class FactorSenders(SlackSenders):
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
        try:
            if "ts" in row.payload:
                return await self._change(row, shown, as_of)
            return await self._ask(row, attempt, mark, shown, as_of)
        except SlackUnavailableError as error:
            return failed(error)

    async def _ask(self, row: OutboxRow, attempt: Attempt, mark: Mark, shown: Message, as_of: int) -> Result:
        async def it_stands(found: Posted) -> Result:
            return _stands(row, as_of, found)

        channels = self._wiring.policy.folder.channels
        channel = next((channels[name] for name in OPS if name in channels), self._slack.default_channel)
        if channel is None:
            return Later(NO_CHANNEL)
        settled = await self._settled(row, attempt, mark, it_stands)
        if settled is not None:
            return settled
        begin = partial(attempt.begin, channel)
        answer = await self._chat(begin, channel=channel, text=shown.text, blocks=shown.blocks, metadata=mark.metadata)
        return _stands(row, as_of, Posted(str(answer["channel"]), str(answer["ts"]), Digest("")))

    async def _change(self, row: OutboxRow, shown: Message, as_of: int) -> Result:
        try:
            await self._slack.calls.make(
                "chat.update",
                lambda: self._slack.client.chat_update(
                    channel=row.payload["channel"], ts=row.payload["ts"], text=shown.text, blocks=shown.blocks
                ),
            )
        except SlackUnavailableError as error:
            if error.code not in GONE:
                raise
        return Sent(as_of)


def _stands(row: OutboxRow, as_of: int, posted: Posted) -> Sent:
    return Sent(as_of, lambda tx: stands_at(tx, row, posted.channel, posted.ts))


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
