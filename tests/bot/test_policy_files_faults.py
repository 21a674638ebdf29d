"""A policy folder that is wrong: every fault has its file, line and column, and says what to do."""

import os
from pathlib import Path
from textwrap import indent

import pytest

from bot.marked_yaml import MAX_BYTES
from bot.policy_files import MAX_FILES, PolicyFault, PolicyFolderError, load
from bot.policy_page import MAX_RULES
from tests.bot.test_policy_files import ROLES, Write, write

__all__ = ["write"]  # the fixture


def faults_of(path: Path) -> list[tuple[str, int, int, str]]:
    """Load, and give what is wrong."""
    with pytest.raises(PolicyFolderError) as refused:
        load(path)
    return [(Path(each.file).name, each.line, each.column, each.detail) for each in refused.value.faults]


def one_fault(path: Path) -> tuple[str, int, int, str]:
    """Load, and give the only thing that is wrong."""
    (fault,) = faults_of(path)
    return fault


HEAD = "policy:\n  tool: pay\n  rules:\n"


@pytest.mark.parametrize(
    ("item", "line", "column", "advice"),
    [
        ("- if: amount > 5 ** 2\n  allow: true", 4, 18, "write the number out"),
        ("- if: 'amount =~ \"a+\"'\n  allow: true", 4, 15, "regular expressions"),
        ("- if: >\n    n > 1 and\n    n < $now\n  allow: true", 4, 7, "for the clock"),
        ("- if: |\n    n > 1 and n <\n    $now\n  allow: true", 4, 7, "for the clock"),
        ("- {if: 'n > 1 and ''a'' in ''abc''', allow: true}", 4, 8, "'in' needs a list"),
        ("- {if: true, allow: true}", 4, 8, "a condition must be text"),
        ("- {if: '', allow: true}", 4, 8, "a condition must be text"),
        ("- {if: [a], allow: true}", 4, 8, "a condition must be text"),
        ("- {if: 'n > 1'}", 4, 3, "exactly one of allow, require_approval, block; this one has 0"),
        ("- {allow: true, block: true}", 4, 3, "this one has 2"),
        ("- {allow: false}", 4, 11, "allow is true, or a dial"),
        ("- {allow: maybe}", 4, 11, "allow is true, or a dial"),
        ("- {allow: !!bool maybe}", 4, 11, "allow is true, or a dial"),
        ("- {allow: {share: 20 %}}", 4, 11, "a dial needs else"),
        ("- {allow: {else: manager}}", 4, 11, "a dial needs share"),
        ("- {allow: {share: 101 %, else: manager}}", 4, 19, "a percentage from 0 % to 100 %"),
        ("- {allow: {share: 0.2, else: manager}}", 4, 19, "a percentage from 0 % to 100 %"),
        ("- {allow: {share: [5 %], else: manager}}", 4, 19, "a percentage from 0 % to 100 %"),
        ("- {allow: {share: 5 %, else: manger}}", 4, 30, "did you mean 'manager'?"),
        ("- {require_approval: {seats: []}}", 4, 30, "a list that is not empty"),
        ("- {require_approval: {seats: [{count: 1}]}}", 4, 31, "a seat needs a role"),
        ("- {require_approval: {seats: [{role: manager, count: 0}]}}", 4, 54, "a whole number from 1 to 10"),
        (
            "- {require_approval: {seats: [{role: finance, count: 6}, {role: manager, count: 5}]}}",
            4,
            30,
            "asks 11 people",
        ),
        ("- {require_approval: {seats: [{role: manager}, {role: manager}]}}", 4, 48, "raise its count"),
        ("- {require_approval: {seats: [{role: manager}], approvals: 1}}", 4, 60, "leave approvals away"),
        ("- {if: now.hours > 3, allow: true}", 4, 8, "now has no field 'hours'; did you mean 'hour'?"),
        ("- {if: now > 3, allow: true}", 4, 8, "write one of its fields: now.date"),
        ("- {if: \"agent['name'] == 'x'\", allow: true}", 4, 9, "write one of its fields: agent.id"),
        ("- {if: run.zzzzzzzz > 3, allow: true}", 4, 8, "run has no field 'zzzzzzzz'; it has id, model"),
        ("- {if: n > 5 and n < 5, allow: true}", 4, 8, "can never hold, because no n lies within"),
        (
            "- {allow: true}\n- {if: n > 5, require_approval: manager}",
            5,
            3,
            "never be reached: rule 1 above always matches",
        ),
        (
            "- {if: n > 5, allow: true}\n- {if: n > 5, require_approval: manager}",
            5,
            3,
            "rule 1 above has the same condition",
        ),
        ("- {block: false}", 4, 11, "block is true, or the reason"),
        ("- {block: ''}", 4, 11, "block is true, or the reason"),
        ("- {allow: true, allow: true}", 4, 17, "'allow' stands here twice"),
        ("- {alow: true, allow: true}", 4, 4, "a rule has no 'alow'; did you mean 'allow'?"),
        ("- {zzz: true, allow: true}", 4, 4, "write one of allow, block, if, initiate, log, require_approval"),
        ("- {1: true, allow: true}", 4, 4, "put it in quotes"),
        ("- {<<: {allow: true}, block: true}", 4, 4, "put it in quotes"),
        ("- allow", 4, 3, "must be a mapping"),
        ("- {require_approval: manger}", 4, 22, "roles.yml has no role 'manger'; did you mean 'manager'?"),
        ("- {require_approval: zzz}", 4, 22, "roles.yml has no role 'zzz'; add it there"),
        ("- {require_approval: 'two words'}", 4, 22, "a role's name begins"),
        ("- {require_approval: 5}", 4, 22, "a role must be text"),
        ("- {require_approval: [manager]}", 4, 22, "must be a mapping"),
        ("- {require_approval: {}}", 4, 22, "one of 'role', 'roles' and 'seats'"),
        ("- {require_approval: {role: manager, roles: [manager]}}", 4, 22, "one of 'role', 'roles' and 'seats'"),
        ("- {require_approval: {roles: []}}", 4, 30, "a list that is not empty"),
        ("- {require_approval: {roles: manager}}", 4, 30, "a list that is not empty"),
        ("- {require_approval: {roles: [manager, 5]}}", 4, 40, "a role must be text"),
        ("- {require_approval: {role: manager, approvals: 0}}", 4, 49, "a whole number from 1 to 10"),
        ("- {require_approval: {role: manager, approvals: 02}}", 4, 49, "a whole number from 1 to 10"),
        ("- {require_approval: {role: manager, approvals: '2'}}", 4, 49, "a whole number from 1 to 10"),
        ("- {require_approval: {role: manager, approvals: 1.5}}", 4, 49, "a whole number from 1 to 10"),
        ("- {require_approval: {role: manager, approvals: true}}", 4, 49, "a whole number from 1 to 10"),
        ("- {require_approval: {roles: [manager, finance], approvals: 1}}", 4, 61, "so approvals is 2"),
        (
            "- {require_approval: {role: manager, approvals: 5}}",
            4,
            22,
            "needs 5 people of manager, and roles.yml names 4",
        ),
        ("- {require_approval: {role: manager, expires_in: 5}}", 4, 50, "such as 30m, 4h or 2d"),
        ("- {require_approval: {role: manager, expires_in: 0h}}", 4, 50, "such as 30m, 4h or 2d"),
        ("- {require_approval: {role: manager, expires_in: 31d}}", 4, 50, "at most 30d"),
        ("- {require_approval: {role: manager, expires_in: [4h]}}", 4, 50, "such as 30m, 4h or 2d"),
        ("- {require_approval: {role: manager, step_up: retina}}", 4, 47, "step_up is passkey, totp or none"),
        ("- {require_approval: {role: manager, channel: '#ops'}}", 4, 47, "named by its id"),
        ("- {require_approval: {role: manager, approval: 1}}", 4, 38, "did you mean 'approvals'?"),
        ("- {allow: true, initiate: manager}", 4, 27, "put initiate beside block"),
        ("- {block: true, initiate: manger}", 4, 27, "did you mean 'manager'?"),
        ("- {block: true, initiate: [manager]}", 4, 27, "a role must be text"),
        ("- {block: true, initiate: {then: manager}}", 4, 27, "initiate names who may start it"),
        ("- {block: true, initiate: {role: manager, step_up: none}}", 4, 52, "with a second factor"),
        ("- {block: true, initiate: {role: manager, step_up: retina}}", 4, 52, "step_up is passkey, totp or none"),
        ("- {block: true, initiate: {role: manager, than: finance}}", 4, 43, "did you mean 'then'?"),
        ("- {block: true, initiate: {role: manager, then: {role: finance, step_up: none}}}", 4, 74, "a second factor"),
        (
            "- {block: true, initiate: {role: manager, then: {role: finance, approvals: 1}}}",
            4,
            49,
            "two others at least",
        ),
        ("- {block: true, initiate: {role: manager, then: {role: finance, step_up: 5}}}", 4, 74, "must be text"),
        ("- {block: true, initiate: {role: manager, then: {role: manager, approvals: 4}}}", 4, 27, "needs 5 people"),
        ("- {allow: true}\n- {log: {retain_days: 0}}", 5, 23, "a whole number from 1 to 3660"),
        ("- {allow: true}\n- {log: {redact: [a]}}", 5, 10, "did you mean 'redact_fields'?"),
        ("- {allow: true}\n- {log: {redact_fields: a}}", 5, 25, "a list that is not empty"),
        ("- {allow: true}\n- {log: {redact_fields: [5]}}", 5, 26, "a field must be text"),
        ("- {allow: true}\n- {log: {retain_days: 5}}\n- {log: {retain_days: 6}}", 6, 9, "a second 'log'"),
        ("- {allow: true}\n- {log: {retain_days: 5}, if: 'n > 1'}", 5, 3, "a 'log' item stands alone"),
        ("- {log: {retain_days: 5}}", 4, 1, "holds no rule that decides"),
        ("- {allow: &it true}", 4, 11, "'&' and '*' are not for policies"),
        ("- *it", 4, 3, "'&' and '*' are not for policies"),
        ("- &a [*a, *a]", 4, 3, "'&' and '*' are not for policies"),
        ("- " + "[" * 5000, 4, 12, "nested too deeply"),
        ("- !!python/object/apply:os.system ['true']", 4, 3, "must be a mapping"),
        ("- {allow: true\n", 5, -1, "expected ',' or '}'"),
        ("-\t{allow: true}\n\t- {allow: true}", 4, 2, "a tab cannot indent"),
        ("- {block: 'a\x00b'}", 4, 13, "a character that YAML does not allow"),
    ],
)
def test_fault_in_a_rule(write: Write, item: str, line: int, column: int, advice: str) -> None:
    """One slip in a rule is one fault, at its place, with what to do. Columns are the item's own."""
    where = one_fault(write(rules=None, pay__yml=HEAD + indent(item, "  ")))
    assert where[:3] == ("pay.yml", line, column + 2), where
    assert advice in where[3]


@pytest.mark.parametrize(
    ("text", "line", "column", "advice"),
    [
        ("", 1, 1, "empty"),
        ("# nothing\n", 1, 1, "empty"),
        ("- a", 1, 1, "must be a mapping"),
        ("{}", 1, 1, "must begin with 'policy:'"),
        ("polcy: {}", 1, 1, "did you mean 'policy'?"),
        ("policy:\n  rules: [{allow: true}]", 2, 3, "policy has no 'tool'"),
        ("policy:\n  tool: pay", 2, 3, "policy has no 'rules'"),
        ("policy: {tool: pay, rules: []}", 1, 28, "a list that is not empty"),
        ("policy: {tool: pay, rules: {allow: true}}", 1, 28, "a list that is not empty"),
        ("policy: {tool: pay, rules: [{allow: true}], x: 1}", 1, 45, "policy has no 'x'"),
        ("policy: {tool: 5, rules: [{allow: true}]}", 1, 16, "tool must be text"),
        ("policy: {tool: 'a b', rules: [{allow: true}]}", 1, 16, "a tool's name has"),
        ("policy: {tool: pay, rules: [{allow: true}]}\n---\na: b", 2, 1, "a second document"),
        ("policy: {tool: mail, rules: [{allow: true}]}", 1, 16, "must be named mail.yml"),
        ("x" * (MAX_BYTES + 1), 1, 1, "larger than 64 KiB"),
        (HEAD + "  - {allow: true}\n" * (MAX_RULES + 1), 4 + MAX_RULES, 5, "more than 200 rules"),
    ],
)
def test_fault_in_the_frame(write: Write, text: str, line: int, column: int, advice: str) -> None:
    """A file that is not one policy for its own tool says so, once per fault."""
    faults = faults_of(write(rules=None, pay__yml=text))
    assert ("pay.yml", line, column) in [each[:3] for each in faults], faults
    assert any(advice in each[3] for each in faults), faults


def test_not_utf8(write: Write) -> None:
    """Bytes that are not UTF-8 are shown where they stand."""
    assert one_fault(write(rules=None, pay__yml=b"policy:\n  tool: \xe9")) == (
        "pay.yml",
        2,
        9,
        "not UTF-8 from here on; save the file as UTF-8",
    )


@pytest.mark.parametrize(
    ("text", "line", "column", "advice"),
    [
        ("", 1, 1, "empty"),
        ("rules: {}", 1, 1, "did you mean 'roles'?"),
        ("roles: []", 1, 8, "must be a mapping"),
        ("roles: {manager: {}}", 1, 18, "nobody can fill this role"),
        ("roles: {manager: {users: []}}", 1, 18, "nobody can fill this role"),
        ("roles: {manager: [U0ANN]}", 1, 18, "must be a mapping"),
        ("roles: {manager: {users: U0ANN}}", 1, 26, "users must be a list"),
        ("roles: {manager: {users: [ann]}}", 1, 27, "Slack user id"),
        ("roles: {manager: {users: ['@ann', U0ANN]}}", 1, 27, "Slack user id"),
        ("roles: {manager: {users: [123]}}", 1, 27, "a user must be text"),
        ("roles: {manager: {usergroup: '@managers'}}", 1, 30, "without '@'"),
        ("roles: {manager: {users: [U0ANN], admits: [bot]}}", 1, 44, "admits is [guest]"),
        ("roles: {manager: {users: [T0ELSE/ann]}}", 1, 27, "a person is named by the Slack user id"),
        ("roles: {manager: {usergroup: [a]}}", 1, 30, "usergroup must be text"),
        ("roles: {manager: {user: [U0ANN]}}", 1, 19, "did you mean 'users'?"),
        ("roles: {'two words': {users: [U0ANN]}}", 1, 22, "a role's name begins"),
        ("channels: {default: general}", 1, 21, "named by its id"),
        ("channels: {default: 5}", 1, 21, "a channel must be text"),
        ("channels: {defualt: C0ALL}", 1, 12, "did you mean 'default'?"),
    ],
)
def test_fault_in_roles(write: Write, text: str, line: int, column: int, advice: str) -> None:
    """A slip in roles.yml is shown there; which roles are unknown is not guessed on top of it."""
    faults = faults_of(write("[{require_approval: manager}]", roles=text))
    assert {each[0] for each in faults} == {"roles.yml"}
    assert ("roles.yml", line, column) in [each[:3] for each in faults], faults
    assert any(advice in each[3] for each in faults), faults


def test_role_without_roles_file(write: Write) -> None:
    """A role that is named needs roles.yml."""
    assert "there is no roles.yml" in one_fault(write("[{require_approval: manager}]", roles=None))[3]


def test_two_roles_of_the_same_few_people(write: Write) -> None:
    """Seats that could only be filled by counting one person twice are a fault."""
    roles = "roles: {a: {users: [U0ANN]}, b: {users: [U0ANN]}, c: {users: [U0ANN, U0BEN]}}"
    where = one_fault(write("[{require_approval: {roles: [a, b, c]}}]", roles=roles))
    assert "needs 2 people of a and b, and roles.yml names 1" in where[3]
    assert load(write("[{require_approval: {roles: [a, c]}}]", roles=roles)).policies


def test_all_faults_are_found_at_once(write: Write) -> None:
    """Faults of several files come together, in the order of files and lines."""
    path = write(
        "[{require_approval: nobody}, {if: 'x = 1', allow: true}]", mail__yml="policy: {tool: post, rules: []}"
    )
    assert [each[:3] for each in faults_of(path)] == [
        ("mail.yml", 1, 16),
        ("mail.yml", 1, 29),
        ("pay.yml", 3, 30),
        ("pay.yml", 3, 47),
    ]


def test_error_is_readable(write: Write) -> None:
    """The error's text is one line per fault: file, line, column, what is wrong."""
    path = write("[{require_approval: nobody}]")
    with pytest.raises(PolicyFolderError) as refused:
        load(path)
    assert str(refused.value) == f"{path / 'pay.yml'}:3:30: roles.yml has no role 'nobody'; add it there"
    assert isinstance(refused.value.faults[0], PolicyFault)


def test_missing_folder(tmp_path: Path) -> None:
    """A folder that is not there says what to do; so does a file in its place."""
    assert "'foureyes init' makes a folder" in one_fault(tmp_path / "none")[3]
    (tmp_path / "file").write_text("")
    assert "cannot be read (Not a directory); name the folder in which it lies" in one_fault(tmp_path / "file")[3]


def test_empty_folder(tmp_path: Path) -> None:
    """A folder without policies is a slip, not a policy that blocks everything."""
    assert "must hold TOOL.yml files" in one_fault(tmp_path)[3]


def test_too_many_files(tmp_path: Path) -> None:
    """More files than anybody reviews are refused before they are read."""
    for number in range(MAX_FILES + 1):
        (tmp_path / f"t{number}.yml").touch()
    assert "1 to 500 of them" in one_fault(tmp_path)[3]


def test_other_suffix_and_second_file(write: Write) -> None:
    """A .yaml file would be ignored in silence, so it is a fault; a second file for a tool has the wrong name."""
    policy = "policy: {tool: pay, rules: [{allow: true}]}"
    faults = faults_of(write(pay__yaml=policy, pay2__yml=policy, roles=ROLES))
    assert [(name, detail) for name, _, _, detail in faults] == [
        ("pay.yaml", "would be ignored; rename it to pay.yml"),
        ("pay2.yml", "the file of the tool pay must be named pay.yml"),
    ]


def test_unreadable_file(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that the process may not read is a fault, not a policy less."""
    path = write()

    def refused(path: Path, _: int) -> int:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "open", refused)
    assert faults_of(path)[0][3] == "cannot be read (Permission denied)"


@pytest.mark.parametrize(
    ("text", "line", "column", "advice"),
    [
        ("holidays: [2026-13-01]", 1, 12, "a date such as 2026-12-25"),
        ("holidays: ['1 May']", 1, 12, "a date such as 2026-12-25"),
        ("holidays: [[2026-01-01]]", 1, 12, "a date such as 2026-12-25"),
        ("holidays: []", 1, 11, "not empty"),
        ("holiday: [2026-01-01]", 1, 1, "did you mean 'holidays'?"),
        ("{}", 1, 1, "must begin with 'holidays:'"),
        ("holidays: [2026-01-01", 1, 22, ""),
    ],
)
def test_fault_in_the_holidays(write: Write, text: str, line: int, column: int, advice: str) -> None:
    """A day that is no day is said to be one, and the folder does not come into force."""
    found = faults_of(write(holidays__yml=text))[0]
    assert found[:3] == ("holidays.yml", line, column)
    assert advice in found[3]


@pytest.mark.parametrize(
    ("zone", "advice"), [("Europe/Berln", "did you mean 'Europe/Berlin'?"), ("Mars", "such as"), ("5", "text")]
)
def test_a_time_zone_that_does_not_exist(write: Write, zone: str, advice: str) -> None:
    """The hours of a rule are read somewhere, or not at all."""
    page = f"policy:\n  tool: pay\n  time_zone: {zone}\n  rules: [{{allow: true}}]\n"
    file, line, column, detail = faults_of(write(None, pay__yml=page))[0]
    assert (file, line, column) == ("pay.yml", 3, 14)
    assert advice in detail


@pytest.mark.parametrize(
    ("mode", "advice"),
    [("shadw", "mode is 'live', or 'shadow'"), ("[shadow]", "mode must be text"), ("true", "mode must be text")],
)
def test_a_mode_that_does_not_exist(write: Write, mode: str, advice: str) -> None:
    """A slip in the mode is a fault: a trial that runs, and a live tool that never does, are both bad news."""
    page = f"policy:\n  tool: pay\n  mode: {mode}\n  rules: [{{allow: true}}]\n"
    file, line, column, detail = one_fault(write(None, pay__yml=page))
    assert (file, line, column) == ("pay.yml", 3, 9)
    assert advice in detail
