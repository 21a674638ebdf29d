"""The log that is tampered with: a day of a real server, many proposals after it, and what others hold of it.

It is made once a process, kept in memory, and given out in copies without the guards that its owner can drop anyway.
"""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.access.keeping import SignReport
from bot.agents import RevokeAgent, RotateAgent, end_keys, who_typed
from bot.anchoring import EVERY, Anchoring
from bot.audit.merkle import Frontier, grown
from bot.audit.signed_note import Checkpoint, origin_of, signed_checkpoint
from bot.clock import new_token
from bot.held_keys import AUDITOR, OPERATOR, GiveKey, TakeKey
from bot.keys import SigningKey, load
from bot.slack_standin.workspace import JONAS, MAYA, PRIYA, SAM
from bot.store.engine import open_writer
from bot.store.sealed import Vault, look_through
from tests.bot.store.long_log import ENTRIES_EACH, write_log
from tests.movable_clock import MovableClock
from tests.passkey_world import PasskeyWorld
from tests.verifier.scene import unguarded
from tests.world import TOOL, denial

AT = "2026-11-22T12:00:00.000000Z"


@dataclass(frozen=True)
class Ground:
    """A whole log and its surroundings. `grants` are what agents hold; `early` is the file as it was in the morning."""

    data: bytes
    note: str
    key: SigningKey
    grants: tuple[str, ...]
    early: bytes
    early_note: str
    vault: Vault

    @property
    def keys(self) -> list[bytes]:
        """The public key of the log."""
        return [self.key.public_bytes()]

    @contextmanager
    def copy(self, *, early: bool = False) -> Iterator[sqlite3.Connection]:
        """Give a copy in memory that guards nothing."""
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
            db.deserialize(self.early if early else self.data)
            db.execute("PRAGMA foreign_keys = OFF")
            db.execute("PRAGMA ignore_check_constraints = ON")
            look_through(db, self.vault)
            yield db


_KEPT = TemporaryDirectory()
"""Where the keys of the sealed values lie as long as this process lives."""


@cache
def ground(entries: int) -> Ground:
    """Make it, with at least so many entries."""
    folder = Path(_KEPT.name) / str(entries)
    folder.mkdir()
    return asyncio.run(_play(folder / "world", entries))


async def _play(folder: Path, entries: int) -> Ground:
    grants: list[str] = []
    async with PasskeyWorld(folder) as world:
        grants.append(await _green(world))
        await world.stop()
        early, early_note = _bytes(world.database), world.settings.anchor_file.read_text("utf-8")
        await world.start()
        await _day(world)
        await _people(world)
        await _personal(world)
        grants.append(await _green(world))
        await world.settled()
        await world.stop()
        with closing(open_writer(world.database, checkpoints=True)) as db:
            (size,) = db.execute("SELECT count(*) FROM entries").fetchone()
            write_log(db, max(1, -(-(entries - size) // ENTRIES_EACH)))
        key = load(world.settings.signing_key_file)
        _keep_checkpoints(world.database, key)
        Anchoring(world.database, world.settings.anchor_file, key, MovableClock()).close()
        note = world.settings.anchor_file.read_text("utf-8")
        vault = world.vault()
        assert vault is not None
        return Ground(_bytes(world.database), note, key, tuple(grants), early, early_note, vault)


async def _green(world: PasskeyWorld) -> str:
    """Have a small refund approved by the policy and claimed; gives the grant."""
    answer = await world.claim(await world.propose(42))
    return str(answer.json()["grant"])


async def _day(world: PasskeyWorld) -> None:
    """Approve one with passkeys, deny one, turn one away."""
    passkeys = dict(zip((MAYA, JONAS), await world.holding(), strict=True))
    packet = await world.packet_of(await world.propose())
    for user, passkey in passkeys.items():
        shown = await world.page_for(user, packet)
        answer = await world.post(shown, passkey.answer(shown.challenge, world.lie()))
        assert answer.status_code == 200
    denied = await world.propose()
    await world.fill(MAYA, await world.packet_of(denied), "deny", denial("The parcel was fine."))
    refused = await world.post_proposal(1, tool="other.tool")
    assert refused.status_code == 403


async def _people(world: PasskeyWorld) -> None:
    """Be away, give and take keys, review who may do what."""
    await world.say(MAYA, "away for 3 days")
    await world.add_agent("night-bot", SAM, TOOL)
    ended = await world.add_agent("ended-bot", SAM, TOOL)
    write = world.running.wiring.writer.run
    for unit in (
        RotateAgent("refund-bot", timedelta(hours=1), "root", new_token),
        RevokeAgent("night-bot", "root"),
        GiveKey(OPERATOR, "Olga", "root", new_token),
        GiveKey(OPERATOR, "Paul", "root", new_token),
        TakeKey(OPERATOR, "Paul", "root"),
        GiveKey(AUDITOR, "Ada", "root", new_token, (True,)),
        GiveKey(AUDITOR, "Bert", "root", new_token, (False,)),
        TakeKey(AUDITOR, "Bert", "root"),
        lambda tx: end_keys(tx, ended.agent, who_typed(tx, "root")),
    ):
        await write(unit)
    assert "comes to you alone" in await world.say(PRIYA, "access")
    await world.settled()
    with world.db() as db:
        (report,) = db.execute("SELECT digest FROM access_reports").fetchone()
    await write(lambda tx: SignReport(report, who_typed(tx, "root"), None)(tx))


async def _personal(world: PasskeyWorld) -> None:
    """Propose two mails to people who are named in a field that the contract marks as personal."""
    (world.policy / "crm.mail.yml").write_text(
        "policy:\n  tool: crm.mail\n"
        "  contract: {properties: {text: {type: string}, to: {type: string, x-touches: pii}}}\n"
        "  rules: [{require_approval: support_manager}]\n",
        "utf-8",
    )
    await world.running.watch.look()
    assert world.running.watch.fault is None
    client = world.client((await world.add_agent("mail-bot", SAM, "crm.mail")).key)
    for name in ("erika", "bernd"):
        arguments = {"text": "Your parcel is on its way.", "to": f"{name}@example.com"}
        await world.propose(tool="crm.mail", arguments=arguments, client=client)
    await world.settled()


def _bytes(database: Path) -> bytes:
    """Read a database that no server is using, in one file and without its guards."""
    with closing(sqlite3.connect(database, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = DELETE")
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as copy:
            db.backup(copy)
            unguarded(copy)
            return copy.serialize()


def _keep_checkpoints(database: Path, key: SigningKey) -> None:
    """Keep what a server keeps while a log grows: a checkpoint of each 256 entries."""
    with closing(open_writer(database, checkpoints=True)) as db:
        leaves = [row[0] for row in db.execute("SELECT leaf_hash FROM entries ORDER BY seq")]
        (kept,) = db.execute("SELECT count(*) FROM checkpoints").fetchone()
        for number, size in enumerate([*range(EVERY, len(leaves), EVERY), len(leaves)], kept + 1):
            found = Checkpoint(origin_of(leaves[0]), size, grown(Frontier(), leaves[:size])[0].root, number, AT)
            note = signed_checkpoint(found, [key.signer])
            db.execute("INSERT INTO checkpoints VALUES (?, ?, ?)", (size, note, AT))
