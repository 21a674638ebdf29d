"""How long after a pause has been committed a claim is refused."""

import http.client
import json
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing

from benchmarks.figures import Figure
from benchmarks.names import TOOL
from benchmarks.place import Place, place, site
from benchmarks.processes import FOUREYES, run
from benchmarks.proposals import approved, fill
from bot.store.engine import open_reader
from handlers.desk import Seen

_PAUSES = "SELECT count(*) FROM entries WHERE type = 'switch.paused'"


def pausing(*, quick: bool) -> Iterator[Figure]:
    """Pause with the command line beside a running server, and ask for a claim the moment the pause is committed."""
    rounds = 3 if quick else 15
    with place() as at:
        waiting = fill(at, approved(at), rounds)
        with site(at) as running, closing(open_reader(at.database)) as watching:
            delays = [_pause_and_claim(at, running.server.port, watching, seen) for seen in waiting]
    yield Figure("pause: from its commit to a refused claim", delays, "ms", 100, at_most=True)


def _pause_and_claim(at: Place, port: int, watching: sqlite3.Connection, seen: Seen) -> float:
    """Give the milliseconds from seeing the pause in the database to the answer `paused`; resumes afterwards."""
    before = watching.execute(_PAUSES).fetchone()[0]
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    client.connect()
    command = [FOUREYES, "pause", "--tool", TOOL, "a benchmark"]
    with subprocess.Popen(command, env={**at.env, "PATH": ""}, cwd=at.folder, stdout=subprocess.DEVNULL) as pause:
        while watching.execute(_PAUSES).fetchone()[0] == before:
            if pause.poll():
                raise RuntimeError("the pause failed")
        begun = time.perf_counter()
        headers = {"Authorization": f"Bearer {at.agent.key}", "Content-Type": "application/json"}
        path = f"/v1/proposals/{seen.proposal.id}/claim"
        client.request("POST", path, json.dumps({"digest": seen.proposal.digest}), headers)
        answer = client.getresponse()
        taken = 1000 * (time.perf_counter() - begun)
        if answer.status != 423:
            raise RuntimeError(f"the claim got {answer.status}: {answer.read().decode()}")
    client.close()
    run([FOUREYES, "resume", "--tool", TOOL, "done"], env=at.env, cwd=at.folder)
    return taken
