"""The access review in Slack: a report to whoever may read it, whole or not at all, signed by people, and kept."""

import json
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from approval_rules.access_events import AccessReviewed, AccessReviewRefused, RoleChanged
from approval_rules.canonical import canonical_bytes, sha256_name
from approval_rules.refusals import Refusal
from bot.access.making import Making
from bot.access.roster import RosterTaker
from bot.slack_standin.conversations import Message
from bot.slack_standin.faults import RateLimited, Refuse, ServerError, Twice
from bot.slack_standin.submissions import Outcome
from bot.slack_standin.uploads import StandinFile
from bot.slack_standin.workspace import FORMER, JONAS, LENA, MAYA, OUTSIDER, PRIYA, SAM, SUPPORT_MANAGERS, User
from tests.world import BOT_TOKEN, MANAGER, TOOL, World, buttons_of

GROUP = {"users": [MAYA, JONAS], "usergroup": "support-managers"}


async def roles(world: World, manager: dict[str, Any] = GROUP, **others: dict[str, Any]) -> None:
    """Put other roles in force."""
    world.write_roles(manager, **others)
    await world.running.watch.look()
    assert world.running.watch.fault is None


async def asked(world: World, who: str) -> Message:
    """Ask for a report, and give the message that comes."""
    assert "comes to you alone" in await world.say(who, "access")
    await world.settled()
    [message] = [one for one in world.slack.messages(world.workspace.direct(who).id) if buttons_of(one)][-1:]
    return message


def reports(world: World) -> dict[str, Any]:
    """Give the kept reports by their names."""
    with world.db() as db:
        return {row[0]: json.loads(row[1]) for row in db.execute("SELECT digest, content FROM access_reports")}


def files(world: World, name: str) -> list[StandinFile]:
    """Give the files of one name that were shared."""
    return [one for one in world.slack.world.uploads.files.values() if one.name == name and one.shared_in]


async def sign(world: World, who: str, message: Message, *, force: bool = False) -> str:
    """Press the button, and give what the modal says."""
    outcome: Outcome = await world.slack.click(who, message.channel, message.ts, "access_sign", force=force)
    assert outcome.ok, outcome.warning
    return json.dumps(world.slack.modals(who)[-1].view, ensure_ascii=False)


def of_access(world: World) -> list[object]:
    """Give what was recorded about access."""
    mine = (RoleChanged, AccessReviewed, AccessReviewRefused)
    return [item.event for item in world.ledger().recorded if isinstance(item.event, mine)]


async def test_a_report_comes_to_whoever_asked_alone_with_the_whole_as_files(world: World) -> None:
    """The summary and both files stand in the asker's direct conversation and nowhere else."""
    message = await asked(world, MAYA)
    [(digest, report)] = reports(world).items()
    assert sha256_name(canonical_bytes(report)) == digest
    assert digest in json.dumps(message.blocks)
    [page], [table] = files(world, "access-review.html"), files(world, "access-review.csv")
    assert page.shared_in == table.shared_in == [(message.channel, message.ts)]
    assert digest.encode() in (page.content or b"")
    assert b"Priya Nair,U0PRIYANAI1,full member,payments.refund,rule 3,amount_usd above 50" in (table.content or b"")
    assert message.channel == world.workspace.direct(MAYA).id


async def test_whoever_has_no_role_gets_none(world: World) -> None:
    """A member without a role, a guest and an outsider are refused, each refusal is recorded, and nothing is made."""
    for who, why in ((SAM, "access is reviewed by"), (LENA, "guest")):
        assert why in await world.say(who, "access")
    await world.settled()
    assert [event.code for event in of_access(world) if isinstance(event, AccessReviewRefused)] == [
        Refusal.NOT_REVIEWER,
        Refusal.GUEST,
    ]
    assert reports(world) == {}


async def test_where_a_reviewing_role_exists_only_it_may(world: World) -> None:
    """With an auditor in roles.yml an approver may no longer read or sign."""
    await roles(world, auditor={"users": [SAM]})
    message = await asked(world, SAM)
    assert "access is reviewed by" in await world.say(MAYA, "access")
    assert "access is reviewed by" in await sign(world, MAYA, message, force=True)
    assert "the review is complete" in await sign(world, SAM, message)


async def test_whoever_can_approve_something_does_not_complete_a_review_alone(world: World) -> None:
    """One approver's signature waits for a second; the same person twice is one; two complete it."""
    message = await asked(world, MAYA)
    assert "one more person must sign" in await sign(world, MAYA, message)
    assert "signed this report already" in await sign(world, MAYA, message)
    assert "the review is complete" in await sign(world, JONAS, message, force=True)
    signed = [event for event in of_access(world) if isinstance(event, AccessReviewed)]
    assert [event.concerned for event in signed] == [True, True]
    assert len({event.by for event in signed}) == 2
    assert {event.report for event in signed} == set(reports(world))


async def test_an_old_report_and_an_unknown_one_cannot_be_signed(world: World) -> None:
    """After 30 days a report is too old; one that is kept no more is unknown; both are recorded."""
    first = await asked(world, MAYA)
    await world.move(days=31)
    assert "more than 30 days old" in await sign(world, MAYA, first)
    await asked(world, MAYA)
    assert "does not keep this report" in await sign(world, MAYA, first)
    codes = [event.code for event in of_access(world) if isinstance(event, AccessReviewRefused)]
    assert codes == [Refusal.REPORT_TOO_OLD, Refusal.UNKNOWN_REPORT]


async def test_a_signed_report_is_kept_for_ever(world: World) -> None:
    """An unsigned report is forgotten after its term, a signed one never."""
    await sign(world, MAYA, await asked(world, MAYA))
    [signed] = reports(world)
    await world.move(days=1)
    await asked(world, MAYA)
    await world.move(days=60)
    await asked(world, MAYA)
    assert signed in reports(world)
    assert len(reports(world)) == 2


@pytest.mark.parametrize("method", ["auth.test", "usergroups.list", "usergroups.users.list", "users.info"])
async def test_slack_down_sends_nothing_rather_than_half_a_report(world: World, method: str) -> None:
    """While Slack does not answer one of the questions, no report is made; once it does, it comes whole."""
    await world.say(MAYA, "whoami")  # the directory knows her; only the report's own questions fail
    world.slack.faults.order(method, Refuse("internal_error"), times=1)
    await world.say(MAYA, "access")

    async def refused() -> bool:
        with world.db() as db:
            [(state, error)] = db.execute("SELECT state, last_error FROM outbox WHERE kind = 'access'").fetchall()
        return bool(state == "queued" and error == "no-report")

    await world.until(refused, "a refused report")
    assert reports(world) == {}
    await world.move(minutes=2)
    await world.settled()
    assert len(reports(world)) == 1


async def test_a_limit_of_slack_is_waited_for(world: World) -> None:
    """A 429 in the middle delays the report and leaves nothing out."""
    await world.say(MAYA, "whoami")
    world.slack.faults.order("users.info", RateLimited(1), times=1)
    await asked(world, MAYA)
    [report] = reports(world).values()
    assert {one["account"] for one in report["people"]} >= {MAYA, JONAS, PRIYA}


async def test_who_came_and_who_left_is_recorded_once(world: World) -> None:
    """A role's members are recorded when they change, and since when somebody has a role stays what it was."""
    await asked(world, MAYA)
    await world.move(days=3)
    world.workspace.change_group(SUPPORT_MANAGERS, SAM)
    await asked(world, MAYA)
    changes = [event for event in of_access(world) if isinstance(event, RoleChanged)]
    assert [(len(event.joined), len(event.left)) for event in changes] == [(3, 0), (1, 0), (0, 1)]
    report = list(reports(world).values())[-1]
    since = {one["account"]: [role["since"] for role in one["roles"]] for one in report["people"]}
    assert since[MAYA] < since[SAM]


async def test_every_hour_the_roles_are_looked_at(world: World) -> None:
    """Who joins between two reports is recorded at the next look; while Slack does not answer nothing is."""
    wiring = world.running.wiring
    client = AsyncWebClient(BOT_TOKEN, base_url=world.slack.api_url, retry_handlers=[])
    making = Making(wiring.reads.path, wiring.writer.run, lambda: RosterTaker(client), wiring.clock)
    world.slack.faults.order("usergroups.users.list", Refuse("internal_error"), times=1)
    await making.look(wiring.home_team, wiring.policy.folder)
    assert of_access(world) == []
    for _ in range(2):
        await making.look(wiring.home_team, wiring.policy.folder)
    [seen] = of_access(world)
    assert isinstance(seen, RoleChanged)
    assert len(seen.joined) == 3


async def test_roles_that_fewer_than_two_people_can_fill_are_named(world: World) -> None:
    """A leaver and a guest fill no seat: of four accounts one can act; of the role with two nothing is said."""
    await roles(world, {"users": [MAYA, FORMER, LENA, OUTSIDER]}, auditor={"users": [JONAS, PRIYA]})
    shown = json.dumps((await asked(world, JONAS)).blocks, ensure_ascii=False)
    assert "The role support_manager has 1 person who can act." in shown
    assert "The role auditor has" not in shown


async def test_people_who_left_are_named_first(world: World) -> None:
    """A deactivated account in roles.yml, and a guest who voted lately, are warned of."""
    await roles(world, {"users": [MAYA, JONAS, FORMER]})
    await world.approve(await world.propose(180))
    await roles(world, {"users": [MAYA, PRIYA, FORMER]})
    world.workspace.change_user(JONAS, is_restricted=True)
    await world.move(minutes=2)
    await asked(world, MAYA)
    [report] = reports(world).values()
    told = [one["text"] for one in report["warnings"]]
    assert f"Tom Ellis ({FORMER}) is deactivated and is still in {MANAGER}: take the account out." in told
    assert any(text.startswith(f"Jonas Weber ({JONAS}) is a guest now, and voted on ") for text in told)
    able = [way["able"] for way in report["ways"] if way["tool"] == TOOL]
    assert able == [2, 2]


async def test_hostile_names_stay_text(world: World) -> None:
    """A name that is a formula, a tag, a mention or turns the line around is shown, and does nothing."""
    names = ("=HYPERLINK(1)", "<img src=x>", "<!channel>", "a\u202egnp.exe", "@here", "+1+cmd|'/c calc'!A0")
    users = [f"U0HOSTILE{place}" for place in range(len(names))]
    for user, name in zip(users, names, strict=True):
        world.workspace.add_user(User(user, "x", f"{name} y"))
        world.workspace.change_user(user, deleted=name.startswith("<"))
    await roles(world, {"users": [MAYA, JONAS, *users]})
    message = await asked(world, MAYA)
    assert message.pings == []
    [page], [table] = files(world, "access-review.html"), files(world, "access-review.csv")
    text, lines = (page.content or b"").decode(), (table.content or b"").decode()
    assert "<img" not in text
    assert "\u202e" not in text + lines + json.dumps(message.blocks, ensure_ascii=False)
    assert not [line for line in lines.splitlines() if line.lstrip('"').startswith(("=", "+", "-", "@"))]


async def test_a_forged_button_signs_nothing(world: World) -> None:
    """A press whose value is no report's name, or another's, is refused; the log takes none of its words."""
    message = await asked(world, MAYA)
    [block] = [block for block in message.blocks if block["type"] == "actions"]
    for value in ("sha256:" + "0" * 64, "x" * 1000, "<!channel>"):
        block["elements"][0]["value"] = value
        assert "This did not count" in await sign(world, MAYA, message)
    refused = [event.report for event in of_access(world) if isinstance(event, AccessReviewRefused)]
    assert refused == ["sha256:" + "0" * 64]


async def test_a_request_that_comes_twice_counts_once(world: World) -> None:
    """The same command sends one report, and the same press is one signature."""
    world.slack.faults.order("app:command", Twice())
    message = await asked(world, MAYA)
    world.slack.faults.order("app:block_actions", Twice())
    await sign(world, MAYA, message)
    assert len(reports(world)) == 1
    assert len([event for event in of_access(world) if isinstance(event, AccessReviewed)]) == 1


@pytest.mark.parametrize("fault", [ServerError(), Refuse("not_in_channel")])
async def test_a_report_whose_file_slack_refuses_comes_again(world: World, fault: ServerError | Refuse) -> None:
    """A file that could not be announced is no reason for a message without it: the whole is sent later."""
    world.slack.faults.order("files.getUploadURLExternal", fault, times=1)
    await world.say(MAYA, "access")

    async def failed() -> bool:
        with world.db() as db:
            return db.execute("SELECT last_error FROM outbox WHERE kind = 'access'").fetchone()[0] is not None

    await world.until(failed, "a failed try")
    assert world.slack.messages(world.workspace.direct(MAYA).id) == []
    await world.move(minutes=2)
    await world.settled()
    assert len(files(world, "access-review.html")) == 1


async def test_an_outsider_cannot_sign_a_copy(world: World) -> None:
    """Somebody of another workspace who presses the button of a forwarded copy is refused."""
    message = await asked(world, MAYA)
    world.workspace.channels[message.channel].members.add(OUTSIDER)
    assert "another workspace" in await sign(world, OUTSIDER, message, force=True)
    assert [event for event in of_access(world) if isinstance(event, AccessReviewed)] == []


async def test_a_role_that_came_since_counts_for_the_report_in_hand(world: World) -> None:
    """Who may sign is judged when he signs: whoever lost the role in between is refused, and that is recorded."""
    await roles(world, auditor={"users": [SAM, MAYA]})
    message = await asked(world, SAM)
    await roles(world, auditor={"users": [MAYA]})
    assert "access is reviewed by" in await sign(world, SAM, message)
    assert "one more person must sign" in await sign(world, MAYA, message, force=True)


async def test_while_the_directory_is_down_nobody_signs(world: World) -> None:
    """Who cannot be known is refused, and a signature is not lost: it counts once Slack answers again."""
    message = await asked(world, MAYA)
    await world.move(minutes=2)
    world.slack.faults.order("users.info", Refuse("internal_error"), times=1)
    assert "unknown means no" in await sign(world, MAYA, message)
    await world.move(minutes=2)
    assert "one more person must sign" in await sign(world, MAYA, message)


async def test_without_the_scope_for_files_the_asker_is_told(world: World) -> None:
    """An app that was installed before the scope was asked for says so at once, and tries no more."""
    world.slack.world.tokens[BOT_TOKEN].discard("files:write")
    await world.say(MAYA, "access")
    await world.settled()
    [message] = world.slack.messages(world.workspace.direct(MAYA).id)
    assert "lacks the scope files:write" in message.text
    assert not buttons_of(message)


async def test_an_upload_that_is_not_taken_sends_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Slack does not take the bytes there is no message that promises files; the report comes once it does."""
    with monkeypatch.context() as patch:
        patch.setattr("bot.slack_standin.methods_files.FILE_PLACE", "/nowhere/")
        await world.say(MAYA, "access")

        async def failed() -> bool:
            with world.db() as db:
                found = db.execute("SELECT last_error FROM outbox WHERE kind = 'access'").fetchone()
            return bool(found[0] == "upload-refused")

        await world.until(failed, "a failed try")
    assert world.slack.messages(world.workspace.direct(MAYA).id) == []
    await world.move(minutes=2)
    await world.settled()
    assert len(files(world, "access-review.html")) == 1


async def test_one_person_signs_once_by_whichever_account(world: World) -> None:
    """Two accounts with one e-mail address are one reviewer, so the review is not complete by both."""
    for user in (MAYA, JONAS):
        world.slack.change_user(user, email="maya@example.com")
    await world.move(minutes=2)
    message = await asked(world, MAYA)
    await sign(world, MAYA, message)
    copy = await asked(world, JONAS)
    [own] = [block for block in copy.blocks if block["type"] == "actions"]
    [theirs] = [block for block in message.blocks if block["type"] == "actions"]
    own["elements"][0]["value"] = theirs["elements"][0]["value"]
    assert "signed this report already" in await sign(world, JONAS, copy)
    assert len([event for event in of_access(world) if isinstance(event, AccessReviewed)]) == 1
