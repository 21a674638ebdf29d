"""How long people have is the policy's to say, rule by rule; an agent may only ask for less."""

from datetime import datetime, timedelta

from tests.world import TOOL, World

RULES = f"""\
policy:
  tool: {TOOL}
  rules:
    - if: amount_usd > 500
      require_approval: {{role: support_manager, expires_in: 30m}}
    - require_approval: {{role: support_manager, expires_in: 2d}}
"""


def lasts(proposal: dict[str, str]) -> timedelta:
    """Tell how long people have."""
    return datetime.fromisoformat(proposal["expires_at"]) - datetime.fromisoformat(proposal["created_at"])


async def test_each_rule_has_its_own_term_and_the_agent_can_only_shorten_it(world: World) -> None:
    """Half an hour for a large one, two days for a small one; an agent that asks for a week does not get it."""
    (world.policy / f"{TOOL}.yml").write_text(RULES, "utf-8")
    await world.running.watch.look()
    large, small = await world.propose(600), await world.propose(180)
    longer, shorter = await world.propose(600, expires_in_s=604_800), await world.propose(180, expires_in_s=600)
    terms = [lasts(each) for each in (large, small, longer, shorter)]
    assert terms == [timedelta(minutes=30), timedelta(days=2), timedelta(minutes=30), timedelta(minutes=10)]
    await world.move(minutes=31)
    states = [(await world.read(each))["state"] for each in (large, small, longer, shorter)]
    assert states == ["expired", "pending", "expired", "expired"]
