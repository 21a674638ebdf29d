"""What is allowed and dangerous in a policy folder: said when it is checked, never a reason to refuse it."""

from collections.abc import Iterator
from typing import NamedTuple

from approval_rules.conditions import Condition
from approval_rules.implied import impossible_in
from approval_rules.kinds import ANYTHING
from approval_rules.names import RESERVED, TOUCHES
from approval_rules.policy import Policy, PolicyFolder, Rule
from approval_rules.ranges import Range
from approval_rules.verdicts import Allow
from bot.policy_traps import passes_blocks, traps_in, traps_in_contract
from handlers.counting import counted


class Danger(NamedTuple):
    """One thing that somebody should look at: the file, the rule (0 where it is no rule's), what, and what to do."""

    file: str
    rule: int
    detail: str

    def __str__(self) -> str:
        return f"{self.file}{f', rule {self.rule}' if self.rule else ''}: {self.detail}"


def dangers(folder: PolicyFolder) -> list[Danger]:
    """Name every danger of a folder, file by file."""
    policies = folder.policies.values()
    found = [danger for policy in policies for danger in (*_of_policy(policy), *_of_conditions(policy))]
    return sorted(found) + list(_of_roles(folder))


def _of_policy(policy: Policy) -> Iterator[Danger]:
    file = f"{policy.tool}.yml"
    for name, lookup in policy.lookups.items():
        if lookup.url.lower().startswith("http:"):
            yield Danger(file, 0, f"{name} is looked up without TLS: whoever is in between can make it up; use https")
    for name in policy.names_people:
        if name not in policy.lookups:
            yield Danger(file, 0, f"believes the agent about whom {name} names, who may not decide; look the value up")
    counters = {counter.name for counter in policy.counters}
    numbers = {name for rule in policy.rules for name in _bounded(rule)} - counters
    arguments = policy.contract.arguments.fields if policy.contract else {}
    allows = [rule for rule in policy.rules if isinstance(rule.verdict, Allow)]
    for rule in allows:
        if rule.condition is None and policy.tier == 0:
            continue  # the file says that the tool only reads
        if rule.condition is None:
            yield Danger(
                file, rule.index, "allows everything; give it a condition, or say in the file why that is right"
            )
            continue
        for name in sorted(numbers):
            bounds = rule.condition.ranges.get(name, Range()).both(arguments.get(name, ANYTHING).range)
            if bounds.high is None:
                yield Danger(file, rule.index, f"allows any {name}, however high; add `{name} <= ...` to its condition")
            elif bounds.low is None:
                yield Danger(file, rule.index, f"allows {name} below 0; add `{name} > 0`, or a contract with a minimum")
        for name in sorted(_read(rule.condition) & policy.asserted):
            yield Danger(file, rule.index, f"believes the agent's own {name}; look the value up, or ask people")
    read = {name for rule in allows if rule.condition for name in _read(rule.condition)} - policy.lookups.keys()
    if policy.contract is None and read:
        names = ", ".join(sorted(read))
        yield Danger(
            file, 0, f"no contract says what is an argument, so an agent may send {names} as facts; add a contract"
        )


def _of_conditions(policy: Policy) -> Iterator[Danger]:
    for trap in traps_in_contract(policy):
        yield Danger(f"{policy.tool}.yml", 0, trap)
    passing = passes_blocks(policy)
    if passing is not None:
        yield Danger(f"{policy.tool}.yml", 0, passing)
    for rule in policy.rules:
        wanted = impossible_in(rule.condition.wanted) if rule.condition else None
        if wanted is not None:
            what = f"never matches: it wants {wanted} to be two things at once; write `or`, or `in`"
            yield Danger(f"{policy.tool}.yml", rule.index, what)
        for trap in traps_in(policy, rule):
            yield Danger(f"{policy.tool}.yml", rule.index, trap)


def _read(condition: Condition) -> set[str]:
    """Name what a condition reads of what the agent sent, also through its counters."""
    counted = {name for each in condition.counters for name in (each.field, each.by) if name}
    names = condition.names - {each.name for each in condition.counters}
    return {*names, *counted} - RESERVED.keys() - TOUCHES.keys()


def _bounded(rule: Rule) -> Iterator[str]:
    """Name the numbers that a rule compares from above or below; an identifier that must equal a number is none."""
    for name, each in (rule.condition.ranges if rule.condition else {}).items():
        if each.low != each.high:
            yield name


def _of_roles(folder: PolicyFolder) -> Iterator[Danger]:
    for name, members in sorted(folder.roles.items()):
        if members.usergroup is None and len(members.users) == 1:
            people = counted(len(members.users), "person", "people")
            yield Danger(
                "roles.yml", 0, f"the role {name} has {people}: nobody stands in; name a second, or a user group"
            )
