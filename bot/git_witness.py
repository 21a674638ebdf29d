"""Commits the log's signed state to a git repository, each hour in which it grew. It decides nothing by what git says.

A repository that cannot be written, or a remote that cannot be reached, holds up nothing and is told where people look.
"""

from datetime import datetime, timedelta
from typing import Final

import structlog

from bot.anchoring import Anchoring
from bot.audit.signed_note import NoteError, read_checkpoint
from bot.clock import Clock
from bot.metrics import Metrics
from bot.repository import GitError, Repository
from handlers.counting import counted

COMMIT_EVERY: Final = timedelta(hours=1)
TRY_AGAIN: Final = timedelta(minutes=1)
NAME: Final = "git"
FILE: Final = "checkpoint"


class GitWitness:
    """Keeps a branch in step with the log. `fault` says why it is not, where it is not."""

    def __init__(self, anchors: Anchoring, repository: Repository, clock: Clock, metrics: Metrics) -> None:
        self._anchors = anchors
        self._repository = repository
        self._clock = clock
        self._metrics = metrics
        self._committed = -1
        self._not_before: datetime | None = None
        self._log = structlog.get_logger()
        self.fault: str | None = None

    @property
    def told(self) -> str:
        """Say how it stands."""
        entries = counted(max(self._committed, 0), "entry", "entries")
        return self.fault or f"{entries} signed in {self._repository.path}"

    async def look(self) -> None:
        """Commit the newest state, where it is new and the time is over; push what was not pushed."""
        now = self._clock()
        if self._not_before is not None and now < self._not_before:
            return
        size, note = self._anchors.signed_now()
        if size == 0 or (size == self._committed and self.fault is None):
            return
        try:
            await self._commit(size, note, now)
            fault = "; ".join(await self._repository.push()) or None
        except GitError as error:
            fault = str(error)
        if fault is not None and fault != self.fault:
            self._log.warning("git_witness_failed", error=fault)
        self.fault, self._not_before = fault, now + (TRY_AGAIN if fault else COMMIT_EVERY)
        self._metrics.show_witness(NAME, ok=fault is None)

    async def _commit(self, size: int, note: str, now: datetime) -> None:
        """Commit a state that continues what was committed last; raises GitError for any other."""
        if size == self._committed:
            return
        newest = await self._repository.newest(FILE)
        if newest is not None:
            self._require_continued(newest)
        if newest != note.encode():
            said = f"Checkpoint of {counted(size, 'entry', 'entries')}"
            await self._repository.commit(FILE, note.encode(), said, now)
        self._committed = size

    def _require_continued(self, newest: bytes) -> None:
        path = self._repository.path
        try:
            known = read_checkpoint(newest.decode("utf-8", errors="replace").partition("\n\n")[0] + "\n")
        except NoteError:
            raise GitError(f"somebody else committed to the branch in {path}; it must be this server's alone") from None
        if not self._anchors.holds(known):
            raise GitError(
                f"{path} HOLDS A CHECKPOINT OF {known.size} ENTRIES THAT THIS LOG DOES NOT HAVE: it was rewritten, or"
                f" an older copy was put back. `foureyes audit verify --against {path}` says more"
            )
