"""The weekly review in Slack: made once a week for each role, read, signed off, flagged, asked for again, and kept."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from approval_rules.canonical import canonical_bytes, sha256_name
from approval_rules.refusals import Refusal
from approval_rules.review_events import (
    ReviewEvent,
    WeekFlagged,
    WeekReminded,
    WeekReported,
    WeekReviewRefused,
    WeekSigned,
)
from bot.review.making import reports_on
from bot.review.week import week_named
from bot.slack_standin.conversations import Message
from bot.slack_standin.faults import Refuse, ServerError, Twice
from bot.slack_standin.workspace import AGENT_OPS, JONAS, LENA, MAYA, OUTSIDER, PRIYA, REFUND_APPROVALS, SAM
from tests.paged_world import PagedWorld
from tests.world import MANAGER, World, buttons_of

NOTE = "Why so fast? <!channel> *look*"


async def until_monday(world: World, hour: int = 9) -> None:
    """Let time pass until the next Monday at this hour, UTC, and let the server look."""
    now = world.clock()
    monday = now.date() + timedelta(days=7 - now.weekday())
    due = datetime(monday.year, monday.month, monday.day, hour, 1, tzinfo=UTC)
    await world.move(seconds=(due - now).total_seconds())
    await looked(world)


async def looked(world: World) -> None:
    """Let the server see what is due, and tell it."""
    await world.running.weekly.look()
    await world.settled()


def events(world: World) -> list[ReviewEvent]:
    """Give what was recorded about weekly reviews."""
    return [item.event for item in world.ledger().recorded if isinstance(item.event, ReviewEvent)]


def codes(world: World) -> list[Refusal]:
    """Give why something did not count, in order."""
    return [event.code for event in events(world) if isinstance(event, WeekReviewRefused)]


def message_of(world: World, role: str = MANAGER, channel: str = AGENT_OPS) -> Message:
    """Give the newest message about a role's review."""
    found = [
        one
        for one in world.slack.messages(channel)
        if one.thread_ts is None and f"Weekly review of {role}" in json.dumps(one.blocks)
    ]
    return found[-1]


def said(world: World, who: str) -> str:
    """Give the modal that somebody sees."""
    return json.dumps(world.slack.modals(who)[-1].view, ensure_ascii=False)


async def press(world: World, who: str, message: Message, action: str, *, force: bool = False) -> str:
    """Press a button under a review, and tell what the modal says."""
    outcome = await world.slack.click(who, message.channel, message.ts, action, force=force)
    assert outcome.ok, outcome.warning
    return said(world, who)


async def a_week(world: World) -> Message:
    """Let Maya and Jonas approve one refund, and the week pass."""
    await world.approve(await world.propose(180))
    await until_monday(world)
    return message_of(world)


def kept(world: World) -> dict[str, Any]:
    """Give the kept reports by their names."""
    with world.db() as db:
        return {row[0]: json.loads(row[1]) for row in db.execute("SELECT digest, content FROM access_reports")}


@pytest.fixture
async def paged(tmp_path: Path) -> AsyncIterator[PagedWorld]:
    """Start a server with pages."""
    async with PagedWorld(tmp_path) as made:
        yield made
        made.verify_log()


async def test_on_monday_each_role_has_its_review_and_what_alarms_comes_first(world: World) -> None:
    """The message counts the week, names nobody, and is kept byte for byte under the name that the log has."""
    message = await a_week(world)
    lines = json.dumps(message.blocks, ensure_ascii=False)
    assert lines.index("⚠ Decided in under five seconds: 2") < lines.index("Decided by people: 1")
    assert [button["action_id"] for button in buttons_of(message)] == ["review_read", "review_sign", "review_flag"]
    [(digest, report)] = kept(world).items()
    assert sha256_name(canonical_bytes(report)) == digest
    [made] = events(world)
    assert isinstance(made, WeekReported)
    assert (made.report, made.role, made.items) == (digest, MANAGER, len(report["items"]))
    assert digest in lines
    assert MAYA not in json.dumps(report)
    assert "Maya" not in lines


async def test_a_report_is_made_once_whoever_looks_and_however_often(world: World) -> None:
    """Two servers that look at once, a second look, and a restart make no second report and no second message."""
    await world.approve(await world.propose(180))
    await world.move(days=9 - world.clock().weekday())
    await asyncio.gather(*(world.running.weekly.look() for _ in range(3)))
    await world.restart()
    await looked(world)
    assert len(events(world)) == 1
    assert len([one for one in world.slack.messages(AGENT_OPS) if "Weekly review" in json.dumps(one.blocks)]) == 1


async def test_before_nine_nothing_is_due(world: World) -> None:
    """At eight on Monday nothing is made; an hour later it is."""
    await until_monday(world, hour=8)
    assert events(world) == []
    await world.move(hours=1)
    await looked(world)
    assert len(events(world)) == 1


async def test_an_empty_week_says_so_and_is_signed_too(world: World) -> None:
    """Nothing to report is a report: one signature completes it, and there is nothing to flag."""
    await until_monday(world)
    message = message_of(world)
    assert "Nothing to report." in json.dumps(message.blocks)
    assert [button["action_id"] for button in buttons_of(message)] == ["review_read", "review_sign"]
    assert "review is complete" in await press(world, MAYA, message, "review_sign")


async def test_whoever_decided_everything_does_not_complete_it_alone(world: World) -> None:
    """The record says in how much of it the reviewer took part; two of them complete it, each once."""
    message = await a_week(world)
    assert "one more person must sign" in await press(world, MAYA, message, "review_sign")
    await world.settled()
    assert "One more person must sign" in json.dumps(message_of(world).blocks)
    assert "signed this report already" in await press(world, MAYA, message, "review_sign")
    assert "review is complete" in await press(world, JONAS, message, "review_sign")
    await world.settled()
    assert "review_sign" not in json.dumps(message_of(world).blocks)
    signed = [event for event in events(world) if isinstance(event, WeekSigned)]
    assert [(one.decided, one.decisions) for one in signed] == [(1, 1), (1, 1)]
    assert len({one.by for one in signed}) == 2


async def test_whoever_decided_none_of_it_completes_it(world: World) -> None:
    """Priya, of the role by its group, took part in nothing; her signature is enough."""
    message = await a_week(world)
    assert "review is complete" in await press(world, PRIYA, message, "review_sign")
    [signed] = [event for event in events(world) if isinstance(event, WeekSigned)]
    assert signed.decided == 0


async def test_two_reviewers_at_once_are_two_signatures(world: World) -> None:
    """Clicks of the same moment are counted one after the other, and each is told the truth."""
    message = await a_week(world)
    await asyncio.gather(*(press(world, who, message, "review_sign") for who in (MAYA, JONAS, PRIYA)))
    assert len([event for event in events(world) if isinstance(event, WeekSigned)]) == 3


@pytest.mark.parametrize("action", ["review_read", "review_sign", "review_flag"])
async def test_a_stranger_reads_signs_and_flags_nothing(world: World, action: str) -> None:
    """Without the role, as a guest, from another workspace: refused, told why, and recorded."""
    message = await a_week(world)
    world.workspace.channels[AGENT_OPS].members.update({SAM, LENA, OUTSIDER})
    for who, why in ((SAM, "has its role"), (LENA, "guest"), (OUTSIDER, "another workspace")):
        assert why in await press(world, who, message, action, force=True)
    await world.settled()
    assert codes(world) == [Refusal.NOT_IN_ROLE, Refusal.GUEST, Refusal.OTHER_WORKSPACE]
    assert not [event for event in events(world) if isinstance(event, WeekSigned)]


@pytest.mark.parametrize("action", ["review_read", "review_sign", "review_flag"])
async def test_a_forged_button_does_nothing(world: World, action: str) -> None:
    """A value that is no report's name is unreadable; one of a report that nobody made is refused and recorded."""
    message = await a_week(world)
    button = next(one for one in buttons_of(message) if one["action_id"] == action)
    for value, why in (
        ("x" * 900, "not one that Foureyes can read"),
        ("sha256:" + "0" * 64, "does not keep this report"),
    ):
        button["value"] = value
        assert why in await press(world, MAYA, message, action)
    assert codes(world) == [Refusal.UNKNOWN_REPORT]


async def test_items_are_flagged_with_a_note(world: World) -> None:
    """The flag stands under the review, as text; the log has the numbers for ever and the note detached."""
    message = await a_week(world)
    assert "Flagged" in await world.fill(
        PRIYA, message, "review_flag", {"items": {"items": "2, 1"}, "reason": {"reason": NOTE}}
    )
    await world.settled()
    [flag] = [event for event in events(world) if isinstance(event, WeekFlagged)]
    assert flag.items == (1, 2)
    shown = message_of(world)
    assert "1, 2. Why so fast? <!channel> *look*" in json.dumps(shown.blocks, ensure_ascii=False)
    assert shown.pings == []
    with world.db() as db:
        bodies = b"".join(row[0] for row in db.execute("SELECT body FROM entries"))
    assert b"Why so fast" not in bodies


@pytest.mark.parametrize(
    ("items", "note", "told"),
    [
        ("three", "look", "Numbers as in the report"),
        ("1;2", "look", "Numbers as in the report"),
        ("0", "look", "no item of this number"),
        ("99999", "look", "no item of this number"),
        ("1", "\u200b", "what should be looked at"),
    ],
)
async def test_a_flag_that_cannot_be_is_told_at_the_field(world: World, items: str, note: str, told: str) -> None:
    """What was typed stays, the field says what is wrong, and nothing is flagged."""
    message = await a_week(world)
    assert told in await world.fill(
        MAYA, message, "review_flag", {"items": {"items": items}, "reason": {"reason": note}}
    )
    assert not [event for event in events(world) if isinstance(event, WeekFlagged)]


async def test_a_review_that_the_next_one_replaced_takes_nothing_more(world: World) -> None:
    """The old message loses its buttons but Read; a late click on it is refused; the new one says what was missed."""
    message = await a_week(world)
    await until_monday(world)
    assert [button["action_id"] for button in buttons_of(message)] == ["review_read"]
    assert "taken the place" in json.dumps(message.blocks)
    newer = message_of(world)
    assert newer.ts != message.ts
    assert "was never signed off" in json.dumps(newer.blocks)
    button = buttons_of(message)[0]
    for action in ("review_sign", "review_flag"):
        button["action_id"] = action
        assert "has taken the place of this one" in await press(world, MAYA, message, action)
    assert codes(world) == [Refusal.REVIEW_SUPERSEDED] * 2


async def test_an_unsigned_review_nags_daily_and_then_calls_others(world: World) -> None:
    """From the second day on its role is called once a day; on the fifth the operators too, and they may sign."""
    await world.stop()
    world.write_roles({"users": [MAYA, JONAS]}, operator={"users": [SAM]})
    await world.start()
    message = await a_week(world)
    await world.move(hours=47)
    await looked(world)
    assert world.thread(message) == []
    for hours in (2, 6, 24, 24):
        await world.move(hours=hours)
        await looked(world)
    assert len(world.thread(message)) == 3
    assert {f"<@{MAYA}>", f"<@{JONAS}>"} <= {ping for one in world.slack.messages(AGENT_OPS) for ping in one.pings}
    assert "has its role" in await press(world, SAM, message, "review_sign")
    await world.move(hours=24)
    await looked(world)
    called = world.slack.messages(AGENT_OPS)[-1]
    assert called.thread_ts is None
    assert f"<@{SAM}>" in called.pings
    assert "Whoever has a role that is called here may read it" in json.dumps(called.blocks)
    reminded = [event for event in events(world) if isinstance(event, WeekReminded)]
    assert [event.also for event in reminded] == [(), (), (), ("operator",)]
    assert "review is complete" in await press(world, SAM, called, "review_sign")
    await world.move(hours=48)
    await looked(world)
    assert len([event for event in events(world) if isinstance(event, WeekReminded)]) == 4


async def test_a_signed_review_calls_nobody(world: World) -> None:
    """A complete one is never asked for again."""
    message = await a_week(world)
    await press(world, PRIYA, message, "review_sign")
    await world.move(days=5)
    await looked(world)
    assert not [event for event in events(world) if isinstance(event, WeekReminded)]


async def test_quiet_hours_hold_a_call_back(world: World) -> None:
    """Who is left in peace until eleven is called then, and not before; what was signed meanwhile calls nobody."""
    message = await a_week(world)
    roles = world.policy / "roles.yml"
    told = json.loads(roles.read_text(encoding="utf-8"))
    told["roles"][MANAGER]["quiet_hours"] = {"from": "08:00", "to": "11:00", "time_zone": "UTC"}
    roles.write_text(json.dumps(told), encoding="utf-8")
    await world.running.watch.look()
    assert world.running.watch.fault is None
    await world.move(days=2)
    await world.running.weekly.look()

    async def held() -> bool:
        with world.db() as db:
            [(error,)] = db.execute(
                "SELECT last_error FROM outbox WHERE kind = 'review' AND state = 'queued'"
            ).fetchall()
        return bool(error == "quiet hours")

    await world.until(held, "a call that waits")
    await world.move(hours=2)
    await world.settled()
    assert len(world.thread(message)) == 1


async def test_without_a_public_address_the_whole_comes_as_files(world: World) -> None:
    """Both files come to whoever pressed, in that person's direct conversation and nowhere else."""
    message = await a_week(world)
    assert "comes to you alone" in await press(world, MAYA, message, "review_read")
    await world.settled()
    direct = world.workspace.direct(MAYA).id
    files = [one for one in world.slack.world.uploads.files.values() if one.shared_in]
    assert sorted(one.name for one in files) == ["weekly-review.csv", "weekly-review.html"]
    assert {place[0] for one in files for place in one.shared_in} == {direct}
    [page] = [(one.content or b"").decode() for one in files if one.name.endswith("html")]
    assert "Maya Chen (U0MAYACHEN1)" in page or f"Maya Chen ({MAYA})" in page
    assert "Refund $180.00" in page


@asynccontextmanager
async def browser() -> AsyncIterator[httpx.AsyncClient]:
    """Keep cookies, as a browser does."""
    async with httpx.AsyncClient(trust_env=False) as http:
        yield http


async def test_a_link_opens_the_whole_for_a_quarter_of_an_hour(paged: PagedWorld) -> None:
    """The page loads nothing; beside it stands the table; after its time, forged or shifted, a link is nothing."""
    message = await a_week(paged)
    url = await paged.review_link(MAYA, message)
    name = url.split("/")[-2]
    digest, number, ends, mac = name.split(".")
    forged = (
        f"{digest}.{number}.{int(ends) + 1}.{mac}",
        f"{'0' * 64}.{number}.{ends}.{mac}",
        f"{digest}.{number}x.{ends}.{mac}",
        f"{digest}.{number}.{ends}.{'0' * 64}",
        f"{digest}.{number}.٣.{mac}",
        f"{digest}.{ends}.{mac}",
        digest,
        "x",
    )
    async with browser() as http:
        for other in forged:
            assert (await http.get(url.replace(name, other))).status_code == 404
        assert (await http.get(url.replace(".html", ".pdf"))).status_code == 404
        page = await http.get(url)
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert page.headers["cache-control"] == "no-store"
        assert "Refund $180.00" in page.text
        table = await http.get(url.replace(".html", ".csv"))
        assert table.headers["content-type"] == "text/csv; charset=utf-8"
        assert table.text.startswith("number,kind,at,what,who,action")
        await paged.move(minutes=16)
        over = await http.get(url)
        assert over.status_code == 404
        assert name not in over.text


async def test_a_link_opens_once_in_one_browser(paged: PagedWorld) -> None:
    """Whoever finds it later opens nothing, nor with another link's cookie; who opened it reads on."""
    message = await a_week(paged)
    url, other = await paged.review_link(MAYA, message), await paged.review_link(MAYA, message)
    assert url != other, "two that were asked for at one moment are two"
    async with browser() as mayas, browser() as finders:
        assert (await mayas.get(url)).status_code == 200
        [cookie] = mayas.cookies.jar
        assert (cookie.path, cookie.has_nonstandard_attr("HttpOnly")) == (f"/review/{url.split('/')[-2]}", True)
        assert cookie.get_nonstandard_attr("SameSite") == "lax"
        assert cookie.value is not None
        assert cookie.value not in url
        await paged.restart()
        assert (await finders.get(url)).status_code == 404
        assert (await finders.get(other)).status_code == 200
        [theirs] = finders.cookies.jar
        assert (await finders.get(url, headers={"Cookie": f"{theirs.name}={theirs.value}"})).status_code == 404
        assert (await mayas.get(url)).status_code == 200
        assert (await mayas.get(url.replace(".html", ".csv"))).status_code == 200


async def test_two_at_once_are_one_browser(paged: PagedWorld) -> None:
    """Of two that open a link at the same moment one reads."""
    url = await paged.review_link(MAYA, await a_week(paged))
    async with browser() as one, browser() as two:
        answers = await asyncio.gather(one.get(url), two.get(url))
    assert sorted(answer.status_code for answer in answers) == [200, 404]


async def test_a_message_that_slack_lost_is_not_posted_twice(world: World) -> None:
    """An answer that never came is looked for in the channel's history before anything is sent again."""
    await world.approve(await world.propose(180))
    await world.settled()
    world.slack.faults.order("chat.postMessage", ServerError(), times=1)
    await until_monday(world)
    await world.move(minutes=2)
    await world.settled()
    assert len([one for one in world.slack.messages(AGENT_OPS) if "Weekly review" in json.dumps(one.blocks)]) == 1


async def test_the_same_request_twice_counts_once(world: World) -> None:
    """A press that arrives twice is one signature."""
    message = await a_week(world)
    world.slack.faults.order("app:block_actions", Twice())
    await press(world, PRIYA, message, "review_sign")
    assert len([event for event in events(world) if isinstance(event, WeekSigned)]) == 1


async def test_without_the_right_to_send_files_whoever_asked_is_told(world: World) -> None:
    """A missing scope is said in words, and nothing waits for ever."""
    message = await a_week(world)
    world.slack.faults.order("files.getUploadURLExternal", Refuse("missing_scope"), times=1)
    await press(world, MAYA, message, "review_read")
    await world.settled()
    assert "files:write" in world.slack.messages(world.workspace.direct(MAYA).id)[-1].text


async def test_a_role_with_its_own_channel_is_told_there(world: World) -> None:
    """`channels:` may name a role; its review goes there."""
    told = json.loads((world.policy / "roles.yml").read_text(encoding="utf-8"))
    told["channels"][MANAGER] = REFUND_APPROVALS
    (world.policy / "roles.yml").write_text(json.dumps(told), encoding="utf-8")
    await world.running.watch.look()
    await until_monday(world)
    assert message_of(world, channel=REFUND_APPROVALS).channel == REFUND_APPROVALS


async def test_without_anybody_else_the_operators_channel_is_called(world: World) -> None:
    """Where there is neither a backup nor an operator, the fifth day's call still leaves the thread."""
    message = await a_week(world)
    for days in (2, 1, 1, 1, 1):
        await world.move(days=days)
        await looked(world)
    calls = [one for one in world.slack.messages(AGENT_OPS) if "Nobody has signed the weekly review" in one.text]
    assert [one.thread_ts for one in calls] == [message.ts, message.ts, message.ts, None, message.ts]


async def test_backups_are_called_and_may_sign(world: World) -> None:
    """A role that the policy asks from half of the time on is called on the fifth day."""
    rule = world.policy / "payments.refund.yml"
    told = rule.read_text(encoding="utf-8")
    ask = "{roles: [support_manager], approvals: 2, backup: director}"
    rule.write_text(told.replace('"support_manager"', ask), encoding="utf-8")
    world.write_roles({"users": [MAYA, JONAS]}, director={"users": [SAM]})
    await world.running.watch.look()
    assert world.running.watch.fault is None
    await a_week(world)
    await world.move(days=5)
    await looked(world)
    reminded = {event.also for event in events(world) if isinstance(event, WeekReminded)}
    assert reminded == {("director",), ()}  # the directors have no backup themselves
    called = [one for one in world.slack.messages(AGENT_OPS) if "weekly review of support_manager" in one.text][-1]
    assert "review is complete" in await press(world, SAM, called, "review_sign")


async def test_whoever_signs_before_the_call_leaves_is_not_called(world: World) -> None:
    """A call that Slack did not take is not made any more once the review is signed."""
    message = await a_week(world)
    world.slack.faults.order("chat.postMessage", Refuse("ratelimited"), times=1)
    await world.move(days=2)
    await world.running.weekly.look()

    async def waits() -> bool:
        with world.db() as db:
            return bool(db.execute("SELECT 1 FROM outbox WHERE kind = 'review' AND last_error IS NOT NULL").fetchone())

    await world.until(waits, "a call that waits")
    await press(world, PRIYA, message, "review_sign")
    await world.move(minutes=5)
    await world.settled()
    assert world.thread(message) == []


async def test_a_message_that_somebody_deleted_is_not_posted_again(world: World) -> None:
    """Where the message is gone, a signature counts all the same, and nothing waits for ever."""
    message = await a_week(world)
    world.slack.faults.order("chat.update", Refuse("message_not_found"), times=1)
    assert "review is complete" in await press(world, PRIYA, message, "review_sign")
    await world.settled()
    with world.db() as db:
        assert db.execute("SELECT count(*) FROM outbox WHERE state = 'dead'").fetchone() == (0,)


async def test_without_any_channel_the_review_waits(world: World) -> None:
    """It is made and kept, and posted as soon as there is a place for it."""
    roles = world.policy / "roles.yml"
    told = json.loads(roles.read_text(encoding="utf-8"))
    roles.write_text(json.dumps({"roles": told["roles"]}), encoding="utf-8")
    await world.running.watch.look()
    now = world.clock()
    await world.move(days=9 - now.weekday())
    await world.running.weekly.look()

    async def waits() -> bool:
        with world.db() as db:
            row = db.execute("SELECT last_error FROM outbox WHERE kind = 'review'").fetchone()
        return bool(row and str(row[0]).startswith("no channel"))

    await world.until(waits, "a review that waits")
    roles.write_text(json.dumps(told), encoding="utf-8")
    await world.running.watch.look()
    await world.move(hours=2)
    await world.settled()
    assert message_of(world).channel == AGENT_OPS


async def test_a_report_that_somebody_deleted_cannot_be_signed_and_is_missed(tmp_path: Path) -> None:
    """Who wants to read it gets nothing, a signature is refused, and the check of the records names it."""
    async with World(tmp_path) as world:
        message = await a_week(world)
        with closing(sqlite3.connect(world.database)) as db, db:
            db.execute("DELETE FROM access_reports")
        await press(world, MAYA, message, "review_read")
        await world.settled()
        assert "does not keep this report" in await press(world, PRIYA, message, "review_sign")
        with world.db() as db:
            assert db.execute("SELECT last_error FROM outbox WHERE state = 'dead'").fetchall() == [
                ("the report is not kept",)
            ]
            faults = world.ledger().faults(db, world.settings)
        assert len(faults) == 1
        assert "was signed and is missing" in str(faults[0])


async def test_a_week_before_any_policy_has_no_report(world: World) -> None:
    """Where nothing decided there is nothing to review."""
    with world.db() as db:
        assert reports_on(db, week_named("2020-W01", UTC)) == []
