"""An entry as a syslog message (RFC 5424), one a line, in ASCII. It sends nothing: that is the work of a relay.

What an agent or a person wrote stands escaped inside the JSON of the message: it cannot end the line or begin another.
"""

import json
from typing import Any

from handlers.audit_desk import Entry
from handlers.exports import ndjson

_LOG_AUDIT = 13
_NOTICE, _INFORMATIONAL = 5, 6
# The number that IANA keeps for examples: Foureyes has none of its own.
_ELEMENT = "foureyes@32473"


def line(origin: str, entry: Entry) -> str:
    """Write one message. What was refused is a notice, everything else informational; the facility is log audit."""
    body: dict[str, Any] = json.loads(entry.body)
    priority = _LOG_AUDIT * 8 + (_NOTICE if refused(body) else _INFORMATIONAL)
    told = {
        "seq": str(entry.seq),
        "id": body["id"],
        "origin": origin,
        "subject": body["subject"],
        "actor": f"{body['actor']['kind']}:{body['actor']['ref']}",
    }
    element = " ".join([_ELEMENT, *(f'{name}="{_value(value)}"' for name, value in told.items())])
    return f"<{priority}>1 {body['at']} - foureyes - {body['type']} [{element}] {ndjson.ascii_line(origin, entry)}"


def refused(body: dict[str, Any]) -> bool:
    """Tell whether an entry is about something that was not let through, by its kind alone."""
    kind: str = body["type"]
    return kind.endswith("refused") or kind in {"budget.exceeded", "proposal.blocked"}


def _value(text: str) -> str:
    """Write the value of a parameter: visible ASCII, with what would end it escaped."""
    plain = "".join(char if " " <= char <= "~" else "?" for char in text)
    return "".join(f"\\{char}" if char in '"\\]' else char for char in plain)
