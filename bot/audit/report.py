"""What a verification found. Finds nothing itself."""

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
    """What a verification found. The log is whole where `broken` is empty."""

    entries: int = 0
    head: str = FIRST_PREV
    anchored: int = 0
    broken: list[Broken] = field(default_factory=list)

    def add(self, seq: int, what: str) -> None:
        """Note a fault; the first fifty are enough."""
        if len(self.broken) < _MOST_FAULTS:
            self.broken.append(Broken(seq, what))
