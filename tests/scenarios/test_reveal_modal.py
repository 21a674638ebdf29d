"""*See what is hidden* in Details: offered to the role, asked for with a reason, on record before it is shown."""

import json
import sqlite3
from typing import Any

import pytest

from approval_rules.refusals import Refusal
from approval_rules.reveal_events import Revealed, RevealRefused
from bot.slack_standin.views import OpenView
from bot.slack_standin.workspace import JONAS, MAYA, SAM
from bot.store.transaction import Transaction
from handlers.slack.details import PAGE_CHARACTERS
from tests.scenarios.test_revealing import ARGUMENTS, CARD, IBAN, proposed, said
from tests.world import Proposal, World

BUTTON = "See what is hidden …"


async def details(world: World, user: str, proposal: Proposal) -> OpenView:
    """Open Details, and give the modal."""
    packet = await world.packet_of(proposal)
    assert (await world.slack.click(user, packet.channel, packet.ts, "details")).ok
    return world.slack.modals(user)[-1]


async def form(world: World, user: str, proposal: Proposal) -> OpenView:
    """Open Details, press the button, and give what comes."""
    outcome = await world.slack.click_view(user, (await details(world, user, proposal)).id, "reveal")
    assert outcome.ok, outcome.warning
    return world.slack.modals(user)[-1]


def filled(field: str, why: str = "chargeback 17") -> dict[str, Any]:
    """Give what is typed into the form."""
    return {"field": {"field": field}, "reason": {"reason": why}}


def words(view: OpenView) -> str:
    """Give everything that a modal says."""
    return json.dumps(view.view, ensure_ascii=False)


async def test_the_role_is_offered_it_and_sees_the_original_on_record(world: World) -> None:
    """Nobody else has the button; which field and why are asked; only that modal has the original."""
    proposal = await proposed(world)
    assert BUTTON not in words(await details(world, MAYA, proposal))
    asked = await form(world, SAM, proposal)
    options = [each["value"] for each in asked.view["blocks"][0]["element"]["options"]]
    assert options == ["arguments", "bank_account", "summary"]
    assert IBAN not in words(asked)
    empty = await world.slack.submit(SAM, asked.id, filled("bank_account", " \u200b"))
    assert "Please say why" in json.dumps(empty.errors)
    assert world.ledger().events(Revealed) == []
    assert (await world.slack.submit(SAM, asked.id, filled("bank_account"))).ok
    shown = words(world.slack.modals(SAM)[-1])
    assert (IBAN in shown, CARD in shown) == (True, False)
    (look,) = world.ledger().events(Revealed)
    assert (look.about, look.field, look.door) == (proposal["id"], "bank_account", "slack")
    assert world.ledger().user(look.by.ref) == SAM
    await world.settled()
    assert IBAN not in said(world)
    world.verify_log()


async def test_whoever_lost_the_role_meanwhile_is_refused_on_record(world: World) -> None:
    """The button gives nobody a right: it is asked again when it is pressed, and when the form is sent."""
    proposal = await proposed(world)
    asked = await form(world, SAM, proposal)
    world.write_roles({"users": [MAYA, JONAS]}, reveal={"users": [JONAS]})
    await world.running.watch.look()
    await world.slack.submit(SAM, asked.id, filled("bank_account"))
    assert "only whoever has the role reveal" in words(world.slack.modals(SAM)[-1])
    await world.slack.close_view(SAM, world.slack.modals(SAM)[-1].id)
    opened = world.slack.modals(SAM)[-1]
    assert BUTTON in words(opened)
    assert (await world.slack.click_view(SAM, opened.id, "reveal")).ok
    assert "only whoever has the role reveal" in words(world.slack.modals(SAM)[-1])
    assert [event.code for event in world.ledger().events(RevealRefused)] == [Refusal.MAY_NOT_REVEAL] * 2
    assert world.ledger().events(Revealed) == []


async def test_what_cannot_be_recorded_is_not_shown(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the log takes no entry the form stays, says that there was trouble, and shows nothing."""
    proposal = await proposed(world)
    asked = await form(world, SAM, proposal)
    record = Transaction.record

    def full(self: Transaction, event: Any) -> Any:  # noqa: ANN401 - an event
        if isinstance(event, Revealed):
            raise sqlite3.OperationalError("disk is full")
        return record(self, event)

    monkeypatch.setattr(Transaction, "record", full)
    outcome = await world.slack.submit(SAM, asked.id, filled("bank_account"))
    assert outcome.errors
    assert IBAN not in words(world.slack.modals(SAM)[-1])


async def test_nothing_hidden_and_too_much_are_both_said(world: World) -> None:
    """Where nothing is hidden there is no form; what a modal does not take is never left out in silence."""
    world.write_roles({"users": [MAYA, JONAS]}, reveal={"users": [SAM]})
    await world.running.watch.look()
    plain = await form(world, SAM, await world.propose(180))
    assert "Nothing of this proposal is hidden" in words(plain)
    long = {**ARGUMENTS, "bank_account": "9" * (PAGE_CHARACTERS + 1)}
    asked = await form(world, SAM, await world.propose(180, arguments=long))
    assert (await world.slack.submit(SAM, asked.id, filled("bank_account"))).ok
    assert "There is more than Slack takes" in words(world.slack.modals(SAM)[-1])
