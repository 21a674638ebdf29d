"""The skin: who may come in, what every answer carries, and what happens when something breaks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal

import httpx
import pytest
from asgi_lifespan import LifespanManager
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from approval_rules.people import PersonId, ToolName, human
from approval_rules.switch import EVERYTHING, Pause
from approval_rules.text import AgentText
from handlers.desk import BudgetLine
from handlers.http.app import http_app
from handlers.http.edge import Edge
from handlers.http.ports import Check
from handlers.http.problems import ProblemError
from tests.handlers.http.conftest import BODY, World
from tests.handlers.http.fake_desk import AT, DOWN, KEY, OTHER_KEY, FakeDesk

SECRET = "card 4111 1111 1111 1111"
AGENT_CALLS = [
    ("POST", "/v1/proposals"),
    ("GET", "/v1/proposals"),
    ("GET", "/v1/proposals/prop_1"),
    ("POST", "/v1/proposals/prop_1/claim"),
    ("POST", "/v1/proposals/prop_1/outcome"),
    ("POST", "/v1/proposals/prop_1/cancel"),
    ("POST", "/v1/evaluate"),
    ("GET", "/v1/agent"),
]
BAD_KEYS = [
    [],
    [""],
    ["Bearer"],
    ["Bearer "],
    ["Bearer wrong"],
    [f"Basic {KEY}"],
    [f"Bearer {KEY} "],
    [f"Bearer\t{KEY}"],
    [f"Bearer {KEY}, Bearer {KEY}"],
    [KEY],
    ["Bearer " + "x" * 513],
    [f"Bearer {KEY}", f"Bearer {OTHER_KEY}"],
]


@pytest.mark.parametrize(("method", "path"), AGENT_CALLS)
@pytest.mark.parametrize("keys", BAD_KEYS)
async def test_without_a_valid_key_nothing_is_said(
    web: httpx.AsyncClient, desk: FakeDesk, method: str, path: str, keys: list[str]
) -> None:
    """A missing, doubled, malformed or unknown key is 401 in the same words, before the body and the query are read."""
    headers = [("Authorization", key) for key in keys]
    answer = await web.request(method, f"{path}?x=1", content=b"\xff", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert "errors" not in answer.json()
    assert "fe_live" not in answer.text
    assert "wrong" not in answer.text
    assert not desk.turned_away


async def test_the_scheme_has_no_case(web: httpx.AsyncClient) -> None:
    """`bearer` is `Bearer`."""
    assert (await web.get("/v1/agent", headers={"Authorization": f"bEaReR  {KEY}"})).status_code == 200


async def test_who_am_i(api: httpx.AsyncClient, desk: FakeDesk) -> None:
    """An agent sees its name, its tools and what stops it, but not the words that people wrote to each other."""
    desk.budgets = [
        BudgetLine("per_agent_and_day.cost_usd", ToolName("payments.refund"), Decimal("2.50"), Decimal(10**17))
    ]
    running = (await api.get("/v1/agent")).json()
    desk.pauses = [Pause("p", EVERYTHING, AT, human(PersonId("x")), AgentText(SECRET), None)]
    paused = await api.get("/v1/agent")
    assert running == {
        "id": "agt_1",
        "name": "refund-bot",
        "tools": ["payments.refund"],
        "callback_hosts": ["hooks.example"],
        "paused": False,
        "pauses": [],
        "budgets": [
            {"budget": "per_agent_and_day.cost_usd", "tool": "payments.refund", "limit": 2.5, "used": 10**17},
        ],
    }
    assert paused.json()["paused"] is True
    assert paused.json()["pauses"] == [{"scope": "all", "since": "2026-03-01T12:00:00.000005Z", "until": None}]
    assert SECRET not in paused.text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/healthz", 200),
        ("POST", "/v1/proposals", 201),
        ("POST", "/healthz", 405),
        ("GET", "/nowhere", 404),
        ("GET", "/docs", 200),
        ("POST", "/slack/events", 200),
        ("OPTIONS", "/v1/agent", 204),
        ("HEAD", "/healthz", 200),
    ],
)
async def test_every_answer_is_named_and_guarded(api: httpx.AsyncClient, method: str, path: str, status: int) -> None:
    """Every answer, good or bad, has its own Request-Id, which the client cannot choose, and the security headers."""
    headers = {"Request-Id": "mine", "Idempotency-Key": "k"}
    answers = [await api.request(method, path, json=BODY, headers=headers) for _ in range(2)]
    ids = [answer.headers.get_list("Request-Id") for answer in answers]
    assert answers[0].status_code == status
    assert ids == [["req_000"], ["req_001"]]
    assert answers[0].headers["X-Content-Type-Options"] == "nosniff"
    assert len(answers[0].headers.get_list("Content-Security-Policy")) == 1
    assert len(answers[0].headers.get_list("Cache-Control")) == 1


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v1/proposals", "GET, HEAD, OPTIONS, POST"),
        ("/v1/proposals/x/claim", "OPTIONS, POST"),
        ("/healthz", "GET, HEAD, OPTIONS"),
        ("/slack/events", "OPTIONS, POST"),
    ],
)
async def test_other_methods(api: httpx.AsyncClient, path: str, allowed: str) -> None:
    """Another method is 405 with all that are allowed, and OPTIONS tells the same; no CORS is granted."""
    refused = await api.request("DELETE", path)
    options = await api.request("OPTIONS", path)
    assert (refused.status_code, refused.json()["code"]) == (405, "method-not-allowed")
    assert refused.headers["Allow"] == options.headers["Allow"] == allowed
    assert options.status_code == 204
    assert not options.content
    assert "Access-Control-Allow-Origin" not in options.headers


async def test_head_is_get_without_the_body(api: httpx.AsyncClient) -> None:
    """HEAD says what GET would say, and sends nothing."""
    head, get = await api.head("/v1/agent"), await api.get("/v1/agent")
    assert head.headers["Content-Length"] == get.headers["Content-Length"] == str(len(get.content))
    assert head.content == b""


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/proposals/", "/v1/agent/", "/v1//agent", "/healthz/", "/docs/", "/redoc"]
)
async def test_other_paths_are_not_found(api: httpx.AsyncClient, path: str) -> None:
    """A path is exact: a trailing slash is 404 and never a redirect."""
    answer = await api.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


@pytest.mark.parametrize(("method", "path"), AGENT_CALLS)
async def test_an_outage_is_503(api: httpx.AsyncClient, desk: FakeDesk, method: str, path: str) -> None:
    """When the store is away, every call says so and when to come back, and not where the store is."""
    bodies = {"claim": {"digest": "sha256:x"}, "outcome": {"status": "failed"}, "cancel": {}}
    body = bodies.get(path.rpartition("/")[2], BODY)
    desk.fault = DOWN
    answer = await api.request(method, path, json=body, headers={"Idempotency-Key": "k"})
    desk.keys_fault = DOWN
    locked = await api.request(method, path, json=body)
    for one in (answer, locked):
        assert (one.status_code, one.json()["code"]) == (503, "unavailable")
        assert one.headers["Retry-After"] == "2"
        assert "10.0.0.5" not in one.text


async def test_a_refusal_that_cannot_be_recorded_is_503(api: httpx.AsyncClient, desk: FakeDesk) -> None:
    """A proposal is never turned away unrecorded: where the record fails, the answer is the outage."""
    desk.fault = DOWN
    assert (await api.post("/v1/proposals", content=b"")).status_code == 503
    assert (await api.post("/v1/proposals", json={}, headers={"Idempotency-Key": "k"})).status_code == 503


async def test_a_bug_is_500_and_says_nothing(
    api: httpx.AsyncClient, desk: FakeDesk, capsys: pytest.CaptureFixture[str]
) -> None:
    """A bug is a 500 problem with a Request-Id; the log has the id and the place, neither has what was sent."""
    desk.fault = RuntimeError(SECRET)
    answer = await api.post("/v1/proposals", json=BODY, headers={"Idempotency-Key": "k"})
    logged = capsys.readouterr().out
    assert (answer.status_code, answer.json()["code"]) == (500, "internal-error")
    assert "Traceback" not in answer.text
    assert "RuntimeError" in logged
    assert answer.headers["Request-Id"] in logged
    assert "fake_desk.py" in logged
    for leak in (SECRET, KEY, "A-1"):
        assert leak not in answer.text
        assert leak not in logged


async def test_refusals_are_not_logged_as_failures(api: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]) -> None:
    """A mistake of the client is no error of ours."""
    await api.get("/nowhere")
    assert not capsys.readouterr().out


async def test_a_failure_behind_a_record_is_not_recorded(api: httpx.AsyncClient, desk: FakeDesk) -> None:
    """What breaks while a body is read is ours: it is no refusal of the agent."""

    class Broken(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"{"
            raise OSError(SECRET)

    answer = await api.post("/v1/proposals", content=Broken(), headers={"Idempotency-Key": "k"})
    assert answer.status_code == 500
    assert not desk.turned_away


async def test_a_break_in_the_middle_of_an_answer_closes_it() -> None:
    """Once an answer has begun, a failure is not papered over with a second one: the server must cut the line."""
    sent: list[object] = []

    async def breaks(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 - ASGI's signature
        await send({"type": "http.response.start", "status": 200})
        raise RuntimeError(SECRET)

    async def send(message: object) -> None:
        sent.append(message)

    edge = Edge(breaks, lambda: "req_1")
    with pytest.raises(ProblemError, match="internal-error"):
        await edge({"type": "http", "method": "GET", "path": "/"}, _nothing, send)
    assert len(sent) == 1


async def test_websockets_are_refused(desk: FakeDesk, world: World) -> None:
    """There is no websocket anywhere."""
    sent: list[object] = []

    async def send(message: object) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": "/v1/agent", "headers": [], "query_string": b""}
    for path in ("/v1/agent", "/nowhere"):
        await http_app(desk, world.ports())({**scope, "path": path}, _nothing, send)
    assert [message["type"] for message in sent if isinstance(message, dict)] == ["websocket.close"] * 2


async def test_the_caller_owns_the_lifespan(desk: FakeDesk, world: World) -> None:
    """What the composition root wants to run around the server runs around it."""
    told: list[str] = []

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        told.append("up")
        yield
        told.append("down")

    async with LifespanManager(http_app(desk, world.ports(), lifespan)):
        assert told == ["up"]
    assert told == ["up", "down"]


async def test_slack_gets_what_slack_sent(web: httpx.AsyncClient, world: World) -> None:
    """The raw body reaches the Slack side untouched."""
    answer = await web.post("/slack/events", content=b"payload=%7B%7D")
    assert (answer.status_code, answer.text) == (200, "ack")
    assert world.slack_bodies == [b"payload=%7B%7D"]


async def test_without_slack_there_is_no_such_path(desk: FakeDesk, world: World) -> None:
    """In Socket Mode nothing listens where Slack would post."""
    app = http_app(desk, replace(world.ports(), slack=None))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
        assert (await client.post("/slack/events")).status_code == 404


async def test_operations(web: httpx.AsyncClient, world: World) -> None:
    """Health, readiness with reasons, figures and keys need no key."""
    health, ready = await web.get("/healthz"), await web.get("/readyz")
    metrics, jwks = await web.get("/metrics"), await web.get("/.well-known/jwks.json")
    world.checks = [*world.checks, Check("policy", ok=False, detail="roles.yml does not load")]
    waiting = await web.get("/readyz")
    assert health.json() == {"status": "ok", "time": "2026-03-01T12:00:00.000005Z"}
    assert (ready.status_code, ready.json()["ready"]) == (200, True)
    assert (waiting.status_code, waiting.json()["ready"]) == (503, False)
    assert waiting.json()["checks"][1] == {"name": "policy", "ok": False, "detail": "roles.yml does not load"}
    assert metrics.text == "foureyes_pending 3\n"
    assert metrics.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert jwks.json() == {"keys": [{"kty": "OKP", "kid": "k1"}]}
    assert jwks.headers["Cache-Control"] == "public, max-age=300"


async def _nothing() -> dict[str, str]:
    return {"type": "websocket.connect"}
