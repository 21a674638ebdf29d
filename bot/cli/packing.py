"""What `audit prove` and `audit replay` read: one decision, after the whole log was verified. It changes nothing."""

from pathlib import Path
from typing import TYPE_CHECKING

from bot.cli.checking import check
from bot.cli.session import database, settings, signing_key
from bot.clock import SteadyClock
from bot.evidence.gathering import Place, gathered
from bot.evidence.making import pack_of

if TYPE_CHECKING:
    from bot.evidence.gathering import Decision
    from bot.evidence.pack import Pack


def place() -> Place:
    """Find the database, the anchor and the key. Raises KeyFileError where there is no key."""
    path: Path = database()
    return Place(path, settings().anchor_file, signing_key())


def decided(unverified_id: str) -> "Decision | None":
    """Gather one decision; None where the log has none of this id."""
    return gathered(place(), unverified_id)


def packed(unverified_id: str) -> "Pack | None":
    """Make the pack of one decision; None where the log has none of this id."""
    where = place()
    decision = gathered(where, unverified_id)
    if decision is None:
        return None
    faults = check(refold=False)["broken"]
    wrong = [fault["what"] if fault["seq"] is None else f"entry {fault['seq']}: {fault['what']}" for fault in faults]
    return pack_of(decision, where, SteadyClock()(), "whole-log", wrong)
