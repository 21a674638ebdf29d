"""Says whether people can bring the second factors that a policy asks for. It reads the policy and decides nothing."""

from collections.abc import Iterator

from approval_rules.policy import Policy, PolicyFolder
from approval_rules.step_up import StepUp
from approval_rules.verdicts import Allow, Ask


def asks_for(folder: PolicyFolder, factor: StepUp) -> list[str]:
    """Name the tools with a rule that asks for this factor."""
    return sorted(tool for tool, policy in folder.policies.items() if factor in _factors(policy))


def lacks_pages(folder: PolicyFolder, public_url: str | None) -> str | None:
    """Say what to do where passkeys are asked for and nobody's browser could reach us; None where all is well."""
    tools = asks_for(folder, "passkey") if public_url is None else []
    if not tools:
        return None
    return (
        f"FOUREYES_PUBLIC_URL is not set, and the policy of {', '.join(tools)} asks for a passkey;"
        " set it to where people's browsers reach this server, such as https://approvals.example.com"
    )


def _factors(policy: Policy) -> Iterator[StepUp]:
    for rule in policy.rules:
        match rule.verdict:
            case Ask(step_up=asked) | Allow(otherwise=Ask(step_up=asked)):
                yield asked
            case _:
                pass
