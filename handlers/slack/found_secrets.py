"""Finds tokens, private keys and card numbers in what others wrote, and says instead what was found.

Nobody decides better for seeing them, and Slack keeps what it was shown. What is said instead tells two apart, and no
words hide in it: what is withheld has no spaces, and of a card both ends stand. It MUST NOT be relied on to find all.
"""

import hashlib
import re
from typing import Final

_TOKENS: Final[tuple[tuple[str, str], ...]] = (
    ("AWS key", r"(?:AKIA|ASIA)[0-9A-Z]{16}"),
    ("GitHub token", r"gh[oprsu]_[A-Za-z0-9]{36,255}"),
    ("GitHub token", r"github_pat_[A-Za-z0-9_]{22,255}"),
    ("GitLab token", r"glpat-[A-Za-z0-9_\-]{20,255}"),
    ("Slack token", r"xox[abeoprs]-[A-Za-z0-9\-]{10,255}"),
    ("Slack token", r"xapp-[A-Za-z0-9\-]{10,255}"),
    ("Stripe key", r"[rs]k_(?:live|test)_[A-Za-z0-9]{16,255}"),
    ("Google key", r"AIza[A-Za-z0-9_\-]{35}"),
    ("npm token", r"npm_[A-Za-z0-9]{36}"),
    ("PyPI token", r"pypi-[A-Za-z0-9_\-]{40,255}"),
    ("API key", r"sk-[A-Za-z0-9_\-]{20,255}"),
    ("signing secret", r"whsec_[A-Za-z0-9+/=]{24,255}"),
    ("Foureyes key", r"(?:fe|op|au)_[a-z0-9]{8,40}_[A-Za-z0-9_\-]{32,255}"),
    ("signed token", r"eyJ[A-Za-z0-9_\-]{10,4096}\.eyJ[A-Za-z0-9_\-]{10,4096}\.[A-Za-z0-9_\-]{10,4096}"),
)
_SECRET: Final = re.compile("|".join(f"(?<![A-Za-z0-9_])(?:{form})(?![A-Za-z0-9])" for _, form in _TOKENS))
# Whatever `_SECRET` finds has a run of so many of these letters: most texts have none, and are soon done with.
_RUN: Final = re.compile(r"[A-Za-z0-9_+/=.\-]{15}")
_KINDS: Final = tuple((kind, re.compile(form)) for kind, form in _TOKENS)
# Base 64 on lines of its own: words with spaces between them are never withheld.
_PRIVATE_KEY: Final = re.compile(
    r"-----BEGIN (?:[A-Z]+ ){0,2}PRIVATE KEY-----\s{1,4}"
    r"(?:[A-Za-z0-9+/=]{16,80}\s{1,4}){1,120}[A-Za-z0-9+/=]{0,80}\s{0,4}"
    r"-----END (?:[A-Z]+ ){0,2}PRIVATE KEY-----"
)
_CARD: Final = re.compile(r"(?<![0-9A-Za-z.,\-])[2-6][0-9]{3}(?:[ \-]?[0-9]{2,6}){2,4}(?![0-9A-Za-z])")
# How the large networks' numbers begin, with their lengths.
_NETWORKS: Final = re.compile(
    r"4[0-9]{15}|5[1-5][0-9]{14}|(?:222[1-9]|22[3-9][0-9]|2[3-6][0-9]{2}|27[01][0-9]|2720)[0-9]{12}"
    r"|3[47][0-9]{13}|6(?:011|5[0-9]{2})[0-9]{12}|3(?:0[0-5]|[68][0-9])[0-9]{11}|35[0-9]{14}"
)
_SHORTEST: Final = 13
_SHOWN: Final = 8


def masked(text: str) -> str:
    """Give the text with what was found in it withheld; the same text where that is nothing."""
    if len(text) < _SHORTEST:
        return text
    text = _PRIVATE_KEY.sub(lambda found: _instead("private key", found[0]), text)
    if _RUN.search(text):
        text = _SECRET.sub(lambda found: _instead(_kind(found[0]), found[0]), text)
    return _CARD.sub(lambda found: _card(found[0]), text)


def _kind(found: str) -> str:
    return next(kind for kind, form in _KINDS if form.fullmatch(found))


def _instead(kind: str, found: str) -> str:
    digest = hashlib.sha256(found.encode("utf-8", "surrogatepass")).hexdigest()
    return f"(a {kind} is withheld: {len(found)} characters, sha256 {digest[:_SHOWN]})"


def _card(found: str) -> str:
    digits = "".join(ch for ch in found if ch.isdigit())
    if not _NETWORKS.fullmatch(digits) or not _adds_up(digits):
        return found
    return f"{digits[:6]}{'•' * (len(digits) - 10)}{digits[-4:]} (a card number)"


def _adds_up(digits: str) -> bool:
    """Check the last digit as ISO/IEC 7812-1 does."""
    doubled = [int(ch) * (1 + place % 2) for place, ch in enumerate(reversed(digits))]
    return sum(number - 9 * (number > 9) for number in doubled) % 10 == 0  # noqa: PLR2004 - digits
