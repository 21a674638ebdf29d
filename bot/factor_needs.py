"""Says whether people can bring the second factors that a policy asks for. It reads the policy and decides nothing."""

from collections.abc import Iterator
from pathlib import Path

from approval_rules.policy import Policy, PolicyFolder, Rule
from approval_rules.step_up import StepUp
from approval_rules.verdicts import Block, asked_by
from bot.marked_yaml import PolicyFault
from bot.policy_files import PolicyFolderError

_ADVICE = "set it to where people's browsers reach this server, such as https://approvals.example.com"


def asks_for(folder: PolicyFolder, factor: StepUp) -> list[str]:
    """Name the tools with a rule that asks for this factor."""
    return sorted({policy.tool for policy, _ in _asking(folder, factor)})


def lacks_pages(folder: PolicyFolder, public_url: str | None) -> str | None:
    """Say what to do where passkeys are asked for and nobody's browser could reach us; None where all is well."""
    tools = asks_for(folder, "passkey") if public_url is None else []
    if not tools:
        return None
    return f"FOUREYES_PUBLIC_URL is not set, and the policy of {', '.join(tools)} asks for a passkey; {_ADVICE}"


def require_pages(folder: PolicyFolder, public_url: str | None, place: Path) -> None:
    """Raise PolicyFolderError that names each rule at fault; `place` is where the folder's files lie."""
    if public_url is not None:
        return
    faults = [
        PolicyFault(
            str(place / f"{policy.tool}.yml"),
            *rule.at,
            f"rule {rule.index} asks for a passkey, and FOUREYES_PUBLIC_URL is not set; {_ADVICE}",
        )
        for policy, rule in _asking(folder, "passkey")
    ]
    if faults:
        raise PolicyFolderError(faults)


def _asking(folder: PolicyFolder, factor: StepUp) -> Iterator[tuple[Policy, Rule]]:
    for policy in folder.policies.values():
        for rule in policy.rules:
            if factor in _factors(rule):
                yield policy, rule


def _factors(rule: Rule) -> Iterator[StepUp]:
    ask = asked_by(rule.verdict)
    if isinstance(rule.verdict, Block) and rule.verdict.initiation is not None:
        yield rule.verdict.initiation.step_up
        ask = rule.verdict.then
    if ask is not None:
        yield ask.step_up
