"""How long after a pause has been committed a claim is refused, and how long judging a draft takes."""

import http.client
import json
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing

from approval_rules.policy import classify
from benchmarks.figures import Figure
from benchmarks.intake import proposal
from benchmarks.names import TOOL
from benchmarks.place import SOURCES, Place, place, site
from benchmarks.processes import FOUREYES, run
from benchmarks.proposals import approved, fill
from bot.policy_files import load
from bot.store.engine import open_reader
from handlers.desk import Seen
from handlers.http.reading import draft_of, fields_of, shaped
from handlers.http.schemas import ProposalIn
from handlers.http.strict_json import read_json

_PAUSES = "SELECT count(*) FROM entries WHERE type = 'switch.paused'"
_TEN_RULES = """\
policy:
  tool: payments.refund
  rules:
    - if: "amount_usd > 500"
      block: over the hard cap
    - if: "environment == 'staging' and amount_usd > 10"
      block: no refunds from staging
    - if: "currency not in ['USD', 'EUR']"
      block: only dollars and euros
    - if: "amount_usd <= 50 and customer_tier in ['standard', 'pro']"
      allow: true
    - if: "amount_usd <= 200 and customer_tier == 'enterprise'"
      allow: true
    - if: "amount_usd * 2 <= 80 and days_since_order < 3"
      allow: true
    - if: "order_id.starts_with('VIP-') and amount_usd <= 20"
      allow: true
    - if: "customer_id.ends_with('-test')"
      allow: true
    - if: "days_since_order > 365"
      require_approval: support_manager
    - if: "amount_usd > 50"
      require_approval: support_manager
"""


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


def rules(*, quick: bool) -> Iterator[Figure]:
    """Judge one draft by ten rules, in this process."""
    rounds, times = (5, 500) if quick else (21, 2000)
    read = read_json(proposal())
    draft = draft_of(shaped(ProposalIn, read.value), fields_of(read.value))
    with place() as at:
        (at.folder / "policy" / f"{TOOL}.yml").write_text(_TEN_RULES, encoding="utf-8")
        folder = load(at.folder / "policy")
    now = SOURCES.clock()
    taken = []
    for _ in range(rounds):
        begun = time.perf_counter()
        for _ in range(times):
            classify(folder, draft, at.agent.agent, now)
        taken.append(1000 * (time.perf_counter() - begun) / times)
    yield Figure("policy: ten rules over one draft", taken, "ms", 0.5, at_most=True)
