"""What an erasure says in the log."""

from datetime import UTC, datetime

from approval_rules.erasure_events import MOST, Gone, Held, HoldLifted, HoldSet, Why, erasures, evolve_holds
from approval_rules.people import system
from approval_rules.text import AgentText

AT = datetime(2026, 1, 31, tzinfo=UTC)


def test_an_event_tells_of_so_many_days_as_an_entry_holds() -> None:
    """What is larger is told in several, each day once, and what was nothing not at all."""
    gone = [Gone(f"2026-{n:04}", 30, n % 7) for n in range(450)]
    events = erasures(AT, system("retention"), Why.TERM, reversed(gone))
    assert [one for event in events for one in event.gone] == [one for one in gone if one.count]
    assert all(len(event.gone) <= MOST for event in events)
    assert erasures(AT, system("retention"), Why.TERM, []) == ()


def test_a_hold_is_what_was_set_and_not_lifted() -> None:
    """Setting or lifting twice changes nothing."""
    hold = HoldSet(AT, system("x"), Held.AGENT, "agt_1", AgentText("why"))
    end = HoldLifted(AT, system("x"), Held.AGENT, "agt_1", AgentText("why"))
    holds = evolve_holds(evolve_holds(frozenset(), hold), hold)
    assert holds == {(Held.AGENT, "agt_1")}
    assert evolve_holds(evolve_holds(holds, end), end) == frozenset()
