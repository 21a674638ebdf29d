"""The signing key stays where it is, and nothing secret can be read off anything else."""

import base64
import copy
import hashlib
import json
import os
import pickle
import stat
import threading
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from bot.clock import new_token
from bot.keys import (
    KeyFileError,
    SigningKey,
    callback_secret,
    generate,
    load,
    load_or_create,
    new_agent_key,
    split_key,
)

SEED = bytes(range(32))


def fixed_key() -> SigningKey:
    """The same key every time."""
    return SigningKey(Ed25519PrivateKey.from_private_bytes(SEED))


def pem(key: Ed25519PrivateKey, encryption: KeySerializationEncryption | None = None) -> bytes:
    """A key as a file has it."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())


def write(path: Path, content: bytes, mode: int = 0o600) -> Path:
    """Put a file where the key is looked for."""
    path.write_bytes(content)
    path.chmod(mode)
    return path


def test_a_missing_key_is_made_once(tmp_path: Path) -> None:
    """The first start makes a key that only its owner can read; the second start finds the same."""
    path = tmp_path / "signing-key.pem"
    first = load_or_create(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_or_create(path).kid == first.kid
    assert [entry.name for entry in tmp_path.iterdir()] == ["signing-key.pem"]


def test_a_wide_umask_makes_no_readable_key(tmp_path: Path) -> None:
    """The mode does not depend on the umask."""
    old = os.umask(0)
    try:
        load_or_create(tmp_path / "key")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600


def test_two_processes_that_start_together_have_one_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who loses the race takes the winner's key."""
    path = tmp_path / "key"
    real, winner = os.open, generate()
    saved = pem(Ed25519PrivateKey.from_private_bytes(SEED))

    def slower(file: Path, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_CREAT:
            write(path, saved)
        return real(file, flags, mode)

    monkeypatch.setattr(os, "open", slower)
    assert load_or_create(path).kid == fixed_key().kid != winner.kid


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601, 0o610])
def test_a_key_that_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    """Any right of the group or of others is one too many, and the message says how to take it away."""
    path = write(tmp_path / "key", pem(Ed25519PrivateKey.generate()), mode)
    with pytest.raises(KeyFileError, match="chmod 600"):
        load_or_create(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not an unencrypted PEM"),
        (b"-----BEGIN PRIVATE KEY-----\nsecret!\n-----END PRIVATE KEY-----\n", "not an unencrypted PEM"),
        (b"\xff" * 20_000, "too large"),
        (pem(Ed25519PrivateKey.generate(), BestAvailableEncryption(b"x")), "not an unencrypted PEM"),
        (
            generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
            "not an Ed25519 key",
        ),
        (SEED, "not an unencrypted PEM"),
    ],
)
def test_a_file_that_is_no_key_is_refused_and_left_alone(tmp_path: Path, content: bytes, said: str) -> None:
    """A wrong file is an error that names it and quotes nothing; it is never overwritten."""
    path = write(tmp_path / "key", content)
    with pytest.raises(KeyFileError, match=said) as caught:
        load_or_create(path)
    assert str(path) in str(caught.value)
    assert "secret!" not in str(caught.value)
    assert path.read_bytes() == content


def test_a_folder_or_a_pipe_is_no_key(tmp_path: Path) -> None:
    """Only a regular file is read; a pipe does not hang the start."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    for path in (tmp_path, pipe):
        with pytest.raises(KeyFileError, match="regular file"):
            load_or_create(path)


def test_a_place_where_no_file_can_be_is_an_error(tmp_path: Path) -> None:
    """A missing folder and a file in the way are said as such."""
    with pytest.raises(KeyFileError, match="cannot create"):
        load_or_create(tmp_path / "missing" / "key")
    with pytest.raises(KeyFileError, match="cannot read"):
        load(write(tmp_path / "file", b"") / "key")


def test_half_a_key_is_not_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk fails while the key is written, the next start can make one."""

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(KeyFileError, match="No space left"):
            load_or_create(tmp_path / "key")
    assert not (tmp_path / "key").exists()
    assert load_or_create(tmp_path / "key").kid


def test_the_private_part_shows_nowhere() -> None:
    """Neither repr, str nor format has it, and the key cannot be pickled or given away in a copy."""
    key = fixed_key()
    shown = f"{key!r} {key} {key.jwk()}"
    assert SEED.hex() not in shown
    assert base64.b64encode(SEED).decode().rstrip("=") not in shown
    assert "d" not in key.jwk()
    with pytest.raises(TypeError):
        pickle.dumps(key)
    assert repr(copy.copy(key)) == repr(key)


def test_the_key_id_is_the_rfc_7638_thumbprint() -> None:
    """RFC 8037's example key has RFC 8037's thumbprint."""
    seed = base64.urlsafe_b64decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=")
    key = SigningKey(Ed25519PrivateKey.from_private_bytes(seed))
    assert key.jwk()["x"] == "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    assert key.kid == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_the_public_key_verifies_what_was_signed() -> None:
    """Another implementation reads the JWK and verifies; a signature is the same for the same bytes."""
    key = fixed_key()
    other = jwt.PyJWK.from_dict(key.jwk())
    signature = key.sign(b"bytes")
    assert signature == key.sign(b"bytes")
    other.key.verify(signature, b"bytes")
    assert other.key.public_bytes_raw() == key.public_bytes()


def test_derived_secrets_are_stable_and_differ_by_label() -> None:
    """Golden bytes: changing the derivation would change every agent's callback secret."""
    key = fixed_key()
    assert key.derive("x", 16).hex() == "2d25c4f357a7d31d347cba19643c1a06"
    assert callback_secret(key, "agent_1", 1) == "whsec_y9v1daSeZ806xmz/8n/TvDOnF+Xw5/YSNCkXoewGJZg="
    secrets = {
        callback_secret(key, "agent_1", 1),
        callback_secret(key, "agent_1", 2),
        callback_secret(key, "agent_2", 1),
        callback_secret(key, "1/agent_1", 1),
        callback_secret(generate(), "agent_1", 1),
    }
    assert len(secrets) == 5
    assert all(len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) == 32 for secret in secrets)


def test_an_agent_key_is_known_by_its_hash_alone() -> None:
    """The text has the promised form; what is kept is its id and its hash."""
    text, key_id, kept = new_agent_key(new_token)
    assert text.startswith(f"fe_{key_id}_")
    assert len(text) == 3 + 8 + 1 + 43
    assert kept == hashlib.sha256(text.encode()).hexdigest()
    assert split_key(text) == (key_id, kept)


@given(st.binary(min_size=32, max_size=32))
def test_every_new_key_can_be_split(chance: bytes) -> None:
    """Whatever chance gives, the key is of its own form."""
    text, key_id, kept = new_agent_key(lambda size: chance[:size])
    assert split_key(text) == (key_id, kept)


GOOD = "fe_0123abcd_" + "A" * 43


@pytest.mark.parametrize(
    "text",
    [
        "",
        GOOD[:-1],
        GOOD + "A",
        GOOD + "\n",
        " " + GOOD,
        GOOD.upper(),
        GOOD.replace("fe_", "sk_"),
        GOOD.replace("0123", "012I"),
        GOOD.replace("0123", "012u"),
        GOOD.replace("0123abcd_", "0123abc__"),
        GOOD[:-1] + "=",
        GOOD[:-1] + "é",
        json.dumps(GOOD),
    ],
)
def test_anything_else_is_no_key(text: str) -> None:
    """A key in any other form is nobody's."""
    assert split_key(GOOD) is not None
    assert split_key(text) is None


def test_many_threads_that_start_together_have_one_key(tmp_path: Path) -> None:
    """No reader ever sees half a key as a good one: each has the winner's key or a clear error."""
    path = tmp_path / "key"
    found: list[str] = []

    def start() -> None:
        try:
            found.append(load_or_create(path).kid)
        except KeyFileError:
            found.append("try again")

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(found) - {"try again"} == {load(path).kid}
