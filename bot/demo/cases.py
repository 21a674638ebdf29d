"""The demo's cases: what a support agent proposes, read from refunds.jsonl (examples/ links to it). It judges none."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

from approval_rules.canonical import Digest, digest_of

CASES: Final = Path(__file__).with_name("refunds.jsonl")
PAYOUTS: Final = Path(__file__).with_name("payouts.jsonl")
_BODY: Final = '"body": '


@dataclass(frozen=True, slots=True)
class Case:
    """One proposal: `body` is sent byte for byte, for reading it would round numbers; `expect` is the answer."""

    name: str
    note: str
    body: str
    expect: Mapping[str, str | int]

    @property
    def digest(self) -> Digest:
        """The digest of the action: what the agent claims with."""
        read = json.loads(self.body, parse_float=Decimal)
        return digest_of(read["tool"], read["arguments"])

    @property
    def asks(self) -> bool:
        """Whether people are asked."""
        return self.expect.get("state") == "pending"


def load(path: Path = CASES) -> tuple[Case, ...]:
    """Read every case, in the order in which the demo tells its story."""
    return tuple(map(_case, path.read_text(encoding="utf-8").splitlines()))


def payout() -> Case:
    """Read the one case that is red."""
    (case,) = load(PAYOUTS)
    return case


def _case(line: str) -> Case:
    read = json.loads(line)
    return Case(read["name"], read["note"], _raw_body(line), read["expect"])


def _raw_body(line: str) -> str:
    """Cut the body out as it is written: 50.000000000000001 must reach the server with all its digits."""
    start = line.index(_BODY) + len(_BODY)
    _, end = json.JSONDecoder().raw_decode(line, start)
    return line[start:end]
