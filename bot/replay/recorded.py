"""Turns recorded proposals into what a person may read: an amount, and a case.

Never shows what the policy hides, nor the secrets and card numbers that are found in the rest.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from approval_rules.canonical import canonical_text
from approval_rules.events import Submitted
from approval_rules.names import around as around_of
from approval_rules.requirement import Tier
from approval_rules.text import AgentJson, AgentText, Json, unwrap_object, unwrap_text
from approval_rules.times import format_time
from bot.settings import DEFAULT_ENVIRONMENT
from handlers.slack.found_secrets import masked
from handlers.slack.values import is_hidden

_HIDDEN = "(hidden by policy)"
_USUAL = around_of(DEFAULT_ENVIRONMENT, incident=False)
# A shorter value, such as 1 or "US", stands in too many innocent places to be taken out of them.
_SHORTEST_SECRET = 4


def amount_in(arguments: Mapping[str, Json], hidden: frozenset[str]) -> str:
    """Give the first amount among the arguments, such as `amount_usd 180`; empty where there is none to be shown."""
    for name, value in arguments.items():
        if name.lower().startswith("amount") and not is_hidden(name, hidden) and not isinstance(value, bool):
            if isinstance(value, int | Decimal):
                return f"{name} {masked(str(value))}"
            if isinstance(value, str):
                return f"{name} {json.dumps(masked(value), ensure_ascii=False)}"
    return ""


def amount_of(then: Submitted, hidden: frozenset[str]) -> str:
    """Give the first amount among a recorded proposal's arguments."""
    return amount_in(unwrap_object(then.arguments), hidden)


def corrected_case(
    then: Submitted,
    reason: AgentText | None,
    hidden: frozenset[str],
    around: Mapping[str, Json],
    kinds: Sequence[str] = (),
) -> str:
    """Write a denied or lowered proposal as one line of cases: people must be asked, and red must stay red.

    `note` is what the person did (`kinds`) and said.

    A field that the policy hides is taken out, and so is its value wherever else it stands; found secrets are named in
    their stead. Who started the run is not the case's business.
    """
    parts = _parts(then)
    secrets = _all_secrets(parts, hidden)
    case: dict[str, Json] = {"name": then.proposal, "tool": then.tool}
    case |= {name: _clean(part, hidden, secrets) for name, part in parts.items()}
    case |= {"agent": then.agent.name, "at": format_time(then.at)}
    case |= {name: value for name, value in around.items() if value != _USUAL[name]}
    case["expect"] = "blocked" if then.requirement.tier is Tier.RED else "asked"
    said = [*kinds, *([] if reason is None else [unwrap_text(reason)])]
    if said:
        case["note"] = _clean(": ".join(said), hidden, secrets)
    return "{" + ", ".join(f'"{name}": {canonical_text(value)}' for name, value in case.items()) + "}"


def cleaned_reason(then: Submitted, reason: AgentText, hidden: frozenset[str]) -> str:
    """Give what a person said without the values that the policy hides, and without found secrets."""
    return _without(unwrap_text(reason), _all_secrets(_parts(then), hidden))


def _parts(then: Submitted) -> dict[str, Json]:
    """Give what the agent sent and the server looked up for the rules to read."""
    facts = unwrap_object(then.context).get("facts")
    run = {name: value for name, value in unwrap_object(then.run).items() if name != "started_by"}
    parts: dict[str, Json] = {"arguments": unwrap_object(then.arguments)}
    if isinstance(facts, Mapping):
        parts["facts"] = facts
    if then.lookups is not None:
        parts["looked_up"] = unwrap_object(then.looked_up or AgentJson({}))
    return {**parts, "run": run} if run else parts


def _all_secrets(parts: Mapping[str, Json], hidden: frozenset[str]) -> list[str]:
    """Give the values of hidden fields as text, the longest first."""
    return sorted({secret for part in parts.values() for secret in _secrets(part, hidden)}, key=len, reverse=True)


def _secrets(value: Json, hidden: frozenset[str], name: str = "", *, inside: bool = False) -> Iterator[str]:
    """Give the values of hidden fields as text."""
    inside = inside or is_hidden(name, hidden)
    match value:
        case Mapping():
            for key, inner in value.items():
                yield from _secrets(inner, hidden, f"{name}.{key}" if name else key, inside=inside)
        case str():
            if inside and len(value) >= _SHORTEST_SECRET:
                yield value
        case Sequence():
            for inner in value:
                yield from _secrets(inner, hidden, name, inside=inside)
        case int() | Decimal():
            if inside and len(str(value)) >= _SHORTEST_SECRET and not isinstance(value, bool):
                yield str(value)


def _clean(value: Json, hidden: frozenset[str], secrets: Sequence[str], name: str = "") -> Json:
    if is_hidden(name, hidden):
        return _HIDDEN
    match value:
        case Mapping():
            inner = value.items()
            return {
                _without(key, secrets): _clean(each, hidden, secrets, f"{name}.{key}" if name else key)
                for key, each in inner
            }
        case str():
            return _without(value, secrets)
        case Sequence():
            return [_clean(each, hidden, secrets, name) for each in value]
        case int() | Decimal() if not isinstance(value, bool):
            kept = _HIDDEN if (text := str(value)) in secrets else masked(text)
            return value if kept == text else kept
    return value


def _without(text: str, secrets: Sequence[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, _HIDDEN)
    return masked(text)
