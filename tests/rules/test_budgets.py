"""Budgets and loops: what counts as used, what is over, and how it is told."""

from decimal import Decimal

import pytest

from approval_rules.budgets import (
    Attempt,
    Budgets,
    Exceeded,
    Placed,
    Said,
    Stopped,
    amount,
    first_time,
    in_words,
    looping,
    over,
    repeats_of,
    said_in,
    usage_of,
)
from approval_rules.people import ToolName
from approval_rules.state import Status
from approval_rules.text import AgentJson, AgentText, Json

PAY, MAIL = ToolName("pay"), ToolName("mail")
RUN = AgentText("run-1")


def said(run: str | None = "run-1", calls: int = 0, tokens: int = 0, cost: str = "0") -> Said:
    """What an agent said about a run."""
    named: dict[str, Json] = {} if run is None else {"id": run}
    return said_in(AgentJson({**named, "tool_calls": calls, "tokens": tokens, "cost_usd": Decimal(cost)}))


def limits(**by_name: object) -> dict[str, Decimal]:
    """Limits as a file gives them."""
    return {name: Decimal(str(limit)) for name, limit in by_name.items()}


def judged(budgets: Budgets, now: Said, *earlier: Attempt, tool: Budgets | None = None) -> Exceeded | None:
    """What one more proposal of `pay` is over."""
    placed: Placed = [(None, budgets), *([(PAY, tool)] if tool else [])]
    return over(placed, usage_of(earlier, now))


@pytest.mark.parametrize(
    "odd",
    [{}, {"id": 7}, {"id": None, "tokens": "9"}, {"tokens": True}, {"tokens": Decimal("NaN")}, {"tokens": -5}, []],
)
def test_what_is_no_figure_counts_as_nothing(odd: Json) -> None:
    """What an agent left out, or said in another form, is nothing said."""
    assert said_in(AgentJson(odd)) == Said()


def test_the_most_that_a_run_said_counts() -> None:
    """An agent that reports less later does not get its budget back, and what it says now counts at once."""
    budgets = Budgets(limits(tool_calls=8))
    assert judged(budgets, said(calls=8)) is None
    assert judged(budgets, said(calls=9)) == Exceeded(
        "per_run.tool_calls", "run", None, Decimal(9), Decimal(8), "/run/tool_calls"
    )
    before = Attempt(PAY, said(calls=9), Status.APPROVED)
    assert judged(budgets, said(calls=1), before) is not None
    assert judged(budgets, said("run-2", calls=1), before) is None
    assert judged(budgets, said(None, calls=1), before) is None


def test_a_refused_proposal_has_spent_what_it_said() -> None:
    """Tokens are spent whether or not the proposal was taken in."""
    budgets = Budgets(limits(tokens=100))
    for refused in (Attempt(PAY, said(tokens=101), None), Attempt(None, said(tokens=101), None, stopped=True)):
        assert judged(budgets, said(), refused) is not None


def test_a_day_is_the_sum_over_runs_of_their_most() -> None:
    """What one run said twice counts once; whoever names no run is a run alone each time."""
    day = Budgets(per_day=limits(tokens=100))
    one_run = [Attempt(PAY, said(tokens=tokens), Status.APPROVED) for tokens in (40, 60, 50)]
    assert usage_of(one_run, said(tokens=10)).of("day", "tokens", None) == 60
    assert judged(day, said("run-2", tokens=40), *one_run) is None
    found = judged(day, said("run-2", tokens=41), *one_run)
    assert found is not None
    assert (found.budget, found.used) == ("per_agent_and_day.tokens", Decimal(101))
    nameless = [Attempt(PAY, said(None, tokens=30), Status.APPROVED)] * 3
    assert usage_of(nameless, said(None, tokens=11)).of("day", "tokens", None) == 101
    assert usage_of(nameless, said(None, tokens=11)).of("run", "tokens", None) == 11


def test_money_is_summed_exactly() -> None:
    """Ten times 0.1 is 1 and not more, and a tiny amount beside a huge one is not lost."""
    tenths = [Attempt(PAY, said(f"run-{number}", cost="0.1"), Status.APPROVED) for number in range(9)]
    assert judged(Budgets(per_day=limits(cost_usd=1)), said("last", cost="0.1"), *tenths) is None
    assert judged(Budgets(per_day=limits(cost_usd=1)), said("last", cost="0.1000001"), *tenths) is not None
    huge = Attempt(PAY, said("huge", cost="1000000000000"), Status.APPROVED)
    assert judged(Budgets(per_day=limits(cost_usd=10**12)), said("tiny", cost="1e-300"), huge) is not None


def test_proposals_count_where_they_were_taken_in() -> None:
    """Twenty are twenty: the one that would be the next is over; what was turned away was not taken in."""
    budgets = Budgets(limits(proposals=2), limits(proposals=3))
    taken, refused = Attempt(PAY, said(), Status.PENDING), Attempt(PAY, said(), None)
    assert judged(budgets, said(), taken, refused) is None
    assert judged(budgets, said(), taken, taken) == Exceeded(
        "per_run.proposals", "run", None, Decimal(3), Decimal(2), "/run/id"
    )
    found = judged(budgets, said("run-2"), taken, taken, taken)
    assert (found and found.budget, found and found.pointer) == ("per_agent_and_day.proposals", "")


@pytest.mark.parametrize(
    ("status", "stopped", "counts"),
    [
        (None, False, True),
        (None, True, False),
        (Status.DENIED, False, True),
        (Status.BLOCKED, False, True),
        (Status.PENDING, False, False),
        (Status.EXPIRED, False, False),
        (Status.CANCELLED, False, False),
        (Status.REVOKED, False, False),
        (Status.APPROVED, False, False),
    ],
)
def test_what_is_rejected(status: Status | None, stopped: bool, counts: bool) -> None:  # noqa: FBT001 - a table
    """Denied, blocked and turned away for a mistake are rejections; time running out and a stop are none."""
    earlier = [Attempt(PAY, said(), status, stopped)] * 2
    found = judged(Budgets(limits(rejected=2)), said(), *earlier)
    assert (found is not None) is counts
    assert judged(Budgets(limits(rejected=3)), said(), *earlier) is None


def test_the_strictest_of_two_files_binds() -> None:
    """Figures of a tool's file are the whole run's, whatever tool they were said with; counts are that tool's own."""
    tool = Budgets(limits(tokens=50, proposals=1))
    mail = Attempt(MAIL, said(tokens=51), Status.APPROVED)
    assert judged(Budgets(limits(tokens=100)), said(), mail, tool=Budgets(limits(proposals=1))) is None
    found = judged(Budgets(limits(tokens=100)), said(), mail, tool=tool)
    assert found is not None
    assert (found.budget, found.tool, found.file, found.limit) == ("per_run.tokens", PAY, "pay.yml", Decimal(50))
    paid = Attempt(PAY, said(), Status.APPROVED)
    counted = judged(Budgets(), said(), mail, paid, tool=Budgets(limits(proposals=1)))
    assert (counted and counted.used) == 2
    wide = judged(Budgets(limits(tokens=10)), said(tokens=11), tool=Budgets(limits(tokens=1000)))
    assert (wide and wide.tool, wide and wide.file) == (None, "budgets.yml")


def test_the_day_is_told_before_the_run() -> None:
    """Where the day is over, starting another run would not help, so that is what the agent is told."""
    found = judged(Budgets(limits(tokens=1), limits(tokens=1)), said(tokens=2))
    assert (found and found.budget) == "per_agent_and_day.tokens"


def test_nothing_is_limited_where_nothing_is_said() -> None:
    """Without budgets nothing is over, whatever was used."""
    assert judged(Budgets(), said(calls=10**9), *[Attempt(PAY, said(), None)] * 99) is None
    assert (Budgets().limited, Budgets(limits(tokens=1)).limited, Budgets(per_day=limits(tokens=1)).limited) == (
        False,
        True,
        True,
    )


@pytest.mark.parametrize("status", [None, *Status])
def test_the_same_action_in_vain_is_a_loop(status: Status | None) -> None:
    """Where a file says how often: then, unless the earlier ones came to a yes; another run begins anew."""
    earlier = [Attempt(PAY, said(), status)] * 4
    budgets = [(None, Budgets(repeats=5))]
    loops = looping(budgets, said(), earlier, [])
    assert (loops is None) is (status is Status.APPROVED)
    if loops is not None:
        assert loops == Exceeded("repeated_action", "run", None, Decimal(5), Decimal(5), "/arguments")
    assert looping(budgets, said(), earlier[:3], []) is None
    assert looping(budgets, said("run-2"), earlier, []) is None
    assert looping(budgets, said(None), earlier, []) is None


@pytest.mark.parametrize("status", [None, *Status])
def test_where_no_file_says_it_only_what_came_to_a_no_is_a_loop(status: Status | None) -> None:
    """At the fifth time in a run that has a name: equal actions that wait, or were taken back, may be meant."""
    earlier = [Attempt(PAY, said(), status)] * 4
    loops = looping([(None, Budgets())], said(), earlier, [])
    assert (loops is None) is (status in (Status.APPROVED, Status.PENDING, Status.CANCELLED))
    assert looping([(None, Budgets())], said(), earlier[:3], []) is None
    unnamed = [Attempt(PAY, said(None), status)] * 50
    assert looping([(None, Budgets())], said(None), unnamed, unnamed) is None


def test_a_file_may_call_less_a_loop() -> None:
    """Three times, where it says three: at the third, and not before."""
    earlier = [Attempt(PAY, said(), Status.DENIED)] * 2
    budgets = [(PAY, Budgets(repeats=3))]
    assert looping(budgets, said(), earlier, []) == Exceeded(
        "repeated_action", "run", PAY, Decimal(3), Decimal(3), "/arguments"
    )
    assert looping(budgets, said(), earlier[:1], []) is None


def test_without_a_run_all_that_name_none_count() -> None:
    """An agent that names no run loops within its day, where a file says how often is a loop."""
    earlier = [Attempt(PAY, said(None), None)] * 4
    found = looping([(None, Budgets(repeats=5))], said(None), earlier, earlier)
    assert (found and found.budget) == "repeated_contract_error"


def test_how_often_is_a_loop() -> None:
    """The strictest that a file says."""
    assert repeats_of([(None, Budgets()), (PAY, Budgets())]) is None
    assert repeats_of([(None, Budgets()), (PAY, Budgets(repeats=9))]) == (9, PAY)
    assert repeats_of([(None, Budgets(repeats=3)), (PAY, Budgets(repeats=9))]) == (3, None)
    assert repeats_of([(None, Budgets(repeats=7)), (PAY, Budgets(repeats=2))]) == (2, PAY)


def test_people_are_told_once() -> None:
    """Once for a run, whatever it was over; once for an agent's day; a run and the day do not hide each other."""
    of_run = Exceeded("per_run.tokens", "run", None, Decimal(2), Decimal(1), "")
    of_day = Exceeded("per_agent_and_day.tokens", "day", None, Decimal(2), Decimal(1), "")
    loop = Exceeded("repeated_action", "run", None, Decimal(5), Decimal(5), "")
    run, day = Stopped("per_run.tool_calls", said()), Stopped("per_agent_and_day.cost_usd", said())
    assert first_time([], of_run, said())
    assert not first_time([run], of_run, said(calls=7))
    assert not first_time([run], loop, said())
    assert first_time([run], of_run, said("run-2"))
    assert first_time([run], of_run, said(None))
    assert first_time([day], of_run, said())
    assert first_time([run], of_day, said())
    assert not first_time([run, day], of_day, said("run-9"))


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (
            Exceeded("per_run.elapsed", "run", None, Decimal("60.25"), Decimal(60), ""),
            "per_run.elapsed of budgets.yml is used up: 60.25 of 60 s; stop this run and hand over to a person",
        ),
        (
            Exceeded("per_agent_and_day.tokens", "day", PAY, Decimal(51), Decimal(50), ""),
            "per_agent_and_day.tokens of pay.yml is used up: 51 of 50 within 24 hours; stop, and hand over to a person",
        ),
        (
            Exceeded("repeated_action", "run", None, Decimal(5), Decimal(5), ""),
            "repeated_action: 5 times, and never came to a yes; stop this run and hand over to a person",
        ),
        (
            Exceeded("repeated_contract_error", "run", None, Decimal(6), Decimal(5), ""),
            "repeated_contract_error: 6 times; stop this run and hand over to a person",
        ),
    ],
)
def test_the_agent_is_told_what_to_do(found: Exceeded, words: str) -> None:
    """The budget, the file, used of limit, and what to do; never a value that looks as if it were within."""
    assert in_words(found) == words


@pytest.mark.parametrize(
    ("value", "text"),
    [("8", "8"), ("8.00", "8"), ("0.10", "0.1"), ("1e3", "1000"), ("1.0000000001", "1.000001"), ("1e-300", "0.000001")],
)
def test_amounts_are_short_and_never_too_small(value: str, text: str) -> None:
    """At most six decimals, rounded up."""
    assert amount(Decimal(value)) == text
