"""Signed notes: the published example verifies, what we write is read back, and every lie is refused."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from bot.audit.signed_note import Checkpoint, NoteError, Signer, VerifierKey, opened, read_checkpoint, signed

# The example of Go's golang.org/x/mod/sumdb/note, which every program of this kind reads.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETERS_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "\N{EM DASH} PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def signer(name: str = "log.example/refunds", seed: int = 1) -> Signer:
    """Make a signer from a small seed."""
    private = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"%d" % seed).digest())
    return Signer(VerifierKey(name, private.public_key().public_bytes_raw()), private.sign)


CHECKPOINT = Checkpoint("log.example/refunds", 7, hashlib.sha256(b"root").digest())
NOTE = signed(CHECKPOINT.text, [signer()])


def test_the_published_example_is_read() -> None:
    """A note that another program signed, with its key as other programs write it."""
    key = VerifierKey.parse(PETER)
    assert str(key) == PETER
    text, by = opened(PETERS_NOTE, [key])
    assert text.startswith("If you think")
    assert text.endswith("problem is.\n")
    assert by == (key,)


@given(st.integers(0, 2**60), st.binary(min_size=32, max_size=32))
def test_a_checkpoint_is_read_back(size: int, root: bytes) -> None:
    """Written, signed, opened and read: the same."""
    checkpoint = Checkpoint("log.example/refunds", size, root)
    text, by = opened(signed(checkpoint.text, [signer()]), [signer().key])
    assert read_checkpoint(text) == checkpoint
    assert by == (signer().key,)


def test_both_keys_sign_while_one_is_replaced() -> None:
    """Whoever knows the old key, the new one or both can check it; a stranger cannot."""
    old, new, other = signer(seed=1), signer(seed=2), signer(seed=3)
    note = signed(CHECKPOINT.text, [old, new])
    assert opened(note, [old.key])[1] == (old.key,)
    assert opened(note, [new.key, other.key])[1] == (new.key,)
    assert opened(note, [old.key, new.key])[1] == (old.key, new.key)
    with pytest.raises(NoteError, match="no known key"):
        opened(note, [other.key])


@given(st.integers(0, len(NOTE.encode()) - 1), st.integers(1, 255))
def test_a_changed_byte_is_never_believed(place: int, change: int) -> None:
    """Whatever byte is changed: an error, or the same text under the same key's good signature."""
    data = bytearray(NOTE.encode())
    data[place] ^= change
    try:
        text, _ = opened(data.decode(errors="replace"), [signer().key])
    except NoteError:
        return
    assert text == CHECKPOINT.text


@pytest.mark.parametrize(
    "note",
    [
        "",
        "text\n",
        CHECKPOINT.text,
        CHECKPOINT.text + "\n",
        NOTE.removesuffix("\n"),
        NOTE.replace("\N{EM DASH} ", "- "),
        NOTE.replace("\N{EM DASH} log.example/refunds ", "\N{EM DASH} log.example/refunds A"),
        NOTE + "\N{EM DASH} x AAAA\n" * 16,
        CHECKPOINT.text + "\n\N{EM DASH} log.example/refunds A\n",
    ],
)
def test_what_is_no_note_is_refused(note: str) -> None:
    """Nothing, no signature, a broken one, too many: an error in words."""
    with pytest.raises(NoteError):
        opened(note, [signer().key])


@pytest.mark.parametrize("text", ["", "no end", "\nempty first\n", "an empty line\n\ninside\n"])
def test_what_cannot_be_a_note_is_not_signed(text: str) -> None:
    """A text that could be split otherwise by its reader is refused before it is signed."""
    with pytest.raises(NoteError, match="lines of text"):
        signed(text, [signer()])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "origin\n7\n",
        "\n7\nroot\n\n",
        "origin\n07\n" + CHECKPOINT.text.split("\n")[2] + "\n",
        "origin\n-1\n" + CHECKPOINT.text.split("\n")[2] + "\n",
        "origin\n7\nAAAA\n",
        "origin\n7\n!\n",
        "origin\n7\n\N{EM DASH}\n",
        CHECKPOINT.text.removesuffix("\n"),
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    """A missing line, a size in another form, a root of another length."""
    with pytest.raises(NoteError):
        read_checkpoint(text)


@pytest.mark.parametrize("text", ["", "name", "name+00000000+AAAA", "name+00000000+!", PETER.replace("c74f", "c74e")])
def test_what_is_no_verifier_key_is_refused(text: str) -> None:
    """A key that is cut, of another kind, or under a wrong id."""
    with pytest.raises(NoteError):
        VerifierKey.parse(text)


@pytest.mark.parametrize("name", ["", "two words", "a+b", "line\n"])
def test_a_key_has_a_name_that_fits_on_its_line(name: str) -> None:
    """A name with a space or a plus would be read as something else."""
    with pytest.raises(NoteError, match="name"):
        VerifierKey(name, signer().key.public)
