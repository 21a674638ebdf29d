"""What the call for evidence takes and can answer, for the OpenAPI document and the docs page."""

from collections.abc import Sequence

from handlers.http.call_docs import ID, Answer, CallDoc, query_parameter
from handlers.http.evidence_calls import FORMATS


def evidence_calls() -> Sequence[CallDoc]:
    """Describe the call."""
    return (
        CallDoc(
            "get",
            "/v1/proposals/{id}/evidence",
            "evidence",
            "Everything that proves one decision, as a ZIP or as a page",
            {
                200: Answer(
                    "The evidence pack. An agent gets it about its own proposals, without what people were shown and"
                    " the policy's text; an auditor's key gets it whole, about all.",
                    (),
                    {"a ZIP": "PK…"},
                    {"ETag": "Names the content: send it as `If-None-Match`, and get 304 while nothing is new"},
                    media="application/zip",
                    also={"text/html": {"the page": "<!doctype html>…"}},
                )
            },
            ("not-found", "invalid-query", "values-not-shown", "evidence-too-large", "too-many-requests", "log-broken"),
            parameters=[
                ID,
                query_parameter("format", "The ZIP, or the page alone; else as `Accept` asks", {"enum": list(FORMATS)}),
            ],
            also_key="auditorKey",
        ),
    )
