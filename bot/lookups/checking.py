"""Says what a lookup needs and does not have here: a token, TLS, an address that may be reached. It sends nothing."""

from collections.abc import Mapping

from approval_rules.facts import Lookup
from bot.callback_target import ForbiddenTargetError
from bot.delivery.addresses import AllowList
from bot.delivery.guarded_http import CallFailedError, GuardedNetwork, Resolver
from bot.lookup_address import target_of
from bot.lookups.failure import words_for


def missing(lookup: Lookup, allow: AllowList, tokens: Mapping[str, str]) -> str | None:
    """Say what the settings lack for a lookup; None where nothing is missing."""
    if lookup.header_env is not None and lookup.header_env not in tokens:
        return f"{lookup.header_env} is not set"
    if target_of(lookup.url).scheme == "http" and not allow.lists(lookup.source):
        return f"it is plain http; use https, or list {lookup.source} in FOUREYES_LOOKUP_ALLOW"
    return None


async def unreachable(lookup: Lookup, allow: AllowList, resolve: Resolver) -> str | None:
    """Say why the guard would not connect to a lookup's host; None where it would try."""
    target = target_of(lookup.url)
    try:
        await GuardedNetwork(allow, resolve).checked(target.host, target.port)
    except ForbiddenTargetError:
        return f"{target.host} is private; list it in FOUREYES_LOOKUP_ALLOW if facts may come from there"
    except CallFailedError as error:
        return f"{target.host}: {words_for(error.reason)}"
    return None
