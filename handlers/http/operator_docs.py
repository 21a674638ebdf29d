"""What the calls of operators take and can answer, for the OpenAPI document and the docs page."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from approval_rules.people import PersonId, keyholder
from approval_rules.stop_events import DrillHeld
from approval_rules.switch import EVERYTHING, Pause
from approval_rules.text import AgentText
from handlers.desk import Face, Overview, Switched
from handlers.http import answers, render, schemas
from handlers.http.call_docs import BODY_PROBLEMS, Answer, CallDoc
from handlers.http.examples import AT

_ANA = PersonId("p_ana")
_BY = keyholder(_ANA)
_PAUSE = Pause("pause_01k9zy0b7d3f5h9k1m2p4r6t8w", EVERYTHING, AT, _BY, AgentText("the agent is looping"))
_HELD = DrillHeld(AT - timedelta(days=2), _BY, "drill_01k9zw5q8s2u4w6y0a3c5e7g9j", True, "box-1:811", 1840, None)  # noqa: FBT003 - as recorded
_RUNNING = Overview(
    pauses=(),
    faces={_ANA: Face("ana.sousa", "ana.sousa")},
    agents={},
    pending=3,
    oldest_pending_at=AT - timedelta(minutes=12),
    approved_unclaimed=1,
    outbox_waiting=0,
    outbox_dead=0,
    policy_version="sha256:3f2a9c0d61be7845f0a1c2d3e4b59687786950c1d2e3f4a5b6c7d8e9fa0b1c2d",
    drill=_HELD,
)
_STOPPED = replace(_RUNNING, pauses=(_PAUSE,))
_SCOPE_PROBLEMS = (*BODY_PROBLEMS, "unknown-scope")


def operator_calls() -> Sequence[CallDoc]:
    """Describe the calls that need an operator's key."""
    paused = json.loads(render.paused_json(Switched(None, EVERYTHING, (_PAUSE,), taken_back=1), _STOPPED))
    resumed = json.loads(render.resumed_json(Switched(None, EVERYTHING), _RUNNING))
    waiting = json.loads(render.resumed_json(Switched(None, EVERYTHING, waiting=True), _STOPPED))
    return (
        CallDoc(
            "post",
            "/v1/operator/pause",
            "operator_pause",
            "Stop everything, one agent or one tool, now",
            {200: Answer("It is stopped, from this commit on.", (answers.PausedOut,), {"everything": paused})},
            _SCOPE_PROBLEMS,
            schemas.PauseIn,
            {"reason": "the agent is looping", "for_s": 1800, "revoke": True},
            key="operatorKey",
        ),
        CallDoc(
            "post",
            "/v1/operator/resume",
            "operator_resume",
            "Start again; everything needs a second person",
            {
                200: Answer("It runs again.", (answers.ResumedOut,), {"resumed": resumed}),
                202: Answer("Your half is recorded; nothing runs yet.", (answers.ResumedOut,), {"waiting": waiting}),
            },
            (*_SCOPE_PROBLEMS, "nothing-paused"),
            schemas.ResumeIn,
            {"tool": "payments.refund", "reason": "checked, it was the feed"},
            key="operatorKey",
        ),
        CallDoc(
            "get",
            "/v1/operator/status",
            "operator_status",
            "What is paused, what waits, when the kill switch was last proved",
            {
                200: Answer(
                    "The state of everything.",
                    (answers.OperatorStatusOut,),
                    {"running": json.loads(render.status_json(_RUNNING))},
                )
            },
            ("invalid-query",),
            key="operatorKey",
        ),
        CallDoc(
            "post",
            "/v1/operator/drill",
            "operator_drill",
            "Prove on this server that a claim is refused in a pause",
            {200: Answer("What came of it.", (answers.DrillOut,), {"held": json.loads(render.drill_json(_HELD))})},
            ("invalid-query", "invalid-body", "body-too-large", "paused"),
            schemas.NothingIn,
            {},
            key="operatorKey",
        ),
    )
