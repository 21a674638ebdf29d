"""Reads `budgets`, in `budgets.yml` and in a tool's own file. Never counts anything."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

import yaml

from approval_rules.budgets import Budgets, Limits
from bot.marked_yaml import Page

_SPAN: Final = re.compile(r"([1-9][0-9]{0,6})([smhd])")
_UNITS: Final[Mapping[str, int]] = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_MOST_REPEATS: Final = 50
_MOST_REJECTED: Final = 1000
_MOST_PROPOSALS: Final = 1_000_000
_MOST: Final = 9_999_999_999
_DECIMALS: Final = 6


def read_budgets(page: Page, node: yaml.Node) -> Budgets:
    """Read what stands under `budgets`; faults go to the page."""
    fields = page.fields(node, "budgets", {"per_run", "per_agent_and_day", "repeats"})
    if not fields and not page.faults:
        page.fault(node, "holds no budget; name per_run, per_agent_and_day or repeats")
    return Budgets(
        _limits(page, fields["per_run"], "per_run") if "per_run" in fields else {},
        _limits(page, fields["per_agent_and_day"], "per_agent_and_day") if "per_agent_and_day" in fields else {},
        # The same thing once is no loop, and further back than the newest fifty of an action nobody looks.
        page.whole(fields["repeats"], "repeats", 2, _MOST_REPEATS) if "repeats" in fields else None,
    )


def _limits(page: Page, node: yaml.Node, what: str) -> Limits:
    fields = page.fields(node, what, _READERS)
    if not fields and not page.faults:
        page.fault(node, f"{what} holds no budget; name some of {', '.join(_READERS)}")
    read = {name: _READERS[name](page, fields[name], name) for name in _READERS if name in fields}
    return {name: limit for name, limit in read.items() if limit is not None}


def _whole(low: int, high: int) -> Callable[[Page, yaml.Node, str], Decimal | None]:
    def read(page: Page, node: yaml.Node, what: str) -> Decimal | None:
        number = page.whole(node, what, low, high)
        return None if number is None else Decimal(number)

    return read


def _span(page: Page, node: yaml.Node, what: str) -> Decimal | None:
    match = _SPAN.fullmatch(node.value) if isinstance(node, yaml.ScalarNode) else None
    if match:
        return Decimal(int(match[1]) * _UNITS[match[2]])
    page.fault(node, f"{what} is a number with s, m, h or d, such as 60s or 5m")
    return None


def _money(page: Page, node: yaml.Node, what: str) -> Decimal | None:
    before = len(page.faults)
    value = page.json(node, what)
    if isinstance(value, int | Decimal) and not isinstance(value, bool) and 0 <= value <= _MOST:
        exact = Decimal(value)
        if exact == round(exact, _DECIMALS):
            return exact
    if len(page.faults) == before:
        page.fault(node, f"{what} must be a number from 0 to {_MOST} with at most {_DECIMALS} decimals")
    return None


_READERS: Final[Mapping[str, Callable[[Page, yaml.Node, str], Decimal | None]]] = {
    "tool_calls": _whole(0, _MOST),
    "tokens": _whole(0, _MOST),
    "elapsed": _span,
    "cost_usd": _money,
    "proposals": _whole(1, _MOST_PROPOSALS),
    "rejected": _whole(1, _MOST_REJECTED),
}
