"""A policy folder that is right: what it says, its version, and every way to write a rule."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from approval_rules.people import RoleName, ToolName
from approval_rules.policy import Policy, RoleMembers
from approval_rules.requirement import Seat
from approval_rules.verdicts import Allow, Ask, Block
from bot.policy_files import load

EXAMPLE = Path(__file__).parents[2] / "examples" / "policy"
# The founding example as it was agreed; it must load with not one byte changed.
FOUNDING_SHA256 = "8f8cafe3bab6f4307953fde206ac3717d70d631c1adc02dd68db87fed18c6e68"
MANAGER, FINANCE = RoleName("manager"), RoleName("finance")
ROLES = """
roles:
  manager: {users: [U0ANN, U0BEN, W0CEM, U0DEE]}
  finance: {usergroup: finance-team}
  'on-call': {users: [], usergroup: oncall}
"""

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a folder: the refund rules, roles.yml, and other files by name."""

    def written(rules: str | None = "[{allow: true}]", roles: str | None = ROLES, **others: str | bytes) -> Path:
        files: dict[str, str | bytes] = {name.replace("__", "."): text for name, text in others.items()}
        if rules is not None:
            files["pay.yml"] = f"policy:\n  tool: pay\n  rules: {rules}\n"
        if roles is not None:
            files["roles.yml"] = roles
        for name, text in files.items():
            (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return tmp_path

    return written


def pay(folder: Path) -> Policy:
    """The one policy of a folder."""
    return load(folder).policies[ToolName("pay")]


def test_founding_example_loads_as_written() -> None:
    """The founding file is byte for byte the agreed one, and says what it said then."""
    data = (EXAMPLE / "payments.refund.yml").read_bytes()
    assert hashlib.sha256(data).hexdigest() == FOUNDING_SHA256
    policy = load(EXAMPLE).policies[ToolName("payments.refund")]
    assert [rule.verdict for rule in policy.rules] == [
        Allow(),
        Allow(),
        Ask((Seat(RoleName("support_manager"), 2),)),
    ]
    assert [rule.index for rule in policy.rules] == [1, 2, 3]
    assert policy.rules[2].source == 'if: "amount_usd > 50"\nrequire_approval: "support_manager"'
    assert (policy.redact, policy.retain_days) == (("card_number", "bank_account"), 365)


def test_founding_example_needs_no_more_than_a_role(tmp_path: Path) -> None:
    """Without a contract or any other file, the founding policy and one role are enough."""
    (tmp_path / "payments.refund.yml").write_bytes((EXAMPLE / "payments.refund.yml").read_bytes())
    (tmp_path / "roles.yml").write_text("roles: {support_manager: {usergroup: support}}")
    assert load(tmp_path).policies.keys() == {"payments.refund"}


def test_roles_and_channels(write: Write) -> None:
    """Roles have users, a group or both; channels are named by role, tool, or for everything else."""
    channels = "channels: {manager: C0MGR, pay: G0PAY, default: C0ALL, announcements: C0OPS}"
    folder = load(write(roles=ROLES + channels))
    assert folder.roles == {
        "manager": RoleMembers(frozenset({"U0ANN", "U0BEN", "W0CEM", "U0DEE"}), None),
        "finance": RoleMembers(frozenset(), "finance-team"),
        "on-call": RoleMembers(frozenset(), "oncall"),
    }
    assert folder.channels == {"manager": "C0MGR", "pay": "G0PAY", "default": "C0ALL", "announcements": "C0OPS"}


@pytest.mark.parametrize(
    ("form", "ask"),
    [
        ("manager", Ask((Seat(MANAGER, 2),))),
        ("{role: manager}", Ask((Seat(MANAGER, 2),))),
        ("{roles: [manager]}", Ask((Seat(MANAGER, 2),))),
        ("{role: manager, approvals: 1}", Ask((Seat(MANAGER, 1),))),
        ("{roles: [manager], approvals: 3}", Ask((Seat(MANAGER, 3),))),
        ("{roles: [manager, finance]}", Ask((Seat(MANAGER, 1), Seat(FINANCE, 1)))),
        ("{roles: [manager, finance, manager], approvals: 3}", Ask((Seat(MANAGER, 2), Seat(FINANCE, 1)))),
        ("{role: manager, expires_in: 30m}", Ask((Seat(MANAGER, 2),), timedelta(minutes=30))),
        ("{role: manager, expires_in: 4h}", Ask((Seat(MANAGER, 2),), timedelta(hours=4))),
        ("{role: manager, expires_in: 30d}", Ask((Seat(MANAGER, 2),), timedelta(days=30))),
        ("{role: manager, step_up: none, channel: C0XYZ}", Ask((Seat(MANAGER, 2),), channel="C0XYZ")),
    ],
)
def test_every_form_of_require_approval(write: Write, form: str, ask: Ask) -> None:
    """A role is two distinct people; one person must be written; several roles need one person each."""
    assert pay(write(f"[{{require_approval: {form}}}]")).rules[0].verdict == ask


@pytest.mark.parametrize(
    ("form", "block"), [("true", Block()), ("'sanctioned  country'", Block("sanctioned country")), ("yes", Block())]
)
def test_every_form_of_block(write: Write, form: str, block: Block) -> None:
    """Block is true or gives its reason."""
    assert pay(write(f"[{{if: 'n > 1', block: {form}}}]")).rules[0].verdict == block


def test_log_is_no_rule_but_is_counted(write: Write) -> None:
    """A `log` item decides nothing; the rules behind it keep the number that a reader of the file counts."""
    policy = pay(write("[{log: {redact_fields: [card, card, iban]}}, {if: 'n > 1', allow: true}]"))
    assert [rule.index for rule in policy.rules] == [2]
    assert (policy.redact, policy.retain_days) == (("card", "iban"), None)


def test_roles_file_is_needed_only_where_a_role_is_named(write: Write) -> None:
    """A folder that only allows and blocks has nobody to name."""
    folder = load(write("[{allow: true}]", roles=None))
    assert (folder.roles, folder.channels) == ({}, {})


def test_version_is_what_sha256sum_says(write: Write) -> None:
    """The version is the SHA-256 of what `sha256sum *.yml` prints, so anybody can check it."""
    path = write()
    lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in sorted(path.glob("*.yml"))]
    assert load(path).version == "sha256:" + hashlib.sha256("".join(lines).encode()).hexdigest()


def test_version_follows_bytes_and_names_only(write: Write) -> None:
    """A comment changes the version; a file that is no policy, a hidden one and a folder do not."""
    path = write(rules="[{allow: true}]")
    before = load(path).version
    (path / "README.md").write_text("about")
    (path / ".pay.yml").write_text("{{{")
    (path / "old").mkdir()
    assert load(path).version == before
    assert load(write(rules="[{allow: true}] # changed")).version != before


def test_byte_order_mark_and_comments_are_fine(write: Write) -> None:
    """What an editor on Windows writes loads too."""
    path = write(
        rules=None, pay__yml=b"\xef\xbb\xbf# refunds\r\npolicy:\r\n  tool: pay\r\n  rules: [{allow: true}]\r\n"
    )
    assert pay(path).rules[0].verdict == Allow()


@pytest.mark.parametrize(("mode", "shadow"), [("mode: shadow, ", True), ("mode: live, ", False), ("", False)])
def test_a_tool_is_live_or_in_shadow(write: Write, mode: str, shadow: bool) -> None:  # noqa: FBT001 - a case
    """Live where nothing is said; the mode is part of the version."""
    page = f"policy: {{tool: pay, {mode}rules: [{{allow: true}}]}}"
    assert pay(write(None, pay__yml=page)).shadow is shadow


def test_seats_say_how_many_of_each_role(write: Write) -> None:
    """Two managers and one of finance, all of them needed."""
    rules = "[{require_approval: {seats: [{role: manager, count: 2}, {role: finance}], expires_in: 4h}}]"
    (rule,) = pay(write(rules)).rules
    assert rule.verdict == Ask((Seat(MANAGER, 2), Seat(FINANCE, 1)), timedelta(hours=4))


@pytest.mark.parametrize(
    ("share", "read"), [("20 %", "20"), ("20%", "20"), ("0 %", "0"), ("100 %", "100"), ("0.50 %", "0.5"), ("007%", "7")]
)
def test_a_dial_has_a_share_and_people_for_the_rest(write: Write, share: str, read: str) -> None:
    """The rest is asked as any other approval, in the short or the long form."""
    (rule,) = pay(write(f"[{{allow: {{share: {share}, else: {{role: manager, approvals: 1}}}}}}]")).rules
    assert rule.verdict == Allow(Decimal(read), Ask((Seat(MANAGER, 1),)))
    assert str(rule.verdict.share) == read


def test_the_clock_of_a_policy_and_the_days_off(write: Write) -> None:
    """The zone is the page's; holidays are the folder's, part of its version, and no tool of that name exists."""
    page = "policy: {tool: pay, time_zone: Europe/Berlin, rules: [{allow: true}]}"
    before = load(write(None, pay__yml=page))
    folder = load(write(None, pay__yml=page, holidays__yml="holidays: [2026-12-25, '2027-01-01']"))
    assert folder.policies[ToolName("pay")].zone == ZoneInfo("Europe/Berlin")
    assert folder.holidays == {"2026-12-25", "2027-01-01"}
    assert folder.policies.keys() == {"pay"}
    assert before.version != folder.version


def test_a_block_is_reached_wherever_it_stands(write: Write) -> None:
    """Rules below one that always matches are refused, but not a block, which is always looked at."""
    policy = pay(write("[{allow: true}, {if: n > 5, block: true}]"))
    assert [type(rule.verdict) for rule in policy.rules] == [Allow, Block]
    policy = pay(write("[{if: n > 5, block: true}, {if: n > 5, allow: true}, {if: n > 4, allow: true}]"))
    assert len(policy.rules) == 3
