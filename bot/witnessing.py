"""Gives the log's signed state to witnesses: the audit channel in Slack, a file elsewhere, and those asked outside.

A witness that cannot be reached holds up no decision; it is said where people look.
"""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

import structlog

from approval_rules.times import parse_time
from bot import witness_file
from bot.anchoring import Anchoring
from bot.cosigning import Cosigner, TlogWitness
from bot.delivery.addresses import AllowList
from bot.delivery.guarded_http import GuardedHttp
from bot.delivery.witness_post import CHANNEL
from bot.desk.wiring import Wiring
from bot.git_witness import GitWitness
from bot.key_watch import KeyWatch
from bot.metrics import Metrics
from bot.repository import Repository
from bot.settings import Settings
from bot.store import outbox
from bot.store.codec import SWITCH
from bot.store.outbox import Kind
from handlers.counting import counted
from handlers.http.ports import Check

SAID_EVERY: Final = timedelta(hours=1)
LOG: Final = "audit-log"
_MOST_AT_ONCE: Final = 64
_LAST_SAID: Final = "SELECT wanted_seq, created_at FROM outbox WHERE kind = 'witness' ORDER BY id DESC LIMIT 1"
_SWITCHED: Final = "SELECT 1 FROM entries WHERE subject = :subject AND seq >= :since LIMIT 1"
_NEWEST: Final = "SELECT size, note FROM checkpoints ORDER BY size DESC LIMIT 1"
_KEPT: Final = "SELECT size, note FROM checkpoints WHERE size > :since ORDER BY size LIMIT :most"
log = structlog.get_logger()


class Channel:
    """Says each hour in which the log grew, and at each pause, how far it has come."""

    def __init__(self, wiring: Wiring, anchors: Anchoring) -> None:
        self._wiring = wiring
        self._anchors = anchors
        self._said: tuple[int, datetime] | None = None

    async def look(self) -> None:
        """Plan a message where one is due, and the policy names the channel."""
        if CHANNEL not in self._wiring.policy.folder.channels:
            return
        if self._said is None:
            self._said = await self._last()
        size, at = self._said
        now = self._wiring.clock()
        if not await self._is_due(size, now - at):
            return
        newest, note = self._anchors.signed_now()
        if newest > size:
            await self._wiring.writer.run(lambda tx: outbox.plan(tx, Kind.WITNESS, LOG, newest - 1, {"note": note}))
            self._said = newest, now

    async def _last(self) -> tuple[int, datetime]:
        found = await self._wiring.reads.glance().rows(_LAST_SAID, {})
        return (found[0][0] + 1, parse_time(found[0][1])) if found else (0, self._wiring.clock() - SAID_EVERY)

    async def _is_due(self, size: int, age: timedelta) -> bool:
        if age >= SAID_EVERY:
            return True
        return bool(await self._wiring.reads.glance().rows(_SWITCHED, {"subject": SWITCH, "since": size}))


class File:
    """Keeps a file in step with the checkpoints in the database. `fault` says why it is not, where it is not."""

    def __init__(self, wiring: Wiring, path: Path, metrics: Metrics) -> None:
        self._wiring = wiring
        self._path = path
        self._metrics = metrics
        self._written = -1
        self.fault: str | None = None

    @property
    def told(self) -> str:
        """Say how it stands."""
        return self.fault or f"{counted(max(self._written, 0), 'entry', 'entries')} signed in {self._path}"

    async def look(self) -> None:
        """Append what is new, in a thread of its own: the file may lie on a disk that hangs."""
        due = await self._due()
        if not due:
            return
        try:
            await asyncio.to_thread(witness_file.append, self._path, [note for _, note in due])
        except OSError as error:
            fault = f"{self._path} cannot be written: {error.strerror}"
            if fault != self.fault:
                log.warning("witness_file_failed", error=fault)
            self.fault = fault
        else:
            self._written, self.fault = due[-1][0], None
        self._metrics.show_witness("file", ok=self.fault is None)

    async def _due(self) -> Sequence[tuple[int, str]]:
        """Give what is not in it; at the start that is the newest, which covers all before."""
        glance = self._wiring.reads.glance()
        first = self._written < 0
        found = await glance.rows(_NEWEST if first else _KEPT, {"since": self._written, "most": _MOST_AT_ONCE})
        return [(size, note) for size, note in found]


class Outside(Protocol):
    """A witness that may take many seconds."""

    @property
    def told(self) -> str:
        """Say how it stands."""

    async def look(self) -> None:
        """Give it what is due."""


class Witnesses:
    """All of them, as the server keeps them, and the key that signs for them."""

    def __init__(self, wiring: Wiring, anchors: Anchoring, settings: Settings, metrics: Metrics) -> None:
        self.key = KeyWatch(settings.signing_key_file, wiring.key)
        self._channel = Channel(wiring, anchors)
        self._file = None if settings.witness_file is None else File(wiring, settings.witness_file, metrics)
        self._http: list[GuardedHttp] = []
        self._outside: dict[str, Outside] = {}
        if settings.tlog_witness:
            witness = TlogWitness.parse(settings.tlog_witness)
            self._outside["tlog-witness"] = Cosigner(wiring, anchors, self._called(witness.allow), witness, metrics)
        if settings.witness_git is not None:
            repository = Repository(settings.witness_git)
            self._outside["git witness"] = GitWitness(anchors, repository, wiring.clock, metrics)
        if settings.time_stamp_url:
            from bot.time_stamping import Authority, Stamper  # noqa: PLC0415 - three megabytes, for those who set it

            authority, where = Authority.of(settings), settings.time_stamp_folder
            http = self._called(authority.allow)
            self._outside["time stamps"] = Stamper(anchors, http, authority, where, wiring.clock, metrics)
        self._one = asyncio.Lock()  # the last look, at the stop, may meet a tick

    async def look(self) -> None:
        """Give each of them what is due, signed with the key that is in the file now."""
        self.key.look()
        async with self._one:
            await self._channel.look()
        await self.write()

    def _called(self, allow: AllowList) -> GuardedHttp:
        http = GuardedHttp(allow)
        self._http.append(http)
        return http

    async def ask(self) -> None:
        """Ask the witnesses outside, all at once; in a tick of their own, because it may take many seconds."""
        await asyncio.gather(*(witness.look() for witness in self._outside.values()))

    async def close(self) -> None:
        """Append what came last, and let go."""
        await self.write()
        for http in self._http:
            await http.aclose()

    async def write(self) -> None:
        """Append to the file, where there is one; also at the end of all, after the last checkpoint."""
        if self._file is not None:
            async with self._one:
                await self._file.look()

    def checks(self) -> Iterator[Check]:
        """Say how they stand. Told, and no reason to turn people away: decisions go on without them."""
        yield Check("key", ok=True, detail=self.key.fault or "the one in its file")
        if self._file is not None:
            yield Check("witness file", ok=True, detail=self._file.told)
        for name, witness in self._outside.items():
            yield Check(name, ok=True, detail=witness.told)
