"""Has the log's checkpoints dated by a time-stamp authority (RFC 3161). It sends a hash, and never an entry.

An authority that is down holds up nothing; what came of it last is told where people look.
"""

import asyncio
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from bot.anchoring import Anchoring
from bot.audit.anchor import sync_folder
from bot.audit.time_stamp import STAMP, STAMPED, Roots, Stamp, StampError, question, stamp_in
from bot.callback_target import ForbiddenTargetError, parse_target
from bot.clock import Clock
from bot.delivery.addresses import AllowList
from bot.delivery.guarded_http import CallFailedError, GuardedHttp
from bot.metrics import Metrics
from bot.settings import Settings, SettingsError
from handlers.counting import counted

ASK_EVERY: Final = timedelta(hours=1)
TRY_AGAIN: Final = timedelta(minutes=1)
NAME: Final = "time-stamp"
_OK: Final = 200
_HEADERS: Final = {"content-type": "application/timestamp-query", "accept": "application/timestamp-reply"}


@dataclass(frozen=True, slots=True)
class Authority:
    """Who dates the log: an address, and the certificates that its time stamps must lead to."""

    url: str
    roots: Roots

    @classmethod
    def of(cls, settings: Settings) -> "Authority":
        """Read the settings, which name one; raises SettingsError."""
        if settings.time_stamp_ca is None:
            raise SettingsError("FOUREYES_TIME_STAMP_CA is not set: name the file of the authority's certificates")
        try:
            parse_target(settings.time_stamp_url)
            return cls(settings.time_stamp_url, Roots.read(settings.time_stamp_ca))
        except ForbiddenTargetError as error:
            raise SettingsError(f"FOUREYES_TIME_STAMP_URL: {error.reason}: write the authority's address") from None
        except StampError as error:
            raise SettingsError(f"FOUREYES_TIME_STAMP_CA: {error}") from None

    @property
    def allow(self) -> AllowList:
        """What may be called: its own host, wherever that is, because whoever runs the server named it."""
        return AllowList.parse(parse_target(self.url).host)


class Stamper:
    """Asks once an hour when the log has grown, and after a failure each minute. `fault` says why there is no newer."""

    def __init__(
        self,
        anchors: Anchoring,
        http: GuardedHttp,
        authority: Authority,
        folder: Path,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._anchors = anchors
        self._http = http
        self._authority = authority
        self._folder = folder
        self._clock = clock
        self._metrics = metrics
        self._stamped = 0
        self._not_before: datetime | None = None
        self._newest: Stamp | None = None
        self._log = structlog.get_logger()
        self.fault: str | None = None

    @property
    def told(self) -> str:
        """Say how it stands."""
        newest = f"; the newest time stamp is {self._newest}" if self._newest else ""
        return (self.fault or f"{counted(self._stamped, 'entry', 'entries')} stamped") + newest

    async def look(self) -> None:
        """Have the newest state dated, where it is new and the time is over."""
        now = self._clock()
        if self._not_before is not None and now < self._not_before:
            return
        size, note = self._anchors.signed_now()
        if size <= self._stamped:
            return
        try:
            self._newest = await self._asked(size, note)
        except _FailedError as error:
            if str(error) != self.fault:
                self._log.warning("time_stamp_failed", error=str(error))
            self.fault, self._not_before = str(error), now + TRY_AGAIN
        else:
            self._stamped, self.fault, self._not_before = size, None, now + ASK_EVERY
        self._metrics.show_witness(NAME, ok=self.fault is None)

    async def _asked(self, size: int, note: str) -> Stamp:
        """Have a checkpoint dated, and keep what was answered."""
        asked = question(note)
        try:
            answer = await self._http.exchange(self._authority.url, asked.as_bytes(), _HEADERS)
            if answer.status != _OK:
                raise _FailedError(f"the authority answered {answer.status}")
            stamp = stamp_in(answer.unverified_body, note, self._authority.roots, asked)
            await asyncio.to_thread(_keep, self._folder, size, stamp, note, answer.unverified_body)
        except (CallFailedError, ForbiddenTargetError) as error:
            raise _FailedError(f"the authority cannot be reached: {error.reason}") from None
        except StampError as error:
            raise _FailedError(f"the authority's answer proves nothing: {error}") from None
        except OSError as error:
            raise _FailedError(f"{self._folder} cannot be written: {error.strerror}") from None
        return stamp


class _FailedError(Exception):
    """There is no time stamp; the message says why."""


def _keep(folder: Path, size: int, stamp: Stamp, note: str, answer: bytes) -> None:
    """Write a checkpoint and its time stamp, under a name that no other has; the stamp last. Raises OSError."""
    folder.mkdir(mode=0o755, exist_ok=True)
    name = f"{stamp.at:%Y%m%dT%H%M%SZ}-{size}"
    for suffix, data in ((STAMPED, note.encode()), (STAMP, answer)):
        path = folder / f"{name}{suffix}"
        new = path.with_name(f"{path.name}.new")
        with new.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    sync_folder(path)
