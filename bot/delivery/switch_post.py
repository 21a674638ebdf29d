"""Posts what happened to the kill switch, and keeps those messages true: no button stays where it has no effect."""

from collections.abc import Awaitable, Callable
from functools import partial

from slack_sdk.web.async_slack_response import AsyncSlackResponse

from approval_rules.events import Paused, ResumeAsked, Resumed
from approval_rules.people import Actor, AgentId, PersonId
from approval_rules.policy_events import PolicyActivated
from bot.delivery.slack_post import GONE, SlackPost, failed
from bot.delivery.worker import Attempt, Later, Result, Sender, Sent
from bot.desk.versions import before_that
from bot.desk.wiring import Wiring
from bot.slack_calls import SlackUnavailableError
from bot.store import drills, switch_posts
from bot.store.codec import POLICY, SWITCH
from bot.store.outbox import OutboxRow, told_of
from bot.store.reads import Snapshot
from bot.store.switch_posts import Place
from bot.store.transaction import Transaction
from handlers.desk import Face
from handlers.drill_words import drill_in_message
from handlers.slack.pause_post import PausePost, pause_post
from handlers.switch_desk import SwitchView

_NO_CHANNEL = "no channel: set FOUREYES_CHANNEL or `channels:` in roles.yml"


class SwitchPost:
    """The sender of announcements: those of the kill switch itself, and `others` by another sender."""

    def __init__(self, wiring: Wiring, slack: SlackPost, others: Sender) -> None:
        self._wiring = wiring
        self._slack = slack
        self._others = others

    async def __call__(self, row: OutboxRow, attempt: Attempt) -> Result:
        """Post an announcement, or show afresh one that stands."""
        snapshot = self._wiring.reads.glance()
        seq = told_of(row)
        recorded = await snapshot.recorded(SWITCH) if row.subject == SWITCH else ()
        event = next((item.event for item in recorded if item.seq == seq), None)
        if not isinstance(event, Paused | ResumeAsked | Resumed):
            return await self._others(row, attempt)
        as_of = await snapshot.size() - 1
        shown = pause_post(event, await self._view(snapshot, event.by))
        place = switch_posts.placed(await snapshot.rows(switch_posts.AT, {"seq": seq}))
        try:
            if place is not None:
                return await self._update(place, shown, as_of)
            return await self._post(seq, shown, as_of, attempt)
        except SlackUnavailableError as error:
            return failed(error)

    async def _view(self, snapshot: Snapshot, by: Actor) -> SwitchView:
        """Read what is true now, and who did it: a message is never staler than its sending."""
        switch = await snapshot.switch()
        actors = [by, *(pause.by for pause in switch.pauses), *switch.resume_asked_by]
        accounts = await snapshot.accounts(PersonId(actor.ref) for actor in actors)
        versions = [item.event for item in await snapshot.recorded(POLICY)]
        return SwitchView(
            switch=switch,
            faces={person: Face(account.user_id, name) for person, (account, name) in accounts.items()},
            agents={AgentId(ident): name for ident, name in await snapshot.rows("SELECT id, name FROM agents", {})},
            earlier=before_that([event for event in versions if isinstance(event, PolicyActivated)]),
            proof=drill_in_message(drills.newest(await snapshot.rows(drills.NEWEST, {})), self._wiring.clock()),
        )

    async def _post(self, seq: int, shown: PausePost, as_of: int, attempt: Attempt) -> Result:
        channels = self._wiring.policy.folder.channels
        channel = channels.get("announcements") or channels.get("default") or self._slack.default_channel
        if channel is None:
            return Later(_NO_CHANNEL)

        async def call() -> AsyncSlackResponse:
            await attempt.begin()
            return await self._call("chat.postMessage", partial(self._chat_post, channel, shown))

        answer = await self._slack.pace.post(channel, call)
        place = Place(str(answer["channel"]), str(answer["ts"]))

        def record(tx: Transaction) -> None:
            switch_posts.place(tx, seq, place)

        return Sent(as_of, record)

    async def _update(self, place: Place, shown: PausePost, as_of: int) -> Result:
        client = self._slack.client
        try:
            await self._call(
                "chat.update",
                lambda: client.chat_update(channel=place.channel, ts=place.ts, text=shown.text, blocks=shown.blocks),
            )
        except SlackUnavailableError as error:
            if error.code not in GONE:
                raise
        return Sent(as_of)

    async def _chat_post(self, channel: str, shown: PausePost) -> AsyncSlackResponse:
        client = self._slack.client
        return await client.chat_postMessage(
            channel=channel, text=shown.text, blocks=shown.blocks, mrkdwn=False, unfurl_links=False, unfurl_media=False
        )

    async def _call(self, method: str, call: Callable[[], Awaitable[AsyncSlackResponse]]) -> AsyncSlackResponse:
        return await self._slack.calls.make(method, call)
