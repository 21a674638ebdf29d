"""Keeps the policy in force in step with its folder and with the database: whatever was activated there decides here.

A good change of the folder is recorded and comes into force; a broken one raises the alarm, and the old one stays.
"""

import os
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import structlog

from approval_rules.decide import POLICY
from approval_rules.events import PolicyActivated, PolicyLoaded
from approval_rules.policy import PolicyFolder
from bot.contracts import FOLDER
from bot.desk.versions import take_up
from bot.desk.wiring import PolicyInForce
from bot.metrics import Metrics
from bot.policy_content import PolicyContent
from bot.policy_files import PolicyFolderError, load, load_content, open_folder
from bot.store import rows
from bot.store.codec import POLICY as POLICY_SUBJECT
from bot.store.engine import open_reader
from bot.store.policies import content_of, looking
from bot.store.reads import Reads
from bot.store.transaction import recorded_of
from bot.store.writer import Writer

log = structlog.get_logger()


def policy_at_start(path: Path, database: Path) -> PolicyFolder:
    """Give the policy that a server starts with: the active version of the database, else the folder's.

    Raises PolicyFolderError where neither can be read, and PolicyStoreError for a version that was tampered with.
    """
    with closing(open_reader(database)) as connection:
        active = rows.versions_from(recorded_of(connection, POLICY_SUBJECT)).active
        return load(path) if active is None else load_content(content_of(looking(connection), active))


def _stamp(folder: Path) -> object:
    """Tell cheaply whether anything in the folder may have changed; None where that cannot be told."""
    try:
        return [*_marks(folder), *(_marks(folder / FOLDER) if (folder / FOLDER).is_dir() else ())]
    except OSError:
        return None


def _marks(folder: Path) -> Sequence[tuple[str, int, int]]:
    return sorted((entry.name, entry.stat().st_mtime_ns, entry.stat().st_size) for entry in os.scandir(folder))


class PolicyWatch:
    """Looks at the folder and the database now and then. While the folder is broken, the old policy stays."""

    def __init__(self, path: Path, policy: PolicyInForce, writer: Writer, reads: Reads, metrics: Metrics) -> None:
        self._path = path
        self._policy = policy
        self._writer = writer
        self._reads = reads
        self._metrics = metrics
        self.fault: str | None = None
        self._stamp: object = None

    async def look(self) -> None:
        """Record what is new in the folder, and let what is active in the database decide."""
        stamp = _stamp(self._path)
        if stamp is None or stamp != self._stamp:
            await self._look_at_folder()
            self._stamp = stamp  # last: what could not be recorded is looked at again
        await self._catch_up()

    async def _look_at_folder(self) -> None:
        try:
            content, folder = open_folder(self._path)
        except PolicyFolderError as error:
            await self._refuse(str(error))
        else:
            await self._accept(content, folder)

    async def _accept(self, content: PolicyContent, folder: PolicyFolder) -> None:
        if self.fault is not None:
            log.info("policy_folder_is_good_again")
            self.fault = None
            self._metrics.policy_refused(refused=False)
        activated = await self._writer.run(lambda tx: take_up(tx, content))
        if activated is not None:
            self._replace(folder)
            _tell(activated)

    async def _catch_up(self) -> None:
        """Load what was activated elsewhere: from the command line, or by people."""
        active = (await self._reads.glance().versions()).active
        if active is None or active == self._policy.folder.version:
            return
        content = await self._writer.run(lambda tx: content_of(tx.rows, active))
        self._replace(load_content(content))
        log.warning("policy_changed", version=active)

    def _replace(self, folder: PolicyFolder) -> None:
        self._policy.folder = replace(folder, dial_key=self._policy.folder.dial_key)

    async def _refuse(self, fault: str) -> None:
        if fault != self.fault:
            self._metrics.policy_refused(refused=True)
            kept = self._policy.folder.version
            log.error("policy_folder_refused", kept=kept, fault=fault)
            await self._writer.run(lambda tx: tx.record(PolicyLoaded(tx.at, POLICY, kept, "refused")))
            self.fault = fault


def _tell(activated: PolicyActivated) -> None:
    if activated.why == "first":
        log.info("policy_in_force", version=activated.version)
    else:
        log.warning("policy_changed_without_approval", version=activated.version, previous=activated.previous)
