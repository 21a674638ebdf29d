"""Time stamps over checkpoints: openssl's are read, and nothing that proves less is taken for one."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from bot.audit.merkle import EMPTY_ROOT
from bot.audit.signed_note import Checkpoint
from bot.audit.statements import Kind
from bot.audit.time_stamp import Roots, StampError, question, stamp_in, stamps_in
from tests.bot.audit.signing import note_of
from tests.time_stamp_authority import NAME, Certified, openssl

NOTE = note_of(Checkpoint("foureyes/0123", 7, EMPTY_ROOT))
UNSIGNED = "no certificate for time stamps that leads to the named ones has signed it"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Certified:
    """An authority and its root."""
    return Certified(tmp_path_factory.mktemp("tsa") / "one")


@pytest.fixture(scope="module")
def roots(authority: Certified) -> Roots:
    """Whom it is believed by."""
    return Roots.read(authority.ca)


@pytest.fixture(scope="module")
def answer(authority: Certified) -> bytes:
    """Its time stamp of the note."""
    return authority.answer(question(NOTE).as_bytes())


def refused(answer: bytes, roots: Roots, note: str = NOTE) -> str:
    """Why an answer is none."""
    with pytest.raises(StampError) as caught:
        stamp_in(answer, note, roots)
    return str(caught.value)


def test_when_and_by_whom(authority: Certified, roots: Roots) -> None:
    """The time in it, the name in the certificate; an answer to another question is none to this one."""
    asked = question(NOTE)
    answer = authority.answer(asked.as_bytes())
    stamp = stamp_in(answer, NOTE, roots, asked)
    assert stamp.by == NAME
    assert str(stamp) == f"of {stamp.at:%Y-%m-%d %H:%M:%S} UTC by {NAME}"
    with pytest.raises(StampError, match="Nonce mismatch"):
        stamp_in(answer, NOTE, roots, question(NOTE))


def test_what_proves_nothing(roots: Roots, answer: bytes, tmp_path: Path) -> None:
    """Another text, another root, a certificate for something else, a refusal, half an answer, a web page."""
    assert refused(answer, roots, NOTE.replace("7", "8")) == "Mismatch between messages"
    stranger = Certified(tmp_path / "stranger")
    assert refused(answer, Roots.read(stranger.ca)) == UNSIGNED
    changed = answer.replace(b"Stamps of Example", b"Stamps of Exbmple")
    assert refused(changed, roots) == UNSIGNED
    assert refused(bytes.fromhex("30053003020102"), roots) == "the authority refused, with status 2"
    for junk in (b"", answer[:-5], b"<html>"):
        assert refused(junk, roots) == "this is no time stamp of RFC 3161"
    assert refused(stranger.answer(question(NOTE).as_bytes()), roots) == UNSIGNED
    both = Roots(roots.certificates + Roots.read(stranger.ca).certificates)
    assert stamp_in(answer, NOTE, both).by == NAME
    with pytest.raises(StampError, match="holds no certificate in PEM form"):
        Roots.read(stranger.folder / "serial")
    with pytest.raises(StampError, match="cannot be read: No such file"):
        Roots.read(tmp_path / "none")


def test_a_certificate_for_something_else(authority: Certified, answer: bytes, roots: Roots) -> None:
    """The same root certified the same key for a web server: put into the answer, it makes no authority of it."""
    true = authority.certificate.public_bytes(Encoding.DER)
    while True:  # a signature's length varies, and the lengths before it must stay right
        other = authority.certified_for(ExtendedKeyUsageOID.SERVER_AUTH).public_bytes(Encoding.DER)
        if len(other) == len(true):
            break
    swapped = answer.replace(true, other)
    assert swapped != answer
    assert refused(swapped, roots) == UNSIGNED


def test_a_folder_of_them(authority: Certified, roots: Roots, answer: bytes, tmp_path: Path) -> None:
    """Each beside its checkpoint; what proves nothing is named, and hides no other."""
    (tmp_path / "a.checkpoint").write_text(NOTE, "utf-8")
    (tmp_path / "a.tsr").write_bytes(answer)
    (tmp_path / "alone.tsr").write_bytes(answer)
    text = "no checkpoint at all\n"
    (tmp_path / "other.checkpoint").write_text(text, "utf-8")
    (tmp_path / "other.tsr").write_bytes(authority.answer(question(text).as_bytes()))
    found = stamps_in(tmp_path, roots)
    (statement,) = found.statements
    assert (statement.kind, statement.size, statement.root, statement.proof) == (Kind.STAMPED, 7, EMPTY_ROOT, NOTE)
    assert found.notes == (
        "alone.tsr: the checkpoint that it stamps must lie beside it, as alone.checkpoint",
        "other.tsr: this is no checkpoint",
    )
    unnamed = stamps_in(tmp_path, None)
    assert unnamed.statements == ()
    assert unnamed.notes[0] == "a.tsr: a time stamp is believed by a certificate; name it in FOUREYES_TIME_STAMP_CA"


def test_openssl_says_the_same(authority: Certified, answer: bytes, tmp_path: Path) -> None:
    """What an auditor types, with nothing of ours."""
    (tmp_path / "a.checkpoint").write_text(NOTE, "utf-8")
    (tmp_path / "a.tsr").write_bytes(answer)
    files = ("-data", tmp_path / "a.checkpoint", "-in", tmp_path / "a.tsr", "-CAfile", authority.ca)
    assert openssl("ts", "-verify", *files) == "Verification: OK\n"
