"""Rotates the signing key: a new one signs beside the old, then the old is retired. Each step can be repeated safely.

Who is believed stands in the file of the key. The log says when it changed, and that both say the same is checked.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from approval_rules.log_events import RestoreAccepted, SigningKeyChanged
from bot.agents import who_typed
from bot.keys import KeyFileError, SigningKey, base64url, save
from bot.store.codec import LOG, Recorded
from bot.store.transaction import Transaction

GRANT_ENDS: Final = timedelta(minutes=10)
"""For so long a grant that the old key has signed may still be verified by somebody."""


def changes(recorded: Sequence[Recorded]) -> list[SigningKeyChanged]:
    """Give what the log says of the keys, oldest first."""
    return [item.event for item in recorded if isinstance(item.event, SigningKeyChanged)]


def restores(recorded: Sequence[Recorded]) -> list[tuple[int, int]]:
    """Give each restore that was accepted: how many entries the log had, and how many had been signed before."""
    events = [item.event for item in recorded]
    return [(event.size, event.seen) for event in events if isinstance(event, RestoreAccepted)]


def add(path: Path, key: SigningKey, known: Sequence[SigningKeyChanged]) -> SigningKey:
    """Write a new key before the others, unless one is there that the log does not name yet. Raises KeyFileError."""
    if key.public_bytes() != key.root_public and base64url(key.public_bytes()) not in _named(known):
        return key  # a rotation that was stopped between the file and the log
    if len(key.publics) > 1:
        raise KeyFileError(f"{path} has two keys that sign already; end that first: foureyes key retire")
    rotated = key.rotated()
    save(path, rotated)
    return rotated


def record_added(tx: Transaction, os_user: str, key: SigningKey) -> None:
    """Say in the log that the newest key signs from now on."""
    tx.record(SigningKeyChanged(tx.at, who_typed(tx, os_user), base64url(key.public_bytes()), "added"))


def require_two(path: Path, key: SigningKey) -> None:
    """Raise KeyFileError where nothing is to be retired."""
    if len(key.publics) == 1:
        raise KeyFileError(f"{path} has one key that signs; add the next one first: foureyes key rotate")


def require_grants_over(known: Sequence[SigningKeyChanged], now: datetime) -> None:
    """Raise KeyFileError where a grant of the old key may still be on its way."""
    added = [event.at for event in known if event.change == "added"]
    if not added or now < added[-1] + GRANT_ENDS:
        raise KeyFileError(
            "the new key has not signed for ten minutes yet, and a grant lives so long; wait, or, where the old key was"
            " stolen, give --now"
        )


def record_retired(tx: Transaction, os_user: str, key: SigningKey) -> int:
    """Say in the log which keys sign no more, and give for how many entries their signatures count."""
    by, size = who_typed(tx, os_user), tx.size
    known = {event.key: event.size for event in changes(tx.history(LOG)) if event.change == "retired"}
    for public in key.publics[1:]:
        said = known.get(base64url(public))
        if said is not None:
            return said  # a retirement that was stopped between the log and the file
    for public in key.publics[1:]:
        tx.record(SigningKeyChanged(tx.at, by, base64url(public), "retired", size))
    return size


def is_lost(key: SigningKey, known: Sequence[SigningKeyChanged]) -> bool:
    """Tell whether the log has lost the end of a retired key, or says an earlier one: an older copy was put back."""
    said = _ends(known)
    return any(said.get(base64url(public), -1) < end for public, end in key.retired.items())


def restate(tx: Transaction, os_user: str, key: SigningKey, size: int) -> dict[bytes, int]:
    """Say again what the file has and a log of `size` entries has lost; gives for how many entries retired keys count.

    A retired key never counts for an entry that took the place of a lost one: whoever stole it could sign that.
    """
    by, known = who_typed(tx, os_user), changes(tx.history(LOG))
    said = _ends(known)
    for public in reversed([*key.publics, *key.retired]):
        name = base64url(public)
        if public != key.root_public and name not in _named(known):
            tx.record(SigningKeyChanged(tx.at, by, name, "added"))
    ends = {}
    for public, end in reversed(key.retired.items()):
        name = base64url(public)
        ends[public] = min(end, said.get(name, size))
        if name not in said:
            tx.record(SigningKeyChanged(tx.at, by, name, "retired", ends[public]))
    return ends


def faults(path: Path, key: SigningKey, known: Sequence[SigningKeyChanged]) -> Iterator[str]:
    """Say where the log and the file differ in which keys there are: one of them was changed."""
    mine = {base64url(public) for public in [*key.publics, *key.retired]}
    retired = {base64url(public): size for public, size in key.retired.items()}
    said = {event.key: event.size for event in known if event.change == "retired"}
    for name in _named(known):
        if name not in mine:
            yield f"the log names the signing key {name}, and {path} does not have it: restore the newest key file"
    for name in sorted(mine - set(_named(known)) - {base64url(key.root_public)}):
        yield f"{path} has the signing key {name} and no entry says so; `foureyes key rotate` ends what was begun"
    for name in sorted(said.keys() | retired.keys()):
        if said.get(name) != retired.get(name):
            yield f"{path} and the log differ in the key {name}'s end; `foureyes key retire` ends what was begun"


def _ends(known: Sequence[SigningKeyChanged]) -> dict[str, int]:
    return {event.key: event.size for event in known if event.change == "retired" and event.size is not None}


def _named(known: Sequence[SigningKeyChanged]) -> list[str]:
    return [event.key for event in known if event.change == "added"]
