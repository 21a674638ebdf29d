"""Tells whether a text names a host that a list allows. One spelling for each host: what is odd is refused, not mended.

Never resolves a name and never follows an address.
"""

import re
from collections.abc import Sequence
from typing import Final

MAX_DOMAINS = 200
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = rf"{_LABEL}(?:\.{_LABEL})*"
_LISTED: Final = re.compile(rf"\.?{_HOST}", re.ASCII)
# No user, no port, no backslash and nothing but visible ASCII: two readers of it cannot disagree about the host.
_URL: Final = re.compile(rf"https://({_HOST})(?:[/?#][!-\[\]-~]*)?", re.ASCII | re.IGNORECASE)
_MAIL: Final = re.compile(rf"[a-z0-9_+'=.-]{{1,64}}@({_HOST})", re.ASCII | re.IGNORECASE)
_BARE: Final = re.compile(rf"({_HOST})", re.ASCII | re.IGNORECASE)
_LONGEST_HOST = 253


def wrong_list(domains: object) -> str | None:
    """Say what is wrong with an allowlist, or nothing."""
    if not isinstance(domains, list) or not 1 <= len(domains) <= MAX_DOMAINS:
        return f"must be a list of 1 to {MAX_DOMAINS} domains"
    for domain in domains:
        if not isinstance(domain, str) or len(domain) > _LONGEST_HOST or not _LISTED.fullmatch(domain):
            return (
                "a domain is written in small ASCII letters (xn--... for others), such as example.com,"
                " or .example.com for what lies below it"
            )
        if domain.startswith(".") and "." not in domain[1:]:
            return f"'{domain}' would allow every host of a whole top-level domain"
    return None


def host_of(value: str) -> str | None:
    """Give the host of an https URL, a mail address or a host's bare name, in small letters; None for all else."""
    match = _URL.fullmatch(value) or _MAIL.fullmatch(value) or _BARE.fullmatch(value)
    return match[1].lower() if match and len(match[1]) <= _LONGEST_HOST else None


def allows(domains: Sequence[str], value: object) -> bool:
    """Tell whether a value names an allowed host: one of them exactly, or one below an entry with a leading dot."""
    host = host_of(value) if isinstance(value, str) else None
    if host is None:
        return False
    return any(host.endswith(domain) if domain.startswith(".") else host == domain for domain in domains)
