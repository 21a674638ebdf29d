"""The forms by name, for the command line and for the stream."""

from collections.abc import Callable, Mapping
from typing import Final

from handlers.audit_desk import Entry
from handlers.exports import cloudevents, ndjson, ocsf, syslog

LINES: Final[Mapping[str, Callable[[str, Entry], str]]] = {
    "ndjson": ndjson.line,
    "cloudevents": cloudevents.line,
    "ocsf": ocsf.line,
    "syslog": syslog.line,
}
# What a stream of JSON gives.
JSON_LINES: Final = ("ndjson", "cloudevents", "ocsf")
