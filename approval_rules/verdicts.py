"""What a rule can decide, and the words for it that a manager understands. Judges nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TypeAlias, assert_never

from approval_rules.people import RoleName
from approval_rules.requirement import Initiation, Seat
from approval_rules.step_up import StepUp


@dataclass(frozen=True, slots=True)
class Ask:
    """Yellow: so many distinct people on these seats; `expires_in` and `channel` None mean the defaults.

    From half of the time on, people of the role `backup` can fill any seat. `excluded` are fields that name people who
    may not decide. `urgent` calls people in quiet hours too.
    """

    seats: tuple[Seat, ...]
    expires_in: timedelta | None = None
    step_up: StepUp = "none"
    channel: str | None = None
    backup: RoleName | None = None
    excluded: tuple[str, ...] = ()
    urgent: bool = False

    @property
    def approvals(self) -> int:
        """How many people must say yes."""
        return sum(seat.count for seat in self.seats)


@dataclass(frozen=True, slots=True)
class Allow:
    """Green: the action may run under policy alone.

    With an autonomy dial only `share` percent of the cases do; in the others `otherwise` is asked.
    """

    share: Decimal | None = None
    otherwise: Ask | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """Red: refused. `reason` is the policy author's, and may be empty.

    Where a person may start it himself, `initiation` says who, and `then` who must approve after that.
    """

    reason: str = ""
    initiation: Initiation | None = None
    then: Ask | None = None

    @property
    def starters(self) -> tuple[Initiation | None, Ask | None]:
        """Who may start it, and who must approve after that."""
        return self.initiation, self.then

    @property
    def for_nobody(self) -> "Block":
        """The same block, which no person may start."""
        return Block(self.reason)


Verdict: TypeAlias = Allow | Ask | Block


def asked_by(verdict: Verdict) -> Ask | None:
    """Give the people whom a verdict may ask."""
    return verdict.otherwise if isinstance(verdict, Allow) else verdict if isinstance(verdict, Ask) else None


_PROVED: Mapping[StepUp, str] = {
    "none": "",
    "totp": ", each with a one-time code",
    "passkey": ", each with a passkey",
}
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def consequence(verdict: Verdict) -> str:
    """Say what a verdict comes to."""
    match verdict:
        case Allow(share=Decimal() as share, otherwise=Ask() as otherwise):
            return f"{share} % of the cases are allowed; in the others {consequence(otherwise)}"
        case Allow():
            return "it is allowed"
        case Ask():
            late = f" (from half of the time on also the role {verdict.backup})" if verdict.backup else ""
            barred = f", nobody whom {_listed(verdict.excluded)} names" if verdict.excluded else ""
            return f"{_people(verdict.seats)} must approve{_PROVED[verdict.step_up]}{late}{barred}"
        case Block():
            blocked = f"it is blocked: {verdict.reason}" if verdict.reason else "it is blocked"
            return f"{blocked}{_started(verdict)}"
        case _:
            assert_never(verdict)


def _started(block: Block) -> str:
    """Say who may start what is blocked."""
    if block.initiation is None or block.then is None:
        return ""
    return f"; a person in the role {block.initiation.role} may start it, and then {consequence(block.then)}"


def _people(seats: Sequence[Seat]) -> str:
    """Name who is asked: `one person in the role finance and two in the role security`, whatever the roles' names."""
    told: list[str] = []
    for seat in seats:
        noun = "" if told else " person" if seat.count == 1 else " people"
        told.append(f"{_count(seat.count)}{noun} in the role {seat.role}")
    return _listed(told)


def _listed(told: Sequence[str]) -> str:
    return " and ".join([", ".join(told[:-1]), told[-1]] if len(told) > 1 else told)


def _count(number: int) -> str:
    return _NUMBERS[number] if number < len(_NUMBERS) else str(number)
