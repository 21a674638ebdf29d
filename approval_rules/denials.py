"""Why people say no, in a few kinds: what is counted, and what evaluation cases are sorted by. Judges nothing."""

from enum import StrEnum


class DenialCategory(StrEnum):
    """The kinds of reasons for a denial. The values are stable: API, log and metrics use them."""

    WRONG_AMOUNT = "wrong-amount"
    WRONG_TARGET = "wrong-target"
    NOT_NEEDED = "not-needed"
    AGAINST_POLICY = "against-policy"
    TOO_LITTLE_TOLD = "too-little-told"
    LOOKS_MALICIOUS = "looks-malicious"
    OTHER = "other"
