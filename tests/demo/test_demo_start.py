"""`foureyes demo` itself: one address, nothing else; Ctrl-C ends it cleanly; the script says how it went."""

import asyncio
import io
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog

from bot.demo import cases, run, start
from bot.demo.stage import Stage, staged
from bot.demo.terminal import Terminal
from tests.architecture.source_tree import ROOT

COMMAND = [sys.executable, "-c", "import sys; from bot.demo import run; sys.exit(run({port}, {script}))"]


def command(*, port: int | None = None, script: bool = False) -> list[str]:
    """The command line that starts the demo in a process of its own."""
    return [part.format(port=port, script=script) for part in COMMAND]


def surroundings(folder: Path) -> dict[str, str]:
    """An environment whose temporary folder is ours to look into."""
    return {**os.environ, "TMPDIR": str(folder), "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def test_the_script_plays_everything(capsys: pytest.CaptureFixture[str]) -> None:
    """In this process: thirteen steps, no cross, exit 0; logging is as it was before."""
    before = structlog.get_config(), logging.getLogger().handlers[:]
    assert run(None, script=True) == 0
    said = capsys.readouterr().out
    assert "✗" not in said
    assert "\x1b" not in said
    assert [line[:2] for line in said.splitlines() if line[:2].strip().isdigit()] == [f"{n:>2}" for n in range(1, 14)]
    for promise in (
        "already-claimed",
        "you own the agent",
        "423 paused",
        "second person",
        "found. Entry",
        "Maya starts it herself",
        "you proposed this",
    ):
        assert promise in said
    assert (structlog.get_config(), logging.getLogger().handlers[:]) == before


def test_the_script_in_a_process_of_its_own(tmp_path: Path) -> None:
    """Exit 0, plain text in a pipe, and nothing left in the temporary folder."""
    done = subprocess.run(  # noqa: S603 - our own program
        command(script=True), env=surroundings(tmp_path), capture_output=True, text=True, timeout=50, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "Everything went as it must." in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_result_is_said_and_fails(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a step has another result, the line says which, and the exit code is 1."""
    small, large, *rest = cases.load()
    swapped = (replace(small, body=large.body), large, *rest)
    monkeypatch.setattr(cases, "load", lambda: swapped)
    assert run(None, script=True) == 1
    said = capsys.readouterr().out
    assert "✗ policy allows it, nobody is asked" in said
    assert "step 1: expected “policy allows it, nobody is asked”, got “201 pending”" in said


def test_the_page_until_ctrl_c(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """One address is printed; it answers; a signal ends everything with exit 0."""
    seen: dict[str, Any] = {}

    @asynccontextmanager
    async def watched(folder: Path, port: int, **more: Any) -> AsyncIterator[Stage]:  # noqa: ANN401 - passed on
        async with staged(folder, port, **more) as stage:
            seen["folder"] = folder
            seen["task"] = asyncio.create_task(look(stage))
            yield stage

    async def look(stage: Stage) -> None:
        async with httpx.AsyncClient(base_url=stage.slack.url) as client:
            seen["page"] = (await client.get("/")).status_code
            seen["state"] = (await client.get("/demo/state")).status_code
        seen["url"] = stage.slack.url
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(start, "staged", watched)
    assert run(0, script=False) == 0
    assert (seen["page"], seen["state"]) == (200, 200)
    said = capsys.readouterr().out
    assert said.count("http") == 1
    assert f"{seen['url']}/" in said
    assert not seen["folder"].exists()


def test_ctrl_c_in_a_process_of_its_own(tmp_path: Path) -> None:
    """An open page does not hold the demo open; exit 0, no traceback, no folder left."""
    demo = subprocess.Popen(  # noqa: S603 - our own program
        command(port=0), env=surroundings(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    with demo:
        assert demo.stdout is not None
        url = demo.stdout.readline().split()[-1]
        assert url.startswith("http://127.0.0.1:")
        with httpx.stream("GET", f"{url}demo/events") as stream:
            assert stream.status_code == 200
            demo.send_signal(signal.SIGINT)
            rest, _ = demo.communicate(timeout=20)
    assert demo.returncode == 0
    assert "Traceback" not in rest
    assert rest.rstrip().endswith("nothing is left behind.")
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_before_the_page_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever changes their mind at once gets no traceback either."""

    async def interrupted(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(start, "page", interrupted)
    assert run(None, script=False) == 0


def test_a_taken_port(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that was asked for and is taken is said; the default one is silently replaced by a free one."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run(port, script=False) == 1
        assert f"127.0.0.1:{port} is taken" in capsys.readouterr().out
        wanted: list[int] = []

        def refused(_folder: Path, asked: int, **_: object) -> None:
            wanted.append(asked)
            raise KeyboardInterrupt

        monkeypatch.setattr(start, "PORT", port)
        monkeypatch.setattr(start, "staged", refused)
        assert run(None, script=False) == 0
    assert wanted == [0]


def test_colours_only_where_somebody_sees_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal gets colours, NO_COLOR and a pipe do not."""

    class Screen(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    for out, quiet, coloured in ((Screen(), "", True), (Screen(), "1", False), (io.StringIO(), "", False)):
        monkeypatch.setenv("NO_COLOR", quiet)
        terminal = Terminal(out)
        terminal.title("title")
        terminal.mark("good", ok=True)
        terminal.mark("bad", ok=False)
        assert ("\x1b" in out.getvalue()) is coloured
        assert "✓ good" in out.getvalue().replace("\x1b[32m", "").replace("\x1b[0m", "")
