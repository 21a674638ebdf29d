"""Reads `quiet_hours` in roles.yml, of everybody or of one role. Never says whether it is quiet now."""

from datetime import UTC, time
from typing import Final

import yaml

from approval_rules.quiet_hours import QuietHours
from bot.marked_yaml import Page
from bot.policy_times import read_clock, read_weekday, read_zone

MAX_SPANS: Final = 14
_FIELDS: Final = ("from", "to", "time_zone", "days")
_MIDNIGHT: Final = "24:00"
_NOTHING: Final = QuietHours(time(), time(1), UTC)


def read_quiet_hours(page: Page, node: yaml.Node) -> tuple[QuietHours, ...]:
    """Read one span, or a list of them; an empty list means that a role has none."""
    if isinstance(node, yaml.MappingNode):
        return (_read_span(page, node),)
    items = page.items(node, "quiet_hours", empty=True)
    if len(items) > MAX_SPANS:
        page.fault(node, f"more than {MAX_SPANS} spans; name their days together")
        return ()
    return tuple(_read_span(page, item) for item in items)


def _read_span(page: Page, node: yaml.Node) -> QuietHours:
    fields = page.fields(node, "quiet_hours", _FIELDS)
    missing = [name for name in _FIELDS[:3] if name not in fields]
    if missing:
        page.fault(node, f"quiet_hours lacks {' and '.join(missing)}")
        return _NOTHING
    start = read_clock(page, fields["from"], "from")
    whole = getattr(fields["to"], "value", None) == _MIDNIGHT
    end = time() if whole else read_clock(page, fields["to"], "to")
    if start == end and not whole:
        page.fault(node, 'begins when it ends; write from: "00:00" and to: "24:00" for the whole day')
    zone = read_zone(page, fields["time_zone"])
    if "days" not in fields:
        return QuietHours(start, end, zone)
    days = [read_weekday(page, each, "a day") for each in page.items(fields["days"], "days")]
    return QuietHours(start, end, zone, frozenset(days))
