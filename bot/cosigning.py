"""Has the log's checkpoints cosigned by a C2SP tlog-witness. It sends sizes and hashes, and never an entry.

A witness that is down, or refuses, holds up nothing; what it said last is told where people look.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from approval_rules.times import format_time
from bot.anchoring import Anchoring
from bot.audit.cosignature import WitnessKey, cosigned, question
from bot.audit.signed_note import NoteError
from bot.audit.tiles import IncompleteTreeError
from bot.callback_target import ForbiddenTargetError, parse_target
from bot.delivery.addresses import AllowList
from bot.delivery.guarded_http import CallFailedError, GuardedHttp
from bot.desk.wiring import Wiring
from bot.metrics import Metrics
from bot.settings import SettingsError
from handlers.counting import counted

ASK_EVERY: Final = timedelta(minutes=1)
_OK: Final = 200
_CONFLICT: Final = 409
_MOST_DIGITS: Final = 19
_REFUSALS: Final = {
    400: "the witness could not read the request",
    403: "the witness does not know our key; give its operator a line of `foureyes key list`",
    404: "the witness does not know this log; give its operator a line of `foureyes key list`",
    422: "THE WITNESS SAYS THAT THIS LOG DOES NOT CONTINUE WHAT IT SIGNED BEFORE: it was rewritten, or restored",
}
_LAST: Final = "SELECT max(size) FROM cosignatures WHERE witness = :witness"
_KEEP: Final = "INSERT OR IGNORE INTO cosignatures (witness, size, note, at) VALUES (?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class TlogWitness:
    """A witness's address and key, as the setting names them."""

    url: str
    key: WitnessKey

    @classmethod
    def parse(cls, text: str) -> "TlogWitness":
        """Read `URL KEY`; raises SettingsError."""
        url, _, key = text.strip().partition(" ")
        try:
            parse_target(url)
            return cls(url.rstrip("/"), WitnessKey.parse(key))
        except ForbiddenTargetError as error:
            raise SettingsError(f"FOUREYES_TLOG_WITNESS: {error.reason}: write URL KEY") from None
        except NoteError as error:
            raise SettingsError(f"FOUREYES_TLOG_WITNESS: {error}: write URL KEY") from None

    @property
    def allow(self) -> AllowList:
        """What may be called: its own host, wherever that is, because whoever runs the server named it."""
        target = parse_target(self.url)
        return AllowList.parse(target.host)


class Cosigner:
    """Asks once a minute when the log has grown. `fault` says why there is no newer cosignature, where that is so."""

    def __init__(
        self, wiring: Wiring, anchors: Anchoring, http: GuardedHttp, witness: TlogWitness, metrics: Metrics
    ) -> None:
        self._wiring = wiring
        self._anchors = anchors
        self._http = http
        self._witness = witness
        self._metrics = metrics
        self._agreed: int | None = None
        self._not_before: datetime | None = None
        self._log = structlog.get_logger()
        self.fault: str | None = None

    @property
    def told(self) -> str:
        """Say how it stands."""
        return self.fault or f"{counted(self._agreed or 0, 'entry', 'entries')} cosigned by {self._witness.key.name}"

    async def look(self) -> None:
        """Have the newest state cosigned, where it is new and a minute is over."""
        now = self._wiring.clock()
        if self._not_before is not None and now < self._not_before:
            return
        if self._agreed is None:
            found = await self._wiring.reads.glance().rows(_LAST, {"witness": self._witness.key.name})
            self._agreed = found[0][0] or 0
        size, note = self._anchors.signed_now()
        # The first time it is asked even about what it signed: it may have seen more than this copy of the log has.
        if not size or (size <= self._agreed and self._not_before is not None):
            return
        self._not_before = now + ASK_EVERY
        try:
            whole = await self._asked(size, note)
        except _RefusedError as error:
            if str(error) != self.fault:
                self._log.warning("witness_refused", witness=self._witness.key.name, error=str(error))
            self.fault = str(error)
        else:
            row = (self._witness.key.name, size, whole, format_time(now))
            await self._wiring.writer.run(lambda tx: tx.write(_KEEP, row))
            self._agreed, self.fault = size, None
        self._metrics.show_witness(self._witness.key.name, ok=self.fault is None)

    async def _asked(self, size: int, note: str) -> str:
        """Give the cosigned note. A witness that has seen another size of ours says so, and is asked once more."""
        old = self._agreed or 0
        for _ in range(2):
            status, answer = await self._sent(old, size, note)
            if status == _OK:
                try:
                    return cosigned(note, answer, self._witness.key)
                except NoteError as error:
                    raise _RefusedError(str(error)) from None
            if status != _CONFLICT:
                raise _RefusedError(_REFUSALS.get(status, f"the witness answered {status}"))
            digits = answer.strip()
            if not digits.isascii() or not digits.isdigit() or len(digits) > _MOST_DIGITS:
                raise _RefusedError("the witness did not say which size it knows")
            old = int(digits)
            if old > size:
                raise _RefusedError(
                    f"THE WITNESS HAS SEEN {old} ENTRIES AND THE LOG HAS {size}: an older copy was put back"
                )
        raise _RefusedError("the witness knows another size each time it is asked; is it asked by two servers?")

    async def _sent(self, old: int, size: int, note: str) -> tuple[int, str]:
        try:
            body = question(old, self._anchors.consistency(old, size), note)
            answer = await self._http.exchange(
                f"{self._witness.url}/add-checkpoint", body, {"content-type": "text/plain"}
            )
        except (CallFailedError, ForbiddenTargetError) as error:
            raise _RefusedError(f"the witness cannot be reached: {error.reason}") from None
        except IncompleteTreeError as error:
            raise _RefusedError(f"the log cannot prove that it grew: {error}") from None
        return answer.status, answer.unverified_body.decode("utf-8", errors="replace")


class _RefusedError(Exception):
    """There is no cosignature; the message says why and what to do."""
