"""Prepares a change of the policy for the people who decide it: the diff, and what the new version would have done.

It reads for seconds, so it MUST stay outside the writer and off the event loop.
"""

from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from approval_rules.policy import PolicyFolder
from approval_rules.text import Json
from bot.clock import Clock
from bot.policy_content import PolicyContent
from bot.replay.change import Change, change_of
from bot.replay.replaying import DIRECTIONS, Direction, Replayed, replay_log
from bot.store.engine import open_reader
from bot.store.policies import content_of, looking
from handlers.counting import counted

DAYS = 30
MOST_CASES = 5_000
MOST_TIME = timedelta(seconds=5)
_LISTED = 20


def prepare(
    database: Path,
    previous: str,
    content: PolicyContent,
    folder: PolicyFolder,
    clock: Clock,
    asked_by: str | None = None,
) -> Change:
    """Make the change from the version `previous` to `content`, which `folder` is the reading of.

    Raises ChangeTooLargeError, and PolicyStoreError where the previous version cannot be trusted.
    """
    start = clock()

    def enough(replayed: Replayed) -> bool:
        return replayed.cases >= MOST_CASES or clock() - start > MOST_TIME

    with closing(open_reader(database)) as connection:
        before = content_of(looking(connection), previous)
        replayed = replay_log(folder, connection, start - timedelta(days=DAYS), enough)
    return change_of(before, content, told(replayed, asked_by))


def told(replayed: Replayed, asked_by: str | None) -> Mapping[str, Json]:
    """Tell what a replay came to in a few short lines; `history` names what would have been loosened."""
    looked = f"{counted(replayed.cases, 'proposal')} of the last {DAYS} days"
    facts: dict[str, Json] = {
        "asked again": f"{looked}, and not the newest: there are too many" if replayed.cut else looked
    }
    if asked_by is not None:
        facts["asked for by"] = asked_by
    facts |= {_NAMES[direction]: _moves(replayed, direction) for direction in DIRECTIONS}
    if replayed.erased:
        facts["not asked again"] = f"{replayed.erased}, whose values have been erased"
    loosened = [change for change in replayed.sorted() if change.direction == "loosened"]
    return {"facts": facts, "history": [change.told for change in loosened[:_LISTED]]}


_NAMES: Mapping[Direction, str] = {
    "loosened": "loosened",
    "changed": "otherwise changed",
    "tightened": "tightened",
}


def _moves(replayed: Replayed, direction: Direction) -> str:
    """Say how many changed in one direction, and from what to what."""
    moves = Counter(change.move for change in replayed.changes if change.direction == direction)
    listed = ", ".join(f"{before} → {after}: {count}" for (before, after), count in sorted(moves.items()))
    total = moves.total()
    return f"{total} ({listed})" if total else "0"
