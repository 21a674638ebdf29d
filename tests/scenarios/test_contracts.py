"""Contracts at intake: what breaks one is refused, recorded and counted, and the agent learns what to do."""

import json
import shutil
from typing import Any

import httpx
import pytest

from approval_rules.events import SubmitRefused, Submitted
from approval_rules.policy_events import PolicyActivated
from approval_rules.text import unwrap_text
from bot.slack_standin.workspace import SAM
from tests.world import EXAMPLES, TOOL, World

GOOD: dict[str, Any] = {"order_id": "ORD-1234", "amount_usd": 42.5, "idempotency_key": "refund-ORD-1234"}
PAYMENT = EXAMPLES.parent / "contracts"


@pytest.fixture
async def guarded(world: World) -> World:
    """A world whose refunds have the example's contract."""
    shutil.copytree(PAYMENT / "contracts", world.policy / "contracts")
    shutil.copy(PAYMENT / f"{TOOL}.yml", world.policy)
    await world.running.watch.look()
    return world


async def send(world: World, arguments: Any, key: str = "k", path: str = "proposals", **more: Any) -> httpx.Response:  # noqa: ANN401 - JSON
    """Propose a refund with these arguments."""
    context = {"facts": {"customer_tier": "pro"}}
    body = {"tool": TOOL, "arguments": arguments, "summary": "x", "context": context, **more}
    return await world.http.post(f"/v1/{path}", headers={"Idempotency-Key": key} if key else {}, json=body)


async def counted(world: World, agent: str = "refund-bot") -> float:
    """Give the counter of one agent and the tool."""
    text = (await world.http.get("/metrics")).text
    name = f'foureyes_contract_violations_total{{agent="{agent}",tool="{TOOL}"}} '
    return sum(float(line.removeprefix(name)) for line in text.splitlines() if line.startswith(name))


async def test_a_violation_is_refused_recorded_and_counted(guarded: World) -> None:
    """422 with a pointer for each fault and no value; one refusal in the log; one more in the counter."""
    arguments = {**GOOD, "amount_usd": 500.01, "cardnumber": "4111111111111111"}
    answer = await send(guarded, arguments)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == "contract-violation"
    assert problem["errors"] == [
        {"pointer": "/arguments/amount_usd", "detail": "must be at most 500"},
        {"pointer": "/arguments/cardnumber", "detail": "unknown field; did you mean card_number?"},
    ]
    assert "4111" not in answer.text
    (event,) = guarded.ledger().events(SubmitRefused)
    assert (event.code, event.tool) == ("contract-violation", TOOL)
    assert "/arguments/amount_usd must be at most 500" in unwrap_text(event.detail)
    assert not guarded.ledger().events(Submitted)
    assert await counted(guarded) == 1
    await send(guarded, arguments, key="k2")
    assert await counted(guarded) == 2


async def test_a_payment_that_lacks_something_falls_back(guarded: World) -> None:
    """The agent is told which fields are missing, and to fall back to a person."""
    problem = (await send(guarded, {"amount_usd": 10})).json()
    assert [error["pointer"] for error in problem["errors"]] == ["/arguments/order_id", "/arguments/idempotency_key"]
    assert all("fall back to a person" in error["detail"] for error in problem["errors"])
    assert "fall back to a person" in problem["detail"]


async def test_what_keeps_the_contract_goes_on(guarded: World) -> None:
    """Good arguments are judged by the rules as ever; the same key after a refusal is free."""
    assert (await send(guarded, {**GOOD, "amount_usd": 0})).status_code == 422
    answer = await send(guarded, GOOD)
    assert (answer.status_code, answer.json()["state"]) == (201, "approved")
    assert (await send(guarded, {**GOOD, "amount_usd": 400}, key="k2")).json()["state"] == "pending"


@pytest.mark.parametrize("dry", ["evaluate", "dry_run"])
async def test_asking_first_records_nothing(guarded: World, dry: str) -> None:
    """Evaluate and dry_run give the same answer, and neither the log nor the counter sees it."""
    before = len(guarded.ledger().recorded)
    more = {"dry_run": True} if dry == "dry_run" else {}
    path = "proposals" if dry == "dry_run" else "evaluate"
    answer = await send(guarded, {**GOOD, "amount_usd": 501}, "", path, **more)
    assert (answer.status_code, answer.json()["code"]) == (422, "contract-violation")
    assert answer.json()["errors"] == [{"pointer": "/arguments/amount_usd", "detail": "must be at most 500"}]
    assert (await send(guarded, GOOD, "", path, **more)).status_code == 200
    assert len(guarded.ledger().recorded) == before
    assert await counted(guarded) == 0


@pytest.mark.parametrize("number", ["500.00000000001", "501", "1e300", "9007199254740993", "500.000000000000000001"])
async def test_no_spelling_of_a_number_passes_the_cap(guarded: World, number: str) -> None:
    """Over the cap is over the cap, whatever the digits; what no digest can carry is refused before that."""
    arguments = json.dumps({**GOOD, "amount_usd": "NUMBER"}).replace('"NUMBER"', number)
    body = f'{{"tool": "{TOOL}", "summary": "x", "arguments": {arguments}}}'
    headers = {"Idempotency-Key": "n", "Content-Type": "application/json"}
    answer = await guarded.http.post("/v1/proposals", headers=headers, content=body)
    assert answer.status_code == 422
    assert answer.json()["code"] in {"contract-violation", "invalid-body"}


async def test_a_retry_of_what_was_accepted_before_the_contract(world: World) -> None:
    """A stricter contract does not change the stored answer of a retry."""
    first = await send(world, {"amount_usd": 42})
    shutil.copytree(PAYMENT / "contracts", world.policy / "contracts")
    shutil.copy(PAYMENT / f"{TOOL}.yml", world.policy)
    await world.running.watch.look()
    again = await send(world, {"amount_usd": 42})
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert await counted(world) == 0


async def test_an_agent_without_the_tool_learns_nothing_of_its_contract(guarded: World) -> None:
    """The refusal is about the tool, recorded as such, and not counted as a violation."""
    client = guarded.client((await guarded.add_agent("other-bot", SAM, "mail.send")).key)
    body = {"tool": TOOL, "arguments": {}, "summary": "x"}
    answer = await client.post("/v1/proposals", headers={"Idempotency-Key": "k"}, json=body)
    assert (answer.status_code, answer.json()["code"]) == (403, "tool-not-allowed")
    assert (await client.post("/v1/evaluate", json=body)).json()["code"] == "tool-not-allowed"
    assert await counted(guarded, "other-bot") == 0


async def test_a_changed_contract_is_a_new_version(guarded: World) -> None:
    """The server notices the file, and proposals pin the new version."""
    file = guarded.policy / "contracts" / f"{TOOL}.json"
    assert (await send(guarded, {**GOOD, "amount_usd": 300})).status_code == 201
    file.write_text(file.read_text("utf-8").replace('"maximum": 500', '"maximum": 250.50'), "utf-8")
    await guarded.running.watch.look()
    answer = await send(guarded, {**GOOD, "amount_usd": 250.51}, key="k2")
    assert answer.json()["errors"] == [{"pointer": "/arguments/amount_usd", "detail": "must be at most 250.5"}]
    versions = [event.version for event in guarded.ledger().events(PolicyActivated)]
    assert len(set(versions)) == len(versions) == 3


async def test_hidden_fields_in_the_packet(guarded: World) -> None:
    """Mask shows dots, hash a short digest, drop neither name nor value; also after a restart."""
    arguments = {**GOOD, "amount_usd": 400, "card_number": "4111", "customer_email": "kim@example.com"}
    await guarded.restart()
    proposal = (await send(guarded, {**arguments, "internal_note": "VIP, be generous"})).json()
    shown = json.dumps((await guarded.packet_of(proposal)).blocks, ensure_ascii=False)
    assert "••• (hidden by policy)" in shown
    assert "sha256:5d9a0087 (hidden by policy)" in shown
    assert "a field is left out" in shown
    for secret in ("4111", "kim@example.com", "internal_note", "generous"):
        assert secret not in shown


async def test_what_is_touched_asks_people(world: World) -> None:
    """A rule reads the contract's annotations; an agent that brings the name itself is refused."""
    page = (
        f"policy:\n  tool: {TOOL}\n"
        "  contract: {properties: {amount_usd: {type: number}, customer: {properties: {email: {x-touches: pii}}},"
        " touches_pii: {type: boolean}}}\n"
        "  rules: [{if: touches_pii, require_approval: support_manager}, {allow: true}]\n"
    )
    (world.policy / f"{TOOL}.yml").write_text(page, "utf-8")
    await world.running.watch.look()
    assert world.running.watch.fault is None
    touching = {"amount_usd": 5, "customer": {"email": None}}
    assert (await send(world, {"amount_usd": 5}, key="k1")).json()["state"] == "approved"
    assert (await send(world, touching, key="k2")).json()["state"] == "pending"
    answer = await send(world, {**touching, "touches_pii": False}, key="k3")
    assert (answer.status_code, answer.json()["code"]) == (422, "contradictory-fact")
