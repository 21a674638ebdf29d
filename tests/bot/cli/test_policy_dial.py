"""`policy dial`: what a share would have meant, exactly as the server's dial draws, and its risk."""

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from approval_rules.people import RoleName
from approval_rules.requirement import Seat
from approval_rules.verdicts import Allow, Ask
from bot.cli.dialling import _written, share_from
from bot.policy_files import load
from bot.slack_standin.workspace import MAYA
from tests.bot.cli.living import Living
from tests.bot.cli.test_policy_explain import put
from tests.bot.cli.test_policy_replay import NASTY, erase
from tests.world import TOOL, World

ASKS = """\
policy:
  tool: payments.refund
  rules:
    - if: "amount_usd > 500"
      block: true
    - if: "amount_usd <= 50"
      require_approval: support_manager
    - require_approval: {role: support_manager, approvals: 1}
    - log:
        redact_fields: [iban]
"""
DIALLED = ASKS.replace(
    "      require_approval: support_manager\n", "      allow: {share: 40 %, else: support_manager}\n"
)


async def refunds(world: World, amounts: range) -> list[dict[str, Any]]:
    """Propose several refunds."""
    return [
        dict(await world.propose(arguments={"amount_usd": amount, "order_id": f"O-{amount}"})) for amount in amounts
    ]


async def test_what_is_told_is_what_the_server_then_does(living: Living) -> None:
    """Which would run by themselves is no estimate: with the line in force, exactly those do."""
    world = living.world
    await put(world, ASKS)
    await refunds(world, range(30, 54))
    told = (await living("policy", "dial", TOOL, "40%", "--rule", "2", "--json")).json()
    assert (told["proposals"], told["eligible"], told["rules"]) == (24, 21, [2])
    line = "\n".join(told["lines"])
    assert line == '    - if: "amount_usd <= 50"\n      allow: {share: 40 %, else: support_manager}'
    await put(world, ASKS.replace('    - if: "amount_usd <= 50"\n      require_approval: support_manager', line))
    again = await refunds(world, range(30, 54))
    ran = [made for made in again if made["state"] == "approved"]
    assert told["by_themselves"] == len(ran) > 0
    amounts = sum(made["arguments"]["amount_usd"] for made in ran)
    assert told["amounts"] == {"usd": str(amounts)}
    for share, count in (("0", 0), ("100 %", 42)):
        found = (await living("policy", "dial", TOOL, share, "--json")).json()
        assert (found["eligible"], found["by_themselves"]) == (42, count)


async def test_the_risk_stands_first(living: Living) -> None:
    """What people denied and would have run is named with the reason, before the money and the minutes."""
    world = living.world
    await put(world, ASKS)
    denied, kept, hidden, expired = await refunds(world, range(1, 5))
    await world.deny(MAYA, await world.packet_of(denied), f"wrong customer {NASTY}")
    await world.move(minutes=12)
    await world.approve(kept)
    await put(world, ASKS.replace("[iban]", "[amount_usd]"))
    hidden = dict(await world.propose(arguments={"amount_usd": 7777, "fee_eur": 1}, context={"facts": {}}))
    await put(world, ASKS)
    await world.settled()
    ended = await living("policy", "dial", TOOL, "100%", "--rule", "2")
    lines = ended.out.splitlines()
    assert lines[0] == f"{TOOL}, rule 2, a share of 100 %"
    assert lines[1] == "5 proposals, 4 eligible, 4 would have run by themselves."
    assert lines[2] == "DENIED BY PEOPLE: 1 of these 4"
    assert lines[3].startswith(f"  {denied['id']}  $1.00  wrong customer ")
    assert "What became of them: 1 approved by people, 1 denied by people, 2 pending." in lines
    assert "Money among them: $10.00" in lines
    assert "People took 12 minutes to decide them." in lines
    assert "7777" not in ended.out
    assert all(char.isprintable() or char == "\n" for char in ended.out)
    assert hidden["state"] == "blocked"
    assert expired["state"] == "pending"


async def test_a_hidden_amount_is_counted_and_not_summed(living: Living) -> None:
    """A sum would show what policy hides."""
    world = living.world
    await put(world, ASKS.replace("[iban]", "[amount_usd]"))
    await world.propose(arguments={"amount_usd": 44, "order_id": "x"})
    await world.propose(arguments={"order_id": "y"}, context={"facts": {"amount_usd": 43}})
    ended = await living("policy", "dial", TOOL, "100%", "--rule", "2")
    assert "1 amount among them is not counted: hidden by policy." in ended.out
    assert "44" not in ended.out
    assert "2 eligible" in ended.out


async def test_nothing_to_look_at_says_so(living: Living) -> None:
    """No proposal, or only erased ones: the share is not made to look safe."""
    world = living.world
    await put(world, DIALLED)
    empty = "No proposal to look at in this time, so this says nothing about the share."
    assert empty in (await living("policy", "dial", TOOL, "5%")).out
    erase(world, await world.propose(30))
    ended = await living("policy", "dial", TOOL, "5%")
    assert "1 proposal skipped: what was asked for has been erased." in ended.out
    assert empty in ended.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("payments.refnd", "5%"), "no policy here is for the tool payments.refnd; did you mean payments.refund?"),
        (("x", "5%"), "no policy here is for the tool x"),
        ((TOOL, "101%"), "'101%' is no share; write a percentage from 0% to 100%, such as 5% or 0.5%"),
        ((TOOL, "-1%"), "is no share"),
        ((TOOL, "5%"), "no rule of this tool allows; name one that asks with --rule N"),
        ((TOOL, "5%", "--rule", "1"), "payments.refund has no rule 1 that allows or asks"),
        ((TOOL, "5%", "--rule", "9"), "payments.refund has no rule 9 that allows or asks"),
    ],
)
async def test_what_cannot_be_dialled_is_a_usage_error(living: Living, arguments: tuple[str, ...], told: str) -> None:
    """A wrong tool, share or rule is named with what to do."""
    await put(living.world, ASKS)
    ended = (
        await living("policy", "dial", "--", *arguments)
        if "-1%" in arguments
        else await living("policy", "dial", *arguments)
    )
    assert (ended.code, ended.out) == (2, "")
    assert told in " ".join(ended.err.replace("│", " ").split())


async def test_without_the_key_or_people_there_is_no_dial(living: Living) -> None:
    """Another key would draw other cases, and a file that names nobody has nobody for the rest."""
    world = living.world
    await put(world, f"policy: {{tool: {TOOL}, rules: [{{if: amount_usd < 5, allow: true}}]}}")
    assert "names nobody who could be asked" in (await living("policy", "dial", TOOL, "5%")).err
    living.shell.set(FOUREYES_SIGNING_KEY_FILE=world.folder / "none")
    assert "only with the server's own key" in (await living("policy", "dial", TOOL, "5%")).err


@pytest.mark.parametrize(
    "ask",
    [
        Ask((Seat(RoleName("a"), 2),)),
        Ask((Seat(RoleName("a"), 1),)),
        Ask((Seat(RoleName("a"), 3),), timedelta(hours=36)),
        Ask((Seat(RoleName("a"), 2), Seat(RoleName("b"), 1)), timedelta(days=2), channel="C0123456789"),
        Ask((Seat(RoleName("a"), 2),), timedelta(minutes=90)),
        Ask((Seat(RoleName("a"), 2),), step_up="passkey"),
        Ask((Seat(RoleName("a"), 2),), step_up="totp", backup=RoleName("b")),
    ],
)
def test_what_is_written_reads_back(ask: Ask, tmp_path: Path) -> None:
    """The line that is given loads as a dial with the same people."""
    page = f"policy:\n  tool: x\n  rules:\n    - allow: {{share: 0.5 %, else: {_written(ask)}}}\n"
    (tmp_path / "x.yml").write_text(page, "utf-8")
    (tmp_path / "roles.yml").write_text("roles: {a: {usergroup: a}, b: {usergroup: b}}", "utf-8")
    (rule,) = load(tmp_path).policies["x"].rules  # type: ignore[index]  # a plain name
    assert rule.verdict == Allow(Decimal("0.5"), ask)
    assert yaml.safe_load(page)
    assert share_from("0.50") == Decimal("0.5")


def test_a_condition_with_quotes_is_written_so_that_it_reads_back() -> None:
    """JSON's quotes are YAML's too."""
    text = "x == \"it's\" and y == 'a'"
    assert yaml.safe_load(json.dumps(text)) == text
