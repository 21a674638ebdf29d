"""A new key for an agent whose keys were ended from the message about its pause: made by its owner, shown once."""

import asyncio
import html
import json
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from approval_rules.erasure_events import Why, erasures
from approval_rules.events import AgentChanged, Refusal, SwitchRefused
from approval_rules.people import ActorKind, system
from approval_rules.stop_events import AgentKeysEnded
from approval_rules.text import AgentText
from bot.agents import RevokeAgent, RotateAgent
from bot.clock import new_token
from bot.slack_standin.conversations import Message
from bot.slack_standin.faults import ServerError
from bot.slack_standin.workspace import AGENT_OPS, JONAS, MAYA, PRIYA, SAM
from bot.store import people
from bot.store.transaction import Transaction
from handlers.slack.blocks import button
from handlers.slack.escape import Safe
from handlers.slack.ids import NEW_KEY, new_key_value
from tests.paged_world import PagedWorld
from tests.world import World, buttons_of

LINK = re.compile(r"http://localhost:[0-9]+/new-key/[^\"]+")


@pytest.fixture
async def paged(tmp_path: Path) -> AsyncIterator[PagedWorld]:
    """A server with pages; whatever a test does, its log is whole in the end."""
    async with PagedWorld(tmp_path) as world:
        yield world
        await world.settled()
        world.verify_log()


async def press(world: World, user: str, message: Message, action: str) -> str:
    """Press a button, and give what the modal says."""
    outcome = await world.slack.click(user, message.channel, message.ts, action, force=True)
    assert outcome.ok, outcome.warning
    return json.dumps(world.slack.modals(user)[-1].view, ensure_ascii=False)


async def end_keys(world: World, user: str) -> str:
    """Pause the agent, end its keys, and give what the modal says."""
    await world.say(PRIYA, "pause agent refund-bot leaked")
    await world.settled()
    return await press(world, user, world.slack.messages(AGENT_OPS)[-1], "pause_end_keys")


def link_in(view: str) -> str:
    """Give the address that a modal leads to."""
    found = LINK.search(view)
    assert found is not None, view
    return found[0]


def direct(world: World) -> list[Message]:
    """List what the agent's owner has in his conversation with the app."""
    return world.slack.messages(world.workspace.direct(SAM).id)


async def to_the_owner(world: World) -> Message:
    """Give the newest direct message to the agent's owner."""
    await world.settled()
    return direct(world)[-1]


def shown(page: httpx.Response) -> tuple[str, str]:
    """Give the key and the callback secret that a page shows."""
    assert page.status_code == 200, page.text
    key, secret = re.findall(r"<pre><code[^>]*>([^<]+)</code></pre>", page.text)
    return html.unescape(key), html.unescape(secret)


async def works(world: World, key: str) -> bool:
    """Tell whether an agent's key opens anything."""
    return (await world.client(key).get("/v1/agent")).status_code == 200


async def test_the_owner_ends_the_keys_and_makes_a_new_one_from_the_same_message(paged: PagedWorld) -> None:
    """Old keys die at the press; the page makes the new one, which works; who did both is on record."""
    link = link_in(await end_keys(paged, SAM))
    assert not await works(paged, paged.agent.key)
    async with httpx.AsyncClient() as browser:
        look = await browser.get(link)
        assert "Make and show the new key" in look.text
        assert "refund-bot is paused still" in look.text
        key, secret = shown(await browser.post(link))
    assert secret.startswith("whsec_")
    assert (await works(paged, key), await works(paged, paged.agent.key)) == (True, False)
    ended, made = paged.ledger().events(AgentKeysEnded), paged.ledger().events(AgentChanged)
    assert (len(ended), [one.change for one in made]) == (1, ["added", "rotated"])
    assert made[-1].by == ended[0].by
    assert made[-1].by.kind is ActorKind.HUMAN
    assert made[-1].fingerprint
    await paged.settled()
    assert "Sam Okafor (U0SAMOKAFO1) made a new key" in paged.slack.messages(AGENT_OPS)[-1].text


async def test_the_new_key_is_nowhere_but_on_the_page(paged: PagedWorld, caplog: pytest.LogCaptureFixture) -> None:
    """Not in Slack, not in the log of the program, not in the audit log, not in the database."""
    link = link_in(await end_keys(paged, SAM))
    async with httpx.AsyncClient() as browser:
        key, secret = shown(await browser.post(link))
    await paged.settled()
    asked = json.dumps([call.args for call in paged.slack.calls])
    stored = b"".join(path.read_bytes() for path in paged.folder.glob("foureyes.db*"))
    for secret_text in (key, secret, key.split("_", 2)[2]):
        assert secret_text not in asked
        assert secret_text not in caplog.text
        assert secret_text.encode() not in stored
    assert link.rpartition("/")[2] not in caplog.text


async def test_looking_makes_no_key(paged: PagedWorld) -> None:
    """Link previews and mail scanners look, as often as they like; the button works all the same."""
    link = link_in(await end_keys(paged, SAM))
    async with httpx.AsyncClient() as browser:
        for _ in range(3):
            assert (await browser.get(link)).status_code == 200
            assert (await browser.head(link)).status_code == 200
        assert len(paged.ledger().events(AgentChanged)) == 1
        assert (await browser.options(link)).headers["allow"] == "GET, HEAD, OPTIONS, POST"
        shown(await browser.post(link))


async def test_the_page_lets_nothing_out(paged: PagedWorld) -> None:
    """Kept by nobody, framed by nobody, nothing loaded, no address passed on; another site's form makes no key."""
    link = link_in(await end_keys(paged, SAM))
    async with httpx.AsyncClient() as browser:
        foreign = await browser.post(link, headers={"sec-fetch-site": "cross-site"})
        assert (foreign.status_code, "fe_" in foreign.text) == (403, False)
        for page in (await browser.get(link), await browser.post(link)):
            assert page.headers["cache-control"] == "no-store"
            assert page.headers["referrer-policy"] == "no-referrer"
            assert page.headers["x-frame-options"] == "DENY"
            assert "default-src 'none'" in page.headers["content-security-policy"]
            assert "script-src" not in page.headers["content-security-policy"]


async def test_a_link_makes_one_key(paged: PagedWorld) -> None:
    """Pressed again, reloaded, or opened by somebody else: no second key, an alarm on the page, and an entry."""
    link = link_in(await end_keys(paged, SAM))
    async with httpx.AsyncClient() as browser:
        key, _ = shown(await browser.post(link))
        again = await browser.post(link)
        assert (again.status_code, "somebody else has it" in again.text) == (409, True)
        assert (await browser.get(link)).status_code == 409
    assert await works(paged, key)
    assert [event.code for event in paged.ledger().events(SwitchRefused)] == [Refusal.LINK_USED]


async def test_eight_presses_at_once_make_one_key(paged: PagedWorld) -> None:
    """A double click, and worse."""
    link = link_in(await end_keys(paged, SAM))
    async with httpx.AsyncClient() as browser:
        pages = await asyncio.gather(*(browser.post(link) for _ in range(8)))
    assert sorted(page.status_code for page in pages) == [200, *[409] * 7]
    assert len(paged.ledger().events(AgentChanged)) == 2


async def test_a_link_is_over_after_ten_minutes(paged: PagedWorld) -> None:
    """Then the message to the owner has another one."""
    link = link_in(await end_keys(paged, SAM))
    paged.clock.move(timedelta(minutes=10, seconds=1))
    async with httpx.AsyncClient() as browser:
        for page in (await browser.get(link), await browser.post(link)):
            assert (page.status_code, "ten minutes" in page.text) == (410, True)
        another = link_in(await press(paged, SAM, await to_the_owner(paged), "new_key"))
        shown(await browser.post(another))


@pytest.mark.parametrize("change", ["agent", "seq", "person", "mac"])
async def test_a_link_that_was_changed_is_none(paged: PagedWorld, change: str) -> None:
    """Nobody makes a link for another agent, another time or another person."""
    other = await paged.add_agent("other-bot", SAM, "payments.refund")
    link = link_in(await end_keys(paged, SAM))
    front, _, name = link.rpartition("/")
    agent, seq, person, ends, mac = name.split(".")
    words = {"agent": agent, "seq": seq, "person": person, "ends": ends, "mac": mac}
    words[change] = {"agent": other.agent.id, "seq": str(int(seq) + 1), "person": "pers_1", "mac": "0" * 64}[change]
    async with httpx.AsyncClient() as browser:
        assert (await browser.post(f"{front}/{'.'.join(words.values())}")).status_code == 410
        assert (await browser.get(f"{front}/nonsense")).status_code == 410
    assert len(paged.ledger().events(AgentChanged)) == 2


async def test_somebody_else_ends_the_keys_and_the_owner_makes_the_new_one(paged: PagedWorld) -> None:
    """Whoever may resume stops the agent; the key is for who answers for it, and who can never approve for it."""
    said = await end_keys(paged, MAYA)
    assert LINK.search(said) is None
    assert "Its owner, Sam Okafor" in said
    message = await to_the_owner(paged)
    assert "Maya Chen (U0MAYACHEN1) ended every key of your agent refund-bot" in message.text
    assert "only the agent's owner" in (await press(paged, MAYA, message, "new_key")).lower()
    link = link_in(await press(paged, SAM, message, "new_key"))
    async with httpx.AsyncClient() as browser:
        key, _ = shown(await browser.post(link))
    assert await works(paged, key)
    message = await to_the_owner(paged)
    assert buttons_of(message) == []
    assert "Sam Okafor (U0SAMOKAFO1) made a new key" in json.dumps(message.blocks, ensure_ascii=False)
    assert "This is settled" in await press_old(paged, message)
    assert [one.code for one in paged.ledger().events(SwitchRefused)] == [Refusal.NOT_OPERATOR, Refusal.LINK_USED]


async def press_old(world: World, message: Message) -> str:
    """Press the button that stood there before, as a screen that was not refreshed still shows it."""
    seq = next(one.seq for one in world.ledger().recorded if isinstance(one.event, AgentKeysEnded))
    stale = button(NEW_KEY, Safe("Make a new key …"), new_key_value(world.agent.agent.id, seq))
    message.blocks.append({"type": "actions", "block_id": "stale", "elements": [stale]})
    return await press(world, SAM, message, "new_key")


@pytest.mark.parametrize("since", ["revoked", "rotated", "ended"])
async def test_what_happened_in_between_ends_the_link(paged: PagedWorld, since: str) -> None:
    """Revoked, or given a key on the server, or ended once more: an earlier link makes nothing."""
    link = link_in(await end_keys(paged, SAM))
    run = paged.running.wiring.writer.run
    if since == "revoked":
        await run(RevokeAgent("refund-bot", "root"))
    elif since == "rotated":
        await run(RotateAgent("refund-bot", timedelta(), "root", new_token))
    else:
        await press(paged, JONAS, paged.slack.messages(AGENT_OPS)[0], "pause_end_keys")
    told = {"revoked": "was revoked", "rotated": "used up", "ended": "used up"}[since]
    async with httpx.AsyncClient() as browser:
        for page in (await browser.get(link), await browser.post(link)):
            assert (page.status_code in {409, 410}, told in page.text) == (True, True)
    assert [one.change for one in paged.ledger().events(AgentChanged)] == [
        "added",
        *([since] if since != "ended" else []),
    ]
    first = [one for one in direct(paged) if "ended every key" in one.text]
    await paged.settled()
    assert buttons_of(first[0]) == []


async def test_a_link_of_somebody_who_left_makes_nothing(paged: PagedWorld) -> None:
    """The owner is deactivated between the press and the page; while Slack says nothing, nothing is made either."""
    link = link_in(await end_keys(paged, SAM))
    await paged.settled()
    paged.clock.move(timedelta(minutes=2))
    paged.slack.fail("users.info", ServerError(), times=9)
    async with httpx.AsyncClient() as browser:
        down = await browser.post(link)
        assert (down.status_code, "try again" in down.text) == (503, True)
        paged.slack.faults.clear()
        paged.slack.change_user(SAM, deleted=True)
        paged.clock.move(timedelta(minutes=2))
        gone = await browser.post(link)
    assert (gone.status_code, "may not make a key" in gone.text) == (403, True)
    codes = [event.code for event in paged.ledger().events(SwitchRefused)]
    assert codes == [Refusal.DIRECTORY_DOWN, Refusal.DEACTIVATED]


async def test_a_button_that_nobody_posted_gives_no_link(paged: PagedWorld) -> None:
    """For an agent that there is none of, for a time at which nothing ended, and with what nobody can read."""
    await end_keys(paged, SAM)
    message = await to_the_owner(paged)
    (real,) = buttons_of(message)
    for value in ("agent_0|3", real["value"].rpartition("|")[0] + "|2", "nonsense"):
        real["value"] = value
        assert LINK.search(await press(paged, SAM, message, "new_key")) is None
    assert len(paged.ledger().events(SwitchRefused)) == 2


async def test_an_owner_who_was_erased_is_told_nothing_and_makes_nothing(paged: PagedWorld) -> None:
    """His name is gone from the log; a link of his leads nowhere, and no message is a dead letter for it."""
    link = link_in(await end_keys(paged, SAM))
    await paged.settled()
    owner = paged.agent.agent.owner

    def erased(tx: Transaction) -> None:
        for sql in people.FORGET:
            tx.write(sql, (owner,))
        for event in erasures(tx.at, system("retention"), Why.PERSON, (), AgentText("asked"), (owner,)):
            tx.record(event)

    await paged.running.wiring.writer.run(erased)
    async with httpx.AsyncClient() as browser:
        assert [(await browser.get(link)).status_code, (await browser.post(link)).status_code] == [410, 410]
    await paged.running.wiring.writer.run(RotateAgent("refund-bot", timedelta(), "root", new_token))
    await paged.settled()
    with paged.db() as db:
        assert db.execute("SELECT count(*) FROM outbox WHERE state = 'dead'").fetchone()[0] == 0


async def test_a_resume_in_between_does_not_matter(paged: PagedWorld) -> None:
    """The pause and the key are two things: the page says no more that the agent is paused."""
    link = link_in(await end_keys(paged, SAM))
    await paged.say(MAYA, "resume agent refund-bot")
    async with httpx.AsyncClient() as browser:
        assert "is paused still" not in (await browser.get(link)).text
        key, _ = shown(await browser.post(link))
    assert (await paged.post_proposal(42, client=paged.client(key))).status_code == 201


async def test_without_pages_the_machine_makes_the_key(world: World) -> None:
    """The modal and the message to the owner name the command; no button leads nowhere."""
    assert "foureyes agent rotate refund-bot" in await end_keys(world, SAM)
    message = await to_the_owner(world)
    assert buttons_of(message) == []
    assert "foureyes agent rotate refund-bot" in json.dumps(message.blocks)
    assert "foureyes agent rotate" in await press_old(world, message)
    async with httpx.AsyncClient() as browser:
        assert (await browser.get(f"{world.url}/new-key/x")).status_code == 404
