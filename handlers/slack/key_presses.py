"""The button by which an agent's owner asks for a new key: one call of the desk, then one modal. It decides nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from approval_rules.refusals import Refusal
from handlers.key_desk import KeyDesk
from handlers.slack.actions import shown
from handlers.slack.blocks import Block
from handlers.slack.ids import read_new_key_value
from handlers.slack.key_words import key_refusal, link_view
from handlers.slack.parse import read_envelope, trigger_of
from handlers.slack.patience import Trouble, in_time
from handlers.slack.sentences import UNREADABLE
from handlers.slack.views import notice_view

_NO_KEY: Final = "No new key"


@dataclass(frozen=True, slots=True)
class KeyPresses:
    """The button, over the desk and one Slack client."""

    desk: KeyDesk
    client: AsyncWebClient

    async def pressed(self, body: Mapping[str, Any], request_id: str) -> BoltResponse:
        """Answer one press."""
        view = await in_time(self._pressed(body, request_id))
        if isinstance(view, Trouble):
            view = notice_view(view.heading, view.sentence)
        return await shown(self.client.views_open(trigger_id=trigger_of(body), view=view))

    async def _pressed(self, body: Mapping[str, Any], request_id: str) -> Block:
        who, found = read_envelope(body, request_id), read_new_key_value(body["actions"][0].get("value"))
        if who is None or found is None:
            return notice_view(_NO_KEY, UNREADABLE)
        link = await self.desk.new_key_link(who, *found)
        return notice_view(_NO_KEY, key_refusal(link)) if isinstance(link, Refusal) else link_view(link)
