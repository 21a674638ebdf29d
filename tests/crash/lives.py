"""Gives an engine one life after the other, ends each by kill -9, and holds its files against what it had answered."""

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import Any, Self

from approval_rules.events import Cancelled, Claimed, OutcomeReported, Paused, Voted, VoteRefused
from bot.store.engine import open_reader
from tests.crash.deeds import Answer, Deed, dice, retried
from tests.crash.engine import Place, lay_out
from tests.crash.file_slack import lines_of, messages_in
from tests.crash.laws import broken_promises, shown
from tests.ledger import Ledger

ROOT = Path(__file__).parents[2]
POINTS = ("before-commit", "after-commit", "after-send")
PATIENCE_S = 30.0


class ForkServer:
    """The process that forks engines, and the pipe to it."""

    def __init__(self, *before: str) -> None:
        """Start it; `before` are modules that it loads first, to plant a bug."""
        self._command = [sys.executable, "-m", *(before or ("tests.crash.fork_server",))]
        self._rest = b""
        self._said = TemporaryFile()  # noqa: SIM115 - closed at the exit; a pipe that nobody reads would fill up and block

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter
            self._command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()
        self._said.close()

    def order(self, order: dict[str, Any]) -> None:
        """Ask for a life."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()

    def next(self, within: float = PATIENCE_S) -> dict[str, Any] | None:
        """Give the next report; None where none comes in time."""
        assert self._process.stdout is not None
        until = time.monotonic() + within
        while b"\n" not in self._rest:
            ready, _, _ = select.select([self._process.stdout], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                return None
            piece = os.read(self._process.stdout.fileno(), 65536)
            assert piece, f"the fork server died: {self.complain()}"
            self._rest += piece
        line, _, self._rest = self._rest.partition(b"\n")
        found: dict[str, Any] = json.loads(line)
        return found

    def complain(self) -> str:
        """Stop, and give what was said on standard error."""
        self._process.kill()
        self._process.wait()
        self._said.seek(0)
        return self._said.read().decode()[-3000:]


@dataclass(frozen=True, slots=True)
class Death:
    """When a life ends: at a named point, or some time after so many reports."""

    point: str
    nth: int
    linger: float
    reports: int
    delay: float


def death(seed: int) -> Death:
    """Choose an end: every second at a random moment, the others at the named points."""
    chance = dice(seed)
    if chance.random() < 0.5:
        return Death("never", 0, 0.0, chance.randrange(1, 60), chance.choice([0.0, 0.0, 0.0005, 0.002, 0.005]))
    point = chance.choice(POINTS)
    return Death(point, chance.randrange(1, 6 if point == "after-send" else 20), chance.choice([0.0, 0.004]), 10_000, 0)


@dataclass(slots=True)
class Witness:
    """One engine's files over many lives, and everything that it ever answered."""

    place: Place
    asked: dict[str, Deed] = field(default_factory=dict)
    answers: list[tuple[Deed, Answer]] = field(default_factory=list)
    open: list[Deed] = field(default_factory=list)
    hashes: list[bytes] = field(default_factory=list)
    ahead: float = 0.0
    deaths: dict[str, int] = field(default_factory=dict)

    def live(self, server: ForkServer, seed: int, *, drain: bool = False) -> None:
        """Let the engine live once, kill it, and keep what it said."""
        end = death(seed) if not drain else Death("never", 0, 0.0, 100_000, 0.0)
        self.ahead += dice(seed).choice([2, 5, 30])
        again = retried(self.open)
        self.open = []
        server.order(
            {
                "folder": str(self.place.folder),
                "seed": seed,
                "ahead": self.ahead,
                "again": again,
                "point": end.point,
                "nth": end.nth,
                "linger": end.linger,
                "drain": drain,
            }
        )
        status = self._until_dead(server, end)
        assert os.WIFSIGNALED(status), f"the engine broke: {server.complain()}"
        assert os.WTERMSIG(status) == signal.SIGKILL
        if drain:
            self.ahead += 400 * 600

    def _until_dead(self, server: ForkServer, end: Death) -> int:
        pid, reports, killed, idle = 0, 0, False, False
        while (report := server.next()) is not None:
            pid = report.get("pid", pid)
            reports += 1
            self._keep(report)
            if "ended" in report:
                name = end.point if not killed else "idle" if idle else "any moment"
                self.deaths[name] = self.deaths.get(name, 0) + 1
                return int(report["ended"])
            idle = idle or "idle" in report
            if pid and not killed and (reports >= end.reports or idle):
                time.sleep(end.delay)
                os.kill(pid, signal.SIGKILL)
                killed = True
        raise AssertionError(f"the engine hangs: {server.complain()}")

    def _keep(self, report: dict[str, Any]) -> None:
        if "asked" in report:
            self.asked[report["asked"]["name"]] = report["asked"]
            self.open.append(report["asked"])
        if "answered" in report:
            deed = self.asked[report["answered"]]
            self.open.remove(deed)
            self.answers.append((deed, report["answer"]))

    def check(self) -> Ledger:
        """Open the file and hold it against every promise and every answer; the log has only grown."""
        with closing(open_reader(self.place.database)) as db:
            ledger = Ledger.read(db)
            assert ledger.faults(db, self.place.settings) == []
        hashes = [item.leaf_hash for item in ledger.recorded]
        assert hashes[: len(self.hashes)] == self.hashes, "an entry that was there before is gone or another one"
        self.hashes = hashes
        assert broken_promises(ledger) == []
        assert unkept(self.answers, ledger) == []
        return ledger

    def check_the_world(self) -> None:
        """After everything has been told: one packet per proposal, showing what is true, and each decision told."""
        ledger = self.check()
        messages = [message for message in messages_in(self.place.slack) if message.proposal]
        assert sorted(message.proposal or "" for message in messages) == sorted(shown(ledger)), "I1: one packet each"
        for message in messages:
            packet = ledger.proposals[message.proposal or ""].packet
            assert packet is not None
            assert (packet.ts, packet.shown) == (message.ts, message.shown), "the packet shows the recorded blocks"
        assert {row["state"] for row in ledger.outbox} <= {"done"}
        told: dict[str, set[str]] = {}
        for line in lines_of(self.place.hook):
            told.setdefault(line["id"], set()).add(line["body"])
        assert all(len(bodies) == 1 for bodies in told.values()), "I6: one id, one body"
        wanted = {row["id"]: row["subject"] for row in ledger.outbox if row["kind"] == "callback"}
        assert set(told) == {f"msg_{ident}_{subject}" for ident, subject in wanted.items()}, "I6: each decision is told"


def unkept(answers: list[tuple[Deed, Answer]], ledger: Ledger) -> list[str]:
    """Name every answer that the log does not back."""
    votes = {(ledger.accounts[str(event.voter)], event.proposal) for event in ledger.events(Voted)}
    refused = {(ledger.accounts[event.by.ref], event.proposal, event.code) for event in ledger.events(VoteRefused)}
    claimed = {event.proposal for event in ledger.events(Claimed)}
    reported = {event.proposal for event in ledger.events(OutcomeReported)}
    cancelled = {event.proposal for event in ledger.events(Cancelled)}
    grants: dict[str, str] = {}
    pauses = 0
    broken = []
    for deed, answer in answers:
        target = deed.get("target") or answer.get("accepted")
        grant = answer.get("grant")
        kept = True
        match deed["do"]:
            case "submit" if "accepted" in answer:
                kept = ledger.proposal_by_key(deed["name"]) == target and target in ledger.proposals
            case "vote" if answer["judged"] is None:
                kept = (deed["user"], target) in votes
            case "vote":
                kept = (deed["user"], target, answer["judged"]) in refused
            case "report" if "state" in answer:
                kept = target in reported
            case "cancel" if "state" in answer:
                kept = target in cancelled
            case "pause":
                pauses += bool(answer["paused"])
        if grant is not None:
            kept = kept and target in claimed and grants.setdefault(str(target), grant) == grant
        if not kept:
            broken.append(f"answered {answer} to {deed}, and the log knows nothing of it")
    if pauses > len(ledger.events(Paused)):
        broken.append(f"{pauses} pauses were confirmed, {len(ledger.events(Paused))} are in the log")
    return broken


def many_lives(server: ForkServer, folder: Path, seeds: range, lives_each: int) -> dict[str, int]:
    """Kill so many engines, several lives to a file; gives how many died where."""
    deaths: dict[str, int] = {}
    for first in range(seeds.start, seeds.stop, lives_each):
        witness = Witness(lay_out(folder / str(first)))
        for seed in range(first, min(first + lives_each, seeds.stop)):
            witness.live(server, seed)
            witness.check()
        witness.live(server, -1, drain=True)
        witness.check_the_world()
        shutil.rmtree(witness.place.folder)
        for name, times in witness.deaths.items():
            deaths[name] = deaths.get(name, 0) + times
    return deaths
