"""Reads the page of one tool (`TOOL.yml`) into a Policy. Never opens a file, never knows other pages."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Literal, NamedTuple

import yaml

from approval_rules.conditions import Condition, ConditionFaultError, compile_condition
from approval_rules.people import RoleName, ToolName
from approval_rules.policy import Allow, Ask, Block, Policy, Rule, Verdict
from approval_rules.requirement import MAX_TTL, Seat
from bot.marked_yaml import Page

DEFAULT_APPROVALS = 2
MAX_APPROVALS = 10
MAX_RULES = 200
MAX_RETAIN_DAYS = 3660
_TOOL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_ROLE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
_CHANNEL = re.compile(r"[CG][A-Z0-9]{2,30}")
_DURATION = re.compile(r"([1-9][0-9]{0,5})([mhd])")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_VERDICTS = ("allow", "require_approval", "block")


class PlacedAsk(NamedTuple):
    """An ask and where it stands."""

    page: Page
    node: yaml.Node
    ask: Ask


class PolicyPage(NamedTuple):
    """What one file says."""

    policy: Policy
    asks: tuple[PlacedAsk, ...]


def read_policy(page: Page, node: yaml.Node, stem: str) -> PolicyPage | None:
    """Read one file's policy; None, and a fault on the page, where there is none to be had."""
    top = page.fields(node, "the file", {"policy"})
    if "policy" not in top:
        page.fault(node, "must begin with 'policy:'")
        return None
    body = top["policy"]
    fields = page.fields(body, "policy", {"tool", "rules"})
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
            rules.append(rule)
    redact, retain_days = _read_log(page, logs)
    if items and len(items) == len(logs):
        page.fault(fields["rules"], "holds no rule that decides; add one with allow, require_approval or block")
    return None if tool is None else PolicyPage(Policy(tool, tuple(rules), redact, retain_days), tuple(asks))


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
    elif tool != stem:
        page.fault(node, f"the file of the tool {tool} must be named {tool}.yml")
    else:
        return tool
    return None


def _read_item(page: Page, item: yaml.Node, index: int, asks: list[PlacedAsk], logs: list[yaml.Node]) -> Rule | None:
    fields = page.fields(item, "a rule", {"if", "log", *_VERDICTS})
    if "log" in fields:
        if len(fields) > 1:
            page.fault(item, "a 'log' item stands alone; it has no condition and decides nothing")
        logs.append(fields["log"])
        return None
    named = [key for key in _VERDICTS if key in fields]
    if len(named) != 1:
        page.fault(item, f"a rule needs exactly one of {', '.join(_VERDICTS)}; this one has {len(named)}")
        return None
    condition = _read_condition(page, fields["if"]) if "if" in fields else None
    verdict = _read_verdict(page, named[0], fields[named[0]], asks)
    if verdict is None or ("if" in fields and condition is None):
        return None
    return Rule(index, condition, verdict, page.source(item))


def _read_condition(page: Page, node: yaml.Node) -> Condition | None:
    text = page.words(node, "a condition")
    if text is None or not isinstance(node, yaml.ScalarNode):
        return None
    try:
        return compile_condition(text)
    except ConditionFaultError as fault:
        page.fault_inside(node, fault.offset, f"condition: {fault.detail}")
        return None


def _read_verdict(page: Page, key: str, node: yaml.Node, asks: list[PlacedAsk]) -> Verdict | None:
    if key == "require_approval":
        ask = _read_ask(page, node)
        if ask is not None:
            asks.append(PlacedAsk(page, node, ask))
        return ask
    if page.is_true(node):
        return Allow() if key == "allow" else Block()
    if key == "allow":
        page.fault(node, "allow can only be true; to forbid, write block")
        return None
    reason = page.words(node, "block is true, or the reason, which")
    return None if reason is None else Block(" ".join(reason.split()))


# --- log


def _read_log(page: Page, logs: list[yaml.Node]) -> tuple[tuple[str, ...], int | None]:
    if len(logs) > 1:
        page.fault(logs[1], "a second 'log' item; put both into one")
    if not logs:
        return (), None
    fields = page.fields(logs[0], "log", {"redact_fields", "retain_days"})
    nodes = page.items(fields["redact_fields"], "redact_fields") if "redact_fields" in fields else []
    names = [page.words(each, "a field") for each in nodes]
    retain_days = (
        page.whole(fields["retain_days"], "retain_days", 1, MAX_RETAIN_DAYS) if "retain_days" in fields else None
    )
    return tuple(dict.fromkeys(name for name in names if name is not None)), retain_days


# --- require_approval


def _read_ask(page: Page, node: yaml.Node) -> Ask | None:
    if isinstance(node, yaml.ScalarNode):
        role = _read_role(page, node)
        return None if role is None else Ask((Seat(role, DEFAULT_APPROVALS),))
    before = len(page.faults)
    fields = page.fields(node, "require_approval", {"role", "roles", "approvals", "step_up", "expires_in", "channel"})
    seats = _read_seats(page, node, fields)
    ask = Ask(
        seats,
        _read_duration(page, fields["expires_in"]) if "expires_in" in fields else None,
        _read_step_up(page, fields["step_up"]) if "step_up" in fields else "none",
        read_channel(page, fields["channel"]) if "channel" in fields else None,
    )
    return ask if seats and len(page.faults) == before else None


def _read_seats(page: Page, node: yaml.Node, fields: Mapping[str, yaml.Node]) -> tuple[Seat, ...]:
    """One role: so many of it. Several: one person for each name in the list, all of them needed."""
    if ("role" in fields) == ("roles" in fields):
        page.fault(node, "require_approval needs either 'role' or 'roles'")
        return ()
    nodes = [fields["role"]] if "role" in fields else page.items(fields["roles"], "roles")
    roles = [role for role in (_read_role(page, each) for each in nodes) if role is not None]
    several = len(roles) > 1
    approvals: int | None = len(roles) if several else DEFAULT_APPROVALS
    if "approvals" in fields:
        approvals = page.whole(fields["approvals"], "approvals", 1, MAX_APPROVALS)
    if len(roles) < len(nodes) or not roles or approvals is None:
        return ()
    if not several:
        return (Seat(roles[0], approvals),)
    if approvals != len(roles):
        page.fault(
            fields.get("approvals", node),
            f"with several roles each name is one person, so approvals is {len(roles)}; name a role twice for two",
        )
        return ()
    return tuple(Seat(role, roles.count(role)) for role in dict.fromkeys(roles))


def _read_role(page: Page, node: yaml.Node) -> RoleName | None:
    name = page.words(node, "a role")
    return RoleName(name) if name is not None and check_role_name(page, node, name) else None


def check_role_name(page: Page, node: yaml.Node, name: str) -> bool:
    """Whether this can be a role's name; a fault at the node where it cannot."""
    if _ROLE.fullmatch(name):
        return True
    page.fault(node, "a role's name begins with a letter and has letters, digits, '.', '_' and '-', at most 64")
    return False


def _read_duration(page: Page, node: yaml.Node) -> timedelta | None:
    match = _DURATION.fullmatch(node.value) if isinstance(node, yaml.ScalarNode) else None
    if match and (span := int(match[1]) * _UNITS[match[2]]) <= MAX_TTL:
        return span
    page.fault(node, f"a time is a number with m, h or d, such as 30m, 4h or 2d, and at most {MAX_TTL.days}d")
    return None


def _read_step_up(page: Page, node: yaml.Node) -> Literal["none"]:
    if page.words(node, "step_up") not in {None, "none"}:
        page.fault(node, "step_up can only be 'none' in this version; no second factor would be asked for")
    return "none"


def read_channel(page: Page, node: yaml.Node) -> str | None:
    """Give the channel's id that stands at a node."""
    name = page.words(node, "a channel")
    if name is not None and not _CHANNEL.fullmatch(name):
        page.fault(node, "a channel is named by its id, such as C0123456789 (in Slack: channel details, at the bottom)")
    return name
