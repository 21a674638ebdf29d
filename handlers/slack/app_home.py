"""The app's home in Slack: what is paused, when the kill switch was last proved, what waits. It decides nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from approval_rules.events import Refusal
from approval_rules.people import Account
from approval_rules.requirement import Requirement
from approval_rules.switch import EVERYTHING, Switch
from approval_rules.text import AgentText
from handlers.desk import Envelope, PeopleDesk, Seen
from handlers.drill_words import drill_standing
from handlers.slack.actions import shown
from handlers.slack.blocks import MAX_SECTION, Block, button, context, header, moment, plain, section, utc
from handlers.slack.escape import Safe, clipped
from handlers.slack.ids import DETAILS, HOME_PAUSE, HOME_STATUS, value_of
from handlers.slack.parse import action_id_of, read_envelope, trigger_of
from handlers.slack.patience import Trouble, in_time
from handlers.slack.pause_post import pause_lines
from handlers.slack.sentence import sentence_of
from handlers.slack.sentences import UNREADABLE, refusal_sentence
from handlers.slack.standing import standing_of, who_decides
from handlers.slack.views import notice_view
from handlers.switch_desk import HomeView, SwitchDesk, SwitchView

_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class Homes:
    """Publishes homes, each when its person opens it."""

    desk: SwitchDesk
    people: PeopleDesk
    client: AsyncWebClient
    clock: Callable[[], datetime]

    async def opened(self, body: Mapping[str, Any], request_id: str) -> BoltResponse:
        """Publish the home of whoever opened it; an event that is not about a home is acknowledged."""
        who = _who(body, request_id)
        if who is None:
            return BoltResponse(status=200)
        return await self.publish(who)

    async def pressed(self, body: Mapping[str, Any], request_id: str) -> BoltResponse:
        """Pause everything, or look again; the home shows the state afterwards."""
        who = read_envelope(body, request_id, "")
        if who is None:
            return await self._notice(body, UNREADABLE)
        if action_id_of(body) == HOME_PAUSE:
            reason = AgentText("from the home of the app")
            done = await in_time(self.people.pause(who, EVERYTHING, None, reason))
            if isinstance(done, Trouble):
                return await self._notice(body, done.sentence)
            if done.refusal is not None:
                return await self._notice(body, refusal_sentence(done.refusal))
        return await self.publish(who)

    async def _notice(self, body: Mapping[str, Any], sentence: Safe) -> BoltResponse:
        view = notice_view("Please look", sentence)
        return await shown(self.client.views_open(trigger_id=trigger_of(body), view=view))

    async def publish(self, who: Envelope) -> BoltResponse:
        """Show one person the present state."""
        view = await in_time(self.desk.home(who))
        blocks = [section(view.sentence)] if isinstance(view, Trouble) else home_blocks(view, self.clock())
        home = {"type": "home", "blocks": blocks}
        return await shown(self.client.views_publish(user_id=who.account.user_id, view=home))


def home_blocks(view: HomeView, now: datetime) -> list[Block]:
    """Make the home."""
    overview = view.overview
    drill = drill_standing(overview.drill, now)
    proved = Safe(f"{'⚠ ' if drill.warn else ''}Kill switch: {drill.told}.")
    paused = SwitchView(Switch(tuple(overview.pauses)), overview.faces, overview.agents)
    stopped = pause_lines(overview.pauses, paused) or [Safe("▶ Nothing is paused.")]
    return [
        header(Safe("Foureyes")),
        *[section(clipped(line, MAX_SECTION)) for line in stopped],
        *([section(Safe("🚨 An incident is on; /agent status says more."))] if overview.incident else []),
        section(proved),
        {"type": "actions", "elements": [_pause_button(), button(HOME_STATUS, Safe("Look again"), "home")]},
        header(Safe("Waiting for a decision")),
        *_waiting(view.waiting, now),
        context(Safe(f"As of {utc(now)}. /agent help lists what you can type anywhere.")),
    ]


def _pause_button() -> Block:
    confirm = {
        "title": plain(Safe("Pause everything?")),
        "text": plain(Safe("Nothing of any agent runs until two people resume it. What waits is frozen, not lost.")),
        "confirm": plain(Safe("Pause everything")),
        "deny": plain(Safe("Go back")),
        "style": "danger",
    }
    return button(HOME_PAUSE, Safe("Pause everything"), "home", "danger", confirm)


def _waiting(waiting: Sequence[Seen] | Refusal, now: datetime) -> list[Block]:
    if isinstance(waiting, Refusal):
        return [section(refusal_sentence(waiting))]
    if not waiting:
        return [section(Safe("Nothing waits for a decision."))]
    blocks = [block for seen in waiting[:_SHOWN] for block in _one(seen, now)]
    more = [section(Safe(f"These are the {_SHOWN} most urgent; there are more."))] if len(waiting) > _SHOWN else []
    return [*blocks, *more]


def _one(seen: Seen, now: datetime) -> list[Block]:
    proposal = seen.proposal
    said = Safe(f"{sentence_of(proposal).text}\n{standing_of(seen, now).text}")
    details = button(DETAILS, Safe("Details"), value_of(proposal))
    until = [] if proposal.deadline is None or seen.frozen_by else [_until(proposal.deadline, proposal.requirement)]
    return [{**section(clipped(said, MAX_SECTION)), "accessory": details}, *until]


def _until(deadline: datetime, requirement: Requirement) -> Block:
    return moment(Safe("Until"), deadline, Safe(f"Needs {who_decides(requirement)}"))


def _who(body: Mapping[str, Any], request_id: str) -> Envelope | None:
    """Read who opened a home; an event names no team of the user's, so it is that of the workspace it came from."""
    event = body.get("event")
    user = event.get("user") if isinstance(event, Mapping) and event.get("tab") == "home" else None
    team = body.get("team_id")
    if not isinstance(user, str) or not isinstance(team, str):
        return None
    return Envelope(Account(team, user), user, "", request_id)
