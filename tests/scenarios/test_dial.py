"""The autonomy dial on a running server: drawn once, kept over reloads and restarts, and never told in advance."""

import pytest

from tests.world import TOOL, World

CASES = range(30)


async def dial(world: World, share: int) -> None:
    """Put a rule with a share in force; the rest is asked."""
    (world.policy / f"{TOOL}.yml").write_text(
        f"policy:\n  tool: {TOOL}\n  rules:\n"
        f'    - {{if: "amount_usd <= 50", allow: {{share: {share} %, else: support_manager}}}}\n',
        encoding="utf-8",
    )
    await world.running.watch.look()


async def through(world: World, prefix: str) -> set[int]:
    """Propose every case under new keys; gives those that ran by themselves."""
    found = set()
    for number in CASES:
        body = {"tool": TOOL, "arguments": {"amount_usd": 5, "order_id": f"o{number}"}, "summary": "x"}
        answer = await world.http.post("/v1/proposals", json=body, headers={"Idempotency-Key": f"{prefix}{number}"})
        if answer.json()["state"] == "approved":
            found.add(number)
    return found


async def test_the_same_action_gets_the_same_answer(world: World) -> None:
    """Some run and some are asked; asked again, after a reload, a restart and a turn upwards, the same ones run."""
    await dial(world, 50)
    first = await through(world, "a")
    assert 0 < len(first) < len(CASES)
    assert await through(world, "b") == first
    await dial(world, 80)
    more = await through(world, "c")
    assert first <= more
    await world.restart()
    assert await through(world, "d") == more


@pytest.mark.parametrize("dry", [True, False])
async def test_no_agent_can_look_for_lucky_words(world: World, *, dry: bool) -> None:
    """Evaluating and dry runs say who would be asked, whatever the words: the draw is told to nobody in advance."""
    await dial(world, 50)
    for number in CASES:
        body = {"tool": TOOL, "arguments": {"amount_usd": 5, "order_id": f"o{number}"}, "summary": "x"}
        path, more = ("proposals", {"dry_run": True}) if dry else ("evaluate", {})
        told = (await world.http.post(f"/v1/{path}", json={**body, **more})).json()
        assert told["would_be"] == "pending"
        assert "the dial of 50 % is not drawn here" in told["policy"]["because"]
