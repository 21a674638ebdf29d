"""Policy files change while the server runs: a good change comes into force, a broken one raises the alarm."""

from approval_rules.policy_events import PolicyActivated, PolicyLoaded
from tests.world import TOOL, World

STRICTER = """
policy:
  tool: "payments.refund"
  rules:
    - if: "amount_usd > 0"
      require_approval: "support_manager"
"""


async def reloaded(world: World, text: str) -> None:
    """Write the policy file and let the server look."""
    (world.policy / f"{TOOL}.yml").write_text(text, encoding="utf-8")
    await world.running.watch.look()


async def alarmed(world: World) -> bool:
    """Tell whether readiness and the metric say that the folder is refused; both must say the same."""
    ready = (await world.http.get("/readyz")).json()
    by_readiness = any(check["name"] == "policy" and not check["ok"] for check in ready["checks"])
    by_metric = "foureyes_policy_reload_failed 1.0" in (await world.http.get("/metrics")).text
    assert by_readiness == by_metric
    return by_readiness


async def test_a_broken_policy_keeps_the_old_one_and_alarms(world: World) -> None:
    """While the folder is broken the old policy decides and the alarm stands; once it is good again, both end."""
    good = (world.policy / f"{TOOL}.yml").read_text(encoding="utf-8")
    await reloaded(world, "policy: [")
    await world.running.watch.look()
    assert await alarmed(world)
    assert (await world.post_proposal(42)).json()["state"] == "approved"
    await reloaded(world, good)
    assert not await alarmed(world)
    changes = [event.change for event in world.ledger().events(PolicyLoaded)]
    assert changes == ["refused"]
    assert len(world.ledger().events(PolicyActivated)) == 1


async def test_an_edit_does_not_judge_open_proposals_again(world: World) -> None:
    """What was asked under the old policy is decided under the old policy; what comes next under the new one."""
    asked = await world.propose(180)
    await reloaded(world, STRICTER.replace('"support_manager"', "{role: support_manager, approvals: 3}"))
    await world.approve(asked)
    now = await world.read(asked)
    assert now["state"] == "approved"
    assert now["policy"] == asked["policy"]
    assert (await world.propose(42))["policy"] != asked["policy"]


async def test_a_stricter_policy_comes_into_force(world: World) -> None:
    """The next proposal is judged by the new file, under a new version, and the change is on record."""
    before = await world.propose(42)
    await reloaded(world, STRICTER)
    after = await world.propose(42)
    assert (before["state"], after["state"]) == ("approved", "pending")
    assert before["policy"]["version"] != after["policy"]["version"]
    assert world.ledger().events(PolicyActivated)[-1].version == after["policy"]["version"]


async def test_a_folder_that_vanishes_alarms(world: World) -> None:
    """Without its files the server keeps what it knows, and says so."""
    for file in world.policy.iterdir():
        file.unlink()
    await world.running.watch.look()
    assert await alarmed(world)
    assert (await world.post_proposal(42)).json()["state"] == "approved"
