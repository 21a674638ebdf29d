"""`on_call` in roles.yml: what is read of it, and every slip with its place and what to do."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from approval_rules.on_call import Override, Rota
from approval_rules.people import RoleName, ToolName
from approval_rules.quiet_hours import QuietHours
from approval_rules.verdicts import Ask
from bot.policy_files import load
from tests.bot.test_policy_files import Write, write
from tests.bot.test_policy_files_faults import faults_of, one_fault

__all__ = ["write"]  # the fixture

HEAD = "roles: {oncall: {on_call: {"
GOOD = "rota: [U0ANN, U0BEN], every: 1w, handover: 'Mon 09:00', time_zone: Europe/Berlin, start: 2026-01-05"
NIGHT = "{from: '22:00', to: '07:00', time_zone: Europe/Berlin}"
DAY = "{from: '00:00', to: '24:00', time_zone: UTC, days: [sat, Sunday]}"
ONE = "[{require_approval: {role: oncall, approvals: 1}}]"


def test_what_is_read(write: Write) -> None:
    """Users in their order, days, the time on the wall, the zone, and overrides by the clock of that zone."""
    overrides = "overrides: [{from: '2026-01-07 09:00', to: 2026-01-08, user: U0CEM}]"
    path = write(ONE, roles=f"{HEAD}{GOOD}, {overrides}}}}}}}")
    swap = Override(
        datetime(2026, 1, 7, 8, tzinfo=UTC),
        datetime(2026, 1, 7, 23, tzinfo=UTC),
        "U0CEM",
    )
    rota = Rota(("U0ANN", "U0BEN"), 7, time(9), date(2026, 1, 5), ZoneInfo("Europe/Berlin"), (swap,))
    assert load(path).roles[RoleName("oncall")].on_call == rota
    assert load(path).roles[RoleName("oncall")].people == {"U0ANN", "U0BEN", "U0CEM"}


@pytest.mark.parametrize(
    ("said", "days"),
    [
        ("every: 1d, handover: '09:00'", 1),
        ("every: 12d, handover: '23:59'", 12),
        ("every: 2w, handover: 'Monday 09:00'", 14),
    ],
)
def test_turns_of_days_and_weeks(write: Write, said: str, days: int) -> None:
    """Turns of days name a time, turns of weeks a day and a time."""
    path = write(ONE, roles=f"{HEAD}rota: [U0ANN], {said}, time_zone: UTC, start: '2026-01-05'}}}}}}")
    schedule = load(path).roles[RoleName("oncall")].on_call
    assert isinstance(schedule, Rota)
    assert schedule.days == days


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        (("rota: [U0ANN, U0BEN], ", ""), "on_call lacks rota"),
        (("every: 1w", "evry: 1w"), "did you mean 'every'?"),
        (("[U0ANN, U0BEN]", "[]"), "a list that is not empty"),
        (("[U0ANN, U0BEN]", "[ann]"), "Slack user id"),
        (("[U0ANN, U0BEN]", f"[{', '.join(['U0ANN'] * 51)}]"), "more than 50 people"),
        (("every: 1w", "every: 0d"), "whole days or weeks"),
        (("every: 1w", "every: 12h"), "whole days or weeks"),
        (("every: 1w", "every: [1w]"), "whole days or weeks"),
        (("every: 1w", "every: 2d"), "a time of day such as"),
        (("'Mon 09:00'", "'09:00'"), "says the day too"),
        (("'Mon 09:00'", "9:00"), "handover must be text"),
        (("'Mon 09:00'", "'Mon 9:00'"), "a time of day such as"),
        (("'Mon 09:00'", "'Mon 24:00'"), "a time of day such as"),
        (("'Mon 09:00'", "'Moonday 09:00'"), "is a day of the week"),
        (("'Mon 09:00'", "'Tue 09:00'"), "2026-01-05 is no Tue"),
        (("Europe/Berlin", "Europe/Berln"), "did you mean 'Europe/Berlin'?"),
        (("Europe/Berlin", "[UTC]"), "time_zone must be text"),
        (("2026-01-05", "2026-02-30"), "start is a date"),
        (("2026-01-05", "0001-01-01"), "start is a date"),
        (("2026-01-05", "[2026-01-05]"), "start is a date"),
    ],
)
def test_a_slip_in_a_rota(write: Write, change: tuple[str, str], advice: str) -> None:
    """Each is one fault in roles.yml, and nothing is guessed on top of it."""
    found = faults_of(write(ONE, roles=f"{HEAD}{GOOD.replace(*change)}}}}}}}"))
    assert {each[0] for each in found} == {"roles.yml"}
    assert any(advice in each[3] for each in found), found


@pytest.mark.parametrize(
    ("overrides", "advice"),
    [
        ("{}", "overrides must be a list"),
        ("[{from: 2026-01-07, to: 2026-01-08}]", "needs from, to and user"),
        ("[{from: 2026-01-07, to: 2026-01-08, who: U0CEM}]", "an override has no 'who'"),
        ("[{from: 2026-01-08, to: 2026-01-08, user: U0CEM}]", "ends after it begins"),
        ("[{from: '2026-01-08 9', to: 2026-01-09, user: U0CEM}]", "a date and a time"),
        ("[{from: [], to: 2026-01-09, user: U0CEM}]", "a date and a time"),
        ("[{from: 2026-01-07, to: 2026-01-09, user: cem}]", "Slack user id"),
        (
            "[{from: 2026-01-08, to: 2026-01-10, user: U0CEM}, {from: 2026-01-07, to: 2026-01-09, user: U0DEE}]",
            "overlaps with another",
        ),
        ("[" + "{from: 2026-01-08, to: 2026-01-10, user: U0CEM}, " * 201 + "]", "more than 200 overrides"),
    ],
)
def test_a_slip_in_an_override(write: Write, overrides: str, advice: str) -> None:
    """Where two people would be on call at once, or nobody could tell, the folder is refused."""
    found = faults_of(write(ONE, roles=f"{HEAD}{GOOD}, overrides: {overrides}}}}}}}"))
    assert any(advice in each[3] for each in found), found


def test_two_people_of_a_role_with_one_on_call(write: Write) -> None:
    """Two of them are never on call at once, so nobody could approve; `require_approval: ROLE` means two."""
    where = one_fault(write("[{require_approval: oncall}]", roles=f"{HEAD}{GOOD}}}}}}}"))
    assert "needs 2 people of oncall, where one at a time is on call; write `approvals: 1`" in where[3]


def test_a_schedule_stands_alone(write: Write) -> None:
    """Fixed members of a role that takes turns would make it unclear who may decide."""
    where = one_fault(write(ONE, roles=f"{HEAD}{GOOD}}}, users: [U0DEE]}}}}"))
    assert "stands alone" in where[3]


def test_two_rotas_of_the_same_two_people_are_filled_by_two(write: Write) -> None:
    """People who are counted together count once, also where they take turns."""
    rules = "[{require_approval: {roles: [oncall, second, third]}}]"
    roles = f"{HEAD}{GOOD}}}}}, second: {{on_call: {{{GOOD}}}}}, third: {{users: [U0ANN]}}}}"
    assert (
        "needs 3 people of oncall and second and third, and roles.yml names 2"
        in one_fault(write(rules, roles=roles))[3]
    )


def test_summer_time_is_read_where_the_rota_is(write: Write) -> None:
    """A hand-over in March is at nine in Berlin, whatever the machine's zone is."""
    path = write(ONE, roles=f"{HEAD}{GOOD}}}}}}}")
    schedule = load(path).roles[RoleName("oncall")].on_call
    assert schedule is not None
    monday = datetime(2026, 3, 30, 7, tzinfo=UTC)
    assert schedule.on_call(monday) != schedule.on_call(monday - timedelta(seconds=1))


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("quiet_hours: {from: '22:00', to: '07:00'}", "quiet_hours lacks time_zone"),
        ("quiet_hours: 5", "quiet_hours must be a list"),
        ("quiet_hours: [5]", "quiet_hours must be a mapping"),
        (f"quiet_hours: [{', '.join([NIGHT] * 15)}]", "more than 14 spans"),
    ],
)
def test_a_slip_in_quiet_hours(write: Write, said: str, advice: str) -> None:
    """Of the whole folder or of one role, it is a fault in roles.yml."""
    assert any(advice in each[3] for each in faults_of(write(ONE, roles=f"{{{HEAD}{GOOD}}}}}}}, {said}}}")))
    assert any(advice in each[3] for each in faults_of(write(ONE, roles=f"{HEAD}{GOOD}}}, {said}}}}}")))


def test_quiet_hours_of_all_and_of_one_role(write: Write) -> None:
    """A role's own take the place of the folder's; an empty list means that it has none."""
    roles = f"{{{HEAD}{GOOD}}}}}, a: {{users: [U0ANN], quiet_hours: []}}, b: {{users: [U0ANN], quiet_hours: {DAY}}}}},"
    folder = load(write(ONE, roles=f"{roles} quiet_hours: {NIGHT}}}"))
    night = QuietHours(time(22), time(7), ZoneInfo("Europe/Berlin"))
    day = QuietHours(time(), time(), ZoneInfo("UTC"), frozenset({5, 6}))
    found = {role: folder.quiet_of(RoleName(role)) for role in ("oncall", "a", "b", "nobody")}
    assert found == {"oncall": (night,), "a": (), "b": (day,), "nobody": (night,)}


def test_a_rule_that_is_urgent(write: Write) -> None:
    """It stands in what is asked for, and only there where the rule says so."""
    for said, urgent in (("urgent: true", True), ("expires_in: 1h", False)):
        path = write(f"[{{require_approval: {{role: oncall, approvals: 1, {said}}}}}]", roles=f"{HEAD}{GOOD}}}}}}}")
        (rule,) = load(path).policies[ToolName("pay")].rules
        assert isinstance(rule.verdict, Ask)
        assert rule.verdict.urgent is urgent
