"""What judging a proposal costs: the rules of its own tool, and nothing for the other tools of the folder."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace

from approval_rules.explanation import explain
from approval_rules.people import ToolName
from approval_rules.policy import Policy, PolicyFolder, classify
from tests.rules.builders import AGENT, REFUND, START
from tests.rules.policies import ALLOW, BLOCK, TWO, draft, folder

FEW = folder(("n > 50", TWO), ("n > 90 or s == 'x'", BLOCK), ("n <= 50", ALLOW))
SENT = draft({"n": 5, "s": "y"})


def beside(others: int) -> PolicyFolder:
    """Give the folder with so many other tools."""
    (policy,) = FEW.policies.values()
    more = {ToolName(f"other.{number}"): Policy(ToolName(f"other.{number}"), policy.rules) for number in range(others)}
    return replace(FEW, policies={**more, REFUND: policy})


class OnlyItsOwn(Mapping[ToolName, Policy]):
    """The policies of a folder, of which only one tool's may be looked at."""

    def __getitem__(self, tool: ToolName) -> Policy:
        assert tool == REFUND
        return FEW.policies[tool]

    def __iter__(self) -> Iterator[ToolName]:
        raise AssertionError("the other tools were looked at")

    def __len__(self) -> int:
        raise AssertionError("the other tools were counted")


def test_no_other_tool_is_looked_at() -> None:
    """Judging and explaining read the tool's own rules; no other page is opened, counted or walked over."""
    alone = replace(FEW, policies=OnlyItsOwn())
    assert classify(alone, SENT, AGENT, START) == classify(FEW, SENT, AGENT, START)
    assert explain(alone, SENT, AGENT, START).result == classify(FEW, SENT, AGENT, START)


def quickest(policy: PolicyFolder) -> int:
    """Give the nanoseconds of the quickest of many judgements: what the machine does besides makes none quicker."""
    taken = []
    for _ in range(200):
        begun = time.perf_counter_ns()
        classify(policy, SENT, AGENT, START)
        taken.append(time.perf_counter_ns() - begun)
    return min(taken)


def test_judging_takes_as_long_beside_five_hundred_tools() -> None:
    """Five hundred tools more do not make it twice as long; walking over them would."""
    alone, many = beside(0), beside(500)
    assert min(quickest(many) for _ in range(5)) < 2 * max(quickest(alone) for _ in range(5))
