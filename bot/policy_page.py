"""Reads the page of one tool (`TOOL.yml`) into a Policy. Never opens a file, never knows other pages."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo
from typing import NamedTuple
from zoneinfo import ZoneInfo, available_timezones

import yaml

from approval_rules.conditions import Condition, ConditionFaultError, compile_condition
from approval_rules.contract import Contract
from approval_rules.nearest import nearest
from approval_rules.people import ToolName
from approval_rules.policy import Policy, Rule
from approval_rules.verdicts import Block
from approval_rules.versions import CHANGE_TOOL
from bot.marked_yaml import Page
from bot.policy_verdicts import VERDICTS, PlacedAsk, read_verdict

MAX_RULES = 200
MAX_RETAIN_DAYS = 3660
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
    fields = page.fields(body, "policy", {"tool", "mode", "class", "contract", "rules", "time_zone"})
    tool = _tool(page, body, fields, stem)
    if "rules" not in fields:
        page.fault(body, "policy has no 'rules'")
        return None
    items = page.items(fields["rules"], "rules")
    if len(items) > MAX_RULES:
        page.fault(items[MAX_RULES], f"more than {MAX_RULES} rules")
        return None
    rules: list[Rule] = []
    logs: list[yaml.Node] = []
    asks: list[PlacedAsk] = []
    for index, item in enumerate(items, start=1):
        rule = _read_item(page, item, index, asks, logs)
        if rule is not None:
            _require_reachable(page, item, rule, rules)
            rules.append(rule)
    contract = _read_contract(page, fields, contracts)
    redact, retain_days = _read_log(page, logs, contract)
    zone = _read_zone(page, fields["time_zone"]) if "time_zone" in fields else UTC
    if items and len(items) == len(logs):
        page.fault(fields["rules"], "holds no rule that decides; add one with allow, require_approval or block")
    if tool is None:
        return None
    shadow = "mode" in fields and _is_shadow(page, fields["mode"])
    return PolicyPage(Policy(tool, tuple(rules), redact, retain_days, zone, contract, shadow), tuple(asks))


def _read_contract(page: Page, fields: Mapping[str, yaml.Node], files: Mapping[str, bytes]) -> Contract | None:
    if not fields.keys() & {"contract", "class"}:
        return None
    from bot.contracts.reading import read_contract  # noqa: PLC0415 - five megabytes that only tools with one need

    return read_contract(page, fields, files)


def _require_reachable(page: Page, item: yaml.Node, rule: Rule, earlier: Sequence[Rule]) -> None:
    """Refuse a rule that never decides anything: a reader would believe that it does. A block is always looked at."""
    if isinstance(rule.verdict, Block):
        return
    for before in earlier:
        always, same = before.condition is None, before.condition is not None and before.condition == rule.condition
        if not isinstance(before.verdict, Block) and (always or same):
            why = "always matches" if always else "has the same condition"
            page.fault(item, f"can never be reached: rule {before.index} above {why}; remove one of them, or swap them")
            return


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


def _read_zone(page: Page, node: yaml.Node) -> tzinfo:
    name = page.words(node, "time_zone")
    if name is None:
        return UTC
    if name in available_timezones():
        return ZoneInfo(name)
    near = nearest(name, available_timezones())
    page.fault(node, "no such time zone; " + (f"did you mean '{near}'?" if near else "write one such as Europe/Berlin"))
    return UTC


def _read_item(page: Page, item: yaml.Node, index: int, asks: list[PlacedAsk], logs: list[yaml.Node]) -> Rule | None:
    fields = page.fields(item, "a rule", {"if", "log", *VERDICTS})
    if "log" in fields:
        if len(fields) > 1:
            page.fault(item, "a 'log' item stands alone; it has no condition and decides nothing")
        logs.append(fields["log"])
        return None
    named = [key for key in VERDICTS if key in fields]
    if len(named) != 1:
        page.fault(item, f"a rule needs exactly one of {', '.join(VERDICTS)}; this one has {len(named)}")
        return None
    condition = _read_condition(page, fields["if"]) if "if" in fields else None
    verdict = read_verdict(page, named[0], fields[named[0]], asks)
    if verdict is None or ("if" in fields and condition is None):
        return None
    return Rule(index, condition, verdict, page.source(item))


def _read_condition(page: Page, node: yaml.Node) -> Condition | None:
    text = page.words(node, "a condition")
    if text is None or not isinstance(node, yaml.ScalarNode):
        return None
    try:
        condition = compile_condition(text)
    except ConditionFaultError as fault:
        page.fault_inside(node, fault.offset, f"condition: {fault.detail}")
        return None
    never = sorted(name for name, each in condition.ranges.items() if each.empty)
    if never:
        page.fault(node, f"condition: can never hold, because no {never[0]} lies within all of its bounds")
        return None
    return condition


# --- log


def _read_log(page: Page, logs: list[yaml.Node], contract: Contract | None) -> tuple[tuple[str, ...], int | None]:
    """Give every field to hide, the contract's too, and how long to keep records."""
    hidden = {} if contract is None else contract.hidden
    if len(logs) > 1:
        page.fault(logs[1], "a second 'log' item; put both into one")
    if not logs:
        return tuple(hidden), None
    fields = page.fields(logs[0], "log", {"redact_fields", "retain_days"})
    nodes = page.items(fields["redact_fields"], "redact_fields") if "redact_fields" in fields else []
    names = [page.words(each, "a field") for each in nodes]
    for each, name in zip(nodes, names, strict=True):
        if hidden.get(name or "", "mask") != "mask":
            page.fault(each, f"the contract says x-sensitive: {hidden[name or '']}; say how to hide it in one place")
    retain_days = (
        page.whole(fields["retain_days"], "retain_days", 1, MAX_RETAIN_DAYS) if "retain_days" in fields else None
    )
    return tuple(dict.fromkeys([*(name for name in names if name is not None), *hidden])), retain_days
