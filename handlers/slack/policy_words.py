"""What people are told of the policy itself: that it changed, and by whom. It decides nothing."""

from typing import Final

from approval_rules.people import ActorKind
from approval_rules.policy_events import PolicyActivated
from approval_rules.versions import POLICY_ADMIN
from handlers.desk import Face
from handlers.slack.escape import Safe
from handlers.slack.text import person

_SHORT: Final = len("sha256:") + 12


def short(version: str | None) -> Safe:
    """Write a version so that a person can compare it: its first twelve digits."""
    return Safe(f"{version[:_SHORT]}…" if version else "none")


def policy_announcement(event: PolicyActivated, face: Face | None) -> Safe:
    """Tell a channel that another version decides now; `face` is None where nobody did it by hand."""
    what = f"version {short(event.version)} decides now, before it {short(event.previous)}"
    match event.why:
        case "approved":
            return Safe(f"✅ Policy changed: {what}. Two people approved it: {event.change}.")
        case "rolled-back":
            who = person(face.name, face.user_id) if face else Safe("An operator")
            where = "" if event.by.kind is ActorKind.HUMAN else " on the server"
            return Safe(
                f"↩ {who} rolled the policy back{where}: {what}. What the policy folder holds does not come "
                "back by itself."
            )
        case _:
            by = f" by {person(face.name, face.user_id)} on the server" if face else ""
            return Safe(
                f"⚠ Policy changed without a second person{by}: {what}. Add the role {POLICY_ADMIN} to roles.yml to "
                "require two."
            )
