"""Works out again why a proposal was decided so, from the policy, the moment and the counters of then.

Nothing of it is recorded but the counters: an explanation that does not come to the recorded decision is not shown.
"""

import asyncio
from dataclasses import replace

from approval_rules.policy import PolicyFolder
from bot.desk.explaining import explanation_of
from bot.desk.wiring import Wiring
from bot.policy_files import PolicyFolderError, load_content
from bot.store.engine import StoreUnavailableError
from bot.store.policies import content_of
from handlers.desk import Seen


async def explained(wiring: Wiring, seen: Seen) -> Seen:
    """Add the explanation; as it is where the policy of then, or what the agent sent, cannot be had any more.

    People who answer for a tool in shadow are told nothing of what its policy says.
    """
    needs = seen.proposal.requirement
    if not seen.proposal.digest or needs.shadow is not None:
        return seen
    # A long list that an agent sent, read by many rules, takes time: the clicks of others must not wait for it.
    folder = await _folder_of(wiring, needs.policy.version)
    found = None if folder is None else await asyncio.to_thread(explanation_of, folder, seen.proposal)
    return replace(seen, explained=found)


async def _folder_of(wiring: Wiring, version: str) -> PolicyFolder | None:
    """Give a version of the policy: the one in force, or what the database has kept, as far as it still loads."""
    in_force = wiring.policy.folder
    if in_force.version == version:
        return in_force
    try:
        content = await wiring.writer.run(lambda tx: content_of(tx.rows, version))
        return replace(await asyncio.to_thread(load_content, content), dial_key=in_force.dial_key)
    except (StoreUnavailableError, PolicyFolderError):
        return None
