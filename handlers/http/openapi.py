"""Builds the OpenAPI 3.1 document from the list of calls. A test checks it against the standard and against itself."""

from collections.abc import Mapping
from functools import cache
from itertools import groupby

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from handlers.http import answers, audit_answers, schemas
from handlers.http.auditor_docs import auditor_calls
from handlers.http.call_docs import Answer, CallDoc, agent_calls, open_calls
from handlers.http.evidence_docs import evidence_calls
from handlers.http.examples import problem_example
from handlers.http.operator_docs import operator_calls
from handlers.http.problem_codes import KINDS
from handlers.http.problems import MEDIA_TYPE

_KEYS = ("agentKey", "operatorKey", "auditorKey")
_REF = "#/components/schemas/{model}"
_REQUEST_ID = {"description": "Names this answer in the server's log", "schema": {"type": "string"}}


@cache
def openapi_document() -> Mapping[str, object]:
    """Give the whole document; it is built once."""
    calls = sorted(
        [*agent_calls(), *evidence_calls(), *operator_calls(), *auditor_calls(), *open_calls()],
        key=lambda call: call.path,
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Foureyes",
            "version": "1",
            "description": "Propose an action, wait for people, claim the one permission, report the outcome.",
        },
        "servers": [{"url": "/"}],
        "paths": {
            path: {call.method: _operation(call) for call in group}
            for path, group in groupby(calls, key=lambda call: call.path)
        },
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {name: {"type": "http", "scheme": "bearer"} for name in _KEYS},
        },
    }


def problem_codes(call: CallDoc) -> Mapping[int, tuple[str, ...]]:
    """Give the problem codes of a call by status."""
    always = ("unauthorized", "unavailable", "internal-error") if call.keyed else ("internal-error",)
    codes = sorted({*always, *call.problems}, key=list(KINDS).index)
    return {status: tuple(group) for status, group in groupby(codes, key=lambda code: KINDS[code].status)}


def _operation(call: CallDoc) -> dict[str, object]:
    responses: dict[str, object] = {str(status): _success(answer) for status, answer in call.answers.items()}
    for status, codes in problem_codes(call).items():
        responses[str(status)] = _problems(codes)
    operation: dict[str, object] = {
        "operationId": call.name,
        "summary": call.summary,
        "security": [{key: []} for key in (call.key, call.also_key) if key] if call.keyed else [],
        "responses": dict(sorted(responses.items())),
    }
    if call.parameters:
        operation["parameters"] = list(call.parameters)
    if call.body is not None:
        media = {"schema": _ref(call.body.__name__), "examples": {"example": {"value": call.body_example}}}
        required = bool(call.body.model_fields)
        operation["requestBody"] = {"required": required, "content": {"application/json": media}}
    return operation


def _success(answer: Answer) -> dict[str, object]:
    named = {name: {"value": value} for name, value in answer.examples.items()}
    models = [_ref(model.__name__) for model in answer.models]
    schema: object = {"type": "string"}
    if models:
        schema = models[0] if len(models) == 1 else {"anyOf": models}
    headers: dict[str, object] = {
        name: {"description": says, "schema": {"type": "string"}} for name, says in answer.headers.items()
    }
    return {
        "description": answer.says,
        "headers": {"Request-Id": _REQUEST_ID, **headers},
        "content": {answer.media: {"schema": schema, "examples": named}, **_others(answer)},
    }


def _others(answer: Answer) -> dict[str, object]:
    return {
        media: {
            "schema": {"type": "string"},
            "examples": {name: {"value": value} for name, value in examples.items()},
        }
        for media, examples in answer.also.items()
    }


def _problems(codes: tuple[str, ...]) -> dict[str, object]:
    named = {code: {"summary": KINDS[code].title, "value": problem_example(code)} for code in codes}
    return {
        "description": "; ".join(KINDS[code].title for code in codes),
        "headers": {"Request-Id": _REQUEST_ID},
        "content": {MEDIA_TYPE: {"schema": _ref("ProblemOut"), "examples": named}},
    }


def _schemas() -> dict[str, object]:
    models: list[type[BaseModel]] = [*schemas.MODELS, *answers.MODELS, *audit_answers.MODELS]
    _, document = models_json_schema([(model, "validation") for model in models], ref_template=_REF)
    defined: dict[str, object] = document["$defs"]
    return {name: _without_null_defaults(schema) for name, schema in sorted(defined.items())}


def _without_null_defaults(schema: object) -> object:
    """Drop `"default": null`: a field that is left out is left out, and null is no value of most of them."""
    match schema:
        case dict():
            kept = {name: inside for name, inside in schema.items() if (name, inside) != ("default", None)}
            return {name: _without_null_defaults(inside) for name, inside in kept.items()}
        case list():
            return [_without_null_defaults(inside) for inside in schema]
        case _:
            return schema


def _ref(name: str) -> dict[str, str]:
    return {"$ref": _REF.format(model=name)}
