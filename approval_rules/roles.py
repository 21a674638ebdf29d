"""Who fills a role, as roles.yml says it. Knows no Slack: user ids and handles are only names here."""

from dataclasses import dataclass

from approval_rules.on_call import Schedule
from approval_rules.people import Flaw
from approval_rules.quiet_hours import QuietHours


@dataclass(frozen=True, slots=True)
class RoleMembers:
    """Who fills a role: Slack user ids, and the members of a user group by its handle; or whoever is `on_call`.

    A user of another workspace is `TEAM/USER`. Guests count only where the role `admits` them; bots never do. `quiet`
    are the role's own quiet hours; None where the folder's count.
    """

    users: frozenset[str]
    usergroup: str | None
    admits: frozenset[Flaw] = frozenset()
    on_call: Schedule | None = None
    quiet: tuple[QuietHours, ...] | None = None

    @property
    def people(self) -> frozenset[str]:
        """Everybody whom the file itself names, on duty or not."""
        return self.users if self.on_call is None else self.on_call.people
