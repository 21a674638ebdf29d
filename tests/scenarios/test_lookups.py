"""Facts from lookups, through the running product: what is found counts and is recorded; what fails asks people."""

import asyncio
import json
from collections import Counter as Tally
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.settings import Settings
from bot.slack_standin.workspace import SAM
from tests.bot.delivery.receiver import Receiver
from tests.world import TOOL, World

TOKEN = "Bearer crm-secret-0123456789"
RULES = (
    "    - {if: \"customer_tier == 'enterprise' and amount_usd <= 200\", allow: true}\n"
    "    - {require_approval: support_manager}\n"
)


def answer(body: object, status: str = "200 OK", *headers: str) -> bytes:
    """One HTTP answer; a body that is no text is written as JSON."""
    data = (body if isinstance(body, str) else json.dumps(body)).encode()
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(data)}", *headers])
    return f"{head}\r\n\r\n".encode() + data


HANGS: Sequence[bytes] = [b"HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n"]


@pytest.fixture
async def crm() -> AsyncIterator[Receiver]:
    """The other system: every customer is an enterprise until a test says otherwise."""
    async with Receiver([answer({"customer_tier": "enterprise"})]) as made:
        yield made


class AskingWorld(World):
    """A product that may ask a host on loopback, with a token for it, unless a test says otherwise."""

    allow = "127.0.0.1"
    tokens: Mapping[str, str] = {"FOUREYES_CRM_TOKEN": TOKEN}

    @property
    def settings(self) -> Settings:
        """Give the settings as the environment would."""
        return replace(super().settings, lookup_allow=self.allow, lookup_tokens=self.tokens)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A product that may ask the other system, with a token for it."""
    async with AskingWorld(tmp_path) as made:
        yield made
        made.verify_log()


def policy(crm: Receiver, rules: str = RULES, **fields: str) -> str:
    """A policy that looks up a customer's tier."""
    wanted = {"url": crm.url(path="/c/{customer_id}"), "header_env": "FOUREYES_CRM_TOKEN", "timeout": "10s"}
    lookup = json.dumps({**wanted, "type": "string", **fields})  # JSON is YAML
    return f"policy:\n  tool: {TOOL}\n  facts:\n    customer_tier: {lookup}\n  rules:\n{rules}"


async def enforce(world: World, text: str) -> None:
    """Put a policy in force."""
    (world.policy / f"{TOOL}.yml").write_text(text, encoding="utf-8")
    await world.running.watch.look()
    assert world.running.watch.fault is None


async def under_way_at(world: World, crm: Receiver) -> None:
    """Wait until the other system has been asked."""

    async def asked() -> bool:
        return bool(crm.requests)

    await world.until(asked, "a lookup")


def submitted(world: World, proposal: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The log's entry for a proposal, and its erasable values."""
    with world.db() as db:
        (found,) = db.execute(
            "SELECT seq, body FROM entries WHERE subject = ? AND type = 'proposal.submitted'", (proposal["id"],)
        ).fetchall()
        values = dict(db.execute("SELECT name, value FROM detached WHERE seq = ?", (found[0],)).fetchall())
    return json.loads(found[1]), values


async def test_what_is_found_counts_and_is_recorded(world: World, crm: Receiver) -> None:
    """The rule reads the answer; the log has the value beside what the agent said, and where and when for ever."""
    await enforce(world, policy(crm))
    made = await world.propose(180, context={"facts": {"mood": "calm"}})
    assert made["state"] == "approved"
    assert made["context"] == {"facts": {"mood": "calm"}}
    at = made["looked_up"]["customer_tier"].pop("at")
    assert made["looked_up"] == {"customer_tier": {"source": "127.0.0.1", "value": "enterprise"}}
    body, values = submitted(world, made)
    assert body["data"]["lookups"] == [{"at": at, "name": "customer_tier", "source": "127.0.0.1"}]
    assert values["looked_up"] == '{"customer_tier":"enterprise"}'
    assert values["context"] == '{"facts":{"mood":"calm"}}'
    (asked,) = crm.requests
    assert asked.line == "GET /c/C-1 HTTP/1.1"
    assert (asked.headers["authorization"], asked.headers["accept"], asked.body) == (TOKEN, "application/json", b"")
    assert not {"cookie", "content-length", "content-type"} & asked.headers.keys()


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        (answer({}, "404 Not Found"), "the answer was HTTP 404"),
        (answer({"customer_tier": "enterprise"}, "500 Oops"), "the answer was HTTP 500"),
        (answer({"customer_tier": "enterprise"}, "203 Half"), "the answer was HTTP 203"),
        (answer("", "302 Found", "Location: http://169.254.169.254/"), "the answer was HTTP 302"),
        (answer("enterprise"), "the answer is not the JSON that we read"),
        (answer('{"customer_tier":"enterprise","customer_tier":"enterprise"}'), "the answer is not the JSON"),
        (answer('{"customer_tier":"enterprise","x":1e999}'), "the answer is not the JSON that we read"),
        (answer('{"customer_tier":"enterprise","x":' + "[" * 40 + "]" * 40 + "}"), "the answer is not the JSON"),
        (answer('{"customer_tier":"\\ud800"}'), "the answer is not the JSON that we read"),
        (answer({"tier": "enterprise"}), "the answer does not have it"),
        (answer(["enterprise"]), "the answer does not have it"),
        (answer({"customer_tier": None}), "the answer does not have it"),
        (answer({"customer_tier": True}), "the answer is not text"),
        (answer({"customer_tier": "x" * 9000}), "the answer is too large"),
        (answer({"customer_tier": "enterprise", "x": "y" * 70_000}), "the answer is too large"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n", *[b"x" * 50_000] * 200], "the answer is too large"),
        (b"", "no HTTP answer"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "no HTTP answer"),
    ],
)
async def test_a_failed_lookup_asks_people(
    world: World, crm: Receiver, answers: bytes | Sequence[bytes], why: str
) -> None:
    """Whatever is wrong with the answer: never allowed, though the agent asserts the value that would be."""
    await enforce(world, policy(crm))
    crm.answers = [answers]
    made = await world.propose(180, context={"facts": {"customer_tier": "enterprise"}})
    assert (made["state"], made["requirement"]["approvals"]) == ("pending", 2)
    assert f"customer_tier could not be looked up ({why}" in made["policy"]["because"]
    assert "127.0.0.1" not in made["policy"]["because"]
    assert why in made["looked_up"]["customer_tier"]["failed"]
    assert "value" not in made["looked_up"]["customer_tier"]
    assert len(crm.requests) == 1


@pytest.mark.parametrize("pieces", [HANGS, [b"HTTP/1.1 200 OK\r\n", *[b"x: y\r\n"] * 100]])
async def test_a_slow_answer_is_not_waited_for(world: World, crm: Receiver, pieces: Sequence[bytes]) -> None:
    """Hanging, or drop by drop: after the time-out of the policy people are asked."""
    await enforce(world, policy(crm, timeout="200ms"))
    crm.answers, crm.pause = [pieces], 0.05
    made = await asyncio.wait_for(world.propose(180, context={}), 3)
    assert made["state"] == "pending"
    assert made["looked_up"]["customer_tier"]["failed"] == "timed out"


@pytest.mark.parametrize(
    ("customer", "line"),
    [
        ("C 1/x", "GET /c/C%201%2Fx HTTP/1.1"),
        ("a?b=c#d%2e&e", "GET /c/a%3Fb%3Dc%23d%252e%26e HTTP/1.1"),
        ("ü", "GET /c/%C3%BC HTTP/1.1"),
        (12.5, "GET /c/12.5 HTTP/1.1"),
        ("...", "GET /c/... HTTP/1.1"),
        ("..", None),
        (".", None),
        ("../../admin", None),
        ("x\\..\\y", None),
        ("", None),
        (" ", None),
        ("a\r\nx-admin: 1", None),
        ("a\u0000", None),
        ("\u202e", None),
        ("x" * 201, None),
        (None, None),
        (True, None),
        (["C-1"], None),
    ],
)
async def test_an_argument_stays_one_segment(world: World, crm: Receiver, customer: object, line: str | None) -> None:
    """Nothing in an argument leads elsewhere on the other system: it is encoded, or nobody is asked and people are."""
    await enforce(world, policy(crm))
    made = await world.propose(180, arguments={"amount_usd": 180, "customer_id": customer}, context={})
    assert [request.line for request in crm.requests] == ([] if line is None else [line])
    assert made["state"] == ("approved" if line else "pending")
    if line is None:
        assert made["looked_up"]["customer_tier"]["failed"].startswith("customer_id ")


async def test_the_servers_value_counts_and_not_the_agents(world: World, crm: Receiver) -> None:
    """The same value, or null, passes; another one is refused with its place, as a fact and as an argument."""
    await enforce(world, policy(crm))
    for said in ("enterprise", None):
        assert (await world.propose(180, context={"facts": {"customer_tier": said}}))["state"] == "approved"
    refused = await world.post_proposal(180, context={"facts": {"customer_tier": "pro"}})
    assert (refused.status_code, refused.json()["code"]) == (422, "contradictory-fact")
    assert refused.json()["errors"][0]["pointer"] == "/context/facts/customer_tier"
    arguments = {"amount_usd": 1, "customer_id": "C-1", "customer_tier": "pro"}
    refused = await world.post_proposal(1, arguments=arguments, context={})
    assert refused.json()["errors"][0]["pointer"] == "/arguments/customer_tier"
    assert "enterprise" not in refused.text


async def test_packets_tell_what_was_looked_up_from_what_was_said(world: World, crm: Receiver) -> None:
    """Two headings in words, with the host and the time; a failed lookup is told too, hostile text is only text."""
    await enforce(world, policy(crm))
    crm.answers = [answer({"customer_tier": "<!channel> *pro*"}), answer({}, "404 Not Found")]
    first = await world.propose(180, context={"facts": {"mood": "calm"}})
    shown = json.dumps((await world.packet_of(first)).blocks, ensure_ascii=False)
    assert shown.index("Facts, looked up by Foureyes") < shown.index("Facts, as the agent gives them")
    assert "<!channel> *pro* (asked 127.0.0.1, " in shown
    await world.move(seconds=2)
    second = await world.propose(180, context={})
    shown = json.dumps((await world.packet_of(second)).blocks, ensure_ascii=False)
    assert "could not be looked up: the answer was HTTP 404 (asked 127.0.0.1, " in shown
    assert "as the agent gives them" not in shown


async def test_forty_proposals_make_one_request(world: World, crm: Receiver) -> None:
    """All that come at once share an answer; one that is kept long enough is not asked for again, then it is."""
    await enforce(world, policy(crm, cache="60s"))
    made = await asyncio.gather(*(world.propose(180, context={}) for _ in range(40)))
    assert Tally(one["state"] for one in made) == {"approved": 40}
    assert len(crm.requests) == 1
    await world.move(seconds=59)
    assert (await world.propose(180, context={}))["looked_up"] == made[0]["looked_up"]
    assert len(crm.requests) == 1
    await world.move(seconds=2)
    crm.answers = [answer({"customer_tier": "pro"})]
    assert (await world.propose(180, context={}))["state"] == "pending"
    assert len(crm.requests) == 2


async def test_a_retry_is_answered_without_asking(world: World, crm: Receiver) -> None:
    """The stored answer comes at once and is the same, though the other system hangs and says otherwise by now."""
    await enforce(world, policy(crm))
    first = await world.post_proposal(180, key="once", arguments={"amount_usd": 180, "customer_id": "C"}, context={})
    crm.answers = [HANGS]
    again = await asyncio.wait_for(
        world.post_proposal(180, key="once", arguments={"amount_usd": 180, "customer_id": "C"}, context={}), 4
    )
    assert (first.status_code, again.status_code, again.json()) == (201, 200, first.json())
    assert len(crm.requests) == 1


async def test_a_paused_agent_is_told_at_once(world: World, crm: Receiver) -> None:
    """While the other system hangs a pause takes effect: 423 without waiting, and nothing is asked."""
    await enforce(world, policy(crm))
    crm.answers = [HANGS]
    under_way = asyncio.create_task(world.post_proposal(180, context={}))
    await under_way_at(world, crm)
    assert "Paused" in await world.say(SAM, "pause all it loops")
    assert (await asyncio.wait_for(world.post_proposal(180, context={}), 4)).status_code == 423
    crm.hang_up()
    assert (await under_way).status_code == 423  # it was decided after the pause had committed
    assert len(crm.requests) == 1


async def test_another_policy_in_the_meantime_decides(world: World, crm: Receiver) -> None:
    """A policy that came into force while we asked is judged by, with its own lookups and its own contract."""
    await enforce(world, policy(crm))
    crm.answers = [[answer({"customer_tier": "enterprise"})[:20], answer({"customer_tier": "enterprise"})[20:]]]
    crm.pause = 0.5
    under_way = asyncio.create_task(world.post_proposal(180, context={}))
    await under_way_at(world, crm)
    contract = "  contract: {properties: {amount_usd: {type: number, maximum: 1}}}\n"
    await enforce(world, policy(crm).replace("{customer_id}", "x").replace("  rules:", f"{contract}  rules:"))
    assert (await under_way).json()["code"] == "contract-violation"


async def test_asking_what_would_happen_asks_too(world: World, crm: Receiver) -> None:
    """An evaluation says what a proposal would come to, and stores nothing; whose tool it is not asks nobody."""
    await enforce(world, policy(crm))
    body = {"tool": TOOL, "arguments": {"amount_usd": 180, "customer_id": "C-1"}, "summary": "x"}
    assert (await world.http.post("/v1/evaluate", json=body)).json()["would_be"] == "approved"
    other = world.client((await world.add_agent("mail-bot", SAM, "mail.send")).key)
    assert (await other.post("/v1/evaluate", json=body)).json()["code"] == "tool-not-allowed"
    assert (await world.post_proposal(180, client=other)).json()["code"] == "tool-not-allowed"
    assert len(crm.requests) == 1


async def test_a_private_host_needs_a_list_of_its_own(tmp_path: Path, crm: Receiver) -> None:
    """What callbacks may reach is not open to lookups, and plain http only reaches a host that is listed itself."""
    for allow in ("", "10.0.0.0/8", "localhost"):
        folder = tmp_path / (allow.replace("/", "-") or "none")
        folder.mkdir()
        world = AskingWorld(folder)
        world.allow = allow
        async with world:
            await enforce(world, policy(crm))
            made = await world.propose(180, context={"facts": {"customer_tier": "enterprise"}})
            assert made["looked_up"]["customer_tier"]["failed"] == "the server is not set up for it"
            assert made["state"] == "pending"
    assert crm.connections == 0


async def test_without_its_token_nothing_is_asked(tmp_path: Path, crm: Receiver) -> None:
    """The server says that it is not ready, and why; a proposal asks people. With the token it is ready."""
    world = AskingWorld(tmp_path)
    world.tokens = {}
    async with world:
        ready = await world.http.get("/readyz")
        assert "lookups" not in ready.text
        await enforce(world, policy(crm))
        ready = await world.http.get("/readyz")
        assert ready.status_code == 503
        assert {"name": "lookups", "ok": False, "detail": "1 fact cannot be looked up; see `foureyes doctor`"} in (
            ready.json()["checks"]
        )
        assert (await world.propose(180, context={}))["state"] == "pending"
        assert crm.connections == 0
        world.tokens = AskingWorld.tokens
        await world.restart()
        assert (await world.http.get("/readyz")).status_code == 200
        assert (await world.propose(180, context={}))["state"] == "approved"


async def test_a_counter_counts_by_what_was_looked_up(world: World, crm: Receiver) -> None:
    """Apart by the server's value, also where the agent claims another; an unknown group asks people."""
    await enforce(
        world,
        policy(
            crm,
            "    - {if: 'count(24h by customer_tier) < 2', allow: true}\n    - {require_approval: support_manager}\n",
        ),
    )
    gold, lead = answer({"customer_tier": "gold"}), answer({"customer_tier": "lead"})
    crm.answers = [gold, gold, gold, lead, answer({}, "404 Not Found")]
    made = [await world.propose(180, context={}) for _ in range(4)]
    assert [one["state"] for one in made] == ["approved", "approved", "pending", "approved"]
    lost = await world.propose(180, context={"facts": {"customer_tier": "lead"}})
    assert lost["state"] == "pending"
    assert "count_24h_by_customer_tier is missing" in lost["policy"]["because"]


async def test_lookups_are_counted_and_their_token_is_never_shown(
    world: World, crm: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    """Operators see how many fail; the token, the path and the answer's other text are nowhere to be seen."""
    await enforce(world, policy(crm))
    crm.answers = [
        answer({"customer_tier": "enterprise", "note": "a-private-note"}),
        answer("a-private-error", "500 No"),
    ]
    for _ in range(2):
        made = await world.propose(180, context={})
        await world.move(seconds=2)
    await world.packet_of(made)
    metrics = (await world.http.get("/metrics")).text
    for result in ("found", "failed"):
        assert f'foureyes_lookups_total{{fact="customer_tier",result="{result}",tool="{TOOL}"}} 1.0' in metrics
    printed = capsys.readouterr()
    everything = [printed.out, printed.err, repr(world.settings), *(str(one.body) for one in world.heard)]
    with world.db() as db:
        for table in ("SELECT * FROM entries", "SELECT * FROM detached", "SELECT * FROM outbox"):
            everything += map(str, db.execute(table))
    for secret in (TOKEN, "crm-secret", "a-private-note", "a-private-error", "/c/C-1"):
        assert not any(secret in one for one in everything)
