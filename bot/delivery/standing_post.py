"""Posts a message that stands and is changed in place: once, whatever breaks on the way. It decides nothing."""

from functools import partial

from approval_rules.canonical import Digest
from approval_rules.events import Posted
from bot.delivery.slack_mark import Mark
from bot.delivery.slack_post import GONE, NO_CHANNEL, SlackSenders, failed
from bot.delivery.worker import Attempt, Later, Result, Sent
from bot.slack_calls import SlackUnavailableError
from bot.store.outbox import OutboxRow, stands_at
from handlers.slack.blocks import Message


class StandingSenders(SlackSenders):
    """For rows of which each is one message; the row's payload keeps where it stands."""

    async def stand(
        self, row: OutboxRow, attempt: Attempt, channel: str | None, mark: Mark, shown: Message, as_of: int
    ) -> Result:
        """Post the message, or show in the one that stands what is true now."""
        try:
            if "ts" in row.payload:
                return await self._change(row, shown, as_of)
            return Later(NO_CHANNEL) if channel is None else await self._new(row, attempt, channel, mark, shown, as_of)
        except SlackUnavailableError as error:
            return failed(error)

    async def _new(
        self, row: OutboxRow, attempt: Attempt, channel: str, mark: Mark, shown: Message, as_of: int
    ) -> Result:
        async def it_stands(found: Posted) -> Result:
            return _stands(row, as_of, found)

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
