"""Reading what Slack says about a user. Pure; every text in it is hostile, and a missing fact is never a good one."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from approval_rules.people import Account, Flaw

Fields: TypeAlias = Mapping[str, object]

_SLACKS_OWN: Final = frozenset({"USLACKBOT", "USLACK"})  # both say is_bot: false
_LONGEST_NAME: Final = 80


@dataclass(frozen=True, slots=True)
class Home:
    """The workspace that approvers belong to, and its Enterprise organisation where it has one."""

    team_id: str
    enterprise_id: str | None


@dataclass(frozen=True, slots=True)
class Profile:
    """One Slack account. `guest` is None where Slack did not say.

    `email` and `identity` (an Enterprise organisation's own id of the person) tell two accounts of one person.
    """

    name: str
    team_id: str
    enterprise_id: str | None
    is_bot: bool
    deleted: bool
    guest: bool | None
    stranger: bool
    email: str | None = field(default=None, repr=False)
    identity: str | None = None
    time_zone: str | None = None


def profile_of(user: object, user_id: str) -> Profile | None:
    """Read the `user` of a users.info answer; None for anything that is not a user object of that very id."""
    if not isinstance(user, Mapping) or user.get("id") != user_id:
        return None
    team_id, deleted, is_bot = user.get("team_id"), user.get("deleted"), user.get("is_bot")
    kinds = [user.get(name, False) for name in ("is_workflow_bot", "is_connector_bot", "is_stranger")]
    if not isinstance(team_id, str) or not all(isinstance(flag, bool) for flag in (deleted, is_bot, *kinds)):
        return None
    workflow, connector, stranger = kinds
    # `is_app_user` is no bot: it marks a person who has authorised the asking app.
    return Profile(
        name=_name(user, user_id),
        team_id=team_id,
        enterprise_id=_enterprise(user),
        is_bot=bool(is_bot or workflow or connector) or user_id in _SLACKS_OWN,
        deleted=bool(deleted),
        guest=_guest(user),
        stranger=bool(stranger),
        email=_words(user.get("profile"), "email"),
        identity=_words(user.get("enterprise_user"), "id"),
        time_zone=zone if isinstance(zone := user.get("tz"), str) else None,
    )


def flaw_of(profile: Profile, account: Account, home: Home, admits: Collection[Flaw] = ()) -> Flaw | None:
    """Tell why this account can never approve; None for a full member of the home workspace or its organisation.

    What somebody `admits` is passed over: guests, and an account of another workspace that Slack says is of there.
    """
    if not _is_ours(profile, account, home) and not (
        Flaw.OTHER_WORKSPACE in admits and profile.team_id == account.team_id
    ):
        return Flaw.OTHER_WORKSPACE
    if profile.is_bot:
        return Flaw.BOT
    if profile.deleted:
        return Flaw.DEACTIVATED
    if profile.guest is None:
        return Flaw.DIRECTORY_DOWN
    if profile.guest and Flaw.GUEST not in admits:
        return Flaw.GUEST
    return Flaw.STRANGER if profile.stranger else None


def _is_ours(profile: Profile, account: Account, home: Home) -> bool:
    if home.enterprise_id is not None and profile.enterprise_id == home.enterprise_id:
        return True
    return profile.team_id == home.team_id and account.team_id in {"", home.team_id}


def _guest(user: Fields) -> bool | None:
    flags = user.get("is_restricted"), user.get("is_ultra_restricted")
    if not all(isinstance(flag, bool) for flag in flags):
        return None
    return any(flags)


def _enterprise(user: Fields) -> str | None:
    of_grid = user.get("enterprise_user")
    found = of_grid.get("enterprise_id") if isinstance(of_grid, Mapping) else user.get("enterprise_id")
    return found if isinstance(found, str) and found else None


def _words(part: object, name: str) -> str | None:
    found = part.get(name) if isinstance(part, Mapping) else None
    return found if isinstance(found, str) and found else None


def _name(user: Fields, user_id: str) -> str:
    profile = user.get("profile")
    shown: Fields = profile if isinstance(profile, Mapping) else {}
    # The full name first: a record of who approved money should not say "maya".
    names = shown.get("real_name"), user.get("real_name"), shown.get("display_name"), user.get("name")
    return next((name[:_LONGEST_NAME] for name in names if isinstance(name, str) and name.strip()), user_id)
