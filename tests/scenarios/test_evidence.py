"""Evidence over HTTP: whole for auditors, to agents about their own without what they are not told, to nobody else."""

import io
import json
import sqlite3
import zipfile
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from foureyes_verify import Keys, check_all

from approval_rules.auditor_events import AuditLooked
from bot.evidence import giving
from bot.keys import load
from bot.slack_standin.workspace import JONAS, MAYA, PRIYA, SAM
from tests.auditing import auditor
from tests.bot.delivery.receiver import Receiver
from tests.scenarios.test_lookups import AskingWorld, enforce
from tests.scenarios.test_lookups import answer as looked_up
from tests.world import TOOL, Proposal, World

IBAN = b"DE02120300000000202051"


@pytest.fixture
async def crm() -> AsyncIterator[Receiver]:
    """Another system, which knows everybody's account."""
    async with Receiver([looked_up({"iban": IBAN.decode()})]) as made:
        yield made


@pytest.fixture
async def asking(tmp_path: Path) -> AsyncIterator[World]:
    """A product that may ask the other system."""
    async with AskingWorld(tmp_path / "asking") as made:
        yield made


async def ask(client: httpx.AsyncClient, proposal: Proposal, **more: Any) -> httpx.Response:  # noqa: ANN401 - httpx
    """Ask for evidence."""
    return await client.get(f"/v1/proposals/{proposal['id']}/evidence", **more)


def files(answer: httpx.Response) -> dict[str, bytes]:
    """Unpack a ZIP."""
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def faults(world: World, answer: httpx.Response, path: Path) -> list[str]:
    """Give what the single-file verifier finds wrong."""
    path.write_bytes(answer.content)
    key = load(world.settings.signing_key_file).public_bytes()
    reports, unreadable = check_all([path], Keys((key,), given=True), 1)
    return [*unreadable, *[fault["what"] for report in reports for fault in report.broken]]


async def anchored(world: World) -> None:
    """Wait until nothing is on its way, and have everything so far under the anchor."""
    await world.settled()
    await world.restart()


async def test_an_auditor_gets_all_of_it_and_the_look_is_recorded(world: World, tmp_path: Path) -> None:
    """As a ZIP that the verifier calls whole, with packets and policy; the same again is 304 and no look."""
    proposal = await world.propose()
    await world.approve(proposal)
    await anchored(world)
    client = await auditor(world, "lang", values=True)
    answer = await ask(client, proposal)
    assert answer.headers["content-type"] == "application/zip"
    assert f'filename="evidence-{proposal["id"]}.zip"' in answer.headers["content-disposition"]
    assert answer.headers["cache-control"] == "no-store"
    assert faults(world, answer, tmp_path / "pack.zip") == []
    assert any(name.startswith("packets/") for name in files(answer))
    (look,) = world.ledger().events(AuditLooked)
    assert (look.what, look.found, look.filters) == ("evidence", 1, ())
    again = await ask(client, proposal, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert len(world.ledger().events(AuditLooked)) == 1


async def test_the_page_is_served_under_a_strict_policy(world: World) -> None:
    """For browsers by `Accept`, or by `format=html`; it is the page of the pack."""
    proposal = await world.propose()
    await anchored(world)
    client = await auditor(world, "lang", values=True)
    page = await ask(client, proposal, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert page.headers["content-type"].startswith("text/html")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script" not in policy
    assert page.content == (await ask(client, proposal, params={"format": "html"})).content
    assert page.content == files(await ask(client, proposal, params={"format": "zip"}))["index.html"]
    assert (await ask(client, proposal, params={"format": "pdf"})).json()["code"] == "invalid-query"
    assert (await ask(client, proposal, params={"x": "1"})).status_code == 422


async def test_an_agent_gets_its_own_without_what_it_is_not_told(world: World, tmp_path: Path) -> None:
    """The proofs, the action, the story; not packets, policy, who tried, why colleagues paused, how near it was."""
    proposal = await world.propose()
    packet = await world.packet_of(proposal)
    await world.click(SAM, packet)
    await world.click(MAYA, packet)
    await world.say(PRIYA, f"pause tool {TOOL} COLLEAGUES-ONLY")
    await world.settled()
    await world.say(PRIYA, f"resume tool {TOOL} COLLEAGUES-TOO")
    await world.settled()
    await world.click(JONAS, packet)
    await anchored(world)
    answer = await ask(world.http, proposal)
    assert faults(world, answer, tmp_path / "pack.zip") == []
    got = files(answer)
    assert not [name for name in got if name.startswith(("packets/", "policy/", "votes/"))]
    everything = b"".join(got.values())
    for secret in (b"COLLEAGUES", b"Would run by itself", b"amount_usd <= 50", b"customer_tier in", b"did not count"):
        assert secret not in everything, secret
    assert sum(each.get("withheld", 0) for each in json.loads(got["manifest.json"])["entries"]) > 0
    assert b"This was made for the agent's own key" in got["index.html"]
    told = [moment["what"] for moment in json.loads(got["decision.json"])["story"]]
    assert any("approved as support_manager" in what for what in told)
    assert world.ledger().events(AuditLooked) == []


async def test_what_a_policy_hides_is_hidden_on_the_page(world: World) -> None:
    """Whoever reads it."""
    proposal = await world.propose(
        180, arguments={"amount_usd": 180, "order_id": "ORD-1", "card_number": "4111-SECRET"}
    )
    await anchored(world)
    assert "4111-SECRET" not in (await ask(world.http, proposal, params={"format": "html"})).text


@pytest.mark.parametrize(("hidden", "given"), [("iban", False), ("", True)])
async def test_an_agent_is_not_given_what_was_looked_up_and_is_hidden(
    asking: World, crm: Receiver, tmp_path: Path, hidden: str, *, given: bool
) -> None:
    """In no file of its own pack stands a looked-up value that the policy hides; one that it does not hide does."""
    fact = {"url": crm.url(path="/c/{customer_id}"), "type": "string"}
    rules = f"[{{log: {{redact_fields: [{hidden}]}}}}, {{require_approval: support_manager}}]"
    text = f"policy: {{tool: {TOOL}, facts: {{iban: {json.dumps(fact)}}}, rules: {rules}}}"
    await enforce(asking, text.replace("{log: {redact_fields: []}}, ", ""))
    proposal = await asking.propose()
    assert list(proposal["looked_up"]) == ["iban"]
    await asking.approve(proposal)
    await anchored(asking)
    answer = await ask(asking.http, proposal)
    assert faults(asking, answer, tmp_path / "pack.zip") == []
    assert any(IBAN in data for data in files(answer).values()) == given
    told = b"".join(files(await ask(await auditor(asking, "lang", values=True), proposal)).values())
    assert (IBAN in told) == given, "an auditor looks at what is hidden on record"


async def test_nobody_else_gets_any(world: World) -> None:
    """Another agent, no key, an operator's place, an auditor without values, an id that nobody has."""
    proposal = await world.propose()
    other = world.client((await world.add_agent("other-bot", SAM, TOOL)).key)
    assert (await ask(other, proposal)).status_code == 404
    assert (await ask(world.http, {"id": "prop_none"})).status_code == 404
    assert (await ask(world.client("nobody"), proposal)).status_code == 401
    blind = await auditor(world, "blind")
    refused = await ask(blind, proposal)
    assert (refused.status_code, refused.json()["code"]) == (403, "values-not-shown")


async def test_many_at_once_are_too_many(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key may ask twenty times a minute, and one pack has an end."""
    proposal = await world.propose(30)
    answers = [await ask(world.http, proposal) for _ in range(21)]
    assert [answer.status_code for answer in answers] == [200] * 20 + [429]
    assert int(answers[-1].headers["retry-after"]) > 0
    monkeypatch.setattr(giving, "MOST_ENTRIES", 1)
    await world.move(minutes=2)
    large = await ask(world.http, proposal)
    assert (large.status_code, large.json()["code"]) == (422, "evidence-too-large")


async def test_a_log_that_cannot_be_read_gives_no_pack(tmp_path: Path) -> None:
    """An entry that nobody of ours wrote: 500 `log-broken`, and never something that looks like evidence."""
    async with World(tmp_path / "world") as world:
        proposal = await world.propose(30)
        await world.settled()
        with closing(sqlite3.connect(world.database)) as db:
            for (trigger,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
                db.execute(f"DROP TRIGGER {trigger}")
            changed = "CAST(replace(CAST(body AS TEXT), 'green', 'glean') AS BLOB)"
            db.execute(f"UPDATE entries SET body = {changed} WHERE type = 'proposal.submitted'")  # noqa: S608 - a constant
            db.commit()
        answer = await ask(world.http, proposal)
        assert (answer.status_code, answer.json()["code"]) == (500, "log-broken")
