"""What becomes of a verdict while its tool is in shadow: people are asked all the same. Never permits anything.

Those people are told nothing of what the policy says: an answer that follows a hint can be compared with nothing.
"""

from dataclasses import replace

from approval_rules.people import ToolName
from approval_rules.requirement import Requirement, Shadowed, Tier
from approval_rules.verdicts import Ask, consequence


def in_shadow(tool: ToolName, live: Requirement, strictest: Ask | None, channel: str | None) -> Requirement:
    """Ask the people of the verdict; where it allows, the `strictest` of the file, in `channel`.

    What is blocked stays blocked. Where the file names nobody, what it allows is only recorded.
    """
    shadow = Shadowed(live.tier, live.policy.rule, live.policy.because)
    if live.tier is Tier.YELLOW:
        asked = live
    elif live.tier is Tier.GREEN and strictest is not None:
        ttl, step_up = strictest.expires_in, strictest.step_up
        seats, backup, excluded = strictest.seats, strictest.backup, strictest.excluded or None
        asked = replace(live, tier=Tier.YELLOW, seats=seats, ttl=ttl, step_up=step_up, channel=channel, backup=backup)
        asked = replace(asked, excluded=excluded)
    else:
        return replace(live, shadow=shadow)
    who = consequence(Ask(asked.seats, step_up=asked.step_up, backup=asked.backup, excluded=asked.excluded or ()))
    because = f"{tool} is in shadow, so people say what they would do: {who}"
    return replace(asked, policy=replace(live.policy, rule=None, because=because), shadow=shadow)
