"""Shows in Slack why a policy decided as it did: each rule with what it saw, and which one nearly allowed it.

Short enough for a phone; what policy hides is hidden here too. It leaves rules that said nothing to their number.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from approval_rules.explanation import Explanation, PartExplanation, RuleExplanation
from approval_rules.text import AgentJson
from handlers.counting import counted
from handlers.desk import Seen
from handlers.explaining import Showing, condition_words, nearest_sentence, share_words
from handlers.slack.escape import Safe, clipped, visible
from handlers.slack.text import Hidden, is_covered, seen_words
from handlers.slack.values import DROPPED, Line

MOST_RULES: Final = 20
_PARTS: Final = 6
_VALUES: Final = 6
_PART: Final = 160
_SENTENCE: Final = 600
_LINE: Final = 240
_WEIGHT: Final = {"matched": 0, "undetermined": 1, "not matched": 2}
_MARKS: Final = {True: "✓", False: "✗", None: "?"}


def would_run_if(seen: Seen) -> Safe | None:
    """Give the packet's one line about the rule that nearly allowed it; None where nothing short and true is known."""
    nearest = None if seen.explained is None else seen.explained.nearest
    if nearest is None:
        return None
    condition = condition_words(nearest, _showing(seen))
    told = f"Would run by itself{share_words(nearest.share)} if {condition}."
    return Safe(told) if condition is not None and len(told) <= _LINE else None


def why_lines(seen: Seen) -> Iterator[Line]:
    """Give a line for each rule that matters, the nearest one in a sentence first."""
    found = seen.explained
    if found is None:
        return
    if found.nearest is not None:
        yield Line(Safe(""), clipped(Safe(nearest_sentence(found.nearest, _showing(seen))), _SENTENCE))
    shown = _that_matter(found)
    hidden = seen.proposal.requirement.hidden
    for one in shown:
        yield Line(Safe(f"Rule {one.rule.index} {_said(one)}"), Safe("; ".join(_told(one, hidden))))
    left = len(found.rules) - len(shown)
    if left:
        told = counted(left, "more rule, which did not decide, is", "more rules, which did not decide, are")
        yield Line(Safe(""), Safe(f"{told} left out."))


def _that_matter(found: Explanation) -> Sequence[RuleExplanation]:
    """Choose what is shown of a long policy: what matched and the nearest rule, then what could not be decided."""
    near = found.nearest.rule if found.nearest else None
    ranked = sorted(found.rules, key=lambda one: 0 if one.rule.index == near else _WEIGHT[one.outcome])
    return sorted(ranked[:MOST_RULES], key=lambda one: one.rule.index)


def _said(one: RuleExplanation) -> str:
    return "could not be decided" if one.outcome == "undetermined" else one.outcome


def _told(one: RuleExplanation, hidden: Hidden) -> Iterator[str]:
    if one.outcome == "matched":
        yield f"so {visible(one.says)}"
    yield ", ".join([_part(part) for part in one.parts[:_PARTS]]) or "always matches"
    if len(one.parts) > _PARTS:
        yield counted(len(one.parts) - _PARTS, "more part")
    if one.saw:
        saw = [_sight(name, value, of, hidden) for name, value, of in one.saw[:_VALUES]]
        more = len(one.saw) - _VALUES
        yield f"saw {', '.join(saw)}" + (f" and {counted(more, 'more value')}" if more > 0 else "")


def _part(part: PartExplanation) -> str:
    return f"{_MARKS[part.holds]} {clipped(visible(part.text), _PART)}"


def _sight(name: str, value: AgentJson | None, of: str, hidden: Hidden) -> str:
    if is_covered(of, hidden) == "drop":
        return DROPPED
    return f"{visible(name)} {seen_words(value, of, hidden)}"


def _showing(seen: Seen) -> Showing:
    hidden = seen.proposal.requirement.hidden
    return Showing(
        lambda value, of: seen_words(value, of, hidden),
        visible,
        lambda of: is_covered(of, hidden) is not None,
    )
