"""A Slack and a receiver of callbacks that live in two files, so that they outlast the process that talks to them.

They must never fail or forget: what went wrong in a crash test was the crash.
"""

import json
import os
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.delivery.guarded_http import Answer
from handlers.slack.packet import digest_of_blocks

BOT = "B0CRASHES01"
CHANNEL = "C0CRASHES01"


@dataclass(frozen=True, slots=True)
class Shown:
    """One message as it stands in the file at the end: which proposal it is about, and the digest of its blocks."""

    ts: str
    proposal: str | None
    shown: str


def append(path: Path, line: dict[str, Any]) -> None:
    """Add a line of its own: a kill may cut a write between two pages, and the next line must not suffer for it."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, b"\n" + json.dumps(line).encode() + b"\n")
    finally:
        os.close(descriptor)


def lines_of(path: Path) -> list[dict[str, Any]]:
    """Read every whole line; one that a kill cut short is a request that never arrived."""
    whole = (line for line in path.read_text("utf-8").split("\n") if line.endswith("}")) if path.exists() else ()
    return [parsed for line in whole if (parsed := _parsed(line)) is not None]


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        parsed: dict[str, Any] = json.loads(line)
    except json.JSONDecodeError:
        return None
    return parsed


def messages_in(path: Path) -> list[Shown]:
    """Give the messages in the file, each with what the last update made of it."""
    found: dict[str, Shown] = {}
    for line in lines_of(path):
        proposal = found[line["ts"]].proposal if line["ts"] in found else line["proposal"]
        found[line["ts"]] = Shown(line["ts"], proposal, line["shown"])
    return list(found.values())


class FileSlack(AsyncWebClient):
    """Posting, updating and searching, as far as the outbox does it."""

    def __init__(self, path: Path) -> None:
        super().__init__("xoxb-file", retry_handlers=[])
        self._path = path
        self._numbers = count(len(lines_of(path)) + 1)

    async def chat_postMessage(self, **given: Any) -> AsyncSlackResponse:  # noqa: ANN401, N802 - the SDK's name and its arguments
        """Post a message; it stands from here on, whatever becomes of the process."""
        ts = f"{1_700_000_000 + next(self._numbers)}.000100"
        proposal = (given.get("metadata") or {}).get("event_payload", {}).get("proposal")
        self._keep(ts, given, proposal)
        return self._answer({"ok": True, "channel": given["channel"], "ts": ts})

    async def chat_update(self, **given: Any) -> AsyncSlackResponse:  # noqa: ANN401 - the SDK's arguments
        """Replace a message."""
        next(self._numbers)
        self._keep(given["ts"], given, None)
        return self._answer({"ok": True, "channel": given["channel"], "ts": given["ts"]})

    async def conversations_history(self, **_given: Any) -> AsyncSlackResponse:  # noqa: ANN401 - the SDK's arguments
        """Give every message that was ever posted."""
        posted = [
            {
                "ts": message.ts,
                "bot_id": BOT,
                "metadata": {"event_type": "foureyes_packet", "event_payload": {"proposal": message.proposal}},
            }
            for message in messages_in(self._path)
            if message.proposal
        ]
        return self._answer({"ok": True, "messages": posted})

    def _keep(self, ts: str, given: dict[str, Any], proposal: str | None) -> None:
        append(self._path, {"ts": ts, "proposal": proposal, "shown": digest_of_blocks(given["blocks"])})

    def _answer(self, data: dict[str, Any]) -> AsyncSlackResponse:
        return AsyncSlackResponse(
            client=self, http_verb="POST", api_url="", req_args={}, data=data, headers={}, status_code=200
        )


class FileHook:
    """Takes every callback, as `GuardedHttp` would send it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        """Keep the callback and say 200."""
        append(self._path, {"url": url, "id": headers["webhook-id"], "body": body.decode()})
        return Answer(200, None)
