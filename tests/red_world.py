"""A world in which people start what an agent may not: its policy, and what its people do in Slack."""

import json
from typing import Any

from approval_rules.commands import CastVote
from approval_rules.events import Decision, Refusal, Submitted
from approval_rules.initiation_events import InitiationRefused
from approval_rules.people import Account, RoleName, Standing
from bot.desk.apply import apply
from bot.slack_standin.conversations import Message
from bot.slack_standin.submissions import Outcome
from bot.slack_standin.views import OpenView
from bot.slack_standin.workspace import JONAS, MAYA, PRIYA, SAM, TEAM
from bot.store.transaction import Transaction
from tests.factors import RIGHT, proof_by
from tests.world import TOOL, Proposal, World

FINANCE = RoleName("finance")
POLICY = """
policy:
  tool: payments.refund
  contract:
    type: object
    required: [amount_usd, order_id]
    properties:
      amount_usd: {type: number, exclusiveMinimum: 0, maximum: 5000, description: "What the customer gets back"}
      order_id: {type: string, minLength: 3}
      customer_id: {type: string}
      speed: {enum: [slow, fast]}
      urgent: {type: boolean}
      lines: {type: array, items: {type: string}}
      card_number: {type: string}
  rules:
    - if: amount_usd > 500
      block: over what an agent may refund
      initiate: {role: support_manager, then: {role: finance, approvals: 2}}
    - require_approval: support_manager
    - log: {redact_fields: [card_number]}
"""


def rewrite(world: World, policy: str) -> None:
    """Write the folder."""
    (world.policy / f"{TOOL}.yml").write_text(policy, encoding="utf-8")
    world.write_roles({"users": [MAYA, SAM]}, finance={"users": [JONAS, PRIYA, MAYA]})


async def opened(world: World, who: str, packet: Message) -> OpenView:
    """Press `Start it myself`, and give the modal that opens."""
    outcome = await world.slack.click(who, packet.channel, packet.ts, "start")
    assert outcome.ok, outcome.warning
    return world.slack.modals(who)[-1]


def inputs(view: OpenView) -> dict[str, str]:
    """Name each input's block by its label."""
    return {block["label"]["text"]: block["block_id"] for block in view.view["blocks"] if block["type"] == "input"}


async def fill(world: World, who: str, view: OpenView, typed: str, **others: object) -> Outcome:
    """Fill the form in and send it; `others` are arguments by name."""
    blocks = inputs(view)
    values: dict[str, Any] = {"typed": {"value": typed}, "reason": {"value": "The parcel burnt down, I saw it."}}
    values |= {blocks[name]: {"value": value} for name, value in others.items()}
    return await world.slack.submit(who, view.id, values)


async def prove(world: World, who: str, code: str = RIGHT) -> Outcome:
    """Type the code of the second factor."""
    return await world.slack.submit(who, world.slack.modals(who)[-1].id, {"code": {"value": code}})


def says(world: World, who: str) -> str:
    """What the person's modal says now."""
    return json.dumps(world.slack.modals(who)[-1].view, ensure_ascii=False)


def the_start(world: World) -> Submitted:
    """The one thing that a person has started."""
    (found,) = [event for event in world.ledger().events(Submitted) if event.initiator is not None]
    return found


def refusals(world: World) -> list[Refusal]:
    """Why starts did not count, in order."""
    return [event.code for event in world.ledger().events(InitiationRefused)]


async def start(world: World, amount: float = 750, who: str = MAYA) -> str:
    """Let the agent be blocked and a person start it; give the new proposal's id."""
    blocked = await world.propose(amount)
    packet = await world.packet_of(blocked)
    assert (await fill(world, who, await opened(world, who, packet), str(amount))).ok
    assert (await prove(world, who)).ok
    assert "You have started this." in says(world, who)
    return str(the_start(world).proposal)


async def vote(world: World, ident: str, user: str, roles: frozenset[RoleName] = frozenset({FINANCE})) -> None:
    """Approve with a passkey, as the page would once it has verified one."""
    packet = await world.packet_of(ident)

    def unit(tx: Transaction) -> None:
        loaded = tx.proposal(ident)
        assert loaded is not None
        who = Standing(tx.person(Account(TEAM, user), ""), roles)
        others = {each.voter: Standing(each.voter, roles) for each in loaded.proposal.votes}
        seen = loaded.proposal.digest
        command = CastVote(
            *(tx.at, loaded.proposal.id, who, others, Decision.APPROVE, seen, packet.channel, packet.ts, None),
            proof=proof_by("passkey"),
        )
        apply(tx, loaded, command)

    await world.running.wiring.writer.run(unit)


async def owned(world: World, ident: str) -> Proposal:
    """Read a proposal as its agent."""
    return await world.read({"id": ident})
