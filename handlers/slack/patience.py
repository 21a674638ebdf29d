"""Waits for the desk only as long as Slack waits for us, and turns every failure into words. It never hides one."""

import asyncio
import logging
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Final, TypeVar

from handlers.desk import DeskUnavailableError
from handlers.slack.escape import Safe
from handlers.slack.sentences import BROKEN, TIMED_OUT, UNAVAILABLE

DESK_SECONDS: Final = 1.8
"""The desk's share of Slack's 3 s; a write that it has begun is finished although nobody waits for it any more."""

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Trouble:
    """The desk gave no answer; these words are for the person who asked."""

    heading: str
    sentence: Safe


async def in_time(call: Awaitable[_T]) -> _T | Trouble:
    """Give the desk's answer, or the trouble that stood in its way."""
    try:
        async with asyncio.timeout(DESK_SECONDS):
            return await call
    except DeskUnavailableError:
        _log.warning("the desk is unavailable")
        return Trouble("This did not count", UNAVAILABLE)
    except TimeoutError:
        _log.warning("the desk took longer than %s s", DESK_SECONDS)
        return Trouble("Please look again", TIMED_OUT)
    except Exception:  # noqa: BLE001 - whatever it is, the person must not be left without an answer
        _log.exception("the desk failed")
        return Trouble("Please look again", BROKEN)
