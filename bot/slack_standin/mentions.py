"""Turns `@name` in what a person types into what Slack sends instead; a name that nobody has stays as it was typed."""

import re

from bot.slack_standin.workspace import User, Workspace


def with_mentions(workspace: Workspace, typed: str, *, command: bool) -> str:
    """Write `<@U…>` for each `@name` (the account's or the person's), in a command with the name after it."""
    known: dict[str, User] = {}
    for user in workspace.users.values():
        known |= {user.name.casefold(): user, user.real_name.casefold(): user}
    names = "|".join(re.escape(name) for name in sorted(known, key=len, reverse=True))

    def token(found: re.Match[str]) -> str:
        user = known[found[1].casefold()]
        return f"<@{user.id}|{user.name}>" if command else f"<@{user.id}>"

    return re.sub(rf"(?<!\S)@({names})\b", token, typed, flags=re.IGNORECASE)
