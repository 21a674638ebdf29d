"""Callbacks to agents: the row's fixed body, signed, to a host that the agent registered."""

from bot.delivery.callback import Delivered, Gone, Http, deliver, prepare
from bot.delivery.worker import Attempt, Later, Never, Result, Sent
from bot.desk.wiring import Wiring
from bot.keys import callback_secret
from bot.store.outbox import OutboxRow


class CallbackSender:
    """Sends one decision to one agent; every attempt carries the same id and body."""

    def __init__(self, wiring: Wiring, http: Http) -> None:
        self._wiring = wiring
        self._http = http

    async def __call__(self, row: OutboxRow, attempt: Attempt) -> Result:
        """Make one attempt."""
        payload = row.payload
        secret = callback_secret(self._wiring.key, payload["agent"], payload["generation"])
        prepared = prepare(payload["url"], f"msg_{row.id}_{row.subject}", self._wiring.clock(), payload["body"], secret)
        await attempt.begin()
        match await deliver(prepared, self._http):
            case Delivered():
                return Sent(row.wanted_seq)
            case Gone():
                return Never("http-410: the receiver wants no more")
            case later:
                return Later(later.reason, later.retry_after)
