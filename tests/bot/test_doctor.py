"""`foureyes doctor`: each check against a real Slack stand-in and real files, each fault with what to do."""

import shutil
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
import yaml

from bot import doctor
from bot.clock import system_clock
from bot.doctor import SCOPES, Finding, State
from bot.slack_standin.faults import Delay, Refuse, ServerError
from bot.slack_standin.server import SlackStandin
from bot.slack_standin.workspace import AGENT_OPS, JONAS, MAYA, REFUND_APPROVALS, UNJOINED, awkward_workspace
from bot.store.schema import REVISION
from tests.bot.cli.shell import Ended, Shell
from tests.world import EXAMPLES, empty_database

TOKEN = "xoxb-doctor-1"
MANIFEST = Path(__file__).parents[2] / "app_manifest.yml"


@dataclass
class Patient:
    """A folder where everything is right, and its Slack."""

    shell: Shell
    slack: SlackStandin

    async def examine(self) -> dict[str, list[Finding]]:
        """Run the doctor beside this loop; the findings by their name."""
        ended = await self.shell.beside("doctor", "--json")
        assert ended.err == ""
        found: dict[str, list[Finding]] = {}
        for row in ended.json():
            finding = Finding(row["check"], State(row["state"]), row["detail"])
            found.setdefault(finding.name, []).append(finding)
        failed = any(one.state is State.FAIL for findings in found.values() for one in findings)
        assert ended.code == (3 if failed else 0)
        assert not any(TOKEN in one.detail for findings in found.values() for one in findings)
        return found

    async def failing(self) -> list[Finding]:
        """The findings that are no good."""
        return [one for findings in (await self.examine()).values() for one in findings if one.state is not State.GOOD]

    def roles(self, text: str) -> None:
        """Write roles.yml."""
        (self.shell.folder / "policy" / "roles.yml").write_text(text, "utf-8")


@pytest.fixture
async def patient(ready: Shell) -> AsyncIterator[Patient]:
    """Everything that a start needs, and nothing wrong."""
    shutil.copytree(EXAMPLES, ready.folder / "policy")
    ready("pause", "--tool", "a.b", "a first entry")
    async with SlackStandin(awkward_workspace(), signing_secret="s", bot_token=TOKEN) as slack:
        ready.set(SLACK_BOT_TOKEN=TOKEN, SLACK_SIGNING_SECRET="s", SLACK_API_URL=slack.api_url)
        made = Patient(ready, slack)
        made.roles(_roles(f"users: [{MAYA}, {JONAS}]"))
        yield made


def _roles(members: str, channels: str = f"{{default: {REFUND_APPROVALS}, announcements: {AGENT_OPS}}}") -> str:
    return f"roles:\n  support_manager: {{{members}}}\nchannels: {channels}\n"


def only(found: Sequence[Finding]) -> tuple[str, State, str]:
    """The one finding there must be."""
    (one,) = found
    return one.name, one.state, one.detail


async def test_a_healthy_installation(patient: Patient) -> None:
    """Every check is there and good; only the stand-in's missing date is noted."""
    found = await patient.examine()
    assert list(found) == [
        "settings",
        "policy",
        "roles",
        "key",
        "database",
        "data keys",
        "sqlite",
        "slack",
        "scopes",
        "clock",
        "channel",
    ]
    assert await patient.failing() == [Finding("clock", State.WARN, "Slack sent no date to compare with")]
    assert sqlite3.sqlite_version in found["sqlite"][0].detail
    assert [one.detail.split(":")[0] for one in found["channel"]] == [REFUND_APPROVALS, AGENT_OPS]
    assert found["roles"][0].detail == "support_manager: 2 people"
    assert found["database"][0].detail == f"foureyes.db, schema {REVISION}, not behind its anchor"


async def test_a_dropped_trigger(patient: Patient) -> None:
    """It is a fault of the database, with what the next start does about it."""
    with closing(sqlite3.connect(patient.shell.folder / "foureyes.db")) as db:
        db.execute("DROP TRIGGER entries_never_go")
        db.commit()
    found = (await patient.examine())["database"]
    assert only(found)[1] is State.FAIL
    assert only(found)[2].startswith("the trigger entries_never_go is gone: somebody dropped it. The next start puts")


async def test_it_changes_nothing(patient: Patient) -> None:
    """An examination leaves every file as it was and only asks Slack."""
    before = {path: path.read_bytes() for path in patient.shell.folder.rglob("*") if path.is_file()}
    await patient.examine()
    after = {path: path.read_bytes() for path in patient.shell.folder.rglob("*") if path.is_file()}
    kept = {path for path in before if path.suffix not in {".db-shm", ".db-wal"}}
    assert {path: after[path] for path in kept} == {path: before[path] for path in kept}
    asked = {call.method for call in patient.slack.calls}
    assert asked == {"auth.test", "bots.info", "conversations.history"}


async def test_people_read_lines(patient: Patient) -> None:
    """One line a check; the ones that need an answer are in capitals."""
    patient.shell.set(SLACK_SIGNING_SECRET="")
    ended: Ended = await patient.shell.beside("doctor")
    assert ended.code == 3
    assert "ok    settings: read\n" in ended.out
    assert "FAIL  slack: set SLACK_BOT_TOKEN and SLACK_SIGNING_SECRET (app settings, or .env)\n" in ended.out


async def test_a_misspelt_setting_is_all_there_is_to_say(patient: Patient) -> None:
    """Nothing is checked against settings that were not meant."""
    patient.shell.set(FOUREYES_CHANEL="C1")
    detail = "FOUREYES_CHANEL is not a setting; did you mean FOUREYES_CHANNEL?"
    assert await patient.failing() == [Finding("settings", State.FAIL, detail)]


async def test_a_wrong_token(patient: Patient) -> None:
    """Slack's own word for it, and which setting to look at."""
    patient.shell.set(SLACK_BOT_TOKEN="xoxb-wrong")
    detail = "Slack answered invalid_auth to auth.test; check SLACK_BOT_TOKEN and the network"
    assert only(await patient.failing()) == ("slack", State.FAIL, detail)


async def test_missing_scopes(patient: Patient) -> None:
    """The missing ones are named; without a list there is a hint where they stand."""
    patient.slack.set_scopes(*(SCOPES - {"chat:write"}))
    name, state, detail = only([one for one in await patient.failing() if one.name == "scopes"])
    assert (name, state) == ("scopes", State.FAIL)
    assert detail == "missing chat:write; add them and reinstall the app"
    patient.slack.set_scopes()
    found = await patient.examine()
    assert only(found["scopes"])[1:] == (State.WARN, "Slack did not list them; compare with `foureyes manifest`")


def test_the_scopes_are_those_of_the_manifest() -> None:
    """The doctor asks for what the manifest asks for, no more and no less."""
    assert frozenset(yaml.safe_load(MANIFEST.read_text("utf-8"))["oauth_config"]["scopes"]["bot"]) == SCOPES


async def test_a_channel_that_the_bot_is_not_in(patient: Patient) -> None:
    """Every channel that packets or announcements may go to is tried."""
    patient.roles(_roles(f"users: [{MAYA}, {JONAS}]", f"{{default: {REFUND_APPROVALS}, announcements: {UNJOINED}}}"))
    patient.shell.set(FOUREYES_CHANNEL="C0NOWHERE")
    channels = [one for one in await patient.failing() if one.name == "channel"]
    assert [(one.state, one.detail.split(":")[0]) for one in channels] == [
        (State.FAIL, "C0NOWHERE"),
        (State.FAIL, UNJOINED),
    ]
    assert all(one.detail.endswith("invite the bot to the channel and check its id") for one in channels)


async def test_no_channel_at_all(patient: Patient) -> None:
    """Packets need a place, by setting or by roles.yml."""
    patient.roles(_roles(f"users: [{MAYA}, {JONAS}]", "{}"))
    detail = "set FOUREYES_CHANNEL, or `channels: {default: C...}` in roles.yml"
    assert Finding("channel", State.FAIL, detail) in await patient.failing()
    patient.shell.set(FOUREYES_CHANNEL=REFUND_APPROVALS)
    assert [one.name for one in await patient.failing()] == ["clock"]


@pytest.mark.parametrize(
    ("members", "detail"),
    [
        ("users: [], usergroup: support-managers", "1 person, with those of the user group @support-managers"),
        ("users: [], usergroup: nobody", "0 people, and Slack has no user group @nobody"),
        (f"users: [{MAYA}], usergroup: nobody", "1 person, and Slack has no user group @nobody"),
    ],
)
async def test_a_role_that_two_people_cannot_fill(patient: Patient, members: str, detail: str) -> None:
    """Slack is asked who is in a group: a role with fewer than two people can never approve."""
    patient.roles(_roles(members))
    name, state, said = only([one for one in await patient.failing() if one.name == "roles"])
    assert (name, state) == ("roles", State.FAIL)
    assert said == f"support_manager: {detail}; 2 are needed. Add them in roles.yml"


async def test_a_role_that_nobody_fills(patient: Patient) -> None:
    """One missing person is said as one, not as several."""
    patient.roles(_roles(f"users: [{MAYA}, {JONAS}]").replace("channels:", "  lead: {usergroup: nobody}\nchannels:"))
    assert [one.detail for one in await patient.failing() if one.name == "roles"] == [
        "lead: 0 people, and Slack has no user group @nobody; 1 is needed. Add them in roles.yml"
    ]


async def test_a_role_of_one_person(patient: Patient) -> None:
    """Operators have to be two, to resume everything; a role that is asked for one person gets a warning."""
    roles = f"  operator: {{users: [{MAYA}]}}\n  lead: {{users: [{JONAS}]}}\nchannels:"
    patient.roles(_roles(f"users: [{MAYA}, {JONAS}]").replace("channels:", roles))
    assert [(one.state, one.detail) for one in await patient.failing() if one.name == "roles"] == [
        (State.FAIL, "operator: 1 person; 2 are needed. Add them in roles.yml"),
        (State.WARN, "lead: 1 person; nobody can stand in. Add another in roles.yml"),
    ]


async def test_a_role_that_a_group_fills(patient: Patient) -> None:
    """Listed people and the group's members count together, each once."""
    patient.roles(_roles(f"users: [{MAYA}], usergroup: support-managers"))
    found = await patient.examine()
    detail = "support_manager: 2 people, with those of the user group @support-managers"
    assert only(found["roles"]) == ("roles", State.GOOD, detail)


async def test_groups_that_cannot_be_read(patient: Patient) -> None:
    """Where Slack does not say who is in a group, the check fails and the others go on."""
    patient.roles(_roles("usergroup: support-managers"))
    patient.slack.fail("usergroups.list", Refuse("missing_scope"))
    found = await patient.examine()
    assert only(found["roles"])[1:] == (State.FAIL, "Slack answered missing_scope when asked for user groups")
    assert len(found["channel"]) == 2


async def test_a_broken_policy(patient: Patient) -> None:
    """The fault has its place; what Slack can still say is said."""
    (patient.shell.folder / "policy" / "mail.yml").write_text("policy: []", "utf-8")
    patient.shell.set(FOUREYES_CHANNEL=REFUND_APPROVALS)
    found = await patient.examine()
    assert only(found["policy"])[1] is State.FAIL
    assert only(found["policy"])[2].startswith("policy/mail.yml:1:")
    assert only(found["channel"])[2] == f"{REFUND_APPROVALS}: the bot is in it"


async def test_a_folder_without_a_policy(patient: Patient) -> None:
    """It would block everything: that is worth a warning."""
    (patient.shell.folder / "policy" / "payments.refund.yml").unlink()
    found = await patient.examine()
    assert only(found["policy"])[1:] == (State.WARN, "policy: none: every proposal will be blocked")


async def test_the_key(patient: Patient) -> None:
    """Reachable by others: refused with the command that helps. Missing: nothing to hold the database against."""
    key = patient.shell.folder / "foureyes.key"
    key.chmod(0o640)
    found = await patient.examine()
    assert only(found["key"])[1:] == (
        State.FAIL,
        "foureyes.key: others can reach the signing key; run: chmod 600 foureyes.key",
    )
    assert only(found["database"])[1] is State.FAIL
    key.unlink()
    found = await patient.examine()
    lost = "foureyes.key is missing and the log has entries; restore the key from its backup"
    assert only(found["key"])[1:] == (State.FAIL, lost)
    assert only(found["database"])[1:] == (State.WARN, "cannot be held against its anchor without the key")


async def test_the_database(patient: Patient) -> None:
    """Missing, of another schema, behind its anchor, damaged: each has its sentence."""
    file = patient.shell.folder / "foureyes.db"
    file.write_bytes(empty_database())
    for leftover in file.parent.glob("foureyes.db-*"):
        leftover.unlink()
    found = await patient.examine()
    assert "an older copy was put back" in only(found["database"])[2]
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("DROP TABLE entries")
    found = await patient.examine()
    assert only(found["database"])[1] is State.FAIL
    assert only(found["database"])[2].startswith("the file is damaged: no such table")
    file.write_bytes(b"no database")
    found = await patient.examine()
    assert only(found["database"])[2].endswith("run `foureyes db upgrade`")
    file.unlink()
    found = await patient.examine()
    assert only(found["database"])[2].startswith("there is no database at foureyes.db; run `foureyes init`")


async def test_a_clock_that_slack_would_not_believe(patient: Patient) -> None:
    """More than a minute apart, clicks are refused: that is a failure; without an answer it is a note."""
    now = system_clock()
    good = doctor._clock(format_datetime(now, usegmt=True))
    assert (good.state, good.detail) == (State.GOOD, "0 s apart from Slack's")
    for away in (timedelta(minutes=-10), timedelta(minutes=10)):
        wrong = doctor._clock(format_datetime(now + away, usegmt=True))
        assert wrong.state is State.FAIL
        assert wrong.detail.endswith("s apart from Slack's; clicks will be refused. Set up NTP")
    for odd in ("", "yesterday", format_datetime(system_clock().replace(tzinfo=None))):
        assert doctor._clock(odd).state is State.WARN
    patient.slack.fail("auth.test", ServerError(503))
    assert [one.name for one in await patient.failing()] == ["slack"]
    patient.slack.faults.clear()
    patient.slack.fail("auth.test", Delay(0))
    patient.slack.fail("auth.test", ServerError(503))
    (clock,) = await patient.failing()
    assert (clock.name, clock.state) == ("clock", State.WARN)
    assert clock.detail.endswith("its clock cannot be compared with")


@pytest.mark.parametrize(
    ("version", "fixed"),
    [((3, 40, 1), False), ((3, 44, 5), False), ((3, 44, 6), True), ((3, 50, 6), False), ((3, 50, 7), True),
     ((3, 51, 2), False), ((3, 51, 3), True), ((3, 52, 0), True)],
)  # fmt: skip
def test_the_sqlite_version(version: tuple[int, int, int], fixed: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001 - a parameter
    """A library with the WAL-reset bug is named, with the rule that follows from it."""
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    found = doctor._sqlite()
    assert found.state is State.GOOD
    assert ("WAL-reset bug" in found.detail) is not fixed


async def test_passkeys_that_nobody_can_use(patient: Patient) -> None:
    """A policy that asks for them needs the address of the page; codes need it to be enrolled."""
    page = patient.shell.folder / "policy" / "payments.refund.yml"
    ask = "{roles: [support_manager], step_up: passkey}"
    page.write_text(
        page.read_text("utf-8").replace('require_approval: "support_manager"', f"require_approval: {ask}"), "utf-8"
    )
    (found,) = (await patient.examine())["second factor"]
    assert (found.name, found.state) == ("second factor", State.FAIL)
    assert "payments.refund asks for a passkey" in found.detail
    page.write_text(page.read_text("utf-8").replace("step_up: passkey", "step_up: totp"), "utf-8")
    (found,) = (await patient.examine())["second factor"]
    assert (found.state, "nobody can enrol an app" in found.detail) == (State.WARN, True)
    patient.shell.set(FOUREYES_PUBLIC_URL="https://approvals.example.com")
    assert "second factor" not in await patient.examine()


async def test_a_role_of_people_who_take_turns(patient: Patient) -> None:
    """Everybody who takes a turn is counted, though one at a time decides."""
    rota = f'rota: [{MAYA}, {JONAS}], every: 1w, start: 2026-01-05, handover: "Mon 09:00", time_zone: Europe/Berlin'
    patient.roles(
        _roles(f"users: [{MAYA}, {JONAS}]").replace("channels:", f"  lead: {{on_call: {{{rota}}}}}\nchannels:")
    )
    assert [one.detail for one in await patient.failing() if one.name == "roles"] == []
