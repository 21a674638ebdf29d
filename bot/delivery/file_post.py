"""Sends a message with files to one person, in whose direct conversation alone they stand; all of it or nothing."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from bot.delivery.slack_post import SlackPost
from bot.delivery.worker import Later, Result, Sent
from bot.slack_calls import SlackUnavailableError
from handlers.slack.blocks import Block
from handlers.slack.reviewing import MAY_NOT_SEND_FILES

_UPLOAD_SECONDS: Final = 30
_TAKEN: Final = 200


async def send_files(
    slack: SlackPost, user: str, text: str, blocks: Sequence[Block], files: Mapping[str, bytes]
) -> None:
    """Send a message and, in its thread, the files; raises SlackUnavailableError."""
    client, calls = slack.client, slack.calls
    uploaded: list[dict[str, str | None]] = [
        {"id": await _upload(slack, name, content), "title": name} for name, content in files.items()
    ]
    post = partial(client.chat_postMessage, channel=user, text=text, blocks=blocks, unfurl_links=False)
    posted = await calls.make("chat.postMessage", post)
    channel, ts = str(posted["channel"]), str(posted["ts"])
    finish = partial(client.files_completeUploadExternal, files=uploaded, channel_id=channel, thread_ts=ts)
    await calls.make("files.completeUploadExternal", finish)


async def unsent(slack: SlackPost, user: str, error: SlackUnavailableError, as_of: int) -> Result:
    """Say what is to become of files that Slack did not take.

    An app that was never allowed to send files tells whoever asked: waiting longer would change nothing.
    """
    if error.code != "missing_scope":
        return Later(error.code, error.retry_after if error.code == "ratelimited" else None)
    post = partial(slack.client.chat_postMessage, channel=user, text=MAY_NOT_SEND_FILES)
    try:
        await slack.calls.make("chat.postMessage", post)
    except SlackUnavailableError as later:
        return Later(later.code)
    return Sent(as_of)


async def _upload(slack: SlackPost, name: str, content: bytes) -> str:
    """Send one file to the address that Slack gives for it, which must be Slack's own; gives the file's id."""
    client = slack.client
    ask = partial(client.files_getUploadURLExternal, filename=name, length=len(content))
    place = await slack.calls.make("files.getUploadURLExternal", ask)
    url, ident = str(place.get("upload_url")), str(place.get("file_id"))
    if not is_slacks(url, client.base_url):
        raise SlackUnavailableError("unexpected-answer")
    timeout = aiohttp.ClientTimeout(total=_UPLOAD_SECONDS)
    headers: Mapping[str, str] = {"Content-Type": "application/octet-stream"}
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(url, data=content, headers=headers, allow_redirects=False) as answer,
        ):
            if answer.status != _TAKEN:
                raise SlackUnavailableError("upload-refused")
    except (aiohttp.ClientError, TimeoutError):
        raise SlackUnavailableError("unreachable") from None
    return ident


def is_slacks(url: str, base_url: str) -> bool:
    """Tell whether an upload would stay where our Slack is: at the same place as its Web API, or below slack.com."""
    there, api = urlsplit(url), urlsplit(base_url)
    if (there.scheme, there.netloc) == (api.scheme, api.netloc):
        return True
    host = there.hostname or ""
    return there.scheme == "https" and (api.hostname or "").endswith("slack.com") and host.endswith(".slack.com")
