"""A place to measure in: a temporary folder with policy, key, database and an agent, as `init` would leave them."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from benchmarks import processes
from benchmarks.names import CHANNEL, HANDLE, OWNER, SIGNING_SECRET, TOOL
from benchmarks.processes import FOUREYES, LOAD_CORE, SERVER_CORE, Process
from bot.agents import AddAgent, NewKey
from bot.anchoring import Anchoring
from bot.clock import SteadyClock, TimeOrderedIds, new_token, salts
from bot.keys import load, load_or_create
from bot.search.index import next_batch
from bot.search.words import marker
from bot.store import schema
from bot.store.commit import run_now
from bot.store.engine import open_reader, open_writer
from bot.store.transaction import Sources

T = TypeVar("T")
_POLICY = Path(__file__).resolve().parent.parent / "examples" / "policy" / f"{TOOL}.yml"
_ROLES = f"""\
roles:
  support_manager:
    usergroup: {HANDLE}
channels:
  default: {CHANNEL}
"""
SOURCES = Sources(SteadyClock(), TimeOrderedIds(), salts)


@dataclass(frozen=True, slots=True)
class Place:
    """Where everything lies, and the agent that proposes."""

    folder: Path
    agent: NewKey

    @property
    def database(self) -> Path:
        """The database file."""
        return self.folder / "foureyes.db"

    @property
    def env(self) -> Mapping[str, str]:
        """What every command needs."""
        return {
            "FOUREYES_DATABASE_URL": f"sqlite+aiosqlite:///{self.database}",
            "FOUREYES_POLICY": str(self.folder / "policy"),
            "FOUREYES_SIGNING_KEY_FILE": str(self.folder / "foureyes.key"),
        }

    def anchor(self) -> None:
        """Sign the newest head of the log, so that a server starts on it."""
        key = self.folder / "foureyes.key"
        Anchoring(self.database, key.with_suffix(".head"), load_or_create(key), SOURCES.clock).close()

    def index(self) -> None:
        """Take the whole log into the search index."""
        mark = marker(load(self.folder / "foureyes.key"))
        with (
            closing(open_writer(self.database, checkpoints=True)) as writer,
            closing(open_reader(self.database)) as log,
        ):
            while (batch := next_batch(log, mark)) is not None:
                run_now(writer, SOURCES, batch)


@contextmanager
def place() -> Iterator[Place]:
    """Make a place, and remove it at the end."""
    folder = Path(tempfile.mkdtemp(prefix="foureyes-bench-"))
    try:
        (folder / "policy").mkdir()
        shutil.copy(_POLICY, folder / "policy")
        (folder / "policy" / "roles.yml").write_text(_ROLES, encoding="utf-8")
        schema.upgrade(folder / "foureyes.db")
        add = AddAgent("bench-bot", OWNER, (TOOL,), (), "bench", new_token)
        with closing(open_writer(folder / "foureyes.db", checkpoints=False)) as connection:
            agent = run_now(connection, SOURCES, add)
        made = Place(folder, agent)
        made.anchor()
        yield made
    finally:
        shutil.rmtree(folder)


@dataclass(frozen=True, slots=True)
class Site:
    """A running server, and the stand-in for Slack that it talks to."""

    server: Process
    slack: Process


@contextmanager
def site(at: Place, serve: Sequence[str] = (FOUREYES, "serve")) -> Iterator[Site]:
    """Run `foureyes serve` on its own core against a Slack that takes as long as Slack takes."""
    with ExitStack() as stack:
        slack = stack.enter_context(
            processes.server([processes.PYTHON, "-m", "benchmarks.slack_stub"], ready="/ready", core=LOAD_CORE)
        )
        env = {
            **at.env,
            "SLACK_API_URL": f"http://127.0.0.1:{slack.port}/api/",
            "SLACK_BOT_TOKEN": "xoxb-bench",
            "SLACK_SIGNING_SECRET": SIGNING_SECRET,
        }
        yield Site(
            stack.enter_context(processes.server(serve, ready="/readyz", core=SERVER_CORE, env=env, cwd=at.folder)),
            slack,
        )
