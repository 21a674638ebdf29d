"""An entry as a line of JSON: exactly as it stands in the log, or with its values beside it. It never rounds."""

import json

from handlers.audit_desk import Entry


def line(_origin: str, entry: Entry) -> str:
    """Write one entry; without values these are the bytes whose SHA-256 behind a zero byte is the leaf's hash."""
    body = entry.body.decode()
    if entry.values is None:
        return body
    values = ",".join(f"{json.dumps(name)}:{text}" for name, text in sorted(entry.values.items()))
    return f'{body[:-1]},"values":{{{values}}}}}'


def ascii_line(origin: str, entry: Entry) -> str:
    """Write the same with everything that is not visible ASCII escaped as JSON does: for lines that cross old wires."""
    return "".join(
        char if " " <= char <= "~" else json.dumps(char)[1:-1] if char != "\x7f" else "\\u007f"
        for char in line(origin, entry)
    )
