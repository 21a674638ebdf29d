"""Limits and ordered faults: being asked too often, and every way in which a call can go wrong."""

import asyncio

import httpx
import pytest
from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack_standin import loopback
from bot.slack_standin.faults import Delay, Fault, LostAnswer, RateLimited, Refuse, ResetBefore, ServerError, Twice
from bot.slack_standin.limits import Rates
from bot.slack_standin.loopback import LoopbackServer
from bot.slack_standin.server import SlackStandin
from bot.slack_standin.workspace import AGENT_OPS, MAYA, REFUND_APPROVALS, SAM, awkward_workspace, demo_workspace
from bot.slack_standin.world import Options
from tests.slack_standin.conftest import LeapingClock
from tests.slack_standin.fake_app import TOKEN, FakeApp, card, web_client


def limited(clock: LeapingClock, rates: Rates, **options: float) -> SlackStandin:
    """Return a stand-in with rate limits."""
    chosen = Options(rates=rates, **options)  # type: ignore[arg-type]
    return SlackStandin(awkward_workspace(), signing_secret="s", bot_token=TOKEN, options=chosen, clock=clock)


async def wait_of(client: AsyncWebClient, channel: str = REFUND_APPROVALS) -> int:
    """Post; return 0 for success, else the seconds of Retry-After."""
    try:
        await client.chat_postMessage(channel=channel, text="x")
    except SlackApiError as refusal:
        return int(refusal.response.headers["Retry-After"]) if refusal.response.status_code == 429 else -1
    return 0


async def test_a_channel_takes_one_message_a_second(clock: LeapingClock) -> None:
    """The second message within a second waits; another channel does not; a burst is a matter of configuration."""
    async with limited(clock, Rates()) as slack:
        client = web_client(slack)
        assert [await wait_of(client), await wait_of(client), await wait_of(client, AGENT_OPS)] == [0, 1, 0]
        clock.leap(1)
        assert await wait_of(client) == 0
    async with limited(clock, Rates(channel_burst=3)) as slack:
        client = web_client(slack)
        assert [await wait_of(client) for _ in range(4)] == [0, 0, 0, 1]


async def test_methods_have_their_tier(clock: LeapingClock) -> None:
    """usergroups.list is tier 2: the 21st call in a minute is refused, others are not touched."""
    async with limited(clock, Rates()) as slack:
        client = web_client(slack)
        for _ in range(20):
            await client.usergroups_list()
        clock.leap(10)
        with pytest.raises(SlackApiError) as refusal:
            await client.usergroups_list()
        assert refusal.value.response.headers["Retry-After"] == "50"
        await client.users_info(user=MAYA)
        clock.leap(50)
        await client.usergroups_list()


async def test_a_workspace_takes_so_many_messages(clock: LeapingClock) -> None:
    """Several hundred messages a minute over all channels, configurable."""
    async with limited(clock, Rates(channel_burst=100, posts_per_minute=2)) as slack:
        client = web_client(slack)
        assert [await wait_of(client), await wait_of(client, AGENT_OPS), await wait_of(client)] == [0, 0, 60]


async def test_history_may_lag(clock: LeapingClock) -> None:
    """A message that was just posted may be missing from history for a while, as in Slack."""
    async with limited(clock, Rates.unlimited(), history_lag_s=5) as slack:
        client = web_client(slack)
        await client.chat_postMessage(channel=AGENT_OPS, text="x")
        assert (await client.conversations_history(channel=AGENT_OPS))["messages"] == []
        clock.leap(5)
        assert len((await client.conversations_history(channel=AGENT_OPS))["messages"]) == 1


async def test_ordered_faults_happen_as_often_as_ordered(slack: SlackStandin, client: AsyncWebClient) -> None:
    """429, 5xx and named errors come for so many calls of the ordered method, then everything is as before."""
    slack.fail("chat.postMessage", RateLimited(7), times=2)
    assert [await wait_of(client) for _ in range(3)] == [7, 7, 0]
    slack.fail("*", Refuse("internal_error"))
    with pytest.raises(SlackApiError, match="internal_error"):
        await client.auth_test()
    slack.fail("auth.test", ServerError(502))
    with pytest.raises(SlackApiError) as refusal:
        await client.auth_test()
    assert refusal.value.response.status_code == 502
    slack.fail("auth.test", ServerError(), times=5)
    slack.faults.clear()
    assert (await client.auth_test())["ok"] is True
    assert len(slack.messages(REFUND_APPROVALS)) == 1


async def test_a_connection_can_die_before_and_after(slack: SlackStandin, client: AsyncWebClient) -> None:
    """A reset stores nothing; a lost answer stores everything: the two that a client cannot tell apart."""
    for fault, stored in ((ResetBefore(), 0), (LostAnswer(), 1)):
        slack.fail("chat.postMessage", fault)
        with pytest.raises((ClientError, ConnectionError)):
            await client.chat_postMessage(channel=REFUND_APPROVALS, text="x")
        assert len(slack.messages(REFUND_APPROVALS)) == stored
    assert [call.outcome for call in slack.calls] == ["reset before", "ok, answer lost"]
    slack.fail("auth.test", Delay(0.05))
    answered = asyncio.create_task(client.auth_test())
    await asyncio.sleep(0.02)
    assert not answered.done()
    assert (await answered)["ok"] is True


@pytest.mark.parametrize(
    ("fault", "status"), [(RateLimited(3), 429), (ServerError(), 503), (ResetBefore(), None), (LostAnswer(), None)]
)
async def test_response_urls_can_fail_too(
    slack: SlackStandin, client: AsyncWebClient, app: FakeApp, fault: Fault, status: int | None
) -> None:
    """The same faults happen to a response_url; only a lost answer leaves its mark."""
    message = await card(client, slack)
    await slack.click(MAYA, REFUND_APPROVALS, message.ts, "approve")
    slack.fail("response_url", fault)
    async with httpx.AsyncClient() as http:
        url = app.seen[-1].payload["response_url"]
        if status is None:
            with pytest.raises(httpx.HTTPError):
                await http.post(url, json={"text": "x"})
        else:
            assert (await http.post(url, json={"text": "x"})).status_code == status
    assert len(slack.ephemerals(MAYA)) == isinstance(fault, LostAnswer)


async def test_deliveries_can_fail_too(slack: SlackStandin, client: AsyncWebClient, app: FakeApp) -> None:
    """What Slack sends can get lost, come twice or late, and the person sees a warning where no answer came back."""
    message = await card(client, slack)
    seen = []
    for fault in (ResetBefore(), LostAnswer(), Twice(), Delay(0.01)):
        slack.fail("app:block_actions", fault)
        before = len(app.seen)
        outcome = await slack.click(MAYA, REFUND_APPROVALS, message.ts, "approve")
        seen.append((outcome.ok, len(app.seen) - before))
    assert seen == [(False, 0), (False, 1), (True, 2), (True, 1)]
    assert len(slack.warnings(MAYA)) == 2
    slack.fail("app:*", ResetBefore())
    assert "operation_timeout" in str((await slack.command(SAM, AGENT_OPS, "/agent")).warning)
    slack.request_url = "http://127.0.0.1:1/"
    assert "dispatch_failed" in str((await slack.command(SAM, AGENT_OPS, "/agent")).warning)
    with pytest.raises(ValueError, match="cannot happen"):
        slack.fail("app:event", RateLimited())
    with pytest.raises(ValueError, match="cannot happen"):
        slack.fail("chat.update", Twice())


async def test_it_listens_on_loopback_only(clock: LeapingClock) -> None:
    """No other address can be bound, and a taken port is an error at once."""
    with pytest.raises(ValueError, match=r"127\.0\.0\.1 only"):
        SlackStandin(demo_workspace(), signing_secret="s", bot_token=TOKEN, host="0.0.0.0", clock=clock)  # noqa: S104
    async with SlackStandin(demo_workspace(), signing_secret="s", bot_token=TOKEN) as first:
        port = int(first.url.rpartition(":")[2])
        second = SlackStandin(demo_workspace(), signing_secret="s", bot_token=TOKEN, port=port)
        with pytest.raises(OSError, match="in use"):
            await second.start()
        await second.stop()
        assert (await web_client(first).auth_test())["ok"] is True


async def test_a_server_that_never_started_stops(app: FakeApp) -> None:
    """Stopping twice or without a start is harmless."""
    await LoopbackServer(app.server._server.config.app).stop()  # type: ignore[arg-type]


async def test_a_request_that_hangs_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is told to stop gives running requests a moment, then drops them."""
    monkeypatch.setattr(loopback, "GRACE_S", 0.05)
    slow = FakeApp()
    slow.says("", delay_s=60)
    await slow.server.start()
    async with httpx.AsyncClient() as http:
        asking = asyncio.create_task(http.post(slow.request_url, content=b"x"))
        await asyncio.sleep(0.2)
        assert slow.seen
        await asyncio.wait_for(slow.server.stop(), 2)
        with pytest.raises(httpx.HTTPError):
            await asking
