"""The shape of what agents send: strict, closed, bounded. Checks shape only; the desk judges meaning."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

MIN_EXPIRES_S = 60
MAX_EXPIRES_S = 30 * 24 * 60 * 60
TOOL_PATTERN = r"^[a-z][a-z0-9_-]*(\.[a-z0-9][a-z0-9_-]*)*$"
SLACK_USER_PATTERN = r"^[UW][A-Z0-9]{1,30}$"
MAX_TOOL = 100
MAX_ENTRIES = 200
_MOST = 10**12
_MOST_PORT = 65_535
_WEB_ADDRESS = re.compile(
    r"https?://(?:\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253})(?::(\d{1,5}))?(?:[/?#][!-\[\]-~]*)?", re.IGNORECASE
)


def _whole(value: object) -> object:
    """Read 60.0 as 60: JSON has one kind of number, and a JSON Schema calls both an integer."""
    if isinstance(value, Decimal) and value.adjusted() < len(str(_MOST)) and value == value.to_integral_value():
        return int(value)
    return value


def _amount(value: object) -> int | Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise PydanticCustomError("number", "must be a number, without quotes")
    if not 0 <= value <= _MOST:
        raise PydanticCustomError("range", "must be between 0 and 1000000000000")
    return value


def _several(value: object) -> object:
    if not isinstance(value, dict | list):
        raise PydanticCustomError("several", "must be a JSON object or a JSON array")
    if len(value) > MAX_ENTRIES:
        raise PydanticCustomError("several", f"must have at most {MAX_ENTRIES} entries; send fewer")
    return value


def _web_address(value: str) -> str:
    match = _WEB_ADDRESS.fullmatch(value)
    if match is None or int(match[1] or 0) > _MOST_PORT:
        raise PydanticCustomError("url", "must be an http or https URL with a host, in ASCII and without a user name")
    return value


def _visible(value: str) -> str:
    if not value.strip():
        raise PydanticCustomError("blank", "must say something; it is blank")
    return value


def _tool(value: str) -> str:
    if re.fullmatch(TOOL_PATTERN, value) is None:
        raise PydanticCustomError("tool", "must be a tool's name in lower case, with dots, like payments.refund")
    return value


def _slack_user(value: str) -> str:
    if re.fullmatch(SLACK_USER_PATTERN, value) is None:
        raise PydanticCustomError("slack_user", "must be the Slack user id of a person, like U012AB3CD; not a name")
    return value


Name = Annotated[str, Field(min_length=1, max_length=200)]
Prose = Annotated[str, Field(min_length=1, max_length=3000)]
Summary = Annotated[Prose, AfterValidator(_visible)]
Tool = Annotated[str, Field(max_length=MAX_TOOL, json_schema_extra={"pattern": TOOL_PATTERN}), AfterValidator(_tool)]
SlackUser = Annotated[str, Field(json_schema_extra={"pattern": SLACK_USER_PATTERN}), AfterValidator(_slack_user)]
WebAddress = Annotated[str, Field(max_length=2000, json_schema_extra={"format": "uri"}), AfterValidator(_web_address)]
Count = Annotated[int, Field(ge=0, le=_MOST), BeforeValidator(_whole)]
Amount = Annotated[object, PlainValidator(_amount), WithJsonSchema({"type": "number", "minimum": 0, "maximum": _MOST})]
AnyList = Annotated[list[object], Field(max_length=MAX_ENTRIES)]
Several = Annotated[
    object,
    PlainValidator(_several),
    WithJsonSchema({"type": ["object", "array"], "maxProperties": MAX_ENTRIES, "maxItems": MAX_ENTRIES}),
]
AnyObject = dict[str, object]


class _Closed(BaseModel):
    """Strict and closed: an unknown field is an error, and "5" is never 5."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)


class EvidenceIn(_Closed):
    """One thing that people can look at before they decide."""

    title: Annotated[str, Field(min_length=1, max_length=300)]
    url: WebAddress | None = None
    excerpt: Annotated[str, Field(max_length=3000)] | None = None


class ContextIn(_Closed):
    """What people need to decide well; `facts` is what the policy may ask for besides the arguments."""

    facts: AnyObject | None = None
    history: AnyList | None = None
    steps_attempted: AnyList | None = None
    evidence: Annotated[list[EvidenceIn], Field(max_length=50)] | None = None
    if_declined: Prose | None = None
    rollback: Prose | None = None


class RunIn(_Closed):
    """The run that the proposal comes from. Who started it (a Slack user id) can never approve it."""

    id: Name | None = None
    model: Name | None = None
    prompt_version: Name | None = None
    workflow_version: Name | None = None
    tool_calls: Count | None = None
    tokens: Count | None = None
    elapsed_s: Amount | None = None
    cost_usd: Amount | None = None
    started_by: SlackUser | None = None


class ProposalIn(_Closed):
    """An action that an agent wants to take."""

    tool: Tool
    arguments: AnyObject
    summary: Summary
    context: ContextIn | None = None
    run: RunIn | None = None
    callback_url: WebAddress | None = None
    expires_in_s: Annotated[int, Field(ge=MIN_EXPIRES_S, le=MAX_EXPIRES_S), BeforeValidator(_whole)] | None = None
    dry_run: bool | None = None
    claim_if_allowed: bool | None = None


class ClaimIn(_Closed):
    """The digest of exactly what the agent is about to execute."""

    digest: Annotated[str, Field(min_length=1, max_length=200)]


class OutcomeIn(_Closed):
    """How the execution went. `unknown` is an honest answer: people are told to look."""

    status: Literal["succeeded", "failed", "unknown"]
    detail: Prose | None = None
    post_conditions: Several | None = None
    cost_usd: Amount | None = None


class AnswerIn(_Closed):
    """The answer to a question that a person asked; `question` is its id. People read it word for word."""

    question: Annotated[str, Field(min_length=1, max_length=100)]
    text: Summary


class ResumeIn(_Closed):
    """What to start again: everything, unless an agent (by its name) or a tool is named."""

    agent: Name | None = None
    tool: Name | None = None
    reason: Annotated[str, Field(max_length=1000)] | None = None


class PauseIn(_Closed):
    """What to stop: everything, unless an agent (by its name) or a tool is named. `for_s` ends it by itself.

    With `revoke`, what is approved there and was not used yet is taken back for good.
    """

    reason: Annotated[str, Field(min_length=1, max_length=1000)]
    agent: Name | None = None
    tool: Name | None = None
    for_s: Annotated[int, Field(ge=1, le=MAX_EXPIRES_S), BeforeValidator(_whole)] | None = None
    revoke: bool | None = None


class RevealIn(_Closed):
    """Which original to see: of one proposal, what is hidden under one name. Why is recorded with who."""

    proposal: Annotated[str, Field(min_length=1, max_length=100)]
    field: Name
    reason: Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_visible)]


class NothingIn(_Closed):
    """A call that needs no body; an empty object is welcome."""


MODELS = (ProposalIn, ClaimIn, OutcomeIn, AnswerIn, PauseIn, ResumeIn, RevealIn, NothingIn)


def _places(model: type[BaseModel], under: str = "") -> Iterator[tuple[str, str]]:
    for name, field in model.model_fields.items():
        yield name, f"{under}/{name}"
        for inner in _models_in(field.annotation):
            yield from _places(inner, f"{under}/{name}")


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


FIELD_PLACES: Mapping[str, Mapping[str, str]] = {model.__name__: dict(reversed([*_places(model)])) for model in MODELS}
"""Per body (by its model's name): each field's name and the pointer of its place, the outermost of two."""
