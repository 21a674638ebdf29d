"""Files in the local Slack: announced, sent once with exactly their bytes, shared once, as Slack does."""

from collections.abc import AsyncIterator

import httpx
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack_standin.limits import Rates
from bot.slack_standin.server import SlackStandin
from bot.slack_standin.workspace import MAYA, PRIVATE, REFUND_APPROVALS, awkward_workspace
from bot.slack_standin.world import Options


@pytest.fixture
async def slack() -> AsyncIterator[SlackStandin]:
    """Start a local Slack."""
    options = Options(rates=Rates.unlimited())
    async with SlackStandin(awkward_workspace(), signing_secret="s", bot_token="xoxb-1", options=options) as started:
        yield started


def client_of(slack: SlackStandin) -> AsyncWebClient:
    """Make a client."""
    return AsyncWebClient(token="xoxb-1", base_url=slack.api_url, retry_handlers=[])


async def announced(slack: SlackStandin, content: bytes = b"hello", send: bytes | None = None) -> tuple[str, int]:
    """Announce a file and send it; give its id and what the upload said."""
    place = await client_of(slack).files_getUploadURLExternal(filename="a.txt", length=len(content))
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.post(str(place["upload_url"]), content=content if send is None else send)
    return str(place["file_id"]), answer.status_code


async def test_a_file_is_announced_sent_and_shared(slack: SlackStandin) -> None:
    """The bytes arrive, and the file stands in the channel."""
    ident, status = await announced(slack)
    assert status == 200
    await client_of(slack).files_completeUploadExternal(
        files=[{"id": ident, "title": "A"}], channel_id=REFUND_APPROVALS, initial_comment="Look"
    )
    file = slack.world.uploads.files[ident]
    assert (file.content, file.title, file.shared_in) == (b"hello", "A", [(REFUND_APPROVALS, None)])
    assert slack.messages(REFUND_APPROVALS)[-1].text == "Look\na.txt"


async def test_other_bytes_than_announced_are_not_taken(slack: SlackStandin) -> None:
    """A wrong length and an unknown address are refused, and such a file cannot be shared."""
    ident, status = await announced(slack, send=b"other bytes")
    assert status == 400
    with pytest.raises(SlackApiError, match="file_not_found"):
        await client_of(slack).files_completeUploadExternal(files=[{"id": ident}])
    async with httpx.AsyncClient(trust_env=False) as http:
        assert (await http.post(f"{slack.url}/upload/v1/unknown", content=b"x")).status_code == 400


async def test_a_file_is_finished_once(slack: SlackStandin) -> None:
    """Without a channel it stays private; a second time there is nothing to finish."""
    ident, _ = await announced(slack)
    await client_of(slack).files_completeUploadExternal(files=[{"id": ident}])
    assert slack.world.uploads.files[ident].title == "a.txt"
    with pytest.raises(SlackApiError, match="file_not_found"):
        await client_of(slack).files_completeUploadExternal(files=[{"id": ident}])


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"files": []}, "invalid_arguments"),
        ({"files": [{"title": "no id"}]}, "invalid_arguments"),
        ({"channel_id": PRIVATE}, "channel_not_found"),
        ({"thread_ts": "1700000000.000100"}, "invalid_arguments"),
        ({"channel_id": REFUND_APPROVALS, "thread_ts": "1700000000.000100"}, "cannot_reply_to_message"),
    ],
)
async def test_what_slack_refuses_is_refused(slack: SlackStandin, arguments: dict[str, object], error: str) -> None:
    """No files, a file without an id, a channel that the app does not see, a thread without a channel or a parent."""
    ident, _ = await announced(slack)
    given = {"files": [{"id": ident}], **arguments}
    with pytest.raises(SlackApiError, match=error):
        await client_of(slack).files_completeUploadExternal(**given)  # type: ignore[arg-type]  # on purpose


async def test_an_empty_file_and_a_missing_scope_are_refused(slack: SlackStandin) -> None:
    """A length of nothing, and a token without files:write."""
    with pytest.raises(SlackApiError, match="invalid_arguments"):
        await client_of(slack).files_getUploadURLExternal(filename="a", length=0)
    slack.world.tokens["xoxb-1"].discard("files:write")
    with pytest.raises(SlackApiError, match="missing_scope"):
        await client_of(slack).files_getUploadURLExternal(filename="a", length=1)


async def test_everybody_is_listed_page_by_page(slack: SlackStandin) -> None:
    """Deactivated accounts and bots too, strangers not; an unknown cursor and too large a limit are refused."""
    client = client_of(slack)
    first = await client.users_list(limit=3)
    rest = await client.users_list(limit=1000, cursor=first["response_metadata"]["next_cursor"])
    found = [one["id"] for one in [*first["members"], *rest["members"]]]
    kinds = {slack.workspace.users[ident].kind for ident in found}
    assert len(found) == len(set(found)) == sum(one.kind != "outside" for one in slack.workspace.users.values())
    assert (MAYA in found, kinds) == (True, {"member", "guest", "deactivated", "bot"})
    assert rest["response_metadata"]["next_cursor"] == ""
    for arguments, error in (({"cursor": "U0NOBODY"}, "invalid_cursor"), ({"limit": 1001}, "invalid_limit")):
        with pytest.raises(SlackApiError, match=error):
            await client.users_list(**arguments)
