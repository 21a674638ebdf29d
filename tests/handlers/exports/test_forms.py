"""Each form of the export, read back by what its standard says: every kind, and text that wants to break out."""

import csv
import io
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # no stubs among the dependencies

from bot.cli.csv_lines import csv_line
from bot.store.codec import KINDS
from handlers.audit_desk import Entry
from handlers.exports import cells, cloudevents, ndjson, ocsf, syslog
from handlers.exports.forms import JSON_LINES, LINES
from tests.golden.rebuild import files

ORIGIN = "foureyes/" + "0f" * 16
NASTY = "=cmd|' /C calc'!A0\n<13>1 - - evil - - - x\r\"]}\\\x00\x1b[31m\u202e\u2028\x85\x7f😀"
GOLDEN: Mapping[str, dict[str, Any]] = {
    name.removesuffix(".json"): json.loads(data) for name, data in files().items() if name != "chain.json"
}
WELL = {kind: Entry(json.loads(kept["entry"])["seq"], kept["entry"].encode(), None) for kind, kept in GOLDEN.items()}
HOSTILE = {
    kind: Entry(entry.seq, entry.body, {"reason": json.dumps(NASTY, ensure_ascii=False), "n": "180.10"})
    for kind, entry in WELL.items()
}


def of_each(kind: str) -> list[Entry]:
    """Give an entry of a kind: as it stands, and with values that nobody can trust."""
    return [WELL[kind], HOSTILE[kind]]


def test_every_kind_is_here() -> None:
    """What is tested below is tested for each kind of event that there is."""
    assert {*WELL} == {*KINDS}
    assert {*ocsf.MAPPED} <= {*KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_a_line_is_the_entry(kind: str) -> None:
    """Without values the bytes of the log; with them the same object, each value exact to the digit; one line."""
    plain, hostile = of_each(kind)
    assert ndjson.line(ORIGIN, plain).encode() == plain.body
    for line in (ndjson.line(ORIGIN, hostile), ndjson.ascii_line(ORIGIN, hostile)):
        assert "\n" not in line
        assert "\r" not in line
        read = json.loads(line, parse_float=str)
        assert read.pop("values") == {"reason": NASTY, "n": "180.10"}
        assert read == json.loads(plain.body)
    assert ndjson.ascii_line(ORIGIN, hostile).isascii()
    assert ndjson.ascii_line(ORIGIN, hostile).isprintable()


# CloudEvents 1.0.2, sections "Context Attributes" and "JSON Event Format".
ENVELOPE = {
    "type": "object",
    "required": ["id", "source", "specversion", "type"],
    "properties": {
        "id": {"type": "string", "minLength": 1},
        "source": {"type": "string", "format": "uri-reference", "minLength": 1, "pattern": "^[!-~]+$"},
        "specversion": {"const": "1.0"},
        "type": {"type": "string", "pattern": r"^io\.foureyes\.[a-z_]+\.[a-z_]+$"},
        "subject": {"type": "string", "minLength": 1},
        "time": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$"},
        "datacontenttype": {"const": "application/json"},
        "data": {"type": "object"},
    },
    "propertyNames": {"pattern": "^[a-z0-9]{1,20}$"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_cloudevents(kind: str) -> None:
    """A structured event: its attributes as the specification has them, its data the entry itself."""
    for entry in of_each(kind):
        line = cloudevents.line(ORIGIN, entry)
        assert "\n" not in line
        event = json.loads(line)
        Draft202012Validator(ENVELOPE).validate(event)
        body = json.loads(entry.body)
        assert (event["source"], event["id"]) == (ORIGIN, f"{ORIGIN}/{entry.seq}")
        assert (event["type"], event["subject"], event["time"]) == (f"io.foureyes.{kind}", body["subject"], body["at"])
        assert {**event["data"], "values": None} == {**body, "values": None}
    assert cloudevents.line(ORIGIN, WELL[kind]).endswith(f'"data": {WELL[kind].body.decode()}}}')


# RFC 5424, section 6: ABNF as a pattern. A PARAM-VALUE escapes what would end it.
MESSAGE = re.compile(
    r"<(?P<pri>\d{1,3})>1 (?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6}Z) (?P<host>-|[!-~]{1,255})"
    r" (?P<app>[!-~]{1,48}) (?P<proc>-|[!-~]{1,128}) (?P<msgid>-|[!-~]{1,32})"
    r" (?P<sd>(?:\[[!#-<>-\\^-~]{1,32}(?: [!#-<>-\\^-~]{1,32}=\"(?:[^\"\\\]]|\\[\"\\\]])*\")*\])+)(?: (?P<msg>.*))?"
)
PARAM = re.compile(r" ([!#-<>-\\^-~]{1,32})=\"((?:[^\"\\\]]|\\[\"\\\]])*)\"")


@pytest.mark.parametrize("kind", KINDS)
def test_syslog(kind: str) -> None:
    """One line of visible ASCII that fits the grammar, its facility log audit; the message is the entry."""
    for entry in of_each(kind):
        line = syslog.line(ORIGIN, entry)
        assert line.isascii()
        assert line.isprintable()
        match = MESSAGE.fullmatch(line)
        assert match is not None
        assert (match["app"], match["msgid"]) == ("foureyes", kind)
        facility, severity = divmod(int(match["pri"]), 8)
        assert facility == 13
        assert severity == (5 if "refused" in kind or kind in {"budget.exceeded", "proposal.blocked"} else 6)
        params = {name: re.sub(r'\\(["\\\]])', r"\1", value) for name, value in PARAM.findall(match["sd"])}
        body = json.loads(entry.body)
        assert (params["seq"], params["subject"], params["origin"]) == (str(entry.seq), body["subject"], ORIGIN)
        assert json.loads(match["msg"])["id"] == body["id"] == params["id"]


def test_a_hostile_subject_cannot_end_its_parameter() -> None:
    """Quotes, brackets and backslashes are escaped, and what is invisible becomes a question mark."""
    body = {**json.loads(WELL["switch.paused"].body), "subject": 'x"] [evil@1 a="\\\n\u202e'}
    line = syslog.line(ORIGIN, Entry(7, json.dumps(body).encode(), None))
    match = MESSAGE.fullmatch(line)
    assert match is not None
    assert dict(PARAM.findall(match["sd"]))["subject"] == 'x\\"\\] [evil@1 a=\\"\\\\??'


# OCSF 1.8.0: what every event must have, and what each class that is used asks for beside it.
USER = {
    "type": "object",
    "anyOf": [{"required": ["name"]}, {"required": ["uid"]}],
    "properties": {"uid": {"minLength": 1}},
}
TEXT = {"type": "string", "minLength": 1}
EVENT = {
    "type": "object",
    "required": [
        *("activity_id", "category_uid", "class_uid", "metadata", "severity_id", "time", "type_uid"),
        *("activity_name", "class_name", "message", "status_id", "raw_data"),
    ],
    "additionalProperties": False,
    "properties": {
        **{
            name: {"type": "integer", "minimum": 0} for name in ("activity_id", "category_uid", "class_uid", "type_uid")
        },
        **dict.fromkeys(("activity_name", "class_name", "message", "raw_data", "status_detail"), TEXT),
        "severity_id": {"enum": [0, 1, 2, 3, 4, 5, 6, 99]},
        "status_id": {"enum": [1, 2]},
        "time": {"type": "integer", "minimum": 1_500_000_000_000},
        "metadata": {
            "type": "object",
            "required": ["product", "version"],
            "additionalProperties": False,
            "properties": {
                "version": {"const": "1.8.0"},
                "product": {"type": "object", "required": ["name"]},
                "sequence": {"type": "integer"},
                **dict.fromkeys(("event_code", "log_name", "original_event_uid", "original_time", "uid"), TEXT),
            },
        },
        "actor": {"type": "object", "required": ["user"], "properties": {"user": USER}},
        "user": USER,
        "entity": {
            "type": "object",
            "anyOf": [{"required": ["name"]}, {"required": ["uid"]}],
            "properties": {"uid": TEXT},
        },
        "privileges": {"type": "array", "items": TEXT, "minItems": 1},
        "resources": {"type": "array", "items": {"type": "object", "required": ["uid"], "properties": {"uid": TEXT}}},
        "unmapped": {"type": "object"},
    },
}
CLASSES: Mapping[int, tuple[int, set[int], set[str]]] = {
    0: (0, {0, 99}, set()),
    3001: (3, {*range(13), 99}, {"user"}),
    3004: (3, {*range(14), 99}, {"entity"}),
    3005: (3, {0, 1, 2, 3, 4, 99}, {"user"}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_ocsf(kind: str) -> None:
    """The event has what its class asks for, its type follows from class and activity, and nothing is lost."""
    for entry in of_each(kind):
        event = json.loads(ocsf.line(ORIGIN, entry))
        Draft202012Validator(EVENT).validate(event)
        category, activities, asked = CLASSES[event["class_uid"]]
        assert event["category_uid"] == category
        assert event["activity_id"] in activities
        assert asked <= {*event}
        assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]
        assert (event["activity_name"] == kind) == (event["activity_id"] == 99)
        body = json.loads(entry.body)
        assert event["raw_data"] == entry.body.decode()
        assert (event["metadata"]["uid"], event["metadata"]["sequence"]) == (f"{ORIGIN}/{entry.seq}", entry.seq)
        at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=event["time"])
        assert f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}" == body["at"][:23]
        assert event["status_id"] == (2 if syslog.refused(body) else 1)
        who = event["unmapped"]["actor"]["ref"] if event["class_uid"] == 0 else event["actor"]["user"]["uid"]
        assert who == body["actor"]["ref"]
        if entry.values is not None:
            assert event["unmapped"]["values"] == {"reason": NASTY, "n": "180.10"}


@pytest.mark.parametrize(
    ("kind", "change", "activity"),
    [
        ("agent.changed", "added", 1),
        ("agent.changed", "rotated", 3),
        ("agent.changed", "revoked", 9),
        ("operator.key_changed", "revoked", 2),
        ("auditor.key_changed", "added", 1),
        ("agent.changed", "of a later version", 99),
    ],
)
def test_an_activity_follows_the_change(kind: str, change: str, activity: int) -> None:
    """Giving and taking are told apart; a word that is not known yet is Other, by the name of the kind."""
    body = json.loads(WELL[kind].body)
    body["data"]["change"] = change
    event = json.loads(ocsf.line(ORIGIN, Entry(1, json.dumps(body).encode(), None)))
    assert event["activity_id"] == activity


@pytest.mark.parametrize("kind", KINDS)
def test_csv(kind: str) -> None:
    """A reader of RFC 4180 gets one row with a cell for each heading; none is a formula or has control characters."""
    for entry in of_each(kind):
        (row,) = csv.reader(io.StringIO(csv_line(cells.cells(entry)), newline=""), strict=True)
        assert len(row) == len(cells.HEADINGS)
        assert row[:4] == [str(entry.seq), json.loads(entry.body)["at"], kind, json.loads(entry.body)["subject"]]
        for cell in row:
            assert cell.isprintable()
            assert cell[:1] not in set("=+-@")
    assert (cells.cells(WELL[kind])[-1], "180.10" in str(cells.cells(HOSTILE[kind])[-1])) == ("", True)


def test_what_the_stream_offers_is_json() -> None:
    """Every form of the stream is one JSON object a line."""
    assert {*JSON_LINES} < {*LINES}
    for name in JSON_LINES:
        assert isinstance(json.loads(LINES[name](ORIGIN, HOSTILE["vote.refused"])), dict)
