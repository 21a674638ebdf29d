"""What a change of the policy says of itself: the action that people approve. Reads and stores nothing.

The whole diff is part of the action, so that what is approved is what was shown, byte for byte.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import unified_diff

from approval_rules.canonical import digest_of
from approval_rules.commands import Draft
from approval_rules.state import Proposal
from approval_rules.text import AgentJson, AgentText, Json, unwrap_object
from approval_rules.versions import CHANGE_TOOL
from bot.policy_content import PolicyContent
from handlers.counting import counted

MAX_DIFF = 8_000
"""More characters than this cannot stand whole in a packet, so nobody could approve them."""
_CONTEXTS = (3, 1, 0)


class ChangeTooLargeError(Exception):
    """A change of the policy that no packet can show whole; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change from the version `previous` to `content`: the arguments that are approved, and what stands beside."""

    previous: str
    content: PolicyContent
    arguments: AgentJson
    context: AgentJson

    @property
    def draft(self) -> Draft:
        """The proposal of it."""
        digest = digest_of(CHANGE_TOOL, unwrap_object(self.arguments))
        summary = AgentText(f"Change the policy to {self.content.version}")
        return Draft(CHANGE_TOOL, self.arguments, digest, summary, self.context, AgentJson({}))


def change_of(previous: PolicyContent, content: PolicyContent, context: Mapping[str, Json]) -> Change:
    """Put a change together. Raises ChangeTooLargeError."""
    changed = [name for name in _names(previous, content) if previous.files.get(name) != content.files.get(name)]
    arguments: dict[str, Json] = {
        "change": counted(len(changed), "file"),
        "diff": _fitting_diff(previous, content, changed),
        "files": [f"{name}: {_became(previous, content, name)}" for name in changed],
        "from": previous.version,
        "to": content.version,
    }
    return Change(previous.version, content, AgentJson(arguments), AgentJson(dict(context)))


def version_of(change: Proposal) -> str:
    """Name the version that a change leads to."""
    return str(unwrap_object(change.arguments)["to"])


def _fitting_diff(previous: PolicyContent, content: PolicyContent, changed: Sequence[str]) -> str:
    for around in _CONTEXTS:
        diff = "\n".join(line for name in changed for line in _diff(previous, content, name, around))
        if len(diff) <= MAX_DIFF:
            return diff
    raise ChangeTooLargeError(
        f"the change is {len(diff):,} characters as a diff, and people can be shown {MAX_DIFF:,} at once; make it in "
        "smaller steps"
    )


def _diff(previous: PolicyContent, content: PolicyContent, name: str, around: int) -> Iterator[str]:
    yield f"=== {name} ({_became(previous, content, name)})"
    old, new = (_lines(one.files.get(name)) for one in (previous, content))
    told = list(unified_diff(old, new, n=around, lineterm=""))[2:]
    yield from ("" if line == " " else line for line in told)


def _became(previous: PolicyContent, content: PolicyContent, name: str) -> str:
    if name not in previous.files:
        return "new"
    return "changed" if name in content.files else "gone"


def _lines(data: bytes | None) -> list[str]:
    """Split at line feeds alone: another kind of line end must not vanish from a diff."""
    return [] if data is None else data.decode("utf-8", "backslashreplace").split("\n")


def _names(previous: PolicyContent, content: PolicyContent) -> list[str]:
    return sorted(previous.files.keys() | content.files.keys())
