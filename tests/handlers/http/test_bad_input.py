"""Whatever an agent sends: a 4xx problem that says where and why, never a 500, and nothing stored."""

import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from handlers.http.app import http_app
from handlers.http.problem_codes import KINDS
from tests.handlers.http.conftest import BODY, World
from tests.handlers.http.fake_desk import AGENT, KEY, FakeDesk

HEADERS = {"Idempotency-Key": "k-1", "Content-Type": "application/json"}


def with_arguments(text: str) -> bytes:
    """A proposal that is fine but for the JSON text of its arguments."""
    return b'{"tool":"payments.refund","summary":"x","arguments":' + text.encode("utf-8", "surrogatepass") + b"}"


def nested(levels: int) -> str:
    """A JSON text of so many arrays in an object."""
    return '{"a":' + "[" * levels + "]" * levels + "}"


BAD = {
    "empty": (b"", 400, "malformed-body", None),
    "not JSON": (b"tool=payments.refund", 400, "malformed-body", None),
    "two values": (b"{} {}", 400, "malformed-body", None),
    "cut off": (b'{"tool":', 400, "malformed-body", None),
    "UTF-16": (json.dumps(BODY).encode("utf-16"), 400, "malformed-body", None),
    "a byte-order mark": (b"\xef\xbb\xbf{}", 400, "malformed-body", None),
    "not UTF-8": (b'{"tool":"\xff"}', 400, "malformed-body", None),
    "surrogate bytes": (with_arguments('{"a":"\ud800"}'), 400, "malformed-body", None),
    "a control character": (b'{"tool":"a\nb"}', 400, "malformed-body", None),
    "an array": (b"[]", 422, "invalid-body", ""),
    "null": (b"null", 422, "invalid-body", ""),
    "a number": (b"5", 422, "invalid-body", ""),
    "a name twice": (b'{"tool":"a","tool":"b"}', 422, "invalid-body", "/tool"),
    "an escaped name twice": (
        with_arguments('{"a/b~":{"x":1,"\\u0078":1}}'),
        422,
        "invalid-body",
        "/arguments/a~1b~0/x",
    ),
    "a name twice in a list": (with_arguments('{"l":[0,{"x":1,"x":1}]}'), 422, "invalid-body", "/arguments/l/1/x"),
    "NaN": (with_arguments('{"a":NaN}'), 422, "invalid-body", "/arguments/a"),
    "Infinity": (with_arguments('{"a":[-Infinity]}'), 422, "invalid-body", "/arguments/a/0"),
    "1e400": (with_arguments('{"a":1e400}'), 422, "invalid-body", "/arguments/a"),
    "a wild exponent": (with_arguments('{"a":1e99999999999999999999}'), 422, "invalid-body", "/arguments/a"),
    "a wild small exponent": (with_arguments('{"a":1e-99999999999999999999}'), 422, "invalid-body", "/arguments/a"),
    "1e-400": (with_arguments('{"a":1e-400}'), 422, "invalid-body", "/arguments/a"),
    "too many digits": (with_arguments('{"a":50.0000000000000001}'), 422, "invalid-body", "/arguments/a"),
    "one digit too many": (with_arguments('{"a":50.000000000000001}'), 422, "invalid-body", "/arguments/a"),
    "2^53": (with_arguments('{"a":9007199254740992}'), 422, "invalid-body", "/arguments/a"),
    "a huge integer": (with_arguments('{"a":' + "9" * 5000 + "}"), 422, "invalid-body", "/arguments/a"),
    "a lone surrogate": (with_arguments('{"a":"\\ud800"}'), 422, "invalid-body", "/arguments/a"),
    "a lone surrogate as a name": (with_arguments('{"\\ud800":1}'), 422, "invalid-body", "/arguments/\\ud800"),
    "33 levels": (with_arguments(nested(31)), 422, "invalid-body", "/arguments/a" + "/0" * 30),
    "300 levels": (with_arguments(nested(300)), 422, "invalid-body", ""),
    "1,000 levels": (with_arguments(nested(1000)), 422, "invalid-body", ""),
    "100,000 levels": (with_arguments(nested(100_000)), 422, "invalid-body", ""),
    "100,000 levels, never closed": (b"[" * 100_000, 422, "invalid-body", ""),
    "no tool": (b'{"summary":"x","arguments":{}}', 422, "invalid-body", "/tool"),
    "an unknown field": (b'{"tool":"a","summary":"x","arguments":{},"sumary":1}', 422, "invalid-body", "/sumary"),
    "over 256 KiB": (with_arguments('{"a":"' + "x" * 300_000 + '"}'), 413, "body-too-large", None),
    "gzip'd bytes": (gzip.compress(json.dumps(BODY).encode()), 400, "malformed-body", None),
}


@pytest.mark.parametrize(("content", "status", "code", "pointer"), BAD.values(), ids=BAD.keys())
async def test_bad_bodies(
    api: httpx.AsyncClient, desk: FakeDesk, content: bytes, status: int, code: str, pointer: str | None
) -> None:
    """A bad body is refused with a pointer where there is one; nothing is stored, and the attempt is recorded."""
    answer = await api.post("/v1/proposals", content=content, headers=HEADERS)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code)
    assert answer.headers["Request-Id"]
    assert [error["pointer"] for error in problem.get("errors", [])] == ([] if pointer is None else [pointer])
    assert not desk.stored
    assert not desk.drafts
    assert [(agent, recorded) for agent, recorded, _, _ in desk.turned_away] == [(AGENT.id, code)]


@pytest.mark.parametrize("content", [with_arguments(nested(30)), with_arguments('{"l":[' + "[]," * 300 + "[]]}")])
async def test_what_is_allowed_still_passes(api: httpx.AsyncClient, content: bytes) -> None:
    """32 levels are fine, and so are very many brackets side by side, also inside strings."""
    assert (await api.post("/v1/proposals", content=content, headers=HEADERS)).status_code == 201
    text = with_arguments(json.dumps({"a": "[{" * 1000 + '"\\'})) + b" " * 10
    other = {**HEADERS, "Idempotency-Key": "k-2"}
    assert (await api.post("/v1/proposals", content=text, headers=other)).status_code == 201


SHAPES: dict[str, tuple[dict[str, Any], str]] = {
    "tool in capitals": ({"tool": "Payments"}, "/tool"),
    "tool with a line end": ({"tool": "payments.refund\n"}, "/tool"),
    "tool too long": ({"tool": "a" * 101}, "/tool"),
    "tool empty": ({"tool": ""}, "/tool"),
    "arguments as a list": ({"arguments": []}, "/arguments"),
    "summary blank": ({"summary": " \u00a0\n"}, "/summary"),
    "summary empty": ({"summary": ""}, "/summary"),
    "summary too long": ({"summary": "x" * 3001}, "/summary"),
    "summary null": ({"summary": None}, "/summary"),
    "bool for a count": ({"run": {"tokens": True}}, "/run/tokens"),
    "text for a count": ({"run": {"tokens": "5"}}, "/run/tokens"),
    "half a count": ({"run": {"tokens": 5.5}}, "/run/tokens"),
    "less than nothing": ({"run": {"tool_calls": -1}}, "/run/tool_calls"),
    "bool for money": ({"run": {"cost_usd": False}}, "/run/cost_usd"),
    "text for money": ({"run": {"cost_usd": "5"}}, "/run/cost_usd"),
    "negative money": ({"run": {"cost_usd": -0.01}}, "/run/cost_usd"),
    "a name for a Slack id": ({"run": {"started_by": "alice"}}, "/run/started_by"),
    "a bot for a Slack id": ({"run": {"started_by": "B012345"}}, "/run/started_by"),
    "a mention for a Slack id": ({"run": {"started_by": "<@U012345>"}}, "/run/started_by"),
    "unknown in run": ({"run": {"budget": 1}}, "/run/budget"),
    "evidence without a title": ({"context": {"evidence": [{"title": "a"}, {}]}}, "/context/evidence/1/title"),
    "too much evidence": ({"context": {"evidence": [{"title": "a"}] * 51}}, "/context/evidence"),
    "too much history": ({"context": {"history": [1] * 201}}, "/context/history"),
    "facts as text": ({"context": {"facts": "x"}}, "/context/facts"),
    "1 for true": ({"dry_run": 1}, "/dry_run"),
    "text for true": ({"claim_if_allowed": "true"}, "/claim_if_allowed"),
    "too soon": ({"expires_in_s": 59}, "/expires_in_s"),
    "too late": ({"expires_in_s": 2_592_001}, "/expires_in_s"),
    "half a second": ({"expires_in_s": 60.5}, "/expires_in_s"),
    "very late": ({"expires_in_s": 2.0**52}, "/expires_in_s"),
}
URLS = [
    "ftp://a.example/",
    "javascript:alert(1)",
    "//a.example",
    "https://",
    "https:///x",
    "https://user:pw@a.example/",
    "https://a.example:99999/",
    "https://a.example:x/",
    "https://[::1/",
    "https://a example/",
    "https://a.example/\n",
    "https://a.example\\@b.example/",
    "https://\u0430.example/",
    "https://a.example/" + "x" * 2000,
]
SHAPES |= {f"callback {i}": ({"callback_url": url}, "/callback_url") for i, url in enumerate(URLS)}
SHAPES |= {
    f"evidence {i}": ({"context": {"evidence": [{"title": "t", "url": url}]}}, "/context/evidence/0/url")
    for i, url in enumerate(URLS)
}


@pytest.mark.parametrize(("changes", "pointer"), SHAPES.values(), ids=SHAPES.keys())
async def test_bad_shapes(api: httpx.AsyncClient, desk: FakeDesk, changes: dict[str, Any], pointer: str) -> None:
    """Every rule of the schema answers with the place, in words, and without the value."""
    answer = await api.post("/v1/proposals", json={**BODY, **changes}, headers=HEADERS)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "invalid-body")
    assert [error["pointer"] for error in problem["errors"]] == [pointer]
    assert "xxxxx" not in answer.text
    assert "javascript" not in answer.text
    assert "Input should" not in answer.text
    assert not desk.stored
    tool = None if "tool" in changes else "payments.refund"
    assert [(code, named) for _, code, _, named in desk.turned_away] == [("invalid-body", tool)]


@pytest.mark.parametrize(
    "url",
    ["http://localhost:8080/x", "https://[2001:db8::1]:443/a?b=c#d", "HTTPS://Hooks.Example", "https://my_host/%20[1]"],
)
async def test_good_addresses(api: httpx.AsyncClient, url: str) -> None:
    """Either scheme with any host pass the shape; whether the host is registered is the desk's question."""
    answer = await api.post("/v1/proposals", json={**BODY, "callback_url": url}, headers=HEADERS)
    assert answer.json().get("callback_url") == url


async def test_a_whole_number_may_have_a_point(api: httpx.AsyncClient) -> None:
    """60.0 is 60: JSON has one kind of number."""
    content = json.dumps({**BODY, "expires_in_s": 60.0, "run": {"tokens": 5e3, "elapsed_s": 0.5}})
    assert (await api.post("/v1/proposals", content=content, headers=HEADERS)).status_code == 201


async def test_many_mistakes_are_told_at_once_and_not_all(api: httpx.AsyncClient) -> None:
    """All mistakes come in one answer, up to 20; a near miss is named, and a hopeless one is not compared."""
    crowd = {f"field{i}": i for i in range(100)} | {"x" * 100: 1}
    near = await api.post(
        "/v1/proposals", json={"summry": "x", "facts": {}, "excerp": "", "zzzzzzzz": 1, "y" * 200: 1}, headers=HEADERS
    )
    many = await api.post("/v1/proposals", json={**BODY, **crowd}, headers=HEADERS)
    details = {error["pointer"]: error["detail"] for error in near.json()["errors"]}
    assert details["/summry"] == "unknown field; did you mean /summary?"
    assert details["/excerp"] == "unknown field; did you mean /context/evidence/excerpt?"
    assert details["/facts"] == "unknown field; did you mean /context/facts?"
    assert details["/zzzzzzzz"] == details["/" + "y" * 200] == "unknown field; remove it"
    assert details["/tool"] == "this field is required; add it"
    assert len(many.json()["errors"]) == 20


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"status": "done"}, "/status"),
        ({}, "/status"),
        ({"status": "failed", "post_conditions": True}, "/post_conditions"),
        ({"status": "failed", "post_conditions": [1] * 201}, "/post_conditions"),
        ({"status": "failed", "cost_usd": True}, "/cost_usd"),
        ({"status": "failed", "reason": "x"}, "/reason"),
        ([], ""),
    ],
)
async def test_bad_outcomes(api: httpx.AsyncClient, body: object, pointer: str) -> None:
    """An outcome is checked like everything else."""
    answer = await api.post("/v1/proposals/prop_1/outcome", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-body")
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize("body", [{"digest": 5}, {"digest": ""}, {"digest": "x" * 201}, {"digest": None}])
async def test_bad_claims(api: httpx.AsyncClient, body: object) -> None:
    """A digest is a text."""
    answer = await api.post("/v1/proposals/prop_1/claim", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/digest")


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": "application/jsonx"},
        {"Content-Encoding": "gzip"},
        {"Content-Encoding": "identity, gzip"},
    ],
)
async def test_only_plain_json(api: httpx.AsyncClient, desk: FakeDesk, headers: dict[str, str]) -> None:
    """Another media type, charset or encoding is 415, whatever the bytes are."""
    content = json.dumps(BODY).encode()
    answer = await api.post("/v1/proposals", content=content, headers={**HEADERS, **headers})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-media-type")
    assert not desk.stored


async def test_a_body_without_a_type_is_json(api: httpx.AsyncClient) -> None:
    """There is nothing else that it could be."""
    headers = {"Idempotency-Key": "k", "Content-Encoding": "identity"}
    assert (await api.post("/v1/proposals", content=json.dumps(BODY).encode(), headers=headers)).status_code == 201


class Chunks:
    """A body in chunks that notes how far it was read."""

    def __init__(self, count: int) -> None:
        self.left = count

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Give 16 KiB at a time."""
        while self.left:
            self.left -= 1
            yield b" " * 16_384


async def test_an_endless_body_is_cut_off(api: httpx.AsyncClient, desk: FakeDesk) -> None:
    """A body without a length is counted as it comes, and refused at 256 KiB without reading on."""
    body = Chunks(1000)
    answer = await api.post("/v1/proposals", content=body, headers=HEADERS)
    assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")
    assert body.left == 1000 - 17
    assert not desk.stored


async def test_an_announced_giant_is_not_read(api: httpx.AsyncClient) -> None:
    """A Content-Length over the limit is refused before the first byte; a nonsensical one changes nothing."""
    for length in ("262145", "9" * 5000):
        body = Chunks(3)
        headers = {**HEADERS, "Content-Length": length}
        answer = await api.post("/v1/proposals", content=body, headers=headers)
        assert answer.status_code == 413
        assert body.left == 3
    answer = await api.post("/v1/proposals", content=Chunks(3), headers={**HEADERS, "Content-Length": "lots"})
    assert answer.status_code == 400


async def test_exactly_the_limit_is_fine(api: httpx.AsyncClient) -> None:
    """262,144 bytes pass; one more does not."""
    text = json.dumps(BODY).encode().ljust(262_144)
    assert (await api.post("/v1/proposals", content=text, headers=HEADERS)).status_code == 201
    assert (await api.post("/v1/proposals", content=text + b" ", headers=HEADERS)).status_code == 413


async def test_the_client_hangs_up(desk: FakeDesk, world: World) -> None:
    """A client that goes away in the middle of its body gets no answer and leaves no trace."""
    sent: list[Any] = []
    messages = iter([{"type": "http.request", "body": b'{"to', "more_body": True}, {"type": "http.disconnect"}])

    async def receive() -> Any:  # noqa: ANN401 - an ASGI message
        return next(messages)

    async def send(message: Any) -> None:  # noqa: ANN401 - an ASGI message
        sent.append(message)

    headers = [(b"authorization", f"Bearer {KEY}".encode()), (b"idempotency-key", b"k")]
    scope = {"type": "http", "method": "POST", "path": "/v1/proposals", "query_string": b"", "headers": headers}
    await http_app(desk, world.ports())(scope, receive, send)
    assert not sent
    assert not desk.stored
    assert not desk.turned_away


async def test_fuzzed_bodies(api: httpx.AsyncClient, desk: FakeDesk) -> None:
    """No body makes a 500: it is a proposal, or it is refused with a documented code and nothing is stored."""
    runs = 0

    async def check(content: bytes) -> None:
        nonlocal runs
        runs += 1
        before = len(desk.stored)
        headers = {**HEADERS, "Idempotency-Key": f"k-{runs}"}
        for path in ("/v1/proposals", "/v1/proposals/prop_0000/claim", "/v1/proposals/prop_0000/outcome"):
            answer = await api.post(path, content=content, headers=headers)
            assert answer.status_code < 500
            if answer.status_code >= 400:
                assert KINDS[answer.json()["code"]].status == answer.status_code
        assert len(desk.stored) - before in (0, 1)

    for content in _fuzz():
        await check(content)
    assert runs >= 100


def _fuzz() -> list[bytes]:
    """Collect what Hypothesis thinks of; collecting first keeps one event loop for all of it."""
    found: list[bytes] = []
    names = st.sampled_from([*BODY, "context", "run", "expires_in_s", "dry_run", "digest", "status", "x"])
    numbers = st.from_regex(r"\A-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,25})?\Z").map(str.encode)
    values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names | st.text(), inner, max_size=4),
    )
    near = st.dictionaries(names, values, max_size=8).map(lambda changes: json.dumps({**BODY, **changes}).encode())
    exact = numbers.map(lambda number: json.dumps(BODY).encode().replace(b"180", number))
    cut = st.tuples(near, st.integers(0, 200), st.binary(max_size=4)).map(lambda t: t[0][: t[1]] + t[2] + t[0][t[1] :])

    @settings(suppress_health_check=[HealthCheck.too_slow])
    @given(st.one_of(st.binary(max_size=200), values.map(lambda v: json.dumps(v).encode()), near, exact, cut))
    @example(b'{"tool":{"tool":1},"tool":2}')
    @example(b'{"dry_run":true}')
    def collect(content: bytes) -> None:
        found.append(content)

    collect()
    return found
