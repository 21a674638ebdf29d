"""What a verification found. Finds nothing itself."""

from collections import Counter
from dataclasses import dataclass, field

from bot.audit.log_format import FIRST_PREV

_MOST_FAULTS = 50


@dataclass(frozen=True, slots=True)
class Broken:
    """One thing that is wrong: the log index where it shows, and what."""

    seq: int
    what: str


@dataclass(slots=True)
class Report:
    """What a verification found. The log is whole where `broken` is empty.

    `erased` counts by why and by term (days) the values whose erasure was recorded; `unopened` those that are there and
    could not be read without their keys.
    """

    entries: int = 0
    head: str = FIRST_PREV
    anchored: int = 0
    broken: list[Broken] = field(default_factory=list)
    erased: Counter[tuple[str, int]] = field(default_factory=Counter)
    unopened: int = 0

    def add(self, seq: int, what: str) -> None:
        """Note a fault; the first fifty are enough."""
        if len(self.broken) < _MOST_FAULTS:
            self.broken.append(Broken(seq, what))
