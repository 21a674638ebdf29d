"""An incident from Slack and from the machine: policies read it at once, everybody is told, and a replay knows it."""

import asyncio
import json
import sys
from pathlib import Path
from subprocess import run

import pytest

from approval_rules.events import IncidentChanged, IncidentRefused, Refusal
from bot.slack_standin.workspace import AGENT_OPS, LENA, MAYA, SAM
from tests.bot.cli.shell import Shell
from tests.world import TOOL, World

ROOT = Path(__file__).parents[2]
DECLARE = """
import sys
from pathlib import Path
from approval_rules.commands import DeclareIncident
from approval_rules.incident import decide_incident
from approval_rules.text import AgentText
from bot.agents import who_typed
from bot.clock import new_id, salts, system_clock
from bot.desk.switching import record_incident
from bot.store.commit import run_now
from bot.store.engine import open_writer
from bot.store.transaction import Sources

def declare(tx):
    command = DeclareIncident(tx.at, who_typed(tx, "oncall"), AgentText("from the machine"), None)
    record_incident(tx, decide_incident(tx.switch, command))

connection = open_writer(Path(sys.argv[1]), checkpoints=False)
run_now(connection, Sources(system_clock, new_id, salts), declare)
connection.close()
"""
RULES = "- {if: incident, block: not now}\n    - {if: \"environment == 'staging'\", allow: true}"


async def in_force(world: World, rules: str = RULES) -> None:
    """Put rules in force before one that asks."""
    text = f"policy:\n  tool: {TOOL}\n  rules:\n    {rules}\n    - {{require_approval: support_manager}}\n"
    (world.policy / f"{TOOL}.yml").write_text(text, encoding="utf-8")
    await world.running.watch.look()
    assert world.running.watch.fault is None


async def test_an_incident_counts_from_the_next_proposal_on(world: World) -> None:
    """Declared by a member, read by the rules, said in the channel and in the status; what waited goes on to wait."""
    await in_force(world)
    waiting = await world.propose(180)
    assert waiting["state"] == "pending"
    assert "An incident is on" in await world.say(SAM, "incident on the provider is down")
    blocked = await world.propose(180)
    assert (blocked["state"], blocked["policy"]["rule"]) == ("blocked", f"{TOOL}#1")
    assert "incident" in blocked["policy"]["because"]
    evaluated = await world.http.post("/v1/evaluate", json={"tool": TOOL, "arguments": {"n": 1}, "summary": "x"})
    assert evaluated.json()["would_be"] == "blocked"
    await world.settled()
    assert (await world.read(waiting))["state"] == "pending"
    said = [message.text for message in world.slack.messages(AGENT_OPS)]
    assert "declared an incident. Reason: “the provider is down”" in said[-1]
    status = await world.say(MAYA, "status")
    assert "🚨 Incident since" in status
    assert "the provider is down" in status

    assert "may not resume or end an incident" in await world.say(SAM, "incident off")
    assert "The incident is over" in await world.say(MAYA, "incident off fixed")
    assert (await world.propose(180))["state"] == "pending"
    await world.settled()
    assert "ended the incident. Reason: “fixed”" in world.slack.messages(AGENT_OPS)[-1].text
    assert "Incident" not in await world.say(MAYA, "status")
    ledger = world.ledger()
    assert [event.change for event in ledger.events(IncidentChanged)] == ["declared", "cleared"]
    assert [event.code for event in ledger.events(IncidentRefused)] == [Refusal.NOT_OPERATOR]


async def test_refusals_say_why(world: World) -> None:
    """A guest warns of nothing; a second warning and an end of nothing change nothing."""
    assert "you are a guest here" in await world.say(LENA, "incident on")
    assert "no incident is on" in await world.say(MAYA, "incident off")
    await world.say(SAM, "incident on")
    assert "an incident is on already" in await world.say(MAYA, "incident on again")
    assert [event.code for event in world.ledger().events(IncidentRefused)] == [
        Refusal.GUEST,
        Refusal.NO_INCIDENT,
        Refusal.INCIDENT_ON,
    ]


async def test_an_incident_survives_a_restart(world: World) -> None:
    """It is in the log, not in somebody's memory."""
    await in_force(world)
    await world.say(SAM, "incident on")
    await world.restart()
    assert (await world.propose(180))["state"] == "blocked"


async def test_an_incident_declared_by_another_process_counts_at_once(world: World) -> None:
    """The command line works on the same database, and the server reads it inside the transaction that takes in."""
    await in_force(world)
    assert (await world.propose(180))["state"] == "pending"
    declare = [sys.executable, "-c", DECLARE, str(world.database)]
    await asyncio.to_thread(run, declare, cwd=ROOT, check=True, timeout=60)
    assert (await world.propose(180))["state"] == "blocked"
    await world.settled()
    assert "oncall" in world.slack.messages(AGENT_OPS)[-1].text


async def test_the_environment_is_the_servers(world: World) -> None:
    """The same files decide otherwise elsewhere, and an agent cannot say where it is."""
    await in_force(world)
    assert (await world.propose(180))["state"] == "pending"
    world.environment = "staging"
    await world.restart()
    allowed = await world.propose(180)
    assert (allowed["state"], allowed["policy"]["rule"]) == ("approved", f"{TOOL}#2")
    for more in ({"arguments": {"environment": "x"}}, {"context": {"facts": {"incident": False}}}):
        refused = await world.post_proposal(180, **more)
        assert (refused.status_code, refused.json()["code"]) == (422, "contradictory-fact")


@pytest.mark.parametrize("since", ["1h", "30d"])
async def test_a_replay_knows_what_was_true_then(
    world: World, since: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Incidents and environments that came and went: each proposal is judged again as it was judged then."""
    shell = Shell(tmp_path, monkeypatch, capsys)
    await in_force(world)
    await world.say(SAM, "incident on")
    await world.move(hours=2)
    blocked = await world.propose(180)
    states = [blocked["state"]]
    await world.say(MAYA, "incident off")
    states.append((await world.propose(180))["state"])
    world.environment = "staging"
    await world.restart()
    states.append((await world.propose(180))["state"])
    await world.say(SAM, "incident on")
    states.append((await world.propose(180))["state"])
    world.environment = "production"
    await world.restart()
    await world.say(MAYA, "incident off")
    states.append((await world.propose(180))["state"])
    assert states == ["blocked", "pending", "approved", "blocked", "pending"]
    shell.set(
        FOUREYES_DATABASE_URL=world.settings.database_url,
        FOUREYES_POLICY=world.policy,
        FOUREYES_SIGNING_KEY_FILE=world.settings.signing_key_file,
        FOUREYES_ENVIRONMENT="elsewhere",
    )
    why = (await shell.beside("policy", "explain", blocked["id"], "--json")).json()
    assert (why["would_be"], why["same_version"], why["rules"][0]["saw"]) == ("blocked", True, {"incident": True})
    assert why["rules"][1]["saw"] == {"environment": "production"}
    refused = await shell.beside("policy", "explain", blocked["id"], "--incident")
    assert (refused.code, "asked about as it was" in " ".join(refused.err.split())) == (2, True)
    found = await shell.beside("policy", "replay", "--since", since, "--fail-on", "changed", "--json")
    document = json.loads(found.out)
    assert (document["cases"], document["changes"]) == (5, [])


async def test_a_denied_case_says_what_was_around(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """What people denied in an incident elsewhere becomes a case of that incident and that place."""
    shell = Shell(tmp_path, monkeypatch, capsys)
    shell.set(FOUREYES_DATABASE_URL=world.settings.database_url, FOUREYES_POLICY=world.policy)
    await world.deny(MAYA, await world.packet_of(await world.propose(180)), "no")
    world.environment = "staging"
    await world.restart()
    await world.say(SAM, "incident on")
    await world.deny(MAYA, await world.packet_of(await world.propose(181)), "not now")
    lines = (await shell.beside("policy", "cases", "export")).out.splitlines()
    usual, odd = map(json.loads, lines)
    assert "environment" not in usual
    assert "incident" not in usual
    assert (odd["environment"], odd["incident"], odd["expect"]) == ("staging", True, "asked")
