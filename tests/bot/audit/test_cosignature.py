"""Cosignatures: what a witness signed is believed, and nothing that only looks like it."""

import base64
import struct

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bot.audit.cosignature import WitnessKey, cosigned, cosigned_at, question
from bot.audit.signed_note import Checkpoint, NoteError, VerifierKey, opened
from tests.bot.audit.signing import KEYS, note_of

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = WitnessKey("witness.example", PRIVATE.public_key().public_bytes_raw())
NOTE = note_of(Checkpoint("foureyes/0f", 42, bytes(32)))
TEXT = NOTE.partition("\n\n")[0] + "\n"


def line(text: str = TEXT, at: int = 1_700_000_000, key: WitnessKey = KEY, name: str | None = None) -> str:
    """Sign as a witness does."""
    signature = PRIVATE.sign(f"cosignature/v1\ntime {at}\n{text}".encode())
    blob = base64.b64encode(key.key_id + struct.pack(">Q", at) + signature).decode()
    return f"\N{EM DASH} {name or key.name} {blob}"


def test_a_cosigned_note_says_when() -> None:
    """It is found among other lines, and the log's own signature beside it still counts."""
    note = cosigned(NOTE, f"\N{EM DASH} somebody.else AAAA\n{line()}\n", KEY)
    assert cosigned_at(note, KEY).timestamp() == 1_700_000_000
    origin = NOTE.partition("\n")[0]
    assert opened(note, [VerifierKey(origin, KEYS[0])])[0] == TEXT


def test_a_key_is_read_as_it_is_written() -> None:
    """In the form of C2SP, with the id that belongs to it."""
    assert WitnessKey.parse(f" {KEY}\n") == KEY
    other = str(KEY).replace(KEY.key_id.hex(), "00000000")
    plain = base64.b64encode(b"\x01" + KEY.public).decode()
    for wrong in ("", "a", other, f"a b+{KEY.key_id.hex()}+AAAA", f"a+00000000+{plain}", "a+b+!!"):
        with pytest.raises(NoteError):
            WitnessKey.parse(wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "no line",
        line(text=TEXT.replace("42", "43")),
        line(name="another.example"),
        line(key=WitnessKey("witness.example", bytes(32))),
        line()[:-8],
        line(at=2**63),
        "\N{EM DASH} witness.example AAAA",
        "\N{EM DASH} witness.example A",
    ],
)
def test_what_is_no_cosignature_of_this(wrong: str) -> None:
    """Another size, another name, another key, half a line, a time that is none."""
    with pytest.raises(NoteError):
        cosigned(NOTE, wrong, KEY)
    with pytest.raises(NoteError):
        cosigned_at(NOTE + wrong + "\n", KEY)


def test_a_text_without_signatures_is_signed_by_nobody() -> None:
    """Not even by an empty line."""
    with pytest.raises(NoteError):
        cosigned_at(TEXT, KEY)


def test_the_question() -> None:
    """Old size, proof, an empty line, the note: as c2sp.org/tlog-witness has it."""
    assert question(0, [], "n\n") == b"old 0\n\nn\n"
    hashed = base64.b64encode(bytes(32)).decode()
    assert question(7, [bytes(32)], "n\n") == f"old 7\n{hashed}\n\nn\n".encode()
