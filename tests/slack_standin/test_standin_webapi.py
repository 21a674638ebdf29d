"""The Web API answers as Slack's does, to slack_sdk's own client and to bare HTTP."""

import json

import httpx
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack_standin.server import SlackStandin
from bot.slack_standin.workspace import (
    ARCHIVED,
    FORMER,
    LENA,
    MAYA,
    OUTSIDER,
    PRIVATE,
    PRIYA,
    REFUND_APPROVALS,
    SHARED,
    SUPPORT_MANAGERS,
    UNJOINED,
    VISITOR,
)
from tests.slack_standin.conftest import LeapingClock
from tests.slack_standin.fake_app import TOKEN, FakeApp, Json, card, modal, section, text_input, web_client

FORM = "application/x-www-form-urlencoded"


async def error_of(client: AsyncWebClient, method: str, **args: object) -> str:
    """Call a method that must fail, and return Slack's error name; failures other than 429 are HTTP 200."""
    with pytest.raises(SlackApiError) as refusal:
        await client.api_call(method, json=args)
    assert refusal.value.response.status_code == 200
    assert refusal.value.response["ok"] is False
    return str(refusal.value.response["error"])


async def test_tokens_are_checked(slack: SlackStandin) -> None:
    """No token is not_authed, a wrong one invalid_auth, the right one may come as a form field too."""
    assert await error_of(web_client(slack, None), "auth.test") == "not_authed"
    assert await error_of(web_client(slack, "xoxb-other"), "auth.test") == "invalid_auth"
    answer = await web_client(slack).auth_test()
    assert answer["user_id"] == slack.workspace.bot_user
    assert "chat:write" in answer.headers["x-oauth-scopes"].split(",")
    async with httpx.AsyncClient(base_url=slack.api_url) as http:
        assert (await http.post("auth.test", data={"token": TOKEN})).json()["ok"] is True


@pytest.mark.parametrize(
    ("content_type", "body", "error"),
    [
        ("text/plain", b"x", "invalid_post_type"),
        ("", b"x", "missing_post_type"),
        ("application/json", b"{", "invalid_json"),
        ("application/json", b"[" * 100_000, "invalid_json"),
        ("application/json", b"[]", "json_not_object"),
        (FORM, b"text=%ff", "invalid_form_data"),
    ],
)
async def test_bodies_are_read_strictly(slack: SlackStandin, content_type: str, body: bytes, error: str) -> None:
    """A body that is neither a form nor a JSON object has its own error."""
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {TOKEN}"}) as http:
        headers = {"content-type": content_type} if content_type else {}
        answer = await http.post(f"{slack.api_url}auth.test", content=body, headers=headers)
        assert answer.json() == {"ok": False, "error": error}


async def test_arguments_are_checked(slack: SlackStandin, client: AsyncWebClient) -> None:
    """Unknown methods and arguments, missing ones, wrong types and broken JSON are refused by name."""
    assert await error_of(client, "chat.shout") == "unknown_method"
    assert await error_of(client, "auth.test", nonsense=1) == "invalid_arg_name"
    assert await error_of(client, "chat.postMessage", text="x") == "invalid_arguments"
    assert await error_of(client, "chat.postMessage", channel=True) == "invalid_arguments"
    assert (
        await error_of(client, "conversations.history", channel=REFUND_APPROVALS, limit="many") == "invalid_arguments"
    )
    assert await error_of(client, "usergroups.list", include_users="perhaps") == "invalid_arguments"
    assert await error_of(client, "auth.test", team_id="T0ELSEWHERE") == "team_not_found"
    post = {"channel": REFUND_APPROVALS, "text": "x"}
    assert await error_of(client, "chat.postMessage", **post, blocks="[") == "invalid_blocks_format"
    assert await error_of(client, "chat.postMessage", **post, metadata="{") == "invalid_metadata_format"
    assert await error_of(client, "views.open", trigger_id="1", view="{") == "invalid_arguments"
    assert slack.calls[-1].method == "views.open"
    assert slack.calls[-1].outcome == "invalid_arguments"


async def test_forms_and_json_mean_the_same(slack: SlackStandin) -> None:
    """Blocks as JSON text in a form arrive like blocks in a JSON body."""
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {TOKEN}"}) as http:
        form = {"channel": REFUND_APPROVALS, "text": "t", "blocks": json.dumps([section("hello")]), "mrkdwn": "false"}
        assert (await http.post(f"{slack.api_url}chat.postMessage", data=form)).json()["ok"] is True
    assert (await slack.next_message(REFUND_APPROVALS)).blocks[0]["text"]["text"] == "hello"


async def test_scopes_are_checked(slack: SlackStandin, client: AsyncWebClient) -> None:
    """A missing scope is named, with what was provided; channels need the scope of their kind."""
    slack.set_scopes("im:read", "im:write", "im:history", "chat:write")
    with pytest.raises(SlackApiError) as refusal:
        await client.users_info(user=MAYA)
    assert refusal.value.response["error"] == "missing_scope"
    assert refusal.value.response["needed"] == "users:read"
    assert "chat:write" in refusal.value.response["provided"]
    assert await error_of(client, "conversations.info", channel=REFUND_APPROVALS) == "missing_scope"
    assert await error_of(client, "conversations.history", channel=REFUND_APPROVALS) == "missing_scope"
    direct = (await client.conversations_open(users=MAYA))["channel"]["id"]
    assert (await client.conversations_info(channel=direct))["channel"]["is_im"] is True
    slack.set_scopes("chat:write", "users:read")
    assert "email" not in (await client.users_info(user=MAYA))["user"]["profile"]
    assert await error_of(client, "users.lookupByEmail", email="maya@example.com") == "missing_scope"
    post = {"channel": REFUND_APPROVALS, "text": "x", "username": "CEO"}
    assert await error_of(client, "chat.postMessage", **post) == "missing_scope"


async def test_people_are_found_by_their_address(slack: SlackStandin, client: AsyncWebClient) -> None:
    """Members and guests are; whoever left, a bot, or somebody of another workspace is not."""
    slack.change_user(MAYA, identity="W0MAYA")
    found = (await client.users_lookupByEmail(email="Maya@Example.com"))["user"]
    assert (found["id"], found["enterprise_user"]["id"]) == (MAYA, "W0MAYA")
    for address in ("tom@example.com", "alex@example.com", "foureyes@example.com", "nobody@example.com"):
        assert await error_of(client, "users.lookupByEmail", email=address) == "users_not_found"


async def test_posting_goes_where_it_may(slack: SlackStandin, client: AsyncWebClient) -> None:
    """Unknown, private, unjoined and archived channels each have their error; a user id means the direct chat."""
    for channel, error in [
        ("C0NOWHERE", "channel_not_found"),
        ("refund-approvals", "channel_not_found"),
        (PRIVATE, "channel_not_found"),
        (UNJOINED, "not_in_channel"),
        (ARCHIVED, "is_archived"),
        (FORMER, "channel_not_found"),
    ]:
        assert await error_of(client, "chat.postMessage", channel=channel, text="x") == error
    slack.set_scopes("chat:write", "chat:write.public")
    assert (await client.chat_postMessage(channel=UNJOINED, text="x"))["channel"] == UNJOINED
    assert (await client.chat_postMessage(channel=MAYA, text="x"))["channel"].startswith("D")


async def test_a_message_is_stored_as_slack_stores_it(slack: SlackStandin, client: AsyncWebClient) -> None:
    """Texts are cut at 40,000 with a warning; empty, unsound and unknown content is refused; threads need a parent."""
    answer = await client.chat_postMessage(channel=REFUND_APPROVALS, text="x" * 40_001)
    assert answer["response_metadata"]["warnings"] == ["message_truncated"]
    assert len(answer["message"]["text"]) == 40_000
    assert answer["message"]["app_id"] == slack.workspace.app_id
    where: Json = {"channel": REFUND_APPROVALS}
    assert await error_of(client, "chat.postMessage", **where) == "no_text"
    assert await error_of(client, "chat.postMessage", **where, blocks=[{"type": "x"}]) == "invalid_blocks"
    too_long = [section("x" * 3000)] * 5
    assert await error_of(client, "chat.postMessage", **where, blocks=too_long) == "msg_blocks_too_long"
    assert await error_of(client, "chat.postMessage", **where, attachments=[{"text": "x"}]) == "not_modelled_by_standin"
    reply = await client.chat_postMessage(**where, text="r", thread_ts=answer["ts"])
    assert reply["message"]["thread_ts"] == answer["ts"]
    for parent in ("1.000001", reply["ts"]):
        bad = await error_of(client, "chat.postMessage", **where, text="r", thread_ts=parent)
        assert bad == "cannot_reply_to_message"
    link = await client.chat_getPermalink(**where, message_ts=reply["ts"])
    assert link["permalink"].endswith(f"?thread_ts={answer['ts']}&cid={REFUND_APPROVALS}")
    assert "?" not in (await client.chat_getPermalink(**where, message_ts=answer["ts"]))["permalink"]
    assert await error_of(client, "chat.getPermalink", **where, message_ts="1.1") == "message_not_found"


@pytest.mark.parametrize(
    ("metadata", "error"),
    [
        (["x"], "invalid_metadata_format"),
        ({"event_type": "x"}, "invalid_metadata_schema"),
        ({"event_type": "a b", "event_payload": {}}, "invalid_metadata_schema"),
        ({"event_type": "x", "event_payload": {"p": "x" * 9000}}, "metadata_too_large"),
    ],
)
async def test_metadata_is_checked(client: AsyncWebClient, metadata: object, error: str) -> None:
    """Metadata is an event_type and an event_payload of a bounded size."""
    bad = await error_of(client, "chat.postMessage", channel=REFUND_APPROVALS, text="x", metadata=metadata)
    assert bad == error


async def test_updates_do_what_slack_does(slack: SlackStandin, client: AsyncWebClient) -> None:
    """Text alone removes blocks, blocks leave no "edited", metadata stays unless emptied; only own messages change."""
    metadata = {"event_type": "packet", "event_payload": {"id": "prop_1"}}
    posted = await client.chat_postMessage(channel=REFUND_APPROVALS, text="a", blocks=[section("a")], metadata=metadata)
    message = await slack.next_message(REFUND_APPROVALS)
    where: Json = {"channel": REFUND_APPROVALS, "ts": posted["ts"]}
    await client.chat_update(**where, text="b", blocks=[section("b")])
    assert (message.edited, message.blocks[0]["text"]["text"]) == (None, "b")
    await client.chat_update(**where, text="c")
    assert (message.blocks, message.edited is not None, message.metadata) == ([], True, metadata)
    await client.api_call("chat.update", json={**where, "metadata": {}})
    assert (message.metadata, message.text) == (None, "c")
    assert [version["text"] for version in message.versions] == ["a", "b", "c", "c"]
    assert await error_of(client, "chat.update", **where) == "no_text"
    assert await error_of(client, "chat.update", **where, text="x" * 4001) == "msg_too_long"
    assert await error_of(client, "chat.update", channel=REFUND_APPROVALS, ts="1.1", text="x") == "message_not_found"
    theirs = slack.say(MAYA, REFUND_APPROVALS, "mine")
    foreign = {"channel": REFUND_APPROVALS, "ts": theirs.ts}
    assert await error_of(client, "chat.update", **foreign, text="x") == "cant_update_message"
    assert await error_of(client, "chat.delete", **foreign) == "cant_delete_message"
    slack.workspace.channels[REFUND_APPROVALS].is_archived = True
    assert await error_of(client, "chat.update", **where, text="x") == "is_inactive"


async def test_ephemerals_reach_members_only(slack: SlackStandin, client: AsyncWebClient) -> None:
    """An ephemeral needs a reader in the channel, and may answer in a thread."""
    where: Json = {"channel": REFUND_APPROVALS, "text": "psst"}
    assert await error_of(client, "chat.postEphemeral", **where, user=OUTSIDER) == "user_not_in_channel"
    assert await error_of(client, "chat.postEphemeral", channel=UNJOINED, user=MAYA, text="x") == "not_in_channel"
    assert await error_of(client, "chat.postEphemeral", channel=ARCHIVED, user=MAYA, text="x") == "is_archived"
    long = {"channel": REFUND_APPROVALS, "user": MAYA, "text": "x" * 40_001}
    assert await error_of(client, "chat.postEphemeral", **long) == "msg_too_long"
    answer = await client.chat_postEphemeral(**where, user=LENA)
    assert slack.ephemerals(LENA)[0].ts == answer["message_ts"]


async def test_history_tells_what_was_said(client: AsyncWebClient) -> None:
    """Newest first, in pages, without replies; payloads of metadata only when asked for."""
    metadata = {"event_type": "packet", "event_payload": {"id": "prop_1"}}
    stamps = []
    for text in ("one", "two", "three"):
        answer = await client.chat_postMessage(channel=REFUND_APPROVALS, text=text, metadata=metadata)
        stamps.append(answer["ts"])
    reply = await client.chat_postMessage(channel=REFUND_APPROVALS, text="re", thread_ts=stamps[0])
    where: Json = {"channel": REFUND_APPROVALS}
    page = await client.conversations_history(**where, limit=2)
    assert [message["text"] for message in page["messages"]] == ["three", "two"]
    assert page["messages"][0]["metadata"] == {"event_type": "packet"}
    page = await client.conversations_history(**where, limit=2, cursor=page["response_metadata"]["next_cursor"])
    assert [message["text"] for message in page["messages"]] == ["one"]
    assert page["has_more"] is False
    full = await client.conversations_history(**where, include_all_metadata=True, oldest=stamps[1])
    assert [message["metadata"]["event_payload"] for message in full["messages"]] == [{"id": "prop_1"}]
    upto = await client.conversations_history(**where, latest=stamps[1], inclusive=True)
    assert len(upto["messages"]) == 2
    thread = await client.conversations_replies(**where, ts=stamps[0])
    assert [message["ts"] for message in thread["messages"]] == [stamps[0], reply["ts"]]
    assert await error_of(client, "conversations.replies", **where, ts="1.1") == "thread_not_found"
    assert await error_of(client, "conversations.history", channel=UNJOINED) == "not_in_channel"
    assert await error_of(client, "conversations.history", **where, oldest="soon") == "invalid_ts_oldest"
    assert await error_of(client, "conversations.history", **where, limit=1000) == "invalid_limit"
    assert await error_of(client, "conversations.history", **where, cursor="x") == "invalid_cursor"


async def test_people_and_groups_can_be_looked_up(slack: SlackStandin, client: AsyncWebClient) -> None:
    """users.info shows guests, outsiders and leavers for what they are; groups show their members."""
    guest = (await client.users_info(user=LENA, include_locale=True))["user"]
    assert (guest["is_restricted"], guest["is_ultra_restricted"], guest["locale"]) == (True, False, "en-GB")
    assert guest["profile"]["email"] == "lena@example.com"
    assert (await client.users_info(user=VISITOR))["user"]["is_ultra_restricted"] is True
    outsider = (await client.users_info(user=OUTSIDER))["user"]
    assert (outsider["is_stranger"], outsider["team_id"]) == (False, "T0ELSEWHERE")
    assert (await client.users_info(user=slack.workspace.bot_user))["user"]["is_bot"] is True
    assert await error_of(client, "users.info", user="U0NOBODY") == "user_not_found"
    slack.change_user(OUTSIDER, is_stranger=True)
    assert await error_of(client, "users.info", user=OUTSIDER) == "user_not_visible"
    bot = (await client.bots_info(bot=slack.workspace.bot_id))["bot"]
    assert (bot["app_id"], bot["user_id"]) == (slack.workspace.app_id, slack.workspace.bot_user)
    assert await error_of(client, "bots.info", bot="B0OTHER") == "bot_not_found"
    (group,) = (await client.usergroups_list(include_users=True, include_count=True))["usergroups"]
    assert (group["handle"], group["users"], group["user_count"]) == ("support-managers", [PRIYA], 1)
    assert "users" not in (await client.usergroups_list())["usergroups"][0]
    slack.workspace.change_group(SUPPORT_MANAGERS, PRIYA, MAYA)
    assert (await client.usergroups_users_list(usergroup=SUPPORT_MANAGERS))["users"] == [PRIYA, MAYA]
    assert await error_of(client, "usergroups.users.list", usergroup="S0NONE") == "no_such_subteam"


async def test_channels_can_be_looked_up(client: AsyncWebClient) -> None:
    """conversations.info shows sharing and membership; conversations.open opens one direct chat."""
    shared = (await client.conversations_info(channel=SHARED, include_num_members=True))["channel"]
    assert (shared["is_ext_shared"], shared["is_member"], shared["num_members"]) == (True, True, 4)
    assert (await client.conversations_info(channel=UNJOINED))["channel"]["is_member"] is False
    assert await error_of(client, "conversations.info", channel=PRIVATE) == "channel_not_found"
    direct = await client.conversations_open(users=MAYA, return_im=True)
    assert direct["channel"]["user"] == MAYA
    assert (await client.conversations_open(channel=direct["channel"]["id"]))["ok"] is True
    for args, error in [
        ({"channel": SHARED}, "method_not_supported_for_channel_type"),
        ({}, "not_enough_users"),
        ({"users": f"{MAYA},{PRIYA}"}, "not_modelled_by_standin"),
        ({"users": "U0NOBODY"}, "user_not_found"),
        ({"users": FORMER}, "user_disabled"),
    ]:
        assert await error_of(client, "conversations.open", **args) == error


async def test_views_update_with_their_hash(slack: SlackStandin, client: AsyncWebClient, app: FakeApp) -> None:
    """A stale hash conflicts, what is typed stays where its input stays, and an external_id is unique."""
    message = await card(client, slack)
    app.opens(client, modal(text_input(), text_input("gone"), external_id="mine"))
    await slack.click(MAYA, REFUND_APPROVALS, message.ts, "approve")
    (shown,) = slack.modals(MAYA)
    app.says({"response_action": "errors", "errors": {"why": "no"}})
    await slack.submit(MAYA, shown.id, {"why": {"text": "typed"}, "gone": {"text": "x"}})
    before = shown.hash
    await client.views_update(view_id=shown.id, view=modal(text_input()), hash=before)
    assert shown.typed == {"why": {"text": {"type": "plain_text_input", "value": "typed"}}}
    await client.views_update(view_id=shown.id, view=modal(text_input(), text_input("new")))
    assert set(shown.typed) == {"why"}
    stale = {"view_id": shown.id, "view": modal(section("x")), "hash": before}
    assert await error_of(client, "views.update", **stale) == "hash_conflict"
    assert await error_of(client, "views.update", view=modal(section("x"))) == "invalid_arguments"
    assert await error_of(client, "views.update", view=modal(section("x")), view_id="V0") == "not_found"
    await client.views_update(view_id=shown.id, view=modal(section("x"), external_id="e1"))
    await client.views_update(external_id="e1", view=modal(section("y"), external_id="e1"))
    app.answer = None
    await slack.click(LENA, REFUND_APPROVALS, message.ts, "approve")
    trigger = app.seen[-1].payload["trigger_id"]
    twin = modal(section("x"), external_id="e1")
    assert await error_of(client, "views.open", trigger_id=trigger, view=twin) == "duplicate_external_id"
    assert await error_of(client, "views.open", trigger_id=trigger, view={"type": "modal"}) == "invalid_arguments"


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ({"blocks": [section("x")]}, None),
        ({"blocks": [{"type": "x"}]}, "invalid_blocks"),
        ({"message": {"text": "x"}}, None),
        ({"message": {}}, "invalid_message"),
        ({"message": []}, "invalid_message"),
        ({"message": {"blocks": [section("x" * 3000)] * 5}}, "invalid_message"),
        ({"view": modal(section("x"))}, None),
        ({"view": {"type": "home", "blocks": []}}, None),
        ({"view": {"type": "modal"}}, "invalid_view"),
        ({"view": [], "blocks": []}, "invalid_arguments"),
    ],
)
async def test_blocks_can_be_tried(slack: SlackStandin, args: Json, error: str | None) -> None:
    """blocks.validate needs no token, and points at what is wrong from the root of what it was given."""
    client = web_client(slack, None)
    if error is None:
        assert (await client.blocks_validate(**args))["ok"] is True
        return
    with pytest.raises(SlackApiError) as refusal:
        await client.blocks_validate(**args)
    assert refusal.value.response["error"] == error
    if "blocks" in args and "view" not in args:
        assert refusal.value.response["errors"][0]["pointer"] == "/0/type"


async def test_a_token_may_be_asked_loosely(clock: LeapingClock) -> None:
    """Without strictness unknown arguments pass, as they mostly do in Slack."""
    from bot.slack_standin.workspace import demo_workspace  # noqa: PLC0415
    from bot.slack_standin.world import Options  # noqa: PLC0415

    loose = SlackStandin(
        demo_workspace(), signing_secret="s", bot_token=TOKEN, options=Options(strict=False), clock=clock
    )
    async with loose as slack:
        assert (await web_client(slack).api_call("auth.test", json={"nonsense": 1}))["ok"] is True
