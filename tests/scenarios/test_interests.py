"""Who has an interest does not decide: the policy names fields, and whoever stands in them is barred."""

import json

import pytest

from approval_rules.events import Refusal, SubmitRefused, Submitted, VoteRefused
from bot.slack_standin.faults import Refuse
from bot.slack_standin.workspace import BOT_USER, JONAS, MAYA, OUTSIDER, PRIYA
from tests.world import TOOL, World

ASK = {"require_approval": {"role": "support_manager", "approvals": 1, "excluded": ["account_manager"]}}


async def excluding(world: World, **policy: object) -> None:
    """Put a policy into force that asks one person, never the account manager."""
    text = json.dumps({"policy": {"tool": TOOL, "rules": [ASK], **policy}})
    (world.policy / f"{TOOL}.yml").write_text(text, encoding="utf-8")
    world.write_roles({"users": [MAYA, JONAS, PRIYA]})
    await world.running.watch.look()


async def proposed(world: World, manager: object) -> dict[str, object]:
    """Propose a refund whose account manager is this."""
    facts = {} if manager is None else {"account_manager": manager}
    return await world.propose(context={"facts": facts})


@pytest.mark.parametrize(
    "manager", [MAYA, f"<@{MAYA}>", f"<@{MAYA}|maya>", "Maya@example.com", [PRIYA, "maya@example.com"]]
)
async def test_the_interested_party_cannot_approve(world: World, manager: object) -> None:
    """An id, a mention, an address, or a list of them: that person is refused, told and recorded; another decides."""
    await excluding(world)
    proposal = await proposed(world, manager)
    packet = await world.packet_of(proposal)
    await world.settled()
    assert "never the person who started the run, never" in str(packet.blocks)
    assert f"({MAYA})" in str(packet.blocks)
    assert "an interest in this" in await world.click(MAYA, packet)
    ledger = world.ledger()
    assert [event.code for event in ledger.events(VoteRefused)] == [Refusal.INTERESTED_PARTY]
    assert MAYA in {ledger.user(person) for person in ledger.events(Submitted)[0].interested or ()}
    await world.click(JONAS, packet)
    assert (await world.read(proposal))["state"] == "approved"


@pytest.mark.parametrize(
    ("manager", "why"),
    [
        (None, "is missing"),
        ("", "is missing"),
        ([], "is missing"),
        ("Maya", "is no Slack user id, mention or e-mail address"),
        (7, "is no Slack user id, mention or e-mail address"),
        ([MAYA, 7], "is no Slack user id, mention or e-mail address"),
        ([MAYA] * 11, "names more than 10"),
        ("U0NOSUCH001", "names nobody whom Slack knows"),
        ("nobody@example.com", "names nobody whom Slack knows"),
        (OUTSIDER, "names nobody of this workspace"),
        (BOT_USER, "names nobody of this workspace"),
    ],
)
async def test_a_field_that_names_nobody_who_can_be_known_blocks(world: World, manager: object, why: str) -> None:
    """Where it cannot be told who has an interest, nobody is asked; the reason names the field and never its value."""
    await excluding(world)
    proposal = await proposed(world, manager)
    because = proposal["policy"]["because"]  # type: ignore[index]
    assert (proposal["state"], proposal["tier"]) == ("blocked", "red")
    assert because == f"whom account_manager names may not approve, and account_manager {why}, so it is blocked"


async def test_an_address_that_slack_cannot_look_up_now_blocks(world: World) -> None:
    """Slack's directory is down: whose address it is cannot be told, so nobody is asked."""
    await excluding(world)
    world.slack.faults.order("users.lookupByEmail", Refuse("internal_error"), 5)
    proposal = await proposed(world, "maya@example.com")
    assert "could not be looked up in Slack" in proposal["policy"]["because"]  # type: ignore[index]


async def test_the_whole_file_can_exclude(world: World) -> None:
    """`excluded` beside the rules holds for every rule that asks."""
    ask = {"require_approval": {"role": "support_manager", "approvals": 1}}
    await excluding(world, rules=[ask], excluded=["account_manager"])
    packet = await world.packet_of(await proposed(world, MAYA))
    assert "an interest in this" in await world.click(MAYA, packet)


async def test_evaluating_says_that_it_would_be_blocked(world: World) -> None:
    """What would happen is what happens."""
    await excluding(world)
    body = {"tool": TOOL, "arguments": {"amount_usd": 180}, "summary": "x"}
    answer = await world.http.post("/v1/evaluate", json=body)
    assert "account_manager is missing" in answer.text


@pytest.mark.parametrize(
    ("user", "code"), [("U0NOSUCH001", "unknown-user"), (OUTSIDER, "other-workspace"), (BOT_USER, "bot")]
)
async def test_a_run_that_nobody_of_this_workspace_started_is_refused(world: World, user: str, code: str) -> None:
    """`run.started_by` must name a person of this workspace: 422 with a pointer, and recorded."""
    answer = await world.post_proposal(180, run={"started_by": user})
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.json()["errors"][0]["pointer"] == "/run/started_by"
    assert [event.code for event in world.ledger().events(SubmitRefused)] == [code]


async def test_a_run_is_believed_to_be_somebodys_while_slack_is_down(world: World) -> None:
    """An outage of Slack stops no intake; the initiator stays barred from the vote."""
    world.slack.faults.order("users.info", Refuse("internal_error"), 2)
    proposal = await world.propose(run={"started_by": MAYA})
    packet = await world.packet_of(proposal)
    await world.settled()
    world.slack.faults.clear()
    await world.move(minutes=2)
    assert "you proposed this" in await world.click(MAYA, packet)
