"""Renders packets again as they stood in Slack, and holds each against the digest that was recorded. Sends nothing.

A packet is a function of the log, of the names that people had, and of the version that rendered it. The log does not
say how far it had grown when one was rendered, so the states before the entry are tried, the newest first.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal

from approval_rules.canonical import Digest
from approval_rules.events import PacketPosted
from approval_rules.explanation import Explanation
from bot.desk.explaining import explanation_of
from bot.evidence.gathering import Decision
from handlers.desk import Seen
from handlers.slack.blocks import section
from handlers.slack.escape import Safe
from handlers.slack.packet import Packet, digest_of_blocks, packet

_MOST_STATES: Final = 12
As = Literal["as posted", "otherwise", "in part", "erased"]
_GONE: Final = Safe("What was shown has been erased.")


@dataclass(frozen=True, slots=True)
class Shown:
    """One packet that stood in Slack: `shown` is the recorded digest, `how` tells whether this rendering has it."""

    seq: int
    at: datetime
    channel: str
    ts: str
    shown: Digest
    rendered: Packet
    how: As


class Views:
    """The views of one decision at every moment. Each judgement is explained once."""

    def __init__(self, decision: Decision) -> None:
        self.decision = decision
        self._explained: dict[int, Explanation | None] = {}

    def at(self, seq: int) -> Seen:
        """Give the view right after an entry, with the explanation where the policy of then comes to the record."""
        seen = self.decision.seen_at(seq)
        judged = len(seen.proposal.edits)
        if judged not in self._explained:
            self._explained[judged] = self._explanation(seen)
        return replace(seen, explained=self._explained[judged])

    def packets(self) -> list[Shown]:
        """Give every packet that was posted or put in place of another, oldest first."""
        events = self.decision.events
        return [self._shown(seq, event) for seq, event in events if isinstance(event, PacketPosted)]

    def _explanation(self, seen: Seen) -> Explanation | None:
        version = self.decision.versions[seen.proposal.requirement.policy.version]
        if not seen.proposal.digest or version.folder is None:
            return None
        return explanation_of(version.folder, seen.proposal)

    def _shown(self, seq: int, event: PacketPosted) -> Shown:
        posted = event.posted
        if not posted.shown:
            return Shown(seq, event.at, posted.channel, posted.ts, posted.shown, _nothing(), "erased")
        first: Packet | None = None
        for seen, at in self._states(seq, event.at):
            rendered = packet(self._on_duty(seen, event), at)
            first = first or rendered
            if rendered.shown == posted.shown:
                return Shown(seq, event.at, posted.channel, posted.ts, posted.shown, rendered, "as posted")
        if first is None:
            raise ValueError(f"entry {seq} has a packet of nothing")
        how: As = "in part" if any(each.erased for each in self.decision.entries if each.seq < seq) else "otherwise"
        return Shown(seq, event.at, posted.channel, posted.ts, posted.shown, first, how)

    def _on_duty(self, seen: Seen, event: PacketPosted) -> Seen:
        """Put in who had the turn, as the packet said."""
        shifts, known = event.on_duty or (), self.decision.faces
        faces = {person: known[person] for shift in shifts for person in shift.people if person in known}
        return replace(seen, proposal=replace(seen.proposal, on_duty=shifts), faces={**seen.faces, **faces})

    def _states(self, seq: int, at: datetime) -> Iterator[tuple[Seen, datetime]]:
        """Give the states in which the packet may have been rendered, the likeliest first."""
        recorded = (*self.decision.loaded.recorded, *self.decision.switch)
        moments = {item.seq: item.event.at for item in recorded if item.seq < seq}
        first = self.decision.loaded.recorded[0].seq
        before = sorted((each for each in moments if each >= first), reverse=True)[:_MOST_STATES]
        yield from ((_as_people_saw(self.at(each)), at) for each in before)
        yield from ((_as_people_saw(self.at(each)), moments[each]) for each in before)


def _nothing() -> Packet:
    """Make a packet that says that there is none: what would be rendered without its values was never shown."""
    blocks = [section(_GONE)]
    return Packet(_GONE, blocks, digest_of_blocks(blocks), live=False)


def _as_people_saw(seen: Seen) -> Seen:
    """Leave out what people who answer for a tool in shadow are not told."""
    return seen if seen.proposal.requirement.shadow is None else replace(seen, explained=None)
