"""Who and what the benchmarks' made-up workspace consists of."""

from typing import Final

TEAM: Final = "T0BENCH0001"
CHANNEL: Final = "C0BENCH0001"
GROUP: Final = "S0BENCH0001"
HANDLE: Final = "support-managers"
OWNER: Final = "U0OWNER0001"
PEOPLE: Final = tuple(f"U0CLICKER{number:02}" for number in range(16))
TOOL: Final = "payments.refund"
SIGNING_SECRET: Final = "benchmarks-only"
