"""Looks up the facts of a draft, all at once, before anybody judges it.

Whatever goes wrong is recorded as a fact that is not there. It must never raise for what another system does, never let
an agent's words stand in for a missing value, and never log an address, a secret or an answer.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Protocol

from approval_rules.commands import Draft
from approval_rules.facts import DeclaredFact, LookedUp, Lookup
from approval_rules.policy import Policy
from approval_rules.text import AgentJson, Json, unwrap_object
from bot.callback_target import ForbiddenTargetError
from bot.clock import Clock
from bot.delivery.addresses import AllowList
from bot.delivery.guarded_http import CallFailedError, Fetched
from bot.lookup_address import UnfitArgumentError, address
from bot.lookups.answers import Answers, Question
from bot.lookups.checking import missing
from bot.lookups.failure import LookupFailedError, words_for
from bot.lookups.reading import value_in


class Http(Protocol):
    """What lookups need of `GuardedHttp`."""

    async def get(self, url: str, headers: Mapping[str, str], seconds: float) -> Fetched:
        """Get once; raises ForbiddenTargetError, CallFailedError."""


class Lookups:
    """Asks for what policies declare. `tokens` are the secrets by their variables' names, and never shown.

    `count` is told the tool, the fact, and `found` or `failed`.
    """

    def __init__(
        self,
        http: Http,
        allow: AllowList,
        tokens: Mapping[str, str],
        clock: Clock,
        count: Callable[[str, str, str], None],
    ) -> None:
        self._http = http
        self._allow = allow
        self._tokens = tokens
        self._clock = clock
        self._count = count
        self._answers = Answers(self._ask, clock)

    async def close(self) -> None:
        """Give up what is under way."""
        await self._answers.close()

    async def filled(self, policy: Policy, draft: Draft) -> Draft:
        """Give the draft with every fact that its policy looks up, as of now; MUST NOT raise."""
        wanted = [(fact, fact.lookup) for fact in policy.facts if fact.lookup is not None]
        arguments = unwrap_object(draft.arguments)
        found = await asyncio.gather(*(self._look_up(fact, lookup, arguments) for fact, lookup in wanted))
        for lookup, _ in found:
            self._count(policy.tool, lookup.name, "failed" if lookup.failed else "found")
        values = {lookup.name: value for lookup, value in found}
        return replace(draft, lookups=tuple(lookup for lookup, _ in found), looked_up=AgentJson(values))

    def missing(self, lookup: Lookup) -> str | None:
        """Say what this server's settings lack for a lookup; None where nothing is missing."""
        return missing(lookup, self._allow, self._tokens)

    async def _look_up(
        self, fact: DeclaredFact, lookup: Lookup, arguments: Mapping[str, Json]
    ) -> tuple[LookedUp, Json]:
        if self.missing(lookup) is not None:
            return LookedUp(fact.name, lookup.source, self._clock(), "the server is not set up for it"), None
        try:
            question = Question(address(lookup.url, arguments), lookup.header_env, lookup.timeout)
            answered = await self._answers.get(question, lookup.cache)
            value = value_in(answered.body, lookup.pointer, fact.type)
        except (LookupFailedError, UnfitArgumentError) as error:
            return LookedUp(fact.name, lookup.source, self._clock(), error.why), None
        return LookedUp(fact.name, lookup.source, answered.at), value

    async def _ask(self, question: Question) -> bytes:
        headers = {"accept": "application/json"}
        if question.header_env is not None:
            headers["authorization"] = self._tokens[question.header_env]
        try:
            fetched = await self._http.get(question.url, headers, question.timeout.total_seconds())
        except (ForbiddenTargetError, CallFailedError) as error:
            raise LookupFailedError(words_for(error.reason)) from None
        if fetched.status != HTTPStatus.OK:
            raise LookupFailedError(f"the answer was HTTP {fetched.status}")
        return fetched.unverified_body
