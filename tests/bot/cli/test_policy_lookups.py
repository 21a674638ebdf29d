"""Lookups away from the server: tests, replays and explanations ask nobody, and say whose word it is."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot.slack_standin.workspace import MAYA
from tests.bot.cli.living import Living
from tests.bot.cli.shell import Shell
from tests.bot.delivery.receiver import Receiver
from tests.world import TOOL

ROLES = "roles: {support_manager: {usergroup: x}}"
RULES = (
    "    - {if: \"customer_tier == 'enterprise'\", allow: true}\n    - {require_approval: support_manager}\n"
    "    - log: {redact_fields: [tax_number]}\n"
)
LOOKED_UP = "customer_tier: {url: 'https://crm.example/{customer_id}', type: string}"


def page(facts: str) -> str:
    """A policy for refunds with these facts."""
    return f"policy:\n  tool: {TOOL}\n  facts: {{{facts}}}\n  rules:\n{RULES}"


@pytest.fixture
def policy(shell: Shell) -> Path:
    """A folder whose one policy looks up a tier."""
    folder = shell.folder / "policy"
    (folder / "cases").mkdir(parents=True)
    (folder / "roles.yml").write_text(ROLES, "utf-8")
    (folder / f"{TOOL}.yml").write_text(page(f"{LOOKED_UP}, mood: string"), "utf-8")
    return folder


def test_cases_say_what_lookups_came_to(shell: Shell, policy: Path) -> None:
    """Facts stand in for lookups; `looked_up` says it outright, null is a failure, and nothing is asked."""
    cases: list[dict[str, Any]] = [
        {"name": "stands in", "facts": {"customer_tier": "enterprise"}, "expect": "allowed", "rule": 1},
        {"name": "an argument stands in", "arguments": {"customer_tier": "enterprise"}, "expect": "allowed"},
        {"name": "other", "facts": {"customer_tier": "pro"}, "expect": "asked", "rule": 2},
        {"name": "nobody says", "facts": {}, "expect": "asked", "because": "could not be looked up (nobody asked)"},
        {"name": "found", "looked_up": {"customer_tier": "enterprise"}, "expect": "allowed"},
        {
            "name": "failed",
            "looked_up": {"customer_tier": None},
            "facts": {"customer_tier": "enterprise"},
            "expect": "asked",
            "because": "could not be looked up (so says the case)",
        },
        {
            "name": "two values",
            "looked_up": {"customer_tier": "enterprise"},
            "facts": {"customer_tier": "pro"},
            "expect": "refused",
            "because": "/context/facts/customer_tier",
        },
    ]
    lines = [json.dumps({"arguments": {"amount_usd": 1}, **case}) for case in cases]
    (policy / "cases" / f"{TOOL}.jsonl").write_text("\n".join(lines), "utf-8")
    ended = shell("policy", "test", "--require-coverage")
    assert (ended.code, ended.out) == (0, "7 cases: 7 as expected, 0 not; 2 of 2 rules reached.\n")
    (policy / "cases" / f"{TOOL}.jsonl").write_text(lines[0].replace('"facts"', '"looked_up": [], "facts"'), "utf-8")
    assert "looked_up must be an object" in shell("policy", "test").err


def test_explain_marks_where_a_fact_comes_from(shell: Shell, policy: Path) -> None:
    """Looked up, or said by the agent; what the proposal says stands in, and a contradiction with itself is told."""
    assert policy.is_dir()
    body = {"tool": TOOL, "arguments": {"amount_usd": 1}, "context": {"facts": {"customer_tier": "enterprise"}}}
    ended = shell("policy", "explain", json.dumps(body))
    assert [line for line in ended.out.splitlines() if line.startswith("Fact ")] == [
        "Fact customer_tier: looked up at crm.example; here, what the proposal says of it stands in",
        "Fact mood: said by the agent",
    ]
    assert "=> allowed" in ended.out
    unknown = shell("policy", "explain", json.dumps({"tool": "mail.send", "arguments": {}}), "--json").json()
    assert (unknown["facts"], unknown["would_be"]) == ({}, "blocked")


async def test_a_replay_uses_what_was_looked_up_then(living: Living) -> None:
    """Whatever the other system says today, and though it is gone; without the recorded values nobody can judge."""
    world = living.world
    good = b'HTTP/1.1 200 OK\r\nContent-Length: 31\r\n\r\n{"customer_tier": "enterprise"}'
    async with Receiver([good, b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"]) as crm:
        url = f"url: '{crm.url(path='/{customer_id}')}', type: string"
        (world.policy / f"{TOOL}.yml").write_text(page(f"customer_tier: {{{url}}}"), "utf-8")
        await world.running.watch.look()
        found = await world.propose(180, context={"facts": {"tax_number": "DE-998877"}})
        lost = await world.propose(190, context={"facts": {"customer_tier": "enterprise"}})
        assert (found["state"], lost["state"]) == ("approved", "pending")
    told = [(await living("policy", "explain", one["id"], "--json")).json()["facts"] for one in (found, lost)]
    assert [one["customer_tier"].partition(", ")[0] for one in told] == ["looked up at 127.0.0.1"] * 2
    assert told[1]["customer_tier"].endswith("Z, and it failed: the answer was HTTP 404")
    await world.deny(MAYA, await world.packet_of(lost), "no")
    await world.settled()
    ended = await living("policy", "replay")
    assert "2 cases: 2 the same" in ended.out
    asserted = world.folder / "other"
    asserted.mkdir()
    (asserted / "roles.yml").write_text(ROLES, "utf-8")
    (asserted / f"{TOOL}.yml").write_text(page("customer_tier: string"), "utf-8")
    assert "2 cases: 2 the same" in (await living("policy", "replay", "--policy", str(asserted))).out
    case = (await living("policy", "cases", "export")).json()
    assert (case["looked_up"], case["facts"]) == ({"customer_tier": None}, {"customer_tier": "enterprise"})
    with closing(sqlite3.connect(world.database)) as db:
        db.execute("DELETE FROM detached WHERE name = 'looked_up'")
        db.commit()
    assert "2 proposals skipped: what the rules need of it has been erased." in (await living("policy", "replay")).out
    assert (await world.read(found))["looked_up"]["customer_tier"]["value"] is None


async def test_what_was_only_said_stands_in_for_a_new_lookup(living: Living) -> None:
    """A policy that begins to look a fact up is replayed as if the other system had agreed with the agent."""
    for tier in ("enterprise", "pro"):
        await living.world.propose(180, tier=tier)
    other = living.world.folder / "other"
    other.mkdir()
    (other / "roles.yml").write_text(ROLES, "utf-8")
    (other / f"{TOOL}.yml").write_text(page(LOOKED_UP), "utf-8")
    assert "2 cases: 2 the same" in (await living("policy", "replay", "--policy", str(other))).out
