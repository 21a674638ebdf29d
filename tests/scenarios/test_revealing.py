"""Originals of what people are not shown: for whoever may look, in front of nobody else, and never off the record."""

import io
import json
import sqlite3
import zipfile
from typing import Any

import pytest

from approval_rules.auditor_events import AuditLooked
from approval_rules.refusals import Refusal
from approval_rules.reveal_events import Revealed, RevealRefused
from approval_rules.text import AgentText
from bot.slack_standin.workspace import JONAS, LENA, MAYA, SAM
from bot.store.transaction import Transaction
from handlers.slack.revealing import _MOST_LINES
from tests.auditing import auditor, found
from tests.world import Proposal, World

IBAN = "DE02120300000000202051"
TOKEN = "ghp_" + "a1B2" * 9
CARD = "4111 1111 1111 1111"
ARGUMENTS = {"amount_usd": 180, "order_id": "ORD-1", "customer_id": "C-1", "bank_account": IBAN, "note": CARD}


async def proposed(world: World) -> Proposal:
    """Propose something with a hidden field, a token in the summary and a card number in a note; Sam may look."""
    world.write_roles({"users": [MAYA, JONAS]}, reveal={"users": [SAM, LENA]})
    await world.running.watch.look()
    return await world.propose(180, arguments=ARGUMENTS, summary=f"Rotate {TOKEN}.")


def said(world: World) -> str:
    """Give everything that Slack was ever sent to be seen by more than one person."""
    return json.dumps([message.blocks for message in world.slack.messages("C0REFUNDS01")])


async def test_whoever_has_the_role_sees_the_original_alone_and_on_record(world: World) -> None:
    """Who, what, why and where stand in the log; no channel ever has it; the names alone are no look."""
    proposal = await proposed(world)
    names = await world.say(SAM, f"reveal {proposal['id']}")
    assert "Hidden there: arguments, bank_account, summary" in names
    assert "reason is recorded" in names
    assert IBAN not in await world.say(SAM, f"reveal {proposal['id']} bank_account")
    assert world.ledger().events(Revealed) == []
    shown = await world.say(SAM, f"reveal {proposal['id']} bank_account chargeback 17")
    assert f"arguments.bank_account (entry {log_index(world, proposal)}): {IBAN}" in shown
    assert CARD not in shown
    (look,) = world.ledger().events(Revealed)
    assert (look.about, look.field, look.door) == (proposal["id"], "bank_account", "slack")
    assert look.reason == AgentText("chargeback 17")
    assert world.ledger().user(look.by.ref) == SAM
    assert TOKEN in await world.say(SAM, f"reveal {proposal['id']} summary chargeback 17")
    assert CARD in await world.say(SAM, f"reveal {proposal['id']} arguments chargeback 17")
    await world.settled()
    for secret in (IBAN, TOKEN, CARD):
        assert secret not in said(world)
    world.verify_log()


def log_index(world: World, proposal: Proposal) -> int:
    """Give where in the log a proposal begins."""
    with world.db() as db:
        return int(db.execute("SELECT min(seq) FROM entries WHERE subject = ?", (proposal["id"],)).fetchone()[0])


async def test_nobody_else_sees_it_and_each_try_is_recorded(world: World) -> None:
    """An approver is refused, and so is a guest whom the role names; whether a proposal exists is not told them."""
    proposal = await proposed(world)
    told = await world.say(MAYA, f"reveal {proposal['id']} bank_account I am curious")
    assert "only whoever has the role reveal" in told
    assert told == await world.say(MAYA, "reveal prop_none bank_account I am curious")
    assert "guest" in await world.say(LENA, f"reveal {proposal['id']} bank_account curious")
    assert "does not know this proposal" in await world.say(SAM, "reveal prop_none bank_account why")
    refused = world.ledger().events(RevealRefused)
    assert [(event.code, event.about) for event in refused] == [
        (Refusal.MAY_NOT_REVEAL, proposal["id"]),
        (Refusal.GUEST, proposal["id"]),
    ]
    assert world.ledger().events(Revealed) == []


async def test_where_roles_name_nobody_nobody_may_look(world: World) -> None:
    """The role has no stand-in: an approver is none."""
    proposal = await world.propose(180, arguments=ARGUMENTS)
    assert "role reveal" in await world.say(MAYA, f"reveal {proposal['id']} bank_account why")


async def test_what_cannot_be_recorded_is_not_shown(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The look is committed first: where the log takes no entry, the person is told of trouble and sees nothing."""
    proposal = await proposed(world)
    record = Transaction.record

    def full(self: Transaction, event: Any) -> Any:  # noqa: ANN401 - an event
        if isinstance(event, Revealed):
            raise sqlite3.OperationalError("disk is full")
        return record(self, event)

    monkeypatch.setattr(Transaction, "record", full)
    before = len(world.slack.ephemerals(SAM))
    await world.slack.command(SAM, "C0REFUNDS01", "/agent", f"reveal {proposal['id']} bank_account why")
    assert IBAN not in json.dumps([note.blocks for note in world.slack.ephemerals(SAM)[before:]])
    client = await auditor(world, "lang", values=True)
    asked = {"proposal": proposal["id"], "field": "bank_account", "reason": "chargeback 17"}
    answer = await client.post("/v1/audit/reveal", json=asked)
    assert answer.status_code >= 500
    assert IBAN not in answer.text


async def test_what_is_erased_is_shown_no_more(world: World) -> None:
    """A value whose term is over has no original."""
    proposal = await proposed(world)
    await world.move(days=366)
    await world.running.retention.look()
    assert "or it has been erased" in await world.say(SAM, f"reveal {proposal['id']} bank_account why")


async def test_what_is_too_long_for_slack_says_so(world: World) -> None:
    """A person is never left to think that this was all."""
    world.write_roles({"users": [MAYA, JONAS]}, reveal={"users": [SAM]})
    await world.running.watch.look()
    many = [{"bank_account": f"{number:022}"} for number in range(_MOST_LINES + 5)]
    proposal = await world.propose(180, arguments={**ARGUMENTS, "payees": many})
    assert "There is more than Slack takes" in await world.say(SAM, f"reveal {proposal['id']} bank_account why")
    assert "At most 500" in await world.say(SAM, f"reveal {proposal['id']} bank_account {'x' * 501}")
    assert "the reason is recorded" in await world.say(SAM, "reveal")


async def test_an_auditor_sees_it_over_http_on_record(world: World) -> None:
    """With a key that shows values; another is refused, on record; a name that hides nothing is answered with those."""
    proposal = await proposed(world)
    asked = {"proposal": proposal["id"], "field": "bank_account", "reason": "chargeback 17"}
    client = await auditor(world, "lang", values=True)
    answer = found(await client.post("/v1/audit/reveal", json=asked))
    where = {"seq": log_index(world, proposal), "where": "arguments.bank_account", "text": IBAN}
    assert answer == {"proposal": proposal["id"], "field": "bank_account", "originals": [where]}
    (look,) = world.ledger().events(Revealed)
    assert (look.door, look.field, look.by.kind.value) == ("http", "bank_account", "auditor-key")
    wrong = await client.post("/v1/audit/reveal", json={**asked, "field": "amount_usd"})
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["detail"].endswith("arguments, bank_account, summary")
    assert (await client.post("/v1/audit/reveal", json={**asked, "proposal": "prop_none"})).status_code == 404
    assert (await client.post("/v1/audit/reveal", json={**asked, "reason": " "})).status_code == 422
    assert (await client.post("/v1/audit/reveal", json={**asked, "x": 1})).status_code == 422
    assert (await world.http.post("/v1/audit/reveal", json=asked)).status_code == 401
    blind = await auditor(world, "blind")
    assert (await blind.post("/v1/audit/reveal", json=asked)).json()["code"] == "values-not-shown"
    assert [event.code for event in world.ledger().events(RevealRefused)] == [Refusal.MAY_NOT_REVEAL]
    assert len(world.ledger().events(Revealed)) == 1


async def test_an_auditors_evidence_has_the_masked_form(world: World) -> None:
    """What people were not shown is in no file of the pack: it is counted as withheld, and the rest is proved."""
    proposal = await proposed(world)
    await world.settled()
    await world.restart()
    client = await auditor(world, "lang", values=True)
    answer = await client.get(f"/v1/proposals/{proposal['id']}/evidence")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    for secret in (IBAN, TOKEN, CARD):
        assert not [name for name, data in files.items() if secret.encode() in data], secret
    assert "action.json" not in files
    told = json.loads(files["decision.json"])["proposal"]
    assert told["arguments"]["bank_account"] == "(hidden by policy)"
    assert told["arguments"]["order_id"] == "ORD-1"
    submitted = json.loads(files["manifest.json"])["entries"][0]
    assert submitted["withheld"] == 2
    own = await world.http.get(f"/v1/proposals/{proposal['id']}/evidence")
    with zipfile.ZipFile(io.BytesIO(own.content)) as archive:
        assert IBAN.encode() in archive.read("action.json"), "the agent wrote it"
    (look,) = world.ledger().events(AuditLooked)
    assert look.what == "evidence"
