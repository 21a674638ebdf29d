"""Takes one value out of an answer, strictly. What could be read in two ways is no value."""

import re
from collections.abc import Mapping
from json import JSONDecodeError
from typing import Final

from approval_rules.canonical import NotCanonicalError, canonical_text
from approval_rules.facts import FactType, fits
from approval_rules.text import Json
from bot.lookups.failure import LookupFailedError
from handlers.http.strict_json import read_json

MOST_CHARACTERS: Final = 8 * 1024
_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,8}")
_A: Final[Mapping[FactType | None, str]] = {"string": "text", "number": "a number", "boolean": "true or false"}


def value_in(unverified_body: bytes, pointer: str, wanted: FactType | None) -> Json:
    """Give the value at a JSON pointer (RFC 6901) of an answer; raises LookupFailedError."""
    try:
        value = _at(read_json(unverified_body).value, pointer)
        size = len(canonical_text([value]))  # as deep as it will stand in the record
    except (UnicodeDecodeError, JSONDecodeError, NotCanonicalError):
        raise LookupFailedError("the answer is not the JSON that we read") from None
    if value is None:
        raise LookupFailedError("the answer does not have it")
    if not fits(wanted, value):
        raise LookupFailedError(f"the answer is not {_A[wanted]}")
    if size > MOST_CHARACTERS:
        raise LookupFailedError("the answer is too large")
    return value


def _at(value: Json, pointer: str) -> Json:
    """Follow a pointer; None where it leads nowhere."""
    for part in pointer.split("/")[1:]:
        if isinstance(value, Mapping):
            value = value.get(part.replace("~1", "/").replace("~0", "~"))
        elif isinstance(value, list) and _INDEX.fullmatch(part) and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value
