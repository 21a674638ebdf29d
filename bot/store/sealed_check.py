"""Holds what stands beside the boxes against them and the log: where values lie, what ends, by what they are found.

It only looks. Without keys nobody can say by what an action is found again.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator

from bot.store.sealed import DIGEST

_FOUND = "SELECT key, min(seq), max(seq) FROM main.detached WHERE key IS NOT NULL GROUP BY key"
_NEWEST = "SELECT max(seq) FROM entries"
_ENDS = (None, "moved", "erased")
_REACHES = "SELECT key, first_seq, last_seq, ended FROM sealed_with"
_PROMISED = (
    "SELECT substr(at, 1, 10), sum(json_array_length(CAST(body AS TEXT), '$._sd')) FROM entries"
    " GROUP BY substr(at, 1, 10)"
)
_STAYING = (
    "SELECT substr(e.at, 1, 10), count(*) FROM main.detached d JOIN entries e ON e.seq = d.seq"
    " LEFT JOIN sealed_with s ON s.key = d.key WHERE s.ended IS NOT 'erased' GROUP BY substr(e.at, 1, 10)"
)
_ERASED = "SELECT body FROM entries WHERE type = 'values.erased'"
_DAYS = (
    "SELECT day FROM (SELECT DISTINCT substr(at, 1, 10) AS day FROM entries)"
    " WHERE marked(day, '') IS NOT NULL ORDER BY day"
)
_MARKS = (
    "SELECT m.seq, m.mark, marked(:day, d.value) FROM main.detached m JOIN entries e ON e.seq = m.seq"
    " JOIN detached d ON d.seq = m.seq AND d.name = m.name"
    " WHERE m.name = :digest AND m.key IS NOT NULL AND substr(e.at, 1, 10) = :day ORDER BY m.seq"
)
_STRAY = "SELECT seq, name FROM main.detached WHERE mark IS NOT NULL AND name <> ? ORDER BY seq, name"


def faults(connection: sqlite3.Connection) -> Iterator[str]:
    """Give a line for each thing that is not as the boxes and the log say."""
    yield from _reach_faults(connection)
    yield from _end_faults(connection)
    for (day,) in connection.execute(_DAYS).fetchall():
        for seq, mark, wanted in connection.execute(_MARKS, {"day": day, "digest": DIGEST}):
            if wanted is not None and mark != wanted:
                yield f"entry {seq}: what its action is found again by was changed"
    for seq, name in connection.execute(_STRAY, (DIGEST,)):
        yield f"entry {seq}: the value {name!r} is found again by something, and only digests are"


def _reach_faults(connection: sqlite3.Connection) -> Iterator[str]:
    """Hold where a key's values are said to lie against where they do: a sweep looks nowhere else."""
    reaches = {key: (first, last, ended) for key, first, last, ended in connection.execute(_REACHES)}
    newest = connection.execute(_NEWEST).fetchone()[0]
    for key, first, last in connection.execute(_FOUND):
        reach = reaches.pop(key, None)
        if reach is None:
            yield f"data key {key}: values are sealed with it, and nothing says where"
        elif reach[2] not in _ENDS:
            yield f"data key {key}: what is said to become of it is none of ours"
        elif reach[2] is None and not 0 <= reach[0] <= first <= last <= reach[1] <= newest:
            said = f"{reach[0]} to {reach[1]} is said"
            yield f"data key {key}: its values lie in the entries {first} to {last}, and {said}"
    for key, (_, _, ended) in sorted(reaches.items()):
        if ended is None:
            yield f"data key {key}: it is said where its values lie, and there are none"


def _end_faults(connection: sqlite3.Connection) -> Iterator[str]:
    """Hold what is gone or goes with the next sweep against what was recorded as erased: no value more, and no less."""
    staying = dict(connection.execute(_STAYING).fetchall())
    recorded: Counter[str] = Counter()
    for (body,) in connection.execute(_ERASED):
        for gone in json.loads(body)["data"]["gone"]:
            recorded[gone["day"]] += gone["count"]
    for day, promised in connection.execute(_PROMISED):
        going = promised - staying.get(day, 0)
        if going > recorded[day]:
            yield f"{day}: {going} values are gone or about to go, and the erasure of {recorded[day]} was recorded"
        elif going < recorded[day]:
            yield f"{day}: the erasure of {recorded[day]} values was recorded, and {going} are gone or about to go"
