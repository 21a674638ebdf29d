"""`policy shadow` and `policy compare` beside a running server: a candidate decides nothing, and people are asked."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from approval_rules.events import Submitted
from approval_rules.people import ActorKind
from approval_rules.policy_events import PolicyShadowed
from bot.slack_standin.workspace import PRIYA
from tests.bot.cli.living import Living
from tests.world import EXAMPLES, TOOL, World

NASTY = "\x1b]0;owned\x07\x1b[2J no, <!channel> 4111111111111111"
BOLDER = f"""\
policy:
  tool: {TOOL}
  rules:
    - if: "amount_usd > 1000"
      block: over the cap
    - if: "amount_usd <= 100"
      allow: true
    - require_approval: {{role: support_manager, approvals: 1}}
"""
BROKEN = "policy: {tool: payments.refund, rules: [{alow: true}]}"


def folder(living: Living, text: str = BOLDER, name: str = "bolder") -> Path:
    """Another policy for refunds, in a folder beside the one in force."""
    made = living.world.folder / name
    made.mkdir(exist_ok=True)
    (made / "roles.yml").write_bytes((living.world.policy / "roles.yml").read_bytes())
    (made / f"{TOOL}.yml").write_text(text, "utf-8")
    return made


async def named(living: Living, text: str = BOLDER, name: str = "bolder") -> str:
    """Name a candidate, let the server see it, and give its version."""
    ended = await living("policy", "shadow", str(folder(living, text, name)), "--json")
    assert ended.code == 0, ended.err
    await living.world.running.candidates.look()
    return str(ended.json()["candidate"])


async def into_shadow(world: World) -> None:
    """Put the refunds into shadow."""
    text = (EXAMPLES / f"{TOOL}.yml").read_text("utf-8").replace("  rules:", "  mode: shadow\n  rules:")
    (world.policy / f"{TOOL}.yml").write_text(text, "utf-8")
    await world.running.watch.look()


def opinions(world: World) -> list[Any]:
    """What the candidate said of each proposal."""
    return [event.candidate for event in world.ledger().events(Submitted)]


async def alarmed(world: World) -> bool:
    """Whether the metric says that the candidate is off by a fault."""
    await world.running.candidates.look()
    return "foureyes_policy_candidate_failed 1.0" in (await world.http.get("/metrics")).text


# --- the candidate


async def test_a_candidate_says_what_it_thinks_and_decides_nothing(living: Living) -> None:
    """Each proposal is decided as ever, with the candidate's verdict beside it; a reason only where it differs."""
    world = living.world
    before = await world.propose(42)
    version = await named(living)
    same, looser, blocked = await world.propose(43), await world.propose(80), await world.propose(2000)
    assert [one["state"] for one in (before, same, looser, blocked)] == ["approved", "approved", "pending", "pending"]
    nothing, one, two, three = opinions(world)
    assert nothing is None
    assert (one.version, one.outcome, one.rule, one.because) == (version, "allowed", f"{TOOL}#2", None)
    assert (two.outcome, two.because) == (
        "allowed",
        f"rule 2 of {TOOL}: amount_usd <= 100, so it is allowed",
    )
    assert three.outcome == "blocked"
    assert (await world.claim(looser)).json()["code"] == "not-approved"
    assert "candidate" not in looser
    world.verify_log()


async def test_a_candidate_stays_over_restarts_until_it_is_ended(living: Living) -> None:
    """It is kept in the database: its folder may go. Naming, ending and who did it are in the log."""
    world = living.world
    version = await named(living)
    (folder(living) / f"{TOOL}.yml").unlink()
    await world.restart()
    await world.propose(42)
    shown = (await living("policy", "shadow", "--json")).json()
    assert shown["candidate"] == version
    assert shown["active"] == (await world.propose(42))["policy"]["version"]
    ended = await living("policy", "shadow", "--off")
    assert ended.out == f"{version} is asked no more; what it said so far stays in the log.\n"
    await world.running.candidates.look()
    await world.propose(42)
    assert [one and one.version for one in opinions(world)] == [version, version, None]
    events = world.ledger().events(PolicyShadowed)
    assert [event.version for event in events] == [version, None]
    assert {event.by.kind for event in events} == {ActorKind.OPERATOR}
    assert (await living("policy", "shadow", "--off")).out == "There is no candidate.\n"
    assert "`foureyes policy shadow FOLDER` names one" in (await living("policy", "shadow")).out


async def test_naming_is_exact(living: Living) -> None:
    """The same again is no news, what decides already is refused, a broken folder names nothing."""
    version = await named(living)
    again = await living("policy", "shadow", str(folder(living)))
    assert (again.code, again.out) == (0, f"{version} is the candidate already.\n")
    assert f"{version} is asked since " in (await living("policy", "shadow")).out
    active = await living("policy", "shadow", str(living.world.policy))
    assert active.code == 1
    assert "is what decides now" in active.out
    broken = await living("policy", "shadow", str(folder(living, BROKEN, "broken")))
    assert broken.code == 3
    assert "did you mean 'allow'?" in broken.err
    both = await living("policy", "shadow", "x", "--off")
    assert both.code == 2
    assert [event.version for event in living.world.ledger().events(PolicyShadowed)] == [version]


async def test_a_candidate_that_becomes_active_is_none_any_more(living: Living) -> None:
    """Turning the folder to what the candidate says ends the trial."""
    world = living.world
    await named(living)
    (world.policy / f"{TOOL}.yml").write_text(BOLDER, "utf-8")
    await world.running.watch.look()
    await world.running.candidates.look()
    await world.propose(80)
    assert opinions(world) == [None]
    assert (await living("policy", "shadow", "--json")).json()["candidate"] is None


async def test_counters_of_the_candidate_are_those_of_the_intake(living: Living) -> None:
    """A limit that only the candidate has is counted inside the transaction, over what really stands."""
    world = living.world
    limit = f"""\
policy:
  tool: {TOOL}
  rules:
    - {{if: "sum(amount_usd, 24h) + amount_usd <= 100", allow: true}}
    - {{if: "sum(amount_usd, 24h) + amount_usd > 100", block: true}}
"""
    await world.propose(30)
    await named(living, limit, "limit")
    await world.propose(40)
    await world.propose(31)
    await world.propose(30)
    assert [one and one.outcome for one in opinions(world)] == [None, "allowed", "blocked", "blocked"]


async def test_what_the_candidate_would_turn_away_is_refused_without_the_agents_words(living: Living) -> None:
    """A contract and a reserved name: the verdict is `refused`, and no field that the agent named stays in the log."""
    world = living.world
    text = f"""\
policy:
  tool: {TOOL}
  contract: {{properties: {{amount_usd: {{type: number, maximum: 50}}, order_id: {{}}, customer_id: {{}}}}}}
  rules: [{{if: now.hour <= 23 and amount_usd > 0, allow: true}}]
"""
    version = await named(living, text, "contract")
    await world.propose(80)
    body = {"tool": TOOL, "arguments": {"amount_usd": 30, "secret_4111": 1}, "summary": "x"}
    await world.http.post("/v1/proposals", headers={"Idempotency-Key": "k1"}, json=body)
    body["arguments"] = {"amount_usd": 30}
    body["context"] = {"facts": {"now": 4111}}
    await world.http.post("/v1/proposals", headers={"Idempotency-Key": "k2"}, json=body)
    said = opinions(world)
    assert [(one.outcome, one.rule, one.version) for one in said] == [("refused", None, version)] * 3
    assert [one.because for one in said[:2]] == ["the arguments break the tool's contract"] * 2
    assert "4111" not in repr(said)


async def test_a_candidate_that_fails_is_off_and_costs_nothing(living: Living, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is wrong with it, the proposal is decided; the alarm rings until another candidate is named."""
    world = living.world
    await named(living)

    def broken(*_: object) -> None:
        raise RuntimeError("4111111111111111")

    with monkeypatch.context() as planted:
        planted.setattr("bot.desk.second_opinion.opinion_from", broken)
        assert (await world.propose(42))["state"] == "approved"
        assert opinions(world) == [None]
        assert await alarmed(world)
    await world.propose(43)
    assert opinions(world) == [None, None]
    await named(living, BOLDER + "# again\n", "again")
    assert not await alarmed(world)
    await world.propose(44)
    assert opinions(world)[2] is not None


async def test_a_candidate_that_was_tampered_with_is_off_and_the_server_starts(living: Living) -> None:
    """A changed row in the store of versions never keeps a server down, nor is what it holds asked."""
    world = living.world
    await named(living)
    await world.stop()
    with closing(sqlite3.connect(world.database)) as db:
        db.execute("DROP TRIGGER policy_content_never_changes")
        db.execute(
            "UPDATE policy_content SET content = CAST(replace(CAST(content AS TEXT), '<= 100', '<= 999') AS BLOB)"
        )
        db.commit()
    await world.start()
    assert (await world.propose(80))["state"] == "pending"
    assert opinions(world) == [None]
    assert await alarmed(world)


# --- comparing


async def test_nothing_to_compare_says_what_to_do(living: Living) -> None:
    """No proposal, no candidate, no decision of people: each says what would change that, and ends with 0."""
    ended = await living("policy", "compare")
    assert (ended.code, ended.err) == (0, "")
    assert "Nothing was proposed since" in ended.out
    await living.world.propose(42)
    ended = await living("policy", "compare")
    assert "No candidate was asked. `foureyes policy shadow FOLDER` lets" in ended.out
    assert "people decided none of them. `mode: shadow` in a tool's file asks people" in ended.out
    assert "Nothing of mail.send was proposed" in (await living("policy", "compare", "--tool", "mail.send")).out
    await named(living)
    assert "was asked about none of them yet." in (await living("policy", "compare")).out
    found = (await living("policy", "compare", "--json")).json()
    assert found["candidate"]["same_percent"] is None
    assert found["people"]["active"]["agreeing_percent"] is None


async def test_the_candidate_beside_what_decided(living: Living) -> None:
    """The matrix, the share that is the same, each rule, the money in what differs, and what was loosened first."""
    world = living.world
    await world.propose(42)
    version = await named(living)
    for amount in (42, 43, 80, 200.5, 2000):
        await world.propose(amount)
    found = (await living("policy", "compare", "--json")).json()
    assert (found["proposals"], len(found["versions"])) == (6, 1)
    beside = found["candidate"]
    assert (beside["version"], beside["proposals"], beside["same"], beside["same_percent"]) == (version, 5, 2, "40.0")
    assert beside["matrix"]["asked"] == {"allowed": 1, "asked": 1, "blocked": 1, "refused": 0}
    assert beside["differing"] == {"cases": 3, "money": {"usd": "2280.5"}, "without_amount": 0}
    assert [(one["direction"], one["money"]["amount"]) for one in beside["changes"]] == [
        ("loosened", "200.5"),
        ("loosened", "80"),
        ("tightened", "2000"),
    ]
    assert beside["changes"][0]["active"] == "asked 2 support_manager by rule 3"
    assert beside["changes"][0]["candidate"] == "asked 1 support_manager by rule 3"
    third, first = beside["rules"]
    assert (third["rule"], third["proposals"], third["same"]) == (f"{TOOL}#3", 3, 0)
    assert (first["rule"], first["proposals"], first["same"]) == (f"{TOOL}#1", 2, 2)
    lines = (await living("policy", "compare")).out
    assert "beside what decided 5 proposals: 40.0 % the same." in lines
    assert "At stake in the 3 that differ: $2,280.50." in lines
    assert "LOOSENED   prop_" in lines
    assert f"  {TOOL}#3 in {found['versions'][0][:19]}: 3, 0.0 % the same, $2,280.50 in the others\n" in lines


async def test_what_people_denied_and_the_policy_would_allow_comes_first(living: Living) -> None:
    """In shadow people answer blind; what would have run and was denied is listed with the reason, safely."""
    world = living.world
    await into_shadow(world)
    await named(living)
    good, bad, asked, open_one = [await world.propose(amount) for amount in (40, 42, 180, 45)]
    await world.approve(good)
    await world.approve(asked)
    await world.deny(PRIYA, await world.packet_of(bad), NASTY)
    await world.packet_of(open_one)
    found = (await living("policy", "compare", "--json")).json()["people"]
    for judge in (found["active"], found["candidate"]):
        assert judge["matrix"]["allowed"] == {"approved": 1, "denied": 1, "unanswered": 1}
        assert judge["matrix"]["asked"] == {"approved": 1, "denied": 0, "unanswered": 0}
        assert (judge["decided"], judge["settled_alone"], judge["agreeing_percent"]) == (3, 2, "50.0")
        (denied,) = judge["allowed_but_denied"]["shown"]
        assert (denied["id"], denied["money"]) == (bad["id"], {"amount": "42", "currency": "usd"})
        assert denied["reason"] == NASTY.replace("4111111111111111", "411111••••••1111 (a card number)")
    rule = found["active"]["rules"][0]
    assert (rule["rule"], rule["approved"], rule["denied"], rule["unanswered"]) == (f"{TOOL}#1", 1, 1, 1)
    assert rule["denied_money"]["money"] == {"usd": "42"}
    ended = await living("policy", "compare")
    assert all(char.isprintable() or char == "\n" for char in ended.out)
    assert ended.out.index("ALLOWED BUT DENIED by people: 1 case, $42.00.") < ended.out.index("1 approved, 1 denied")
    assert r"\x1b]0;owned\x07" in ended.out
    assert "Of 2 that it would settle by itself, people agreed with 50.0 %." in ended.out
    assert "nothing to agree with" not in ended.out


async def test_a_live_tool_has_nothing_to_agree_with(living: Living) -> None:
    """What people were asked, the policy did not settle; that is said, and how to find out."""
    await living.world.approve(await living.world.propose(180))
    ended = await living("policy", "compare")
    assert "It would have asked about all of them, so there is nothing to agree with. `mode: shadow`" in ended.out
    assert f"{TOOL}#3" in ended.out
    assert "(asked): 1 approved, 0 denied, 0 unanswered" in ended.out


async def test_what_the_policy_hides_is_in_no_reason_and_no_sum(living: Living) -> None:
    """A hidden amount counts as none; a hidden value that a person repeated is taken out; erased is not guessed."""
    world = living.world
    hiding = f"""\
policy:
  tool: {TOOL}
  mode: shadow
  rules:
    - if: "amount_usd <= 50"
      allow: true
    - require_approval: support_manager
    - log: {{redact_fields: [amount_usd, card_number]}}
"""
    (world.policy / f"{TOOL}.yml").write_text(hiding, "utf-8")
    await world.running.watch.look()
    arguments = {"amount_usd": 42, "card_number": "4111111111111111"}
    body = {"tool": TOOL, "arguments": arguments, "summary": "x", "context": {"facts": {"customer_tier": "pro"}}}
    denied = []
    for key in ("k1", "k2"):
        proposal = (await world.http.post("/v1/proposals", headers={"Idempotency-Key": key}, json=body)).json()
        await world.deny(PRIYA, await world.packet_of(proposal), NASTY)
        denied.append(proposal)
    erase = "DELETE FROM detached WHERE name = 'arguments' AND seq IN (SELECT seq FROM entries WHERE subject = ?)"
    with closing(sqlite3.connect(world.database)) as db:
        db.execute(erase, (denied[1]["id"],))
        db.commit()
    ended = await living("policy", "compare", "--json")
    found = ended.json()["people"]["active"]["allowed_but_denied"]
    assert (found["cases"], found["money"], found["without_amount"]) == (2, {}, 2)
    reasons = {one["id"]: one["reason"] for one in found["shown"]}
    assert "(hidden by policy)" in reasons[denied[0]["id"]]
    assert reasons[denied[1]["id"]] is None
    assert "4111111111111111" not in ended.out
    lines = (await living("policy", "compare")).out
    assert "(no reason is kept)" in lines
    assert "2 without an amount" in lines


async def test_other_candidates_and_versions_are_not_mixed(living: Living) -> None:
    """Only the newest candidate is compared; a rule of another version is another rule; what decided is named."""
    world = living.world
    await named(living)
    await world.propose(80)
    second = await named(living, BOLDER.replace("<= 100", "<= 90"), "second")
    await world.propose(80)
    (world.policy / f"{TOOL}.yml").write_text((EXAMPLES / f"{TOOL}.yml").read_text("utf-8") + "# new\n", "utf-8")
    await world.running.watch.look()
    await world.propose(80)
    await living("policy", "shadow", "--off")
    found = (await living("policy", "compare", "--json")).json()
    assert (found["candidate"]["version"], found["candidate"]["proposals"]) == (second, 2)
    assert found["candidate"]["left_out"] == 1
    assert [rule["rule"] for rule in found["candidate"]["rules"]] == [f"{TOOL}#3"] * 2
    assert len(found["versions"]) == 2
    lines = (await living("policy", "compare")).out
    assert "2 policy versions decided: sha256:" in lines
    assert "1 proposal left out: another candidate was asked." in lines


async def test_the_lists_are_capped_and_say_so(living: Living, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten thousand changes are no list; how many more there are is said."""
    monkeypatch.setattr("bot.cli.compared.SHOWN", 1)
    monkeypatch.setattr("bot.cli.compared.LISTED", 1)
    world = living.world
    await into_shadow(world)
    await named(living, BOLDER.replace("allow: true", "block: true"), "blocking")
    for amount in (40, 41):
        await world.deny(PRIYA, await world.packet_of(await world.propose(amount)), "no")
    lines = (await living("policy", "compare")).out
    assert "and 1 more." in lines
    assert "  and 1 more." in lines
    found = (await living("policy", "compare", "--json")).json()
    assert (len(found["candidate"]["changes"]), found["candidate"]["changes_left_out"]) == (1, 1)
    assert found["people"]["candidate"]["agreeing_percent"] == "100.0"
    assert json.dumps(found)


async def test_a_bad_time_is_a_usage_error(living: Living) -> None:
    """`--since` is read as elsewhere."""
    assert (await living("policy", "compare", "--since", "soon")).code == 2
