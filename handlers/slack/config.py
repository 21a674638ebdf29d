"""What the Slack edge must know about its workspace and its app. It holds the secrets and never shows them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SlackConfig:
    """Which workspace and app this is, the secrets, and the clock."""

    team_id: str
    bot_user_id: str
    bot_token: str = field(repr=False)
    signing_secret: str = field(repr=False)
    clock: Callable[[], datetime]
    api_app_id: str
    enterprise_id: str | None = None
