"""The methods auth.test, bots.info, users.* and usergroups.*: who is who, read only."""

from typing import Final

from bot.slack_standin.arguments import Asked
from bot.slack_standin.methods import Method
from bot.slack_standin.profiles import group_json, user_json
from bot.slack_standin.refusal import Json, SlackRefusal
from bot.slack_standin.world import World

_MOST_LISTED: Final = 1000


def _auth_test(world: World, _asked: Asked) -> Json:
    workspace = world.workspace
    return {
        "ok": True,
        "url": f"https://{workspace.domain}.slack.com/",
        "team": workspace.name,
        "user": workspace.users[workspace.bot_user].name,
        "team_id": workspace.id,
        "user_id": workspace.bot_user,
        "bot_id": workspace.bot_id,
        "is_enterprise_install": False,
    }


def _bots_info(world: World, asked: Asked) -> Json:
    workspace = world.workspace
    if asked.text("bot") != workspace.bot_id:
        raise SlackRefusal("bot_not_found")
    bot = {
        "id": workspace.bot_id,
        "deleted": False,
        "name": workspace.app_name,
        "updated": 1_700_000_000,
        "app_id": workspace.app_id,
        "user_id": workspace.bot_user,
        "icons": {},
    }
    return {"ok": True, "bot": bot}


def _users_info(world: World, asked: Asked) -> Json:
    user = world.workspace.users.get(asked.text("user"))
    if user is None:
        raise SlackRefusal("user_not_found")
    if user.is_stranger:
        raise SlackRefusal("user_not_visible")
    email = "users:read.email" in asked.scopes
    return {"ok": True, "user": user_json(user, with_email=email, with_locale=asked.flag("include_locale"))}


def _lookup_by_email(world: World, asked: Asked) -> Json:
    wanted = asked.text("email").casefold()
    for user in world.workspace.users.values():
        ours = user.kind in {"member", "guest"}  # nobody deactivated, no bot, nobody of another workspace is found
        if ours and user.address.casefold() == wanted:
            return {"ok": True, "user": user_json(user, with_email=True, with_locale=False)}
    raise SlackRefusal("users_not_found")


def _users_list(world: World, asked: Asked) -> Json:
    """Give a page of everybody, deactivated accounts too; strangers are not of this workspace."""
    people = sorted(user.id for user in world.workspace.users.values() if user.kind != "outside")
    cursor, limit = asked.text("cursor"), asked.number("limit", 0)
    if not 0 <= limit <= _MOST_LISTED:
        raise SlackRefusal("invalid_limit")
    if not limit and len(people) > _MOST_LISTED:
        raise SlackRefusal("limit_required")
    if cursor and cursor not in people:
        raise SlackRefusal("invalid_cursor")
    start = people.index(cursor) if cursor else 0
    page, rest = people[start : start + (limit or len(people))], people[start + (limit or len(people)) :]
    email = "users:read.email" in asked.scopes
    locale = asked.flag("include_locale")
    members = [user_json(world.workspace.users[user], with_email=email, with_locale=locale) for user in page]
    more = {"next_cursor": rest[0] if rest else ""}
    return {"ok": True, "members": members, "cache_ts": 1_700_000_000, "response_metadata": more}


def _groups_list(world: World, asked: Asked) -> Json:
    groups = [
        group_json(
            group,
            world.workspace.id,
            with_users=asked.flag("include_users"),
            with_count=asked.flag("include_count"),
        )
        for group in world.workspace.groups.values()
        if not group.disabled or asked.flag("include_disabled")
    ]
    return {"ok": True, "usergroups": groups}


def _groups_users(world: World, asked: Asked) -> Json:
    group = world.workspace.groups.get(asked.text("usergroup"))
    if group is None or (group.disabled and not asked.flag("include_disabled")):
        raise SlackRefusal("no_such_subteam")
    return {"ok": True, "users": list(group.users)}


METHODS: Final = {
    "auth.test": Method(_auth_test, "special", {}),
    "bots.info": Method(_bots_info, "3", {"bot": "text"}, required=("bot",), scopes=("users:read",)),
    "users.info": Method(
        _users_info, "4", {"user": "text", "include_locale": "flag"}, required=("user",), scopes=("users:read",)
    ),
    "users.lookupByEmail": Method(
        _lookup_by_email, "3", {"email": "text"}, required=("email",), scopes=("users:read.email",)
    ),
    "users.list": Method(
        _users_list, "2", {"cursor": "text", "limit": "number", "include_locale": "flag"}, scopes=("users:read",)
    ),
    "usergroups.list": Method(
        _groups_list,
        "2",
        {"include_users": "flag", "include_disabled": "flag", "include_count": "flag"},
        scopes=("usergroups:read",),
    ),
    "usergroups.users.list": Method(
        _groups_users,
        "2",
        {"usergroup": "text", "include_disabled": "flag"},
        required=("usergroup",),
        scopes=("usergroups:read",),
    ),
}
