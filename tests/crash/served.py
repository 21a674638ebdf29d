"""The world of the tests with a server of its own: a real `foureyes serve` process that is killed and started again.

The local Slack and every client stay in the test's process and see what Slack and agents see of a crash: connections
that break, and nothing else.
"""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

from bot.agents import AddAgent, NewKey
from bot.clock import SteadyClock, TimeOrderedIds, new_token, salts
from bot.slack_standin.conversations import Message
from bot.slack_standin.workspace import BOT_USER, Channel
from bot.store.commit import run_now
from bot.store.engine import open_writer
from bot.store.transaction import Sources
from tests.planted.planting import planted_here
from tests.world import BOT_TOKEN, EXAMPLES, SIGNING_SECRET, TOOL, World

FOUREYES = [str(Path(sys.executable).with_name("foureyes"))]
WITH_A_BUG = [sys.executable, "-m", "tests.planted.serve"]
ROOT = Path(__file__).parents[2]
START_S = 90.0


class ServedWorld(World):
    """A world whose server is another process. Several tools, each with its own channel: Slack takes one post a second.

    `wrapped` is a command that runs the server, as strace does.
    """

    def __init__(self, folder: Path, *, channels: int = 6, wrapped: Sequence[str] = ()) -> None:
        super().__init__(folder)
        self.wrapped = wrapped
        self.tools = {f"{TOOL}_{number}": f"C0LOAD{number:05}" for number in range(channels)}
        self.process: Process | None = None
        self._port = 0
        self._said: asyncio.Task[None] | None = None
        policy = (EXAMPLES / f"{TOOL}.yml").read_text("utf-8")
        for tool, channel in self.tools.items():
            (self.policy / f"{tool}.yml").write_text(policy.replace(TOOL, tool), encoding="utf-8")
            self.workspace.channels[channel] = Channel(channel, f"load-{channel}".lower(), {*self._members(), BOT_USER})
        roles = json.loads((self.policy / "roles.yml").read_text("utf-8"))
        roles["channels"] |= self.tools
        (self.policy / "roles.yml").write_text(json.dumps(roles), encoding="utf-8")

    def _members(self) -> set[str]:
        return set(self.workspace.users)

    async def start(self) -> None:
        """Start `foureyes serve` and wait until it says that it is ready."""
        foureyes = WITH_A_BUG if planted_here() else FOUREYES
        command = [*self.wrapped, *foureyes, "serve", "--port", str(self._port)]
        env = {name: value for name, value in os.environ.items() if not name.startswith(("FOUREYES_", "SLACK_"))}
        env |= {
            "FOUREYES_DATABASE_URL": f"sqlite+aiosqlite:///{self.database}",
            "FOUREYES_POLICY": str(self.policy),
            "FOUREYES_CALLBACK_ALLOW": self.callback_allow,
            "FOUREYES_SIGNING_KEY_FILE": str(self.settings.signing_key_file),
            "PYTHONPATH": str(ROOT),
            "SLACK_API_URL": self.slack.api_url,
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_SIGNING_SECRET": SIGNING_SECRET,
        }
        self.process = await asyncio.create_subprocess_exec(*command, cwd=self.folder, env=env, stderr=PIPE)
        async with asyncio.timeout(START_S):
            await self._ready(self.process)
        self._said = asyncio.create_task(_read_on(self.process))

    async def _ready(self, process: Process) -> None:
        assert process.stderr is not None
        said = b""
        async for line in process.stderr:
            said += line
            if b'"ready"' in line:
                self.url = json.loads(line)["url"]
                self._port = urlsplit(self.url).port or 0
                self.slack.request_url = f"{self.url}/slack/events"
                return
        raise AssertionError(f"the server did not start: {said.decode()[-3000:]}")

    async def kill(self) -> None:
        """Kill -9."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """Stop the server and close every client."""
        if self.process is not None:
            await self._end(signal.SIGTERM)
        await super().stop()

    async def _end(self, how: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(how)
        await self.process.wait()
        self.process = None
        if self._said is not None:
            await self._said

    async def go_on_in_here(self) -> None:
        """Start the same files in this process, where time can be moved: what is left to tell is told at once."""
        await World.stop(self)  # the clients of the process that is gone
        await World.start(self)

    async def add_agent(self, name: str, owner: str, *tools: str, callback_hosts: tuple[str, ...] = ()) -> NewKey:
        """Register an agent beside the running server, as `foureyes agent add` does."""
        unit = AddAgent(name, owner, (*tools, *self.tools), callback_hosts or ("127.0.0.1",), "root", new_token)
        with closing(open_writer(self.database, checkpoints=False)) as connection:
            return run_now(connection, Sources(SteadyClock(), TimeOrderedIds(), salts), unit)

    def load_messages(self) -> list[Message]:
        """List what the app posted in the channels of the load, replies left out."""
        return [
            message
            for channel in self.tools.values()
            for message in self.slack.messages(channel)
            if message.app_id and message.thread_ts in (None, message.ts)
        ]


async def _read_on(process: Process) -> None:
    """Empty the log's pipe, which would stop the server when it is full."""
    assert process.stderr is not None
    while await process.stderr.read(65536):
        pass
