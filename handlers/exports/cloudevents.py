"""An entry in a CloudEvents 1.0 envelope (structured mode, JSON). The data is the entry as it stands in the log."""

import json

from handlers.audit_desk import Entry
from handlers.exports import ndjson

_TYPE = "io.foureyes."


def line(origin: str, entry: Entry) -> str:
    """Write one event. `source` and `id` name the entry in the whole world; the same entry has the same again."""
    body = json.loads(entry.body)
    envelope = json.dumps(
        {
            "specversion": "1.0",
            "id": f"{origin}/{entry.seq}",
            "source": origin,
            "type": _TYPE + body["type"],
            "subject": body["subject"],
            "time": body["at"],
            "datacontenttype": "application/json",
            "sequence": f"{entry.seq:016d}",
        },
        ensure_ascii=False,
    )
    return f'{envelope[:-1]}, "data": {ndjson.line(origin, entry)}}}'
