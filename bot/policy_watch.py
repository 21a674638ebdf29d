"""Keeps the policy in force in step with its folder: a good change comes into force, a broken one raises the alarm."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import structlog

from approval_rules.decide import POLICY
from approval_rules.events import PolicyLoaded
from approval_rules.policy import PolicyFolder
from bot.contracts import FOLDER
from bot.desk.wiring import PolicyInForce
from bot.metrics import Metrics
from bot.policy_files import PolicyFolderError, load
from bot.store.writer import Writer

log = structlog.get_logger()


def _stamp(folder: Path) -> object:
    """Tell cheaply whether anything in the folder may have changed; None where that cannot be told."""
    try:
        return [*_marks(folder), *(_marks(folder / FOLDER) if (folder / FOLDER).is_dir() else ())]
    except OSError:
        return None


def _marks(folder: Path) -> Sequence[tuple[str, int, int]]:
    return sorted((entry.name, entry.stat().st_mtime_ns, entry.stat().st_size) for entry in os.scandir(folder))


class PolicyWatch:
    """Looks at the folder now and then. While it is broken, the old policy stays."""

    def __init__(self, path: Path, policy: PolicyInForce, writer: Writer, metrics: Metrics) -> None:
        self._path = path
        self._policy = policy
        self._writer = writer
        self._metrics = metrics
        self.fault: str | None = None
        self._stamp: object = None

    async def record_start(self) -> None:
        """Record which policy this server starts with."""
        await self._record(self._policy.folder.version, refused=False)

    async def look(self) -> None:
        """Load the folder if it differs from what is in force."""
        stamp = _stamp(self._path)
        if stamp is not None and stamp == self._stamp:
            return
        try:
            folder = load(self._path)
        except PolicyFolderError as error:
            await self._refuse(str(error))
        else:
            await self._accept(folder)
        self._stamp = stamp  # last: what could not be recorded is looked at again

    async def _accept(self, folder: PolicyFolder) -> None:
        if self.fault is not None:
            log.info("policy_folder_is_good_again")
            self.fault = None
            self._metrics.policy_refused(refused=False)
        if folder.version != self._policy.folder.version:
            await self._record(folder.version, refused=False)
            self._policy.folder = replace(folder, dial_key=self._policy.folder.dial_key)
            log.warning("policy_changed", version=folder.version)

    async def _refuse(self, fault: str) -> None:
        if fault != self.fault:
            self._metrics.policy_refused(refused=True)
            log.error("policy_folder_refused", kept=self._policy.folder.version, fault=fault)
            await self._record(self._policy.folder.version, refused=True)
            self.fault = fault

    async def _record(self, version: str, *, refused: bool) -> None:
        await self._writer.run(
            lambda tx: tx.record(PolicyLoaded(tx.at, POLICY, version, "refused" if refused else "loaded"))
        )
