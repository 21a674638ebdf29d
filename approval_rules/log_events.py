"""What happened to the keeping of the log itself: its signing keys, and an older database that was put back. Facts."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from approval_rules.people import Actor
from approval_rules.text import AgentText


@dataclass(frozen=True, slots=True)
class SigningKeyChanged:
    """A signing key was added, and the one before signs beside it; or all but the newest were retired.

    `key` is the public Ed25519 key in base 64 for addresses. `size` tells for how many entries of the log a retired
    key's signatures count. Nobody is believed because of an entry like this: whoever is stands beside the key.
    """

    at: datetime
    by: Actor
    key: str
    change: Literal["added", "retired"]
    size: int | None = None


@dataclass(frozen=True, slots=True)
class RestoreAccepted:
    """A person has put back a database that is older than what was signed, and says so: the entries between are lost.

    The log had `size` entries before this one. `seen` and `root` (hex) are those of the newest signed checkpoint, which
    no log has any more.
    """

    at: datetime
    by: Actor
    size: int
    seen: int
    root: str
    reason: AgentText


@dataclass(frozen=True, slots=True)
class GuardsPutBack:
    """A server found triggers gone, or changed, that keep the log append-only, and put them back. `names` are ours."""

    at: datetime
    by: Actor
    names: tuple[str, ...]


LogEvent: TypeAlias = SigningKeyChanged | RestoreAccepted
