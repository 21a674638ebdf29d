"""Starts what is measured as a process of its own, pins it to a core, and reads what it used. Linux only."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final

CORES: Final = sorted(os.sched_getaffinity(0))
SERVER_CORE: Final = CORES[0]
"""Where the server runs; on a machine with one core, so does everything else, and the figures mean little."""
LOAD_CORE: Final = CORES[-1]
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_START_SECONDS: Final = 60
_STOP_SECONDS: Final = 20
_AFTER_NAME: Final = 11
"""utime is the 14th field of /proc/PID/stat; the second, the name, may hold anything, so we count from its end."""
PYTHON: Final = sys.executable
FOUREYES: Final = str(Path(sys.executable).with_name("foureyes"))


@dataclass(frozen=True, slots=True)
class Process:
    """A server that was started. `ready_after` is how many seconds it took until it answered."""

    pid: int
    port: int
    ready_after: float

    def cpu_seconds(self) -> float:
        """Processor time of all its threads so far, to 10 ms."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[_AFTER_NAME]) + int(fields[_AFTER_NAME + 1])) / _TICKS

    def resident_mb(self) -> float:
        """Memory that it holds now, in MB."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8")
        kilobytes = next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]
        return int(kilobytes) / 1024


@contextmanager
def server(
    arguments: Sequence[str], *, ready: str, core: int, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Iterator[Process]:
    """Run a server with `--port PORT` until the block ends; raises RuntimeError where `ready` never answers 200."""
    port = free_port()
    begun = time.perf_counter()
    running = subprocess.Popen([*arguments, "--port", str(port)], env={**os.environ, **(env or {})}, cwd=cwd)
    try:
        os.sched_setaffinity(running.pid, {core})
        _wait(running, port, ready)
        yield Process(running.pid, port, time.perf_counter() - begun)
    finally:
        running.send_signal(signal.SIGINT)
        try:
            running.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


def free_port() -> int:
    """Find a port that nobody listens on now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def get(port: int, path: str) -> int:
    """Ask once and give the status; raises OSError where nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


def _wait(running: "subprocess.Popen[bytes]", port: int, path: str) -> None:
    until = time.perf_counter() + _START_SECONDS
    while time.perf_counter() < until and running.poll() is None:
        try:
            if get(port, path) == 200:
                return
        except OSError:
            pass
        time.sleep(0.01)
    raise RuntimeError(f"{running.args!r} did not become ready at {path}")


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that ran to its end: seconds on the clock, and of the processor."""

    wall: float
    cpu: float


def run(arguments: Sequence[str], *, env: Mapping[str, str], cwd: Path) -> Ran:
    """Run a command; raises RuntimeError, with what it said, where it does not exit with 0."""
    begun = time.perf_counter()
    with (
        TemporaryFile() as said,
        subprocess.Popen(
            arguments, env={**os.environ, **env}, cwd=cwd, stdout=subprocess.DEVNULL, stderr=said
        ) as running,
    ):
        _, status, used = os.wait4(running.pid, 0)
        wall = time.perf_counter() - begun
        running.returncode = os.waitstatus_to_exitcode(status)
        if running.returncode:
            said.seek(0)
            raise RuntimeError(f"{arguments!r} ended with {running.returncode}: {said.read().decode(errors='replace')}")
    return Ran(wall, used.ru_utime + used.ru_stime)
