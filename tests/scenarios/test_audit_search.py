"""Searching over HTTP: what was asked for is found, nobody is shown more than the key shows, each look is recorded."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from approval_rules.auditor_events import AuditLooked
from bot.clock import new_token
from bot.held_keys import AUDITOR, GiveKey, TakeKey
from bot.slack_standin.workspace import JONAS, MAYA, PRIYA, SAM
from bot.store import erasing
from bot.store.transaction import Transaction
from tests.auditing import auditor, found
from tests.scenarios.test_policy_reload import reloaded
from tests.world import TOOL, World


async def search(client: httpx.AsyncClient, **by: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - JSON
    """Search, and give every hit of every page."""
    hits: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        page = found(await client.get("/v1/audit/search", params={**by, **({"after": after} if after else {})}))
        hits += page["found"]
        after = page["after"]
        if after is None:
            return hits


async def ids(client: httpx.AsyncClient, **by: Any) -> list[str]:  # noqa: ANN401 - JSON
    """Search, and name what was found."""
    return [hit["proposal"] for hit in await search(client, **by)]


@pytest.fixture
async def stories(world: World) -> dict[str, str]:
    """Three proposals, ten minutes apart: a small one that ran, one that Maya denied, one that two approved."""
    small = await world.propose(42, summary="Émile's espresso machine leaks.")
    assert (await world.claim(small)).status_code == 200
    await world.report(small)
    await world.move(minutes=10)
    denied = await world.propose(180)
    await world.deny(MAYA, await world.packet_of(denied), "The carrier pays for Zebedee.")
    await world.move(minutes=10)
    approved = await world.propose(300.5)
    await world.approve(approved, MAYA, JONAS)
    return {"small": small["id"], "denied": denied["id"], "approved": approved["id"]}


async def test_each_filter_finds_what_it_names(world: World, stories: dict[str, str]) -> None:
    """By time, person, agent, tool, amount, state, rule and words, alone and together; newest first."""
    client = await auditor(world, "lang", values=True)
    small, denied, approved = stories["small"], stories["denied"], stories["approved"]
    with world.db() as db:
        (name,) = db.execute("SELECT name FROM people WHERE user_id = ?", (MAYA,)).fetchone()
    rule = (await search(client, state="denied"))[0]["rule"]
    middle = (world.clock() - timedelta(minutes=10)).isoformat()
    maya = {vote["person"] for hit in await search(client, state="denied") for vote in hit["votes"]}.pop()
    wanted: list[tuple[dict[str, str], list[str]]] = [
        ({}, [approved, denied, small]),
        ({"from": middle}, [approved]),
        ({"to": middle}, [denied, small]),
        ({"from": f"{world.clock():%Y-%m-%d}", "to": f"{world.clock():%Y-%m-%d}"}, [approved, denied, small]),
        ({"from": "2031-01-01"}, []),
        ({"to": "2019-01-01"}, []),
        ({"person": MAYA}, [approved, denied]),
        ({"person": f"<@{MAYA}>"}, [approved, denied]),
        ({"person": name.upper()}, [approved, denied]),
        ({"person": maya}, [approved, denied]),
        ({"person": JONAS}, [approved]),
        ({"person": "nobody at all"}, []),
        ({"agent": "refund-bot"}, [approved, denied, small]),
        ({"agent": "other-bot"}, []),
        ({"tool": TOOL}, [approved, denied, small]),
        ({"tool": "a.b"}, []),
        ({"state": "denied"}, [denied]),
        ({"state": "succeeded"}, [small]),
        ({"rule": rule}, [approved, denied]),
        ({"currency": "USD"}, [approved, denied, small]),
        ({"currency": "usd", "min": "42", "max": "180"}, [denied, small]),
        ({"currency": "usd", "min": "42.01", "max": "300.49"}, [denied]),
        ({"currency": "eur"}, []),
        ({"text": "zebedee"}, [denied]),
        ({"text": "EMILE machine"}, [small]),
        ({"text": "machine zebedee"}, []),
        ({"text": "PARCEL", "person": JONAS, "currency": "usd", "min": "300"}, [approved]),
    ]
    for by, expected in wanted:
        assert await ids(client, **by) == expected, by
        assert await ids(client, **by, limit=1) == expected, by


async def test_what_is_told_of_a_hit(world: World, stories: dict[str, str]) -> None:
    """The state in words, the amount, who decided by name; a key without values is told none of what was written."""
    client = await auditor(world, "lang", values=True)
    plain = await auditor(world, "plain")
    (hit,) = await search(client, state="denied")
    assert (hit["proposal"], hit["told"], hit["agent"]["name"]) == (stories["denied"], "denied", "refund-bot")
    assert hit["amounts"] == [{"currency": "usd", "amount": "180"}]
    assert "$180.00" in hit["action"]
    ((vote),) = hit["votes"]
    assert MAYA in vote["name"]
    (bare,) = await search(plain, state="denied")
    assert {*hit} - {*bare} == {"amounts", "action"}
    assert bare["votes"] == [{"person": vote["person"], "decision": "deny"}]
    assert await ids(plain, person=vote["person"]) == [stories["approved"], stories["denied"]]


async def test_a_key_without_values_cannot_ask_about_them(world: World) -> None:
    """A yes or no would tell: what was written, how much, and whose a pseudonym is."""
    plain = await auditor(world, "plain")
    for by in ({"text": "parcel"}, {"currency": "usd"}, {"person": MAYA}, {"person": "Maya Chen"}):
        answer = await plain.get("/v1/audit/search", params=by)
        assert (answer.status_code, answer.json()["code"]) == (403, "values-not-shown"), by
    answer = await plain.get("/v1/audit/stream", params={"values": "true"})
    assert (answer.status_code, answer.json()["code"]) == (403, "values-not-shown")


async def test_each_look_at_values_is_recorded(world: World, stories: dict[str, str]) -> None:
    """Who, with which key, by what kinds of things, how many: and never what was asked for."""
    client = await auditor(world, "lang", values=True)
    await client.get("/v1/audit/search", params={"text": "zebedee", "agent": "refund-bot"})
    await (await auditor(world, "plain")).get("/v1/audit/search")
    (look,) = world.ledger().events(AuditLooked)
    assert (look.what, look.found, look.filters, look.by.kind.value) == ("search", 1, ("agent", "text"), "auditor-key")
    assert world.ledger().user(look.by.ref) == "lang"
    with world.db() as db:
        (body,) = db.execute("SELECT body FROM entries WHERE type = 'auditor.looked'").fetchone()
    assert b"zebedee" not in body
    assert stories["denied"].encode() not in body


async def test_pages_neither_skip_nor_double_while_the_log_grows(world: World) -> None:
    """What was there when the first page was read comes exactly once, however much is added meanwhile."""
    client = await auditor(world, "lang")
    before = [(await world.propose(40 + number))["id"] for number in range(7)]
    page = found(await client.get("/v1/audit/search", params={"limit": 3}))
    got = [hit["proposal"] for hit in page["found"]]
    while page["after"] is not None:
        await world.propose(41)
        page = found(await client.get("/v1/audit/search", params={"limit": 3, "after": page["after"]}))
        got += [hit["proposal"] for hit in page["found"]]
    assert got == before[::-1]


async def test_a_cursor_belongs_to_its_search(world: World) -> None:
    """One of another search, or of nobody, is refused by name."""
    client = await auditor(world, "lang")
    for _ in range(3):
        await world.propose(42)
    after = found(await client.get("/v1/audit/search", params={"limit": 1}))["after"]
    for params in ({"after": after, "state": "denied"}, {"after": after + "AA"}, {"after": "x"}, {"after": "!"}):
        answer = await client.get("/v1/audit/search", params=params)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "?after"), params


async def test_what_cannot_be_searched_by_is_named(world: World) -> None:
    """A parameter that is wrong is pointed at; an amount needs its currency."""
    client = await auditor(world, "lang", values=True)
    for name, value, pointer in (
        ("from", "yesterday", "?from"),
        ("max", "12", "?currency"),
        ("text", "!", "?text"),
        ("limit", "201", "?limit"),
        ("colour", "red", "?colour"),
    ):
        answer = await client.get("/v1/audit/search", params={name: value})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
    answer = await client.get("/v1/audit/stream", params={"after": "x"})
    assert answer.json()["errors"][0]["pointer"] == "?after"
    answer = await client.get("/v1/audit/stream", params={"format": "xml"})
    assert answer.json()["errors"][0]["pointer"] == "?format"
    answer = await client.get("/v1/audit/stream", params={"values": "1"})
    assert answer.json()["errors"][0]["pointer"] == "?values"


async def test_what_was_erased_is_not_found_by_its_words(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a value its words and amounts leave the index; what stands in the log for ever still finds it."""
    client = await auditor(world, "lang", values=True)
    proposal = await world.propose(180, summary="Zebedee's parcel")
    await world.settled()
    assert await ids(client, text="zebedee") == await ids(client, currency="usd") == [proposal["id"]]
    await world.move(days=31)
    with monkeypatch.context() as cut:  # the server is cut between the end of the keys and that of the rows
        cut.setattr(erasing, "drop_some", lambda _tx: False)
        await world.running.retention.look()
        assert await ids(client, text="zebedee") == []
        followed = await client.get("/v1/audit/stream", params={"values": "true", "limit": 1000})
        assert "ebedee" not in followed.text
        world.verify_log()
    await world.running.retention.look()
    with world.db() as db:
        assert db.execute("SELECT count(*) FROM search_words WHERE name = 'summary'").fetchone() == (0,)
        assert db.execute("SELECT count(*) FROM search_amounts").fetchone() == (1,)
    assert await ids(client, currency="usd") == await ids(client, text="C-1") == [proposal["id"]]
    await world.move(days=365)
    await world.running.retention.look()
    with world.db() as db:
        assert db.execute("SELECT count(*) FROM search_words WHERE entry < 20").fetchone() == (0,)
        assert db.execute("SELECT count(*) FROM search_amounts").fetchone() == (0,)
    assert await ids(client, currency="usd") == await ids(client, text="C-1") == []
    (hit,) = await search(client, state="expired")
    assert (hit["erased"], hit["action"], hit["amounts"]) == (True, None, [])


async def test_what_policy_hides_is_not_found(world: World) -> None:
    """A search cannot tell what no packet shows: a hidden field is found by neither its words nor its amount."""
    file = world.policy / f"{TOOL}.yml"
    client = await auditor(world, "lang", values=True)
    shown = await world.propose(42)
    assert await ids(client, text="C-1") == [shown["id"]]
    await world.stop()
    file.write_text(file.read_text("utf-8").replace('"card_number"', '"customer_id"'), "utf-8")
    await world.start()
    client = world.client(str(client.headers["Authorization"]).removeprefix("Bearer "))
    hidden = await world.propose(43)
    assert hidden["id"] not in await ids(client, text="C-1")
    assert hidden["id"] in await ids(client, text="parcel")


async def test_a_key_opens_nothing_else(world: World) -> None:
    """It cannot propose, read, claim, pause or resume; no other key searches; a revoked one is nothing at once."""
    client = await auditor(world, "lang", values=True)
    proposal = await world.propose(180)
    for method, path in (
        ("POST", "/v1/proposals"),
        ("GET", f"/v1/proposals/{proposal['id']}"),
        ("POST", f"/v1/proposals/{proposal['id']}/claim"),
        ("POST", f"/v1/proposals/{proposal['id']}/cancel"),
        ("GET", "/v1/agent"),
        ("POST", "/v1/operator/pause"),
        ("GET", "/v1/operator/status"),
    ):
        assert (await client.request(method, path, json={} if method == "POST" else None)).status_code == 401, path
    for path in ("/v1/audit/search", "/v1/audit/stream"):
        assert (await world.http.get(path)).status_code == 401
        assert (await world.client("nobody").get(path)).status_code == 401
    await world.running.wiring.writer.run(TakeKey(AUDITOR, "lang", "root"))
    assert (await client.get("/v1/audit/search")).status_code == 401
    forged = GiveKey(AUDITOR, "lang", "root", new_token, (True,))
    key = (await world.running.wiring.writer.run(forged)).key
    assert (await world.client(key[:-1] + ("A" if key[-1] != "A" else "B")).get("/v1/audit/search")).status_code == 401


async def test_a_key_has_a_pace(world: World) -> None:
    """More than 120 requests within a minute are put off; a minute later it may again."""
    client = await auditor(world, "lang")
    answers = await asyncio.gather(*(client.get("/v1/audit/stream") for _ in range(121)))
    assert sorted(answer.status_code for answer in answers) == [200] * 120 + [429]
    late = next(answer for answer in answers if answer.status_code == 429)
    assert (late.json()["code"], late.headers["Retry-After"]) == ("too-many-requests", "10")
    await world.move(minutes=2)
    assert (await client.get("/v1/audit/stream")).status_code == 200


async def test_an_index_that_lies_hides_and_never_shows(world: World, stories: dict[str, str]) -> None:
    """What the index names is checked against the log: a planted row finds nothing that does not fit."""
    client = await auditor(world, "lang", values=True)
    pending = await world.propose(77)
    assert await ids(client, text="zebedee") == [stories["denied"]]
    with world.db() as db:
        (seq,) = db.execute("SELECT seq FROM search_rows WHERE proposal = ?", (pending["id"],)).fetchone()
        marks = db.execute("SELECT word FROM search_words WHERE name = 'reason'").fetchall()
    lies = [
        *(("INSERT INTO search_words VALUES (?, ?, ?, 'planted')", (mark, seq, seq)) for (mark,) in marks),
        ("INSERT INTO search_terms VALUES ('state:denied', ?)", (seq,)),
        ("INSERT INTO search_amounts VALUES ('usd', 5000000, ?, ?)", (seq, seq)),
        ("UPDATE search_rows SET at = '2020-01-01T00:00:00.000000Z' WHERE seq = ?", (seq,)),
    ]

    def lie(tx: Transaction) -> None:
        for sql, values in lies:
            tx.write(sql, values)

    await world.running.wiring.writer.run(lie)
    assert await ids(client, text="zebedee") == [stories["denied"]]
    assert await ids(client, state="denied") == [stories["denied"]]
    assert await ids(client, currency="usd", min="4", max="6") == []
    assert pending["id"] not in await ids(client, to="2020-06-01")
    truth = [
        ("DELETE FROM search_terms WHERE term = 'state:denied' AND seq = ?", (seq,)),
        ("DELETE FROM search_amounts WHERE amount = 5000000 AND seq = ?", (seq,)),
        ("UPDATE search_rows SET at = ? WHERE seq = ?", (pending["created_at"], seq)),
        ("DELETE FROM search_words WHERE name = 'planted' AND seq = ?", (seq,)),
    ]
    lies[:] = truth
    await world.running.wiring.writer.run(lie)


async def test_whoever_had_a_part_is_found(world: World) -> None:
    """Whoever started it, and whoever was refused at it, by id and by e-mail address; nobody else."""
    client = await auditor(world, "lang", values=True)
    proposal = await world.propose(180, run={"started_by": MAYA})
    assert await ids(client, person=MAYA) == [proposal["id"]]
    packet = await world.packet_of(proposal)
    await world.click(SAM, packet, "approve")
    for who in (SAM, world.workspace.users[SAM].address.upper()):
        assert await ids(client, person=who) == [proposal["id"]], who
    assert await ids(client, person=world.workspace.users[JONAS].address) == []
    await world.approve(proposal, JONAS, PRIYA)
    await world.move(hours=2)
    assert (await search(client, person=PRIYA))[0]["told"] == "approved, and lapsed unused"


async def test_what_was_lowered_is_found_by_what_holds_now(world: World) -> None:
    """By the rule that judges it now, and by no word that the policy hides since; the index is what the log says."""
    client = await auditor(world, "lang", values=True)
    page = world.policy / f"{TOOL}.yml"
    text = page.read_text("utf-8").replace("  rules:", "  editable: [amount_usd]\n  rules:")
    await reloaded(world, text)
    proposal = await world.propose(180, arguments={"amount_usd": 180, "card_number": "4711", "seat": "12b"})
    packet = await world.packet_of(proposal)
    assert await ids(client, rule=f"{TOOL}#3") == await ids(client, text="12b") == [proposal["id"]]
    await reloaded(world, text.replace("redact_fields: [", 'redact_fields: ["seat", '))
    await world.fill(MAYA, packet, "lower", {"lower.0": {"amount_usd": "20"}})
    assert await ids(client, rule=f"{TOOL}#1") == await ids(client, state="approved") == [proposal["id"]]
    assert await ids(client, rule=f"{TOOL}#3") == await ids(client, text="12b") == []
    world.verify_log()
