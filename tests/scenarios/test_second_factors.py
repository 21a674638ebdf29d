"""Scenarios: authenticator apps from the link to the counted vote, through Slack, the page and the database file."""

import asyncio
import json
import re
import threading
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pyotp
import pytest
import yaml

from approval_rules.events import Decision, Refusal, Voted, VoteRefused
from approval_rules.factor_events import FactorConfirmed, FactorLocked, FactorRefused, FactorRemoved, RecoveryUsed
from approval_rules.people import Account
from bot.clock import new_token
from bot.desk.people import PeopleUseCases
from bot.desk.second_factors import SecondFactors
from bot.desk.try_pace import TryPace
from bot.settings import Settings
from bot.slack_standin.conversations import Message
from bot.slack_standin.workspace import AGENT_OPS, JONAS, LENA, MAYA, PRIYA, REFUND_APPROVALS, SAM, TEAM
from handlers.desk import Challenge, Click, Envelope, Judged
from handlers.factor_desk import TypedCode, WrongCode
from tests.world import TOOL, Proposal, World, buttons_of

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


async def test_everybody_hears_of_it(world: FactorWorld) -> None:
    """The person by direct message, and those who confirm for others in one message that shows what became of it."""
    await world.enrol(MAYA)
    await world.settled()
    (question,) = world.slack.messages(AGENT_OPS)
    assert "Maya Chen" in question.text
    assert [one["action_id"] for one in buttons_of(question)] == ["factor_confirm", "factor_refuse"]
    assert "It counts once another person has confirmed it" in direct(world, MAYA)[-1]
    assert "/agent factor lock" in direct(world, MAYA)[-1]
    outcome = await world.slack.click(PRIYA, AGENT_OPS, question.ts, "factor_confirm")
    assert outcome.ok, outcome.warning
    assert "counts from now on" in said_in(world, PRIYA)
    await world.settled()
    (answered,) = world.slack.messages(AGENT_OPS)
    assert "Confirmed by Priya Nair" in answered.text
    assert buttons_of(answered) == []
    assert "Priya Nair (U0PRIYANAI1) confirmed your authenticator app" in direct(world, MAYA)[-1]


async def test_who_may_not_confirm_does_not(world: FactorWorld) -> None:
    """Not oneself, not even as an admin; not a colleague without the role; and it is recorded."""
    world.write_roles(MANAGERS, admin={"users": [PRIYA, MAYA]})
    await world.running.watch.look()
    await world.enrol(MAYA)
    assert "nobody confirms his own" in await world.say(MAYA, f"factor confirm <@{MAYA}>")
    assert "only the role admin" in await world.say(JONAS, f"factor confirm <@{MAYA}|maya>")
    await world.settled()
    question = world.slack.messages(AGENT_OPS)[-1]
    await world.slack.click(MAYA, AGENT_OPS, question.ts, "factor_confirm")
    assert "nobody confirms his own" in said_in(world, MAYA)
    assert world.states() == [("totp", "waiting"), ("recovery", "waiting")]
    codes = [event.code for event in world.ledger().events(FactorRefused)]
    assert codes == [Refusal.OWN_FACTOR, Refusal.NOT_FACTOR_ADMIN, Refusal.OWN_FACTOR]


async def test_without_an_admin_the_operators_confirm(world: FactorWorld) -> None:
    """The role operator stands in where the roles name no admin; where they name one, it does not."""
    await world.enrol(MAYA)
    world.write_roles(MANAGERS, admin={"users": [PRIYA]}, operator={"users": [JONAS]})
    await world.running.watch.look()
    assert "only the role admin" in await world.say(JONAS, f"factor confirm <@{MAYA}>")
    world.write_roles(MANAGERS, operator={"users": [JONAS]})
    await world.running.watch.look()
    assert "counts from now on" in await world.say(JONAS, f"factor confirm <@{MAYA}>")


async def test_a_refused_enrolment_is_gone(world: FactorWorld) -> None:
    """An app that nobody vouches for never makes a vote, and its secret is gone from the table."""
    app, _ = await world.enrol(MAYA)
    assert "was refused and is gone" in await world.say(PRIYA, f"factor refuse <@{MAYA}>")
    packet = await world.packet_of(await world.propose())
    assert "/agent factor add" in await world.click(MAYA, packet, "approve")
    assert world.states() == [("totp", "removed"), ("recovery", "removed")]
    with world.db() as db:
        assert {row[0] for row in db.execute("SELECT material FROM credentials")} == {"{}"}
    assert app.secret


async def test_an_app_that_waits_makes_no_vote(world: FactorWorld) -> None:
    """Until another person has confirmed it, it is as if there were none."""
    await world.enrol(MAYA)
    packet = await world.packet_of(await world.propose())
    assert "you have none that counts" in await world.click(MAYA, packet, "approve")
    assert [event.code for event in world.ledger().events(VoteRefused)] == [Refusal.FACTOR_MISSING]


async def test_looking_at_a_link_uses_nothing_up(world: FactorWorld) -> None:
    """Previews and scanners look at every address; the secret is shown to nobody who only looks."""
    page = Page(world, await world.open(MAYA))
    for _ in range(3):
        answer = await page.look()
        assert answer.status_code == 200
        assert "QR code" not in answer.text
        assert "no-store" in answer.headers["cache-control"]
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    await page.show()


async def test_a_link_opened_by_a_second_person_shows_nothing(world: FactorWorld) -> None:
    """Whoever comes second is turned away and recorded, and the person is told; the first one can go on."""
    path = await world.open(MAYA)
    first, second = Page(world, path), Page(world, path)
    await second.look()
    app = await first.show()
    turned_away = await second.press()
    assert turned_away.status_code == 409
    assert "QR code" not in turned_away.text
    assert (await second.type(app.at(world.clock()))).status_code == 409
    await world.settled()
    assert "opened a second time" in direct(world, MAYA)[-1]
    assert (await first.press()).status_code == 200
    world.clock.move(timedelta(seconds=2))
    assert (await first.type(app.at(world.clock()))).status_code == 200


async def test_an_expired_link_is_over(world: FactorWorld) -> None:
    """After half an hour nothing can be seen or enrolled with it, even if it was open."""
    page = Page(world, await world.open(MAYA))
    app = await page.show()
    world.clock.move(timedelta(minutes=30))
    assert (await page.look()).status_code == 410
    assert (await page.press()).status_code == 410
    assert (await page.type(app.at(world.clock()))).status_code == 410
    assert world.states() == []


async def test_a_used_link_is_over(world: FactorWorld) -> None:
    """One link enrols one app; and a wrong code is not the end of it before the fifth."""
    page = Page(world, await world.open(MAYA))
    app = await page.show()
    wrong = await page.type("000000" if app.at(world.clock()) != "000000" else "000001")
    assert wrong.status_code == 422
    assert "4 more tries" in wrong.text
    assert "QR code" in wrong.text
    fast = await page.type(app.at(world.clock()))
    assert "too fast" in fast.text
    world.clock.move(timedelta(seconds=2))
    assert (await page.type(app.at(world.clock()))).status_code == 200
    world.clock.move(timedelta(seconds=31))
    assert (await page.type(app.at(world.clock()))).status_code == 410
    assert world.states() == [("totp", "waiting"), ("recovery", "waiting")]


async def test_guessing_at_a_link_ends_it(world: FactorWorld) -> None:
    """Five wrong codes, and the link is over."""
    page = Page(world, await world.open(MAYA))
    app = await page.show()
    for _ in range(5):
        world.clock.move(timedelta(seconds=61))
        last = await page.type(str((int(app.at(world.clock())) + 1) % 10**6).zfill(6))
    assert last.status_code == 410
    assert (await page.press()).status_code == 410


async def test_a_code_counts_once(world: FactorWorld) -> None:
    """The same code again is wrong, for another proposal too: whoever looked over a shoulder has nothing."""
    app = await world.enrolled(MAYA)
    one, two = [await world.packet_of(await world.propose()) for _ in range(2)]
    code = app.at(world.clock())
    assert (await world.type_code(MAYA, await world.ask(MAYA, one), code)).ok
    outcome = await world.type_code(MAYA, await world.ask(MAYA, two), code)
    assert "was used already" in outcome.errors["code"]
    assert len(world.ledger().events(Voted)) == 1
    assert [event.code for event in world.ledger().events(VoteRefused)] == [Refusal.FACTOR_REFUSED]


async def test_a_code_counts_once_for_two_at_once(world: FactorWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two requests in the same moment, even in the same commit: one vote."""
    monkeypatch.setattr(TryPace, "allows", lambda _pace, _who, _at: True)
    app = await world.enrolled(MAYA)
    wiring = world.running.wiring
    desk = SecondFactors(wiring, PeopleUseCases(wiring), PUBLIC, new_token)
    proposals = [await world.propose() for _ in range(2)]
    tickets = [await challenge(world, desk, proposal) for proposal in proposals]
    code, gate = app.at(world.clock()), threading.Event()
    held = asyncio.create_task(wiring.writer.run(lambda _tx: gate.wait(10)))
    tries = [asyncio.create_task(desk.vote_with_code(TypedCode(maya(one), one, code))) for one in tickets]
    await asyncio.sleep(0.5)
    gate.set()
    first, second = await asyncio.gather(*tries)
    assert await held
    assert isinstance(first, Judged)
    assert first.refusal is None
    assert second == WrongCode(4)
    assert len(world.ledger().events(Voted)) == 1


def maya(request: str) -> Envelope:
    """Maya, in a request of this name."""
    return Envelope(Account(TEAM, MAYA), "maya", REFUND_APPROVALS, request)


async def challenge(world: FactorWorld, desk: SecondFactors, proposal: Proposal) -> str:
    """Press Approve as Maya, and give the ticket."""
    packet = await world.packet_of(proposal)
    asked = await desk.begin_approval(
        Click(maya(proposal["id"]), proposal["id"], proposal["digest"], packet.ts, Decision.APPROVE)
    )
    assert isinstance(asked, Challenge)
    return asked.ticket


async def test_another_persons_code_is_wrong(world: FactorWorld) -> None:
    """Each has a secret of his own."""
    await world.enrolled(MAYA)
    jonas = await world.enrolled(JONAS)
    packet = await world.packet_of(await world.propose())
    outcome = await world.type_code(MAYA, await world.ask(MAYA, packet), jonas.at(world.clock()))
    assert "wrong" in outcome.errors["code"]
    assert world.ledger().events(Voted) == []


async def test_five_wrong_codes_lock_it_over_restarts(world: FactorWorld) -> None:
    """The right code is refused from then on, whatever is restarted; the person and the operators are told."""
    app = await world.enrolled(MAYA)
    packet = await world.packet_of(await world.propose())
    modal = await world.ask(MAYA, packet)
    for left in (4, 3, 2, 1):
        world.clock.move(timedelta(seconds=15))
        outcome = await world.type_code(MAYA, modal, wrong(app, world))
        assert str(left) in outcome.errors["code"] or "One more try" in outcome.errors["code"]
    world.clock.move(timedelta(seconds=15))
    await world.type_code(MAYA, modal, wrong(app, world))
    assert "second factor is locked" in said_in(world, MAYA)
    await world.settled()
    assert "too many wrong codes in a row" in direct(world, MAYA)[-1]
    assert "too many wrong codes in a row" in world.slack.messages(AGENT_OPS)[-1].text
    await world.restart()
    assert "second factor is locked" in await world.click(MAYA, packet, "approve")
    assert [event.why for event in world.ledger().events(FactorLocked)] == ["failures"]
    assert "counts from now on" in await world.say(PRIYA, f"factor confirm <@{MAYA}>")
    world.clock.move(timedelta(minutes=1))
    assert "Your approval counts" in await world.approve_with(MAYA, packet, app)


def wrong(app: pyotp.TOTP, world: World) -> str:
    """Give a code that is wrong now and for two minutes around."""
    near = {app.at(world.clock() + timedelta(seconds=30 * step)) for step in range(-4, 5)}
    return next(code for number in range(100) if (code := f"{number:06d}") not in near)


async def test_a_right_code_ends_the_count(world: FactorWorld) -> None:
    """Only wrong ones in a row lock."""
    app = await world.enrolled(MAYA)
    packet = await world.packet_of(await world.propose())
    modal = await world.ask(MAYA, packet)
    for _ in range(4):
        world.clock.move(timedelta(seconds=15))
        await world.type_code(MAYA, modal, wrong(app, world))
    world.clock.move(timedelta(seconds=15))
    assert (await world.type_code(MAYA, modal, app.at(world.clock()))).ok
    with world.db() as db:
        assert db.execute("SELECT failures FROM credentials WHERE factor = 'totp'").fetchone() == (0,)


async def test_a_ticket_is_for_its_person_and_its_proposal(world: FactorWorld) -> None:
    """A modal sent with another person's ticket, or with an invented one, makes no vote, even with a right code."""
    maya, jonas = await world.enrolled(MAYA), await world.enrolled(JONAS)
    packet = await world.packet_of(await world.propose())
    theirs = await world.ask(MAYA, packet)
    mine = await world.ask(JONAS, packet)
    for ticket in (theirs.view["private_metadata"], "A" * 43, "", "prop_1|sha256:0"):
        mine.view["private_metadata"] = ticket
        await world.type_code(JONAS, mine, jonas.at(world.clock()))
        world.clock.move(timedelta(seconds=30))
        mine = await world.ask(JONAS, packet)
    assert world.ledger().events(Voted) == []
    assert maya.secret != jonas.secret


async def test_a_ticket_is_over_after_five_minutes(world: FactorWorld) -> None:
    """What was asked a while ago must be read again."""
    app = await world.enrolled(MAYA)
    packet = await world.packet_of(await world.propose())
    modal = await world.ask(MAYA, packet)
    world.clock.move(timedelta(minutes=5))
    await world.type_code(MAYA, modal, app.at(world.clock()))
    assert world.ledger().events(Voted) == []
    assert world.ledger().events(VoteRefused)


async def test_a_recovery_code_works_once_and_only_for_enrolling(world: FactorWorld) -> None:
    """It lets a new app count at once, tells everybody, and is used up; it never approves."""
    app, codes = await world.enrol(MAYA)
    assert len(set(codes)) == 10
    await world.say(PRIYA, f"factor confirm <@{MAYA}>")
    packet = await world.packet_of(await world.propose())
    outcome = await world.type_code(MAYA, await world.ask(MAYA, packet), codes[0][:6])
    assert outcome.errors
    assert "Locked" in await world.say(MAYA, "factor lock")
    world.clock.move(timedelta(minutes=1))
    again = Page(world, await world.open(MAYA))
    new = await again.show()
    answer = await again.type(new.at(world.clock()), codes[0].upper())
    assert "counts at once" in answer.text
    world.clock.move(timedelta(minutes=1))
    assert "Your approval counts" in await world.approve_with(MAYA, packet, new)
    await world.settled()
    assert any("9 codes left" in text for text in direct(world, MAYA))
    assert "used a recovery code" in world.slack.messages(AGENT_OPS)[-1].text
    assert [event.left for event in world.ledger().events(RecoveryUsed)] == [9]
    third = Page(world, await world.open(MAYA))
    newest = await third.show()
    assert (await third.type(newest.at(world.clock()), codes[0])).status_code == 422
    assert app.secret != new.secret


async def test_who_was_locked_by_an_admin_cannot_let_himself_in(world: FactorWorld) -> None:
    """His recovery codes are locked with his app."""
    _, codes = await world.enrol(MAYA)
    await world.say(PRIYA, f"factor confirm <@{MAYA}>")
    assert "Locked" in await world.say(SAM, f"factor lock <@{MAYA}>")
    page = Page(world, await world.open(MAYA))
    app = await page.show()
    assert (await page.type(app.at(world.clock()), codes[0])).status_code == 422
    assert "locked your authenticator app" in direct(world, MAYA)[-1]


async def test_a_removal_needs_another_person(world: FactorWorld) -> None:
    """Who asks cannot confirm it; then it is gone, and the person is told at each step."""
    await world.enrolled(MAYA)
    assert "Another person must confirm" in await world.say(PRIYA, f"factor remove totp <@{MAYA}>")
    assert "somebody else must confirm" in await world.say(PRIYA, f"factor confirm <@{MAYA}>")
    await world.settled()
    question = world.slack.messages(AGENT_OPS)[-1]
    assert [one["text"]["text"] for one in buttons_of(question)] == ["Remove it", "Keep it"]
    await world.slack.click(SAM, AGENT_OPS, question.ts, "factor_refuse")
    assert "stays" in said_in(world, SAM)
    await world.say(MAYA, "factor remove totp")
    assert "is removed" in await world.say(SAM, f"factor confirm <@{MAYA}>")
    await world.settled()
    assert "is removed, says Sam Okafor" in direct(world, MAYA)[-1]
    assert world.states() == [("totp", "removed"), ("recovery", "removed")]
    assert [event.why for event in world.ledger().events(FactorRemoved)] == ["asked", "asked"]


async def test_a_person_sees_what_is_there(world: FactorWorld) -> None:
    """Oneself, in whatever state; and whoever confirms for others, what waits."""
    assert "You have no second factor" in await world.say(MAYA, "factor")
    await world.enrol(MAYA)
    assert "waits for another person" in await world.say(MAYA, "factor")
    assert "Maya Chen" in await world.say(PRIYA, "factor")
    await world.say(PRIYA, f"factor confirm <@{MAYA}>")
    listed = await world.say(MAYA, "factor")
    assert "Authenticator app: counts since" in listed
    assert "10 recovery codes" in listed
    assert "authenticator app (active)" in await world.say(MAYA, "whoami")
    assert "Nothing of others waits" in await world.say(PRIYA, "factor")


async def test_who_has_no_role_gets_no_link(world: FactorWorld) -> None:
    """A guest, or somebody in no role, has nothing to confirm."""
    assert "you are a guest" in await world.say(LENA, "factor add totp")
    world.write_roles(MANAGERS, admin={"users": [PRIYA]})
    await world.running.watch.look()
    assert "you have no role here" in await world.say(SAM, "factor add totp")
    assert [event.tried for event in world.ledger().events(FactorRefused)][-1] == "enrol"


async def test_no_secret_is_in_the_clear(world: FactorWorld) -> None:
    """Not in the database file or its WAL, not in the log, not in Slack: no secret, no code, no link."""
    page = Page(world, await world.open(MAYA))
    app = await page.show()
    answer = await page.type(app.at(world.clock()))
    codes = re.findall(r"<li><code>([0-9a-z-]+)</code>", answer.text)
    await world.say(PRIYA, f"factor confirm <@{MAYA}>")
    await world.settled()
    kept = b"".join(path.read_bytes() for path in world.folder.iterdir() if path.name.startswith("foureyes.db"))
    name = page.path.removeprefix("/enrol/")
    for secret in (app.secret, name, page.visit, *codes, *(code.replace("-", "") for code in codes)):
        assert secret.encode() not in kept
    assert [event.recovery for event in world.ledger().events(FactorConfirmed)] == [None, None]
