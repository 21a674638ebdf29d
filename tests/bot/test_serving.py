"""`foureyes serve`: as a real process beside a local Slack; and every reason to refuse a start."""

import asyncio
import gc
import json
import logging
import os
import re
import shutil
import signal
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import structlog
from starlette.responses import PlainTextResponse

from bot import serving
from bot.audit.anchor import read as read_anchor
from bot.keys import load as load_key
from bot.serving import CannotListenError, listening
from bot.slack_standin.server import SlackStandin
from bot.slack_standin.workspace import JONAS, MAYA, REFUND_APPROVALS, demo_workspace
from bot.store.engine import lock_server
from tests.bot.cli.shell import FOUREYES, Ended, Shell, environment
from tests.world import EXAMPLES, empty_database

TOKEN = "xoxb-serving-1"
WAIT_S = 60
ADD = ("agent", "add", "refund-bot", "--owner", "U0SAM", "--tool", "payments.refund", "--json")


@dataclass
class Place:
    """A folder where a server could start, and its Slack."""

    shell: Shell
    slack: SlackStandin

    @asynccontextmanager
    async def serve(self, *arguments: str) -> AsyncIterator["Server"]:
        """Run the server as a process until the block ends."""
        process = await asyncio.create_subprocess_exec(
            FOUREYES,
            "serve",
            *(arguments or ("--port", "0")),
            cwd=self.shell.folder,
            env=environment({}),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        server = Server(process)
        try:
            await server.until_ready()
            yield server
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def refused(self, *arguments: str) -> str:
        """Start in this process; give the sentence of the refusal, which is exit code 3 and no traceback."""
        ended: Ended = await self.shell.beside("serve", *(arguments or ("--port", "0")))
        assert (ended.code, ended.out) == (3, "")
        assert "Traceback" not in ended.err
        assert TOKEN not in ended.err
        return ended.err


@dataclass
class Server:
    """A server process and what it said."""

    process: asyncio.subprocess.Process
    lines: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    async def until_ready(self) -> None:
        """Read the log, JSON line by JSON line, until it says where the server listens."""
        assert self.process.stderr is not None
        while not self.url:
            line = await asyncio.wait_for(self.process.stderr.readline(), WAIT_S)
            assert line, f"the server ended with {await self.process.wait()} after {self.lines}"
            self.lines.append(json.loads(line))
            if self.lines[-1]["event"] == "ready":
                self.url = self.lines[-1]["url"]

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal, wait for the end, and give the exit code."""
        self.process.send_signal(number)
        out, err = await asyncio.wait_for(self.process.communicate(), WAIT_S)
        assert out == b""
        self.lines += [json.loads(line) for line in err.splitlines()]
        assert self.process.returncode is not None
        return self.process.returncode


@pytest.fixture
async def place(shell: Shell) -> AsyncIterator[Place]:
    """Everything that a start needs."""
    shutil.copytree(EXAMPLES, shell.folder / "policy")
    (shell.folder / "policy" / "roles.yml").write_text(
        f"roles: {{support_manager: {{users: [{MAYA}, {JONAS}]}}}}\nchannels: {{default: {REFUND_APPROVALS}}}\n",
        "utf-8",
    )
    (shell.folder / "foureyes.db").write_bytes(empty_database())
    async with SlackStandin(demo_workspace(), signing_secret="s", bot_token=TOKEN) as slack:
        shell.set(SLACK_BOT_TOKEN=TOKEN, SLACK_SIGNING_SECRET="s", SLACK_API_URL=slack.api_url)
        yield Place(shell, slack)


@pytest.fixture(autouse=True)
def _same_process_afterwards() -> Iterator[None]:
    """Leave the process's logging and its garbage collector as they were."""
    level, handlers = logging.getLogger().level, list(logging.getLogger().handlers)
    threshold = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*threshold)
    logging.getLogger("slack_bolt").setLevel(logging.NOTSET)
    logging.getLogger().setLevel(level)
    logging.getLogger().handlers[:] = handlers
    structlog.reset_defaults()


async def test_the_life_of_a_server(place: Place) -> None:
    """Ready, one of its kind, obeying what other processes write to the database at once, and ending whole."""
    keys = {name: (await place.shell.beside("agent", "add", name, *ADD[3:])).json()["key"] for name in ("a", "b")}
    async with place.serve() as server, httpx.AsyncClient(base_url=server.url, trust_env=False, timeout=30) as http:
        # "ready" is true when it is read: the first request after it is answered.
        ready = await http.get("/readyz")
        assert (ready.status_code, (await http.get("/healthz")).status_code) == (200, 200)
        assert re.fullmatch(r"http://127\.0\.0\.1:[0-9]+", server.url)
        assert server.lines[-1]["policy"].startswith("sha256:")

        second = await place.refused()
        assert f"another foureyes server (process {server.process.pid}) runs on foureyes.db; stop it, or give" in second

        body = {"tool": "payments.refund", "arguments": {"amount_usd": 5}, "summary": "x"}
        body["context"] = {"facts": {"customer_tier": "pro"}}
        approved = {name: await propose(http, key, body) for name, key in keys.items()}
        await asyncio.to_thread(place.shell.process, "pause", "looks odd")
        returned = time.monotonic()
        status, code = await claim(http, keys["a"], approved["a"])
        assert (status, code) == (423, "paused")
        assert time.monotonic() - returned < 0.1 * LOADED
        assert (await http.post("/v1/proposals", headers=bearer(keys["a"]), json=body)).status_code == 423

        assert (await place.shell.beside("agent", "revoke", "b")).code == 0
        returned = time.monotonic()
        assert (await http.get("/v1/agent", headers=bearer(keys["b"]))).status_code in {401, 403}
        assert time.monotonic() - returned < 0.1 * LOADED

        waiting = asyncio.create_task(http.get("/v1/proposals", headers=bearer(keys["a"])))
        await waiting
        began = time.monotonic()
        assert await server.stop() == 0
        assert time.monotonic() - began < 5 * LOADED
    assert server.lines[-1]["event"] == "stopped"
    assert not any(secret in json.dumps(server.lines) for secret in (TOKEN, *keys.values()))
    key = load_key(place.shell.folder / "foureyes.key")
    anchor = read_anchor(place.shell.folder / "foureyes.head", [key.public_bytes()])
    (size,) = place.shell.rows("SELECT count(*) FROM entries")[0]
    assert anchor is not None
    assert anchor.size == size
    assert (await place.shell.beside("audit", "verify")).code == 0


# The suite shares its cores with others; the figures hold on an idle machine.
LOADED = max(1.0, 2 * os.getloadavg()[0] / (os.cpu_count() or 1))


def bearer(key: str, idempotency: str = "k") -> dict[str, str]:
    """The headers of an agent."""
    return {"Authorization": f"Bearer {key}", "Idempotency-Key": idempotency}


async def propose(http: httpx.AsyncClient, key: str, body: dict[str, Any]) -> dict[str, Any]:
    """Propose something green."""
    answer = await http.post("/v1/proposals", headers=bearer(key, f"key-{key[-4:]}"), json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    assert found["state"] == "approved"
    return found


async def claim(http: httpx.AsyncClient, key: str, proposal: dict[str, Any]) -> tuple[int, str]:
    """Ask for the permission; status and code."""
    path, body = f"/v1/proposals/{proposal['id']}/claim", {"digest": proposal["digest"]}
    answer = await http.post(path, headers=bearer(key), json=body)
    return answer.status_code, answer.json().get("code", "")


async def test_a_good_start_says_ready_and_nothing_else(place: Place) -> None:
    """With the token in the environment, too: Bolt's warning that ours is the authorisation is no news."""
    async with place.serve() as server:
        assert await server.stop() == 0
    assert [line["event"] for line in server.lines] == ["policy_in_force", "ready", "stopped"]


async def test_a_key_pressed_in_the_terminal_ends_it_too(place: Place) -> None:
    """Ctrl-C during a long poll: the poll is cut short, the exit code is 0, there is no traceback."""
    key = (await place.shell.beside(*ADD)).json()["key"]
    async with place.serve() as server, httpx.AsyncClient(base_url=server.url, trust_env=False, timeout=90) as http:
        body = {"tool": "payments.refund", "arguments": {"amount_usd": 180}, "summary": "x"}
        answer = await http.post("/v1/proposals", headers=bearer(key), json=body)
        assert answer.json()["state"] == "pending"
        path = f"/v1/proposals/{answer.json()['id']}"
        poll = asyncio.create_task(http.get(path, params={"wait": 60}, headers=bearer(key)))
        await asyncio.sleep(0.2)
        assert await server.stop(signal.SIGINT) == 0
        await asyncio.wait([poll])
        poll.exception()
    assert server.lines[-1]["event"] == "stopped"


async def test_it_runs_in_this_process_as_well(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The parts of `serve` in this process: ready, answering, ended by SIGTERM, the handlers as before."""
    monkeypatch.chdir(place.shell.folder)
    serving.configure_logs()
    handlers = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    with listening("127.0.0.1", 0) as bound:
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        task = asyncio.create_task(serving._serve(bound))
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=30) as http:
            while signal.getsignal(signal.SIGTERM) == handlers[0]:  # noqa: ASYNC110 - uvicorn says nothing
                await asyncio.sleep(0.01)
            assert (await http.get("/readyz")).status_code == 200
        await asyncio.sleep(0.05)  # uvicorn's own handler stands over ours
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(task, WAIT_S)
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == handlers


async def test_whoever_reads_ready_may_stop_it_at_once(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal before uvicorn listens for one is no sudden death: the server puts everything away."""
    monkeypatch.chdir(place.shell.folder)
    serving.configure_logs()
    serve = serving.WebServer.serve

    async def killed(self: serving.WebServer, sockets: list[socket.socket] | None = None) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        await serve(self, sockets)

    monkeypatch.setattr(serving.WebServer, "serve", killed)
    with listening("127.0.0.1", 0) as bound:
        await asyncio.wait_for(serving._serve(bound), WAIT_S)


async def test_no_policy_no_start(place: Place) -> None:
    """A missing folder and a broken file are refused with file, line and column, and what to do."""
    (place.shell.folder / "policy" / "mail.yml").write_text("policy:\n  tool: mail\n  rules: [{alow: 1}]\n", "utf-8")
    told = await place.refused()
    assert re.search(r"^foureyes: policy/mail\.yml:3:1[12]: ", told)
    assert "did you mean 'allow'?" in told
    shutil.rmtree(place.shell.folder / "policy")
    assert "'foureyes init' makes a folder, FOUREYES_POLICY names another" in await place.refused()


async def test_no_slack_no_first_start(place: Place) -> None:
    """Missing settings, a wrong token, Socket Mode and a broken allow-list are told before anything runs."""
    place.shell.set(SLACK_BOT_TOKEN="xoxb-wrong")
    assert "Slack did not accept the bot token (invalid_auth); check SLACK_BOT_TOKEN" in await place.refused()
    place.shell.set(SLACK_BOT_TOKEN=TOKEN, FOUREYES_CALLBACK_ALLOW="10.0.0.0/99")
    assert "foureyes: FOUREYES_CALLBACK_ALLOW: " in await place.refused()
    place.shell.set(SLACK_APP_TOKEN="xapp-1")
    assert "SLACK_APP_TOKEN is set, and Socket Mode is not supported yet; unset it" in await place.refused()
    place.shell.set(SLACK_BOT_TOKEN="")
    assert "SLACK_BOT_TOKEN is not set; `foureyes init` writes a template" in await place.refused()
    place.shell.set(SLACK_BOT_TOKEN=TOKEN, SLACK_SIGNING_SECRET="")
    assert "SLACK_SIGNING_SECRET is not set" in await place.refused()


async def test_no_database_no_start(place: Place) -> None:
    """A missing one, one that is older than the anchor, and one whose anchor is gone."""
    file, head = place.shell.folder / "foureyes.db", place.shell.folder / "foureyes.head"
    await place.shell.beside("pause", "--tool", "a.b", "x")
    anchored = head.read_bytes()
    head.unlink()
    assert "foureyes.head is missing, so nobody can tell" in await place.refused()
    head.write_bytes(anchored)
    for old in place.shell.folder.glob("foureyes.db*"):
        old.unlink()
    assert "there is no database at foureyes.db; run `foureyes init` or" in await place.refused()
    file.write_bytes(empty_database())
    told = await place.refused()
    assert "the database has 0 log entries and foureyes.head has seen 1: an older copy was put back" in told


async def test_a_database_that_is_in_use(place: Place) -> None:
    """Only one server a file: who has it is named."""
    with lock_server(place.shell.folder / "foureyes.db"):
        assert f"another foureyes server (process {os.getpid()}) runs on foureyes.db" in await place.refused()


async def test_a_key_that_others_can_read(place: Place) -> None:
    """The sentence has the command that helps."""
    await place.shell.beside("pause", "--tool", "a.b", "x")
    (place.shell.folder / "foureyes.key").chmod(0o644)
    told = await place.refused()
    assert told == "foureyes: foureyes.key: others can reach the signing key; run: chmod 600 foureyes.key\n"


async def test_a_port_that_is_taken(place: Place) -> None:
    """It is said at once, before anything else was looked at."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        told = await place.refused("--port", str(port))
    assert told == (
        f"foureyes: cannot listen on 127.0.0.1 port {port}: Address already in use;"
        " pick others with --host and --port\n"
    )
    assert place.slack.calls == []
    assert "foureyes.key" not in os.listdir(place.shell.folder)  # noqa: PTH208 - quick, in an event loop


def test_libraries_log_json_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    """Every line on standard error is one JSON object; a library's information is left out, its warning is not."""
    logging.getLogger().handlers[:] = []
    serving.configure_logs()
    logging.getLogger("some.library").info("left out")
    try:
        int("why")
    except ValueError:
        logging.getLogger("some.library").exception("went %s", "wrong")
    structlog.get_logger().info("ours", number=1)
    theirs, ours = map(json.loads, capsys.readouterr().err.splitlines())
    assert (theirs["event"], theirs["level"], theirs["logger"]) == ("went wrong", "error", "some.library")
    assert "ValueError: invalid literal" in theirs["exception"]
    assert (ours["event"], ours["level"], ours["number"]) == ("ours", "info", 1)
    assert ours["timestamp"].endswith("Z")


def test_an_address_of_somebody_else() -> None:
    """A name or an address that is not this machine's is told."""
    with pytest.raises(CannotListenError, match=r"cannot listen on 192\.0\.2\.1 port 0: "):
        listening("192.0.2.1", 0)


@pytest.mark.skipif(not socket.has_ipv6, reason="needs IPv6 on this machine")
def test_ipv6_loopback() -> None:
    """An IPv6 address is bound as such."""
    try:
        bound = listening("::1", 0)
    except CannotListenError:
        pytest.skip("this machine has no ::1")
    with bound:
        assert bound.family is socket.AF_INET6


async def test_stopping_answers_whoever_waits(place: Place) -> None:
    """An agent that long-polls while the server stops gets the present state at once, not a broken answer."""
    key = (await place.shell.beside(*ADD)).json()["key"]
    body = {"tool": "payments.refund", "arguments": {"amount_usd": 180}, "summary": "x"}
    async with place.serve() as server, httpx.AsyncClient(base_url=server.url, timeout=WAIT_S) as http:
        asked = (await http.post("/v1/proposals", headers=bearer(key), json=body)).json()
        waits = asyncio.create_task(http.get(f"/v1/proposals/{asked['id']}?wait=60", headers=bearer(key)))
        await asyncio.sleep(0.5)
        stopped = asyncio.create_task(server.stop())
        answer = await waits
        assert (answer.status_code, answer.json()["state"]) == (200, "pending")
        assert await stopped == 0


async def test_a_connection_left_idle_is_kept() -> None:
    """A client that keeps an idle connection for its five seconds never finds it closed while it writes."""
    server = serving.web_server(PlainTextResponse("here"))
    with listening("127.0.0.1", 0) as bound, serving._signals_to(server.handle_exit):
        bound.listen()
        served = asyncio.create_task(server.serve([bound]))
        reader, writer = await asyncio.open_connection(*bound.getsockname()[:2])
        for idle_seconds in (5.5, 0):
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = await asyncio.wait_for(reader.readuntil(b"here"), WAIT_S)
            assert answer.startswith(b"HTTP/1.1 200 ")
            await asyncio.sleep(idle_seconds)
        writer.close()
        server.should_exit = True
        await served
