"""Scenarios: authenticator apps from the link to the counted vote, through Slack, the page and the database file."""

import json
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pyotp
import pytest
import yaml

from approval_rules.events import Voted
from bot.settings import Settings
from bot.slack_standin.conversations import Message
from bot.slack_standin.workspace import JONAS, MAYA, PRIYA, SAM
from tests.world import TOOL, World

PUBLIC = "https://approvals.example.com"
MANAGERS = {"users": [MAYA, JONAS], "usergroup": "support-managers"}


class FactorWorld(World):
    """A world whose refunds need a code, and in which Priya confirms for others."""

    @property
    def settings(self) -> Settings:
        """Give the settings with pages."""
        return Settings(**{**_fields(super().settings), "public_url": PUBLIC})

    def _write_files(self, managers: tuple[str, ...]) -> None:
        super()._write_files(managers)
        self.write_roles(MANAGERS, admin={"users": [PRIYA, SAM]})
        path = self.policy / f"{TOOL}.yml"
        path.write_text(asking(path.read_text()))

    async def open(self, user: str, factor: str = "totp") -> str:
        """Ask for a link, and give its path: only a browser knows more of it."""
        await self.say(user, f"factor add {factor}")
        url = buttons_of_note(self, user)[0]["url"]
        assert url.startswith(f"{PUBLIC}/enrol/")
        return str(url.removeprefix(PUBLIC))

    async def enrol(self, user: str) -> tuple[pyotp.TOTP, list[str]]:
        """Enrol an app as a person would, and give it with its recovery codes."""
        page = Page(self, await self.open(user))
        app = await page.show()
        answer = await page.type(app.at(self.clock()))
        assert answer.status_code == 200, answer.text
        return app, re.findall(r"<li><code>([0-9a-z-]+)</code>", answer.text)

    async def enrolled(self, user: str, by: str = PRIYA) -> pyotp.TOTP:
        """Enrol an app, and let somebody confirm it."""
        app, _ = await self.enrol(user)
        assert "counts from now on" in await self.say(by, f"factor confirm <@{user}>")
        self.clock.move(timedelta(seconds=60))
        return app

    async def ask(self, user: str, packet: Message) -> Any:  # noqa: ANN401 - the stand-in's view
        """Press Approve, and give the modal that asks for a code."""
        outcome = await self.slack.click(user, packet.channel, packet.ts, "approve")
        assert outcome.ok, outcome.warning
        return self.slack.modals(user)[-1]

    async def type_code(self, user: str, modal: Any, code: str) -> Any:  # noqa: ANN401 - the stand-in's view
        """Type a code and give the outcome."""
        self.clock.move(timedelta(seconds=1))
        return await self.slack.submit(user, modal.id, {"code": {"code": code}})

    async def approve_with(self, user: str, packet: Message, app: pyotp.TOTP) -> str:
        """Approve with the code that the app shows now, and give what the modal says then."""
        outcome = await self.type_code(user, await self.ask(user, packet), app.at(self.clock()))
        assert outcome.ok, (outcome.warning, outcome.errors)
        return said_in(self, user)

    def states(self) -> list[tuple[str, str]]:
        """Read what is in the table of credentials."""
        with self.db() as db:
            return [
                (str(row[0]), str(row[1])) for row in db.execute("SELECT factor, state FROM credentials ORDER BY id")
            ]


class Page:
    """A browser at the page."""

    def __init__(self, world: FactorWorld, path: str) -> None:
        self.world = world
        self.path = path
        self.visit = ""

    async def _send(self, method: str, path: str, form: dict[str, str] | None = None) -> httpx.Response:
        async with httpx.AsyncClient(base_url=self.world.url, trust_env=False) as http:
            return await http.request(method, path, data=form)

    async def look(self) -> httpx.Response:
        """Open the address."""
        answer = await self._send("GET", self.path)
        found = re.search(r'name="visit" value="([^"]+)"', answer.text)
        self.visit = self.visit or (found[1] if found else "")
        return answer

    async def press(self) -> httpx.Response:
        """Press the button."""
        return await self._send("POST", f"{self.path}/open", {"visit": self.visit})

    async def show(self) -> pyotp.TOTP:
        """Look, press the button, and scan what is shown."""
        assert (await self.look()).status_code == 200
        answer = await self.press()
        assert answer.status_code == 200, answer.text
        secret = re.search(r'<span class="code">([A-Z2-7 ]+)</span>', answer.text)
        assert secret is not None
        return pyotp.TOTP(secret[1].replace(" ", ""))

    async def type(self, code: str, recovery: str = "") -> httpx.Response:
        """Type a code."""
        form = {"visit": self.visit, "code": code, "recovery": recovery}
        return await self._send("POST", f"{self.path}/app", form)


def _fields(settings: Settings) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in settings.__dataclass_fields__}


def asking(policy: str, factor: str = "totp") -> str:
    """Write a policy again, so that each of its rules that asks people asks for a factor too."""
    written = yaml.safe_load(policy)
    for rule in written["policy"]["rules"]:
        if "require_approval" in rule:
            rule["require_approval"] = {"roles": [rule["require_approval"]], "approvals": 2, "step_up": factor}
    return str(yaml.safe_dump(written, sort_keys=False))


def buttons_of_note(world: World, user: str) -> list[dict[str, Any]]:
    """List the buttons of the newest message that only this person sees."""
    note = world.slack.ephemerals(user)[-1]
    return [element for block in note.blocks if block["type"] == "actions" for element in block["elements"]]


def said_in(world: World, user: str) -> str:
    """Give what the newest modal says."""
    return json.dumps(world.slack.modals(user)[-1].view, ensure_ascii=False)


def direct(world: World, user: str) -> list[str]:
    """List what a person was told by direct message."""
    return [message.text for message in world.slack.messages(world.workspace.direct(user).id)]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[FactorWorld]:
    """Start a whole product with pages; whatever happened, the log must verify at the end."""
    async with FactorWorld(tmp_path) as made:
        yield made
        made.verify_log()


async def test_from_the_link_to_the_vote(world: FactorWorld) -> None:
    """A person enrols, another confirms, and then two codes make two votes that the log can show."""
    maya, jonas = await world.enrolled(MAYA), await world.enrolled(JONAS)
    proposal = await world.propose()
    packet = await world.packet_of(proposal)
    modal = await world.ask(MAYA, packet)
    shown = re.search(r"as ([0-9A-Z]{4}-[0-9A-Z]{4})\.", json.dumps(modal.view))
    assert shown is not None
    outcome = await world.type_code(MAYA, modal, maya.at(world.clock()))
    assert outcome.ok, outcome.errors
    assert "Your approval counts" in said_in(world, MAYA)
    assert "last one needed" in await world.approve_with(JONAS, packet, jonas)
    assert (await world.claim(proposal)).status_code == 200
    first, second = world.ledger().events(Voted)
    assert first.proof is not None
    assert (first.proof.factor, first.proof.code) == ("totp", shown[1])
    assert second.proof is not None
    assert second.proof.code != first.proof.code
