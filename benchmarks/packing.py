"""How long the evidence pack of one decision takes, and how large it is: of a quiet one, and of one with 100 clicks."""

import time
from collections.abc import Iterator
from contextlib import closing

from benchmarks.figures import Figure
from benchmarks.place import SOURCES, Place, place
from benchmarks.proposals import clicked, fill
from bot.evidence.gathering import Place as Kept
from bot.evidence.gathering import gathered
from bot.evidence.making import pack_of
from bot.evidence.pack import zipped
from bot.keys import load
from bot.policy_content import PolicyContent
from bot.store.commit import run_now
from bot.store.engine import open_writer
from bot.store.policies import keep

_LIVES = 20
_TARGET_MS = 250
_KILOBYTE = 1024


def evidence(*, quick: bool) -> Iterator[Figure]:
    """Gather a decision, make its pack and write the ZIP, as `GET /v1/proposals/{id}/evidence` does."""
    rounds = 10 if quick else 40
    with place() as at:
        version = _kept_policy(at)
        for name, in_vain in (("2 votes", 0), ("100 clicks", 98)):
            idents = [seen.proposal.id for seen in fill(at, clicked(at, version, in_vain), _LIVES)]
            took, sizes = [], []
            for number in range(rounds):
                begun = time.process_time()
                made = _packed(at, idents[number % _LIVES])
                took.append(1000 * (time.process_time() - begun))
                sizes.append(len(made) / _KILOBYTE)
            yield Figure(f"evidence: pack of {name}, processor time", took, "ms", _TARGET_MS, at_most=True)
            yield Figure(f"evidence: pack of {name}, ZIP", sizes, "KB")


def _packed(at: Place, ident: str) -> bytes:
    key = at.folder / "foureyes.key"
    kept = Kept(at.database, key.with_suffix(".head"), load(key))
    decision = gathered(kept, ident)
    if decision is None:
        raise RuntimeError("there is no such decision")
    made = pack_of(decision, kept, SOURCES.clock(), "these-entries")
    if made.broken:
        raise RuntimeError(f"the pack is broken: {made.broken}")
    return zipped(made)


def _kept_policy(at: Place) -> str:
    """Keep the policy version that the decisions name, as the server does."""
    files = {path.name: path.read_bytes() for path in (at.folder / "policy").iterdir()}
    with closing(open_writer(at.database, checkpoints=True)) as connection:
        return run_now(connection, SOURCES, lambda tx: keep(tx, PolicyContent(files)))
