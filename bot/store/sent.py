"""What is planned to be sent, sealed with keys of its day: in the row's payload, beside where its message stands.

A copy of the database tells of it no longer than those keys live. A row is found by its name, and opens under no other.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from bot.data_keys import SENT
from bot.sealing import CannotOpenError
from bot.store.terms import PERSONAL_DAYS

if TYPE_CHECKING:
    from bot.store.sealed import Vault

SENT_PAYLOAD: Final = "sent_payload"
"""The SQL function that opens a payload: of a row's name and what it keeps."""
KEY: Final = "key"
BOX: Final = "box"


def sealed(vault: "Vault | None", at: str, name: str, text: str, days: int = PERSONAL_DAYS) -> str:
    """Write a payload's JSON text for a row that was planned `at`; without a vault as it is, for the next sweep."""
    if vault is None:
        return text
    key, box = vault.seal(at[:10], days, text, _place(name), SENT)
    return json.dumps({KEY: key, BOX: b64encode(box).decode()}, separators=(",", ":"))


def opener(vault: "Vault | None") -> Callable[[str, str], str | None]:
    """Make the function that gives a row's payload (by its name) as it was planned, with where its message stands.

    It gives None where the key is gone, and where something was changed.
    """

    def opened(name: str, payload: str) -> str | None:
        if f'"{BOX}"' not in payload:
            return payload
        kept = json.loads(payload)
        if BOX not in kept:
            return payload
        try:
            text = None if vault is None else vault.open(kept.pop(KEY), b64decode(kept.pop(BOX)), _place(name))
        except (CannotOpenError, ValueError, KeyError, TypeError):
            return None
        return None if text is None else json.dumps({**json.loads(text), **kept}, ensure_ascii=False)

    return opened


def _place(name: str) -> str:
    return f"outbox:{name}"
