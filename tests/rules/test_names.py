"""What only the server knows, and conditions can read: the clock, the agent, its run, the environment, an incident."""

from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from approval_rules.canonical import Digest
from approval_rules.commands import Draft
from approval_rules.conditions import ConditionFaultError, compile_condition
from approval_rules.names import RESERVED, about, around, moment
from approval_rules.policy import NOTHING_BEFORE, Contradiction, Policy, PolicyFolder, Rule, classify
from approval_rules.requirement import Requirement, Tier
from approval_rules.text import AgentJson, AgentText, Json
from tests.rules.builders import AGENT, REFUND
from tests.rules.policies import ALLOW, TWO

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("at", "date", "hour", "weekday", "workday"),
    [
        ("2026-06-30T22:30:00", "2026-07-01", 0, "wednesday", True),
        ("2026-03-29T00:59:59", "2026-03-29", 1, "sunday", False),  # the last second of winter time
        ("2026-03-29T01:00:00", "2026-03-29", 3, "sunday", False),
        ("2026-10-25T00:30:00", "2026-10-25", 2, "sunday", False),  # half past two, twice
        ("2026-10-25T01:30:00", "2026-10-25", 2, "sunday", False),
        ("2026-12-25T12:00:00", "2026-12-25", 13, "friday", False),
        ("2026-11-20T23:00:00", "2026-11-21", 0, "saturday", False),
    ],
)
def test_the_moment_is_read_in_the_policys_zone(at: str, date: str, hour: int, weekday: str, *, workday: bool) -> None:
    """Midnight, summer time and holidays are those of the zone, not of the server."""
    found = moment(datetime.fromisoformat(at).replace(tzinfo=UTC), BERLIN, frozenset({"2026-12-25"}))
    assert (found["date"], found["hour"], found["weekday"], found["workday"]) == (date, hour, weekday, workday)
    assert found["holiday"] is (date == "2026-12-25")
    assert str(found["time"]).startswith(f"{hour:02}:")


def test_every_field_that_may_be_written_exists() -> None:
    """What the loader accepts, the server fills."""
    assert tuple(moment(datetime(2026, 1, 1, tzinfo=UTC))) == RESERVED["now"]
    assert tuple(about(AGENT)) == RESERVED["agent"]
    assert {name for name, fields in RESERVED.items() if not fields} == set(around("x", incident=False))


def judged(
    text: str,
    at: str,
    arguments: object = None,
    run: object = None,
    facts: object = None,
    before: Mapping[str, Json] = NOTHING_BEFORE,
) -> Requirement | Contradiction:
    """Classify with one rule that allows and one that asks."""
    rules = (Rule(1, compile_condition(text), ALLOW, ""), Rule(2, compile_condition("n == n"), TWO, ""))
    folder = PolicyFolder("v", {REFUND: Policy(REFUND, rules, zone=BERLIN)}, {}, {}, frozenset({"2026-12-25"}))
    sent: object = {"n": 1} if arguments is None else arguments
    draft = Draft(
        *(REFUND, AgentJson(sent), Digest("d"), AgentText("x")),  # type: ignore[arg-type]  # tests send anything
        context=AgentJson({"facts": facts} if facts else {}),  # type: ignore[dict-item]
        run=AgentJson(run or {}),  # type: ignore[arg-type]
    )
    return classify(folder, draft, AGENT, datetime.fromisoformat(at).replace(tzinfo=UTC), before)


@pytest.mark.parametrize(
    ("text", "at", "tier"),
    [
        ("now.hour >= 9 and now.hour < 17", "2026-06-30T07:00:00", Tier.GREEN),
        ("now.hour >= 9 and now.hour < 17", "2026-06-30T06:59:59", Tier.YELLOW),
        ("now.time >= '09:30'", "2026-06-30T07:30:00", Tier.GREEN),
        ("now.weekday in ['saturday', 'sunday']", "2026-11-22T12:00:00", Tier.GREEN),
        ("now.workday", "2026-12-25T12:00:00", Tier.YELLOW),
        ("now.date < '2027-01-01'", "2026-12-31T23:00:00", Tier.YELLOW),
        ("agent.name == 'nobody'", "2026-12-31T23:00:00", Tier.YELLOW),
    ],
)
def test_conditions_read_the_clock(text: str, at: str, tier: Tier) -> None:
    """Business hours, nights and holidays are the policy's own."""
    found = judged(text, at)
    assert isinstance(found, Requirement)
    assert found.tier is tier


def test_a_run_that_was_not_told_asks() -> None:
    """What the agent did not say about its run is missing, and never allows."""
    for run, tier in (({"tool_calls": 3}, Tier.GREEN), ({"tool_calls": 9}, Tier.YELLOW), ({}, Tier.YELLOW)):
        found = judged("run.tool_calls <= 8", "2026-01-01T00:00:00", run=run)
        assert isinstance(found, Requirement)
        assert found.tier is tier
        if not run:
            assert "run.tool_calls is missing" in found.policy.because


@pytest.mark.parametrize("name", ["now", "agent", "run"])
@pytest.mark.parametrize("where", ["arguments", "context/facts"])
def test_an_agent_cannot_bring_its_own_clock(name: str, where: str) -> None:
    """An argument or a fact with a name that the rules read from the server is refused, wherever it stands."""
    field = RESERVED[name][0]
    brought = {name: {field: "x"}}
    sent, facts = ({"n": 1, **brought}, None) if where == "arguments" else ({"n": 1}, brought)
    found = judged(f"{name}.{field} == 'x'", "2026-01-01T00:00:00", sent, facts=facts)
    assert isinstance(found, Contradiction)
    assert (found.name, found.pointer) == (name, f"/{where}/{name}")


def test_such_a_name_is_free_where_no_rule_reads_it() -> None:
    """A tool whose arguments have a field `run` can be used as long as its rules do not mean the server's."""
    found = judged("n > 5", "2026-01-01T00:00:00", {"n": 9, "run": "daily", "now": True})
    assert isinstance(found, Requirement)
    assert found.tier is Tier.GREEN


@pytest.mark.parametrize(
    ("text", "before", "tier"),
    [
        ("environment == 'staging'", around("staging", incident=False), Tier.GREEN),
        ("environment == 'staging'", around("production", incident=False), Tier.YELLOW),
        ("environment.starts_with('stag')", around("staging", incident=False), Tier.GREEN),
        ("environment in ['test', 'staging']", around("test", incident=True), Tier.GREEN),
        ("not incident", around("staging", incident=False), Tier.GREEN),
        ("not incident", around("staging", incident=True), Tier.YELLOW),
        ("incident == true", around("staging", incident=True), Tier.GREEN),
    ],
)
def test_conditions_read_the_environment_and_an_incident(text: str, before: Mapping[str, Json], tier: Tier) -> None:
    """They are values themselves, and the server's: what it says decides."""
    found = judged(text, "2026-01-01T00:00:00", before=before)
    assert isinstance(found, Requirement)
    assert found.tier is tier


@pytest.mark.parametrize(
    ("name", "text"),
    [("environment", "environment != 'x' or not (environment == 'x')"), ("incident", "incident or not incident")],
)
def test_what_the_server_does_not_say_never_allows(name: str, text: str) -> None:
    """Whoever asks without them is told that they are missing; nothing stands in for them."""
    found = judged(text, "2026-01-01T00:00:00")
    assert isinstance(found, Requirement)
    assert found.tier is Tier.YELLOW
    assert f"{name} is missing" in found.policy.because


@pytest.mark.parametrize("name", ["environment", "incident"])
def test_an_agent_cannot_bring_its_own_environment(name: str) -> None:
    """It cannot say that it is in staging, or that there is no incident; where no rule reads it, the name is free."""
    for sent in ("staging", False, None):
        found = judged(f"{name} == {name}", "2026-01-01T00:00:00", {"n": 1, name: sent}, before={name: "x"})
        assert isinstance(found, Contradiction)
        assert found.pointer == f"/arguments/{name}"
    free = judged("n > 5", "2026-01-01T00:00:00", {"n": 9, name: "mine"})
    assert isinstance(free, Requirement)
    assert free.tier is Tier.GREEN


@pytest.mark.parametrize("text", ["incident.on", "environment.name == 'x'", "environment['name'] == 'x'"])
def test_a_value_has_no_fields(text: str) -> None:
    """Whoever writes one is told how it is written."""
    with pytest.raises(ConditionFaultError, match="is one value and has no fields; write it alone"):
        compile_condition(text)
