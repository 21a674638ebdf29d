"""`ask`: one errand over an unreliable network; a lost answer is asked for again and never acted on twice."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bot.ask import Answer, Asked, Refused, ask_and_wait, report_outcome
from bot.slack_standin.loopback import LoopbackServer, hang_up
from tests.movable_clock import MovableClock

KEY = "fe_00000000_" + "k" * 43
BODY = '{"tool": "a.b", "summary": "s", "arguments": {"amount": 50.0000000000000001}}'
LOST = "lost"
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
APPROVED: dict[str, Any] = {"id": "prop_1", "state": "approved", "digest": "sha256:00", "votes": []}
PENDING = {**APPROVED, "state": "pending"}
GRANT = {"grant": "jws", "claimed_at": "t", "expires_at": "t"}


class Scripted:
    """A server that answers as it was told, one answer a request, and keeps what it was asked."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, Any] | str] = []
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        self.told: list[str] = []
        self.slept: list[float] = []
        self.clock = MovableClock(lambda: NOON)  # a busy machine uses up no patience
        self.server = LoopbackServer(Starlette(routes=[Route("/{path:path}", self._answer, methods=["GET", "POST"])]))

    async def _answer(self, request: Request) -> Response:
        self.asked.append((request.method, request.url.path, dict(request.headers), await request.body()))
        answer = self.answers.pop(0)
        if isinstance(answer, str):
            return hang_up(request.scope) if answer == LOST else PlainTextResponse(answer)
        status, body = answer
        self.clock.move(timedelta(seconds=25) if body == PENDING else timedelta())
        return JSONResponse(body, status)

    async def ask(self, *answers: tuple[int, Any] | str, url: str = "", minutes: float = 2) -> Answer:
        """Run the errand against these answers; every one of them must be fetched."""
        self.answers = list(answers)

        def sleep(seconds: float) -> None:
            self.slept.append(seconds)
            self.clock.move(timedelta(seconds=seconds))

        patience = timedelta(minutes=minutes)
        found = await asyncio.to_thread(
            ask_and_wait, url or self.server.url, KEY, BODY, "idem-1", patience, self.clock, self.told.append, sleep
        )
        assert self.answers == []
        return found

    async def report(self, *answers: tuple[int, Any] | str) -> Refused | None:
        """Report an outcome against these answers; every one of them must be fetched."""
        self.answers = list(answers)

        def sleep(seconds: float) -> None:
            self.clock.move(timedelta(seconds=seconds))

        outcome = {"status": "failed", "detail": "no such order"}
        found = await asyncio.to_thread(
            report_outcome, self.server.url, KEY, "prop_1/../x", outcome, self.clock, self.told.append, sleep
        )
        assert self.answers == []
        return found


@pytest.fixture
async def scripted() -> AsyncIterator[Scripted]:
    """A server on loopback."""
    made = Scripted()
    await made.server.start()
    yield made
    await made.server.stop()


async def test_the_errand(scripted: Scripted) -> None:
    """Submit with key and body as given, wait while it is pending, claim with the digest and the same key."""
    found = await scripted.ask((201, PENDING), (200, PENDING), (200, APPROVED), (200, GRANT))
    assert found == Asked(APPROVED, GRANT)
    submit, look, _, claim = scripted.asked
    assert submit[:2] == ("POST", "/v1/proposals")
    assert submit[3] == BODY.encode()
    assert submit[2]["authorization"] == f"Bearer {KEY}"
    assert submit[2]["idempotency-key"] == claim[2]["idempotency-key"] == "idem-1"
    assert look[:2] == ("GET", "/v1/proposals/prop_1")
    assert claim[:2] == ("POST", "/v1/proposals/prop_1/claim")
    assert claim[3] == b'{"digest":"sha256:00"}'
    assert scripted.told == ["prop_1 waits for people (0 votes so far)"] * 2
    assert "jws" not in repr(found)


async def test_every_lost_answer_is_asked_for_again(scripted: Scripted) -> None:
    """A reset connection, a restarting server, a proxy's page and a request under way are waited out, same key."""
    under_way = {"code": "in-progress", "detail": "x"}
    found = await scripted.ask(
        LOST,
        (503, {}),
        (409, under_way),
        (201, PENDING),
        LOST,
        (502, {}),
        (200, APPROVED),
        LOST,
        (504, {}),
        (200, GRANT),
    )
    assert found == Asked(APPROVED, GRANT)
    assert {headers["idempotency-key"] for method, _, headers, _ in scripted.asked if method == "POST"} == {"idem-1"}
    assert scripted.slept == [2.0] * 7
    assert any("HTTP 503; trying again" in line for line in scripted.told)
    assert not any(KEY in line for line in scripted.told)


async def test_patience_ends(scripted: Scripted) -> None:
    """Who gives up is told how to go on waiting for the same proposal, and that nothing may be done."""
    found = await scripted.ask(*[(201, PENDING)] * 5)
    assert found == Refused("pending", "prop_1 still waits; go on with --key idem-1. Do not act")
    found = await scripted.ask(*[(503, {})] * 31, minutes=1)
    assert isinstance(found, Refused)
    assert found.code == "unreachable"
    assert found.detail.endswith("HTTP 503; go on with --key idem-1. Do not act")


async def test_nobody_there_is_said_at_once(scripted: Scripted) -> None:
    """A wrong address is not tried for hours; one that was there before is."""
    await scripted.server.stop()
    found = await scripted.ask()
    assert isinstance(found, Refused)
    assert found.code == "unreachable"
    assert "nothing answers there; is the server up, is --url right?" in found.detail
    assert scripted.slept == []


@pytest.mark.parametrize("url", ["127.0.0.1:1", "ftp://127.0.0.1", "http://[", "http://a b"])
async def test_what_is_no_address_is_said(scripted: Scripted, url: str) -> None:
    """A typing error in the URL is one sentence."""
    found = await scripted.ask(url=url)
    assert isinstance(found, Refused)
    assert (found.code, scripted.slept) == ("unreachable", [])


@pytest.mark.parametrize("answer", ["<html>", (200, []), (404, "x"), (201, {}), (201, {"id": "p"})])
async def test_another_server_is_said(scripted: Scripted, answer: Any) -> None:  # noqa: ANN401 - JSON
    """Whatever answers there, if it is no Foureyes, that is said and nothing is done."""
    found = await scripted.ask(answer)
    assert isinstance(found, Refused)
    assert found.code == "unreachable"
    assert "is this a Foureyes server?" in found.detail


@pytest.mark.parametrize(
    ("proposal", "detail"),
    [
        (
            {"state": "denied", "votes": [{"decision": "approve", "name": "A"}, {"decision": "deny", "name": "Maya"}]},
            "prop_1 was denied by Maya: no reason given",
        ),
        (
            {"state": "denied", "votes": [{"decision": "deny", "name": None, "reason": "not ours"}]},
            "prop_1 was denied by somebody: not ours",
        ),
        ({"state": "denied"}, "prop_1 was denied by nobody who is still known"),
        ({"state": "expired", "expired_why": "unanswered"}, "prop_1 expired: nobody decided in time"),
        ({"state": "expired", "expired_why": "unclaimed"}, "prop_1 expired: approved and not claimed in time"),
        ({"state": "blocked", "policy": {"because": "rule 2"}}, "prop_1 is blocked by policy: rule 2"),
        ({"state": "cancelled"}, "prop_1 is cancelled"),
    ],
)
async def test_each_no_has_its_words(scripted: Scripted, proposal: dict[str, Any], detail: str) -> None:
    """Denied, expired, blocked and cancelled are four different things, and each says why."""
    found = await scripted.ask((201, {**APPROVED, **proposal}))
    assert found == Refused(proposal["state"], f"{detail}. Do not act")


@pytest.mark.parametrize("state", ["pending", "approved"])
async def test_a_trial_run_is_never_waited_for(scripted: Scripted, state: str) -> None:
    """A tool in shadow is never permitted: that is said at once, and nothing is claimed."""
    found = await scripted.ask((201, {**APPROVED, "state": state, "shadow": True}))
    assert isinstance(found, Refused)
    assert found.code == "shadow"
    assert found.detail.startswith("prop_1 is a trial run: its tool is in shadow, so it is never permitted")
    assert found.detail.endswith("Do not act")


async def test_a_trial_run_that_has_ended_says_how(scripted: Scripted) -> None:
    """What the policy blocks is blocked, in shadow too."""
    body = {**APPROVED, "state": "blocked", "policy": {"because": "rule 2"}, "shadow": True}
    assert await scripted.ask((201, body)) == Refused("blocked", "prop_1 is blocked by policy: rule 2. Do not act")


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        ({"code": "paused", "detail": "Stopped."}, Refused("paused", "Stopped.")),
        ({}, Refused("failed", "HTTP 423")),
        (
            {"code": "invalid-body", "detail": "Wrong.", "errors": [{"pointer": "/arguments/x", "detail": "too big"}]},
            Refused("invalid-body", "Wrong.; /arguments/x: too big"),
        ),
        (
            {"code": "x", "detail": "Wrong.", "errors": [{"pointer": "", "detail": "odd"}]},
            Refused("x", "Wrong.; /: odd"),
        ),
    ],
)
async def test_a_problem_is_told_whole(scripted: Scripted, body: dict[str, Any], refused: Refused) -> None:
    """A refusal at the door and one at the claim carry code, detail and each fault."""
    assert await scripted.ask((423, body)) == refused
    assert await scripted.ask((201, APPROVED), (423, body)) == refused


async def test_an_approval_in_the_last_second_is_still_claimed(scripted: Scripted) -> None:
    """Patience is for people; the claim has a minute of its own."""
    found = await scripted.ask((201, APPROVED), (503, {}), (200, GRANT), minutes=0)
    assert found == Asked(APPROVED, GRANT)


async def test_a_report_is_sent_until_it_is_taken(scripted: Scripted) -> None:
    """A lost answer or a restart is no reason to leave people with an unknown outcome; an id is one path segment."""
    assert await scripted.report(LOST, (503, {}), (200, APPROVED)) is None
    assert {asked[:2] for asked in scripted.asked} == {("POST", "/v1/proposals/prop_1/../x/outcome")}
    assert {asked[3] for asked in scripted.asked} == {b'{"status":"failed","detail":"no such order"}'}


async def test_a_report_that_is_refused_says_why(scripted: Scripted) -> None:
    """Another outcome was reported before: that is told, and nothing is sent again."""
    problem = {"code": "outcome-conflict", "detail": "the outcome succeeded was reported before"}
    assert await scripted.report((409, problem)) == Refused("outcome-conflict", problem["detail"])


async def test_a_report_that_nobody_takes_says_to_run_it_again(scripted: Scripted) -> None:
    """After a minute of trying the caller is told that nothing was recorded."""
    found = await scripted.report(*[(503, {})] * 31)
    assert found is not None
    assert found.detail.endswith("HTTP 503; run it again")
