"""Looks into the audit log for the demo: entries as rows, and the full verification. It only looks."""

import json
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from bot.audit import anchor as anchors
from bot.audit.anchor import AnchorError
from bot.audit.log_format import leaf_hash
from bot.audit.verify import verify
from bot.keys import SigningKey
from bot.store.check import differences
from bot.store.engine import open_reader
from handlers.counting import counted

SHOWN: Final = 200
_ENTRIES: Final = "SELECT seq, type, at, body, leaf_hash FROM entries ORDER BY seq"
_PEOPLE: Final = "SELECT ref, user_id, team_id FROM people"
_AGENTS: Final = "SELECT id, name FROM agents"
_OS_TEAM: Final = "os"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the log. `actor` is a Slack user id for a person, so that the page can name them."""

    seq: int
    at: str
    type: str
    actor: str
    subject: str
    hash: str
    prev: str
    data: dict[str, Any]

    def for_page(self) -> dict[str, Any]:
        """Give what the page draws."""
        return {
            "seq": self.seq,
            "at": self.at,
            "type": self.type,
            "actor": self.actor,
            "subject": self.subject,
            "hash": self.hash,
            "prev": self.prev,
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verification found; `seq` is the entry where it first shows."""

    status: Literal["unknown", "ok", "broken"] = "unknown"
    text: str = ""
    seq: int | None = None

    def for_page(self) -> dict[str, Any]:
        """Give what the page draws."""
        named = {} if self.seq is None else {"broken_seq": self.seq}
        return {"status": self.status, "text": self.text, **named}


class Ledger:
    """Read-only access to the database, the anchor beside it and the key that signed the anchor."""

    def __init__(self, database: Path, anchor_file: Path, key: SigningKey) -> None:
        self._database = database
        self._anchor_file = anchor_file
        self._key = key

    def size(self) -> int:
        """Count the entries."""
        with closing(open_reader(self._database)) as connection:
            return int(connection.execute("SELECT coalesce(max(seq), -1) + 1 FROM entries").fetchone()[0])

    def entries(self) -> Sequence[Entry]:
        """Read the whole log, oldest first."""
        with closing(open_reader(self._database)) as connection:
            name = _names(connection)
            return [_entry(row, name) for row in connection.execute(_ENTRIES)]

    def verify(self) -> Verdict:
        """Check every entry, link, hash and detached value, the signed anchor, and the index against the log."""
        try:
            # The anchor first: what is appended in between makes the log longer than the anchor, never shorter.
            keys = [self._key.public_bytes()]
            anchor = anchors.read(self._anchor_file, keys)
        except AnchorError as error:
            return Verdict("broken", str(error))
        with closing(open_reader(self._database)) as connection:
            report = verify(connection, anchor, keys)
            if report.broken:
                return _broken([(fault.seq, fault.what) for fault in report.broken])
            lines = list(differences(connection))
        if lines:
            return Verdict("broken", f"The log is whole, but the index differs from it: {lines[0]}")
        return Verdict(
            "ok",
            f"All {report.entries} entries are whole: every hash, link and detached value, and every index row equals "
            f"its entries. {report.anchored} of them stand under the signed anchor outside of the database.",
        )


def _broken(faults: Sequence[tuple[int, str]]) -> Verdict:
    seq, what = faults[0]
    rest = len(faults) - 1
    more = f" {counted(rest, 'more fault follows', 'more faults follow')} from it." if rest else ""
    return Verdict("broken", f"Entry {seq}: {what}.{more}", seq)


def _names(connection: sqlite3.Connection) -> Callable[[str, str], str]:
    people = {ref: "command line" if team == _OS_TEAM else user for ref, user, team in connection.execute(_PEOPLE)}
    agents = dict(connection.execute(_AGENTS).fetchall())
    return lambda kind, ref: people.get(ref) or agents.get(ref) or f"{kind}: {ref}"


def _entry(row: tuple[Any, ...], name: Callable[[str, str], str]) -> Entry:
    seq, kind, at, raw, kept = row
    try:
        body = json.loads(bytes(raw))
        actor = name(body["actor"]["kind"], body["actor"]["ref"])
        return Entry(seq, at, kind, actor, body["subject"], bytes(kept).hex(), body["prev"], body["data"])
    except (ValueError, KeyError, TypeError):
        # Somebody wrote nonsense into the row: it is shown, and the verification says so.
        return Entry(seq, at, kind, "unreadable", "", leaf_hash(bytes(raw)).hex(), "", {})
