"""Reads what strace wrote down of a server: which answers left before the commit that they speak of was on disk.

It only reads text; it knows nothing of the product but how the database and an HTTP answer look in a system call.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

TRACED = "trace=pwrite64,pwritev,write,writev,sendto,sendmsg,fsync,fdatasync"
_CALL = re.compile(r"(\d+) +(?:(\w+)\((.*)|<\.\.\. (\w+) resumed>(.*))")
_UNFINISHED = "<unfinished ...>"
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


def answers(calls: Iterable[Call], told: "re.Pattern[str]") -> list[tuple[Call, str]]:
    """Give what went to a socket and matches `told`, with the pattern's group 1 or all that matched."""
    sent = [call for call in calls if "<socket:" in call.text.partition(",")[0]]
    found = [(call, told.search(call.text)) for call in sent]
    return [(call, match[match.lastindex or 0]) for call, match in found if match]


def written(calls: Iterable[Call], what: "re.Pattern[str]") -> list[str]:
    """Give what was written into the WAL and matches `what`, each text once, in the order in which it came."""
    texts = [match[0] for call in calls if _into_wal(call) for match in what.finditer(call.text)]
    return list(dict.fromkeys(texts))


def too_early(calls: Sequence[Call], told: Iterable[tuple[Call, str]]) -> list[str]:
    """Find the answers that left before their commit was synced: each comes with text that its commit wrote."""
    wrong = []
    for answer, text in told:
        commit = next((call for call in calls if _into_wal(call) and text in call.text), None)
        if commit is None or not any(_syncs_between(call, commit, answer) for call in calls):
            wrong.append(f"line {answer.begun}: {text} was answered before its commit was on disk")
    return wrong


def _into_wal(call: Call) -> bool:
    return call.name in _WRITES and "-wal>" in call.text.partition(",")[0]


def _syncs_between(call: Call, commit: Call, answer: Call) -> bool:
    return call.name in _SYNCS and "-wal>" in call.text and commit.ended <= call.begun and call.ended < answer.begun
