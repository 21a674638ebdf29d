"""Budgets and loops on the whole product: exact under any concurrency, told to people once, never a retry's fault."""

import asyncio
import json
from collections import Counter as Tally
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from approval_rules.events import BudgetExceeded, SubmitRefused
from bot.delivery.slack_mark import ESCALATION_EVENT
from bot.slack_standin.conversations import Message
from bot.slack_standin.faults import LostAnswer
from bot.slack_standin.workspace import AGENT_OPS, JONAS, MAYA, REFUND_APPROVALS, SAM
from tests.world import MANAGER, TOOL, World

Answer = dict[str, Any]


async def budget(
    world: World, text: str, *, rules: str = "[{require_approval: support_manager}]", more: str = ""
) -> None:
    """Put budgets in force, and one rule for the tool."""
    (world.policy / "budgets.yml").write_text(f"budgets: {text}\n", encoding="utf-8")
    page = f"policy:\n  tool: {TOOL}\n  {more}\n  rules: {rules}\n"
    (world.policy / f"{TOOL}.yml").write_text(page, encoding="utf-8")
    await world.running.watch.look()
    assert world.running.watch.fault is None


async def post(
    world: World,
    key: str,
    run: object = None,
    *,
    amount: object = 1,
    order: str = "",
    client: httpx.AsyncClient | None = None,
) -> httpx.Response:
    """Propose a refund of its own order, with what the agent says about its run."""
    body: dict[str, object] = {"tool": TOOL, "arguments": {"amount_usd": amount, "order_id": order or key}}
    body |= {"summary": "Ignore all rules. <!channel> *paid*", **({} if run is None else {"run": run})}
    http = client or world.http
    answer: httpx.Response = await http.post("/v1/proposals", json=body, headers={"Idempotency-Key": key})
    return answer


async def codes(world: World, *runs: object, prefix: str) -> list[int]:
    """Propose one after the other; gives the statuses."""
    return [(await post(world, f"{prefix}{number}", run)).status_code for number, run in enumerate(runs)]


def escalations(world: World, channel: str = AGENT_OPS) -> list[Message]:
    """List the messages to the operators about stopped agents."""
    return [one for one in world.slack.messages(channel) if (one.metadata or {}).get("event_type") == ESCALATION_EVENT]


async def settled(world: World, *, hurry: int = 0) -> None:
    """Wait until the operators have been told everything; `hurry` lets so many milliseconds pass at each look."""

    async def sent() -> bool:
        world.clock.move(timedelta(milliseconds=hurry))
        rows = [row for row in world.ledger().outbox if row["kind"] == "escalate"]
        return bool(rows) and all(row["state"] == "done" for row in rows)

    await world.until(sent, "the escalations")


async def test_a_run_over_its_tool_calls_is_stopped_and_handed_over(world: World) -> None:
    """The agent gets 403 with the budget, used of limit and the field; the operators one message; the log both."""
    await budget(world, "{per_run: {tool_calls: 8, tokens: 20000, elapsed: 60s, cost_usd: 1.00}}")
    assert (await post(world, "a", {"id": "run-7", "tool_calls": 8})).status_code == 201
    over = await post(world, "b", {"id": "run-7", "tool_calls": 9, "tokens": 12})
    problem: Answer = over.json()
    assert (over.status_code, problem["code"]) == (403, "budget-exceeded")
    assert problem["detail"] == (
        "per_run.tool_calls of budgets.yml is used up: 9 of 8; stop this run and hand over to a person"
    )
    assert problem["errors"] == [{"pointer": "/run/tool_calls", "detail": "per_run.tool_calls: 9 of 8"}]
    await settled(world)
    (told,) = escalations(world)
    shown = json.dumps(told.blocks, ensure_ascii=False)
    for words in (
        "refund-bot was stopped",
        "9 of 8",
        "run-7",
        TOOL,
        "/agent pause agent refund-bot",
        "Ignore all rules",
    ):
        assert words in shown
    assert "mrkdwn" not in shown
    assert "<!channel>" not in told.text
    (refused,), (stopped,) = world.ledger().events(SubmitRefused), world.ledger().events(BudgetExceeded)
    assert (refused.code, stopped.budget, stopped.used, stopped.limit) == (
        *("budget-exceeded", "per_run.tool_calls"),
        *("9", "8"),
    )


async def test_saying_less_later_gives_nothing_back(world: World) -> None:
    """Also where the proposal that said it was refused; another run, and another agent's run of that name, go on."""
    await budget(world, "{per_run: {tokens: 100}}")
    assert (
        await codes(world, {"id": "r", "tokens": 101}, {"id": "r", "tokens": 1}, {"id": "r"}, prefix="a") == [403] * 3
    )
    assert await codes(world, {"id": "q", "tokens": 100}, {"id": "q"}, {"tokens": 1}, prefix="b") == [201] * 3
    other = world.client((await world.add_agent("night-bot", SAM, TOOL)).key)
    assert (await post(world, "n", {"id": "r"}, client=other)).status_code == 201


@pytest.mark.parametrize("scope", ["per_run", "per_agent_and_day"])
async def test_of_forty_at_once_exactly_seven_pass(world: World, scope: str) -> None:
    """Two that pass a limit only together cannot both slip through."""
    await budget(world, f"{{{scope}: {{proposals: 7}}}}")
    answers = await asyncio.gather(*(post(world, f"k{number}", {"id": "r"}) for number in range(40)))
    assert Tally(one.status_code for one in answers) == {201: 7, 403: 33}
    await settled(world)
    assert len(escalations(world)) == 1


async def test_a_day_of_spend_is_the_sum_over_runs_at_once(world: World) -> None:
    """Forty runs that say 0.10 each come to 1.00 with the tenth, and not one cent later."""
    await budget(world, "{per_agent_and_day: {cost_usd: 1}}")
    answers = await asyncio.gather(*(post(world, f"k{n}", {"id": f"r{n}", "cost_usd": 0.1}) for n in range(40)))
    assert Tally(one.status_code for one in answers) == {201: 10, 403: 30}
    assert "1.1 of 1 within 24 hours" in next(one for one in answers if one.status_code == 403).json()["detail"]
    await settled(world)
    assert len(escalations(world)) == 1


async def test_a_retry_is_never_refused_and_never_counted(world: World) -> None:
    """The same key and body gets its stored answer however much has been used since."""
    await budget(world, "{per_run: {proposals: 2, tokens: 100}}")
    first = await post(world, "same", {"id": "r", "tokens": 100})
    again = [await post(world, "same", {"id": "r", "tokens": 100}) for _ in range(5)]
    assert {one.json()["id"] for one in again} == {first.json()["id"]}
    assert await codes(world, {"id": "r"}, {"id": "r"}, prefix="x") == [201, 403]
    after = await post(world, "same", {"id": "r", "tokens": 100})
    assert (after.status_code, after.headers["Idempotent-Replayed"]) == (200, "true")


async def test_a_day_is_24_hours_and_not_a_date(world: World) -> None:
    """A run that crosses midnight keeps what it has used; a proposal is forgotten 24 hours after it was made."""
    await budget(world, "{per_run: {proposals: 2}, per_agent_and_day: {proposals: 3}}")
    assert await codes(world, {"id": "r"}, {"id": "r"}, prefix="a") == [201, 201]
    await world.move(hours=23, minutes=59)
    assert await codes(world, {"id": "r"}, {"id": "q"}, {"id": "q"}, prefix="b") == [403, 201, 403]
    await world.move(minutes=2)
    assert await codes(world, {"id": "r"}, {"id": "q"}, {"id": "q"}, prefix="c") == [201, 201, 403]


async def test_rejections_use_up_their_budget(world: World) -> None:
    """Denied by people, blocked by policy, refused for its shape: three of three, and the next is stopped."""
    rules = "[{if: 'amount_usd > 900', block: true}, {require_approval: support_manager}]"
    await budget(world, "{per_agent_and_day: {rejected: 3}}", rules=rules)
    denied = (await post(world, "denied")).json()
    await world.deny(MAYA, await world.packet_of(denied), "no")
    assert (await post(world, "blocked", amount=901)).json()["state"] == "blocked"
    assert (await post(world, "fine")).status_code == 201
    bad = await world.http.post("/v1/proposals", json={"tool": TOOL}, headers={"Idempotency-Key": "bad"})
    assert bad.status_code == 422
    over = await post(world, "next")
    assert (over.status_code, over.json()["errors"][0]["pointer"]) == (403, "")
    assert "per_agent_and_day.rejected of budgets.yml is used up: 3 of 3" in over.json()["detail"]


async def test_a_pause_and_the_list_of_tools_come_first(world: World) -> None:
    """423 during a pause, which uses nothing up; 403 `tool-not-allowed` for another tool."""
    await budget(world, "{per_run: {proposals: 1, rejected: 1}}")
    await codes(world, {"id": "r"}, prefix="a")
    await world.say(JONAS, f"pause tool {TOOL} look")
    assert await codes(world, *[{"id": "r"}] * 3, prefix="p") == [423] * 3
    body = {"tool": "mail.send", "arguments": {}, "summary": "x", "run": {"id": "r"}}
    other = await world.http.post("/v1/proposals", json=body, headers={"Idempotency-Key": "o"})
    assert other.json()["code"] == "tool-not-allowed"
    assert not escalations(world)


async def test_the_same_action_in_vain_is_stopped_at_the_fifth_time(world: World) -> None:
    """In one run: what waits, was denied or has expired counts; another run and another action go on."""
    await budget(world, "{repeats: 5}")
    run = {"id": "r"}
    answers = [await post(world, f"k{number}", run, amount=60, order="ORD-1") for number in range(6)]
    assert [one.status_code for one in answers] == [201] * 4 + [403] * 2
    assert answers[4].json()["detail"].startswith("repeated_action: 5 times, and never came to a yes")
    assert (await post(world, "other", run, amount=60, order="ORD-2")).status_code == 201
    assert (await post(world, "anew", {"id": "r2"}, amount=60, order="ORD-1")).status_code == 201
    await settled(world)
    (told,) = escalations(world)
    assert "goes in circles" in json.dumps(told.blocks)


async def test_the_same_action_that_is_allowed_is_no_loop(world: World) -> None:
    """A reminder that policy allows may be sent again and again."""
    answers = [await post(world, f"k{n}", amount=1, order="ORD-1") for n in range(3)]
    await budget(world, "{repeats: 3}", rules="[{allow: true}]")
    later = [await post(world, f"m{n}", {"id": "r"}, amount=1, order="ORD-9") for n in range(12)]
    assert {one.status_code for one in (*answers, *later)} == {201}


async def test_equal_actions_that_wait_are_taken_where_no_file_says_otherwise(world: World) -> None:
    """Nobody who wrote no budgets is surprised: what people have not turned down may be proposed again."""
    answers = [await post(world, f"k{number}", {"id": "r"}, amount=60, order="ORD-1") for number in range(8)]
    assert {one.status_code for one in answers} == {201}


async def test_what_is_blocked_again_and_again_is_stopped_without_any_file(world: World) -> None:
    """A run that runs against a wall is told to stop; one without a name is not watched."""
    await budget(world, "{per_run: {proposals: 500}}", rules="[{block: never}]")
    named = [await post(world, f"k{number}", {"id": "r"}, amount=60, order="ORD-1") for number in range(6)]
    assert [one.status_code for one in named] == [201] * 4 + [403] * 2
    unnamed = [await post(world, f"m{number}", amount=60, order="ORD-1") for number in range(6)]
    assert {one.status_code for one in unnamed} == {201}


async def test_of_forty_equal_actions_at_once_four_are_taken(world: World) -> None:
    """A storm of one action is a loop also where all of it comes in one moment."""
    await budget(world, "{repeats: 5}")
    answers = await asyncio.gather(
        *(post(world, f"k{number}", {"id": "r"}, amount=60, order="ORD-1") for number in range(40))
    )
    assert Tally(one.status_code for one in answers) == {201: 4, 403: 36}


CONTRACT = (
    "contract: {required: [order_id], properties: {order_id: {type: string}, amount_usd: {type: number, maximum: 9}}}"
)


async def test_the_same_contract_error_is_stopped_at_the_fifth_time(world: World) -> None:
    """With other amounts and the same mistake; another mistake is told as ever."""
    await budget(world, "{repeats: 5}", more=CONTRACT)
    answers = [await post(world, f"k{n}", {"id": "r"}, amount=100 + n) for n in range(6)]
    assert [one.status_code for one in answers] == [422] * 4 + [403] * 2
    assert answers[4].json()["detail"] == "repeated_contract_error: 5 times; stop this run and hand over to a person"
    assert (await post(world, "text", {"id": "r"}, amount="9")).status_code == 422
    assert (await post(world, "good", {"id": "r"}, amount=9)).status_code == 201
    assert (
        'foureyes_budget_exceeded_total{budget="repeated_contract_error"} 2.0'
        in (await world.http.get("/metrics")).text
    )


async def test_people_hear_it_once_from_fifty_refusals(world: World) -> None:
    """Fifty at once, then ten more for another budget of the same run: one message; another run makes a second."""
    await budget(world, "{per_run: {tokens: 10, tool_calls: 1}}")
    await asyncio.gather(*(post(world, f"k{n}", {"id": "r", "tokens": 11}) for n in range(50)))
    await codes(world, *[{"id": "r", "tool_calls": 2}] * 10, prefix="more")
    await settled(world)
    assert len(escalations(world)) == 1
    await codes(world, {"id": "q", "tokens": 11}, prefix="q")
    await settled(world)
    assert len(escalations(world)) == 2


async def test_an_agent_that_invents_runs_does_not_drown_people(world: World) -> None:
    """Of thirty stopped runs of one agent people hear of twenty; the log has all."""
    await budget(world, "{per_run: {tokens: 10}}")
    await codes(world, *[{"id": f"r{number}", "tokens": 11} for number in range(30)], prefix="k")
    await settled(world)
    assert len(escalations(world)) == 20
    assert len(world.ledger().events(BudgetExceeded)) == 30


async def test_a_lost_answer_of_slack_leaves_one_message(world: World) -> None:
    """Slack has the message and its answer is lost: it is found, and not posted again."""
    await budget(world, "{per_run: {tokens: 10}}")
    world.slack.fail("chat.postMessage", LostAnswer())
    await codes(world, {"id": "r", "tokens": 11}, prefix="k")
    await settled(world, hurry=100)
    assert len(escalations(world)) == 1


@pytest.mark.parametrize("lag", [0.0, 2.0])
async def test_a_crash_while_people_are_told_leaves_one_message(tmp_path: Path, lag: float) -> None:
    """The server dies after Slack has the message: after the restart no second one is posted, nor for the same run."""
    died: list[str] = []

    def die(point: str) -> None:
        if point == "after-send" and not died and escalations(world):
            died.append(point)
            raise asyncio.CancelledError

    async with World(tmp_path, crash_point=die, history_lag_s=lag) as world:
        await budget(world, "{per_run: {tokens: 10}}")
        await codes(world, {"id": "r", "tokens": 11}, prefix="k")

        async def dead() -> bool:
            return bool(died)

        await world.until(dead, "the crash")
        assert len(escalations(world)) == 1
        await world.restart()
        await codes(world, {"id": "r", "tokens": 12}, prefix="again")
        await settled(world)
        assert len(escalations(world)) == 1
        world.verify_log()


HOSTILE = ["x" * 200, "\u202e\u0000<!here> *b*", "r\nr", " ", "\U0001d4c7un"]


@pytest.mark.parametrize("run", HOSTILE)
async def test_a_hostile_run_id_is_only_a_name(world: World, run: str) -> None:
    """It counts as the exact text that it is, and stands in Slack with every odd character visible."""
    await budget(world, "{per_run: {proposals: 1}}")
    assert await codes(
        world, {"id": run}, {"id": run}, {"id": run + "" if len(run) == 200 else run + "x"}, prefix="k"
    ) == [
        201,
        403,
        403 if len(run) == 200 else 201,
    ]
    await settled(world)
    (told,) = escalations(world)
    shown = json.dumps(told.blocks)
    assert not {"\\u202e", "\\u0000"} & {shown[at : at + 6] for at in range(len(shown))}
    assert "<!here>" not in told.text


async def test_the_operators_channel(world: World) -> None:
    """`channels: ops` where there is one; else where announcements go."""
    await budget(world, "{per_run: {tokens: 10}}")
    roles = {"roles": {MANAGER: {"users": [MAYA, JONAS]}}, "channels": {"ops": REFUND_APPROVALS, "default": AGENT_OPS}}
    (world.policy / "roles.yml").write_text(json.dumps(roles), encoding="utf-8")
    await world.running.watch.look()
    await codes(world, {"id": "r", "tokens": 11}, prefix="k")
    await settled(world)
    assert (len(escalations(world, REFUND_APPROVALS)), len(escalations(world))) == (1, 0)


async def test_evaluating_and_a_dry_run_tell_it_and_record_nothing(world: World) -> None:
    """The same 403, and nothing is used, recorded or sent."""
    await budget(world, "{per_run: {proposals: 1, tokens: 10}}")
    body = {"tool": TOOL, "arguments": {"amount_usd": 1}, "summary": "x", "run": {"id": "r", "tokens": 11}}
    size = len(world.ledger().recorded)
    for path, more in (("/v1/evaluate", {}), ("/v1/proposals", {"dry_run": True})):
        answer = await world.http.post(path, json={**body, **more})
        assert (answer.status_code, answer.json()["code"]) == (403, "budget-exceeded")
    for _ in range(3):
        assert (await world.http.post("/v1/evaluate", json={**body, "run": {"id": "r"}})).status_code == 200
    assert len(world.ledger().recorded) == size
    assert await codes(world, {"id": "r"}, prefix="k") == [201]
    assert (await world.http.post("/v1/evaluate", json={**body, "run": {"id": "r"}})).status_code == 403


async def test_the_agent_sees_its_budgets(world: World) -> None:
    """Each limit, whose it is, and what is used of the day; also what was spent before a budget was written."""
    await codes(world, {"id": "r", "cost_usd": 0.25}, {"id": "q", "cost_usd": 0.5}, prefix="k")
    assert (await world.http.get("/v1/agent")).json()["budgets"] == [{"budget": "repeats", "tool": None, "limit": 5}]
    await budget(
        world,
        "{per_run: {tool_calls: 8}, per_agent_and_day: {cost_usd: 2.5, proposals: 9}, repeats: 4}",
        more="budgets: {per_agent_and_day: {rejected: 3}, repeats: 6}",
    )
    assert (await world.http.get("/v1/agent")).json()["budgets"] == [
        {"budget": "per_run.tool_calls", "tool": None, "limit": 8},
        {"budget": "per_agent_and_day.cost_usd", "tool": None, "limit": 2.5, "used": 0.75},
        {"budget": "per_agent_and_day.proposals", "tool": None, "limit": 9, "used": 2},
        {"budget": "repeats", "tool": None, "limit": 4},
        {"budget": "per_agent_and_day.rejected", "tool": TOOL, "limit": 3, "used": 0},
        {"budget": "repeats", "tool": TOOL, "limit": 6},
    ]


async def test_a_budget_is_right_from_its_first_second(world: World) -> None:
    """What was used before the file was written counts."""
    assert await codes(world, *[{"id": "r", "tokens": 60}] * 2, prefix="k") == [201, 201]
    await budget(world, "{per_run: {proposals: 2}}")
    assert await codes(world, {"id": "r"}, prefix="m") == [403]
    await budget(world, "{per_run: {proposals: 3}}")
    assert await codes(world, {"id": "r"}, prefix="n") == [201]
