"""An entry as the cells of a table, for people. Whoever writes them down makes them safe for a spreadsheet."""

import json
from collections.abc import Sequence
from typing import Any, Final

from handlers.audit_desk import Entry

HEADINGS: Final = ("seq", "at", "type", "subject", "actor", "person or agent", "policy", "rule", "data", "values")


def cells(entry: Entry) -> Sequence[object]:
    """Give the cells of one entry, in the order of HEADINGS; `values` is empty where none are shown."""
    body: dict[str, Any] = json.loads(entry.body)
    policy = body["policy"] or {}
    values = (
        "" if not entry.values else "{" + ", ".join(f'"{name}": {text}' for name, text in entry.values.items()) + "}"
    )
    return (
        entry.seq,
        body["at"],
        body["type"],
        body["subject"],
        body["actor"]["kind"],
        body["actor"]["ref"],
        policy.get("version"),
        policy.get("rule"),
        json.dumps(body["data"], ensure_ascii=False) if body["data"] else "",
        values,
    )
