"""How often somebody may try: codes one a second, five a minute. In memory: it is the lock that survives a restart."""

from collections import deque
from datetime import datetime, timedelta
from typing import Final

_BETWEEN: Final = timedelta(seconds=1)
_WINDOW: Final = timedelta(minutes=1)
_IN_WINDOW: Final = 5
_MOST: Final = 10_000


class TryPace:
    """Counts tries by person, `most` a minute. MUST be asked outside of a transaction, for a unit can run twice."""

    def __init__(self, between: timedelta = _BETWEEN, most: int = _IN_WINDOW) -> None:
        self._between = between
        self._in_window = most
        self._tries: dict[str, deque[datetime]] = {}

    def allows(self, who: str, at: datetime) -> bool:
        """Note a try and tell whether it may be made now; one that may not is not counted."""
        tries = self._tries.pop(who, deque(maxlen=self._in_window))
        fast = bool(tries) and at - tries[-1] < self._between
        many = len(tries) == self._in_window and at - tries[0] < _WINDOW
        if not (fast or many):
            tries.append(at)
        self._tries[who] = tries  # the newest last
        if len(self._tries) > _MOST:
            del self._tries[next(iter(self._tries))]
        return not (fast or many)
