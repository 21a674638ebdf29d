"""Turns what pydantic found into words for a developer: where, what was wrong, what to do. Never echoes a value."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from handlers.desk import Fault
from handlers.http.schemas import FIELD_PLACES

MAX_FAULTS = 20

_SAID = {
    "missing": "this field is required; add it",
    "string_type": "must be a string",
    "int_type": "must be a whole number without quotes",
    "bool_type": "must be true or false, without quotes",
    "dict_type": "must be a JSON object",
    "model_type": "must be a JSON object",
    "list_type": "must be a JSON array",
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} characters; shorten it",
    "too_long": "must have at most {max_length} entries; send fewer",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
}


def faults_of(error: ValidationError) -> Sequence[Fault]:
    """Give one fault per mistake, at most 20."""
    found = error.errors(include_url=False, include_input=False)
    places = FIELD_PLACES.get(error.title, {})
    return [Fault(pointer_of(one["loc"]), _detail(one, places)) for one in found[:MAX_FAULTS]]


def pointer_of(place: Sequence[str | int]) -> str:
    """Write the RFC 6901 pointer of a place."""
    return "".join(["/" + str(part).replace("~", "~0").replace("/", "~1") for part in place])


def _detail(one: ErrorDetails, places: Mapping[str, str]) -> str:
    kind = one["type"]
    if kind == "extra_forbidden":
        return _unknown(str(one["loc"][-1]), places)
    if kind == "literal_error":
        return f"must be one of {one['ctx']['expected']}"
    said = _SAID.get(kind)
    context: dict[str, Any] = one.get("ctx", {})
    return one["msg"] if said is None else said.format_map(context)


def _unknown(name: str, places: Mapping[str, str]) -> str:
    # Long names are not worth a comparison, and the comparison is not worth their price.
    near = get_close_matches(name, places, n=1) if places and len(name) <= max(map(len, places)) * 2 else []
    return f"unknown field; did you mean {places[near[0]]}?" if near else "unknown field; remove it"
