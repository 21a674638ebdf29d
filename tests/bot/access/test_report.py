"""The report: what it warns of, what it says of each person, and that it stays readable, quick and the same."""

import csv
import io
import json
import time
from pathlib import Path
from typing import Any

import pytest

from approval_rules.access_events import Access
from approval_rules.canonical import canonical_text
from approval_rules.people import PersonId, RoleName, ToolName
from approval_rules.policy import Policy, PolicyFolder, RoleMembers, Rule
from approval_rules.requirement import Initiation, Seat
from approval_rules.verdicts import Ask, Block
from bot.access.keeping import starter_of
from bot.access.records import KEYS, Records
from bot.access.report import Report, build
from bot.access.roster import Roster, SeenPerson, SeenRole
from bot.access.showing import COLUMNS, KEY_MAY, csv_of, has_factor, html_of, lines_of, rights
from bot.delivery.file_post import is_slacks
from handlers.review_desk import ReportSummary
from handlers.slack.reviewing import report_message
from tests.bot.access.made import AT, kept, large, small

ROOT = Path(__file__).parents[3]
GOLDEN = ROOT / "tests" / "golden" / "access" / "report.json"
PAGE = ROOT / "docs" / "access-review.md"
_PATIENCE_S = 60.0


def test_the_report_is_what_it_was() -> None:
    """The document's layout is signed by its bytes: it changes only where somebody means it to."""
    assert json.loads(canonical_text(small())) == json.loads(GOLDEN.read_text(encoding="utf-8"))


def test_the_sample_in_the_page_is_real() -> None:
    """What the page shows is what the command prints."""
    assert "\n".join(lines_of(kept(small()))) in PAGE.read_text(encoding="utf-8")


def test_the_worst_comes_first() -> None:
    """People who left with a role, what nobody can approve, whose owner is needed; what only waits comes last."""
    codes = [one["code"] for one in small()["warnings"]]
    assert codes == [
        "gone-with-role",
        *["nobody-can"] * 3,
        "nobody-starts",
        *("owner-needed", "gone-voted", "owner-gone", "no-group", "small-role", "no-factor", "no-factor", "no-policy"),
        *["no-spare"] * 2,
    ]


def test_every_person_has_a_line_for_every_right_and_for_none() -> None:
    """Who left and who has no role can approve nothing; a backup is named as one; an owner's agents are left out."""
    lines = list(rights(small()))
    nothing = {line["account"]: line["note"] for line in lines if not line["tool"]}
    assert nothing == {
        "U0LENA": "can approve nothing",
        "U0TOM": "can approve nothing, though in support_manager",
    }
    sam = {(line["tool"], line["rule"]): line for line in lines if line["account"] == "U0SAM"}
    assert sam["payments.refund", "rule 4"]["not for agents"] == "refund-bot"
    assert sam["payments.refund", "rule 4"]["has what is asked"] == "yes"
    assert sam["keys.rotate", "rule 1"]["has what is asked"] == "no"
    assert sam["foureyes.policy", "every change"]["when"] == "always"


def started(starters: frozenset[str], approvers: frozenset[str], factor: str = "passkey") -> Report:
    """Make the report of one tool that people may start: two of finance approve, nobody whom `manager` names."""
    lead, finance, tool = RoleName("shift_lead"), RoleName("finance"), ToolName("wire.send")
    block = Block("no", Initiation(lead, "passkey"), Ask((Seat(finance, 2),), excluded=("manager",)))
    told = {lead: RoleMembers(starters, None), finance: RoleMembers(approvers, None)}
    policies = {tool: Policy(tool, (Rule(1, None, block, ""),))}
    everybody = starters | approvers
    factors = {PersonId(user): frozenset[Any]({factor}) for user in everybody}
    return build(
        PolicyFolder("v", policies, told, {}),
        Roster("T", {name: SeenRole(one.users, None) for name, one in told.items()}, people_of(everybody)),
        Records(Access({}), {}, (), factors, {}, {}),
        AT,
    )


def people_of(users: frozenset[str]) -> dict[str, SeenPerson]:
    """Make full members."""
    return {user: SeenPerson(user, None) for user in users}


def test_whoever_may_start_red_stands_in_the_report() -> None:
    """A starter has a line, with the factor that starting asks; the fields that bar people are named."""
    report = started(frozenset({"A"}), frozenset({"B", "C"}))
    [way] = report["ways"]
    assert way["starts"] == {"role": "shift_lead", "step_up": "passkey", "able": 1, "able_with_factor": 1}
    assert way["excluded"] == ["manager"]
    lines = {line["account"]: line for line in rights(report)}
    assert lines["A"]["note"] == "may start it, and not approve it then"
    assert (lines["A"]["second factor asked"], lines["A"]["others needed"]) == ("passkey", "2")
    assert lines["B"]["note"] == "after another person has started it; not where manager names this person"
    told = "\n".join(lines_of(kept(report)))
    assert "blocked; one of shift_lead may start it with a passkey (1 person can), then 2 of finance" in told
    assert "nobody whom manager names" in told
    assert "blocked; one of shift_lead may start it" in html_of(kept(report))


@pytest.mark.parametrize(
    ("starters", "approvers", "factor", "codes"),
    [
        ("A", "BC", "passkey", {"no-spare"}),
        ("A", "BCD", "passkey", set()),
        ("A", "AB", "passkey", {"nobody-can"}),
        ("AB", "AB", "passkey", {"nobody-can"}),
        ("AB", "ABC", "passkey", {"no-spare"}),
        ("A", "BC", "totp", {"nobody-starts", "no-factor"}),
        ("", "BC", "passkey", {"nobody-starts"}),
    ],
)
def test_whoever_starts_it_is_no_approver(starters: str, approvers: str, factor: str, codes: set[str]) -> None:
    """It is warned of where nobody can start it, and where too few are left once somebody has."""
    report = started(frozenset(starters), frozenset(approvers), factor)
    assert {one["code"] for one in report["warnings"]} - {"small-role"} == codes


def test_whoever_may_start_something_is_concerned() -> None:
    """A signature of somebody who may start red does not complete a review alone."""
    [way] = started(frozenset({"A"}), frozenset({"B", "C"}))["ways"]
    assert starter_of(way) == {"shift_lead"}
    assert starter_of({"seats": [], "backup": None}) == frozenset()


def test_keys_are_told_with_what_they_may_do() -> None:
    """Each kind of key that is read has words for what it may do, and says when it was used last."""
    assert KEY_MAY.keys() == KEYS.keys()
    told = "\n".join(lines_of(kept(small())))
    assert "The operator's key ana.sousa (since 2026-01-12, never used): pauses" in told


@pytest.mark.parametrize(
    ("enrolled", "asked", "enough"),
    [
        ([], "none", True),
        ([], "totp", False),
        (["totp"], "totp", True),
        (["passkey"], "totp", True),
        (["totp"], "passkey", False),
        (["passkey"], "passkey", True),
    ],
)
def test_a_stronger_factor_is_enough(enrolled: list[str], asked: str, *, enough: bool) -> None:
    """A passkey does for a code, and a code never for a passkey."""
    assert has_factor(enrolled, asked) is enough


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_no_cell_begins_as_a_formula(start: str) -> None:
    """Whatever a person is called, a spreadsheet shows it and computes nothing."""
    report = dict(small())
    report["people"] = [{**one, "name": f"{start}SUM(A1:A9)"} for one in report["people"]]
    rows = list(csv.reader(io.StringIO(csv_of(report))))
    assert rows[0] == list(COLUMNS)
    for row in rows[1:]:
        assert not row[0].startswith(("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20"))
        assert "SUM(A1:A9)" in row[0]


@pytest.mark.parametrize("name", ["</td><script>x</script>", '"><img src=x onerror=1>', "a\u202eb", "\x1b[2J", "&lt;"])
def test_no_name_becomes_markup_or_moves_the_line(name: str) -> None:
    """In the page, on the terminal and in Slack a hostile name is text, every character of it visible."""
    report = dict(small())
    report["people"] = [{**one, "name": name, "owns": [name]} for one in report["people"]]
    report["agents"] = [{**one, "name": name} for one in report["agents"]]
    report["warnings"] = [{"code": "x", "text": name}]
    page = html_of(kept(report))
    assert "<script" not in page
    assert "<img" not in page
    for line in [*page.splitlines(), *lines_of(kept(report))]:
        assert line.isprintable()
    blocks = json.dumps(report_message(ReportSummary("sha256:a", "2026-11-21T09:14:02.180805Z", "v", 3, [name]))[1])
    assert "mrkdwn" not in blocks
    assert "\\u202e" not in blocks


def test_hundreds_of_warnings_stay_one_message() -> None:
    """Slack takes fifty blocks: the rest is counted, and stands in the files."""
    _, blocks = report_message(ReportSummary("sha256:a", "2026-11-21T09:14:02.180805Z", "v", 3, ["x" * 5_000] * 300))
    assert len(blocks) <= 50
    assert "And 280 more warnings" in json.dumps(blocks)


def test_five_thousand_people_and_two_hundred_tools_take_seconds() -> None:
    """The largest company's report is made and written in bounded time, and its page can still be opened."""
    began = time.process_time()
    report = large()
    page, table = html_of(kept(report)), csv_of(report)
    list(lines_of(kept(report)))
    assert time.process_time() - began < _PATIENCE_S
    assert len(page) < 5_000_000
    assert table.count("\n") > 5_000


@pytest.mark.parametrize(
    ("url", "api", "ours"),
    [
        ("https://files.slack.com/upload/v1/x", "https://slack.com/api/", True),
        ("https://files.slack-gov.com/upload/v1/x", "https://slack-gov.com/api/", False),
        ("http://files.slack.com/upload/v1/x", "https://slack.com/api/", False),
        ("https://evil.example/upload", "https://slack.com/api/", False),
        ("https://slack.com.evil.example/upload", "https://slack.com/api/", False),
        ("https://evilslack.com/upload", "https://slack.com/api/", False),
        ("http://127.0.0.1:9/upload/v1/x", "http://127.0.0.1:9/api/", True),
        ("https://files.slack.com/upload/v1/x", "http://127.0.0.1:9/api/", False),
        ("None", "https://slack.com/api/", False),
    ],
)
def test_a_report_is_uploaded_to_slack_alone(url: str, api: str, *, ours: bool) -> None:
    """An address that is not Slack's gets nothing: the report names everybody."""
    assert is_slacks(url, api) is ours
