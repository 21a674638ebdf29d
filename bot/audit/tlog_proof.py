"""One entry's place under a signed checkpoint, as C2SP's tlog-proof text. Computes nothing and knows no entry."""

import base64
from collections.abc import Iterable

_HEADER = "c2sp.org/tlog-proof@v1"


def tlog_proof(index: int, hashes: Iterable[bytes], note: str) -> str:
    """Write an inclusion proof (RFC 6962, from the leaf upwards) with the signed note that it leads to, verbatim."""
    lines = [_HEADER, f"index {index}", *(base64.b64encode(each).decode() for each in hashes)]
    return "\n".join(lines) + f"\n\n{note}"
