"""Nobody answered: that is `expired` and never `denied`, wherever somebody can read of it."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from approval_rules.events import Denied, Expired
from bot.slack_standin.workspace import MAYA
from tests.auditing import auditor, found
from tests.bot.cli.living import Living
from tests.bot.delivery.receiver import Receiver


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """Listen for callbacks on loopback."""
    async with Receiver() as made:
        yield made


def spoke_of_a_no(text: str) -> bool:
    """Tell whether a text says denied, but for the words that say that it is not."""
    return "denied" in text.lower().replace("which is not 'denied'", "").replace("not denied", "")


async def unanswered(living: Living, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Propose a refund and let nobody answer for four hours."""
    world = living.world
    asked = await world.propose(180, **more)
    await world.packet_of(asked)
    await world.move(hours=4, minutes=1)
    await world.running.sweeps.pass_time()
    await world.settled()
    return asked


async def test_the_agent_and_its_program_are_told_expired(living: Living, receiver: Receiver) -> None:
    """The API's state, reason and lists, the claim's problem, the callback and the exit code of `ask`."""
    world = living.world
    asked = await unanswered(living, callback_url=receiver.url())
    read = await world.read(asked)
    assert (read["state"], read["expired_why"], read["votes"]) == ("expired", "unanswered", [])
    assert not spoke_of_a_no(json.dumps(read))
    listed = {
        state: (await world.http.get(f"/v1/proposals?state={state}")).json()["data"] for state in ("expired", "denied")
    }
    assert ([one["id"] for one in listed["expired"]], listed["denied"]) == ([asked["id"]], [])
    refused = await world.claim(asked)
    assert (refused.status_code, refused.json()["code"]) == (410, "expired")
    assert "Nobody said no" in (await world.http.get("/docs/problems")).text
    told = [json.loads(request.body) for request in receiver.requests]
    assert [(one["type"], one["data"]["state"]) for one in told] == [("proposal.expired", "expired")]
    asking = asyncio.create_task(living.ask("--timeout", "90d"))
    await world.until(lambda: _waits(living), "a proposal")
    await world.move(days=30)
    ended = await asking
    assert (ended.code, ended.out) == (5, "")
    assert "expired: nobody decided in time" in ended.err
    assert not spoke_of_a_no(ended.err)


async def _waits(living: Living) -> bool:
    with living.world.db() as db:
        return db.execute("SELECT 1 FROM proposals WHERE state = 'pending'").fetchone() is not None


async def test_people_are_told_expired(living: Living) -> None:
    """The packet, its thread, `/agent show` and `pending`, and the app's home."""
    world = living.world
    packet_of = await unanswered(living)
    packet = await world.packet_of(packet_of)
    assert "Expired unanswered at" in str(packet.blocks)
    assert "told 'expired', which is not 'denied'" in str(packet.blocks)
    assert (await world.slack.open_home(MAYA)).ok
    home = world.slack.home(MAYA)
    said = [str(packet.blocks), packet.text, *world.thread(packet), str(home and home.view)]
    for command in ("pending", f"show {packet_of['id']}"):
        await world.say(MAYA, command)
        said.append(str(world.slack.ephemerals(MAYA)[-1].blocks))
    assert [text for text in said if spoke_of_a_no(text)] == []
    assert "Expired unanswered at" in said[-1]
    late = await world.click(MAYA, packet, force=True)
    assert "expired" in late
    assert not spoke_of_a_no(late)


async def test_operators_and_auditors_are_told_expired(living: Living, tmp_path: Path) -> None:
    """The log, the metrics, the command line, the search, the evidence pack, and no case for the policy's tests."""
    world = living.world
    asked = await unanswered(living)
    ledger = world.ledger()
    assert ([event.why for event in ledger.events(Expired)], ledger.events(Denied)) == (["unanswered"], [])
    metrics = (await world.http.get("/metrics")).text
    assert 'foureyes_events_total{type="proposal.expired"} 1.0' in metrics
    assert not spoke_of_a_no("\n".join(line for line in metrics.splitlines() if not line.startswith("#")))
    shown = (await living("show", asked["id"], "--json")).json()
    assert (shown["state"], shown["expired_why"]) == ("expired", "unanswered")
    client: httpx.AsyncClient = await auditor(world, "lang", values=True)
    hits = {
        state: found(await client.get("/v1/audit/search", params={"state": state}))["found"]
        for state in ("expired", "denied")
    }
    assert ([hit["proposal"] for hit in hits["expired"]], hits["denied"]) == ([asked["id"]], [])
    assert (await living("audit", "prove", asked["id"], "--to", str(tmp_path / "pack"))).code == 0
    pack = [path for path in (tmp_path / "pack").rglob("*") if path.suffix in (".json", ".html", ".txt", ".md")]
    texts = {path.name: path.read_text("utf-8", "replace") for path in pack}
    assert any("expired" in text for text in texts.values())
    assert (await living("policy", "cases", "export", "--since", "30d")).out.strip() == ""


async def test_approved_and_not_used_in_time_is_expired_too(living: Living) -> None:
    """Another reason, and the same word: people said yes, and the agent never came."""
    world = living.world
    asked = await world.propose(180)
    packet = await world.approve(asked)
    await world.move(hours=1, minutes=1)
    await world.running.sweeps.pass_time()
    await world.settled()
    read = await world.read(asked)
    assert (read["state"], read["expired_why"]) == ("expired", "unclaimed")
    assert (await world.claim(asked)).json()["code"] == "expired"
    assert not spoke_of_a_no(str(packet.blocks))
