"""Posts a signed checkpoint of the log to the audit channel. Its bytes were fixed when it was planned.

After a lost answer it is posted again: twice the same says no more than once.
"""

from dataclasses import dataclass

from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.delivery.slack_post import SlackPost, failed
from bot.delivery.worker import Attempt, Never, Result, Sent
from bot.desk.wiring import Wiring
from bot.slack_calls import SlackUnavailableError
from bot.store.outbox import OutboxRow
from handlers.slack.witness_message import witness_message

CHANNEL = "audit"


@dataclass(frozen=True, slots=True)
class WitnessPost:
    """The sender of checkpoints."""

    wiring: Wiring
    slack: SlackPost

    async def __call__(self, row: OutboxRow, attempt: Attempt) -> Result:
        """Post one."""
        channel = self.wiring.policy.folder.channels.get(CHANNEL)
        if channel is None:
            return Never("roles.yml names no channel `audit` any more")
        text, blocks = witness_message(row.wanted_seq + 1, row.payload["note"])
        client, calls = self.slack.client, self.slack.calls

        async def call() -> AsyncSlackResponse:
            await attempt.begin()
            return await calls.make(
                "chat.postMessage",
                lambda: client.chat_postMessage(
                    channel=channel, text=text, blocks=blocks, mrkdwn=False, unfurl_links=False, unfurl_media=False
                ),
            )

        try:
            await self.slack.pace.post(channel, call)
        except SlackUnavailableError as error:
            return failed(error)
        return Sent(row.wanted_seq)
