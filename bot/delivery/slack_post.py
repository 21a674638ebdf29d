"""What is sent to Slack: packets and their updates, thread replies, answers to clicks, announcements.

A packet is rendered from the folded state when it is sent, so that it is never staler than its message. Before a packet
is posted again after a crash or a lost answer, the history of the channel that was tried is searched for the first one.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Final

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse
from slack_sdk.webhook.async_client import AsyncWebhookClient

from approval_rules.canonical import Digest
from approval_rules.commands import RecordPosted
from approval_rules.duty_events import AwayDeclined, AwaySet
from approval_rules.events import (
    BudgetExceeded,
    Decision,
    IncidentChanged,
    Posted,
    Refusal,
)
from approval_rules.people import Account, PersonId
from approval_rules.policy_events import PolicyActivated
from approval_rules.react import Note
from approval_rules.state import Status
from approval_rules.stop_events import AgentKeysEnded, DrillHeld
from bot.delivery.calling import QUIET, REMINDERS, away_told, call, call_later
from bot.delivery.pace import ChannelPace
from bot.delivery.slack_mark import ESCALATION_EVENT, Mark, packet_mark
from bot.delivery.worker import BROKE, Attempt, Later, Never, Result, Sent, WithPacket
from bot.desk.apply import apply, known
from bot.desk.explained import explained
from bot.desk.on_duty import show_hand_over, with_shifts
from bot.desk.wiring import Wiring, seen_from
from bot.slack_calls import SlackCalls, SlackUnavailableError
from bot.store.outbox import OutboxRow
from bot.store.transaction import Transaction
from handlers.desk import Face, Seen
from handlers.slack.blocks import Block
from handlers.slack.escalation import escalation
from handlers.slack.escape import Safe, mrkdwn_safe
from handlers.slack.notes import asked_of, note_text
from handlers.slack.packet import Packet, packet
from handlers.slack.policy_words import policy_announcement
from handlers.slack.sentences import (
    answer_body,
    counted_sentence,
    drill_announcement,
    incident_announcement,
    keys_announcement,
    refusal_sentence,
)

OPS: Final = ("ops", "announcements", "default")
NO_CHANNEL: Final = "no channel: set FOUREYES_CHANNEL or `channels:` in roles.yml"
GONE: Final = frozenset({"message_not_found", "cant_update_message", "edit_window_closed", "is_inactive"})
_HOPELESS: Final = frozenset(
    {"invalid_blocks", "invalid_blocks_format", "msg_too_long", "msg_blocks_too_long", "no_text"}
)
# After these, nobody knows whether the message stands.
_LOST: Final = "unreachable"
_UNSURE: Final = frozenset({_LOST, BROKE, "unexpected-answer", "fatal_error", "internal_error", "request_timeout"})
# Without the right to read the history a lost packet is replaced; clicks on the lost one are refused.
_MAY_NOT_SEARCH: Final = frozenset({"missing_scope", "not_in_channel", "channel_not_found", "no_permission"})
_HISTORY_LAG: Final = timedelta(seconds=4)
_LOOKS: Final = 2
_ANSWER_LIFE: Final = timedelta(minutes=29)
_CLOCK_SKEW: Final = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class SlackPost:
    """The client of the posting side, with whose bot it is and where packets go. `client` retries nothing itself."""

    client: AsyncWebClient
    calls: SlackCalls
    pace: ChannelPace
    bot_id: str
    default_channel: str | None


class SlackSenders:
    """The senders of everything that goes to Slack."""

    def __init__(self, wiring: Wiring, slack: SlackPost) -> None:
        self._wiring = wiring
        self._slack = slack

    async def packet(self, row: OutboxRow, attempt: Attempt) -> Result:
        """Make the packet in Slack show what is true now."""
        as_of, seen = await self._seen(row.subject)
        if seen is not None and await self._learn_names(seen):
            as_of, seen = await self._seen(row.subject)
        if seen is None:
            return Never("the proposal is not in the log")
        shown = packet(seen, self._wiring.clock())
        posted = seen.proposal.packet
        try:
            if posted is None:
                return await self._post(row, attempt, seen, shown, as_of)
            if posted.shown == shown.shown and row.last_error is None:
                # Only then: after an update whose answer was lost, Slack may show something later than we know.
                return Sent(as_of)
            return await self._update(seen, posted, shown, as_of, attempt)
        except SlackUnavailableError as error:
            return failed(error)

    async def _learn_names(self, seen: Seen) -> bool:
        """Ask Slack for the names of people who have only been noted so far, such as an agent's owner."""
        nameless = [person for person, face in seen.faces.items() if not face.name]
        if not nameless:
            return False
        for account, _ in (await self._wiring.reads.glance().accounts(nameless)).values():
            member = await self._wiring.directory.look_up(account)
            if member.name != account.user_id:
                await self._wiring.writer.run(partial(_rename, account, member.name))
        return True

    async def _seen(self, proposal: str) -> tuple[int, Seen | None]:
        snapshot = self._wiring.reads.glance()
        as_of = await snapshot.size() - 1
        loaded = await snapshot.proposal(proposal)
        if loaded is None:
            return as_of, None
        now = await with_shifts(self._wiring, loaded)
        return as_of, await explained(self._wiring, await seen_from(snapshot, now))

    def _channel(self, seen: Seen) -> str | None:
        channels = self._wiring.policy.folder.channels
        return seen.proposal.requirement.channel or channels.get("default") or self._slack.default_channel

    async def _post(self, row: OutboxRow, attempt: Attempt, seen: Seen, shown: Packet, as_of: int) -> Result:
        async def take_over(found: Posted) -> Result:
            return await self._update(seen, found, shown, as_of, attempt)

        settled = await self._settled(row, attempt, packet_mark(seen), take_over)
        if settled is not None:
            return settled
        channel = self._channel(seen)
        if channel is None:
            return Later(NO_CHANNEL)
        return await self._post_packet(channel, seen, shown, as_of, attempt)

    async def _settled(
        self, row: OutboxRow, attempt: Attempt, mark: Mark, take_over: Callable[[Posted], Awaitable[Result]]
    ) -> Result | None:
        """Look what became of an earlier try, where nobody knows; None where it is time to post."""
        # Where the last try was made: it may go elsewhere since.
        tried = row.payload.get("channel")
        if tried is not None and (attempt.orphaned or row.last_error in _UNSURE):
            found = await self._taken_over(tried, mark, take_over)
            if found is not None:
                return found
            if attempt.orphaned or row.attempts <= _LOOKS:
                # History lags behind a post: "not found" is no proof in the first seconds.
                await attempt.begin()
                return Later(_LOST, _HISTORY_LAG, not_tried=True)
        return None

    async def _taken_over(
        self, channel: str, mark: Mark, take_over: Callable[[Posted], Awaitable[Result]]
    ) -> Result | None:
        """Take the message over that an earlier try left; None where there is none to be found."""
        try:
            found = await self._find(channel, mark)
            return None if found is None else await take_over(found)
        except SlackUnavailableError as error:
            if error.code in _MAY_NOT_SEARCH:
                return None
            if error.code in _HOPELESS:
                return Never(error.code)
            # Still nobody knows: look again, and never post blindly because a look failed.
            return Later(_LOST, error.retry_after, not_tried=True)

    async def _post_packet(self, channel: str, seen: Seen, shown: Packet, as_of: int, attempt: Attempt) -> Result:
        answer = await self._chat(
            partial(attempt.begin, channel),
            channel=channel,
            text=shown.text,
            blocks=shown.blocks,
            metadata=packet_mark(seen).metadata,
        )
        return _sent(as_of, seen, Posted(str(answer["channel"]), str(answer["ts"]), shown.shown))

    async def _chat(
        self,
        begin: Callable[[], Awaitable[None]],
        *,
        channel: str,
        **message: Any,  # noqa: ANN401 - the SDK's arguments
    ) -> AsyncSlackResponse:
        """Post one message when it is the channel's turn; nothing in it is unfurled."""

        async def call() -> AsyncSlackResponse:
            await begin()
            client = self._slack.client
            return await self._slack.calls.make(
                "chat.postMessage",
                lambda: client.chat_postMessage(channel=channel, unfurl_links=False, unfurl_media=False, **message),
            )

        return await self._slack.pace.post(channel, call)

    async def _find(self, channel: str, mark: Mark) -> Posted | None:
        """Look for a message that was posted and never written down; only our own bot's message counts."""
        oldest = (mark.since - _CLOCK_SKEW).timestamp()
        cursor = None
        while True:
            answer = await self._slack.calls.make(
                "conversations.history",
                lambda: self._slack.client.conversations_history(
                    channel=channel,
                    oldest=f"{oldest:.6f}",
                    limit=200,
                    include_all_metadata=True,
                    cursor=cursor,  # noqa: B023 - called before it changes
                ),
            )
            for message in answer.get("messages") or ():
                if mark.is_on(message, self._slack.bot_id):
                    return Posted(channel, str(message["ts"]), Digest(""))
            cursor = (answer.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return None

    async def _update(self, seen: Seen, posted: Posted, shown: Packet, as_of: int, attempt: Attempt) -> Result:
        try:
            await self._slack.calls.make(
                "chat.update",
                lambda: self._slack.client.chat_update(
                    channel=posted.channel, ts=posted.ts, text=shown.text, blocks=shown.blocks
                ),
            )
        except SlackUnavailableError as error:
            if error.code not in GONE:
                raise
            # The old message is gone; clicks on any older copy are refused from now on.
            return await self._post_packet(posted.channel, seen, shown, as_of, attempt)
        return _sent(as_of, seen, Posted(posted.channel, posted.ts, shown.shown))

    async def thread(self, row: OutboxRow, attempt: Attempt) -> Result:
        """Reply in the packet's thread."""
        as_of, seen = await self._seen(row.subject)
        if seen is None:
            return Never("the proposal is not in the log")
        posted = seen.proposal.packet
        if posted is None:
            return WithPacket()
        if attempt.orphaned:
            # A second reply would only repeat itself; the packet above it is true in any case.
            return Sent(as_of)
        note = Note(row.payload["note"])
        about = row.payload.get("about")
        text = note_text(note, seen, self._wiring.clock(), about)
        if note not in REMINDERS:
            return await self._say(posted.channel, text, as_of, attempt, posted.ts, asked_of(seen, about))
        if seen.proposal.status is not Status.PENDING and row.last_error == QUIET:
            return Sent(as_of)  # it was decided while people slept, and the thread says so
        who = await call(self._wiring, seen, row.payload.get("roles"))
        if who.wait_until is not None:
            return Later(QUIET, who.wait_until - self._wiring.clock(), not_tried=True)
        if "roles" in row.payload and not who.blocks:
            return Sent(as_of)  # of those who slept nobody is needed any more
        result = await self._say(posted.channel, text, as_of, attempt, posted.ts, who.blocks)
        return Sent(as_of, partial(call_later, row, who.asleep)) if isinstance(result, Sent) else result

    async def _say(
        self,
        channel: str,
        text: Safe,
        as_of: int,
        attempt: Attempt,
        thread_ts: str | None = None,
        more: Sequence[Block] = (),
    ) -> Result:
        said = {"type": "section", "text": {"type": "plain_text", "text": text[:3000], "emoji": False}}
        blocks = [said, *more]

        try:
            await self._chat(
                attempt.begin, channel=channel, text=mrkdwn_safe(text), blocks=blocks, thread_ts=thread_ts, mrkdwn=False
            )
        except SlackUnavailableError as error:
            return failed(error)
        return Sent(as_of)

    async def announce(self, row: OutboxRow, attempt: Attempt) -> Result:
        """Tell the channel what happened to the policy or to an agent's keys, or that there is an incident."""
        channels = self._wiring.policy.folder.channels
        channel = channels.get("announcements") or channels.get("default") or self._slack.default_channel
        if channel is None:
            return Later(NO_CHANNEL)
        snapshot = self._wiring.reads.glance()
        recorded = {item.seq: item.event for item in await snapshot.recorded(row.subject)}
        event = recorded.get(row.wanted_seq)
        if isinstance(event, AwaySet | AwayDeclined):
            text, called = await away_told(snapshot, event)
            return await self._say(channel, text, row.wanted_seq, attempt, more=called)
        if isinstance(event, DrillHeld):
            ops = next((channels[name] for name in OPS if name in channels), channel)
            return await self._say(ops, drill_announcement(event), row.wanted_seq, attempt)
        if not isinstance(event, IncidentChanged | PolicyActivated | AgentKeysEnded):
            return Never("the announced event is not in the log")
        person = PersonId(event.by.ref)
        accounts = await snapshot.accounts([person])
        face = Face(accounts[person][0].user_id, accounts[person][1]) if person in accounts else None
        match event:
            case IncidentChanged():
                text = incident_announcement(event, face)
            case PolicyActivated():
                text = policy_announcement(event, face)
            case AgentKeysEnded():
                text = keys_announcement(event, face)
        return await self._say(channel, text, row.wanted_seq, attempt)

    async def escalate(self, row: OutboxRow, attempt: Attempt) -> Result:
        """Tell the operators that an agent was stopped by a budget: once, whatever breaks on the way."""
        recorded = await self._wiring.reads.glance().recorded(row.subject)
        event = next((item.event for item in recorded if item.seq == row.wanted_seq), None)
        if not isinstance(event, BudgetExceeded):
            return Never("the stop is not in the log")
        channels = self._wiring.policy.folder.channels
        channel = next((channels[name] for name in OPS if name in channels), self._slack.default_channel)
        if channel is None:
            return Later(NO_CHANNEL)
        mark, shown = Mark(ESCALATION_EVENT, "entry", str(row.wanted_seq), event.at), escalation(event)

        async def it_stands(_found: Posted) -> Result:
            return Sent(row.wanted_seq)

        try:
            settled = await self._settled(row, attempt, mark, it_stands)
            if settled is None:
                begin = partial(attempt.begin, channel)
                await self._chat(begin, channel=channel, text=shown.text, blocks=shown.blocks, metadata=mark.metadata)
        except SlackUnavailableError as error:
            return failed(error)
        return settled or Sent(row.wanted_seq)

    async def answer(self, row: OutboxRow, attempt: Attempt) -> Result:
        """Tell the clicker alone what became of the click."""
        if self._wiring.clock() - row.created_at > _ANSWER_LIFE:
            return Sent(row.wanted_seq)
        snapshot = self._wiring.reads.glance()
        loaded = await snapshot.proposal(row.subject)
        refusal, decision = row.payload["refusal"], Decision(row.payload["decision"])
        if refusal is not None:
            seen = None if loaded is None else await seen_from(snapshot, loaded)
            sentence = refusal_sentence(Refusal(refusal), seen)
        elif loaded is not None:
            sentence = counted_sentence(loaded.proposal, decision)
        else:
            return Never("the proposal is not in the log")
        webhook = AsyncWebhookClient(
            row.payload["url"], timeout=5, session=self._slack.client.session, retry_handlers=[]
        )
        try:
            status = (await webhook.send_dict(answer_body(sentence))).status_code
        except Exception:  # noqa: BLE001 - aiohttp's errors quote the address, which is a secret
            status = None
        if status in (200, 404, 410):
            return Sent(row.wanted_seq)
        # Only now: told twice after a crash it says the same, so a try is written down for its number alone.
        await attempt.begin()
        return Later("unreachable" if status is None else f"http-{status}")


def _sent(as_of: int, seen: Seen, posted: Posted) -> Sent:
    def record(tx: Transaction) -> None:
        proposal = seen.proposal
        applied = apply(tx, known(tx, proposal.id), RecordPosted(tx.at, proposal.id, posted, proposal.on_duty))
        if applied.loaded is not None:
            show_hand_over(tx, proposal, applied.loaded.last_seq)

    return Sent(as_of, record)


def _rename(account: Account, name: str, tx: Transaction) -> None:
    tx.person(account, name)


def failed(error: SlackUnavailableError) -> Result:
    """Say what is to become of a row that Slack did not take."""
    if error.code in _HOPELESS:
        return Never(error.code)
    return Later(error.code, error.retry_after if error.code == "ratelimited" else None)
