"""Says in a sentence which rule nearly allowed an action. Knows no place where it is shown: values come in as words."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final, NamedTuple, TypeAlias

from approval_rules.counterfactual import Nearest, Obstacle, Want
from approval_rules.text import AgentJson

Show: TypeAlias = Callable[[AgentJson | None, str], str]
"""Gives a value in words that may be shown, given the dotted field that it is of: what policy hides is hidden."""
_HOW: Final = {"blocks": "blocks it", "asks": "asks people before it", "cannot be decided": "cannot be decided"}
_MOST: Final = 3
_NO_FIELD: Final = ""


class Showing(NamedTuple):
    """How values and the policy's own text are shown, and which fields are hidden from the reader."""

    show: Show
    text: Callable[[str], str]
    hides: Callable[[str], bool]


def nearest_sentence(nearest: Nearest, showing: Showing) -> str:
    """Say what would have to be otherwise, or what stands in the way."""
    condition = condition_words(nearest, showing)
    if condition is not None:
        share = nearest.share
        would = f"would have let {share} % of such cases run by themselves" if share else "would have allowed it"
        return f"Rule {nearest.rule} {would} if {condition}; {_was(nearest.wants, showing)}."
    lacks = [*map(showing.text, nearest.lacks[:_MOST]), *(["more"] if len(nearest.lacks) > _MOST else [])]
    start = f"Rule {nearest.rule} {'comes nearest to allowing it' if lacks else 'allows it'}"
    if nearest.share is not None and not lacks and not nearest.obstacles:
        return f"Rule {nearest.rule} matches, and its dial of {nearest.share} % keeps this one for people."
    ways = _ways(nearest.obstacles)
    if not lacks:
        return f"{start}, but {ways}."
    lacking = f"{start}: {_joined(lacks)} {'does' if len(lacks) == 1 else 'do'} not hold"
    return f"{lacking}, and {ways}." if ways else f"{lacking}."


def condition_words(nearest: Nearest, showing: Showing) -> str | None:
    """Say what would have to hold, as it stands after an `if`; None where nothing may be said or nothing is known."""
    hidden = any(showing.hides(field) for want in nearest.wants for field in want.rests_on)
    if not nearest.wants or hidden:
        return None
    return _joined([f"{showing.text(want.name)} were {_wanted(want, showing.show)}" for want in nearest.wants])


def _was(wants: Sequence[Want], showing: Showing) -> str:
    values = [showing.show(want.was, want.of) for want in wants]
    if len(wants) == 1:
        return f"it is {values[0]}"
    return _joined([f"{showing.text(want.name)} is {value}" for want, value in zip(wants, values, strict=True)])


def _wanted(want: Want, show: Show) -> str:
    among = [show(each, _NO_FIELD) for each in want.among]
    if among:
        return among[0] if len(among) == 1 else f"one of {', '.join(among)}"
    if want.none_of:
        return f"anything but {_joined([show(each, _NO_FIELD) for each in want.none_of], 'or')}"
    low = [] if want.low is None else [f"{'more than' if want.open_low else 'at least'} {show(want.low, _NO_FIELD)}"]
    high = [] if want.high is None else [f"{'less than' if want.open_high else 'at most'} {show(want.high, _NO_FIELD)}"]
    return " and ".join(low + high)


def _ways(obstacles: Sequence[Obstacle]) -> str:
    told = [f"rule {rule} {_HOW[how]}" for rule, how in obstacles[:_MOST]]
    return _joined([*told, *(["others stand in its way too"] if len(obstacles) > _MOST else [])])


def _joined(parts: Sequence[str], word: str = "and") -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {word} {parts[-1]}" if parts else ""


def share_words(share: Decimal | None) -> str:
    """Say how many of the cases run by themselves under a rule that allows."""
    return "" if share is None else f" in {share} % of such cases"
