"""No answer leaves the server before its commit is on disk: seen from outside, by the order of its system calls."""

import asyncio
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bot.slack_standin.workspace import JONAS, MAYA
from tests.crash.served import ServedWorld
from tests.crash.syscalls import TRACED, answers, calls_in, too_early, written

CREATED = re.compile(r"HTTP/1\.1 201 .*?(prop_[0-9a-z]{26})", re.DOTALL)
ACKNOWLEDGED = re.compile(r"HTTP/1\.1 200 OK(?=.*content-length: 0\\r)")
VOTE = re.compile(r'\\"seq\\":\d+,\\"subject\\":\\"prop_[0-9a-z]{26}\\",\\"type\\":\\"vote\.counted')
WAL = "5</w/foureyes.db-wal>"
TCP = "9<socket:[77]>"
ID = "prop_" + "0" * 26


def _strace_works() -> bool:
    strace = shutil.which("strace")
    tried = [strace, "-D", "-f", "-o", "/dev/null", sys.executable, "-c", ""] if strace else ["false"]
    return subprocess.run(tried, check=False, capture_output=True).returncode == 0  # noqa: S603 - the found one


@pytest.mark.parametrize(
    ("trace", "wrong"),
    [
        ([f'1 pwrite64({WAL}, "{ID}"', f"1 fdatasync({WAL}) = 0", f'1 sendto({TCP}, "HTTP/1.1 201 {ID}"'], 0),
        ([f'1 sendto({TCP}, "HTTP/1.1 201 {ID}"', f'1 pwrite64({WAL}, "{ID}"', f"1 fdatasync({WAL}) = 0"], 1),
        ([f'1 pwrite64({WAL}, "{ID}"', f'2 sendto({TCP}, "HTTP/1.1 201 {ID}"', f"1 fdatasync({WAL}) = 0"], 1),
        ([f"1 fdatasync({WAL}) = 0", f'1 pwrite64({WAL}, "{ID}"', f'2 write({TCP}, "HTTP/1.1 201 {ID}"'], 1),
        (
            [
                f'1 pwrite64({WAL}, "{ID}"',
                f"1 fdatasync({WAL} <unfinished ...>",
                f'2 sendto({TCP}, "HTTP/1.1 201 {ID}"',
                "1 <... fdatasync resumed>) = 0",
            ],
            1,
        ),
        ([f'2 sendto({TCP}, "HTTP/1.1 201 {ID}"'], 1),
    ],
)
def test_the_check_finds_a_planted_early_answer(trace: list[str], wrong: int) -> None:
    """An answer before the write, before the sync, or while the sync is under way is found; one after it is fine."""
    calls = list(calls_in(trace))
    told = answers(calls, CREATED)
    assert [ident for _, ident in told] == [ID]
    assert len(too_early(calls, told)) == wrong


@pytest.mark.skipif(not _strace_works(), reason="needs strace, and the right to trace a process")
async def test_no_answer_leaves_before_its_commit_is_on_disk(tmp_path: Path) -> None:
    """Every 201 of some raced proposals, and every acknowledged click, follows the sync of the WAL that holds it."""
    trace = tmp_path / "trace"
    strace = ("strace", "-D", "-f", "--seccomp-bpf", "-y", "-s", "20000", "-e", TRACED, "-o", str(trace))
    async with ServedWorld(tmp_path / "world", wrapped=strace) as world:
        proposals = await asyncio.gather(*(world.propose(20) for _ in range(12)))
        asked = await world.propose(180)
        packet = await world.packet_of(asked)
        for user in (MAYA, JONAS):
            assert (await world.slack.click(user, packet.channel, packet.ts, "approve")).ok
        await world.settled()
    calls = list(calls_in(trace.read_text("utf-8", errors="replace").splitlines()))
    created, acknowledged = answers(calls, CREATED), answers(calls, ACKNOWLEDGED)
    votes = written(calls, VOTE)
    assert len(created) == len(proposals) + 1
    assert len(acknowledged) == len(votes) == 2
    assert too_early(calls, created) == []
    assert too_early(calls, [(ack, vote) for (ack, _), vote in zip(acknowledged, votes, strict=True)]) == []
