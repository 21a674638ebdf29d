"""One measured figure and the line that tells it. Judges against a target; measures nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

_WIDTH = 46


@dataclass(frozen=True, slots=True)
class Figure:
    """What several rounds gave. `target` is the least (or, with `at_most`, the most) that is wanted; None: to know."""

    name: str
    rounds: Sequence[float]
    unit: str
    target: float | None = None
    at_most: bool = False

    @property
    def median(self) -> float:
        """The middle round."""
        return median(self.rounds)

    @property
    def reached(self) -> bool | None:
        """Whether the middle round meets the target; None without one."""
        if self.target is None:
            return None
        return self.median <= self.target if self.at_most else self.median >= self.target

    def line(self) -> str:
        """Tell it: name, median, spread, target, verdict, and the ratio of the median to the target."""
        spread = f"{_short(min(self.rounds))}..{_short(max(self.rounds))}"
        told = f"{self.name:{_WIDTH}} {_short(self.median):>9} {self.unit:5} {spread:>21}"
        if self.target is None or self.reached is None:
            return told
        wanted = f"{'<=' if self.at_most else '>='} {_short(self.target)}"
        return f"{told}  {wanted:>11}  {'PASS' if self.reached else 'below'}  {self.median / self.target:.2f}"


HEADING = f"{'figure':{_WIDTH}} {'median':>9} {'unit':5} {'lowest..highest':>21}  {'target':>11}  verdict, ratio to it"


def per_cent(part: Sequence[float], whole: Sequence[float]) -> list[float]:
    """Give each round's ratio to the round of the other beside it, in per cent."""
    return [100 * one / other for one, other in zip(part, whole, strict=True)]


def percentile(sorted_values: Sequence[float], share: float) -> float:
    """Give the value below which this share of the values lies."""
    return sorted_values[min(len(sorted_values) - 1, int(share * len(sorted_values)))]


def _short(value: float) -> str:
    if value == 0 or abs(value) >= 1000:
        return f"{value:.0f}"
    return f"{value:.3g}"
