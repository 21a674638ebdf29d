"""Bad input and hostile people: each gets a clear refusal, leaves a recorded event, and casts no vote."""

import json
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, cast
from unittest.mock import patch
from urllib.parse import parse_qs, urlencode

import pytest

from approval_rules.events import Denied, Refusal, Voted, VoteRefused
from approval_rules.people import Account
from bot.directory import _LOOK_UP_SECONDS, _ROLE_SECONDS, SlackDirectory
from bot.slack_calls import _CALL_SECONDS
from bot.slack_standin.faults import Delay, Fault, RateLimited, ServerError
from bot.slack_standin.workspace import JONAS, MAYA, PRIYA, REFUND_APPROVALS, SUPPORT_MANAGERS, TEAM, User
from handlers.slack.patience import DESK_SECONDS
from tests.world import TOOL, World, denial

LOOK_UPS = {"bot.directory._LOOK_UP_SECONDS": _LOOK_UP_SECONDS, "bot.directory._ROLE_SECONDS": _ROLE_SECONDS}

KIM = "U0KIMSUPPO1"


def refusals(world: World) -> list[tuple[str, Refusal]]:
    """List who was refused and why, as the log has it."""
    ledger = world.ledger()
    return [(ledger.user(event.by.ref), event.code) for event in ledger.events(VoteRefused)]


async def asking(world: World, **ask: Any) -> None:  # noqa: ANN401 - a policy's JSON
    """Put a policy with one rule into force: Maya is in both roles, Jonas in finance, Priya in support."""
    text = json.dumps({"policy": {"tool": TOOL, "rules": [{"require_approval": ask}]}})
    (world.policy / f"{TOOL}.yml").write_text(text, encoding="utf-8")
    world.write_roles({"users": [MAYA, PRIYA]}, finance={"users": [MAYA, JONAS]})
    await world.running.watch.look()


async def test_somebody_in_both_roles_fills_one_seat(world: World) -> None:
    """One from each role: who is in both is one person, and the other seat stays open for whoever can take it."""
    await asking(world, roles=["support_manager", "finance"])
    proposal = await world.propose()
    packet = await world.packet_of(proposal)
    await world.click(MAYA, packet)
    assert "first decision stands" in await world.click(MAYA, packet)
    assert (await world.read(proposal))["state"] == "pending"
    await world.click(JONAS, packet)
    assert (await world.read(proposal))["state"] == "approved"


async def test_two_of_one_role_leave_the_other_seat_open(world: World) -> None:
    """The second of the same role is told that it fills nothing, and the packet says who is next."""
    await asking(world, roles=["support_manager", "finance"])
    proposal = await world.propose()
    packet = await world.packet_of(proposal)
    assert "the next must be in the role finance. One more" in await world.click(PRIYA, packet)
    world.write_roles({"users": [MAYA, PRIYA, KIM]}, finance={"users": [MAYA, JONAS]})
    world.workspace.add_user(User(KIM, "kim", "Kim Support"), REFUND_APPROVALS)
    await world.running.watch.look()
    assert "fills no seat that is open: 1 of 2 people" in await world.click(KIM, packet)
    await world.settled()
    assert "1 of 2 people have approved; the next must be in the role finance" in json.dumps(packet.blocks)
    assert "the last one needed" in await world.click(JONAS, packet)


async def test_somebody_who_approved_and_may_not_any_more_is_not_counted_silently(world: World) -> None:
    """Removed from the group between the two clicks: the second is told why two are not enough, and so is everybody."""
    proposal = await world.propose()
    packet = await world.packet_of(proposal)
    await world.click(PRIYA, packet)
    world.workspace.change_group(SUPPORT_MANAGERS)
    await world.move(seconds=61)
    assert "not all of them count now, so another must. One more person" in await world.click(JONAS, packet)
    await world.settled()
    assert "not all of them count now" in json.dumps(packet.blocks)
    assert "the last one needed" in await world.click(MAYA, packet)


@pytest.mark.parametrize("order", [(MAYA, JONAS), (JONAS, MAYA), (MAYA, PRIYA), (PRIYA, MAYA), (PRIYA, JONAS)])
async def test_no_order_of_clicking_gets_stuck(world: World, order: tuple[str, str]) -> None:
    """Whichever seat could have been taken first, two people who fill both together approve."""
    await asking(world, roles=["support_manager", "finance"])
    proposal = await world.propose()
    await world.approve(proposal, *order)
    assert (await world.read(proposal))["state"] == "approved"


async def test_an_approver_who_is_removed_from_the_group_between_two_clicks(world: World) -> None:
    """Removed after the first click on another packet: the second click is refused and told, within a minute."""
    first, second = await world.propose(180), await world.propose(190)
    await world.click(PRIYA, await world.packet_of(first))
    world.workspace.change_group(SUPPORT_MANAGERS)
    await world.move(seconds=61)
    assert "not in a role" in await world.click(PRIYA, await world.packet_of(second))
    assert refusals(world) == [(PRIYA, Refusal.NOT_IN_ROLE)]
    assert len(world.ledger().events(Voted)) == 1


async def test_a_group_that_slack_says_is_empty_means_nobody(world: World) -> None:
    """True or not: a role whose group is empty has nobody in it, and the clicker is told what he lacks."""
    world.write_roles({"usergroup": "support-managers"})
    await world.running.watch.look()
    world.workspace.change_group(SUPPORT_MANAGERS)
    packet = await world.packet_of(await world.propose())
    assert "not in a role" in await world.click(PRIYA, packet)
    assert refusals(world) == [(PRIYA, Refusal.NOT_IN_ROLE)]


@pytest.mark.parametrize("fault", [ServerError(), RateLimited(30), Delay(20)], ids=["down", "limited", "slow"])
@pytest.mark.parametrize("method", ["users.info", "usergroups.users.list"])
async def test_slacks_directory_is_down_limited_or_slow(world: World, method: str, fault: Fault) -> None:
    """Who somebody is, or in which group, cannot be known: refused within Slack's time, told and recorded."""
    world.write_roles({"usergroup": "support-managers"})
    await world.running.watch.look()
    packet = await world.packet_of(await world.propose())
    await world.settled()
    await world.move(minutes=2)
    world.slack.fail(method, fault, times=100)
    assert "could not be asked" in await world.click(PRIYA, packet)
    assert refusals(world) == [(PRIYA, Refusal.DIRECTORY_DOWN)]
    world.slack.faults.clear()


async def test_a_slow_slack_is_a_refusal_before_the_clicker_is_left_in_doubt(world: World) -> None:
    """By the program's own seconds, of which each is two here: told that it did not count, and recorded; no vote."""
    packet = await world.packet_of(await world.propose())
    await world.click(JONAS, packet)
    await world.settled()
    await world.move(minutes=2)
    world.slack.fail("users.info", Delay(20), times=100)
    slow = {"handlers.slack.patience.DESK_SECONDS": DESK_SECONDS, **LOOK_UPS}
    cast("SlackDirectory", world.running.wiring.directory)._calls._seconds = 2 * _CALL_SECONDS
    with ExitStack() as stack:
        for name, seconds in slow.items():
            stack.enter_context(patch(name, 2 * seconds))
        assert "could not be asked" in await world.click(MAYA, packet)
    world.slack.faults.clear()
    assert refusals(world) == [(MAYA, Refusal.DIRECTORY_DOWN)]
    assert len(world.ledger().events(Voted)) == 1


async def test_slacks_rate_limit_is_kept(world: World) -> None:
    """After a 429 Slack is not asked again before its time is over; then the vote counts."""
    packet = await world.packet_of(await world.propose())
    await world.settled()
    await world.move(minutes=2)
    world.slack.fail("users.info", RateLimited(30))
    assert "could not be asked" in await world.click(MAYA, packet)
    assert "could not be asked" in await world.click(MAYA, packet)
    await world.move(seconds=31)
    assert "One more person" in await world.click(MAYA, packet)


def _other_proposal(view: dict[str, Any], first: dict[str, Any], second: dict[str, Any]) -> None:
    view["private_metadata"] = view["private_metadata"].replace(first["id"], second["id"])


def _other_proposal_and_digest(view: dict[str, Any], first: dict[str, Any], second: dict[str, Any]) -> None:
    _other_proposal(view, first, second)
    view["private_metadata"] = view["private_metadata"].replace(first["digest"], second["digest"])


@pytest.mark.parametrize(
    ("forge", "code"),
    [(_other_proposal, Refusal.DIGEST_MISMATCH), (_other_proposal_and_digest, Refusal.NOT_OUR_MESSAGE)],
)
async def test_a_forged_view_submission_with_another_proposals_id(
    world: World, forge: Callable[[dict[str, Any], dict[str, Any], dict[str, Any]], None], code: Refusal
) -> None:
    """A modal that was opened for one proposal and is sent for another counts for neither."""
    first, second = await world.propose(180), await world.propose(190)
    packet = await world.packet_of(first)
    await world.packet_of(second)
    await world.slack.click(MAYA, packet.channel, packet.ts, "deny")
    modal = world.slack.modals(MAYA)[-1]
    empty = await world.slack.submit(MAYA, modal.id, denial(" \u200b "))
    assert empty.delivery is not None
    payload = json.loads(parse_qs(empty.delivery.body.decode())["payload"][0])
    forge(payload["view"], first, second)
    payload["view"]["state"]["values"]["reason"]["reason"]["value"] = "no"
    await world.slack.send_signed(urlencode({"payload": json.dumps(payload)}).encode())
    assert refusals(world) == [(MAYA, code)]
    assert world.ledger().events(Denied) == []


async def test_a_stranger_is_known_by_nobody(world: World) -> None:
    """An account that Slack calls a stranger, from a channel that was shared once, is unknown here."""
    packet = await world.packet_of(await world.propose())
    world.slack.change_user(JONAS, is_stranger=True)
    assert "does not know your account" in await world.click(JONAS, packet)
    assert refusals(world) == [(JONAS, Refusal.UNKNOWN_USER)]
    assert (await world.running.wiring.directory.look_up(Account(TEAM, JONAS))).roles == frozenset()
