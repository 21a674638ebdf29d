"""A log of a million entries with many agents, people, amounts and words, and its search index, written in bulk.

Nothing in it verifies: it is for searching only. One life is led through the writer, and copied with other words.
"""

import itertools
import json
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from approval_rules.times import format_time
from benchmarks.place import Place
from benchmarks.proposals import fill, whole_life
from bot.keys import load
from bot.search.words import marker
from bot.store.engine import open_writer

ENTRIES_EACH: Final = 5
AGENTS, TOOLS, PEOPLE, WORDS = 20, 10, 200, 20_000
BEGIN: Final = datetime(2026, 1, 1, tzinfo=UTC)
_SAID: Final = 20
_PENDING_EACH: Final = 500
_SUMMARY: Final = "The customer was charged twice; give one of the charges back."


@dataclass(frozen=True, slots=True)
class _Life:
    """What is different in each copy."""

    number: int
    agent: int
    tool: int
    voters: tuple[int, int]
    cents: int
    said: tuple[int, ...]

    @property
    def ident(self) -> str:
        return f"prop_{self.number:026d}"

    @property
    def at(self) -> str:
        return format_time(BEGIN + timedelta(seconds=self.number))

    @property
    def pending(self) -> bool:
        return self.number % _PENDING_EACH == 0


def write(at: Place, proposals: int) -> None:
    """Write so many proposals of ENTRIES_EACH entries, and what they are found by."""
    fill(at, whole_life(at), 1)
    mark = marker(load(at.folder / "foureyes.key"))
    with closing(open_writer(at.database, checkpoints=True)) as db:
        template = _template(db)
        for (trigger,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
            db.execute(f"DROP TRIGGER {trigger}")
        db.execute("PRAGMA synchronous = OFF")
        db.execute("BEGIN")
        for table in ("main.detached", "entries", "search_rows", "search_terms", "search_words", "search_amounts"):
            db.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
        db.executemany("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?)", _entries(template, proposals))
        db.executemany(
            "INSERT INTO main.detached (seq, name, salt, value) VALUES (?, ?, '', ?)", _values(template, proposals)
        )
        db.executemany("INSERT INTO search_rows VALUES (?, ?, ?, ?)", _rows(proposals))
        db.executemany("INSERT INTO search_terms VALUES (?, ?)", sorted(_terms(proposals)))
        marks = [mark(word(number)) for number in range(WORDS)]
        said = ((marks[each], _seq(life), _seq(life), "summary") for life in _lives(proposals) for each in life.said)
        db.executemany("INSERT INTO search_words VALUES (?, ?, ?, ?)", sorted(said))
        amounts = (("usd", life.cents * 10_000, _seq(life), _seq(life)) for life in _lives(proposals))
        db.executemany("INSERT INTO search_amounts VALUES (?, ?, ?, ?)", sorted(amounts))
        db.execute("UPDATE search_place SET entries = ?", (proposals * ENTRIES_EACH,))
        db.execute("COMMIT")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def word(number: int) -> str:
    """Give a word of the vocabulary; the smaller the number, the commoner."""
    return f"word{number}"


def person(number: int) -> str:
    """Give a pseudonym."""
    return f"pers_{number:026d}"


def _seq(life: _Life) -> int:
    return life.number * ENTRIES_EACH


def _lives(proposals: int) -> Iterator[_Life]:
    dice = random.Random(7)  # noqa: S311 - the same log again
    for number in range(proposals):
        said = {min(int(dice.paretovariate(0.5)), WORDS) - 1 for _ in range(_SAID)}
        voters = tuple(sorted(dice.sample(range(PEOPLE), 2)))
        yield _Life(
            number,
            min(int(dice.paretovariate(1)), AGENTS) - 1,
            dice.randrange(TOOLS),
            (voters[0], voters[1]),
            int(dice.lognormvariate(9, 1.2)),
            tuple(sorted(said)),
        )


@dataclass(frozen=True, slots=True)
class _Template:
    """The first entries of one life (kind, body), the values of each, and what is put in the place of what."""

    entries: list[tuple[str, str]]
    values: list[list[tuple[str, str]]]
    agent: str
    voters: list[str]
    ident: str


def _template(db: sqlite3.Connection) -> _Template:
    (first,) = db.execute("SELECT min(seq) FROM entries WHERE type = 'proposal.submitted'").fetchone()
    chosen = ("proposal.submitted", "packet.posted", "vote.counted", "proposal.approved")
    found = db.execute("SELECT seq, type, body FROM entries WHERE seq >= ? ORDER BY seq", (first,)).fetchall()
    kept = [(seq, kind, body.decode()) for seq, kind, body in found if kind in chosen]
    posts = [row for row in kept if row[1] == "packet.posted"]
    kept = [row for row in kept if row[1] != "packet.posted" or row is posts[0]]
    values = [db.execute("SELECT name, value FROM detached WHERE seq = ?", (seq,)).fetchall() for seq, _, _ in kept]
    submitted = json.loads(kept[0][2])
    voters = [json.loads(body)["data"]["voter"] for _, kind, body in kept if kind == "vote.counted"]
    if len(kept) != ENTRIES_EACH:
        raise RuntimeError(f"a life has {[row[1] for row in kept]}")
    entries = [(kind, body) for _, kind, body in kept]
    return _Template(entries, values, submitted["data"]["agent"]["id"], voters, submitted["subject"])


def _entries(template: _Template, proposals: int) -> Iterator[tuple[object, ...]]:
    parts = [(kind, body, json.loads(body)["at"]) for kind, body in template.entries]
    for life in _lives(proposals):
        for place, (kind, body, was_at) in enumerate(parts):
            told = kind
            if life.pending and place > 1:
                told, text = "proposal.reminded", _reminded(life)
            else:
                text = body.replace(was_at, life.at).replace(template.ident, life.ident)
                text = text.replace(template.agent, f"agent_{life.agent:026d}").replace(
                    "bench-bot", f"bot-{life.agent}"
                )
                text = text.replace("payments.refund", f"pay.tool{life.tool}")
                for was, now in zip(template.voters, life.voters, strict=True):
                    text = text.replace(was, person(now))
            yield _seq(life) + place, life.ident, told, life.at, text.encode(), b"\0" * 32


def _reminded(life: _Life) -> str:
    who = {"kind": "system", "ref": "clock"}
    body = {"type": "proposal.reminded", "seq": 0, "at": life.at, "actor": who, "subject": life.ident, "data": {}}
    return json.dumps(body)


def _values(template: _Template, proposals: int) -> Iterator[tuple[object, ...]]:
    for life in _lives(proposals):
        for place, values in enumerate(template.values[: 2 if life.pending else None]):
            for name, value in values:
                text = value
                if name == "arguments":
                    text = value.replace('"amount_usd":180', f'"amount_usd":{life.cents / 100:.2f}')
                elif name == "summary":
                    text = json.dumps(" ".join(map(word, life.said)))
                yield _seq(life) + place, name, text


def _rows(proposals: int) -> Iterator[tuple[object, ...]]:
    for life in _lives(proposals):
        yield _seq(life), life.ident, life.at, "pending" if life.pending else "approved"


def _terms(proposals: int) -> Iterator[tuple[object, ...]]:
    for life in _lives(proposals):
        state = "pending" if life.pending else "approved"
        voters = () if life.pending else tuple(f"person:{person(each)}" for each in life.voters)
        of = f"agent:agent_{life.agent:026d}", f"tool:pay.tool{life.tool}", f"rule:pay.tool{life.tool}#3"
        yield from zip(itertools.chain(of, voters, (f"state:{state}",)), itertools.repeat(_seq(life)), strict=False)
