"""People act, the app is told as Slack tells it, and what they see is what Slack would show."""

import asyncio
import json

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack_standin.app_link import sign
from bot.slack_standin.refusal import NotPossibleError
from bot.slack_standin.server import SlackStandin
from bot.slack_standin.workspace import (
    AGENT_OPS,
    FORMER,
    JONAS,
    LENA,
    MAYA,
    OUTSIDER,
    REFUND_APPROVALS,
    SAM,
    SHARED,
    TEAM,
    VISITOR,
)
from tests.slack_standin.fake_app import SECRET, FakeApp, Json, Seen, buttons, card


async def test_a_click_is_told_in_slacks_shape(slack: SlackStandin, client: AsyncWebClient, app: FakeApp) -> None:
    """A block_actions payload has the fields that Slack documents, and says who clicked what in which message."""
    message = await card(client, slack)
    outcome = await slack.click(MAYA, REFUND_APPROVALS, message.ts, "approve")
    assert outcome.ok
    payload = app.seen[0].payload
    assert payload["type"] == "block_actions"
    assert payload["user"] == {"id": MAYA, "username": "maya", "name": "maya", "team_id": TEAM}
    assert payload["team"]["id"] == TEAM
    assert payload["api_app_id"] == slack.workspace.app_id
    assert payload["container"]["message_ts"] == message.ts
    assert payload["channel"] == {"id": REFUND_APPROVALS, "name": "refund-approvals"}
    assert payload["message"]["blocks"][0]["elements"][0]["text"]["emoji"] is True
    action = payload["actions"][0]
    assert (action["type"], action["action_id"], action["block_id"], action["value"]) == (
        "button",
        "approve",
        "b1",
        "v-approve",
    )
    assert float(action["action_ts"]) > float(message.ts)
    assert payload["response_url"].startswith(slack.url + "/response/")


async def test_what_is_sent_is_signed(slack: SlackStandin, client: AsyncWebClient, app: FakeApp) -> None:
    """slack_sdk's own verifier accepts every request, and the docs' test vector comes out."""
    message = await card(client, slack)
    await slack.click(MAYA, REFUND_APPROVALS, message.ts, "approve")
    seen = app.seen[0]
    assert SignatureVerifier(SECRET).is_valid_request(seen.body, seen.headers)
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    assert sign(SECRET, "1531420618", body) == "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"


async def test_forgeries_and_replays_can_be_sent(slack: SlackStandin, client: AsyncWebClient, app: FakeApp) -> None:
    """A test can send a stale signature, a wrong one, and the exact same bytes again."""
    message = await card(client, slack)
    outcome = await slack.click(MAYA, REFUND_APPROVALS, message.ts, "approve")
    assert outcome.delivery is not None
    await slack.replay(outcome.delivery)
    await slack.send_signed(b"payload={}", timestamp="1")
    await slack.send_signed(b"payload={}", headers={"X-Slack-Signature": "v0=0"})
    assert slack.request_url == app.request_url
    assert [delivery.kind for delivery in slack.deliveries] == ["block_actions", "block_actions", "raw", "raw"]
    assert app.seen[0].body == app.seen[1].body
    assert app.seen[0].headers["x-slack-signature"] == app.seen[1].headers["x-slack-signature"]
    verifier = SignatureVerifier(SECRET)
    assert not verifier.is_valid_request(app.seen[2].body, app.seen[2].headers)
    assert not verifier.is_valid_request(app.seen[3].body, app.seen[3].headers)


async def test_only_live_buttons_can_be_pressed(slack: SlackStandin, client: AsyncWebClient, app: FakeApp) -> None:
    """Nobody presses what is not there, unless a stale screen is asked for; then the earlier version is sent."""
    message = await card(client, slack)
    with pytest.raises(NotPossibleError, match="no live element deny"):
        await slack.click(MAYA, REFUND_APPROVALS, message.ts, "deny")
    with pytest.raises(NotPossibleError, match="no message"):
        await slack.click(MAYA, REFUND_APPROVALS, "1.000001", "approve")
    await client.chat_update(channel=REFUND_APPROVALS, ts=message.ts, text="approved")
    assert message.blocks == []
    with pytest.raises(NotPossibleError, match="no live element"):
        await slack.click(MAYA, REFUND_APPROVALS, message.ts, "approve")
    await slack.click(MAYA, REFUND_APPROVALS, message.ts, "approve", force=True)
    assert app.seen[-1].payload["message"]["text"] == "please decide"
    with pytest.raises(NotPossibleError, match="no live element"):
        await slack.click(MAYA, REFUND_APPROVALS, message.ts, "never", force=True)
    await client.chat_delete(channel=REFUND_APPROVALS, ts=message.ts)
    with pytest.raises(NotPossibleError, match="no live element"):
        await slack.click(MAYA, REFUND_APPROVALS, message.ts, "approve")


async def test_two_buttons_of_one_name_need_their_block(slack: SlackStandin, client: AsyncWebClient) -> None:
    """The same action_id may stand in two blocks; then the block says which is meant."""
    message = await card(client, slack, buttons("go", block_id="one"), buttons("go", block_id="two"))
    with pytest.raises(NotPossibleError, match="block_id"):
        await slack.click(MAYA, REFUND_APPROVALS, message.ts, "go")
    assert (await slack.click(MAYA, REFUND_APPROVALS, message.ts, "go", block_id="two")).ok


async def test_only_people_who_see_it_can_act(slack: SlackStandin, client: AsyncWebClient, app: FakeApp) -> None:
    """Leavers and apps cannot act, guests only where they were added; outsiders click in shared channels alone."""
    message = await card(client, slack)
    for nobody in (FORMER, slack.workspace.bot_user, "U0NOBODY", OUTSIDER):
        with pytest.raises(NotPossibleError):
            await slack.click(nobody, REFUND_APPROVALS, message.ts, "approve")
    with pytest.raises(NotPossibleError, match="sees no channel"):
        await slack.command(LENA, AGENT_OPS, "/agent")
    assert (await slack.click(VISITOR, REFUND_APPROVALS, message.ts, "approve")).ok
    assert (await slack.click(FORMER, REFUND_APPROVALS, message.ts, "approve", force=True)).ok
    shared = await card(client, slack, channel=SHARED)
    assert (await slack.click(OUTSIDER, SHARED, shared.ts, "approve")).ok
    assert app.seen[-1].payload["user"]["team_id"] == "T0ELSEWHERE"
    with pytest.raises(NotPossibleError, match="other workspaces"):
        await slack.command(OUTSIDER, SHARED, "/agent")


async def test_an_app_that_does_not_answer_gets_the_triangle(
    slack: SlackStandin, client: AsyncWebClient, app: FakeApp
) -> None:
    """No 200 in time, another status or no connection: the person sees Slack's warning, and nobody else does."""
    message = await card(client, slack)
    app.says("", delay_s=3.3)
    late = await slack.click(MAYA, REFUND_APPROVALS, message.ts, "approve")
    assert not late.ok
    assert "within 3 seconds" in str(late.warning)
    app.says(500)
    assert "500" in str((await slack.click(MAYA, REFUND_APPROVALS, message.ts, "approve")).warning)
    slack.request_url = "http://127.0.0.1:1/slack/events"
    assert "reached" in str((await slack.click(MAYA, REFUND_APPROVALS, message.ts, "approve")).warning)
    assert len(slack.warnings(MAYA)) == 3
    assert slack.warnings(JONAS) == []
    slack.request_url = None
    with pytest.raises(NotPossibleError, match="request URL"):
        await slack.click(MAYA, REFUND_APPROVALS, message.ts, "approve")
    with pytest.raises(ValueError, match="only"):
        slack.request_url = "https://example.com/slack/events"


async def test_a_command_is_a_flat_form_and_its_answer_is_ephemeral(slack: SlackStandin, app: FakeApp) -> None:
    """/agent sends Slack's form; a text answer is shown to the one who asked, a JSON one where it says."""
    app.says("paused")
    assert (await slack.command(SAM, AGENT_OPS, "/agent", "pause all smoke")).ok
    form = app.seen[0].form
    assert (form["command"], form["text"], form["user_id"], form["channel_id"], form["channel_name"]) == (
        "/agent",
        "pause all smoke",
        SAM,
        AGENT_OPS,
        "agent-ops",
    )
    assert form["is_enterprise_install"] == "false"
    assert [note.text for note in slack.ephemerals(SAM)] == ["paused"]
    assert slack.ephemerals(MAYA) == []
    app.says({"response_type": "in_channel", "text": "all agents are paused"})
    await slack.command(SAM, AGENT_OPS, "/agent", "pause")
    assert (await slack.next_message(AGENT_OPS)).text == "all agents are paused"
    app.says({"text": "for you <!channel>"})
    await slack.command(SAM, AGENT_OPS, "/agent")
    assert slack.ephemerals(SAM)[-1].pings == ["<!channel>"]
    app.says("")
    assert (await slack.command(SAM, AGENT_OPS, "/agent")).ok
    with pytest.raises(NotPossibleError, match="not a valid command"):
        await slack.command(SAM, AGENT_OPS, "/other")


@pytest.mark.parametrize(
    ("answer", "error"),
    [(503, "http_service_error"), ({"text": 7}, "no_text"), ({"blocks": [{"type": "nope"}]}, "invalid_blocks")],
)
async def test_a_bad_answer_to_a_command_is_slacks_error(
    slack: SlackStandin, app: FakeApp, answer: Json | int, error: str
) -> None:
    """A command whose answer Slack cannot use fails with Slack's own words."""
    app.says(answer)
    outcome = await slack.command(SAM, AGENT_OPS, "/agent")
    assert outcome.warning == f'/agent failed with the error "{error}"'


@pytest.mark.parametrize("body", ["{not json", "[1]"])
async def test_json_that_is_no_object_is_no_answer(slack: SlackStandin, app: FakeApp, body: str) -> None:
    """An answer that says it is JSON must be a JSON object, for commands and for modals."""

    async def reply(_seen: Seen) -> "object":
        from starlette.responses import Response  # noqa: PLC0415

        return Response(body, media_type="application/json")

    app.answer = reply  # type: ignore[assignment]
    assert "invalid_payload" in str((await slack.command(SAM, AGENT_OPS, "/agent")).warning)


async def test_events_and_the_home_tab(slack: SlackStandin, client: AsyncWebClient, app: FakeApp) -> None:
    """Events come wrapped as JSON with the retry headers given; the home tab's view is in it once published."""
    await slack.verify_url("abc")
    assert app.seen[-1].payload["challenge"] == "abc"
    await slack.event({"type": "user_change"}, headers={"x-slack-retry-num": "1"})
    assert app.seen[-1].headers["x-slack-retry-num"] == "1"
    assert app.seen[-1].payload["event"] == {"type": "user_change"}
    await slack.open_home(MAYA)
    assert "view" not in app.seen[-1].payload["event"]
    first = await client.views_publish(user_id=MAYA, view={"type": "home", "blocks": [buttons("pause")]})
    await slack.open_home(MAYA)
    assert app.seen[-1].payload["event"]["view"]["type"] == "home"
    home = slack.home(MAYA)
    assert home is not None
    assert (await slack.click_view(MAYA, home.id, "pause")).ok
    await client.views_publish(user_id=MAYA, view={"type": "home", "blocks": []}, hash=first["view"]["hash"])
    with pytest.raises(SlackApiError, match="hash_conflict"):
        await client.views_publish(user_id=MAYA, view={"type": "home", "blocks": []}, hash=first["view"]["hash"])
    with pytest.raises(SlackApiError, match="invalid_arguments"):
        await client.views_publish(user_id=FORMER, view={"type": "home", "blocks": []})


async def test_waiting_says_what_was_missing(slack: SlackStandin, client: AsyncWebClient) -> None:
    """A wait that ends in vain names what did not come and what the app did instead."""
    with pytest.raises(TimeoutError, match="new message in C0AGENTOPS1; the app called nothing"):
        await slack.next_message(AGENT_OPS, timeout=0.02)
    await client.auth_test()
    with pytest.raises(TimeoutError, match=r"a wonder; the last calls were \['auth.test: ok'\]"):
        await slack.until(lambda: None, "a wonder", timeout=0.02)
    waiting = asyncio.create_task(slack.next_message(AGENT_OPS))
    await asyncio.sleep(0)
    await client.chat_postMessage(channel=AGENT_OPS, text="here")
    assert (await waiting).text == "here"


async def test_people_talk_too(slack: SlackStandin) -> None:
    """What a person types is a message of theirs, escaped, and no message of the app."""
    said = slack.say(MAYA, REFUND_APPROVALS, "<!channel> & so on")
    assert said.text == "&lt;!channel&gt; &amp; so on"
    assert said.pings == []
    assert said.bot_id is None
    with pytest.raises(NotPossibleError, match="nothing to send"):
        slack.say(MAYA, REFUND_APPROVALS, "")
    with pytest.raises(NotPossibleError, match="nothing can be said"):
        slack.say(MAYA, "C0ARCHIVED1", "hello?")


async def test_an_account_can_change_while_everything_runs(slack: SlackStandin, client: AsyncWebClient) -> None:
    """users.info says at once what was changed, and the page is told."""
    changed = slack.change_user(JONAS, deleted=True)
    assert changed.kind == "deactivated"
    answer = await client.users_info(user=JONAS)
    assert answer["user"]["deleted"] is True
    assert "is_restricted" not in answer["user"]
    assert slack.world.feed.after(0)[-1].event == "profile"
    assert json.dumps(slack.workspace.users[JONAS].for_page())
