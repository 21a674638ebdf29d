"""What an app may answer to a click, a modal or a response_url, and for how long."""

import asyncio

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.slack_standin.refusal import NotPossibleError
from bot.slack_standin.server import SlackStandin
from bot.slack_standin.workspace import (
    JONAS,
    MAYA,
    REFUND_APPROVALS,
)
from tests.slack_standin.conftest import LeapingClock
from tests.slack_standin.fake_app import FakeApp, Json, buttons, card, modal, section, text_input


async def test_a_modal_from_click_to_submission(slack: SlackStandin, client: AsyncWebClient, app: FakeApp) -> None:
    """A click opens a modal, typing is checked as Slack's client does, and the submission carries state.values."""
    message = await card(client, slack)
    app.opens(client, modal(text_input(min_length=3, max_length=10), private_metadata="p1", callback_id="deny"))
    assert (await slack.click(MAYA, REFUND_APPROVALS, message.ts, "approve")).ok
    (shown,) = slack.modals(MAYA)
    app.answer = None
    assert (await slack.submit(MAYA, shown.id)).errors == {"why": "Please complete this required field."}
    assert "at least 3" in (await slack.submit(MAYA, shown.id, {"why": {"text": "no"}})).errors["why"]
    assert "at most 10" in (await slack.submit(MAYA, shown.id, {"why": {"text": "x" * 11}})).errors["why"]
    with pytest.raises(NotPossibleError, match="no input"):
        await slack.submit(MAYA, shown.id, {"why": {"other": "x"}})
    with pytest.raises(NotPossibleError, match="no modal"):
        await slack.submit(JONAS, shown.id)
    assert (await slack.submit(MAYA, shown.id, {"why": {"text": "too much"}})).ok
    view = app.seen[-1].payload["view"]
    assert view["state"] == {"values": {"why": {"text": {"type": "plain_text_input", "value": "too much"}}}}
    assert (view["private_metadata"], view["callback_id"], view["root_view_id"]) == ("p1", "deny", view["id"])
    assert slack.modals(MAYA) == []
    with pytest.raises(NotPossibleError, match="no view"):
        await slack.submit(MAYA, shown.id)


async def open_modal(slack: SlackStandin, client: AsyncWebClient, app: FakeApp, view: Json) -> str:
    """Open a modal for Maya and return its id."""
    message = await card(client, slack)
    app.opens(client, view)
    await slack.click(MAYA, REFUND_APPROVALS, message.ts, "approve")
    app.answer = None
    return slack.modals(MAYA)[-1].id


async def test_a_response_action_is_obeyed(slack: SlackStandin, client: AsyncWebClient, app: FakeApp) -> None:
    """errors, update, push and clear do to the modal what Slack documents."""
    view_id = await open_modal(slack, client, app, modal(text_input(optional=True)))
    app.says({"response_action": "errors", "errors": {"why": "Say more."}})
    assert (await slack.submit(MAYA, view_id)).errors == {"why": "Say more."}
    app.says({"response_action": "update", "view": modal(section("sure?"), callback_id="second")})
    await slack.submit(MAYA, view_id)
    assert slack.modals(MAYA)[0].view["callback_id"] == "second"
    app.says({"response_action": "push", "view": modal(section("really?"))})
    await slack.submit(MAYA, view_id)
    first, second = slack.modals(MAYA)
    assert second.previous == first.id
    with pytest.raises(NotPossibleError, match="no modal"):
        await slack.submit(MAYA, first.id)
    app.says({"response_action": "clear"})
    await slack.submit(MAYA, second.id)
    assert slack.modals(MAYA) == []


@pytest.mark.parametrize(
    "answer",
    [
        {"response_action": "errors", "errors": {"other": "no such block"}},
        {"response_action": "errors"},
        {"response_action": "dance"},
        {"response_action": "update", "view": {"type": "modal"}},
        "not json",
        '["a list"]',
        500,
    ],
)
async def test_a_bad_response_action_keeps_the_modal(
    slack: SlackStandin, client: AsyncWebClient, app: FakeApp, answer: Json | str | int
) -> None:
    """What the app must not answer is shown as trouble, and nothing typed is lost."""
    view_id = await open_modal(slack, client, app, modal(text_input()))
    app.says(answer)
    outcome = await slack.submit(MAYA, view_id, {"why": {"text": "because"}})
    assert "trouble connecting" in str(outcome.warning)
    assert slack.modals(MAYA)[0].typed["why"]["text"]["value"] == "because"


async def test_a_modal_that_closed_meanwhile_stays_closed(
    slack: SlackStandin, client: AsyncWebClient, app: FakeApp
) -> None:
    """An answer to a modal that is no longer there changes nothing."""
    for answer in ({}, {"response_action": "update", "view": modal(section("late"))}):
        view_id = await open_modal(slack, client, app, modal(section("ok?")))
        app.says(answer, delay_s=0.2)
        submitting = asyncio.create_task(slack.submit(MAYA, view_id))
        await asyncio.sleep(0.05)
        await slack.close_view(MAYA, view_id)
        assert (await submitting).ok
        assert slack.modals(MAYA) == []


async def test_every_kind_of_input_is_checked_and_told(
    slack: SlackStandin, client: AsyncWebClient, app: FakeApp
) -> None:
    """Choices in a modal are submitted by their values; elements outside of input blocks are never required."""
    text = {"type": "plain_text", "text": "Fraud", "emoji": True}
    option = {"text": text, "value": "fraud"}
    radios = {"type": "radio_buttons", "action_id": "r", "options": [option]}
    aside = {"type": "checkboxes", "action_id": "c", "options": [option]}
    blocks: list[Json] = [
        {"type": "input", "block_id": "why", "label": text, "element": radios},
        {"type": "actions", "block_id": "aside", "elements": [aside]},
    ]
    view_id = await open_modal(slack, client, app, modal(*blocks))
    assert set((await slack.submit(MAYA, view_id)).errors) == {"why"}
    page_value = {"type": "radio_buttons", "selected_option": option}
    assert (await slack.submit(MAYA, view_id, {"why": {"r": page_value}})).ok
    values = app.seen[-1].payload["view"]["state"]["values"]
    assert values["why"]["r"]["selected_option"] == option
    assert values["aside"]["c"]["selected_options"] == []


async def test_closing_is_told_only_where_asked(slack: SlackStandin, client: AsyncWebClient, app: FakeApp) -> None:
    """view_closed comes with notify_on_close alone, says whether the whole stack went, and leaves out inputs."""
    quiet = await open_modal(slack, client, app, modal(section("hello")))
    with pytest.raises(NotPossibleError, match="to close"):
        await slack.close_view(JONAS, quiet)
    assert await slack.close_view(MAYA, quiet) is None
    loud = modal(text_input(), notify_on_close=True)
    view_id = await open_modal(slack, client, app, loud)
    assert await slack.close_view(MAYA, view_id, clear=True) is not None
    payload = app.seen[-1].payload
    assert (payload["type"], payload["is_cleared"]) == ("view_closed", True)
    assert payload["view"]["state"] == {"values": {}}


async def test_choices_are_told_with_their_state(slack: SlackStandin, client: AsyncWebClient, app: FakeApp) -> None:
    """Selects, radios, checkboxes and overflows say what was chosen, and keep it in state.values."""

    def option(name: str) -> Json:
        return {"text": {"type": "plain_text", "text": name}, "value": name}

    select: Json = {"type": "static_select", "action_id": "s"}
    select["option_groups"] = [{"label": {"type": "plain_text", "text": "g"}, "options": [option("a"), option("b")]}]
    elements = [
        select,
        {"type": "checkboxes", "action_id": "c", "options": [option("x"), option("y")]},
        {"type": "overflow", "action_id": "o", "options": [option("more")]},
        {"type": "radio_buttons", "action_id": "r", "options": [option("1")], "initial_option": option("1")},
    ]
    message = await card(client, slack, {"type": "actions", "block_id": "b", "elements": elements})

    async def choose(action_id: str, selected: object) -> Json:
        await slack.click(MAYA, REFUND_APPROVALS, message.ts, action_id, selected=selected)
        return app.seen[-1].payload

    assert (await choose("s", "b"))["actions"][0]["selected_option"]["value"] == "b"
    assert len((await choose("c", ["x", option("y")]))["actions"][0]["selected_options"]) == 2
    assert (await choose("o", "more"))["actions"][0]["selected_option"]["value"] == "more"
    values = (await choose("s", None))["state"]["values"]["b"]
    assert values["s"]["selected_option"] is None
    assert [entry["value"] for entry in values["c"]["selected_options"]] == ["x", "y"]
    assert values["r"]["selected_option"]["value"] == "1"
    assert "o" not in values
    with pytest.raises(NotPossibleError, match="no such option"):
        await choose("s", "zzz")


async def test_a_click_in_a_thread_says_so(slack: SlackStandin, client: AsyncWebClient, app: FakeApp) -> None:
    """The container of a reply's button names the thread, and a whisper about it lands there."""
    parent = await card(client, slack)
    await client.chat_postMessage(
        channel=REFUND_APPROVALS, text="in a thread", thread_ts=parent.ts, blocks=[buttons("approve")]
    )
    reply = await slack.next_message(REFUND_APPROVALS)
    await slack.click(MAYA, REFUND_APPROVALS, reply.ts, "approve")
    payload = app.seen[-1].payload
    assert payload["container"]["thread_ts"] == payload["message"]["thread_ts"] == parent.ts
    await AsyncWebhookClient(payload["response_url"], retry_handlers=[]).send(text="psst")
    assert slack.ephemerals(MAYA)[0].thread_ts == parent.ts


async def test_buttons_in_modals_and_ephemerals(slack: SlackStandin, client: AsyncWebClient, app: FakeApp) -> None:
    """A button in a modal tells its view, one in an ephemeral tells no message; only its reader presses it."""
    view = modal(buttons("more"), text_input("live", "typing", optional=True) | {"dispatch_action": True})
    view_id = await open_modal(slack, client, app, view)
    assert (await slack.click_view(MAYA, view_id, "more")).ok
    payload = app.seen[-1].payload
    assert payload["container"] == {"type": "view", "view_id": view_id}
    await slack.click_view(MAYA, view_id, "typing", selected="abc")
    assert app.seen[-1].payload["view"]["state"]["values"]["live"]["typing"]["value"] == "abc"
    with pytest.raises(NotPossibleError, match="no live element"):
        await slack.click_view(JONAS, view_id, "more")
    await client.chat_postEphemeral(channel=REFUND_APPROVALS, user=JONAS, text="psst", blocks=[buttons("ok")])
    (note,) = slack.ephemerals(JONAS)
    assert (await slack.click_ephemeral(JONAS, note.id, "ok")).ok
    payload = app.seen[-1].payload
    assert payload["container"]["is_ephemeral"] is True
    assert "message" not in payload
    with pytest.raises(NotPossibleError, match="no live element"):
        await slack.click_ephemeral(MAYA, note.id, "ok")
    with pytest.raises(NotPossibleError, match="no ephemeral"):
        await slack.click_ephemeral(MAYA, "E0", "ok")


async def test_triggers_are_single_use_and_short(
    slack: SlackStandin, client: AsyncWebClient, app: FakeApp, clock: LeapingClock
) -> None:
    """A trigger_id opens one modal, within three seconds; a push needs a trigger from a modal."""
    message = await card(client, slack)
    await slack.click(MAYA, REFUND_APPROVALS, message.ts, "approve")
    trigger = app.seen[-1].payload["trigger_id"]

    async def refused(name: str, *, push: bool = False) -> str:
        call = client.views_push if push else client.views_open
        with pytest.raises(SlackApiError) as refusal:
            await call(trigger_id=name, view=modal(section("x")))
        return str(refusal.value.response["error"])

    assert await refused("1.2.3") == "invalid_trigger_id"
    assert await refused(trigger, push=True) == "not_found"
    await client.views_open(trigger_id=trigger, view=modal(buttons("deeper")))
    assert await refused(trigger) == "exchanged_trigger_id"
    for _ in range(2):
        await slack.click_view(MAYA, slack.modals(MAYA)[-1].id, "deeper")
        deeper = app.seen[-1].payload["trigger_id"]
        await client.views_push(trigger_id=deeper, view=modal(buttons("deeper")))
    await slack.click_view(MAYA, slack.modals(MAYA)[-1].id, "deeper")
    deeper = app.seen[-1].payload["trigger_id"]
    assert await refused(deeper, push=True) == "push_limit_reached"
    clock.leap(3.1)
    assert await refused(deeper, push=True) == "expired_trigger_id"
    await slack.click_view(MAYA, slack.modals(MAYA)[-1].id, "deeper")
    await slack.close_view(MAYA, slack.modals(MAYA)[-1].id, clear=True)
    assert await refused(app.seen[-1].payload["trigger_id"], push=True) == "not_found"


async def test_a_response_url_answers_five_times_in_half_an_hour(
    slack: SlackStandin, client: AsyncWebClient, app: FakeApp, clock: LeapingClock
) -> None:
    """Whispering, replacing, posting, deleting work as documented; a sixth use, a late one, a made-up one fail."""
    message = await card(client, slack)
    await slack.click(MAYA, REFUND_APPROVALS, message.ts, "approve")
    hook = AsyncWebhookClient(app.seen[-1].payload["response_url"], retry_handlers=[])
    assert (await hook.send(text="only you")).body == "ok"
    assert slack.ephemerals(MAYA)[0].text == "only you"
    await hook.send(text="new text", replace_original=True)
    assert (message.text, message.blocks, message.edited is not None) == ("new text", [], True)
    await hook.send(text="all", response_type="in_channel", replace_original=False)
    assert (await slack.next_message(REFUND_APPROVALS)).text == "all"
    await hook.send(delete_original=True)
    assert message.deleted
    assert "message_not_found" in (await hook.send(text="again", replace_original=True)).body
    sixth = await hook.send(text="sixth")
    assert (sixth.status_code, sixth.body) == (404, "used_url")
    await slack.command(MAYA, REFUND_APPROVALS, "/agent")
    late = AsyncWebhookClient(app.seen[-1].form["response_url"], retry_handlers=[])
    assert "message_not_found" in (await late.send(delete_original=True)).body
    clock.leap(30 * 60 + 1)
    assert (await late.send(text="late")).body == "expired_url"
    unknown = AsyncWebhookClient(f"{slack.url}/response/nope", retry_handlers=[])
    assert (await unknown.send(text="x")).body == "invalid_url"


async def test_a_response_url_refuses_what_slack_refuses(
    slack: SlackStandin, client: AsyncWebClient, app: FakeApp
) -> None:
    """Deleting stands alone, a thread needs in_channel and replace_original:false, and unknown fields are refused."""
    message = await card(client, slack)
    await slack.click(MAYA, REFUND_APPROVALS, message.ts, "approve")
    hook = AsyncWebhookClient(app.seen[-1].payload["response_url"], retry_handlers=[])
    assert "invalid_arguments" in (await hook.send_dict({"delete_original": True, "text": "x"})).body
    assert "invalid_arguments" in (await hook.send_dict({"text": "x", "thread_ts": message.ts})).body
    assert "invalid_arguments" in (await hook.send_dict({"text": "x", "nonsense": 1})).body
    assert "no_text" in (await hook.send_dict({"response_type": "ephemeral"})).body
    threaded = {"text": "x", "thread_ts": message.ts, "response_type": "in_channel", "replace_original": False}
    await hook.send_dict(threaded)
    assert (await slack.next_message(REFUND_APPROVALS)).thread_ts == message.ts


async def test_ephemerals_change_through_their_response_url(
    slack: SlackStandin, client: AsyncWebClient, app: FakeApp
) -> None:
    """An ephemeral is replaced and deleted in place."""
    await client.chat_postEphemeral(channel=REFUND_APPROVALS, user=MAYA, text="a", blocks=[buttons("ok")])
    (note,) = slack.ephemerals(MAYA)
    await slack.click_ephemeral(MAYA, note.id, "ok")
    hook = AsyncWebhookClient(app.seen[-1].payload["response_url"], retry_handlers=[])
    await hook.send(text="b", replace_original=True)
    assert (note.text, note.blocks) == ("b", [])
    await hook.send(delete_original=True)
    assert slack.ephemerals(MAYA) == []
