"""What people corrected that no rule asks about: changes of the policy, and what a person started."""

import json
from unittest.mock import patch

from approval_rules.versions import CHANGE_TOOL
from bot.slack_standin.workspace import JONAS, MAYA, PRIYA
from tests.bot.cli.living import Living
from tests.factors import FakeFactors
from tests.red_world import POLICY, rewrite, start
from tests.world import World


async def asked_to_change(world: World) -> str:
    """Give the role policy_admin to three, change the folder, and give the proposal that asks them."""
    world.write_roles({"users": [MAYA, JONAS]}, policy_admin={"users": [MAYA, JONAS, PRIYA]})
    await world.running.watch.look()
    world.write_roles({"users": [MAYA, PRIYA]}, policy_admin={"users": [MAYA, JONAS, PRIYA]})
    await world.running.watch.look()
    with world.db() as db:
        (ident,) = db.execute("SELECT id FROM proposals WHERE tool = ?", (CHANGE_TOOL,)).fetchone()
    return str(ident)


async def test_a_denied_change_of_the_policy_is_no_case_of_it(living: Living) -> None:
    """No rule says anything about it, so it is neither exported, nor compared with what the rules say."""
    await living.world.deny(MAYA, await living.world.packet_of(await asked_to_change(living.world)), "not now")
    ended = await living("policy", "cases", "export")
    assert (ended.code, ended.out, ended.err) == (0, "", "0 cases written.\n")
    assert "Nothing was proposed since" in (await living("policy", "compare")).out
    await living.world.deny(MAYA, await living.world.packet_of(await living.world.propose(180)), "no")
    assert (await living("policy", "cases", "export")).json()["tool"] != CHANGE_TOOL
    assert (await living("policy", "compare", "--json")).json()["proposals"] == 1


async def test_a_denied_start_is_a_case_that_stays_blocked(living: Living) -> None:
    """What a person started and others denied is red for agents; the exported case passes under the same policy."""
    world = living.world
    with patch("bot.desk.second_factors.StartProofs", lambda *_: FakeFactors()):
        await world.stop()
        rewrite(world, POLICY)
        living.shell.set(FOUREYES_PUBLIC_URL="https://approvals.example.com")
        world.public_url = "https://approvals.example.com"
        await world.start()
        ident = await start(world)
        await world.deny(JONAS, await world.packet_of(ident), "not this one")
    ended = await living("policy", "cases", "export")
    assert (json.loads(ended.out)["name"], json.loads(ended.out)["expect"]) == (ident, "blocked")
    (world.policy / "cases").mkdir()
    (world.policy / "cases" / "denied.jsonl").write_text(ended.out, "utf-8")
    tested = await living("policy", "test")
    assert (tested.code, tested.err) == (0, ""), tested.out


async def test_secrets_and_card_numbers_are_in_no_case(living: Living) -> None:
    """A case goes into a repository: what no packet shows is named instead, and the case runs."""
    world = living.world
    token, card = f"ghp_{'a1B2' * 9}", "4111 1111 1111 1111"
    arguments = {"amount_usd": 180, "note": f"use {token}", token: 1, "cards": [card, int(card.replace(" ", ""))]}
    facts = {"customer_tier": "pro", "ticket": f"paid with {card}"}
    made = await world.propose(arguments=arguments, context={"facts": facts})
    await world.deny(MAYA, await world.packet_of(made), f"he sent {token} and {card}")
    ended = await living("policy", "cases", "export")
    assert not [secret for secret in (token, card, card.replace(" ", "")) if secret in ended.out]
    assert ended.out.count("(a GitHub token is withheld: 40 characters, sha256 ") == 3
    assert ended.json()["arguments"]["cards"] == ["411111••••••1111 (a card number)"] * 2
    (world.policy / "cases").mkdir()
    (world.policy / "cases" / "denied.jsonl").write_text(ended.out, "utf-8")
    assert (await living("policy", "test")).code == 0
