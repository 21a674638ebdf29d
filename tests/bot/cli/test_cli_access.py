"""`access`: a report from the policy in force, Slack and the records; signed, listed, and shown as it was signed."""

import csv
import io
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.slack_standin.faults import Refuse
from bot.slack_standin.workspace import JONAS, MAYA, SAM, SUPPORT_MANAGERS, User
from tests.bot.cli.living import Living
from tests.bot.cli.shell import Shell

OTHERWISE = "a value is missing or unusable, or no rule matches"


async def test_a_report_says_who_can_approve_what(living: Living) -> None:
    """Each person has the role, the rule, the amounts, how many others are needed, and since when."""
    proposal = await living.world.propose(180)
    await living.world.click(MAYA, await living.world.packet_of(proposal))
    ended = await living("access", "report", "--csv")
    assert (ended.code, ended.err) == (0, "")
    lines = [line for line in csv.DictReader(io.StringIO(ended.out)) if line["account"] == MAYA]
    today = f"{living.world.clock():%Y-%m-%d}"
    assert [(line["rule"], line["when"]) for line in lines] == [
        ("rule 3", "amount_usd above 50"),
        ("strictest of the file", OTHERWISE),
    ]
    assert {line["others needed"] for line in lines} == {"1"}
    assert {(line["role"], line["through"], line["last vote"]) for line in lines} == {
        ("support_manager", "roles.yml", today)
    }
    told = await living("access", "report")
    assert f"Maya Chen ({MAYA}) · support_manager since " in told.out
    assert "payments.refund, rule 3, when amount_usd above 50: 2 of support_manager (3 people can)" in told.out


async def test_the_owner_of_an_agent_is_named_as_excluded(living: Living) -> None:
    """Whoever owns an agent cannot approve for it, and the report says so, and warns where nobody is left."""
    living.world.write_roles({"users": [MAYA, SAM]})
    await living.world.running.watch.look()
    ended = await living("access", "report", "--csv")
    mine = [line for line in csv.DictReader(io.StringIO(ended.out)) if line["account"] == SAM]
    assert {line["not for agents"] for line in mine} == {"refund-bot"}
    told = (await living("access", "report", "--json")).json()
    codes = {one["code"] for one in told["warnings"]}
    assert codes == {"no-spare", "owner-needed"}
    for line in (await living("access", "report")).out.splitlines():
        assert line.isprintable()


async def test_an_operators_key_stands_in_the_report_until_it_is_taken_away(living: Living) -> None:
    """Whose key can stop everything over HTTP is said, with its last use; a revoked one is gone."""
    key = (await living("operator", "add", "ana.sousa", "--json")).json()["key"]
    assert "The operator's key ana.sousa (since " in (told := (await living("access", "report")).out)
    assert "never used)" in told
    stopped = await living.world.client(key).post("/v1/operator/pause", json={"reason": "drill"})
    assert stopped.status_code < 300, stopped.text
    [held] = (await living("access", "report", "--json")).json()["keys"]
    assert (held["kind"], held["name"], held["last_acted"] is not None) == ("operator", "ana.sousa", True)
    await living("operator", "revoke", "ana.sousa")
    assert "keys" not in (await living("access", "report", "--json")).json()


async def test_an_auditors_key_stands_in_the_report_too(living: Living) -> None:
    """Who can read what people and agents wrote is part of who may do what."""
    await living("auditor", "add", "maria.lang", "--values")
    await living("auditor", "add", "tom.ellis")
    lines = (await living("access", "report")).out.splitlines()
    told = {
        name: line for line in lines for name in ("maria.lang", "tom.ellis") if f"auditor's key {name} (since " in line
    }
    assert told["maria.lang"].endswith("with what was written and, for a reason, what is hidden; changes nothing.")
    assert "never used" in told["maria.lang"]
    assert told["tom.ellis"].endswith("its use is not recorded): reads the audit log over HTTP; changes nothing.")
    await living("auditor", "revoke", "maria.lang")
    assert "maria.lang" not in (await living("access", "report")).out


async def test_who_may_see_what_is_hidden_is_named(living: Living) -> None:
    """The role `reveal` approves nothing, so that no rule names it; without the role nothing is said of it."""
    world = living.world
    assert "See what is hidden" not in (await living("access", "report")).out
    world.write_roles({"users": [MAYA, JONAS]}, reveal={"users": [JONAS]})
    await world.running.watch.look()
    report = await living("access", "report")
    assert "See what is hidden, each look on record: Jonas Weber (U0JONASWEB1)." in report.out


async def test_a_report_is_signed_by_two_accounts_and_shown_again(
    living: Living, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One account of the machine is one of two; what was signed can be had again, byte for byte the same."""
    assert "never reviewed" in (await living("status")).out
    made = (await living("access", "report", "--json")).json()
    name = made["report"]
    first = await living("access", "sign", name[:15], "--note", "two guests \x1b[2J removed")
    assert (first.code, first.out) == (0, f"Signed {name}. One more person has to sign it.\n")
    assert (await living("access", "sign", name)).code == 1
    assert f"One more person has to sign {name[:19]}." in (await living("status")).out
    monkeypatch.setattr("bot.cli.session.os_user", lambda: "auditor")
    assert (await living("access", "sign", name)).out == f"Signed {name}. The review is complete.\n"
    listed = (await living("access", "reviews", "--json")).json()
    assert (listed[0]["by"], listed[0]["complete"]) == ("auditor", True)
    assert "\x1b" not in (await living("access", "reviews")).out
    assert (await living("access", "show", name, "--json")).json() == made
    assert "was reviewed last on" in (await living("status")).out
    assert (await living("audit", "verify")).code == 0


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("UPDATE access_reports SET content = CAST('{}' AS BLOB)", "was changed"),
        ("DELETE FROM access_reports", "was signed and is missing"),
    ],
)
async def test_a_signed_report_cannot_be_put_away(living: Living, damage: str, said: str) -> None:
    """Whoever changes or deletes what was signed is found by `audit verify`, and the report cannot be shown."""
    name = (await living("access", "report", "--json")).json()["report"]
    await living("access", "sign", name)
    with closing(sqlite3.connect(living.world.database)) as db, db:
        db.execute(damage)
    ended = await living("audit", "verify")
    assert ended.code == 7
    assert f"the report {name} {said}" in ended.out + ended.err
    assert (await living("access", "show", name)).code == 1


async def test_without_slack_there_is_no_report(living: Living) -> None:
    """Slack's refusal ends with 3 and a sentence; nothing is printed that looks like a report, and nothing is kept."""
    for method, error in (("users.info", "internal_error"), ("usergroups.users.list", "fatal_error")):
        living.world.slack.faults.order(method, Refuse(error), times=1)
        ended = await living("access", "report")
        assert (ended.code, ended.out) == (3, "")
        assert f"no report was made: Slack answered {error}" in ended.err
    with living.world.db() as db:
        assert db.execute("SELECT count(*) FROM access_reports").fetchone() == (0,)


async def test_a_group_that_slack_does_not_have_is_warned_of(living: Living) -> None:
    """An empty group and one that is gone are no members, and the second is said."""
    group = living.world.workspace.groups.pop(SUPPORT_MANAGERS)
    told = (await living("access", "report", "--json")).json()
    assert "no-group" in {one["code"] for one in told["warnings"]}
    living.world.workspace.groups[SUPPORT_MANAGERS] = group
    living.world.workspace.change_group(SUPPORT_MANAGERS)
    told = (await living("access", "report", "--json")).json()
    assert "no-group" not in {one["code"] for one in told["warnings"]}


async def test_a_page_loads_nothing(living: Living, tmp_path: Path) -> None:
    """The page forbids everything but its own style, and no name in it is a tag."""
    living.world.workspace.change_user(JONAS, real_name="<script>alert(1)</script> Weber")
    ended = await living("access", "report", "--html", str(tmp_path / "page.html"))
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert ended.code == 0
    assert "default-src 'none'" in page
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert (await living("access", "report", "--html", str(tmp_path / "no" / "page.html"))).code == 1


async def test_hundreds_of_people_are_listed_page_by_page(living: Living) -> None:
    """Above a hundred people the whole workspace is listed, and nobody is left out or asked for twice."""
    users = [f"U0MANY{place:05d}" for place in range(450)]
    for user in users:
        living.world.workspace.add_user(User(user, user.lower(), f"Person {user}"))
    living.world.workspace.change_group(SUPPORT_MANAGERS, *users)
    told = (await living("access", "report", "--json")).json()
    assert {one["account"] for one in told["people"]} >= set(users)
    methods = [call.method for call in living.world.slack.world.calls]
    assert methods.count("users.list") == 3
    assert methods.count("usergroups.users.list") == 1
    with living.world.db() as db:
        assert db.execute("SELECT count(*) FROM entries WHERE type = 'access.role_changed'").fetchone() == (3,)


def test_what_is_wrong_is_said(ready: Shell) -> None:
    """Two forms at once, an unknown report, no policy yet: each says what to do."""
    assert ready("access", "report", "--json", "--csv").code == 2
    assert "There is no report sha256:00000000" in ready("access", "show", "sha256:00000000").err
    assert ready("access", "sign", "sha256:").code == 1
    assert "Nobody has signed a report yet" in ready("access", "reviews").err
    ready.set(SLACK_BOT_TOKEN="")
    assert (ready("access", "report").code, "SLACK_BOT_TOKEN" in ready("access", "report").err) == (3, True)
    ready.set(SLACK_BOT_TOKEN="xoxb-1", SLACK_API_URL="http://127.0.0.1:9/api/")
    assert "no policy is active yet" in ready("access", "report").err
