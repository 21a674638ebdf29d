"""Reads a policy folder (`TOOL.yml`, `roles.yml`) into a PolicyFolder, or says everything that is wrong with it.

Never accepts a folder with a fault: the rules that are in force stay in force.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import yaml

from approval_rules.canonical import sha256_name
from approval_rules.nearest import nearest
from approval_rules.people import RoleName, ToolName
from approval_rules.policy import Policy, PolicyFolder, RoleMembers
from approval_rules.requirement import Seat
from bot.marked_yaml import MAX_BYTES, Page, PolicyFault
from bot.policy_page import PlacedAsk, check_role_name, read_channel, read_policy

__all__ = ["PolicyFault", "PolicyFolderError", "load"]

MAX_FILES = 500
_ROLES_FILE = "roles.yml"
_USER = re.compile(r"[UW][A-Z0-9]{2,30}")
_HANDLE = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")
_SPECIAL_CHANNELS = ("default", "announcements")

_Roles = dict[RoleName, RoleMembers]


class PolicyFolderError(Exception):
    """A policy folder that cannot come into force, with every fault that was found."""

    def __init__(self, faults: Sequence[PolicyFault]) -> None:
        self.faults = tuple(sorted(faults))
        super().__init__("\n".join(map(str, self.faults)))


class _RolesPage(NamedTuple):
    roles: _Roles
    channels: dict[str, str]


def load(path: Path) -> PolicyFolder:
    """Read a folder; raises PolicyFolderError with all faults, never gives half a folder."""
    files, faults = _read_files(path)
    tools = [name.removesuffix(".yml") for name in files if name != _ROLES_FILE]
    policies: dict[ToolName, Policy] = {}
    asks: list[PlacedAsk] = []
    for tool in tools:
        page = Page(str(path / f"{tool}.yml"))
        node = page.read(files[f"{tool}.yml"])
        read = None if node is None else read_policy(page, node, tool)
        if read is not None:
            policies[read.policy.tool] = read.policy
            asks += read.asks
        faults += page.faults
    roles_page, roles_faults = _read_roles_file(path, files.get(_ROLES_FILE), tools)
    # Where roles.yml itself is at fault, which roles are unknown would be a guess.
    faults += roles_faults or _check_asks(asks, roles_page.roles, has_file=_ROLES_FILE in files)
    if faults:
        raise PolicyFolderError(faults)
    return PolicyFolder(_version(files), policies, roles_page.roles, roles_page.channels)


def _version(files: Mapping[str, bytes]) -> str:
    """Name the content: the SHA-256 of what `sha256sum *.yml` prints in the folder."""
    lines = [f"{sha256_name(data).removeprefix('sha256:')}  {name}\n" for name, data in sorted(files.items())]
    return sha256_name("".join(lines).encode())


def _read_files(path: Path) -> tuple[dict[str, bytes], list[PolicyFault]]:
    files: dict[str, bytes] = {}
    faults: list[PolicyFault] = []
    try:
        names = sorted(entry.name for entry in path.iterdir() if not entry.name.startswith(".") and entry.is_file())
    except OSError as error:
        reason = f"cannot be read ({error.strerror}); 'foureyes init' makes a folder, FOUREYES_POLICY names another"
        return {}, [PolicyFault(str(path), 1, 1, reason)]
    wanted = [name for name in names if name.endswith(".yml")]
    faults += [
        PolicyFault(str(path / name), 1, 1, f"would be ignored; rename it to {name.removesuffix('.yaml')}.yml")
        for name in names
        if name.endswith(".yaml")
    ]
    if not wanted or len(wanted) > MAX_FILES:
        faults.append(PolicyFault(str(path), 1, 1, f"must hold TOOL.yml files, 1 to {MAX_FILES} of them"))
        return {}, faults
    for name in wanted:
        try:
            with (path / name).open("rb") as file:
                files[name] = file.read(MAX_BYTES + 1)
        except OSError as error:
            faults.append(PolicyFault(str(path / name), 1, 1, f"cannot be read ({error.strerror})"))
    return files, faults


# --- roles.yml


def _read_roles_file(path: Path, data: bytes | None, tools: Sequence[str]) -> tuple[_RolesPage, list[PolicyFault]]:
    page = Page(str(path / _ROLES_FILE))
    node = None if data is None else page.read(data)
    read = _RolesPage({}, {}) if node is None else _read_roles_page(page, node, tools)
    return read, page.faults


def _read_roles_page(page: Page, node: yaml.Node, tools: Sequence[str]) -> _RolesPage:
    top = page.fields(node, "the file", {"roles", "channels"})
    roles: _Roles = {}
    if "roles" in top:
        for name, body in page.fields(top["roles"], "roles").items():
            check_role_name(page, body, name)
            roles[RoleName(name)] = _read_members(page, body)
    channels = {}
    if "channels" in top:
        known = {*tools, *roles, *_SPECIAL_CHANNELS}
        for name, body in page.fields(top["channels"], "channels", known).items():
            channels[name] = read_channel(page, body) or ""
    return _RolesPage(roles, channels)


def _read_members(page: Page, node: yaml.Node) -> RoleMembers:
    fields = page.fields(node, "a role", {"users", "usergroup"})
    nodes = page.items(fields["users"], "users", empty=True) if "users" in fields else []
    users = [_read_user(page, each) for each in nodes]
    usergroup = _read_handle(page, fields["usergroup"]) if "usergroup" in fields else None
    if not users and usergroup is None:
        page.fault(node, "nobody can fill this role; give it 'users' or a 'usergroup'")
    return RoleMembers(frozenset(users), usergroup)


def _read_user(page: Page, node: yaml.Node) -> str:
    user = page.words(node, "a user") or ""
    if user and not _USER.fullmatch(user):
        page.fault(
            node, "a person is named by the Slack user id, such as U0123456789 (profile, three dots, copy member ID)"
        )
    return user


def _read_handle(page: Page, node: yaml.Node) -> str:
    handle = page.words(node, "usergroup") or ""
    if handle and not _HANDLE.fullmatch(handle):
        page.fault(node, "a user group is named by its handle in small letters, without '@'")
    return handle


# --- what only the whole folder shows


def _check_asks(asks: Iterable[PlacedAsk], roles: _Roles, *, has_file: bool) -> list[PolicyFault]:
    faults = []
    for page, node, ask in asks:
        place = (page.file, node.start_mark.line + 1, node.start_mark.column + 1)
        unknown = [seat.role for seat in ask.seats if seat.role not in roles]
        faults += [PolicyFault(*place, _unknown_role(role, roles, has_file=has_file)) for role in unknown]
        short = None if unknown else _too_few(ask.seats, roles)
        if short:
            faults.append(PolicyFault(*place, short))
    return faults


def _unknown_role(role: RoleName, roles: _Roles, *, has_file: bool) -> str:
    if not has_file:
        return f"nobody is {role}: there is no {_ROLES_FILE}, which says who fills a role"
    near = nearest(role, roles)
    return f"{_ROLES_FILE} has no role '{role}'" + (f"; did you mean '{near}'?" if near else "; add it there")


def _too_few(seats: Sequence[Seat], roles: _Roles) -> str | None:
    """Say which seats can never be filled by distinct people; groups in Slack are not counted here (Hall's theorem)."""
    countable = [seat for seat in seats if roles[seat.role].usergroup is None]
    for size in range(1, len(countable) + 1):
        for some in combinations(countable, size):
            people = frozenset[str]().union(*(roles[seat.role].users for seat in some))
            needed = sum(seat.count for seat in some)
            if len(people) < needed:
                names = " and ".join(seat.role for seat in some)
                return f"needs {needed} people of {names}, and {_ROLES_FILE} names {len(people)}; nobody could approve"
    return None
