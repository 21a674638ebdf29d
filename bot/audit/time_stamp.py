"""Time stamps of RFC 3161 over signed checkpoints: what an authority is asked, and what its answer proves.

An authority knows nothing of the log: it says that a checkpoint was there at a time. It is believed by the certificates
that somebody names, never by what the answer brings along. No network, no clock; it writes nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    TimeStampRequest,
    TimestampRequestBuilder,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)
from rfc3161_client.tsp import SignedData

from bot.audit.signed_note import NoteError, read_checkpoint
from bot.audit.statements import Found, Kind, Statement

STAMP = ".tsr"
STAMPED = ".checkpoint"
_GRANTED = 0
_LARGEST = 64 * 1024


class StampError(Exception):
    """This is no time stamp of this checkpoint by this authority, or no authority; the message says why."""


@dataclass(frozen=True, slots=True)
class Roots:
    """The certificates that a time stamp must lead to."""

    certificates: tuple[x509.Certificate, ...]

    @classmethod
    def read(cls, path: Path) -> "Roots":
        """Read a file of PEM certificates; raises StampError."""
        try:
            return cls(tuple(x509.load_pem_x509_certificates(path.read_bytes())))
        except OSError as error:
            raise StampError(f"{path} cannot be read: {error.strerror}") from None
        except ValueError:
            raise StampError(f"{path} holds no certificate in PEM form") from None


@dataclass(frozen=True, slots=True)
class Stamp:
    """What an authority says: that it saw a checkpoint at a time."""

    at: datetime
    by: str

    def __str__(self) -> str:
        return f"of {self.at:%Y-%m-%d %H:%M:%S} UTC by {self.by}"


def question(note: str) -> TimeStampRequest:
    """Ask for a time stamp over a signed checkpoint: its SHA-256 and a number that no answer before can have."""
    return TimestampRequestBuilder().data(note.encode()).hash_algorithm(HashAlgorithm.SHA256).build()


def stamp_in(answer: bytes, note: str, roots: Roots, asked: TimeStampRequest | None = None) -> Stamp:
    """Verify an answer over a signed checkpoint, and that it answers what was `asked`; raises StampError."""
    verifier = VerifierBuilder() if asked is None else VerifierBuilder.from_request(asked)
    for certificate in roots.certificates:
        verifier = verifier.add_root_certificate(certificate)
    try:
        found = decode_timestamp_response(answer)
        if found.status != _GRANTED:
            raise StampError(f"the authority refused, with status {found.status}")
        verifier.build().verify_message(found, note.encode())
        return Stamp(found.tst_info.gen_time, _signer_of(found.signed_data))
    except VerificationError as error:
        raise StampError(_first_sentence(error)) from None
    except ValueError:
        raise StampError("this is no time stamp of RFC 3161") from None


def stamps_in(folder: Path, roots: Roots | None) -> Found:
    """Give every checkpoint in a folder that a time stamp beside it covers; what proves nothing is noted."""
    statements: list[Statement] = []
    notes: list[str] = []
    for path in sorted(folder.rglob(f"*{STAMP}")):
        try:
            statements.append(_stamped(path, roots))
        except (StampError, NoteError) as error:
            notes.append(f"{path.name}: {error}")
    return Found(tuple(statements), 0, tuple(notes))


def _stamped(path: Path, roots: Roots | None) -> Statement:
    if roots is None:
        raise StampError("a time stamp is believed by a certificate; name it in FOUREYES_TIME_STAMP_CA")
    try:
        answer, raw = _bytes(path), _bytes(path.with_suffix(STAMPED))
    except FileNotFoundError:
        raise StampError(f"the checkpoint that it stamps must lie beside it, as {path.stem}{STAMPED}") from None
    note = raw.decode("utf-8", errors="replace")
    stamp = stamp_in(answer, note, roots)
    known = read_checkpoint(note.partition("\n\n")[0] + "\n")
    return Statement(Kind.STAMPED, known.size, known.root, None, known.origin, note, str(stamp))


def _bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_LARGEST)


def _signer_of(signed: SignedData) -> str:
    """Name whose certificate it is; the signature covers which one."""
    (signer,) = signed.signer_infos
    every = [x509.load_der_x509_certificate(data) for data in signed.certificates]
    theirs = (one for one in every if (one.issuer, one.serial_number) == (signer.issuer, signer.serial_number))
    return next(theirs).subject.rfc4514_string()


def _first_sentence(error: VerificationError) -> str:
    """Leave out what the library quotes of OpenSSL's insides."""
    text = str(error).partition(": ")[0]
    return (
        "no certificate for time stamps that leads to the named ones has signed it"
        if text.startswith("Error while")
        else text
    )
