"""How long it takes to judge a draft by many rules, alone and beside many other tools, and to load many files."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from approval_rules.commands import Draft
from approval_rules.policy import PolicyFolder, classify
from approval_rules.requirement import Requirement
from benchmarks.figures import Figure, percentile
from benchmarks.intake import proposal
from benchmarks.names import TOOL
from benchmarks.place import SOURCES, Place, place
from benchmarks.processes import FOUREYES, run
from bot.policy_files import load
from handlers.http.reading import draft_of, fields_of, shaped
from handlers.http.schemas import ProposalIn
from handlers.http.strict_json import read_json

_TARGETS = {10: 0.5, 200: 2.0}
_OTHERS = 200
_FILES = 200
_RULES_OF_A_FILE = 10
_MS = 1_000
# Nothing of it is ever true for the draft, and every part of it must be read before that is known.
_NEVER = "amount_usd > {0} or customer_tier in ['banned', 'tier-{0}'] or order_id.ends_with('-{0}x')"
_CONTRACT = """\
{
  "required": ["order_id", "amount_usd", "idempotency_key"],
  "properties": {
    "order_id": {"type": "string", "pattern": "^ORD-[0-9]{4,12}$"},
    "amount_usd": {"type": "number", "exclusiveMinimum": 0, "maximum": 500, "multipleOf": 0.01},
    "idempotency_key": {"type": "string", "minLength": 8, "maxLength": 128},
    "notify": {"type": "string", "x-domains": ["example.com", ".example.org"]},
    "card_number": {"type": "string", "x-sensitive": "mask"}
  }
}
"""


def _page(tool: str, rules: int, first: int = 100_000, contract: str = "") -> str:
    """Write a file in which only the last rule matches; no two of its conditions are the same."""
    kinds = ("require_approval: support_manager", "block: true")
    lines = [
        f'    - if: "{_NEVER.format(first + number)}"\n      {kinds[number % len(kinds)]}\n'
        for number in range(rules - 1)
    ]
    head = f"policy:\n  tool: {tool}\n{contract}  rules:\n"
    return head + "".join(lines) + '    - if: "amount_usd > 0"\n      require_approval: support_manager\n'


def rules(*, quick: bool) -> Iterator[Figure]:
    """Judge one draft that only the last rule matches, in a folder with its tool alone and in one with many others."""
    rounds, times = (5, 300) if quick else (15, 2_000)
    read = read_json(proposal())
    draft = draft_of(shaped(ProposalIn, read.value), fields_of(read.value))
    for many, target in _TARGETS.items():
        with place() as at:
            policy = at.folder / "policy"
            (policy / f"{TOOL}.yml").write_text(_page(TOOL, many), encoding="utf-8")
            alone = load(policy)
            _add_files(policy, _OTHERS)
            beside = load(policy)
        pairs = [(_judged(at, alone, draft, times), _judged(at, beside, draft, times)) for _ in range(rounds)]
        told = f"policy: {many} rules beside {_OTHERS} tools"
        yield Figure(f"{told}, p50", [percentile(there.wall, 0.5) for _, there in pairs], "ms")
        yield Figure(f"{told}, p99", [percentile(there.wall, 0.99) for _, there in pairs], "ms", target, at_most=True)
        yield Figure(f"{told}, p99 of processor", [percentile(there.cpu, 0.99) for _, there in pairs], "ms")
        ratios = [percentile(there.cpu, 0.5) / percentile(here.cpu, 0.5) for here, there in pairs]
        yield Figure(f"policy: {many} rules, {_OTHERS} tools to none", ratios, "times", 1.2, at_most=True)


class _Taken(NamedTuple):
    """The milliseconds of each judgement, sorted: on the clock, and of the processor."""

    wall: list[float]
    cpu: list[float]


def _judged(at: Place, folder: PolicyFolder, draft: Draft, times: int) -> _Taken:
    now, taken = SOURCES.clock(), _Taken([], [])
    for _ in range(times):
        begun, worked = time.perf_counter(), time.thread_time()
        outcome = classify(folder, draft, at.agent.agent, now)
        taken.cpu.append(_MS * (time.thread_time() - worked))
        taken.wall.append(_MS * (time.perf_counter() - begun))
    last = len(folder.policies[draft.tool].rules)
    if not isinstance(outcome, Requirement) or outcome.policy.rule != f"{TOOL}#{last}":
        raise RuntimeError(f"not the last rule decided: {outcome}")
    return _Taken(sorted(taken.wall), sorted(taken.cpu))


def loading(*, quick: bool) -> Iterator[Figure]:
    """Load many files, no two conditions of which are the same, without and with contracts; then the whole command."""
    rounds = 3 if quick else 11
    for contracts, name in ((False, ""), (True, " and contracts")):
        with place() as at:
            policy = at.folder / "policy"
            (policy / f"{TOOL}.yml").unlink()
            _add_files(policy, _FILES, contracts=contracts)
            loaded = [_loaded(policy) for _ in range(rounds + 1)][1:]
            checked = [run([FOUREYES, "policy", "check"], env=at.env, cwd=at.folder) for _ in range(rounds)]
        files = f"{_FILES} files{name}"
        yield Figure(f"policy: {files} loaded", [wall for wall, _ in loaded], "s")
        yield Figure(f"policy: {files}, processor time", [cpu for _, cpu in loaded], "s")
        whole = f"policy: `policy check` of {files}"
        yield Figure(whole, [one.wall for one in checked], "s", 2, at_most=True)
        yield Figure(f"{whole}, processor time", [one.cpu for one in checked], "s")


def _loaded(policy: Path) -> tuple[float, float]:
    """Give the seconds on the clock and of the processor."""
    begun, worked = time.perf_counter(), time.process_time()
    folder = load(policy)
    taken = time.perf_counter() - begun, time.process_time() - worked
    if len(folder.policies) != _FILES:
        raise RuntimeError(f"{len(folder.policies)} of {_FILES} files were loaded")
    return taken


def _add_files(policy: Path, files: int, *, contracts: bool = False) -> None:
    if contracts:
        (policy / "contracts").mkdir()
    for number in range(files):
        tool = f"other.tool-{number}"
        line = ""
        if contracts:
            (policy / "contracts" / f"{tool}.json").write_text(_CONTRACT, encoding="utf-8")
            line = f"  class: payment\n  contract: {tool}.json\n  facts: {{customer_tier: string}}\n"
        text = _page(tool, _RULES_OF_A_FILE, first=1_000 * number, contract=line)
        (policy / f"{tool}.yml").write_text(text, encoding="utf-8")
