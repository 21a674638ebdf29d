"""What a contract marks as personal in the arguments goes before the record does, and the record still stands."""

import json
import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from foureyes_verify import Keys, check_all

from approval_rules.erasure_events import Erased, Why
from bot.audit.verify import verify
from bot.keys import load
from bot.policy_files import load as load_policy
from bot.replay.replaying import replay_log
from bot.slack_standin.workspace import JONAS, MAYA
from bot.store.engine import open_reader
from bot.store.sealed import look_through
from tests.auditing import auditor
from tests.world import TOOL, Proposal, World

MARKER = "mustermann"
PAGE = (
    f"policy:\n  tool: {TOOL}\n"
    "  contract: {properties: {amount_usd: {type: number}, customer_id: {type: string}, order_id: {type: string},"
    " payees: {type: array, items: {properties: {name: {type: string, x-touches: pii}, part: {type: integer}}}},"
    " mail: {type: string, x-touches: [pii, admin]}}}\n"
    "  rules: [{require_approval: support_manager}]\n"
)
ALWAYS = "  rules: [{require_approval: support_manager}]\n"
ARGUMENTS = {
    "amount_usd": 180,
    "order_id": "ORD-1",
    "customer_id": "C-17",
    "payees": [{"part": 1}, {"name": f"Erika {MARKER}", "part": 2}],
    "mail": f"erika@{MARKER}.example",
}
REST = {"amount_usd": 180, "customer_id": "C-17", "order_id": "ORD-1", "payees": [{"part": 1}, {"part": 2}]}


@pytest.fixture
async def marked(world: World) -> World:
    """A world whose refunds name people, in fields that the contract marks."""
    (world.policy / f"{TOOL}.yml").write_text(PAGE, "utf-8")
    await world.running.watch.look()
    assert world.running.watch.fault is None
    return world


async def decided(world: World, **more: object) -> Proposal:
    """Let two people approve one proposal, and its agent use it."""
    proposal = await world.propose(180, arguments={**ARGUMENTS, **more})
    packet = await world.packet_of(proposal)
    await world.click(MAYA, packet)
    await world.click(JONAS, packet)
    assert (await world.claim(proposal)).status_code == 200
    assert (await world.report(proposal)).status_code == 200
    await world.settled()
    return await world.read(proposal)


async def over(world: World, **by: float) -> None:
    """Let time pass, and the terms end."""
    await world.move(**by)
    await world.running.retention.look()


async def test_personal_arguments_go_after_30_days_and_the_others_stay(marked: World) -> None:
    """Until then everybody has them whole; then they are named as erased, and the digest is the one that was shown."""
    before = await decided(marked)
    assert before["arguments"] == ARGUMENTS
    assert "arguments_erased" not in before
    await over(marked, days=29)
    assert (await marked.read(before))["arguments"] == ARGUMENTS
    await over(marked, days=1)
    after = await marked.read(before)
    assert (after["arguments"], after["arguments_erased"]) == (REST, ["mail", "name"])
    assert (after["digest"], after["state"]) == (before["digest"], "approved")
    with marked.db() as db:
        report = verify(db, None)
    assert (report.broken, set(report.erased)) == ([], {("term", 30)})
    marked.verify_log()
    await over(marked, days=335)
    after = await marked.read(before)
    assert (after["arguments"], after["arguments_erased"]) == ({}, ["mail", "name"])


async def test_nothing_personal_is_left_in_any_file(marked: World) -> None:
    """Not in the database, its WAL, free pages or index, and a backup from before has the rest only."""
    proposal = await decided(marked)
    await marked.running.audit.indexer.look()
    backup = marked.folder / "backup.db"
    with closing(sqlite3.connect(marked.database)) as db, closing(sqlite3.connect(backup)) as into:
        db.backup(into)
    words = "SELECT count(*) FROM search_words WHERE name = 'personal'"
    with marked.db() as db:
        assert db.execute(words).fetchone() == (3,)
    await over(marked, days=30)
    with marked.db() as db:
        assert db.execute(words).fetchone() == (0,)
    marked.verify_log()
    await marked.stop()
    found = [path.name for path in marked.folder.rglob("*") if path.is_file() and MARKER.encode() in path.read_bytes()]
    assert found == []
    with closing(open_reader(backup, marked.vault())) as db:
        names = {row[0] for row in db.execute("SELECT name FROM detached WHERE value IS NOT NULL")}
    assert "arguments" in names
    assert "personal" not in names
    assert proposal["id"].encode() in marked.database.read_bytes()


async def test_what_is_still_open_keeps_them(marked: World) -> None:
    """A pause can outlast a term: people never decide about half of an action, and what is decided then goes."""
    proposal = await marked.propose(180, arguments=ARGUMENTS)
    packet = await marked.packet_of(proposal)
    other = await decided(marked, order_id="ORD-2")
    await marked.say(MAYA, f"pause tool {TOOL} looking into it")
    await over(marked, days=31)
    await over(marked, days=1)
    assert (await marked.read(proposal))["arguments"] == ARGUMENTS
    assert "arguments_erased" in await marked.read(other)
    marked.verify_log()
    await marked.restart()
    await over(marked)
    await marked.say(MAYA, f"resume tool {TOOL} done")
    await marked.settled()
    assert MARKER in json.dumps(packet.blocks)
    await marked.deny(MAYA, await marked.packet_of(proposal), "too late")
    await over(marked)
    assert "arguments_erased" in await marked.read(proposal)
    marked.verify_log()


async def test_the_evidence_says_what_was_erased(marked: World, tmp_path: Path) -> None:
    """The page names the fields; whoever verifies the pack is told why there is no action to digest, and no fault."""
    proposal = await decided(marked)
    await over(marked, days=30)
    await marked.restart()
    client = await auditor(marked, "lang", values=True)
    answer = await client.get(f"/v1/proposals/{proposal['id']}/evidence")
    (tmp_path / "pack.zip").write_bytes(answer.content)
    key = load(marked.settings.signing_key_file).public_bytes()
    (report,), unreadable = check_all([tmp_path / "pack.zip"], Keys((key,), given=True), 1)
    assert (report.broken, unreadable) == ([], [])
    assert any("these fields were erased: mail, name; the digest" in note for note in report.notes)
    page = await client.get(f"/v1/proposals/{proposal['id']}/evidence", params={"format": "html"})
    assert "mail, name; the digest is over the whole" in page.text
    assert MARKER not in page.text
    assert MARKER.encode() not in answer.content


async def test_who_takes_a_personal_field_away_is_found(marked: World) -> None:
    """No erasure was recorded of it, or one too few: a part that is missing is damage, never privacy."""
    await decided(marked)
    await decided(marked, order_id="ORD-2")
    await marked.stop()
    shutil.copy(marked.database, marked.folder / "copy.db")
    with closing(sqlite3.connect(marked.folder / "copy.db", isolation_level=None)) as db:
        look_through(db, marked.vault())
        assert verify(db, None).broken == []
        db.execute("DELETE FROM main.detached WHERE seq = (SELECT min(seq) FROM main.detached WHERE name = 'personal')")
        assert any("no erasure was recorded" in fault.what for fault in verify(db, None).broken)


async def test_a_replay_judges_what_needs_nothing_erased(marked: World, tmp_path: Path) -> None:
    """A policy that reads what is left is asked again; one that would read what is gone is told apart, not guessed."""
    await decided(marked)
    proposal = await marked.propose(180)
    await marked.deny(MAYA, await marked.packet_of(proposal), "no")
    await over(marked, days=31)
    other = shutil.copytree(marked.policy, tmp_path / "other")
    head = PAGE.partition("  rules:")[0] + "  facts: {customer_tier: string}\n"
    for condition, judged in (
        ("amount_usd < 200", 2),
        ("run.model == 'm' and amount_usd < 200", 2),
        ("touches_pii", 1),
        ("mail.starts_with('erika')", 0),
        ("payees.length > 1", 0),
        ("customer_tier == 'vip'", 0),
        ("sum(amount_usd, 7d by mail) > 500", 0),
    ):
        rules = f'  rules: [{{if: "{condition}", block: true}}, {{require_approval: support_manager}}]\n'
        (other / f"{TOOL}.yml").write_text(head + rules, "utf-8")
        with marked.db() as db:
            replayed = replay_log(load_policy(other), db, marked.clock() - timedelta(days=60))
        assert (condition, replayed.cases, replayed.erased) == (condition, judged, 2 - judged)
    (other / f"{TOOL}.yml").write_text(head.replace("amount_usd: {type: number}", "amount_usd: {maximum: 99}") + ALWAYS)
    with marked.db() as db:
        replayed = replay_log(load_policy(other), db, marked.clock() - timedelta(days=60))
    assert (replayed.cases, replayed.erased) == (1, 1)  # whether it breaks a contract cannot be told of a part
    (other / f"{TOOL}.yml").unlink()  # what no policy judges is blocked, whatever is erased
    with marked.db() as db:
        replayed = replay_log(load_policy(other), db, marked.clock() - timedelta(days=60))
    assert (replayed.cases, replayed.erased) == (2, 0)


async def test_a_counter_by_what_was_erased_cannot_be_told(marked: World) -> None:
    """Nobody knows any more whom an earlier one was for, so nothing passes under a limit by that person."""
    rule = "  rules: [{if: 'sum(amount_usd, 31d by mail) < 500', allow: true}, {require_approval: support_manager}]\n"
    (marked.policy / f"{TOOL}.yml").write_text(PAGE.partition("  rules:")[0] + rule, "utf-8")
    await marked.running.watch.look()
    first = await marked.propose(180, arguments=ARGUMENTS)
    assert first["state"] == "approved"
    assert (await marked.claim(first)).status_code == 200
    assert (await marked.report(first)).status_code == 200
    await over(marked, days=29)
    assert (await marked.propose(180, arguments=ARGUMENTS))["state"] == "approved"
    await over(marked, days=1)
    late = await marked.propose(180, arguments={**ARGUMENTS, "mail": "somebody@else.example"})
    assert late["state"] == "pending"


async def test_an_edit_keeps_what_is_personal_apart(marked: World) -> None:
    """Also where the policy marks nothing any more by then: what was promised at the beginning holds."""
    editable = PAGE.replace("  rules:", "  editable: [amount_usd]\n  rules:")
    (marked.policy / f"{TOOL}.yml").write_text(editable, "utf-8")
    await marked.running.watch.look()
    proposal = await marked.propose(180, arguments=ARGUMENTS)
    packet = await marked.packet_of(proposal)
    (marked.policy / f"{TOOL}.yml").write_text(editable.replace("x-touches: pii", "minLength: 1"), "utf-8")
    await marked.running.watch.look()
    assert marked.running.watch.fault is None
    assert "others decide" in await marked.fill(MAYA, packet, "lower", {"lower.0": {"amount_usd": "150"}})
    await marked.settled()
    after = await marked.read(proposal)
    assert after["arguments"] == {**ARGUMENTS, "amount_usd": 150}
    await marked.deny(JONAS, await marked.packet_of(proposal), "no")
    await over(marked, days=30)
    after = await marked.read(proposal)
    assert (after["arguments"], after["arguments_erased"]) == ({**REST, "amount_usd": 150}, ["mail", "name"])
    marked.verify_log()


async def test_an_erasure_on_request_takes_all_of_it(marked: World) -> None:
    """Whatever the field is, personal or not: it is found in either part, and the whole proposal goes."""
    from bot.store.forgetting import about_subject  # noqa: PLC0415 - this test alone looks inside

    proposal = await decided(marked)
    with marked.db() as db:
        for field, value in (("mail", ARGUMENTS["mail"]), ("name", f"Erika {MARKER}"), ("customer_id", "C-17")):
            found = about_subject(db, field, str(value))
            assert found.proposals == (proposal["id"],)
            assert {"arguments", "personal", "digest"} <= {name for _, name in found.values}
    assert [event for event in marked.ledger().events(Erased) if event.why is Why.SUBJECT] == []
    assert json.dumps(proposal["arguments"]) == json.dumps(ARGUMENTS, sort_keys=True)
