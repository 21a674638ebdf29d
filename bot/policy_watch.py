"""Keeps the policy in force in step with its folder and with the database: whatever was activated there decides here.

A good change of the folder is recorded and comes into force; a broken one raises the alarm, and the old one stays.
"""

import asyncio
import os
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import structlog

from approval_rules.decide import POLICY
from approval_rules.policy import PolicyFolder
from approval_rules.policy_events import PolicyActivated, PolicyLoaded
from approval_rules.versions import CHANGE_TOOL, POLICY_ADMIN, SERVER
from bot.clock import Clock
from bot.contracts import FOLDER
from bot.desk.current_policy import folder_of
from bot.desk.versions import NotNowError, take_up
from bot.desk.wiring import PolicyInForce
from bot.factor_needs import require_pages
from bot.metrics import Metrics
from bot.policy_content import PolicyContent
from bot.policy_files import PolicyFolderError, load, open_folder
from bot.replay.change import Change, ChangeTooLargeError
from bot.replay.preparing import prepare
from bot.store import rows
from bot.store.codec import POLICY as POLICY_SUBJECT
from bot.store.engine import open_reader
from bot.store.folds import recorded_of
from bot.store.policies import PolicyStoreError, looking, within
from bot.store.reads import Reads
from bot.store.writer import Writer

log = structlog.get_logger()


def policy_at_start(path: Path, database: Path) -> PolicyFolder:
    """Give the policy that a server starts with: the active version of the database, else the folder's.

    A folder that is missing or has a fault is refused, unless the active version has the role policy_admin: then the
    folder is only a wish. Raises PolicyFolderError, and PolicyStoreError for a version that cannot be trusted or read.
    """
    with closing(open_reader(database)) as connection:
        active = rows.versions_from(recorded_of(connection, POLICY_SUBJECT)).active
        kept = None if active is None else folder_of(looking(connection), active)
    if kept is not None and POLICY_ADMIN in kept.roles:
        return kept
    folder = load(path)
    return kept or folder


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

    def __init__(
        self,
        path: Path,
        public_url: str | None,
        policy: PolicyInForce,
        writer: Writer,
        reads: Reads,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._path = path
        self._public_url = public_url
        self._policy = policy
        self._writer = writer
        self._reads = reads
        self._metrics = metrics
        self._clock = clock
        self._folder_fault: str | None = None
        self._store_fault: str | None = None
        self._stamp: object = None
        self._later: str | None = None
        self._note = "in force"

    @property
    def fault(self) -> str | None:
        """What is wrong with the folder or with the active version; None where all is well."""
        return self._folder_fault or self._store_fault

    @property
    def told(self) -> str:
        """Say how it stands in a few public words."""
        if self._store_fault is not None:
            return "the active version in the database cannot be used; the one in memory decides"
        return "the folder is refused" if self._folder_fault is not None else self._later or self._note

    async def look(self) -> None:
        """Record what is new in the folder, and let what is active in the database decide."""
        stamp = _stamp(self._path)
        if stamp is None or stamp != self._stamp:
            try:
                await self._look_at_folder()
            except NotNowError as error:
                self._later = f"in force; {error}"
            else:
                self._stamp, self._later = stamp, None  # last: what could not be recorded is looked at again
        await self._catch_up()

    async def _look_at_folder(self) -> None:
        try:
            content, folder = open_folder(self._path)
            require_pages(folder, self._public_url, self._path)
            change = await self._change(content, folder)
        except (PolicyFolderError, ChangeTooLargeError) as error:
            await self._refuse(str(error))
        else:
            await self._accept(content, folder, change)

    async def _change(self, content: PolicyContent, folder: PolicyFolder) -> Change | None:
        """Prepare what people will be asked about a new content, where they will be: it takes seconds."""
        glance = self._reads.glance()
        versions = await glance.versions()
        known = versions.active is None or content.version in (versions.folder, versions.active)
        governed = POLICY_ADMIN in self._policy.folder.roles
        paused = (await glance.switch()).stops(SERVER.id, CHANGE_TOOL) is not None
        if known or not governed or paused:
            return None
        dialled = replace(folder, dial_key=self._policy.folder.dial_key)
        return await asyncio.to_thread(prepare, self._reads.path, str(versions.active), content, dialled, self._clock)

    async def _accept(self, content: PolicyContent, folder: PolicyFolder, change: Change | None) -> None:
        step = await self._writer.run(lambda tx: take_up(tx, content, change))
        if self._folder_fault is not None:
            log.info("policy_folder_is_good_again")
            self._folder_fault = None
            self._show_alarm()
        if isinstance(step, PolicyActivated):
            self._replace(folder)
            _tell(step)
        elif step is not None:
            log.warning("policy_change_waits", proposal=step, version=content.version)

    async def _catch_up(self) -> None:
        """Load what was activated elsewhere, from the command line or by people, and note what waits."""
        glance = self._reads.glance()
        versions = await glance.versions()
        active = versions.active
        if active is not None and active != self._policy.folder.version:
            try:
                folder = await self._writer.run(lambda tx: folder_of(within(tx), active))
            except PolicyStoreError as error:
                self._distrust(str(error))
                return
            self._replace(folder)
            log.warning("policy_changed", version=active)
        self._store_fault = None
        self._show_alarm()
        waits = await glance.rows(rows.OPEN_CHANGES, {})
        differs = "the folder holds another version" if versions.folder != active else None
        told = f"a change waits for two of {POLICY_ADMIN}" if waits else differs
        self._note = f"in force; {told}" if told else "in force"

    def _distrust(self, fault: str) -> None:
        if fault != self._store_fault:
            log.error("policy_version_refused", kept=self._policy.folder.version, fault=fault)
        self._store_fault = fault
        self._show_alarm()

    def _show_alarm(self) -> None:
        self._metrics.policy_refused(refused=self.fault is not None)

    def _replace(self, folder: PolicyFolder) -> None:
        self._policy.folder = replace(folder, dial_key=self._policy.folder.dial_key)

    async def _refuse(self, fault: str) -> None:
        if fault != self._folder_fault:
            self._metrics.policy_refused(refused=True)
            kept = self._policy.folder.version
            log.error("policy_folder_refused", kept=kept, fault=fault)
            await self._writer.run(lambda tx: tx.record(PolicyLoaded(tx.at, POLICY, kept, "refused")))
            self._folder_fault = fault


def _tell(activated: PolicyActivated) -> None:
    if activated.why == "first":
        log.info("policy_in_force", version=activated.version)
    else:
        log.warning("policy_changed_without_approval", version=activated.version, previous=activated.previous)
