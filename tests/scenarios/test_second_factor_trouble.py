"""Scenarios: second factors while something is wrong: no pages, lost messages, removed apps, replayed requests."""

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from approval_rules.events import Refusal, Voted, VoteRefused
from approval_rules.factor_events import FactorConfirmed, FactorEnrolled, FactorRefused
from approval_rules.factors import Wish, enrol
from bot.desk.factor_record import New, record_factors
from bot.slack_standin.faults import LostAnswer, Refuse, ServerError
from bot.slack_standin.workspace import AGENT_OPS, JONAS, MAYA, PRIYA, SAM
from bot.store.check import differences
from bot.store.credentials import factors_of
from bot.store.transaction import Transaction
from tests.scenarios.test_second_factors import (
    MANAGERS,
    FactorWorld,
    Page,
    buttons_of_note,
    direct,
    said_in,
)
from tests.world import World, buttons_of

KEY = New("Passkey", {"credential_id": "AAAA", "public_key": "AAAA"})


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[FactorWorld]:
    """Start a whole product with pages; whatever happened, the log must verify at the end."""
    async with FactorWorld(tmp_path) as made:
        yield made
        made.verify_log()


async def test_without_pages_nobody_enrols(tmp_path: Path) -> None:
    """The person is told what is missing."""
    async with World(tmp_path) as plain:
        assert "FOUREYES_PUBLIC_URL" in await plain.say(MAYA, "factor add totp")


async def test_five_links_at_once_are_enough(world: FactorWorld) -> None:
    """Nobody fills the table with links; an enrolment drops the others."""
    paths = [await world.open(MAYA) for _ in range(5)]
    assert "several open links" in await world.say(MAYA, "factor add totp")
    page = Page(world, paths[0])
    app = await page.show()
    assert (await page.type(app.at(world.clock()))).status_code == 200
    assert (await Page(world, paths[1]).look()).status_code == 410
    assert buttons_of_note(world, MAYA) == []


async def test_a_second_too_fast_is_not_counted(world: FactorWorld) -> None:
    """Two tries in the same second: the second is not looked at, right or wrong."""
    app = await world.enrolled(MAYA)
    packet = await world.packet_of(await world.propose())
    modal = await world.ask(MAYA, packet)
    code = {"code": {"code": "000000"}}
    await world.slack.submit(MAYA, modal.id, code)
    outcome = await world.slack.submit(MAYA, modal.id, {"code": {"code": app.at(world.clock())}})
    assert "too fast" in outcome.errors["code"]
    assert world.ledger().events(Voted) == []


async def test_a_replayed_submission_makes_no_second_vote(world: FactorWorld) -> None:
    """The exact same request again is answered with what became of it."""
    app = await world.enrolled(MAYA)
    packet = await world.packet_of(await world.propose())
    modal = await world.ask(MAYA, packet)
    outcome = await world.type_code(MAYA, modal, app.at(world.clock()))
    assert outcome.delivery is not None
    await world.settled()
    before = len(world.ledger().recorded)
    world.clock.move(timedelta(seconds=2))
    answer = await world.slack.replay(outcome.delivery)
    assert answer.status == 200
    assert b"Your approval counts" in answer.answer
    await world.settled()
    assert len(world.ledger().recorded) == before


async def test_a_replayed_confirmation_changes_nothing(world: FactorWorld) -> None:
    """A button's request that comes again is no second confirmation."""
    await world.enrol(MAYA)
    await world.settled()
    question = world.slack.messages(AGENT_OPS)[-1]
    outcome = await world.slack.click(PRIYA, AGENT_OPS, question.ts, "factor_confirm")
    assert outcome.delivery is not None
    before = len(world.ledger().recorded)
    await world.slack.replay(outcome.delivery)
    assert len(world.ledger().recorded) == before
    assert len(world.ledger().events(FactorConfirmed)) == 2


@pytest.mark.parametrize("gone", [False, True])
async def test_an_app_that_is_locked_or_gone_meanwhile_makes_no_vote(world: FactorWorld, gone: bool) -> None:  # noqa: FBT001 - a case
    """The modal was open when it happened; the code in it is right."""
    app = await world.enrolled(MAYA)
    packet = await world.packet_of(await world.propose())
    modal = await world.ask(MAYA, packet)
    await world.say(MAYA, "factor lock")
    if gone:
        await world.say(MAYA, "factor remove totp")
        await world.say(SAM, f"factor confirm <@{MAYA}>")
    await world.type_code(MAYA, modal, app.at(world.clock()))
    assert world.ledger().events(Voted) == []
    wanted = Refusal.FACTOR_MISSING if gone else Refusal.FACTOR_LOCKED
    assert [event.code for event in world.ledger().events(VoteRefused)] == [wanted]


async def test_a_secret_that_cannot_be_opened_makes_no_vote(world: FactorWorld) -> None:
    """Another key, or a changed row: every code is wrong, nothing breaks, and the log shows what was changed."""
    app = await world.enrolled(MAYA)
    packet = await world.packet_of(await world.propose())
    modal = await world.ask(MAYA, packet)
    with closing(sqlite3.connect(world.database, timeout=10, isolation_level=None)) as db:
        kept = db.execute("SELECT material, id FROM credentials WHERE factor = 'totp'").fetchone()
        db.execute("UPDATE credentials SET material = json_set(material, '$.secret', 'v1:AAAA') WHERE factor = 'totp'")
        outcome = await world.type_code(MAYA, modal, app.at(world.clock()))
        assert "wrong" in outcome.errors["code"]
        with world.db() as looking:
            assert [line.partition(": ")[2] for line in differences(looking)] == [
                "the index has another key, secret or code than the log says"
            ]
        db.execute("UPDATE credentials SET material = ? WHERE id = ?", kept)


async def test_an_invented_ticket_is_recorded(world: FactorWorld) -> None:
    """It names no proposal, so it is recorded with the person who sent it."""
    app = await world.enrolled(MAYA)
    packet = await world.packet_of(await world.propose())
    modal = await world.ask(MAYA, packet)
    modal.view["private_metadata"] = "A" * 43
    await world.type_code(MAYA, modal, app.at(world.clock()))
    assert "answered before" in said_in(world, MAYA)
    assert [(event.tried, event.code) for event in world.ledger().events(FactorRefused)] == [
        ("vote", Refusal.LINK_USED)
    ]


async def test_nothing_is_done_with_somebody_unknown(world: FactorWorld) -> None:
    """An id that Slack does not know makes nobody."""
    assert "nothing like that waiting" in await world.say(PRIYA, "factor confirm <@U0NOBODY999>")
    assert "U0NOBODY999" not in world.ledger().accounts.values()


async def test_several_are_not_guessed_at(world: FactorWorld) -> None:
    """Whoever has two must say which; and two that wait are answered by their buttons."""
    await world.enrol(MAYA)
    with closing(sqlite3.connect(world.database, timeout=10)) as db:
        assert db.execute("SELECT count(*) FROM credentials WHERE factor = 'totp'").fetchone() == (1,)
    held = world.ledger().events(FactorEnrolled)[0]
    wish = Wish(held.at, held.by, held.person, None, may=False)

    def beside(tx: Transaction) -> None:
        record_factors(tx, enrol(factors_of(tx, held.person), wish, "cred_key", "passkey", None), {"cred_key": KEY})

    await world.running.wiring.writer.run(beside)
    assert "more than one" in await world.say(MAYA, "factor remove")
    assert "more than one" in await world.say(PRIYA, f"factor confirm <@{MAYA}>")
    assert "is removed" in await world.say(MAYA, "factor remove passkey")
    assert "is removed" in await world.say(MAYA, "factor remove")
    assert "nothing like that waiting" in await world.say(MAYA, "factor remove passkey")


@pytest.mark.parametrize("fault", [LostAnswer(), ServerError(), Refuse("ratelimited")])
async def test_the_question_is_posted_once(world: FactorWorld, fault: LostAnswer | ServerError | Refuse) -> None:
    """Whatever breaks on the way: one message with one pair of buttons, and it is answered in place."""
    world.slack.fail("chat.postMessage", fault, times=2)
    await world.enrol(MAYA)
    await world.until(lambda: _asked(world), "the question")
    await world.settled()
    (question,) = [message for message in world.slack.messages(AGENT_OPS) if buttons_of(message)]
    await world.slack.click(PRIYA, AGENT_OPS, question.ts, "factor_confirm")
    await world.settled()
    assert [message for message in world.slack.messages(AGENT_OPS) if buttons_of(message)] == []


async def _asked(world: World) -> bool:
    world.clock.move(timedelta(seconds=5))
    return any(buttons_of(message) for message in world.slack.messages(AGENT_OPS))


async def test_a_question_that_was_deleted_is_let_go(world: FactorWorld) -> None:
    """The answer stands without the message; an update that fails otherwise is tried again."""
    await world.enrol(MAYA)
    await world.settled()
    world.slack.fail("chat.update", ServerError())
    world.slack.fail("chat.update", Refuse("message_not_found"))
    assert "counts from now on" in await world.say(PRIYA, f"factor confirm <@{MAYA}>")

    async def quiet() -> bool:
        world.clock.move(timedelta(seconds=5))
        return all(row["state"] == "done" for row in world.ledger().outbox if row["kind"] == "vouch")

    await world.until(quiet, "the end of the question")


async def test_without_a_channel_the_question_waits(world: FactorWorld) -> None:
    """It is asked once there is one; meanwhile nothing is lost, and the command works."""
    roles = json.loads((world.policy / "roles.yml").read_text())
    (world.policy / "roles.yml").write_text(json.dumps({"roles": roles["roles"]}))
    await world.running.watch.look()
    await world.enrol(JONAS)

    async def told() -> bool:
        rows = [row for row in world.ledger().outbox if row["kind"] == "vouch"]
        return bool(rows) and "no channel" in str(rows[0]["last_error"])

    await world.until(told, "the reason")
    world.write_roles(MANAGERS, admin={"users": [PRIYA, SAM]})
    await world.running.watch.look()
    await world.until(lambda: _asked(world), "the question")
    assert any("A new authenticator app was enrolled" in text for text in direct(world, JONAS))


async def test_nobody_is_told_of_somebody_who_was_erased(world: FactorWorld) -> None:
    """What cannot be told is a dead letter, which a person looks at; the log and the table stay whole."""
    world.slack.fail("chat.postMessage", ServerError(), times=2)
    await world.enrol(MAYA)
    await world.take_out(MAYA)

    async def buried() -> bool:
        world.clock.move(timedelta(seconds=5))
        return {row["state"] for row in world.ledger().outbox if row["kind"] in ("tell", "vouch")} == {"dead"}

    await world.until(buried, "dead letters")


async def test_tickets_do_not_pile_up(world: FactorWorld) -> None:
    """What is over is dropped by the sweep, and nothing else."""
    await world.open(MAYA)
    world.clock.move(timedelta(minutes=20))
    path = await world.open(JONAS)
    world.clock.move(timedelta(minutes=15))
    await world.running.sweeps.forget()
    with world.db() as db:
        assert db.execute("SELECT count(*) FROM tickets").fetchone() == (1,)
    assert (await Page(world, path).look()).status_code == 200
