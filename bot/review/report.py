"""The report on one role's week, as one JSON document: what is shown, signed and kept all comes from it.

It holds pseudonyms, ids, tools, rules and fixed words, and nothing that a person or an agent wrote: it can be kept for
ever, and what it means to a reader goes when that is erased. The same record gives the same bytes, whenever it is made.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from approval_rules.people import RoleName
from approval_rules.times import format_time
from bot.review.findings import Decided, Finding, Found, Kind, Told, found_in
from bot.review.week import Week

Report: TypeAlias = Mapping[str, Any]


def build(told: Told, week: Week, role: RoleName | None, *, first: bool, policy: str | None) -> Report:
    """Make the report on a week; `role` None: on everything. The `first` week of a log has none to be compared with."""
    return build_each(told, week, [role], first=first, policy=policy)[0]


def build_each(
    told: Told, week: Week, roles: Sequence[RoleName | None], *, first: bool, policy: str | None
) -> list[Report]:
    """Make the reports on several roles' week at once."""
    found = found_in(told, week)
    before = None if first else found_in(told, week.before)
    return [_report(found, before, week, role, policy) for role in roles]


def _report(found: Found, before: Found | None, week: Week, role: RoleName | None, policy: str | None) -> Report:
    mine = [one for one in found.findings if _concerns(one.roles, role)]
    now, then = _counts(found, role), None if before is None else _counts(before, role)
    decided = [one for one in found.decided if _concerns(one.roles, role)]
    return {
        "v": 1,
        "week": week.name,
        "zone": str(week.zone),
        "from": format_time(week.begins),
        "until": format_time(week.ends),
        "role": role,
        "policy": policy,
        "counts": [
            {"what": what, "now": now[what], "before": None if then is None else then[what]} for what in COUNTED
        ],
        "decisions": len(decided),
        "deciders": _deciders(decided),
        "items": [_item(number, one) for number, one in enumerate(mine, 1)],
    }


COUNTED: Final = (*(kind.value for kind in Kind), "decided-by-people", "allowed-by-policy")


def _counts(found: Found, role: RoleName | None) -> Mapping[str, int]:
    """Count each kind; of what was turned away, every try."""
    counts: Counter[str] = Counter()
    for one in found.findings:
        if _concerns(one.roles, role):
            counts[one.kind.value] += (one.count or 1) if one.kind is Kind.TURNED_AWAY else 1
    counts["decided-by-people"] = sum(_concerns(one.roles, role) for one in found.decided)
    counts["allowed-by-policy"] = sum(_concerns(roles, role) for roles in found.by_policy)
    return counts


def _deciders(decided: Sequence[Decided]) -> Mapping[str, int]:
    counts = Counter(person for one in decided for person in one.people)
    return {person: counts[person] for person in sorted(counts)}


def _item(number: int, one: Finding) -> Report:
    told = {
        "n": number,
        "kind": one.kind.value,
        "at": format_time(one.at),
        "what": one.what,
        "proposal": one.proposal,
        "tool": one.tool,
        "agent": one.agent,
        "rule": one.rule,
        "people": list(one.people) or None,
        "count": one.count,
        "ms": one.ms,
    }
    return {name: value for name, value in told.items() if value is not None}


def _concerns(roles: frozenset[RoleName] | None, role: RoleName | None) -> bool:
    return role is None or roles is None or role in roles
