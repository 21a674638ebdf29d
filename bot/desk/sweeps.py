"""What happens by itself: time passes, announced pauses end, old marks go. Each sweep is idempotent."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from approval_rules.commands import LiftTimedPauses, PassTime
from approval_rules.decide import decide_switch
from approval_rules.people import ProposalId
from approval_rules.roles import Shift
from approval_rules.switch import EVERYTHING
from approval_rules.times import format_time
from bot.desk.apply import apply, known
from bot.desk.switching import record_switch
from bot.desk.taking_back import AT_ONCE as AT_ONCE_TAKEN
from bot.desk.taking_back import UNCLAIMED, revoking, take_back, unclaimed_in
from bot.desk.thawing import AT_ONCE as AT_ONCE_THAWED
from bot.desk.thawing import BEHIND, thaw_these
from bot.desk.wiring import Wiring, written
from bot.store import outbox, rows, starts
from bot.store.codec import SWITCH
from bot.store.tickets import forget_tickets
from bot.store.transaction import Transaction

AT_ONCE = 500
_FORGET_SEEN = "DELETE FROM seen_requests WHERE at < ?"
_SIGNATURE_LIFE = timedelta(minutes=15)
_ANSWER_LIFE = timedelta(minutes=35)


class Sweeps:
    """The clock's use cases."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._thawed: int | None = None
        self._shown: tuple[Shift, ...] = ()

    async def pass_time(self) -> int:
        """Expire, lapse and remind whatever is due; gives how many proposals were looked at."""
        snapshot = self._wiring.reads.glance()
        switch = await snapshot.switch()
        due = await snapshot.due(self._wiring.clock(), switch, AT_ONCE)
        if due:
            await written(self._wiring, lambda tx: _pass_time(tx, due))
        return len(due)

    async def lift_timed_pauses(self) -> None:
        """End each pause whose announced time is over."""
        snapshot = self._wiring.reads.glance()
        switch = await snapshot.switch()
        now = self._wiring.clock()
        if any(pause.until is not None and pause.until <= now for pause in switch.active):
            await written(self._wiring, lambda tx: record_switch(tx, decide_switch(tx.switch, LiftTimedPauses(tx.at))))

    async def take_back(self) -> None:
        """Take back what a pause revokes, batch after batch; claims of the rest are refused meanwhile."""
        snapshot = self._wiring.reads.glance()
        scopes = revoking(await snapshot.switch())
        if scopes and await snapshot.rows(UNCLAIMED, unclaimed_in(scopes, 1)):
            while await written(self._wiring, take_back) == AT_ONCE_TAKEN:
                pass

    async def thaw(self) -> None:
        """Thaw what a resume left, batch after batch: all that is open, once after each change of the switch."""
        snapshot = self._wiring.reads.glance()
        seq = (await snapshot.rows(rows.NEWEST_OF, {"subject": SWITCH}))[0][0]
        if seq is None or seq == self._thawed:
            return
        behind = [row[0] for row in await snapshot.rows(BEHIND, {"seq": seq})]
        for begin in range(0, len(behind), AT_ONCE_THAWED):
            await written(self._wiring, partial(thaw_these, behind[begin : begin + AT_ONCE_THAWED]))
        self._thawed = seq

    async def hand_over(self) -> None:
        """Show every open packet afresh when somebody else has the turn in a role: no packet names who had it before.

        What has not changed is not sent.
        """
        now = self._wiring.shifts.now(self._wiring.policy.folder, self._wiring.clock())
        if now != self._shown:
            await written(self._wiring, lambda tx: outbox.plan_open_packets(tx, EVERYTHING, tx.size - 1))
            self._shown = now

    async def forget(self) -> None:
        """Drop marks that have served: signatures too old to replay, answers to clicks."""
        await written(self._wiring, _forget)


def _pass_time(tx: Transaction, due: Sequence[str]) -> None:
    for proposal in due:
        apply(tx, known(tx, proposal), PassTime(tx.at, ProposalId(proposal)))


def _forget(tx: Transaction) -> None:
    tx.write(_FORGET_SEEN, (format_time(tx.at - _SIGNATURE_LIFE),))
    starts.forget(tx)
    outbox.forget_answers(tx, tx.at - _ANSWER_LIFE)
    forget_tickets(tx, tx.at)
