"""Faults that a test orders for the next calls to Slack or from Slack; without an order nothing here ever happens."""

from dataclasses import dataclass
from typing import Final

APP_TARGET: Final = "app:"


@dataclass(frozen=True, slots=True)
class RateLimited:
    """HTTP 429 with Retry-After; the call is not carried out."""

    retry_after_s: int = 1


@dataclass(frozen=True, slots=True)
class ServerError:
    """An HTTP 5xx; the call is not carried out."""

    status: int = 503


@dataclass(frozen=True, slots=True)
class ResetBefore:
    """The connection is reset before anything happened."""


@dataclass(frozen=True, slots=True)
class LostAnswer:
    """Everything happens, then the connection dies without an answer."""


@dataclass(frozen=True, slots=True)
class Delay:
    """The call is carried out so many seconds later."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Refuse:
    """An `ok: false` answer with this error; the call is not carried out."""

    error: str


@dataclass(frozen=True, slots=True)
class Twice:
    """A delivery to the app arrives two times, byte for byte the same."""


Fault = RateLimited | ServerError | ResetBefore | LostAnswer | Delay | Refuse | Twice


@dataclass(slots=True)
class _Order:
    target: str
    fault: Fault
    left: int


class Faults:
    """The orders, first come first served per target."""

    def __init__(self) -> None:
        self._orders: list[_Order] = []

    def order(self, target: str, fault: Fault, times: int = 1) -> None:
        """Order a fault for the next calls of `target`.

        A target is a method (`chat.postMessage`), `response_url`, `*` for any of these; or what Slack sends:
        `app:block_actions`, `app:view_submission`, `app:view_closed`, `app:command`, `app:event`, `app:*`.
        """
        inbound = not target.startswith(APP_TARGET)
        fits = not isinstance(fault, Twice) if inbound else isinstance(fault, ResetBefore | LostAnswer | Delay | Twice)
        if not fits:
            raise ValueError(f"{type(fault).__name__} cannot happen to {target}")
        self._orders.append(_Order(target, fault, times))

    def take(self, target: str) -> Fault | None:
        """Return the fault that is due for one call, and count it."""
        wildcard = f"{APP_TARGET}*" if target.startswith(APP_TARGET) else "*"
        for order in self._orders:
            if order.left > 0 and order.target in (target, wildcard):
                order.left -= 1
                return order.fault
        return None

    def clear(self) -> None:
        """Forget every order."""
        self._orders.clear()
