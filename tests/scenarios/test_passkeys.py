"""Scenarios: a passkey from the link in Slack to the counted vote, and what hostile people do with the page."""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from approval_rules.events import Voted, VoteRefused
from approval_rules.people import Actor, ActorKind
from bot.desk.versions import roll_back
from bot.settings import SettingsError
from bot.slack_standin.workspace import JONAS, MAYA, SAM
from tests.authenticator import Passkey
from tests.passkey_world import PasskeyWorld, code_in, url_in


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[PasskeyWorld]:
    """Start a whole product with pages; whatever happened, the log must verify at the end."""
    async with PasskeyWorld(tmp_path) as made:
        yield made
        made.verify_log()


async def test_the_same_code_stands_in_slack_on_the_page_and_in_the_receipt(world: PasskeyWorld) -> None:
    """From the link to two passkeys and the permission: eight characters, the same in the packet's vote line too."""
    keys = await world.holding(MAYA, JONAS)
    proposal = await world.propose()
    packet = await world.packet_of(proposal)
    codes = []
    for user, key in zip((MAYA, JONAS), keys, strict=True):
        view = await world.press(user, packet)
        codes.append(code_in(view))
        shown = await world.look(url_in(view))
        assert codes[-1] in shown.text
        assert "Refund $180.00" in shown.text
        assert "Approve $180.00 refund with passkey" in shown.text
        told = await world.post(shown, key.answer(shown.challenge, world.lie()))
        assert told.status_code == 200
        assert "Your approval counts" in told.json()["said"]
    assert (await world.read(proposal))["state"] == "approved"
    assert (await world.claim(proposal)).status_code == 200
    votes = world.ledger().events(Voted)
    assert [vote.proof.code for vote in votes if vote.proof] == codes

    async def receipt() -> bool:
        return any(all(code in reply for code in codes) for reply in world.thread(packet))

    await world.until(receipt, "a receipt with both codes")

    async def lines() -> bool:
        shown = world.slack.world.conversations.find(packet.channel, packet.ts)
        return shown is not None and all(f"with a passkey (code {code})" in str(shown.blocks) for code in codes)

    await world.until(lines, "vote lines with both codes")


async def test_looking_at_the_page_changes_nothing(world: PasskeyWorld) -> None:
    """Link previews, prefetching browsers and mail scanners look too: the link works afterwards as before."""
    (key,) = await world.holding(MAYA)
    shown = await world.page_for(MAYA, await world.packet_of(await world.propose()))
    async with httpx.AsyncClient(trust_env=False) as http:
        for method in ("GET", "HEAD", "OPTIONS"):
            assert (await http.request(method, shown.url)).status_code in (200, 204)
        assert (await http.put(shown.url)).status_code == 405
    assert world.ledger().events(Voted) == []
    assert (await world.post(shown, key.answer(shown.challenge, world.lie()))).status_code == 200


async def test_the_page_can_be_framed_and_fed_by_nobody(world: PasskeyWorld) -> None:
    """One script and one style, named by their digests; no frame, no referrer, no cache, no cookie."""
    await world.holding(MAYA)
    shown = await world.page_for(MAYA, await world.packet_of(await world.propose()))
    policy = shown.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "'unsafe" not in policy
    assert (shown.headers["x-frame-options"], shown.headers["referrer-policy"]) == ("DENY", "no-referrer")
    assert (shown.headers["cache-control"], shown.headers["x-content-type-options"]) == ("no-store", "nosniff")
    assert "set-cookie" not in shown.headers


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
async def test_another_site_cannot_send_an_answer(world: PasskeyWorld, headers: dict[str, str]) -> None:
    """Not even the right answer, and the ticket is not used up by it."""
    (key,) = await world.holding(MAYA)
    shown = await world.page_for(MAYA, await world.packet_of(await world.propose()))
    answer = key.answer(shown.challenge, world.lie())
    assert (await world.post(shown, answer, **headers)).status_code == 403
    assert world.ledger().events(Voted) == []
    assert (await world.post(shown, answer)).status_code == 200


async def test_what_is_no_answer_is_turned_away_without_using_the_ticket(world: PasskeyWorld) -> None:
    """Too large, not JSON, or of another kind: a problem document, and the person can still answer."""
    (key,) = await world.holding(MAYA)
    shown = await world.page_for(MAYA, await world.packet_of(await world.propose()))
    async with httpx.AsyncClient(trust_env=False, headers={"origin": world.origin}) as http:
        kind = {"content-type": "application/json"}
        assert (await http.post(shown.url, content=b"x" * 300_000, headers=kind)).status_code == 413
        assert (await http.post(shown.url, content=b"{", headers=kind)).status_code == 400
        assert (await http.post(shown.url, data={"a": "b"})).status_code == 415
    assert (await world.post(shown, key.answer(shown.challenge, world.lie()))).status_code == 200


async def test_one_person_at_two_windows_and_in_slack_has_one_vote(world: PasskeyWorld) -> None:
    """Two tickets, both answered at once, and another press: one vote counts, the rest is refused and recorded."""
    (key,) = await world.holding(MAYA)
    proposal = await world.propose()
    packet = await world.packet_of(proposal)
    pages = [await world.page_for(MAYA, packet) for _ in range(3)]
    told = await asyncio.gather(*(world.post(page, key.answer(page.challenge, world.lie())) for page in pages))
    assert sorted(answer.status_code for answer in told) == [200, 409, 409]
    assert "already" in await world.click(MAYA, packet)
    assert len(world.ledger().events(Voted)) == 1
    assert (await world.read(proposal))["state"] == "pending"


async def test_who_has_no_passkey_is_told_how_to_get_one(world: PasskeyWorld) -> None:
    """In Slack, to the clicker only, and recorded."""
    packet = await world.packet_of(await world.propose())
    assert "/agent factor add passkey" in await world.click(JONAS, packet)
    assert [event.code.value for event in world.ledger().events(VoteRefused)] == ["factor-missing"]


async def test_the_owner_is_not_sent_to_a_page(world: PasskeyWorld) -> None:
    """Who may not decide is told so by the press, passkey or not."""
    packet = await world.packet_of(await world.propose())
    assert "you own the agent" in await world.click(SAM, packet)


async def test_an_enrolled_passkey_counts_only_after_another_person(world: PasskeyWorld) -> None:
    """Neither at once, nor by the person's own word."""
    key = Passkey()
    assert (await world.enrol(MAYA, key)).status_code == 200
    packet = await world.packet_of(await world.propose())
    assert "/agent factor add passkey" in await world.click(MAYA, packet)
    await world.say(MAYA, f"factor confirm <@{MAYA}>")
    assert "/agent factor add passkey" in await world.click(MAYA, packet)


async def test_an_enrolment_link_makes_one_passkey(world: PasskeyWorld) -> None:
    """For the person it was made for, with the browser's own proof that it was made here."""
    shown = await world.look(await world.enrolment(MAYA))
    key = Passkey()
    elsewhere = key.make(shown.challenge, world.lie(origin="https://evil.example"))
    assert (await world.post(shown, elsewhere)).status_code == 409
    assert (await world.post(shown, key.make(b"another challenge", world.lie()))).status_code == 409
    unverified = key.make(shown.challenge, world.lie(flags=1))
    assert (await world.post(shown, unverified)).status_code == 409
    answer = key.make(shown.challenge, world.lie())
    assert (await world.post(shown, answer, origin="https://evil.example")).status_code == 403
    assert (await world.post(shown, answer)).status_code == 200
    assert (await world.post(shown, answer)).status_code == 409
    other = await world.look(await world.enrolment(JONAS))
    assert (await world.post(other, key.make(other.challenge, world.lie()))).status_code == 409
    with world.db() as db:
        assert db.execute("SELECT count(*) FROM credentials").fetchone() == (1,)


async def test_a_policy_that_asks_for_passkeys_needs_an_address_for_their_page(world: PasskeyWorld) -> None:
    """Refused at the start and in the folder; where it comes back in another way, the server is not ready."""
    page = world.policy / "payments.refund.yml"
    asking = page.read_text("utf-8")
    await world.stop()
    world.has_pages = False
    with pytest.raises(SettingsError, match=r"payments\.refund asks for a passkey"):
        await world.start()
    world.has_pages = True
    await world.start()
    first = world.running.wiring.policy.folder.version
    page.write_text(asking.replace("passkey", "none"), encoding="utf-8")
    await world.running.watch.look()
    await world.stop()
    world.has_pages = False
    await world.start()
    assert (await world.http.get("/readyz")).status_code == 200
    page.write_text(asking, encoding="utf-8")
    await world.running.watch.look()
    assert "the folder is refused" in (await world.http.get("/readyz")).text
    assert world.running.wiring.policy.folder.version != first
    by = Actor(ActorKind.OPERATOR, "root")
    await world.running.wiring.writer.run(lambda tx: roll_back(tx, first, by))
    await world.running.watch.look()
    ready = await world.http.get("/readyz")
    assert ready.status_code == 503
    assert "passkeys are asked for and there is no page" in ready.text
    assert (await world.look(f"{world.origin}/confirm/anything")).status == 404


async def test_an_unknown_or_old_link_leads_nowhere(world: PasskeyWorld) -> None:
    """The same page for a name that never was and for one that was forgotten."""
    shown = await world.look(f"{world.origin}/confirm/{'x' * 43}")
    assert (shown.status, "Nothing here" in shown.text) == (404, True)
    async with httpx.AsyncClient(trust_env=False, headers={"origin": world.origin}) as http:
        assert (await http.post(shown.url, json={})).status_code == 404


async def test_the_page_says_what_changed_and_asks_no_more(world: PasskeyWorld) -> None:
    """A link of a proposal that is over shows how it ended, without a button."""
    await world.holding(MAYA)
    proposal = await world.propose()
    packet = await world.packet_of(proposal)
    shown = await world.page_for(MAYA, packet)
    await world.deny(JONAS, packet, "No.")
    after = await world.look(shown.url)
    assert "<form" in shown.text
    assert "<form" not in after.text
    assert "decided already" in after.text


async def test_hostile_text_stays_text_on_the_page(world: PasskeyWorld) -> None:
    """What an agent writes is escaped, and what hides is made visible, as in Slack."""
    await world.holding(MAYA)
    summary = '</p><script>alert(1)</script>\u202egniht"><img src=x onerror=alert(2)>'
    packet = await world.packet_of(await world.propose(summary=summary))
    shown = await world.page_for(MAYA, packet)
    assert "&lt;script&gt;alert(1)" in shown.text
    assert shown.text.count("<script>") == 1
    assert "<img" not in shown.text
    assert "\\u{202E}" in shown.text


async def test_no_log_line_has_the_name_of_a_page(
    world: PasskeyWorld,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not even where the page fails, for whoever reads logs must not be able to open it."""
    caplog.set_level(logging.INFO)
    await world.holding(MAYA)
    shown = await world.page_for(MAYA, await world.packet_of(await world.propose()))
    link = await world.enrolment(JONAS)

    def fail(_: object) -> None:
        raise RuntimeError("as when the disk is gone")

    monkeypatch.setattr("bot.desk.confirming.ticket_from", fail)
    monkeypatch.setattr("bot.desk.enrolment.ticket_from", fail)
    assert [(await world.look(url)).status for url in (shown.url, link)] == [500, 500]
    heard = capsys.readouterr()
    # The test's own client logs what it asks for; uvicorn's access log is off, and has no handler but the test's.
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith(("http", "uvicorn.access"))]
    told = "".join([heard.out, heard.err, *ours])
    assert "request failed" in told
    for url in (shown.url, link):
        assert url.rpartition("/")[2] not in told
