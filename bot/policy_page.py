"""Reads the page of one tool (`TOOL.yml`) into a Policy. Never opens a file, never knows other pages."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import NamedTuple

import yaml

from approval_rules.action_tiers import DUTIES, ActionTier
from approval_rules.conditions import Condition, ConditionFaultError, compile_condition
from approval_rules.contract import Contract
from approval_rules.drill import DRILL_TOOL
from approval_rules.facts import DeclaredFact
from approval_rules.implied import impossible_in
from approval_rules.kinds import ANYTHING, Known
from approval_rules.names import RESERVED, TOUCHES
from approval_rules.nearest import nearest
from approval_rules.people import ToolName
from approval_rules.policy import Policy, Rule
from approval_rules.verdicts import Block
from approval_rules.versions import CHANGE_TOOL
from bot.marked_yaml import MAX_FAULTS, Page
from bot.plain_sight import hole_in, spelt_out
from bot.policy_budgets import read_budgets
from bot.policy_facts import kind_of_fact, read_facts
from bot.policy_tiers import read_tier, require_control, rules_by_default
from bot.policy_times import read_zone
from bot.policy_verdicts import VERDICTS, PlacedAsk, barring, read_excluded, read_starters, read_verdict

MAX_RULES = 200
_FIELDS = (
    "tool",
    "mode",
    "class",
    "contract",
    "facts",
    "rules",
    "time_zone",
    "tier",
    "budgets",
    "excluded",
    "editable",
)
MAX_RETAIN_DAYS = 3660
PAYMENT = "payment"
_CLASS = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_ALL_MARKS = frozenset(TOUCHES.values())
_TOOL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")


class PolicyPage(NamedTuple):
    """What one file says."""

    policy: Policy
    asks: tuple[PlacedAsk, ...]


def read_policy(page: Page, node: yaml.Node, stem: str, contracts: Mapping[str, bytes]) -> PolicyPage | None:
    """Read one file's policy; None, and a fault on the page, where there is none to be had.

    `contracts` are the contract files of the folder by name.
    """
    top = page.fields(node, "the file", {"policy"})
    if "policy" not in top:
        page.fault(node, "must begin with 'policy:'")
        return None
    body = top["policy"]
    fields = page.fields(body, "policy", _FIELDS)
    tool = _tool(page, body, fields, stem)
    tier = read_tier(page, fields["tier"]) if "tier" in fields else None
    label = _read_class(page, fields["class"]) if "class" in fields else None
    contract = _read_contract(page, fields, contracts, label)
    facts = read_facts(page, fields["facts"], contract.arguments if contract else ANYTHING) if "facts" in fields else ()
    # Where the contract itself is at fault, which names are wrong would be a guess.
    known = _known(contract, facts) if contract or "contract" not in fields else Known(touches=_ALL_MARKS)
    if "rules" in fields:
        read = _read_rules(page, fields["rules"], known, tier)
    else:
        read = _Rules(list(rules_by_default(page, body, tier)), [], [])
    read = _excluding(page, fields, read, known)
    redact, retain_days = _read_log(page, read.logs, contract, tier)
    zone = read_zone(page, fields["time_zone"]) if "time_zone" in fields else UTC
    budgets = read_budgets(page, fields["budgets"]) if "budgets" in fields else None
    editable = _read_editable(page, fields["editable"], contract) if "editable" in fields else None
    if tool is None:
        return None
    shadow = "mode" in fields and _is_shadow(page, fields["mode"])
    policy = Policy(
        *(tool, tuple(read.rules), redact, retain_days, zone, contract, shadow, facts, label, tier, budgets, editable)
    )
    return PolicyPage(policy, tuple(read.asks))


def _read_editable(page: Page, node: yaml.Node, contract: Contract | None) -> tuple[str, ...] | None:
    """Give the arguments that people may lower; what the contract knows to be no number, nobody could."""
    names = []
    for each in page.items(node, "editable"):
        name = page.words(each, "a field")
        kind = None if contract is None or name is None else contract.arguments.fields.get(name)
        if contract is not None and name is not None and kind is None and contract.arguments.closed:
            page.fault(each, f"the contract has no field '{name}', so nobody could lower it")
        elif kind is not None and kind.what not in (None, "a number"):
            page.fault(each, f"'{name}' is no number in the contract, so nobody could lower it")
        elif name is not None:
            names.append(name)
    return tuple(dict.fromkeys(names)) or None


def _read_class(page: Page, node: yaml.Node) -> str | None:
    """Give the tool's class: `payment` asks for a contract, any other is a label for people."""
    label = page.words(node, "class")
    near = None if label is None or label == PAYMENT else nearest(label.lower(), [PAYMENT], cutoff=0.8)
    if near:
        page.fault(node, f"did you mean '{near}'? A class so near to it would protect nothing; choose another name")
    elif label is not None and not _CLASS.fullmatch(label):
        page.fault(node, "a class has small letters, digits, '_' and '-', begins with a letter, and has at most 64")
    else:
        return label
    return None


def _read_contract(
    page: Page, fields: Mapping[str, yaml.Node], files: Mapping[str, bytes], label: str | None
) -> Contract | None:
    if "contract" not in fields:
        if label == PAYMENT:
            needs = "a 'contract' that requires order_id, idempotency_key and an amount with a maximum"
            page.fault(fields["class"], f"class: payment needs {needs}")
        return None
    from bot.contracts.reading import read_contract  # noqa: PLC0415 - five megabytes that only tools with one need

    return read_contract(page, fields["contract"], files, payment=label == PAYMENT)


def _known(contract: Contract | None, declared: Sequence[DeclaredFact]) -> Known:
    """Put together what conditions may read; without a contract any name may be an argument."""
    facts = {fact.name: kind_of_fact(fact) for fact in declared}
    if contract is None:
        return Known(facts=facts)
    source = "the contract" if contract.source == "inline" else contract.source
    return Known(contract.arguments, facts, frozenset(contract.touching), source)


class _Rules(NamedTuple):
    """What stands under `rules` while it is read."""

    rules: list[Rule]
    logs: list[yaml.Node]
    asks: list[PlacedAsk]


def _excluding(page: Page, fields: Mapping[str, yaml.Node], read: _Rules, known: Known) -> _Rules:
    """Bar whom the whole file excludes from every ask of it; each name must be one that can be sent."""
    always = read_excluded(page, fields["excluded"]) if "excluded" in fields else ()
    placed = [(page, fields["excluded"], always)] if always else []
    for where, node, names in [*placed, *((each.page, each.node, each.ask.excluded) for each in read.asks)]:
        for name in names:
            if name in RESERVED or known.of(name) is None:
                where.fault(node, f"excluded: there is no field '{name}'; declare it under facts, or in the contract")
    return read._replace(rules=[barring(rule, always) for rule in read.rules])


def _read_rules(page: Page, node: yaml.Node, known: Known, tier: ActionTier | None) -> _Rules:
    read = _Rules([], [], [])
    items = page.items(node, "rules")
    if len(items) > MAX_RULES:
        page.fault(items[MAX_RULES], f"more than {MAX_RULES} rules; put some together with `in [...]`")
        return read
    for index, item in enumerate(items, start=1):
        if len(page.faults) >= MAX_FAULTS:
            break
        rule = _read_item(page, item, index, read, known)
        if rule is not None:
            _require_reachable(page, item, rule, read.rules)
            require_control(page, item, rule, tier)
            read.rules.append(rule)
    if items and len(items) == len(read.logs):
        page.fault(node, "holds no rule that decides; add one with allow, require_approval or block")
    return read


def _require_reachable(page: Page, item: yaml.Node, rule: Rule, earlier: Sequence[Rule]) -> None:
    """Refuse a rule that never decides anything: a reader would believe that it does. A block is always looked at."""
    if isinstance(rule.verdict, Block):
        return
    for before in earlier:
        why = None if isinstance(before.verdict, Block) else _takes_all_of(before.condition, rule.condition)
        if why:
            page.fault(item, f"can never be reached: rule {before.index} above {why}; remove one of them, or swap them")
            return


def _takes_all_of(earlier: Condition | None, later: Condition | None) -> str | None:
    """Say why every case of the later condition is one of the earlier condition, where that is plain to see."""
    if earlier is None:
        return "always matches"
    if later is None:
        return None
    if earlier == later:
        return "has the same condition"
    bounds = later.ranges
    if earlier.only_ranges and all(name in bounds and bounds[name].within(r) for name, r in earlier.ranges.items()):
        return "matches all that this one does"
    return None


def _tool(page: Page, body: yaml.Node, fields: Mapping[str, yaml.Node], stem: str) -> ToolName | None:
    if "tool" not in fields:
        page.fault(body, "policy has no 'tool'")
        return None
    node = fields["tool"]
    name = page.words(node, "tool")
    if name is None:
        return None
    tool = ToolName(name)
    if not _TOOL.fullmatch(tool):
        page.fault(node, "a tool's name has letters, digits, '.', '_' and '-', at most 128 of them")
    elif tool == CHANGE_TOOL:
        page.fault(node, "this name is Foureyes' own: a change of the policy, which the role policy_admin decides")
    elif tool == DRILL_TOOL:
        page.fault(node, "this name is Foureyes' own: the drill of the kill switch, which no policy decides")
    elif tool != stem:
        page.fault(node, f"the file of the tool {tool} must be named {tool}.yml")
    else:
        return tool
    return None


def _is_shadow(page: Page, node: yaml.Node) -> bool:
    name = page.words(node, "mode")
    if name not in (None, "live", "shadow"):
        page.fault(node, "mode is 'live', or 'shadow': judged and compared with people, and never executed")
    return name == "shadow"


def _read_item(page: Page, item: yaml.Node, index: int, read: _Rules, known: Known) -> Rule | None:
    fields = page.fields(item, "a rule", {"if", "log", "initiate", *VERDICTS})
    if "log" in fields:
        if len(fields) > 1:
            page.fault(item, "a 'log' item stands alone; it has no condition and decides nothing")
        read.logs.append(fields["log"])
        return None
    named = [key for key in VERDICTS if key in fields]
    if len(named) != 1:
        page.fault(item, f"a rule needs exactly one of {', '.join(VERDICTS)}; this one has {len(named)}")
        return None
    condition = _read_condition(page, fields["if"], known) if "if" in fields else None
    verdict = read_verdict(page, named[0], fields[named[0]], read.asks)
    if verdict is not None and "initiate" in fields:
        verdict = read_starters(page, fields["initiate"], verdict, read.asks)
    if verdict is None or ("if" in fields and condition is None):
        return None
    never = None if isinstance(verdict, Block) or condition is None else _out_of_bounds(condition, known)
    if never:
        page.fault(fields["if"], f"can never be reached: {known.source} allows no such {never}")
    mark = item.start_mark
    return Rule(index, condition, verdict, page.source(item), (mark.line + 1, mark.column + 1))


def _out_of_bounds(condition: Condition, known: Known) -> str | None:
    """Name a number that the contract refuses wherever the condition holds."""
    fields = known.arguments.fields
    return next(
        (name for name, r in condition.ranges.items() if name in fields and r.both(fields[name].range).empty), None
    )


def _read_condition(page: Page, node: yaml.Node, known: Known) -> Condition | None:
    text = page.words(node, "a condition")
    if text is None or not isinstance(node, yaml.ScalarNode):
        return None
    if spelt_out(page.text[node.start_mark.index : node.end_mark.index]):
        page.fault(node, "condition: write the text as it is, without backslashes")
        return None
    hole = hole_in(text)
    if hole:
        page.fault_inside(node, hole[0], f"condition: {hole[1]}")
        return None
    try:
        condition = compile_condition(text, known)
    except ConditionFaultError as fault:
        page.fault_inside(node, fault.offset, f"condition: {fault.detail}")
        return None
    never = impossible_in(condition.ranges)
    if never:
        page.fault(node, f"condition: can never hold, because no {never} lies within all of its bounds")
        return None
    return condition


# --- log


def _read_log(
    page: Page, logs: list[yaml.Node], contract: Contract | None, tier: ActionTier | None
) -> tuple[tuple[str, ...], int | None]:
    """Give every field to hide, the contract's too, and how long to keep records: as the tier says where none does."""
    least = 1 if tier is None else DUTIES[tier].retain_days
    hidden = {} if contract is None else contract.hidden
    if len(logs) > 1:
        page.fault(logs[1], "a second 'log' item; put both into one")
    default = None if tier is None else least
    if not logs:
        return tuple(hidden), default
    fields = page.fields(logs[0], "log", {"redact_fields", "retain_days"})
    nodes = page.items(fields["redact_fields"], "redact_fields") if "redact_fields" in fields else []
    names = [page.words(each, "a field") for each in nodes]
    for each, name in zip(nodes, names, strict=True):
        if hidden.get(name or "", "mask") != "mask":
            page.fault(each, f"the contract says x-sensitive: {hidden[name or '']}; say how to hide it in one place")
    retain_days = default
    if "retain_days" in fields:
        retain_days = page.whole(fields["retain_days"], "retain_days", 1, MAX_RETAIN_DAYS)
        if retain_days is not None and retain_days < least:
            page.fault(fields["retain_days"], f"a tool of tier {tier} keeps its records for {least} days or longer")
    return tuple(dict.fromkeys([*(name for name in names if name is not None), *hidden])), retain_days
