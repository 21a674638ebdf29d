"""Rules that read what went before: limits over hours and days hold under any concurrency, and fail up."""

import asyncio
import threading
from collections import Counter as Tally
from typing import Any

import httpx
import pytest

from approval_rules.canonical import Digest
from approval_rules.state import Status
from bot.desk.agents import AgentUseCases
from bot.slack_standin.workspace import JONAS, MAYA, SAM
from handlers.desk import Accepted, Intake, Seen
from tests.rules.outcomes import draft_from
from tests.world import TOOL, World

LIMIT = "amount_usd <= 50 and sum(amount_usd, 24h) + amount_usd <= 100"


async def limited(world: World, condition: str, *, zone: str = "UTC") -> None:
    """Put one counting rule in force; everything else asks."""
    (world.policy / f"{TOOL}.yml").write_text(
        f"policy:\n  tool: {TOOL}\n  time_zone: {zone}\n  rules:\n"
        f'    - {{if: "{condition}", allow: true}}\n    - {{require_approval: support_manager}}\n',
        encoding="utf-8",
    )
    await world.running.watch.look()


async def post(
    http: httpx.AsyncClient, amount: object, key: str, customer: object = "C-1", tool: str = TOOL
) -> dict[str, Any]:
    """Propose a refund for a customer, or repeat that; gives the proposal."""
    body = {"tool": tool, "arguments": {"amount_usd": amount, "order_id": key, "customer_id": customer}, "summary": "x"}
    answer = await http.post("/v1/proposals", json=body, headers={"Idempotency-Key": key})
    assert answer.status_code in {200, 201}, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def states(world: World, *amounts: object, customer: object = "C-1", prefix: str = "k") -> list[str]:
    """Propose one after the other; gives the states."""
    return [(await post(world.http, amount, f"{prefix}{i}", customer))["state"] for i, amount in enumerate(amounts)]


async def test_a_limit_is_not_passed_together(world: World) -> None:
    """Of forty refunds of 30 at the same moment, exactly three fit under 100 in 24 hours; the others ask."""
    await limited(world, LIMIT)
    made = await asyncio.gather(*(post(world.http, 30, f"k{number}") for number in range(40)))
    assert Tally(one["state"] for one in made) == {"approved": 3, "pending": 37}


async def test_a_limit_is_not_passed_within_one_commit(world: World) -> None:
    """Ten refunds of 30 that are committed together do not overlook each other: exactly three fit under 100."""
    await limited(world, LIMIT)
    held = threading.Event()
    busy = asyncio.create_task(world.running.wiring.writer.run(lambda _tx: held.wait(10)))
    made = [asyncio.create_task(post(world.http, 30, f"k{number}")) for number in range(10)]
    await asyncio.sleep(0.5)  # all of them wait for the writer now, and it takes all that wait at once
    held.set()
    await busy
    assert Tally([(await one)["state"] for one in made]) == {"approved": 3, "pending": 7}


async def test_what_was_asked_takes_up_the_limit_until_it_is_over(world: World) -> None:
    """A refund that people may still approve counts; one that was taken back gives its room back."""
    await limited(world, LIMIT)
    asked = await world.propose(90)
    assert await states(world, 20, prefix="before") == ["pending"]
    assert asked["state"] == "pending"
    for one in (await world.http.get("/v1/proposals?state=pending")).json()["data"]:
        await world.http.post(f"/v1/proposals/{one['id']}/cancel")
    assert await states(world, 20, 50, 31, 30, prefix="after") == ["approved", "approved", "pending", "pending"]


async def test_the_window_slides(world: World) -> None:
    """What is older than the window counts no longer, to the second."""
    await limited(world, "count(40m) < 2")
    assert await states(world, 1, 1, prefix="a") == ["approved", "approved"]
    await world.move(minutes=39)
    assert await states(world, 1, prefix="b") == ["pending"]
    await world.move(minutes=2)
    assert await states(world, 1, 1, prefix="c") == ["approved", "pending"]


async def test_counting_apart(world: World) -> None:
    """By agent and by customer, each has a limit of its own; a customer that is not named asks."""
    await limited(world, "count(24h by agent) < 2 and sum(amount_usd, 24h by customer_id) + amount_usd <= 60")
    other = world.client((await world.add_agent("night-bot", SAM, TOOL)).key)
    assert await states(world, 40, prefix="a") == ["approved"]
    assert await states(world, 40, prefix="b") == ["pending"]
    assert (await post(other, 20, "n1"))["state"] == "pending"  # the pending 40 of the same customer counts
    assert (await post(other, 20, "n2", "C-2"))["state"] == "approved"
    assert (await post(other, 20, "n3", "C-2"))["state"] == "pending"  # this agent's third
    nobodies: list[object] = [None, [], {"id": 1}, True]
    for number, nobody in enumerate(nobodies):
        made = await post(world.http, 1, f"x{number}", nobody)
        assert made["state"] == "pending"


async def test_another_tool_takes_no_room(world: World) -> None:
    """What is counted is this tool's own: the same agent's mails, at the same moment and as dear, are others."""
    await limited(world, "count(24h) < 2 and sum(amount_usd, 24h by customer_id) + amount_usd <= 100")
    mail = (world.policy / f"{TOOL}.yml").read_text("utf-8").replace(TOOL, "mail.send")
    (world.policy / "mail.send.yml").write_text(mail, "utf-8")
    await world.running.watch.look()
    both = world.client((await world.add_agent("both-bot", SAM, TOOL, "mail.send")).key)
    tools = [TOOL, "mail.send"] * 3
    made = await asyncio.gather(*(post(both, 40, f"k{number}", tool=tool) for number, tool in enumerate(tools)))
    for each in (TOOL, "mail.send"):
        assert Tally(one["state"] for one in made if one["tool"] == each) == {"approved": 2, "pending": 1}


async def test_what_is_blocked_at_the_same_moment_takes_no_room(world: World) -> None:
    """Ten refunds over the cap, however close together, leave the room to the one that may go through."""
    await limited(world, "count(24h) < 1")
    rules = world.policy / f"{TOOL}.yml"
    rules.write_text(rules.read_text("utf-8") + '    - {if: "amount_usd > 500", block: true}\n', "utf-8")
    await world.running.watch.look()
    amounts = [*[501] * 10, 1]
    made = await asyncio.gather(*(post(world.http, amount, f"k{i}") for i, amount in enumerate(amounts)))
    assert Tally(one["state"] for one in made) == {"blocked": 10, "approved": 1}


async def test_what_is_taken_back_in_the_same_breath_takes_no_room(world: World) -> None:
    """A proposal that is cancelled in the same transaction as the next one comes in has given its room back."""
    await limited(world, "amount_usd <= 50 and count(24h) < 1")
    waiting = await world.propose(90)
    desk, agent = AgentUseCases(world.running.wiring), world.agent.agent
    body = f'{{"tool": "{TOOL}", "arguments": {{"amount_usd": 5}}, "summary": "x"}}'
    taken_back, made = await asyncio.gather(
        desk.cancel(agent, waiting["id"]),
        desk.submit(agent, draft_from(body), Intake("next", Digest("sha256:x"), None, claim_if_allowed=False)),
    )
    assert isinstance(taken_back, Seen)
    assert isinstance(made, Accepted)
    assert made.seen.proposal.status is Status.APPROVED


@pytest.mark.parametrize("odd", ["50", None, True, [1]])
async def test_a_sum_that_cannot_be_told_asks(world: World, odd: object) -> None:
    """One amount that is no number makes the sum unknown, and what is unknown never allows."""
    await limited(world, LIMIT)
    assert (await post(world.http, odd, "odd"))["state"] == "pending"
    after = await post(world.http, 1, "after")
    assert (after["state"], "sum_amount_usd_24h is missing" in after["policy"]["because"]) == ("pending", True)


async def test_amounts_of_any_size_are_summed(world: World) -> None:
    """A tiny amount beside a huge one breaks no sum: whoever comes after them is judged, not answered with an error."""
    await limited(world, LIMIT)
    for key, amount in (("tiny", 1e-300), ("huge", 9007199254740991)):
        assert (await post(world.http, amount, key))["state"] in {"approved", "pending"}
    assert (await post(world.http, 1, "after"))["state"] == "pending"


async def test_decimals_are_summed_exactly(world: World) -> None:
    """Ten times 0.1 is 1, and not less."""
    await limited(world, "sum(amount_usd, 24h) + amount_usd <= 1")
    assert await states(world, *[0.1] * 11) == ["approved"] * 10 + ["pending"]


async def test_a_retry_counts_once(world: World) -> None:
    """The same key again gives the stored answer and takes no more room."""
    await limited(world, "count(24h) < 2")
    assert {(await post(world.http, 1, "same"))["id"] for _ in range(3)} == {(await post(world.http, 1, "same"))["id"]}
    assert await states(world, 1, 1) == ["approved", "pending"]


async def test_evaluating_tells_it_and_takes_no_room(world: World) -> None:
    """`/v1/evaluate` reads the same counters and stores nothing."""
    await limited(world, "count(24h) < 1")
    body = {"tool": TOOL, "arguments": {"amount_usd": 1}, "summary": "x"}
    for _ in range(3):
        assert (await world.http.post("/v1/evaluate", json=body)).json()["would_be"] == "approved"
    assert await states(world, 1) == ["approved"]
    assert (await world.http.post("/v1/evaluate", json=body)).json()["would_be"] == "pending"


async def test_an_argument_cannot_pose_as_a_counter(world: World) -> None:
    """An agent that sends a field with the counter's name is refused."""
    await limited(world, "count(24h) < 1")
    body = {"tool": TOOL, "arguments": {"count_24h": 0}, "summary": "x"}
    answer = await world.http.post("/v1/proposals", json=body, headers={"Idempotency-Key": "k"})
    assert (answer.status_code, answer.json()["code"]) == (422, "contradictory-fact")
    assert answer.json()["errors"][0]["pointer"] == "/arguments/count_24h"


async def test_people_still_decide_what_is_over_the_limit(world: World) -> None:
    """Over the limit two people are asked, and their yes counts as any other."""
    await limited(world, "count(24h) < 1")
    await states(world, 1)
    over = await world.propose(2)
    packet = await world.packet_of(over)
    for user in (MAYA, JONAS):
        await world.click(user, packet)
    assert (await world.read(over))["state"] == "approved"
