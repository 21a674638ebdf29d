"""Slack's rate limits: how often a method may be called and a channel be posted to; it counts, and never sleeps.

Slack's figures: tier 2 allows 20 calls a minute, tier 3 50, tier 4 100, per method; a channel takes one message a
second, and posting above that has "no guarantee", so the default allows no burst; a workspace takes "several hundred"
messages a minute, here 300; the methods that Slack calls special get a figure that nobody reaches by accident.
"""

import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

Tier = Literal["2", "3", "4", "special"]
MINUTE: Final = 60.0
PER_MINUTE: Final[Mapping[Tier, int]] = MappingProxyType({"2": 20, "3": 50, "4": 100, "special": 600})


@dataclass(frozen=True, slots=True)
class Rates:
    """How much is allowed; `Rates.unlimited()` is for tests about something else."""

    channel_per_second: float = 1.0
    channel_burst: int = 1
    posts_per_minute: int = 300
    per_minute: Mapping[Tier, int] = field(default_factory=lambda: PER_MINUTE)
    enforced: bool = True

    @classmethod
    def unlimited(cls) -> "Rates":
        """Return rates that never refuse."""
        return cls(enforced=False)


class RateGate:
    """Counts calls over a sliding minute and posts in a bucket per channel."""

    def __init__(self, rates: Rates, now: Callable[[], float]) -> None:
        self.rates = rates
        self._now = now
        self._calls: dict[str, deque[float]] = {}
        self._buckets: dict[str, tuple[float, float]] = {}

    def call(self, method: str, tier: Tier) -> int:
        """Count a call; return the seconds to wait where it came too early, else 0."""
        return self._count(method, self.rates.per_minute[tier]) if self.rates.enforced else 0

    def post(self, channel: str) -> int:
        """Count a posted message; return the seconds to wait where it came too early, else 0."""
        if not self.rates.enforced:
            return 0
        return self._spend(channel) or self._count("(messages of the workspace)", self.rates.posts_per_minute)

    def _count(self, name: str, allowed: int) -> int:
        now = self._now()
        calls = self._calls.setdefault(name, deque())
        while calls and calls[0] <= now - MINUTE:
            calls.popleft()
        if len(calls) >= allowed:
            return max(1, math.ceil(calls[0] + MINUTE - now))
        calls.append(now)
        return 0

    def _spend(self, channel: str) -> int:
        now = self._now()
        tokens, since = self._buckets.get(channel, (float(self.rates.channel_burst), now))
        tokens = min(self.rates.channel_burst, tokens + (now - since) * self.rates.channel_per_second)
        short = tokens < 1
        self._buckets[channel] = (tokens if short else tokens - 1, now)
        return max(1, math.ceil((1 - tokens) / self.rates.channel_per_second)) if short else 0
