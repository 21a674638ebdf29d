"""`status` and `policy explain` say who is on call now and who is away; and what nobody can tell here."""

import json
import sqlite3
from contextlib import closing

import pytest

from bot.slack_standin.workspace import JONAS, MAYA, PRIYA, SAM
from tests.bot.cli.living import Living
from tests.bot.cli.shell import Shell
from tests.world import TOOL

TURNS = {"rota": [MAYA, JONAS], "every": "1d", "handover": "00:00", "time_zone": "UTC", "start": "2020-01-01"}
ROTA = {"on_call": TURNS}
COUNTED = """\
policy:
  tool: mail
  rules:
    - if: "count(24h) < 5 and sum(amount_usd, 7d by customer_id) < 100"
      allow: true
    - require_approval: boss
"""


async def put(living: Living, rule: str, **roles: object) -> None:
    """Put a policy for refunds in force, with these roles."""
    world = living.world
    (world.policy / "roles.yml").write_text(json.dumps({"roles": roles}), "utf-8")
    (world.policy / f"{TOOL}.yml").write_text(f"policy: {{tool: {TOOL}, rules: [{rule}]}}\n", "utf-8")
    await world.running.watch.look()
    assert world.running.watch.fault is None


async def test_status_says_who_has_the_turn_and_who_is_away(living: Living) -> None:
    """With the server and Slack down it would say the same: all of it is in the database."""
    await put(living, "{require_approval: {role: oncall, approvals: 1}}", oncall=ROTA, boss={"users": [MAYA, PRIYA]})
    await living.world.say(MAYA, f"away for 3 days delegate <@{PRIYA}>")
    await living.world.say(SAM, "away for 2 days")
    found = (await living("status", "--json")).json()
    [turn] = found["on_call"]
    assert turn["role"] == "oncall"
    assert turn["users"] in ([MAYA], [JONAS])
    assert turn["until"].endswith("T00:00:00.000000Z")
    first, second = found["away"]
    assert (first["user"], first["delegate"]) == (SAM, None)
    assert (second["user"], second["delegate"]) == (MAYA, {"user": PRIYA, "name": "Priya Nair"})
    told = (await living("status")).out
    assert f"On call now as oncall: {turn['users'][0]} until {turn['until']}" in told
    assert f"Away: Maya Chen ({MAYA}) until {second['until']}; Priya Nair ({PRIYA}) is called instead" in told
    assert "; nobody is called instead" in told


async def test_whoever_is_back_is_not_away(living: Living) -> None:
    """By a word, and by the time."""
    await living.world.say(MAYA, "away for 3 days")
    await living.world.say(MAYA, "back")
    assert (await living("status", "--json")).json()["away"] == []


async def test_explain_names_only_those_who_would_be_asked(living: Living) -> None:
    """The turn of the role that is asked, and the absent among its people; where nobody is asked, nothing of it."""
    rule = "{if: amount_usd > 5, require_approval: {role: oncall, approvals: 1, backup: boss}}"
    await put(living, f"{rule}, {{allow: true}}", oncall=ROTA, other=ROTA, boss={"users": [MAYA, PRIYA]})
    await living.world.say(PRIYA, f"away for 3 days delegate <@{MAYA}>")
    await living.world.say(SAM, "away for 3 days")
    asked = await living.world.propose(9)
    for what in (asked["id"], json.dumps({"tool": TOOL, "arguments": {"amount_usd": 9}})):
        found = (await living("policy", "explain", what, "--json")).json()
        assert [turn["role"] for turn in found["on_call"]] == ["oncall"]
        assert [one["user"] for one in found["away"]] == [PRIYA]
        told = (await living("policy", "explain", what)).out
        assert "On call now as oncall: " in told
        assert f"Away: Priya Nair ({PRIYA}) until " in told
    allowed = (await living("policy", "explain", json.dumps({"tool": TOOL, "arguments": {"amount_usd": 1}}))).out
    assert "On call" not in allowed
    assert "Away" not in allowed


async def test_of_a_user_group_everybody_may_be_away(living: Living) -> None:
    """Who is in a group is not known here, so nobody who is away is left out."""
    await put(living, "{require_approval: boss}", boss={"usergroup": "support-managers"})
    await living.world.say(SAM, "away for 3 days")
    found = (await living("policy", "explain", json.dumps({"tool": TOOL, "arguments": {}}), "--json")).json()
    assert [one["user"] for one in found["away"]] == [SAM]


@pytest.fixture
def folder(shell: Shell) -> Shell:
    """A folder with a policy that counts, and no database."""
    policy = shell.folder / "policy"
    policy.mkdir()
    (policy / "roles.yml").write_text("roles: {boss: {users: [U0AAA, U0BBB]}}\n")
    (policy / "mail.yml").write_text(COUNTED)
    return shell


def test_what_nobody_counts_here_is_not_called_missing(folder: Shell) -> None:
    """Without a database a counter is not known, which is something else than an argument that the agent left out."""
    told = folder("policy", "explain", json.dumps({"tool": "mail", "arguments": {"customer_id": "C-1"}}))
    assert told.code == 0
    assert (
        "saw      count(24h) not known here (no database), sum(amount_usd, 7d by customer_id) not known here"
        in told.out
    )
    assert "is not known here (no database)" in told.out.partition("=> ")[2]
    assert "missing" not in told.out
    found = folder("policy", "explain", json.dumps({"tool": "mail", "arguments": {}}), "--json").json()
    assert found["rules"][0]["saw"] == {"count(24h)": None, "sum(amount_usd, 7d by customer_id)": None}
    assert "not known here" in found["rules"][0]["why"]
    assert found["away"] is None


def test_a_huge_value_is_not_printed_for_each_rule(folder: Shell) -> None:
    """A list of thousands, which every rule reads, is named by its size; what fits is shown as it is."""
    rules = "\n".join(f"    - if: \"'x{number}' in tags\"\n      block: true" for number in range(50))
    (folder.folder / "policy" / "mail.yml").write_text(f"policy:\n  tool: mail\n  rules:\n{rules}\n")
    sent = {"tool": "mail", "arguments": {"tags": [f"tag {number}" for number in range(9000)]}}
    (folder.folder / "huge.json").write_text(json.dumps(sent))
    shown = folder("policy", "explain", "huge.json", "--json")
    assert shown.json()["rules"][0]["saw"] == {"tags": {"not_shown": "too long", "characters": 106890}}
    assert max(len(shown.out), len(folder("policy", "explain", "huge.json").out)) < 40_000
    sent["arguments"] = {"tags": ["a"] * 100}
    found = folder("policy", "explain", json.dumps(sent), "--json").json()
    assert found["rules"][0]["saw"] == {"tags": ["a"] * 100}


async def test_a_version_that_was_changed_breaks_no_status(living: Living) -> None:
    """Whoever must see at night what is paused sees it, whatever somebody did to the database."""
    await put(living, "{require_approval: {role: oncall, approvals: 1}}", oncall=ROTA)
    with closing(sqlite3.connect(living.world.database)) as db:
        db.executescript("DROP TRIGGER policy_content_never_goes; DELETE FROM policy_content;")
    ended = await living("status", "--json")
    assert (ended.code, ended.json()["on_call"]) == (0, [])


async def test_the_last_turn_of_all_has_no_end(living: Living) -> None:
    """A rota of one never changes: no end is made up."""
    alone = {"on_call": {**TURNS, "rota": [MAYA]}}
    await put(living, "{require_approval: {role: oncall, approvals: 1}}", oncall=alone)
    [turn] = (await living("status", "--json")).json()["on_call"]
    assert (turn["users"], turn["until"]) == ([MAYA], None)
