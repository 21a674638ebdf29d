"""Who has the turn in the roles that a proposal waits for, for its packet.

It calls nobody, and never says whether a vote counts: that is found when somebody votes.
"""

from collections.abc import Sequence
from dataclasses import replace

from approval_rules.people import Account
from approval_rules.roles import OnDuty, Shift
from approval_rules.state import Proposal, Status
from bot.desk.wiring import Wiring, written
from bot.store import outbox
from bot.store.rows import Loaded
from bot.store.transaction import Transaction


async def with_shifts(wiring: Wiring, loaded: Loaded) -> Loaded:
    """Give a proposal with who has the turn now, as its packet is to say; nobody of one that is decided."""
    found = _asked(loaded.proposal, wiring.shifts.now(wiring.policy.folder, wiring.clock()))
    home = wiring.home_team
    on_duty = await written(wiring, lambda tx: tuple([_met(tx, shift, home) for shift in found])) if found else ()
    return replace(loaded, proposal=replace(loaded.proposal, on_duty=on_duty))


def show_hand_over(tx: Transaction, proposal: Proposal, seq: int) -> None:
    """Ask for the packet once more where a turn ended while it was on its way."""
    if any(shift.until is not None and shift.until <= tx.at for shift in proposal.on_duty):
        outbox.plan_packet(tx, proposal.id, seq, posted=True)


def _asked(proposal: Proposal, now: Sequence[Shift]) -> list[Shift]:
    if proposal.status is not Status.PENDING:
        return []
    roles = {proposal.backup, *(seat.role for seat in proposal.requirement.seats)}
    return [shift for shift in now if shift.role in roles]


def _met(tx: Transaction, shift: Shift, home: str) -> OnDuty:
    accounts = [Account(team or home, user) for team, _, user in (each.rpartition("/") for each in sorted(shift.users))]
    return OnDuty(shift.role, tuple([tx.person(account, "") for account in accounts]), shift.until)
