"""Turns a request into values: headers, query and body, each strictly and in one pass. Never judges the action."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import TypeVar

from pydantic import BaseModel
from starlette.requests import Request

from approval_rules.canonical import canonical_text, digest_of_text
from approval_rules.commands import Draft
from approval_rules.people import ToolName
from approval_rules.text import AgentJson, AgentText, Json
from handlers.desk import Fault
from handlers.http.problems import ClientGoneError, ProblemError, not_found, reading
from handlers.http.schemas import MAX_TOOL, TOOL_PATTERN, ProposalIn
from handlers.http.strict_json import ReadJson, read_json

Body = TypeVar("Body", bound=BaseModel)

MAX_BODY = 256 * 1024
_JSON = re.compile(r"application/json(?:\s*;\s*charset=\"?utf-8\"?)?\s*", re.IGNORECASE)
_KEY = re.compile(r"[!-~]{1,255}")
_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
_UNWRITTEN: Mapping[str, str] = {}


async def json_of(request: Request) -> ReadJson:
    """Read the body as strict JSON. Raises ProblemError and ClientGoneError."""
    _refuse_other_media(request)
    raw = await _bytes_of(request)
    if not raw:
        raise ProblemError("malformed-body", "The body is empty; send a JSON object.")
    return reading(read_json, raw)


async def body_as(model: type[Body], request: Request) -> tuple[Body, Mapping[str, Json]]:
    """Read the body as one of the schemas, beside its exact values. Raises ProblemError and ClientGoneError."""
    value = (await json_of(request)).value
    return shaped(model, value), fields_of(value)


async def refuse_content(request: Request) -> None:
    """Refuse a body other than `{}` where a call takes none."""
    raw = await _bytes_of(request)
    if raw.strip() not in (b"", b"{}"):
        raise ProblemError("invalid-body", "This call takes no body.", [Fault("", "must be absent, or {}")])


def shaped(model: type[Body], value: Json) -> Body:
    """Check a value against a schema. Raises ProblemError `invalid-body` with pointers."""
    return reading(model.model_validate, value)


def fields_of(value: Json) -> Mapping[str, Json]:
    """Give the fields of an object; none where it is something else."""
    return value if isinstance(value, Mapping) else {}


def draft_of(body: ProposalIn, exact: Mapping[str, Json], texts: Mapping[str, str] = _UNWRITTEN) -> Draft:
    """Give the draft. What the agent wrote is carried as it was read, so that no digit is lost on the way.

    `texts` are the canonical forms of those fields, where they are known.
    """
    arguments = texts.get("arguments") or canonical_text(exact["arguments"])
    return Draft(
        tool=ToolName(body.tool),
        arguments=AgentJson(exact["arguments"], arguments),
        digest=digest_of_text(body.tool, arguments),
        summary=AgentText(body.summary),
        context=_given(exact.get("context"), texts.get("context")),
        run=_given(exact.get("run"), texts.get("run")),
        callback_url=body.callback_url,
        expires_in=None if body.expires_in_s is None else timedelta(seconds=body.expires_in_s),
    )


def tool_in(value: Json) -> str | None:
    """Find the tool in a body that may be wrong in every other way, for the record."""
    tool = fields_of(value).get("tool")
    return tool if isinstance(tool, str) and len(tool) <= MAX_TOOL and re.fullmatch(TOOL_PATTERN, tool) else None


def idempotency_key(request: Request) -> str | None:
    """Give the key, or None where there is no such header. Raises ProblemError for a doubled or malformed one."""
    keys = request.headers.getlist("idempotency-key")
    if not keys or keys == [""]:
        return None
    if len(keys) > 1 or _KEY.fullmatch(keys[0]) is None:
        raise ProblemError("idempotency-key-invalid", "Send one key of 1 to 255 visible ASCII characters.")
    return keys[0]


def unverified_id(request: Request) -> str:
    """Give the proposal id of the path, checked for shape only. Raises ProblemError `not-found`."""
    shaped_id: str = request.path_params["id"]
    if _ID.fullmatch(shaped_id) is None:
        raise not_found()
    return shaped_id


def _given(value: Json, text: str | None) -> AgentJson:
    """Drop the fields that say null: for an optional field, that is the same as leaving it out."""
    fields = fields_of(value)
    if None in fields.values():
        return AgentJson({name: inside for name, inside in fields.items() if inside is not None})
    return AgentJson(fields, text if fields else None)


def _refuse_other_media(request: Request) -> None:
    """Refuse what is not plain JSON. A body without a type is read as JSON: there is nothing else it could be."""
    media = request.headers.get("content-type")
    if media is not None and _JSON.fullmatch(media) is None:
        raise ProblemError("unsupported-media-type", "Send `Content-Type: application/json`, in UTF-8.")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise ProblemError("unsupported-media-type", "Send the body uncompressed, without `Content-Encoding`.")


async def _bytes_of(request: Request) -> bytes:
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:20]) > MAX_BODY:
        raise _too_large()
    chunks: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > MAX_BODY:
            raise _too_large()
        chunks.append(chunk)
        more = message.get("more_body", False)
    return b"".join(chunks)


def _too_large() -> ProblemError:
    return ProblemError("body-too-large", "The body is over 262144 bytes; send a reference to the data instead.")
