"""The same policy and the same proposal give the same outcome: on every machine, in every order, in every spelling."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from approval_rules.contract import breaches
from approval_rules.policy import Contradiction, PolicyFolder, classify
from approval_rules.requirement import Tier
from bot.policy_files import load
from tests.rules.builders import AGENT, REFUND, START
from tests.rules.outcomes import GOLDEN, before, bodies, digests, draft_from, outcomes
from tests.rules.strictness import Outcome, tier_of

ROOT = Path(__file__).parents[2]
POLICY = GOLDEN / "policy"
DECIDED = GOLDEN / "decided.sha256"
# Rebuild with FOUREYES_REBUILD_GOLDEN=1 only where cases are added: the same cases must keep their outcomes.
FOLDER = replace(load(POLICY), dial_key=b"k")
REBUILD = os.environ.get("FOUREYES_REBUILD_GOLDEN") == "1"
MACHINES = (
    {"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C"},
    {"PYTHONHASHSEED": "1", "TZ": "Pacific/Kiritimati", "LC_ALL": "tr_TR.UTF-8"},
    {"PYTHONHASHSEED": "4242", "TZ": "America/St_Johns", "LC_ALL": "C.UTF-8", "PYTHONUTF8": "0", "PYTHONOPTIMIZE": "1"},
)


def test_every_machine_decides_the_same() -> None:
    """Other seeds, time zones, locales and folders to stand in give every byte again, and the agreed decisions."""
    command = [sys.executable, "-m", "tests.rules.outcomes", str(POLICY)]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    started = [
        subprocess.Popen(command, env={**env, **machine}, cwd=ROOT, stdout=subprocess.PIPE)  # noqa: S603 - ourselves
        for machine in MACHINES
    ]
    here = digests(POLICY)
    assert [json.loads(one.communicate()[0]) for one in started] == [here] * len(MACHINES)
    if REBUILD:
        DECIDED.write_text(here["decided"] + "\n", "ascii")
        pytest.fail(f"rebuilt {DECIDED.name}; run again without FOUREYES_REBUILD_GOLDEN")
    assert DECIDED.read_text("ascii").strip() == here["decided"]


def test_the_golden_bodies_meet_every_outcome() -> None:
    """The digest says something: all tiers, every rule, doubts and refusals are in it."""
    folder = load(POLICY)
    found = [outcome for _, outcome in outcomes(folder)]
    assert {tier_of(each) for each in found} == set(Tier)
    rules = {each.policy.rule for each in found if not isinstance(each, Contradiction)}
    written = {f"{tool}#{rule.index}" for tool, policy in folder.policies.items() for rule in policy.rules}
    assert written | {None} <= rules
    assert any("is missing" in each.policy.because for each in found if not isinstance(each, Contradiction))
    assert any(breaches(folder.policies[REFUND].contract, draft_from(body).arguments) for body in bodies())


# --- order


def shuffled(value: Any, dice: random.Random) -> Any:  # noqa: ANN401 - any JSON
    """Give the same value with the keys of every object in another order; lists keep theirs."""
    if isinstance(value, dict):
        items = [(name, shuffled(each, dice)) for name, each in value.items()]
        dice.shuffle(items)
        return dict(items)
    return [shuffled(each, dice) for each in value] if isinstance(value, list) else value


def judged(folder: PolicyFolder, body: str, number: int) -> tuple[str, Outcome]:
    """Give the digest of the action and what must happen before it."""
    draft = draft_from(body)
    return draft.digest, classify(folder, draft, AGENT, START, before(number))


@given(st.randoms(use_true_random=False), st.integers(0, 280))
def test_the_order_of_a_bodys_keys_decides_nothing(dice: random.Random, number: int) -> None:
    """The same fields in another order are the same action with the same digest and outcome, dial included."""
    body = [*bodies()][number]
    again = json.dumps(shuffled(json.loads(body), dice))
    assert judged(FOLDER, again, number) == judged(FOLDER, body, number)


def without_version(found: tuple[str, Outcome]) -> tuple[str, Outcome]:
    """Leave away what names the bytes of the folder."""
    digest, outcome = found
    if isinstance(outcome, Contradiction):
        return found
    return digest, replace(outcome, policy=replace(outcome.policy, version=""))


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_a_files_keys_decides_nothing(tmp_path: Path, seed: int) -> None:
    """A page, the roles, the channels and a contract may name their fields in any order; only rules have an order."""
    dice = random.Random(seed)  # noqa: S311 - no secret
    for path in [*POLICY.glob("*.yml"), *POLICY.glob("contracts/*.json")]:
        made = tmp_path / path.relative_to(POLICY)
        made.parent.mkdir(exist_ok=True)
        said = shuffled(yaml.safe_load(path.read_text("utf-8")), dice)
        made.write_text(json.dumps(said, default=str, ensure_ascii=False), "utf-8")
    folder = replace(load(tmp_path), dial_key=b"k")
    for number, body in enumerate(bodies()):
        assert without_version(judged(folder, body, number)) == without_version(judged(FOLDER, body, number))


@pytest.mark.parametrize("seed", range(3))
def test_the_order_in_which_files_are_found_decides_nothing(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """A file system may list a folder in any order: version, outcomes and reasons stay, to the byte."""
    dice = random.Random(seed)  # noqa: S311 - no secret
    listed = Path.iterdir

    def in_any_order(path: Path) -> Iterator[Path]:
        found = list(listed(path))
        dice.shuffle(found)
        return iter(found)

    monkeypatch.setattr(Path, "iterdir", in_any_order)
    folder = replace(load(POLICY), dial_key=b"k")
    assert folder.version == FOLDER.version
    for number, body in enumerate(bodies()):
        assert judged(folder, body, number) == judged(FOLDER, body, number)


# --- spelling

SPELLINGS = {
    "50": ["50", "50.0", "50.00", "5e1", "5E+1", "0.5e2", "500e-1", "50.000000000000000000000000000"],
    "100.1": ["100.1", "100.10", "1.001e2", "1001e-1", "0.1001E+3"],
    "0": ["0", "-0", "0.0", "-0.0", "0e5", "0E-3"],
    "20": ["20", "2e1", "2.0E1"],
    "1000": ["1000", "1e3", "1000.0", "1E+03"],
}


@pytest.mark.parametrize("value", SPELLINGS)
def test_a_number_is_its_value_however_it_is_written(value: str) -> None:
    """50, 50.0 and 5e1 are one action with one digest, one outcome and the same breaches of the contract."""
    told = set()
    for spelling in SPELLINGS[value]:
        facts = f'"facts": {{"amount_usd": {spelling}, "tags": []}}'
        arguments = f'{{"amount_usd": {spelling}, "customer_id": "C", "customer": {{"country": "DE"}}, "note": "a"}}'
        body = f'{{"tool": "{REFUND}", "summary": "x", "arguments": {arguments}, "context": {{{facts}}}}}'
        digest, outcome = judged(FOLDER, body, 1)
        broken = breaches(FOLDER.policies[REFUND].contract, draft_from(body).arguments)
        told.add((digest, outcome, tuple(broken)))
    assert len(told) == 1


@given(st.decimals(-1000, 2000, places=2), st.integers(-3, 3), st.integers(0, 3))
def test_any_number_shifted_is_the_same_number(number: Decimal, shift: int, zeros: int) -> None:
    """Moving the point and writing the exponent, or zeros behind, changes no outcome."""
    spelled = f"{number.scaleb(shift):.6f}{'0' * zeros}e{-shift}"
    bodies_of_it = [
        f'{{"tool": "{REFUND}", "summary": "x", "arguments": {{"amount_usd": {text}, "note": "a"}}}}'
        for text in (f"{number:f}", spelled)
    ]
    assert len({judged(FOLDER, body, 1) for body in bodies_of_it}) == 1
