"""A world whose refunds need a passkey, with its pages at `localhost`, where browsers allow passkeys without TLS."""

import json
import re
import socket
from base64 import urlsafe_b64decode
from dataclasses import dataclass, replace
from html import unescape
from pathlib import Path
from typing import Any, Final

import httpx
import yaml

from bot.settings import Settings
from bot.slack_standin.conversations import Message
from bot.slack_standin.workspace import JONAS, MAYA, PRIYA, SAM
from tests.authenticator import Answer, Lie, Passkey
from tests.world import TOOL, World

AUTHENTICATOR: Final = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
"""Chromium's own virtual one, as a laptop with a fingerprint reader."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One page as a browser without a script gets it."""

    url: str
    status: int
    text: str
    headers: httpx.Headers

    def held(self, name: str) -> str:
        """Give what the page hands to its script."""
        found = re.search(rf'data-{name}="([^"]*)"', self.text)
        assert found is not None, self.text
        return unescape(found[1])

    @property
    def challenge(self) -> bytes:
        """What the passkey is to sign."""
        text = self.held("challenge")
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))


class PasskeyWorld(World):
    """Maya and Jonas decide with passkeys; Priya and Sam confirm them."""

    def __init__(self, folder: Path, factor: str = "passkey") -> None:
        self.factor = factor
        self.has_pages = True
        super().__init__(folder)
        with socket.socket() as chosen:
            chosen.bind(("127.0.0.1", 0))
            self.port = int(chosen.getsockname()[1])

    @property
    def origin(self) -> str:
        """Where browsers find the pages."""
        return f"http://localhost:{self.port}"

    @property
    def settings(self) -> Settings:
        """Give the settings with pages."""
        return replace(super().settings, public_url=self.origin if self.has_pages else None)

    def _write_files(self, managers: tuple[str, ...]) -> None:
        super()._write_files(managers)
        self.write_roles({"users": [*managers], "usergroup": "support-managers"}, admin={"users": [PRIYA, SAM]})
        path = self.policy / f"{TOOL}.yml"
        written = yaml.safe_load(path.read_text(encoding="utf-8"))
        for rule in written["policy"]["rules"]:
            if "require_approval" in rule:
                rule["require_approval"] = {"roles": [rule["require_approval"]], "approvals": 2, "step_up": self.factor}
        path.write_text(yaml.safe_dump(written, sort_keys=False), encoding="utf-8")

    # --- pages

    async def look(self, url: str) -> Shown:
        """Open an address."""
        async with httpx.AsyncClient(trust_env=False) as http:
            answer = await http.get(url)
        return Shown(url, answer.status_code, answer.text, answer.headers)

    async def post(self, shown: Shown, answer: Answer, **headers: str) -> httpx.Response:
        """Send what the page's script sends, as a browser sends it."""
        sent = {"origin": self.origin, "sec-fetch-site": "same-origin", **headers}
        async with httpx.AsyncClient(trust_env=False) as http:
            return await http.post(shown.url + shown.held("to"), json=answer, headers=sent)

    def lie(self, **otherwise: Any) -> Lie:  # noqa: ANN401 - the fields of Lie
        """Give an honest answer's circumstances here, with what a test makes otherwise."""
        return Lie(**{"origin": self.origin, "rp": "localhost", **otherwise})

    # --- people

    async def enrolment(self, user: str) -> str:
        """Ask for a link in Slack."""
        await self.say(user, "factor add passkey")
        note = self.slack.ephemerals(user)[-1]
        return str(next(one["url"] for block in note.blocks for one in block.get("elements", []) if "url" in one))

    async def enrol(self, user: str, passkey: Passkey) -> httpx.Response:
        """Make a passkey on the page."""
        shown = await self.look(await self.enrolment(user))
        return await self.post(shown, passkey.make(shown.challenge, self.lie()))

    async def holding(self, *users: str) -> list[Passkey]:
        """Give people passkeys that count."""
        keys = []
        for user in users or (MAYA, JONAS):
            keys.append(Passkey())
            answer = await self.enrol(user, keys[-1])
            assert answer.status_code == 200, answer.text
            await self.confirm(user)
        return keys

    async def confirm(self, user: str) -> None:
        """Let Priya say that it is that person's."""
        assert "counts from now on" in await self.say(PRIYA, f"factor confirm <@{user}>")

    async def press(self, user: str, packet: Message) -> dict[str, Any]:
        """Press Approve, and give the modal that follows."""
        outcome = await self.slack.click(user, packet.channel, packet.ts, "approve")
        assert outcome.ok, outcome.warning
        view: dict[str, Any] = self.slack.modals(user)[-1].view
        return view

    async def page_for(self, user: str, packet: Message) -> Shown:
        """Press Approve, and open the page to which the modal leads."""
        return await self.look(url_in(await self.press(user, packet)))


def url_in(view: dict[str, Any]) -> str:
    """Give the address behind a modal's button."""
    return str(next(one["url"] for block in view["blocks"] for one in block.get("elements", []) if "url" in one))


def code_in(view: dict[str, Any]) -> str:
    """Give the code that a modal shows."""
    found = re.search(r"Code: ([0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4})", json.dumps(view))
    assert found is not None, view
    return found[1]
