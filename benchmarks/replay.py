"""How many cases a minute a replay judges on one core: recorded proposals from the log, and a file of cases."""

import json
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

from benchmarks.figures import Figure
from benchmarks.names import TOOL
from benchmarks.place import SOURCES, place
from benchmarks.processes import FOUREYES, run
from benchmarks.proposals import fill, submitted
from bot.policy_files import load
from bot.replay.replaying import Replayed, replay_file, replay_log
from bot.store.engine import open_reader

_TARGET = 20_000
_STRICTER = """\
policy:
  tool: payments.refund
  rules:
    - if: "amount_usd <= 100 and customer_tier in ['standard', 'pro']"
      allow: true
    - if: "count(24h by customer_id) > 1000000"
      block: too many for one customer
    - if: "amount_usd > 100"
      require_approval: support_manager
"""


def replay(*, quick: bool) -> Iterator[Figure]:
    """Replay so many recorded proposals, and so many cases of a file, against a policy with a counter."""
    cases, rounds = (2_000, 3) if quick else (20_000, 5)
    with place() as at:
        fill(at, submitted(at), cases)
        (at.folder / "policy" / f"{TOOL}.yml").write_text(_STRICTER, encoding="utf-8")
        folder = load(at.folder / "policy")
        since = SOURCES.clock() - timedelta(days=1)
        file = at.folder / f"{TOOL}.jsonl"
        file.write_text("".join(_line(number) for number in range(cases)), encoding="utf-8")
        recorded, from_file, commanded = [], [], []
        for _ in range(rounds):
            begun = time.perf_counter()
            with closing(open_reader(at.database)) as connection:
                recorded.append(_per_minute(replay_log(folder, connection, since), begun, cases))
            begun = time.perf_counter()
            from_file.append(_per_minute(replay_file(folder, file), begun, cases))
            command = [FOUREYES, "policy", "replay", "--since", "1d"]
            commanded.append(60 * cases / run(command, env=at.env, cwd=at.folder).wall)
    yield Figure("replay: recorded proposals judged again", recorded, "/min", _TARGET)
    yield Figure("replay: cases of a file judged", from_file, "/min", _TARGET)
    yield Figure("replay: `foureyes policy replay`", commanded, "/min", _TARGET)


def _line(number: int) -> str:
    arguments = {"amount_usd": number % 300 + 0.5, "order_id": f"ORD-{number}", "customer_id": f"C-{number % 97}"}
    case = {"name": f"case {number}", "arguments": arguments, "facts": {"customer_tier": "pro"}, "expect": "asked"}
    return json.dumps(case) + "\n"


def _per_minute(replayed: Replayed, begun: float, cases: int) -> float:
    taken = time.perf_counter() - begun
    if replayed.cases != cases:
        raise RuntimeError(f"{replayed.cases} of {cases} cases were judged")
    return 60 * cases / taken
