"""How a Web API call is read: query, form or JSON into named, typed arguments; it refuses what it does not know."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NoReturn
from urllib.parse import parse_qsl

from starlette.requests import Request

from bot.slack_standin.refusal import Json, SlackRefusal

Kind = Literal["text", "flag", "number", "json"]
TRUE, FALSE = ("1", "true", "True"), ("0", "false", "False", "")


@dataclass(frozen=True, slots=True)
class Asked:
    """One call with its arguments read, and what its token may do."""

    args: Json
    scopes: set[str]

    def text(self, name: str) -> str:
        """Return a text argument, empty where it was not given."""
        return str(self.args.get(name) or "")

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return a yes or no."""
        return bool(self.args.get(name, default))

    def number(self, name: str, default: int) -> int:
        """Return a whole number."""
        return int(self.args.get(name, default))

    def need(self, *any_of: str) -> None:
        """Refuse unless the token has one of these scopes."""
        if any_of and not self.scopes.intersection(any_of):
            raise SlackRefusal("missing_scope", needed=",".join(any_of), provided=",".join(sorted(self.scopes)))


def bearer(request: Request, raw: Json) -> str | None:
    """Return the token from the header, else from the arguments."""
    header = request.headers.get("authorization", "")
    scheme, _, token = header.partition(" ")
    given = raw.pop("token", None)
    return token.strip() if scheme.lower() == "bearer" else given


async def read_raw(request: Request) -> Json:
    """Return the arguments as they came; form values are text, JSON values are what they are."""
    raw: Json = dict(request.query_params)
    body = await request.body()
    if not body:
        return raw
    content_type = request.headers.get("content-type", "").partition(";")[0].strip()
    if content_type == "application/json":
        return raw | _read_json(body)
    if content_type == "application/x-www-form-urlencoded":
        return raw | _read_form(body)
    raise SlackRefusal("invalid_post_type" if content_type else "missing_post_type")


def _read_json(body: bytes) -> Json:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise SlackRefusal("invalid_json") from None
    if not isinstance(value, dict):
        raise SlackRefusal("json_not_object")
    return value


def _read_form(body: bytes) -> Json:
    try:
        return dict(parse_qsl(body.decode("utf-8"), keep_blank_values=True, errors="strict"))
    except ValueError:
        raise SlackRefusal("invalid_form_data") from None


def typed(raw: Json, known: Mapping[str, Kind], required: tuple[str, ...], *, strict: bool) -> Json:
    """Return the arguments in their types; refuse unknown names (where strict), missing ones and wrong types."""
    unknown = sorted(set(raw) - set(known)) if strict else []
    if unknown:
        _refuse("invalid_arg_name", [f"unknown argument: {name}" for name in unknown])
    given = {name: value for name, value in raw.items() if name in known and value is not None}
    if missing := [name for name in required if given.get(name) in (None, "")]:
        _refuse("invalid_arguments", [f"missing required field: {name}" for name in missing])
    return {name: _typed_one(name, value, known[name]) for name, value in given.items()}


def _typed_one(name: str, value: object, kind: Kind) -> object:
    match kind:
        case "json":
            return _from_json_text(name, value) if isinstance(value, str) else value
        case "flag" if isinstance(value, bool) or value in (*TRUE, *FALSE):
            return value is True or value in TRUE
        case "number" if isinstance(value, int | str) and str(value).isascii() and str(value).isdigit():
            return int(value)
        case "text" if isinstance(value, str | int) and not isinstance(value, bool):
            return str(value)
        case _:
            return _refuse("invalid_arguments", [f"{name} must be {kind}"])


def _from_json_text(name: str, value: str) -> object:
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        error = {"blocks": "invalid_blocks_format", "metadata": "invalid_metadata_format"}.get(name)
        _refuse(error or "invalid_arguments", [f"{name} is not JSON"])


def _refuse(error: str, lines: list[str]) -> NoReturn:
    raise SlackRefusal(error, response_metadata={"messages": [f"[ERROR] {line}" for line in lines]})
