"""Accounts, groups and channels as the Web API shows them; it leaves out what the token's scopes do not cover."""

from bot.slack_standin.refusal import Json
from bot.slack_standin.workspace import ENTERPRISE, Channel, User, UserGroup, Workspace


def user_json(user: User, *, with_email: bool, with_locale: bool) -> Json:
    """Return a user object; deactivated accounts and outsiders show less, as in Slack."""
    shown: Json = {
        "id": user.id,
        "team_id": user.team_id,
        "name": user.name,
        "deleted": user.deleted,
        "profile": _profile(user, with_email=with_email),
        "is_bot": user.is_bot,
        "is_app_user": False,
        "updated": 1_700_000_000,
    }
    if user.identity is not None:
        shown["enterprise_user"] = {
            "id": user.identity,
            "enterprise_id": ENTERPRISE,
            "enterprise_name": "Example Corp",
            "is_admin": False,
            "is_owner": False,
            "teams": [user.team_id],
        }
    if user.deleted:
        return shown
    shown |= {
        "color": user.color,
        "real_name": user.real_name,
        "tz": "Europe/Berlin",
        "tz_label": "Central European Time",
        "tz_offset": 3600,
        "is_admin": user.is_admin,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": user.is_restricted or user.is_ultra_restricted,
        "is_ultra_restricted": user.is_ultra_restricted,
        "is_workflow_bot": False,
        "is_connector_bot": False,
        "is_email_confirmed": not user.is_bot,
        "who_can_share_contact_card": "EVERYONE",
    }
    if user.kind == "outside":
        shown["is_stranger"] = user.is_stranger
    return shown | ({"locale": "en-GB"} if with_locale else {})


def _profile(user: User, *, with_email: bool) -> Json:
    shown: Json = {
        "title": user.title,
        "real_name": user.real_name,
        "real_name_normalized": user.real_name,
        "display_name": user.name,
        "display_name_normalized": user.name,
        "first_name": user.real_name.split()[0],
        "last_name": user.real_name.split()[-1],
        "team": user.team_id,
        "avatar_hash": "g0000000000",
        "status_text": "",
        "status_emoji": "",
    }
    if user.is_bot:
        return shown | {"bot_id": "B" + user.id[1:], "api_app_id": "A" + user.id[1:], "always_active": True}
    return shown | ({"email": user.address} if with_email else {})


def group_json(group: UserGroup, team: str, *, with_users: bool, with_count: bool) -> Json:
    """Return a user group object."""
    shown: Json = {
        "id": group.id,
        "team_id": team,
        "is_usergroup": True,
        "is_subteam": True,
        "name": group.name,
        "description": "",
        "handle": group.handle,
        "is_external": False,
        "date_create": 1_700_000_000,
        "date_update": 1_700_000_000,
        "date_delete": 1_700_000_000 if group.disabled else 0,
        "auto_type": None,
        "prefs": {"channels": [], "groups": []},
    }
    shown |= {"users": list(group.users)} if with_users else {}
    return shown | ({"user_count": len(group.users)} if with_count else {})


def channel_json(channel: Channel, workspace: Workspace, *, with_count: bool = False) -> Json:
    """Return a conversation object."""
    if channel.is_im:
        (other,) = channel.members - {workspace.bot_user}
        return {"id": channel.id, "is_im": True, "is_archived": False, "user": other, "created": 1_700_000_000}
    shown: Json = {
        "id": channel.id,
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": not channel.is_private,
        "is_group": False,
        "is_im": False,
        "is_mpim": False,
        "is_private": channel.is_private,
        "is_archived": channel.is_archived,
        "is_general": False,
        "is_shared": channel.is_ext_shared,
        "is_ext_shared": channel.is_ext_shared,
        "is_org_shared": False,
        "is_pending_ext_shared": False,
        "is_member": workspace.bot_user in channel.members,
        "is_read_only": False,
        "is_thread_only": False,
        "context_team_id": workspace.id,
        "created": 1_700_000_000,
        "creator": next(iter(sorted(channel.members)), ""),
    }
    return shown | ({"num_members": len(channel.members)} if with_count else {})
