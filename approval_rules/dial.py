"""The autonomy dial: which cases of a rule with a share run by themselves. Chance without dice."""

import hmac
from decimal import Decimal

from approval_rules.canonical import Digest
from approval_rules.people import ToolName

_BYTES = 8


def place(key: bytes, tool: ToolName, digest: Digest) -> Decimal | None:
    """Place an action on the dial, from 0 to just under 100; None without a key.

    The same action always has the same place, so that asking again changes nothing; and nobody without the key can
    foresee the place of an action, so that an agent cannot choose its words to be let through.
    """
    if not key:
        return None
    drawn = hmac.digest(key, f"{tool}\n{digest}".encode(), "sha256")
    return 100 * Decimal(int.from_bytes(drawn[:_BYTES], "big")) / (1 << (8 * _BYTES))
