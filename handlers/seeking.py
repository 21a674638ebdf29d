"""Reads what is looked for from named texts: the command line and HTTP understand the same words."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from approval_rules.state import Status
from handlers.audit_desk import Sought, SoughtError

STATES: Final = (*(status.value for status in Status), "claimed", "succeeded", "failed", "unknown")
NAMES: Final = ("from", "to", "person", "agent", "tool", "state", "rule", "currency", "min", "max", "text")
_LONGEST: Final = 200
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_AMOUNT: Final = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,6})?")


def sought_in(given: Mapping[str, str]) -> Sought:
    """Read a search. Raises SoughtError."""
    for name, value in given.items():
        if not value.strip() or len(value) > _LONGEST:
            raise SoughtError(name, f"must be 1 to {_LONGEST} characters")
    state = given.get("state")
    if state is not None and state not in STATES:
        raise SoughtError("state", f"must be one of {', '.join(STATES)}")
    currency, least, most = _money(given)
    return Sought(
        since=_time(given, "from", timedelta()),
        until=_time(given, "to", timedelta(days=1)),
        person=given.get("person"),
        agent=given.get("agent"),
        tool=given.get("tool"),
        state=state,
        rule=given.get("rule"),
        currency=currency,
        least=least,
        most=most,
        text=given.get("text"),
    )


def _time(given: Mapping[str, str], name: str, whole_day: timedelta) -> datetime | None:
    """Read a moment, or a day in UTC; a day as the end means all of it."""
    text = given.get(name)
    if text is None:
        return None
    try:
        if _DAY.fullmatch(text):
            return datetime.fromisoformat(text).replace(tzinfo=UTC) + whole_day
        if _MOMENT.fullmatch(text):
            return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise SoughtError(name, "must be a day such as 2026-11-21 or a time such as 2026-11-21T09:30:00Z")


def _money(given: Mapping[str, str]) -> tuple[str | None, Decimal | None, Decimal | None]:
    currency = given.get("currency")
    bounds: list[Decimal | None] = []
    for name in ("min", "max"):
        text = given.get(name)
        if text is not None and _AMOUNT.fullmatch(text) is None:
            raise SoughtError(name, "must be an amount such as 180 or 180.50")
        if text is not None and currency is None:
            raise SoughtError("currency", "must be given with an amount, such as usd")
        bounds.append(None if text is None else Decimal(text))
    if currency is not None and re.fullmatch(r"[A-Za-z]{3}", currency) is None:
        raise SoughtError("currency", "must be three letters such as usd")
    return None if currency is None else currency.lower(), bounds[0], bounds[1]
