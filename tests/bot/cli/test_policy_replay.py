"""`policy replay` and `policy cases export` on what a real server recorded: what another policy would have said."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot.slack_standin.workspace import JONAS, LENA, MAYA
from tests.bot.cli.living import Living
from tests.bot.cli.shell import Shell
from tests.world import TOOL, World

NASTY = "\x1b]0;owned\x07\x1b[2J\u202e\x9b31m"
ONE_IS_ENOUGH = """\
policy:
  tool: payments.refund
  rules:
    - if: "amount_usd > 1000"
      block: over the cap
    - if: "amount_usd > 500"
      require_approval: {role: support_manager, approvals: 3}
    - if: "amount_usd > 100"
      require_approval: {role: support_manager, approvals: 1}
    - if: "amount_usd > 50"
      allow: true
    - require_approval: support_manager
    - log:
        redact_fields: [iban]
"""


# How much for which customer, and how many minutes later.
COMING = (
    *((40, "A", 0), (40, "A", 0), (40, "A", 0), (5, "A", 0), (1, "B", 0)),
    *((3, "A", 0), (90, "B", 150), (1, "A", 1500), (2, "C", 0), (99, "C", 0)),
)


@pytest.fixture
def other(living: Living) -> Path:
    """Another policy for refunds, in a folder beside the one in force."""
    folder = living.world.folder / "other"
    folder.mkdir()
    (folder / "roles.yml").write_bytes((living.world.policy / "roles.yml").read_bytes())
    (folder / "payments.refund.yml").write_text(ONE_IS_ENOUGH, "utf-8")
    add_manager(folder)
    return folder


def add_manager(folder: Path) -> None:
    """Let three people be had."""
    text = (folder / "roles.yml").read_text("utf-8").replace(f'"{JONAS}"', f'"{JONAS}", "U0THIRD"')
    (folder / "roles.yml").write_text(text, "utf-8")


def erase(world: World, proposal: dict[str, Any]) -> None:
    """Erase what an agent wrote, as retention does: the log keeps its digest."""
    with closing(sqlite3.connect(world.database)) as db:
        db.execute(
            "DELETE FROM detached WHERE seq IN (SELECT seq FROM entries WHERE subject = ?)",
            (proposal["id"],),
        )
        db.commit()


async def test_the_same_policy_changes_nothing(living: Living) -> None:
    """A replay with the policy in force says the same of every recorded proposal, and ends with 0."""
    for amount in (20, 180, 250.5):
        await living.world.propose(amount)
    ended = await living("policy", "replay")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == (
        "before \\ after  allowed    asked  blocked\n"
        "allowed               1        0        0\n"
        "asked                 0        2        0\n"
        "blocked               0        0        0\n"
        "3 cases: 3 the same, 0 loosened, 0 otherwise changed, 0 tightened.\n"
    )


async def test_the_matrix_and_what_changes(living: Living, other: Path) -> None:
    """What is looser stands first and says so in a word: fewer people count as much as none."""
    world = living.world
    made = {amount: (await world.propose(amount))["id"] for amount in (20, 75, 180, 600, 2000)}
    ended = await living("policy", "replay", "--policy", str(other), "--since", "1h")
    assert ended.code == 1
    lines = ended.out.splitlines()
    assert lines[:4] == [
        "before \\ after  allowed    asked  blocked",
        "allowed               0        1        0",
        "asked                 1        2        1",
        "blocked               0        0        0",
    ]
    before = "asked 2 support_manager by rule 3"
    assert lines[4:-1] == [
        f"LOOSENED   {made[75]}  {TOOL}  amount_usd 75  {before} -> allowed by rule 4",
        f"LOOSENED   {made[180]}  {TOOL}  amount_usd 180  {before} -> asked 1 support_manager by rule 3",
        f"TIGHTENED  {made[20]}  {TOOL}  amount_usd 20  allowed by rule 1 -> asked 2 support_manager by rule 5",
        f"TIGHTENED  {made[600]}  {TOOL}  amount_usd 600  {before} -> asked 3 support_manager by rule 2",
        f"TIGHTENED  {made[2000]}  {TOOL}  amount_usd 2000  {before} -> blocked by rule 1",
    ]
    summary = lines[-1]
    assert summary == "5 cases: 0 the same, 2 loosened, 0 otherwise changed, 3 tightened."
    for fail_on, code in (("loosened", 1), ("changed", 1), ("never", 0)):
        assert (await living("policy", "replay", "--policy", str(other), "--fail-on", fail_on)).code == code
    found = (await living("policy", "replay", "--policy", str(other), "--json")).json()
    assert found["matrix"]["asked"] == {"allowed": 1, "asked": 2, "blocked": 1}
    assert (found["cases"], found["loosened"], found["tightened"], found["skipped_as_erased"]) == (5, 2, 3, 0)
    assert [change["direction"] for change in found["changes"]][:2] == ["loosened", "loosened"]


async def test_only_a_tightened_case_fails_on_changed_alone(living: Living, other: Path) -> None:
    """The default lets a stricter policy pass."""
    await living.world.propose(2000)
    assert (await living("policy", "replay", "--policy", str(other))).code == 0
    assert (await living("policy", "replay", "--policy", str(other), "--fail-on", "changed")).code == 1


async def test_what_was_erased_is_counted_and_skipped(living: Living) -> None:
    """Nobody can judge again what is not there any more; and nothing to replay says so."""
    erase(living.world, await living.world.propose(180))
    ended = await living("policy", "replay")
    assert ended.code == 0
    assert ended.out.endswith("1 proposal skipped: what the rules need of it has been erased.\n")
    assert ended.err == "Nothing was replayed, so this says nothing about the policy.\n"
    await living.world.propose(20)
    found = (await living("policy", "replay", "--json")).json()
    assert (found["cases"], found["skipped_as_erased"]) == (1, 1)


async def test_hostile_names_and_hidden_amounts_are_not_shown(living: Living, other: Path) -> None:
    """What an agent wrote is shown as text, and what either policy hides is not shown at all."""
    world = living.world
    amounts = {f"amount{NASTY}": 5, "amount_usd": 2000}
    await world.propose(2000, arguments=amounts)
    ended = await living("policy", "replay", "--policy", str(other))
    assert "\\x1b" in ended.out
    assert all(char.isprintable() or char == "\n" for char in ended.out)
    rules = ONE_IS_ENOUGH.replace("[iban]", "[amount_usd]")
    (other / "payments.refund.yml").write_text(rules, "utf-8")
    await world.propose(2001)
    ended = await living("policy", "replay", "--policy", str(other))
    assert "2001" not in ended.out


async def test_counters_are_as_they_were(living: Living, other: Path) -> None:
    """Replaying a policy that counts gives what the server decided then, whatever has been decided since."""
    world = living.world
    rules = """\
policy:
  tool: payments.refund
  rules:
    - if: "count(24h by customer_id) >= 3"
      block: too many for one customer
    - if: "sum(amount_usd, 2h) + amount_usd > 100"
      require_approval: support_manager
    - if: "count(1h by agent) >= 6"
      require_approval: {role: support_manager, approvals: 3}
    - allow: true
"""
    add_manager(world.policy)
    (world.policy / "payments.refund.yml").write_text(rules, "utf-8")
    await world.running.watch.look()
    states = []
    for number, (amount, customer, minutes) in enumerate(COMING):
        await world.move(minutes=minutes)
        arguments = {"amount_usd": amount, "customer_id": customer, "order_id": f"O-{number}"}
        made = await world.propose(arguments=arguments)
        states.append(made["state"])
        if made["state"] == "approved":
            assert (await world.claim(made)).status_code == 200  # what has been claimed goes on to count
        if number == 2:
            await world.deny(MAYA, await world.packet_of(made), "no")
    assert states == [
        *("approved", "approved", "pending", "approved", "approved"),
        *("blocked", "approved", "approved", "approved", "pending"),
    ]
    await world.settled()
    await world.propose(arguments={"order_id": "no amount", "customer_id": "D"})
    await world.propose(arguments={"amount_usd": 3, "customer_id": ["E"]})
    await world.propose(arguments={"amount_usd": 3, "customer_id": "E"})
    await world.propose(arguments={"customer_id": "E"}, context={"facts": {"amount_usd": 3}})
    # The second policy counts the same in other words, so that what was recorded does not help: it is counted again.
    again = rules.replace("24h", "1440m").replace("2h", "120m").replace("1h", "60m")
    for text in (rules, again):
        (other / "payments.refund.yml").write_text(text, "utf-8")
        found = (await living("policy", "replay", "--policy", str(other), "--fail-on", "changed", "--json")).json()
        assert (found["cases"], found["changes"]) == (14, [])


async def test_what_was_erased_leaves_no_counter_to_be_told(living: Living, other: Path) -> None:
    """Who an erased proposal counted for is not known: the rule cannot be decided, and people are asked."""
    world = living.world
    rules = "- if: 'count(24h by customer_id) >= 3'\n      block: true"
    rules += "\n    - {if: 'count(24h) > 90', require_approval: support_manager}\n    - allow: true"
    (other / "payments.refund.yml").write_text(f"policy:\n  tool: {TOOL}\n  rules:\n    {rules}\n", "utf-8")
    erased = await world.propose(20)
    await world.propose(20)
    await world.settled()
    ended = await living("policy", "replay", "--policy", str(other))
    assert "2 cases: 2 the same" in ended.out
    erase(world, erased)
    ended = await living("policy", "replay", "--policy", str(other))
    assert "allowed by rule 1 -> asked 2 support_manager by rule 1" in ended.out


async def test_a_contract_is_asked_first(living: Living, other: Path) -> None:
    """Arguments that a new contract refuses are refused in a replay and in a test, with the contract's words."""
    await living.world.propose(20)
    schema = "{type: object, properties: {amount_usd: {type: number, minimum: 30}}, additionalProperties: true}"
    rules = ONE_IS_ENOUGH.replace("  rules:", f"  contract: {schema}\n  rules:")
    (other / "payments.refund.yml").write_text(rules, "utf-8")
    ended = await living("policy", "replay", "--policy", str(other), "--json")
    (change,) = ended.json()["changes"]
    assert (change["direction"], change["after"]) == ("tightened", "refused")
    assert change["because"].startswith("contract-violation: /arguments/amount_usd ")


async def test_a_file_of_cases_is_replayed_too(shell: Shell) -> None:
    """What a case expects is what was before; no database is needed. One of --since and --file."""
    folder = shell.folder / "policy"
    folder.mkdir()
    (folder / "roles.yml").write_text("roles: {support_manager: {usergroup: x}}", "utf-8")
    (folder / "payments.refund.yml").write_text(ONE_IS_ENOUGH, "utf-8")
    cases: list[dict[str, Any]] = [
        {"name": "same", "arguments": {"amount_usd": 180}, "expect": "asked", "approvals": 1},
        {"name": "fewer", "arguments": {"amount_usd": 180}, "expect": "asked", "approvals": 2},
        {"name": "other people", "arguments": {"amount_usd": 180}, "expect": "asked", "roles": ["finance"]},
        {"name": "more", "arguments": {"amount_usd": 600}, "expect": "asked", "roles": ["support_manager"] * 2},
        {"name": "two", "arguments": {"amount": 1}, "facts": {"amount": "2"}, "expect": "blocked"},
        {"name": "text", "arguments": {"amount_usd": f"5{NASTY}"}, "expect": "blocked"},
    ]
    lines = "".join(json.dumps({"tool": TOOL, **case}) + "\n" for case in cases)
    (shell.folder / "cases.jsonl").write_text(lines, "utf-8")
    ended = await shell.beside("policy", "replay", "--file", "cases.jsonl")
    assert ended.code == 1
    assert ended.out.splitlines()[0] == "before \\ after  allowed    asked  blocked  refused"
    assert [line.split()[0] for line in ended.out.splitlines()[5:-1]] == ["LOOSENED"] * 3 + ["CHANGED", "TIGHTENED"]
    assert 'amount_usd "5\\' in ended.out
    assert all(char.isprintable() or char == "\n" for char in ended.out)
    ended = await shell.beside("policy", "replay", "--file", "cases.jsonl", "--since", "1d")
    assert (ended.code, "give --since or --file, not both" in ended.err) == (2, True)
    assert (await shell.beside("policy", "replay", "--since", "soon")).code == 2
    (shell.folder / "cases.jsonl").write_text('{"nam": 1}', "utf-8")
    ended = await shell.beside("policy", "replay", "--file", "cases.jsonl")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("cases.jsonl:1:2: a case has no 'nam'; did you mean 'name'?")
    assert (await shell.beside("policy", "replay", "--file", "nothing.jsonl")).code == 1
    assert (await shell.beside("policy", "replay")).code == 3


async def test_denials_become_cases_without_what_policy_hides(living: Living) -> None:
    """What people denied must at least be asked about from now on; the cases run as they are printed."""
    world = living.world
    card = "4111 1111 1111 1111"
    made = await world.propose(
        arguments={
            "amount_usd": 180.25,
            "card_number": card,
            "cards": [{"card_number": 99887766554433}],
            "twin": 99887766554433,
            card: f"of {card}",
        },
        context={"facts": {"customer_tier": "pro", "bank_account": ["DE02 1203"], "text": "to DE02 1203", "yes": True}},
        run={"id": "run-7", "started_by": LENA},
    )
    await world.deny(MAYA, await world.packet_of(made), f"not with {card} {NASTY}")
    erased = await world.propose(190)
    await world.deny(MAYA, await world.packet_of(erased), "no")
    await world.settled()
    erase(world, erased)
    await world.propose(20)
    ended = await living("policy", "cases", "export", "--since", "1h")
    assert (ended.code, ended.err) == (0, "1 case written; 1 skipped, for what was asked has been erased.\n")
    assert all(char.isprintable() or char == "\n" for char in ended.out)
    for secret in (card, "DE02 1203", "99887766554433", LENA):
        assert secret not in ended.out
    case = json.loads(ended.out)
    assert case["name"] == made["id"]
    assert (case["tool"], case["agent"], case["expect"]) == (TOOL, "refund-bot", "asked")
    assert case["arguments"]["amount_usd"] == 180.25
    hidden = "(hidden by policy)"
    assert case["arguments"]["card_number"] == case["arguments"]["twin"] == hidden
    assert case["facts"] == {"customer_tier": "pro", "bank_account": hidden, "text": f"to {hidden}", "yes": True}
    assert case["run"] == {"id": "run-7"}
    assert case["note"].startswith(f"other: not with {hidden} ")
    (world.policy / "cases").mkdir()
    (world.policy / "cases" / "denied.jsonl").write_text(ended.out, "utf-8")
    assert (await living("policy", "test")).code == 0
    assert (await living("policy", "replay", "--file", str(world.policy / "cases" / "denied.jsonl"))).code == 0


async def test_a_denial_in_few_words_is_a_case_too(living: Living) -> None:
    """No facts, no run, no reason that lives: the case has what there is."""
    made = await living.world.propose(180, context={}, run={})
    await living.world.deny(JONAS, await living.world.packet_of(made), "no")
    await living.world.settled()
    with closing(sqlite3.connect(living.world.database)) as db:
        db.execute("DELETE FROM detached WHERE name = 'reason'")
        db.commit()
    case = (await living("policy", "cases", "export")).json()
    assert set(case) == {"name", "tool", "arguments", "agent", "at", "expect", "note"}


@pytest.mark.parametrize(
    ("then", "now", "direction"),
    [
        ("", ", backup: lead", "loosened"),
        (", backup: lead", "", "tightened"),
        (", backup: lead", ", backup: deputy", "loosened"),
        (", backup: lead", ", backup: lead", None),
        ("", ", step_up: totp", "tightened"),
        (", step_up: totp", ", step_up: passkey", "tightened"),
        (", step_up: passkey", ", step_up: totp", "loosened"),
        (", step_up: passkey", "", "loosened"),
    ],
)
async def test_who_may_stand_in_and_with_what_factor_is_part_of_who_is_asked(
    living: Living, other: Path, then: str, now: str, direction: str | None
) -> None:
    """A backup that was not there before lets more people approve, and a weaker factor proves less: that is looser."""
    world = living.world
    if "passkey" in then:
        await world.stop()
        world.public_url = "https://approvals.example.com"
        await world.start()
    for folder, more in ((world.policy, then), (other, now)):
        people = {"users": [MAYA, JONAS]}
        roles = {"support_manager": people, "lead": people, "deputy": people}
        (folder / "roles.yml").write_text(json.dumps({"roles": roles}), "utf-8")
        rule = f"{{require_approval: {{role: support_manager{more}}}}}"
        (folder / f"{TOOL}.yml").write_text(f"policy: {{tool: {TOOL}, rules: [{rule}]}}\n", "utf-8")
    await world.running.watch.look()
    assert world.running.watch.fault is None
    await world.propose(180)
    found = (await living("policy", "replay", "--policy", str(other), "--fail-on", "never", "--json")).json()
    assert [change["direction"] for change in found["changes"]] == ([direction] if direction else [])
    for change in found["changes"]:
        assert ("with lead as backup" in change["before"]) is ("lead" in then)
        assert ("as backup" in change["after"]) is ("backup" in now)
        assert ("with passkey" in change["after"]) is ("passkey" in now)
