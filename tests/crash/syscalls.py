"""Reads what strace wrote down of a server: which answers left before the commit that they speak of was on disk.

It only reads text; it knows nothing of the product but how the database and an HTTP answer look in a system call.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

TRACED = "trace=pwrite64,pwritev,write,writev,sendto,sendmsg,fsync,fdatasync"
_CALL = re.compile(r"(\d+) +(?:(\w+)\((.*)|<\.\.\. (\w+) resumed>(.*))")
_UNFINISHED = "<unfinished ...>"
_PROPOSAL = re.compile(r"prop_[0-9a-z]{26}")
_SYNCS = ("fsync", "fdatasync")
_WRITES = ("pwrite64", "pwritev", "write", "writev")


@dataclass(frozen=True, slots=True)
class Call:
    """One system call: its name, its arguments as text, and the lines of the trace where it began and ended."""

    name: str
    text: str
    begun: int
    ended: int


def calls_in(trace: Iterable[str]) -> Iterator[Call]:
    """Put the calls together, in the order in which they ended; one that was interrupted in the log is one call."""
    open_calls: dict[str, tuple[str, str, int]] = {}
    for number, line in enumerate(trace):
        match = _CALL.match(line)
        if match is None:
            continue
        thread, name, rest, resumed, end = match.groups()
        if resumed:
            name, rest, begun = open_calls.pop(thread, (resumed, "", number))
            yield Call(name, rest + end, begun, number)
        elif rest.rstrip().endswith(_UNFINISHED):
            open_calls[thread] = (name, rest, number)
        else:
            yield Call(name, rest, number, number)


def too_early(trace: Iterable[str], told: "re.Pattern[str]") -> tuple[int, list[str]]:
    """Find the answers that left before their commit was synced.

    An answer is what goes to a socket and matches `told`, whose group 1 is text that its commit wrote into the WAL.
    Gives how many answers were judged, and what is wrong.
    """
    calls = list(calls_in(trace))
    judged, wrong = 0, []
    for answer in calls:
        if "socket:" not in answer.text.partition(",")[0] and "TCP" not in answer.text.partition(",")[0]:
            continue
        match = told.search(answer.text)
        if match is None:
            continue
        judged += 1
        written = next((call for call in calls if _writes(call, match[1])), None)
        if written is None or not any(_syncs_between(call, written, answer) for call in calls):
            wrong.append(f"line {answer.begun}: {match[1]} was answered before its commit was on disk")
    return judged, wrong


def _writes(call: Call, text: str) -> bool:
    return call.name in _WRITES and "-wal>" in call.text.partition(",")[0] and text in call.text


def _syncs_between(call: Call, written: Call, answer: Call) -> bool:
    return (
        call.name in _SYNCS
        and "-wal>" in call.text
        and written.ended <= call.begun
        and call.ended < answer.begun
    )
