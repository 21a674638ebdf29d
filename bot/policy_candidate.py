"""Keeps the candidate version in step with the database: whatever the log names last is judged beside the active one.

A candidate that cannot be loaded is off and raises the alarm; it never keeps a server down.
"""

from dataclasses import replace

import structlog

from bot.desk.wiring import PolicyInForce
from bot.metrics import Metrics
from bot.policy_files import PolicyFolderError, load_content
from bot.store.policies import PolicyStoreError, content_of
from bot.store.reads import Reads
from bot.store.writer import Writer

log = structlog.get_logger()


class CandidateWatch:
    """Looks at the database now and then."""

    def __init__(self, policy: PolicyInForce, writer: Writer, reads: Reads, metrics: Metrics) -> None:
        self._policy = policy
        self._writer = writer
        self._reads = reads
        self._metrics = metrics
        self._tried: str | None = None

    async def look(self) -> None:
        """Load the candidate that the log names, once; what failed stays off until another one is named."""
        named = (await self._reads.glance().versions()).candidate
        if named != self._tried:
            self._policy.candidate, self._policy.candidate_fault = None, None
            if named is not None:
                await self._load(named)
            self._tried = named
        self._metrics.candidate_failed(failed=self._policy.candidate_fault is not None)

    async def _load(self, version: str) -> None:
        try:
            folder = load_content(await self._writer.run(lambda tx: content_of(tx.rows, version)))
        except (PolicyStoreError, PolicyFolderError) as error:
            fault = str(error)
        else:
            self._policy.candidate = replace(folder, dial_key=self._policy.folder.dial_key)
            log.info("policy_candidate", version=version)
            return
        self._policy.candidate_fault = fault
        log.error("policy_candidate_not_loaded", version=version, fault=fault)
