"""Reads what a rule decides: `allow`, `require_approval` or `block`, short and long. Never reads a condition."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple

import yaml

from approval_rules.people import RoleName
from approval_rules.policy import Rule
from approval_rules.requirement import MAX_TTL, Initiation, Seat
from approval_rules.step_up import STEP_UPS, StepUp
from approval_rules.verdicts import Allow, Ask, Block, Verdict, asked_by
from bot.marked_yaml import Page

DEFAULT_APPROVALS = 2
MAX_APPROVALS = 10
VERDICTS = ("allow", "require_approval", "block")
_ROLE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
_CHANNEL = re.compile(r"[CG][A-Z0-9]{2,30}")
_DURATION = re.compile(r"([1-9][0-9]{0,5})([mhd])")
_SHARE = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,2})?) ?%")
_ASKS = {"role", "roles", "seats", "approvals", "step_up", "expires_in", "channel", "backup", "excluded", "urgent"}
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_ALL = 100
_TWO_OTHERS = 2
_STRONG: StepUp = "passkey"


def barring(rule: Rule, excluded: tuple[str, ...]) -> Rule:
    """Let a rule ask nobody whom these fields name, beside those whom it names itself."""
    verdict = rule.verdict
    ask = verdict.then if isinstance(verdict, Block) else asked_by(verdict)
    if ask is None or not excluded:
        return rule
    asked = replace(ask, excluded=tuple(dict.fromkeys((*excluded, *ask.excluded))))
    match verdict:
        case Allow():
            return replace(rule, verdict=replace(verdict, otherwise=asked))
        case Block():
            return replace(rule, verdict=replace(verdict, then=asked))
    return replace(rule, verdict=asked)


class PlacedAsk(NamedTuple):
    """An ask and where it stands."""

    page: Page
    node: yaml.Node
    ask: Ask


def read_verdict(page: Page, key: str, node: yaml.Node, asks: list[PlacedAsk]) -> Verdict | None:
    """Read what stands under `allow`, `require_approval` or `block`; every ask in it is added to `asks`."""
    if key == "require_approval":
        return _placed_ask(page, node, asks)
    if page.is_true(node):
        return Allow() if key == "allow" else Block()
    if key == "allow":
        return _read_dial(page, node, asks)
    reason = page.words(node, "block is true, or the reason, which")
    return None if reason is None else Block(" ".join(reason.split()))


def _read_dial(page: Page, node: yaml.Node, asks: list[PlacedAsk]) -> Allow | None:
    if not isinstance(node, yaml.MappingNode):
        page.fault(node, "allow is true, or a dial: {share: 20 %, else: ROLE}; to forbid, write block")
        return None
    fields = page.fields(node, "allow", {"share", "else"})
    missing = [name for name in ("share", "else") if name not in fields]
    if missing:
        page.fault(node, f"a dial needs {' and '.join(missing)}: {{share: 20 %, else: ROLE}}")
        return None
    share, otherwise = _read_share(page, fields["share"]), _placed_ask(page, fields["else"], asks)
    return None if share is None or otherwise is None else Allow(share, otherwise)


def _read_share(page: Page, node: yaml.Node) -> Decimal | None:
    share = share_of(node.value) if isinstance(node, yaml.ScalarNode) else None
    if share is not None:
        return share
    page.fault(node, "share is a percentage from 0 % to 100 %, such as 5 % or 0.5 %")
    return None


def share_of(text: str) -> Decimal | None:
    """Read a percentage from 0 % to 100 %; None where it is none."""
    match = _SHARE.fullmatch(text)
    share = Decimal(match[1]) if match else None
    return None if share is None or share > _ALL else share.normalize() + 0


def _placed_ask(page: Page, node: yaml.Node, asks: list[PlacedAsk]) -> Ask | None:
    ask = _read_ask(page, node)
    if ask is not None:
        asks.append(PlacedAsk(page, node, ask))
    return ask


def _read_ask(page: Page, node: yaml.Node) -> Ask | None:
    if isinstance(node, yaml.ScalarNode):
        role = _read_role(page, node)
        return None if role is None else Ask((Seat(role, DEFAULT_APPROVALS),))
    before = len(page.faults)
    fields = page.fields(node, "require_approval", _ASKS)
    seats = _read_seats(page, node, fields)
    ask = Ask(
        seats,
        _read_duration(page, fields["expires_in"]) if "expires_in" in fields else None,
        _read_step_up(page, fields["step_up"]) if "step_up" in fields else "none",
        read_channel(page, fields["channel"]) if "channel" in fields else None,
        _read_role(page, fields["backup"]) if "backup" in fields else None,
        read_excluded(page, fields["excluded"]) if "excluded" in fields else (),
        urgent="urgent" in fields and _is_urgent(page, fields["urgent"]),
    )
    if any(seat.role == ask.backup for seat in seats):
        page.fault(fields["backup"], f"the role {ask.backup} is asked from the beginning; name another one as backup")
    return ask if seats and len(page.faults) == before else None


def _read_seats(page: Page, node: yaml.Node, fields: Mapping[str, yaml.Node]) -> tuple[Seat, ...]:
    """One role: so many of it. Several: one person for each name in the list, all of them needed."""
    if sum(name in fields for name in ("role", "roles", "seats")) != 1:
        page.fault(node, "require_approval needs one of 'role', 'roles' and 'seats'")
        return ()
    if "seats" in fields:
        return _read_seat_list(page, fields)
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


def _read_seat_list(page: Page, fields: Mapping[str, yaml.Node]) -> tuple[Seat, ...]:
    """So many people of each role, all of them needed; nobody fills two seats."""
    seats: list[Seat] = []
    for item in page.items(fields["seats"], "seats"):
        parts = page.fields(item, "a seat", {"role", "count"})
        role = _read_role(page, parts["role"]) if "role" in parts else None
        count = page.whole(parts["count"], "count", 1, MAX_APPROVALS) if "count" in parts else 1
        if "role" not in parts:
            page.fault(item, "a seat needs a role: {role: ROLE, count: 1}")
        elif any(seat.role == role for seat in seats):
            page.fault(item, f"the role {role} has a seat already; raise its count instead")
        elif role is not None and count is not None:
            seats.append(Seat(role, count))
    needed = sum(seat.count for seat in seats)
    if "approvals" in fields:
        page.fault(fields["approvals"], "the counts of the seats say how many approve; leave approvals away")
    elif needed > MAX_APPROVALS:
        page.fault(fields["seats"], f"asks {needed} people, and at most {MAX_APPROVALS} can be asked")
    return tuple(seats)


def _read_role(page: Page, node: yaml.Node) -> RoleName | None:
    name = page.words(node, "a role")
    return RoleName(name) if name is not None and check_role_name(page, node, name) else None


def check_role_name(page: Page, node: yaml.Node, name: str) -> bool:
    """Whether this can be a role's name; a fault at the node where it cannot."""
    if _ROLE.fullmatch(name):
        return True
    page.fault(node, "a role's name begins with a letter and has letters, digits, '.', '_' and '-', at most 64")
    return False


def read_excluded(page: Page, node: yaml.Node) -> tuple[str, ...]:
    """Read the fields that name people who may not decide."""
    names = [page.words(each, "a field") for each in page.items(node, "excluded")]
    return tuple(dict.fromkeys(name for name in names if name is not None))


def _read_duration(page: Page, node: yaml.Node) -> timedelta | None:
    match = _DURATION.fullmatch(node.value) if isinstance(node, yaml.ScalarNode) else None
    if match and (span := int(match[1]) * _UNITS[match[2]]) <= MAX_TTL:
        return span
    page.fault(node, f"a time is a number with m, h or d, such as 30m, 4h or 2d, and at most {MAX_TTL.days}d")
    return None


def _read_step_up(page: Page, node: yaml.Node) -> StepUp:
    word = page.words(node, "step_up")
    found = next((known for known in STEP_UPS if known == word), None)
    if word is not None and found is None:
        page.fault(node, f"step_up is passkey, totp or none; {word!r} is no second factor")
    return found or "none"


def _is_urgent(page: Page, node: yaml.Node) -> bool:
    if not page.is_true(node):
        page.fault(node, "urgent is true, or left out")
    return True


def read_channel(page: Page, node: yaml.Node) -> str | None:
    """Give the channel's id that stands at a node."""
    name = page.words(node, "a channel")
    if name is not None and not _CHANNEL.fullmatch(name):
        page.fault(node, "a channel is named by its id, such as C0123456789 (in Slack: channel details, at the bottom)")
    return name


# --- who may start what is blocked


def read_starters(page: Page, node: yaml.Node, verdict: Verdict, asks: list[PlacedAsk]) -> Block | None:
    """Read `initiate` beside a `block`: a role, or the long form that says who must approve after that."""
    if not isinstance(verdict, Block):
        page.fault(node, "only what is blocked can be started by a person: put initiate beside block")
        return None
    before = len(page.faults)
    long = isinstance(node, yaml.MappingNode)
    fields = page.fields(node, "initiate", {"role", "step_up", "then"}) if long else {"role": node}
    if "role" not in fields:
        page.fault(node, "initiate names who may start it: a role, or {role: ROLE, then: {role: ROLE, approvals: 2}}")
        return None
    role = _read_role(page, fields["role"])
    step_up = _read_strong(page, fields["step_up"]) if "step_up" in fields else _STRONG
    if role is None:
        return None
    then = _read_then(page, fields["then"]) if "then" in fields else Ask((Seat(role, 2),), step_up=_STRONG)
    if then is None or len(page.faults) > before:
        return None
    asks.append(PlacedAsk(page, node, replace(then, seats=_with_starter(then.seats, role))))
    return replace(verdict, initiation=Initiation(role, step_up), then=then)


def _read_then(page: Page, node: yaml.Node) -> Ask | None:
    """Read who must approve what a person started: two at least, each with a second factor."""
    ask = _read_ask(page, node)
    if ask is None:
        return None
    if ask.approvals < _TWO_OTHERS:
        page.fault(node, "what a person starts needs two others at least; raise approvals to 2, or name a second role")
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        if key.value == "step_up":
            return replace(ask, step_up=_read_strong(page, value))
    return replace(ask, step_up=_STRONG)


def _read_strong(page: Page, node: yaml.Node) -> StepUp:
    step_up = _read_step_up(page, node)
    if step_up == "none":
        page.fault(node, "what is blocked is started and approved with a second factor: write passkey or totp")
    return step_up


def _with_starter(seats: Sequence[Seat], role: RoleName) -> tuple[Seat, ...]:
    """Count the starter too: nobody approves what he has started himself."""
    counts = {seat.role: seat.count for seat in seats}
    counts[role] = counts.get(role, 0) + 1
    return tuple(Seat(each, count) for each, count in counts.items())
