"""What the audit commands do: hold the database against its own links, its anchor and its fold. It changes no log."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from approval_rules.log_events import GuardsPutBack
from bot.anchoring import Anchoring
from bot.audit import anchor as anchors
from bot.audit.against import Held, hold_against
from bot.audit.anchor import AnchorError
from bot.audit.cosignature import WitnessKey, statements_of
from bot.audit.report import Report
from bot.audit.signed_note import Checkpoint, NoteError
from bot.audit.statements import Found as Witnessed
from bot.audit.tile_export import export
from bot.audit.time_stamp import Roots, StampError, stamps_in
from bot.audit.verify import verify
from bot.audit.witness_files import read_witness
from bot.cli.erased import erased, people_notes, sealed_for_ever
from bot.cli.session import database, reading, settings, vault
from bot.clock import SteadyClock
from bot.key_rotation import changes, faults, restores
from bot.keys import KeyFileError, SigningKey, load
from bot.settings import SettingsError
from bot.store import guards
from bot.store.check import differences
from bot.store.codec import LOG, Recorded
from bot.store.folds import recorded_of

# Pages that are no pages, or tables and columns that are gone; anything else (busy, no rights) says nothing of the log.
_EARLIER = (
    "SELECT seq FROM (SELECT seq, at, lag(at) OVER (ORDER BY seq) AS before FROM entries) WHERE at < before LIMIT 10"
)
_SET_BACK = "entry {0} says an earlier time than the one before it: a clock was set back; the order is that of the log"
_GAVE_UP = "a restore was accepted here; the entries {} to {} that were signed then are lost"
_PUT_BACK = "the triggers {} were gone or changed, and a server put them back; see who can write the database"
_BRING_IT = "restore it from its backup, or set FOUREYES_SIGNING_KEY_FILE"
_UNSIGNED = (
    "the entries, links and hashes are whole among themselves; whether they are those that were signed, only the key"
    " and its anchor can tell"
)
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)


@dataclass(slots=True)
class _Found:
    """What a check has found so far."""

    report: Report = field(default_factory=Report)
    held: Held = field(default_factory=Held)
    broken: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def breaks(self, lines: Iterable[str]) -> None:
        """Note faults of no entry."""
        self.broken += [{"seq": None, "what": line} for line in lines]


def check(*, refold: bool, anchor_may_be_missing: bool = False, against: Sequence[Path] = ()) -> dict[str, Any]:
    """Verify everything; `broken` is empty where all is well. Raises NoWitnessError for a path that is none."""
    sources = _held(against)
    found = _Found()
    anchor: Checkpoint | None = None
    key: SigningKey | None = None
    try:
        if settings().anchor_file.exists() or sources:
            key = _key()
            anchor = anchors.read(settings().anchor_file, key.publics)
    except (AnchorError, KeyFileError) as error:
        found.breaks([str(error)])
    try:
        with reading() as connection:
            sources |= _cosigned(connection)
            _look(connection, found, anchor, key, sources)
            found.breaks(f"schema: {line}" for line in guards.faults(connection.execute(guards.MADE)))
            if refold and not found.broken:
                found.breaks(f"index: {line}" for line in differences(connection))
                found.breaks(f"index: {line}" for line in _search_faults(connection))
                found.warnings += people_notes(connection)
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF not in _DAMAGE:
            raise
        found.breaks([f"the database file is damaged: {error}; restore it, and keep this copy"])
    report, held = found.report, found.held
    if anchor is None and report.entries and not found.broken:
        missing = (
            f"{settings().anchor_file} is missing, so nobody can tell whether the log's tail was cut off; restore it"
            " from beside the key. Only if you know why it is gone: `foureyes audit checkpoint` makes a new one"
        )
        if anchor_may_be_missing:
            found.warnings.append(missing)
        else:
            found.breaks([missing])
    if anchor is None and report.entries and found.broken and not report.broken:
        found.warnings.append(_UNSIGNED)
    newer = report.entries - report.anchored
    if anchor is not None and newer and (report.anchored or not found.broken):
        last = "the last entry is" if newer == 1 else f"the last {newer} entries are"
        found.warnings.append(f"{last} newer than the anchor, which a running server writes each second")
    return {
        "entries": report.entries,
        "anchored": report.anchored,
        "head": report.head,
        "erased": erased(report),
        "broken": found.broken,
        "warnings": found.warnings,
        "witnesses": [asdict(cover) for cover in held.covers],
        "uncovered": max(0, report.entries - held.entries) if sources else None,
    }


def _look(
    connection: sqlite3.Connection,
    found: _Found,
    anchor: Checkpoint | None,
    key: SigningKey | None,
    sources: Mapping[str, Witnessed],
) -> None:
    """Verify the entries, and hold them against the witnesses and what the log says of its keys."""
    keys, retired = ([], {}) if key is None else (key.publics, key.retired)
    report = found.report = verify(connection, anchor, keys, retired, opens=vault() is not None)
    found.broken += [{"seq": fault.seq, "what": fault.what} for fault in report.broken]
    lost, notes = sealed_for_ever(report)
    found.breaks(lost)
    found.warnings += notes
    found.warnings += [_SET_BACK.format(seq) for (seq,) in connection.execute(_EARLIER)]
    told = () if report.broken else recorded_of(connection, LOG)
    given_up = [range(size, seen) for size, seen in restores(told)]
    found.warnings += [f"entry {gone.start}: {_GAVE_UP.format(gone.start, gone.stop - 1)}" for gone in given_up]
    found.warnings += [f"entry {seq}: {_PUT_BACK.format(names)}" for seq, names in _put_back(told)]
    if sources:
        found.held = hold_against(connection, sources, keys, retired, given_up)
        found.breaks(found.held.broken)
        found.warnings += found.held.notes
    if key is not None and not report.broken:
        found.breaks(faults(settings().signing_key_file, key, changes(told)))


def _put_back(told: Sequence[Recorded]) -> Iterator[tuple[int, str]]:
    """Give where a server found guards gone, and which."""
    for item in told:
        if isinstance(item.event, GuardsPutBack):
            yield item.seq, ", ".join(item.event.names)


def _held(against: Sequence[Path]) -> dict[str, Witnessed]:
    """Read what people hold, and the time stamps that are kept here. Raises NoWitnessError, SettingsError."""
    ca, folder = settings().time_stamp_ca, settings().time_stamp_folder
    try:
        roots = None if ca is None else Roots.read(ca)
    except StampError as error:
        raise SettingsError(f"FOUREYES_TIME_STAMP_CA: {error}") from None
    sources = {str(path): read_witness(path, roots) for path in against}
    if roots is not None and folder.is_dir():
        sources.setdefault(str(folder), stamps_in(folder, roots))
    return sources


def _cosigned(connection: sqlite3.Connection) -> dict[str, Witnessed]:
    """Give what the witness outside has signed, by its key in the settings; the database is not asked who it is."""
    if not settings().tlog_witness:
        return {}
    try:
        key = WitnessKey.parse(settings().tlog_witness.partition(" ")[2])
    except NoteError as error:
        raise SettingsError(f"FOUREYES_TLOG_WITNESS: {error}: write URL KEY") from None
    notes = connection.execute("SELECT note FROM cosignatures ORDER BY size").fetchall()
    return {key.name: statements_of([note for (note,) in notes], key)}


def _key() -> SigningKey:
    path = settings().signing_key_file
    try:
        return load(path)
    except FileNotFoundError:
        raise KeyFileError(f"{path}: there is no signing key, so the anchor cannot be checked; {_BRING_IT}") from None


def _search_faults(connection: sqlite3.Connection) -> Iterator[str]:
    """Hold the search index against the log; whoever has no key can only count the words."""
    from bot.search.checking import faults
    from bot.search.words import marker

    try:
        mark = marker(_key())
    except (OSError, KeyFileError):
        mark = None
    return faults(connection, mark)


def anchor_now() -> Path:
    """Sign the newest head into the anchor file."""
    path = settings().anchor_file
    Anchoring(database(), path, _key(), SteadyClock()).close()
    return path


def export_tiles(folder: Path, *, with_values: bool) -> tuple[Checkpoint, list[str]]:
    """Write the log as tiles, signed now; gives the checkpoint, and every key that signed it or an older one."""
    from bot.reveal.disclosing import open_disclosures  # what it imports, a verification must not wait for

    key = _key()
    with reading() as connection:
        return export(connection, folder, key.signers, open_disclosures if with_values else None, key.retired)
