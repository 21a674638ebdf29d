"""Reads a policy folder (`TOOL.yml`, `roles.yml`) into a PolicyFolder, or says everything that is wrong with it.

From the disk, or from the bytes that a folder held once: one reader for both.

Never accepts a folder with a fault: the rules that are in force stay in force.
"""

import errno
import os
import re
import stat
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import yaml

from approval_rules.budgets import Budgets
from approval_rules.nearest import nearest
from approval_rules.people import Flaw, RoleName, ToolName
from approval_rules.policy import Policy, PolicyFolder, RoleMembers
from approval_rules.quiet_hours import QuietHours
from approval_rules.requirement import Seat
from approval_rules.versions import POLICY_ADMIN
from bot import condition_tables
from bot.contracts import FILE_NAME, FOLDER
from bot.marked_yaml import MAX_BYTES, Page, PolicyFault
from bot.policy_budgets import read_budgets
from bot.policy_content import CALENDAR, MAX_CALENDAR, PolicyContent
from bot.policy_on_call import read_on_call, read_user
from bot.policy_page import read_policy
from bot.policy_quiet_hours import read_quiet_hours
from bot.policy_verdicts import PlacedAsk, check_role_name, read_channel
from handlers.counting import counted

__all__ = ["PolicyFault", "PolicyFolderError", "load", "load_content", "open_folder"]

MAX_FILES = 500
_SHORT = len("sha256:") + 12
_ROLES_FILE = "roles.yml"
_HOLIDAYS_FILE = "holidays.yml"
_BUDGETS_FILE = "budgets.yml"
_NO_TOOLS = (_ROLES_FILE, _HOLIDAYS_FILE, _BUDGETS_FILE)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_HANDLE = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")
_SPECIAL_CHANNELS = ("default", "announcements", "ops", "audit")

_Roles = dict[RoleName, RoleMembers]


class PolicyFolderError(Exception):
    """A policy folder that cannot come into force, with every fault that was found."""

    def __init__(self, faults: Sequence[PolicyFault]) -> None:
        self.faults = tuple(sorted(set(faults)))  # two tools may share one broken contract
        super().__init__("\n".join(map(str, self.faults)))


class _RolesPage(NamedTuple):
    roles: _Roles
    channels: dict[str, str]
    quiet: tuple[QuietHours, ...] = ()


def load(path: Path) -> PolicyFolder:
    """Read a folder; raises PolicyFolderError with all faults, never gives half a folder."""
    return open_folder(path)[1]


def open_folder(path: Path) -> tuple[PolicyContent, PolicyFolder]:
    """Read a folder and keep its bytes; raises PolicyFolderError as `load` does."""
    content, faults = _read_folder(path)
    return content, _put_together(content, path, faults)


def load_content(content: PolicyContent) -> PolicyFolder:
    """Read what a folder held once; raises PolicyFolderError where this version of the program has faults to find."""
    return _put_together(content, Path(content.version[:_SHORT]), [])


def roles_of(content: PolicyContent) -> _Roles:
    """Read who fills which role, and nothing else; what has a fault is left out."""
    calendars = {name: data for name, data in content.files.items() if name.endswith(CALENDAR)}
    return _read_roles_file(Path(), content.files.get(_ROLES_FILE), (), calendars)[0].roles


def _put_together(content: PolicyContent, place: Path, faults: list[PolicyFault]) -> PolicyFolder:
    """Read the files; `place` is how faults name where they lie, `faults` are those that reading the folder found."""
    condition_tables.use()
    calendars = {name: data for name, data in content.files.items() if name.endswith(CALENDAR)}
    files = {name: data for name, data in content.files.items() if "/" not in name and name not in calendars}
    contracts = {name.removeprefix(f"{FOLDER}/"): data for name, data in content.files.items() if "/" in name}
    tools = [name.removesuffix(".yml") for name in files if name not in _NO_TOOLS]
    policies: dict[ToolName, Policy] = {}
    asks: list[PlacedAsk] = []
    for tool in tools:
        page = Page(str(place / f"{tool}.yml"))
        node = page.read(files[f"{tool}.yml"])
        read = None if node is None else read_policy(page, node, tool, contracts)
        if read is not None:
            policies[read.policy.tool] = read.policy
            asks += read.asks
        faults += page.faults
    roles_page, roles_faults = _read_roles_file(place, files.get(_ROLES_FILE), tools, calendars)
    # Where roles.yml itself is at fault, which roles are unknown would be a guess.
    faults += roles_faults or [
        *_check_asks(asks, roles_page.roles, has_file=_ROLES_FILE in files),
        *_check_admins(place, roles_page.roles),
    ]
    holidays, holiday_faults = _read_holidays(place, files.get(_HOLIDAYS_FILE))
    budgets, budget_faults = _read_budgets_file(place, files.get(_BUDGETS_FILE))
    faults += holiday_faults + budget_faults
    # Where a page is at fault, which contracts it would use is a guess.
    faults = faults or _check_used(place, contracts, policies.values())
    faults += [
        PolicyFault(str(place / name), 1, 1, f"no role uses this calendar; write `on_call: {{ics: {name}, ...}}`")
        for name in sorted(
            calendars.keys() - {each.on_call.source for each in roles_page.roles.values() if each.on_call}
        )
        if not faults
    ]
    if faults:
        raise PolicyFolderError(faults)
    version, channels = content.version, roles_page.channels
    return PolicyFolder(
        version, policies, roles_page.roles, channels, holidays, budgets=budgets, quiet=roles_page.quiet
    )


def _read_folder(path: Path) -> tuple[PolicyContent, list[PolicyFault]]:
    files, faults = _read_files(path)
    contracts, contract_faults = _read_contracts(path) if files else ({}, [])
    return PolicyContent({**files, **{f"{FOLDER}/{name}": data for name, data in contracts.items()}}), [
        *faults,
        *contract_faults,
    ]


def _read_files(path: Path) -> tuple[dict[str, bytes], list[PolicyFault]]:
    faults: list[PolicyFault] = []
    try:
        names = sorted(entry.name for entry in path.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        remedy = "'foureyes init' makes a folder, FOUREYES_POLICY names another"
        if isinstance(error, NotADirectoryError):
            remedy = "name the folder in which it lies: the files of a policy are one"
        reason = f"cannot be read ({error.strerror}); {remedy}"
        return {}, [PolicyFault(str(path), 1, 1, reason)]
    wanted = [name for name in names if name.endswith((".yml", CALENDAR))]
    faults += [
        PolicyFault(str(path / name), 1, 1, f"would be ignored; rename it to {name.removesuffix('.yaml')}.yml")
        for name in names
        if name.endswith(".yaml") and (path / name).is_file()
    ]
    if not wanted or len(wanted) > MAX_FILES:
        faults.append(PolicyFault(str(path), 1, 1, f"must hold TOOL.yml files, 1 to {MAX_FILES} of them"))
        return {}, faults
    return _read_each(path, wanted, faults), faults


def _read_each(path: Path, names: Iterable[str], faults: list[PolicyFault]) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for name in names:
        try:
            files[name] = _read_regular(path / name)
        except OSError as error:
            faults.append(PolicyFault(str(path / name), 1, 1, f"cannot be read ({error.strerror})"))
    return files


def _read_regular(path: Path) -> bytes:
    """Read no more of a file than it may have; a pipe or a device, which may never end, raises OSError."""
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:  # noqa: PTH123 - it is open
        kind = os.fstat(file.fileno()).st_mode
        if not stat.S_ISREG(kind):
            raise OSError(errno.EINVAL, "not a file")
        return file.read((MAX_CALENDAR if path.suffix == CALENDAR else MAX_BYTES) + 1)


def _read_contracts(path: Path) -> tuple[dict[str, bytes], list[PolicyFault]]:
    """Read the files of the sub-folder `contracts`, which need not be there."""
    folder = path / FOLDER
    try:
        names = sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
    except FileNotFoundError:
        return {}, []
    except OSError as error:
        return {}, [PolicyFault(str(folder), 1, 1, f"cannot be read ({error.strerror})")]
    faults = [
        PolicyFault(str(folder / name), 1, 1, "would be ignored; only NAME.json stands here")
        for name in names
        if not FILE_NAME.fullmatch(name)
    ]
    if len(names) > MAX_FILES:
        return {}, [PolicyFault(str(folder), 1, 1, f"holds more than {MAX_FILES} files")]
    return _read_each(folder, filter(FILE_NAME.fullmatch, names), faults), faults


# --- roles.yml


def _read_roles_file(
    path: Path, data: bytes | None, tools: Sequence[str], calendars: Mapping[str, bytes]
) -> tuple[_RolesPage, list[PolicyFault]]:
    page = Page(str(path / _ROLES_FILE))
    node = None if data is None else page.read(data)
    read = _RolesPage({}, {}) if node is None else _read_roles_page(page, node, tools, calendars)
    return read, page.faults


def _read_roles_page(page: Page, node: yaml.Node, tools: Sequence[str], calendars: Mapping[str, bytes]) -> _RolesPage:
    top = page.fields(node, "the file", {"roles", "channels", "quiet_hours"})
    roles: _Roles = {}
    if "roles" in top:
        for name, body in page.fields(top["roles"], "roles").items():
            check_role_name(page, body, name)
            roles[RoleName(name)] = _read_members(page, body, calendars)
    channels = {}
    if "channels" in top:
        known = {*tools, *roles, *_SPECIAL_CHANNELS}
        for name, body in page.fields(top["channels"], "channels", known).items():
            channels[name] = read_channel(page, body) or ""
    quiet = read_quiet_hours(page, top["quiet_hours"]) if "quiet_hours" in top else ()
    return _RolesPage(roles, channels, quiet)


def _read_members(page: Page, node: yaml.Node, calendars: Mapping[str, bytes]) -> RoleMembers:
    fields = page.fields(node, "a role", {"users", "usergroup", "admits", "on_call", "quiet_hours"})
    quiet = read_quiet_hours(page, fields["quiet_hours"]) if "quiet_hours" in fields else None
    admits = _read_admits(page, fields["admits"]) if "admits" in fields else frozenset()
    if "on_call" in fields:
        if "users" in fields or "usergroup" in fields:
            page.fault(node, "who is on call stands alone; make a second role of the others")
        schedule = read_on_call(page, fields["on_call"], calendars)
        return RoleMembers(frozenset(), None, admits, schedule, quiet)
    nodes = page.items(fields["users"], "users", empty=True) if "users" in fields else []
    users = [read_user(page, each) for each in nodes]
    usergroup = _read_handle(page, fields["usergroup"]) if "usergroup" in fields else None
    if not users and usergroup is None:
        page.fault(node, "nobody can fill this role; give it 'users', a 'usergroup' or 'on_call'")
    return RoleMembers(frozenset(users), usergroup, admits, quiet=quiet)


def _read_admits(page: Page, node: yaml.Node) -> frozenset[Flaw]:
    """Read who counts in a role although he would not elsewhere; one of another workspace is named, as TEAM/USER."""
    for each in page.items(node, "admits"):
        if page.words(each, "who is admitted") not in (None, "guest"):
            page.fault(each, "admits is [guest]; somebody of another workspace is named in users, as TEAM/USER")
    return frozenset({Flaw.GUEST})


def _read_handle(page: Page, node: yaml.Node) -> str:
    handle = page.words(node, "usergroup") or ""
    if handle and not _HANDLE.fullmatch(handle):
        page.fault(node, "a user group is named by its handle in small letters, without '@'")
    return handle


# --- holidays.yml


def _read_holidays(path: Path, data: bytes | None) -> tuple[frozenset[str], list[PolicyFault]]:
    """Read the days that are no workdays: a list of dates in quotes."""
    page = Page(str(path / _HOLIDAYS_FILE))
    node = None if data is None else page.read(data)
    if node is None:
        return frozenset(), page.faults
    fields = page.fields(node, "the file", {"holidays"})
    if "holidays" not in fields:
        page.fault(node, "must begin with 'holidays:'")
        return frozenset(), page.faults
    return frozenset(_read_date(page, each) for each in page.items(fields["holidays"], "holidays")), page.faults


def _read_date(page: Page, node: yaml.Node) -> str:
    """Give a date; YAML's own dates are taken as well as text in quotes."""
    text = node.value if isinstance(node, yaml.ScalarNode) else ""
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text).isoformat()
    except ValueError:
        pass
    page.fault(node, "a holiday is a date such as 2026-12-25")
    return ""


# --- budgets.yml


def _read_budgets_file(path: Path, data: bytes | None) -> tuple[Budgets, list[PolicyFault]]:
    """Read what every run and every agent may use up."""
    page = Page(str(path / _BUDGETS_FILE))
    node = None if data is None else page.read(data)
    if node is None:
        return Budgets(), page.faults
    fields = page.fields(node, "the file", {"budgets"})
    if "budgets" not in fields:
        page.fault(node, "must begin with 'budgets:'")
        return Budgets(), page.faults
    return read_budgets(page, fields["budgets"]), page.faults


# --- what only the whole folder shows


def _check_used(path: Path, contracts: Iterable[str], policies: Iterable[Policy]) -> list[PolicyFault]:
    """A contract that no tool names would protect nobody, and everybody would think that it does."""
    used = {policy.contract.source for policy in policies if policy.contract}
    return [
        PolicyFault(
            str(path / FOLDER / name), 1, 1, f"no tool uses this contract; write `contract: {name}` in its file"
        )
        for name in contracts
        if f"{FOLDER}/{name}" not in used
    ]


def _check_asks(asks: Iterable[PlacedAsk], roles: _Roles, *, has_file: bool) -> list[PolicyFault]:
    faults = []
    for page, node, ask in asks:
        place = (page.file, node.start_mark.line + 1, node.start_mark.column + 1)
        asked = [*(seat.role for seat in ask.seats), *([ask.backup] if ask.backup else [])]
        unknown = [role for role in asked if role not in roles]
        faults += [PolicyFault(*place, _unknown_role(role, roles, has_file=has_file)) for role in unknown]
        short = None if unknown else _too_few(ask.seats, roles)
        if short:
            faults.append(PolicyFault(*place, short))
    return faults


def _check_admins(path: Path, roles: _Roles) -> list[PolicyFault]:
    """Two of these must approve every change: with fewer, the policy could never be changed again."""
    short = _too_few((Seat(POLICY_ADMIN, 2),), roles) if POLICY_ADMIN in roles else None
    return [PolicyFault(str(path / _ROLES_FILE), 1, 1, f"a change of the policy {short}")] if short else []


def _unknown_role(role: RoleName, roles: _Roles, *, has_file: bool) -> str:
    if not has_file:
        return f"nobody is {role}: there is no {_ROLES_FILE}, which says who fills a role"
    near = nearest(role, roles)
    return f"{_ROLES_FILE} has no role '{role}'" + (f"; did you mean '{near}'?" if near else "; add it there")


def _too_few(seats: Sequence[Seat], roles: _Roles) -> str | None:
    """Say which seats can never be filled by distinct people; groups in Slack are not counted here (Hall's theorem)."""
    for seat in seats:
        schedule = roles[seat.role].on_call
        if schedule is not None and seat.count > schedule.at_once:
            return f"needs {seat.count} people of {seat.role}, where one at a time is on call; write `approvals: 1`"
    countable = [seat for seat in seats if roles[seat.role].usergroup is None]
    for size in range(1, len(countable) + 1):
        for some in combinations(countable, size):
            people = frozenset[str]().union(*(roles[seat.role].people for seat in some))
            needed = sum(seat.count for seat in some)
            if len(people) < needed:
                names = " and ".join(seat.role for seat in some)
                wanted = counted(needed, "person", "people")
                return f"needs {wanted} of {names}, and {_ROLES_FILE} names {len(people)}; nobody could approve"
    return None
