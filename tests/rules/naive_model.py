"""A second, naive opinion about one proposal: sets, a countdown and brute force instead of events and deadlines.

It must never import what it judges: only the words (decisions, roles, requirements) are shared.
"""

from dataclasses import dataclass, field
from itertools import permutations

from approval_rules.people import RoleName
from approval_rules.requirement import Requirement, Tier


@dataclass
class Somebody:
    """What the directory would say about a person now."""

    roles: frozenset[RoleName]
    known: bool = True
    reachable: bool = True


@dataclass
class Stop:
    """A pause in force: what it stops, and the minute at which it means to end."""

    covers_us: bool
    everything: bool
    until: int | None


@dataclass
class Model:
    """The proposal, the people and the kill switch as somebody with pencil and paper would keep them."""

    requirement: Requirement
    barred: frozenset[str]
    left: int
    people: dict[str, Somebody]
    now: int = 0
    state: str = "pending"
    claim_left: int = 60
    yes: dict[str, frozenset[RoleName]] = field(default_factory=dict)
    claimed_with: list[str | None] = field(default_factory=list)
    stops: dict[str, Stop] = field(default_factory=dict)
    asked: set[tuple[str, str]] = field(default_factory=set)

    def tick(self, minutes: int) -> None:
        """Let time pass; the countdown stands still while something stops the action."""
        self.now += minutes
        if self.stopped:
            return
        if self.state == "pending":
            self.left -= minutes
        elif self.state == "approved" and not self.claimed_with:
            self.claim_left -= minutes

    @property
    def stopped(self) -> bool:
        """Whether a pause stops this action."""
        return any(stop.covers_us for stop in self.stops.values())

    @property
    def trial(self) -> bool:
        """Whether the tool is in shadow: people decide, and nobody may use it."""
        return self.requirement.shadow is not None

    @property
    def wanted(self) -> list[RoleName]:
        """One role for each person that must say yes."""
        return [seat.role for seat in self.requirement.seats for _ in range(seat.count)]

    def eligible(self, name: str) -> frozenset[RoleName]:
        """The roles with which this person may decide now; none for whoever may not."""
        person = self.people[name]
        if name in self.barred or not person.known or not person.reachable:
            return frozenset()
        return person.roles & frozenset(self.wanted)

    def filled(self, yes: dict[str, frozenset[RoleName]]) -> bool:
        """Whether these votes put a different person on each seat, with a role held then and now."""
        wanted = self.wanted
        return bool(wanted) and any(
            all(role in yes[name] & self.eligible(name) for role, name in zip(wanted, order, strict=True))
            for order in permutations(yes, len(wanted))
        )

    def click(self, name: str, *, approve: bool, right_button: bool) -> bool:
        """Judge a click; tells whether it counts."""
        roles = self.eligible(name)
        if self.state != "pending" or not right_button or self.stopped or self.left <= 0 or not roles:
            return False
        if not approve:
            self.yes.pop(name, None)
            self.state = "denied"
            return True
        votes = {**self.yes, name: roles}
        if self.filled(votes):
            self.state = "approved"
            # Who may not decide any more did not approve, whatever he said before.
            votes = {voter: then for voter, then in votes.items() if then & self.eligible(voter)}
        elif name in self.yes:
            return False
        self.yes = votes
        return True

    def claim(self, key: str | None, *, right_digest: bool, agent_may: bool) -> str:
        """Judge a claim: `granted`, `replayed` or `refused`."""
        if self.claimed_with:
            same = key is not None and key in self.claimed_with and right_digest
            return "replayed" if same and not self.stopped else "refused"
        if self.trial:
            return "refused"
        if self.state != "approved" or self.stopped or self.claim_left <= 0 or not right_digest or not agent_may:
            return "refused"
        if self.requirement.tier is not Tier.GREEN:
            if not all(self.people[name].reachable for name in self.yes):
                return "refused"
            if not self.filled(self.yes):
                self.state = "revoked"
                return "refused"
        self.claimed_with.append(key)
        return "granted"

    def sweep(self) -> None:
        """Expire what has run out."""
        if self.stopped or self.claimed_with:
            return
        lapsed = self.state == "approved" and self.claim_left <= 0 and not self.trial
        if lapsed or (self.state == "pending" and self.left <= 0):
            self.state = "expired"

    def pause(self, name: str, *, covers_us: bool, everything: bool, lasts: int | None) -> None:
        """Stop something; a pause of everything voids a half-done resume."""
        self.stops[name] = Stop(covers_us, everything, None if lasts is None else self.now + lasts)
        if everything:
            self.asked.clear()

    def resume_everything(self, who: tuple[str, str]) -> None:
        """Two of one kind start everything again."""
        if not any(stop.everything for stop in self.stops.values()) or who in self.asked:
            return
        if any(kind == who[0] for kind, _ in self.asked):
            self.end([name for name, stop in self.stops.items() if stop.everything])
        else:
            self.asked.add(who)

    def end(self, names: list[str]) -> None:
        """End these pauses."""
        for name in names:
            del self.stops[name]
        if not any(stop.everything for stop in self.stops.values()):
            self.asked.clear()

    def lift(self) -> None:
        """End the pauses whose announced time is over."""
        self.end([name for name, stop in self.stops.items() if stop.until is not None and stop.until <= self.now])
