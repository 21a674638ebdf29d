"""What the calls of auditors take and can answer, for the OpenAPI document and the docs page."""

import json
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from approval_rules.text import AgentText
from approval_rules.times import format_time
from handlers.audit_desk import Deciding, Hit, SearchPage
from handlers.exports.forms import JSON_LINES
from handlers.http import audit_answers, audit_render, schemas
from handlers.http.audit_query import MAX_WAIT_S, MOST_ENTRIES
from handlers.http.call_docs import BODY_PROBLEMS, Answer, CallDoc, query_parameter
from handlers.http.examples import AT
from handlers.http.query import DEFAULT_PAGE, MAX_PAGE
from handlers.reveal_desk import Original, Uncovered
from handlers.seeking import STATES

_TEXT = {"type": "string", "minLength": 1, "maxLength": 200}
_AMOUNT = {"type": "string", "pattern": r"^-?[0-9]{1,12}(\.[0-9]{1,6})?$"}
_HIT = Hit(
    seq=4700,
    proposal="prop_01k9zx3v7q5m8c2t6r0n4h9d1w",
    at=AT,
    agent_id="agent_01k9zx1m4c8t2v6r0q5n3h7d9w",
    agent="refund-bot",
    tool="payments.refund",
    rule="payments.refund#3",
    state="approved",
    told="approved and done",
    decided_at=AT + timedelta(minutes=5),
    decided_by=(Deciding("pers_01k9zw5q8s2t4v6x0a3c5e7g9j", "Kim (U012AB3CD)", "approve"),),
    words="Refund $180.00 for order A-10294",
    amounts=(("usd", Decimal("180.00")),),
    erased=False,
)
_ENTRY = {
    "v": 1,
    "seq": 4712,
    "prev": "9f" * 32,
    "id": "evt_01k9zx4b8n2d5f7h9k1m3p5r7t",
    "at": format_time(AT + timedelta(minutes=5)),
    "type": "proposal.cancelled",
    "actor": {"kind": "agent", "ref": "agent_01k9zx1m4c8t2v6r0q5n3h7d9w"},
    "subject": "prop_01k9zx3v7q5m8c2t6r0n4h9d1w",
    "policy": None,
    "data": {},
    "_sd": [],
}


def auditor_calls() -> Sequence[CallDoc]:
    """Describe the calls that need an auditor's key."""
    return _search(), _stream(), _reveal()


def _reveal() -> CallDoc:
    original = Original(4700, AgentText("arguments.card_number"), AgentText("4111 1111 1111 1111"))
    told = json.loads(audit_render.uncovered_json(Uncovered(_HIT.proposal, "card_number", [original])))
    return CallDoc(
        "post",
        "/v1/audit/reveal",
        "audit_reveal",
        "See the original of what people are not shown; the look is recorded before it is answered",
        {200: Answer("The originals.", (audit_answers.UncoveredOut,), {"card": told})},
        (*BODY_PROBLEMS, "values-not-shown", "not-found", "too-many-requests"),
        schemas.RevealIn,
        {"proposal": _HIT.proposal, "field": "card_number", "reason": "chargeback 4711"},
        key="auditorKey",
    )


def _search() -> CallDoc:
    page = json.loads(audit_render.page_json(SearchPage([_HIT], "AAAAAAAAElwFvV9rj0XJrQ", 4711, 4712)))
    return CallDoc(
        "get",
        "/v1/audit/search",
        "audit_search",
        "Find proposals in the audit log, newest first",
        {200: Answer("One page.", (audit_answers.SearchOut,), {"found": page})},
        ("invalid-query", "values-not-shown", "too-many-requests"),
        parameters=[
            query_parameter("from", "Proposed at or after this day or moment", _TEXT),
            query_parameter("to", "Proposed before this moment, or on or before this day", _TEXT),
            query_parameter("person", "Voted, started or changed it: id, mention, name, e-mail or pseudonym", _TEXT),
            query_parameter("agent", "The agent's name or id", _TEXT),
            query_parameter("tool", "The tool", _TEXT),
            query_parameter("state", "Where it stands now", {"enum": list(STATES)}),
            query_parameter("rule", "The rule that judged it, such as payments.refund#3", _TEXT),
            query_parameter(
                "currency", "An amount is in this currency", {"type": "string", "pattern": "^[A-Za-z]{3}$"}
            ),
            query_parameter("min", "That amount is at least this", _AMOUNT),
            query_parameter("max", "That amount is at most this", _AMOUNT),
            query_parameter("text", "All of these words stand in what was written", _TEXT),
            query_parameter(
                "limit",
                "How many at most",
                {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": DEFAULT_PAGE},
            ),
            query_parameter("after", "The `after` of the page before", {"type": "string"}),
        ],
        key="auditorKey",
    )


def _stream() -> CallDoc:
    lines = json.dumps(_ENTRY, sort_keys=True, separators=(",", ":")) + "\n"
    return CallDoc(
        "get",
        "/v1/audit/stream",
        "audit_stream",
        "Follow the log: its entries, oldest first, each on a line",
        {
            200: Answer(
                "Entries as newline-delimited JSON; nothing where there is none yet.",
                (),
                {"one-entry": lines},
                {"Next-After": "Send it as `after` to get what follows"},
                media="application/x-ndjson",
            )
        },
        ("invalid-query", "values-not-shown", "too-many-requests"),
        parameters=[
            query_parameter(
                "after",
                "The `seq` of the last entry that you have kept",
                {"type": "integer", "default": -1, "minimum": -1},
            ),
            query_parameter(
                "limit",
                "How many at most",
                {"type": "integer", "minimum": 1, "maximum": MOST_ENTRIES, "default": DEFAULT_PAGE},
            ),
            query_parameter(
                "wait",
                "Seconds to wait for the first entry",
                {"type": "integer", "minimum": 0, "maximum": MAX_WAIT_S, "default": 0},
            ),
            query_parameter("format", "What each line is", {"enum": list(JSON_LINES), "default": "ndjson"}),
            query_parameter("values", "With what people and agents wrote", {"type": "boolean", "default": False}),
        ],
        key="auditorKey",
    )
