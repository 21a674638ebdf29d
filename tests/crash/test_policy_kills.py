"""kill -9 while people change the policy: the approval, the activation and its outcome are one fact, or none."""

import asyncio
import json
import os
import signal
import traceback
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from approval_rules.events import Approved, Claimed, Decision, OutcomeReported, PacketPosted, Voted
from approval_rules.people import Account
from approval_rules.policy_events import PolicyActivated
from approval_rules.state import Status
from approval_rules.versions import SERVER
from bot.desk.versions import take_up
from bot.policy_content import PolicyContent
from bot.policy_files import open_folder
from bot.replay.change import change_of
from bot.store.engine import open_reader
from handlers.desk import Click, Envelope
from tests.crash.engine import PEOPLE, TEAM, Engine, Place, lay_out, started
from tests.crash.fork_server import die_at
from tests.crash.lives import POINTS
from tests.ledger import Ledger
from tests.world import until

MOST_PASSES = 40
LIVES_END = 0


def laid_out(folder: Path) -> Place:
    """Lay out an engine whose policy has two who may change it, and a change of it beside the folder."""
    place = lay_out(folder)
    policy = folder / "policy"
    roles = json.loads((policy / "roles.yml").read_text("utf-8"))
    roles["roles"]["policy_admin"] = {"users": list(PEOPLE[:2])}
    (policy / "roles.yml").write_text(json.dumps(roles), "utf-8")
    changed = folder / "changed"
    changed.mkdir()
    for file in policy.iterdir():
        (changed / file.name).write_bytes(file.read_bytes())
    roles["roles"]["support_manager"]["users"].pop()
    (changed / "roles.yml").write_text(json.dumps(roles), "utf-8")
    return place


def contents(place: Place) -> tuple[PolicyContent, PolicyContent]:
    """Give the version before and the one after."""
    before, after = (open_folder(place.folder / name)[0] for name in ("policy", "changed"))
    return before, after


async def change(engine: Engine, place: Place) -> None:
    """Propose the change, and let two people approve it."""
    before, after = contents(place)
    await engine.wiring.writer.run(lambda tx: take_up(tx, before))
    asked = change_of(before, after, {})
    proposal = await engine.wiring.writer.run(lambda tx: take_up(tx, after, asked))
    for person in PEOPLE[:2]:
        await vote(engine, str(proposal), person)


async def vote(engine: Engine, proposal: str, person: str) -> None:
    """Press Approve once the packet stands."""

    async def posted() -> bool:
        loaded = await engine.wiring.reads.glance().proposal(proposal)
        return loaded is not None and loaded.proposal.packet is not None

    await until(posted, "the packet")
    loaded = await engine.wiring.reads.glance().proposal(proposal)
    assert loaded is not None
    assert loaded.proposal.packet is not None
    packet = loaded.proposal.packet
    who = Envelope(Account(TEAM, person), person.lower(), packet.channel, f"v0={proposal}{person}")
    await engine.people.vote(Click(who, proposal, loaded.proposal.digest, packet.ts, Decision.APPROVE))


def killed_at(place: Place, point: str, nth: int) -> bool:
    """Live once in a process of its own, and tell whether it was killed at the nth passing of the point."""
    pid = os.fork()
    if pid == 0:
        try:
            asyncio.run(_live(place, point, nth))
        except BaseException:  # noqa: BLE001 - a child must never return into pytest
            traceback.print_exc()
            os._exit(1)
        os._exit(LIVES_END)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == LIVES_END
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


async def _live(place: Place, point: str, nth: int) -> None:
    async with started(place, timedelta(), die_at(point, nth, 0.0)) as engine:
        await change(engine, place)


def ends(folder: Path, point: str) -> Iterator[tuple[Place, Ledger]]:
    """Kill a life at each passing of a point; give the files of each."""
    for nth in range(1, MOST_PASSES):
        place = laid_out(folder / f"{point}-{nth}")
        killed = killed_at(place, point, nth)
        with closing(open_reader(place.database)) as db:
            ledger = Ledger.read(db)
            assert ledger.faults(db, place.settings) == []
        yield place, ledger
        if not killed:
            return
    raise AssertionError(f"{point} is passed {MOST_PASSES} times and more: the last life never ended by itself")


@pytest.mark.parametrize("point", POINTS)
def test_an_approved_change_decides_or_was_never_approved(tmp_path: Path, point: str) -> None:
    """Wherever it dies: the second vote, the approval, the activation and the outcome stand together or not at all."""
    seen: set[int] = set()
    for place, ledger in ends(tmp_path, point):
        _, after = contents(place)
        votes = len(ledger.events(Voted))
        seen.add(votes)
        active = [event.version for event in ledger.events(PolicyActivated)]
        whole = votes == len(PEOPLE[:2])
        assert (after.version in active) is whole
        changes = [each for each in ledger.proposals.values() if each.agent.id == SERVER.id]
        assert [each.status is Status.APPROVED for each in changes] == [whole] * len(changes)
        for kind in (Approved, Claimed, OutcomeReported):
            assert len(ledger.events(kind)) == int(whole)
        if votes:
            assert ledger.events(PacketPosted)
    assert 2 in seen, "the change came through in the life that nobody ended"
    assert 1 in seen or point == "after-send", "somebody died between the two votes"
