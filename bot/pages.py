"""Puts the pages together that people open in a browser: second factors, and new keys of agents. Holds no logic."""

from starlette.routing import BaseRoute

from bot.clock import Clock
from bot.desk.new_keys import NewKeys
from bot.desk.second_factors import SecondFactors
from handlers.web.key_page import key_routes
from handlers.web.passkey_pages import NewPasskeys, PasskeyVotes
from handlers.web.totp_page import enrolment_routes


def pages_of(factors: SecondFactors, keys: NewKeys, clock: Clock) -> list[BaseRoute]:
    """Make the pages; without an origin nobody could find them."""
    if factors.passkeys is None:
        return []
    origin = factors.passkeys.site.origin
    new = NewPasskeys(factors.passkeys, origin)
    votes = PasskeyVotes(factors.confirming, origin, clock)
    return [*enrolment_routes(factors.enrolment, new.look), *new.routes(), *votes.routes(), *key_routes(keys)]
