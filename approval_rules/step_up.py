"""The second factor: what a rule can ask for, and what a vote brought. Verifies nothing: that was done before."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

Factor: TypeAlias = Literal["totp", "passkey"]
StepUp: TypeAlias = Literal["none", "totp", "passkey"]

STEP_UPS: Final[tuple[StepUp, ...]] = get_args(StepUp)
"""From the weakest to the strongest: whoever brings a later one has brought the earlier ones too."""


@dataclass(frozen=True, slots=True)
class Proof:
    """That a person confirmed one vote with a second factor, as it was verified in the vote's own transaction.

    `credential` is the enrolled factor's id, `intent` the digest of what was confirmed (`sha256:…`), and `code` its
    eight characters, which people compare in Slack, on the page and in the receipt.
    """

    factor: Factor
    credential: str
    intent: str
    code: str


def strongest(asked: Iterable[StepUp]) -> StepUp:
    """Give the strongest of several; none where there are none."""
    return max(asked, key=STEP_UPS.index, default="none")


def suffices(proof: Proof | None, asked: StepUp) -> bool:
    """Tell whether what was brought is at least what is asked for."""
    brought: StepUp = "none" if proof is None else proof.factor
    return STEP_UPS.index(brought) >= STEP_UPS.index(asked)
