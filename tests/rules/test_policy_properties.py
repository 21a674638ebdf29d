"""Whatever the rules and the values are: classify answers, and never greener than a plain reading of the contract."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from approval_rules.explanation import explain
from approval_rules.policy import classify
from approval_rules.requirement import Requirement, Tier
from approval_rules.verdicts import Allow, Ask, Block, Verdict
from tests.rules.builders import AGENT, START
from tests.rules.policies import (
    ALLOW,
    BLOCK,
    THREE,
    TWO,
    anything,
    anything_named,
    conditions,
    draft,
    folder,
    judged,
    well_typed,
)
from tests.rules.test_conditions import engine_says

verdicts: st.SearchStrategy[Verdict] = st.sampled_from([ALLOW, ALLOW, TWO, THREE, BLOCK])
rules = st.lists(st.tuples(st.none() | conditions, verdicts), min_size=1, max_size=4)


def plain_reading(them: list[tuple[str | None, Verdict]], names: dict[str, Any]) -> Tier:
    """The contract's sentences, one by one, over rule-engine's own answers."""
    answers = [True if text is None else engine_says(text, names) for text, _ in them]
    said = [verdict for (_, verdict), answer in zip(them, answers, strict=True) if answer is True]
    if any(isinstance(verdict, Block) for verdict in said):
        return Tier.RED
    first = next((i for i, answer in enumerate(answers) if answer is True), len(them))
    unknown = [i for i, answer in enumerate(answers) if not isinstance(answer, bool)]
    doubtful = [i for i in unknown if i < first or isinstance(them[i][1], Block)]
    if said and isinstance(said[0], Allow) and not doubtful:
        return Tier.GREEN
    return Tier.YELLOW if any(isinstance(verdict, Ask) for _, verdict in them) else Tier.RED


@given(rules, well_typed)
def test_tier_is_the_plain_reading(them: list[tuple[str | None, Verdict]], names: dict[str, Any]) -> None:
    """On values of the expected types the tier is exactly what the contract says."""
    assert judged(folder(*them), names).tier is plain_reading(them, names)


@given(rules, anything_named)
def test_never_greener_than_the_plain_reading(them: list[tuple[str | None, Verdict]], names: dict[str, Any]) -> None:
    """On values of any type, green needs the plain reading to be green; yellow names somebody, the others nobody."""
    requirement = judged(folder(*them), names)
    if requirement.tier is Tier.GREEN:
        present = {name: value for name, value in names.items() if value is not None}
        assert plain_reading(them, present) is Tier.GREEN
    assert (requirement.approvals > 0) == (requirement.tier is Tier.YELLOW)


@given(rules, anything, anything)
def test_classify_and_explain_never_raise(
    them: list[tuple[str | None, Verdict]], arguments: object, facts: object
) -> None:
    """Arguments and facts of any shape get an answer, and explaining comes to the same one."""
    policy, sent = folder(*them), draft(arguments, facts)
    result = classify(policy, sent, AGENT, START)
    assert explain(policy, sent, AGENT, START).result == result
    if isinstance(result, Requirement):
        assert result.policy.because
