"""Tells when a machine's clock is behind its log: time stands still until it has caught up. It changes no clock."""

from datetime import datetime, timedelta
from typing import Final

from approval_rules.times import format_time

_TOLD_FROM: Final = timedelta(minutes=1)


def stands_still(now: datetime, newest: datetime | None) -> str | None:
    """Say that time stands still until the log's newest entry; None where it does not, or not for a minute."""
    if newest is None or newest - now < _TOLD_FROM:
        return None
    return (
        f"the log's newest entry is of {format_time(newest)}, and this machine says {format_time(now)}: time stands"
        " still until then, no deadline passes and no timer fires. Set the machine's clock right. Where it is right, it"
        " was wrong when that entry was made: wait, or go on with a backup from before (foureyes audit accept-restore)"
    )
