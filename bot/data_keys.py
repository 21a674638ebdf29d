"""Data keys in a file beside the signing key: what was sealed with one is unreadable for ever once it is shredded.

The file must never lie in the database or its backups. A key is on the disk before anything is sealed with it; no key
reaches a log, an error or a repr.
"""

import fcntl
import hashlib
import hmac
import json
import logging
import os
import stat
import threading
from base64 import urlsafe_b64decode
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bot.clock import NewToken, base32
from bot.keys import KeyFileError, base64url
from bot.sealing import CannotOpenError

AccountMarking: TypeAlias = Callable[[str, str], bytes]
"""Gives by what an account (its workspace and its id) is found again."""
_log = logging.getLogger(__name__)
_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_TAG_LETTERS: Final = 8
_VERSION: Final = 1
HELD: Final = "held-"
"""How the tag of a key begins that seals what must outlive its term."""
MARK: Final = "mark-"
"""How the tag of a key begins that seals nothing: values are found by it."""
SENT: Final = "sent-"
"""How the tag of a key begins that seals what is to be sent, or was."""
PERSON: Final = "person-"
"""How the tag of a key begins that seals whose account one pseudonym is."""


class KeyName(NamedTuple):
    """What a key's name says: the UTC day of what it seals, for how many days, and which of several keys it is."""

    day: str
    days: int
    tag: str

    def __str__(self) -> str:
        return f"{self.day}.{self.days}.{self.tag}"

    @property
    def kind(self) -> str:
        """What the key is for, as its tag begins; empty for one that seals kept values."""
        return self.tag[: self.tag.find("-") + 1]


def key_name(text: str) -> KeyName:
    """Read a key's name as rows carry it. Raises ValueError."""
    day, days, tag = text.split(".")
    return KeyName(day, int(days), tag)


class DataKeys:
    """Every living data key. Several processes may use one file: whoever writes holds the database's lock."""

    def __init__(self, path: Path, new_token: NewToken, marking: AccountMarking | None = None) -> None:
        """Read the file; raises FileNotFoundError where there is none and KeyFileError for anything unfit.

        `marking` comes from the signing key: an account is found again whatever becomes of the keys here.
        """
        self.path = path
        self._marking = marking
        self._new_token = new_token
        self._lock = threading.Lock()
        self._seen: tuple[int, ...] = ()
        self._secrets: Mapping[str, bytes] = {}
        self._newest: dict[tuple[str, int, str], str] = {}
        self._aeads: dict[str, AESGCM] = {}
        self.refresh()

    def __repr__(self) -> str:
        return f"DataKeys({str(self.path)!r})"

    def refresh(self) -> None:
        """Read the file again where it is another one than last time; where somebody took it away, put it back.

        Raises KeyFileError where it cannot be read or put back; what was read before is kept.
        """
        try:
            status = os.stat(self.path)  # noqa: PTH116 - half the time of Path.stat, at every write
        except FileNotFoundError:
            if not self._seen:
                raise
            self._put_back()
            return
        except OSError as error:
            raise _unreadable(self.path, error) from None
        if _signature(status) != self._seen:
            with self._lock:
                self._take(*_read(self.path))

    def _put_back(self) -> None:
        """Write the file again from what is held here: removing it erases nothing that the log does not tell of."""
        try:
            with self._lock, _alone(self.path.parent):
                if not self.path.exists():
                    _write(self.path, self._secrets)
                self._take(*_read(self.path))
        except OSError as error:
            raise KeyFileError(
                f"{self.path} is gone and cannot be written again: {error.strerror}. Make its folder writable, or put"
                " the file back from its backup; do not stop the server before, which still holds the keys"
            ) from None
        _log.error("%s was taken away; it was written again with %s keys", self.path, len(self._secrets))

    def names(self) -> list[KeyName]:
        """Name every living key, the oldest first."""
        self.refresh()
        return [key_name(text) for text in self._secrets]

    def seal_under(self, name: str, text: str, place: str) -> bytes:
        """Seal a text for one place with a key that there is; give the box."""
        nonce = self._new_token(_NONCE_BYTES)
        return nonce + self._aead(name).encrypt(nonce, text.encode(), place.encode())

    def seal(self, day: str, days: int, text: str, place: str, kind: str = "") -> tuple[str, bytes]:
        """Seal a text for one place with the newest key of this day, term and kind; give its name and the box."""
        name = self._newest.get((day, days, kind)) or self.make(day, days, kind)
        return name, self.seal_under(name, text, place)

    def open(self, name: str, box: bytes, place: str) -> str | None:
        """Open a box; None where its key is gone. Raises CannotOpenError where it was changed or moved."""
        if name not in self._secrets:
            self.refresh()
        if name not in self._secrets:
            return None
        try:
            return self._aead(name).decrypt(box[:_NONCE_BYTES], box[_NONCE_BYTES:], place.encode()).decode()
        except (InvalidTag, ValueError):
            raise CannotOpenError("sealed for another place, or changed") from None

    def mark(self, day: str, days: int, text: str) -> bytes:
        """Give 16 bytes by which a text of this day is found again, and which say nothing without the key."""
        name = self._newest.get((day, days, MARK)) or self.make(day, days, MARK)
        return hmac.digest(self._secrets[name], text.encode(), hashlib.sha256)[:16]

    def kept_mark(self, day: str, days: int, text: str) -> bytes | None:
        """Give the mark of a text where the key for it is there still; makes none."""
        self.refresh()
        return self.mark(day, days, text) if (day, days, MARK) in self._newest else None

    def account_mark(self, team: str, user: str) -> bytes | None:
        """Give by what an account is found again; None where the signing key was not at hand."""
        return None if self._marking is None else self._marking(team, user)

    def make(self, day: str, days: int, kind: str = "") -> str:
        """Make a key, on the disk when this returns, with which this day and term is sealed from now on."""
        return self.make_several(day, days, kind, 1)[0]

    def make_several(self, day: str, days: int, kind: str, many: int) -> list[str]:
        """Make several keys, all on the disk when this returns."""
        tags = [base32(int.from_bytes(self._new_token(5), "big"), _TAG_LETTERS) for _ in range(many)]
        names = [str(KeyName(day, days, f"{kind}{tag}")) for tag in tags]
        self._change(lambda secrets: {**secrets, **{name: self._new_token(_KEY_BYTES) for name in names}})
        return names

    def shred(self, names: Collection[str]) -> None:
        """Drop keys for ever: what they sealed is unreadable in every copy from here on."""
        if names:
            self._change(lambda secrets: {name: key for name, key in secrets.items() if name not in names})

    def _aead(self, name: str) -> AESGCM:
        found = self._aeads.get(name)
        if found is None:
            found = self._aeads[name] = AESGCM(self._secrets[name])
        return found

    def _change(self, change: Callable[[Mapping[str, bytes]], Mapping[str, bytes]]) -> None:
        with self._lock, _alone(self.path.parent):
            _, secrets = _read(self.path)
            _write(self.path, change(secrets))
            self._take(*_read(self.path))

    def _take(self, seen: tuple[int, ...], secrets: Mapping[str, bytes]) -> None:
        newest = {(name.day, name.days, name.kind): text for text in secrets for name in [key_name(text)]}
        # In this order: another thread that sees a name must find its key.
        self._secrets, self._newest, self._seen = secrets, newest, seen
        self._aeads = {}


def create(path: Path) -> None:
    """Make an empty file, for this account only. Raises KeyFileError."""
    try:
        with _alone(path.parent):
            if not path.exists():
                _write(path, {})
    except OSError as error:
        raise KeyFileError(f"{path}: cannot create the file of data keys: {error.strerror}") from None


def _read(path: Path) -> tuple[tuple[int, ...], Mapping[str, bytes]]:
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())  # of what is open, not of the name: what was checked is what is read
            if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise KeyFileError(f"{path}: others can reach the data keys; run: chmod 600 {path}")
            secrets = _secrets(json.load(file))
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _unreadable(path, error) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        # The parser's own message is left out: it could quote the file.
        raise KeyFileError(f"{path}: not a file of data keys; restore it from its backup") from None
    return _signature(status), secrets


def _unreadable(path: Path, error: OSError) -> KeyFileError:
    return KeyFileError(f"{path}: cannot read the data keys: {error.strerror}")


def _secrets(read: Any) -> Mapping[str, bytes]:  # noqa: ANN401 - JSON
    secrets = {str(key_name(name)): urlsafe_b64decode(f"{key}=") for name, key in read["keys"].items()}
    if read["v"] != _VERSION or any(len(key) != _KEY_BYTES for key in secrets.values()):
        raise ValueError(read["v"])
    return secrets


def _signature(status: os.stat_result) -> tuple[int, ...]:
    return status.st_ino, status.st_mtime_ns, status.st_size


def _write(path: Path, secrets: Mapping[str, bytes]) -> None:
    """Replace the file in one step, and make that survive a power cut."""
    text = json.dumps({"v": _VERSION, "keys": {name: base64url(key) for name, key in secrets.items()}}, indent=0)
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(descriptor, "w", encoding="ascii") as file:  # noqa: PTH123 - a descriptor of this mode
        if path.exists() and os.geteuid() == 0:  # root's command must not take the file away from the server's account
            os.fchown(descriptor, path.stat().st_uid, path.stat().st_gid)
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other processes from changing the file until the block ends."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
