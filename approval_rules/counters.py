"""What went before, as conditions read it: `count(24h)`, `sum(amount_usd, 24h by customer_id)`. Counts nothing itself.

A counter is written into a condition as a call and read as a name, which the store fills inside the transaction that
takes the proposal in: two proposals that pass a limit only together cannot both slip through.
"""

import re
from dataclasses import dataclass
from datetime import timedelta

MAX_WINDOW = timedelta(days=31)
CALLS = frozenset({"count", "sum"})
HOW = "write count(24h) or sum(FIELD, 24h), and 'by agent' or 'by FIELD' inside to count apart, at most 31d back"
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_QUOTED_OR_CALL = re.compile(
    r"""'[^']*'|"[^"]*"|(?<![\w.])(?P<kind>count|sum)\(\s*(?:(?P<field>[A-Za-z_]\w*)\s*,\s*)?"""
    r"""(?P<span>[1-9][0-9]{0,3})(?P<unit>[mhd])(?:\s+by\s+(?P<by>[A-Za-z_]\w*))?\s*\)""",
    re.ASCII,
)


@dataclass(frozen=True, slots=True, order=True)
class Counter:
    """Proposals of the same tool within `window` before now that are open or approved, without this one.

    `field` None counts them; else its values are summed. `by` is `agent`, or a name of the arguments or facts: only
    those count then that share this proposal's agent or value. `name` is what a condition reads, and says the rest.
    """

    name: str
    window: timedelta
    field: str | None = None
    by: str | None = None

    @property
    def written(self) -> str:
        """The counter as a policy's author writes it."""
        tail = f" by {self.by}" if self.by else ""
        head = self.name.removesuffix(f"_by_{self.by}") if self.by else self.name
        return f"{head.partition('_')[0]}({f'{self.field}, ' if self.field else ''}{head.rpartition('_')[2]}{tail})"


def named(text: str) -> tuple[str, dict[str, Counter]]:
    """Put a name in the place of each counter, as long as the call was, so that every place in the text stays."""
    found: dict[str, Counter] = {}

    def name_of(match: re.Match[str]) -> str:
        kind, field, by = match["kind"], match["field"], match["by"]
        if kind is None or (kind == "sum") != (field is not None):
            return match[0]
        window = int(match["span"]) * _UNITS[match["unit"]]
        if window > MAX_WINDOW:
            return match[0]
        parts = [kind, *([field] if field else []), match["span"] + match["unit"], *(["by", by] if by else [])]
        name = "_".join(parts)
        found[name] = Counter(name, window, field, by)
        return name.ljust(len(match[0]))

    return _QUOTED_OR_CALL.sub(name_of, text), found
