"""Writes what each second factor was verified by into files that `openssl` reads. It verifies nothing itself."""

import base64
import json
from typing import Any, Final

from bot.evidence.gathering import Decision

_FILES: Final = (
    ("authenticator_data", "authenticator-data.bin"),
    ("client_data", "client-data.json"),
    ("signature", "signature.bin"),
)


def factor_files(decision: Decision) -> dict[str, bytes]:
    """Give the files of every vote, and of a start, that a second factor confirmed, as far as they are kept."""
    files: dict[str, bytes] = {}
    for each in decision.written:
        for value in each.living:
            if value.name == "evidence":
                for name, data in _files(json.loads(value.value)).items():
                    files[f"votes/{each.seq}/{name}"] = data
    return files


def _files(kept: dict[str, Any]) -> dict[str, bytes]:
    """Give one vote's files; a code of an authenticator app leaves nothing that can be verified again."""
    files = {"intent.json": kept["intent"].encode()}
    if "public_key" in kept:
        files["key.pem"] = kept["public_key"].encode()
        for name, file in _FILES:
            text = kept[name]
            files[file] = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return files
