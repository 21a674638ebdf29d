"""Takes a rotated signing key up while the server runs. It never makes or writes one."""

from pathlib import Path

import structlog

from bot.keys import KeyFileError, SigningKey, load

log = structlog.get_logger()


class KeyWatch:
    """Looks whether the key's file was replaced. `fault` says why the new one is not used, where that is so."""

    def __init__(self, path: Path, key: SigningKey) -> None:
        self._path = path
        self._key = key
        self._seen = self._stamp()
        self.fault: str | None = None

    def look(self) -> None:
        """Sign with what the file has now. A file that cannot be read changes nothing, and is said once."""
        stamp = self._stamp()
        if stamp == self._seen:
            return
        self._seen = stamp
        try:
            self._key.become(load(self._path))
        except FileNotFoundError:
            self.fault = f"{self._path} is gone; put it back before the next start"
        except KeyFileError as error:
            self.fault = str(error)
        else:
            self.fault = None
            log.info("signing_key_taken_up", kid=self._key.kid, keys=len(self._key.publics))
        if self.fault is not None:
            log.warning("signing_key_not_taken_up", error=self.fault)

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_mode
