"""Verify, tamper, restore: what the page's buttons and the script do to the log, and what is known of it since."""

import asyncio

from bot.demo.administrator import Administrator
from bot.demo.ledger import Ledger, Verdict

NOT_YET = Verdict(text="Press Verify: every entry is hashed again and compared.")


class Inspection:
    """The newest verdict on the log, and whether a forgery stands in it."""

    def __init__(self, ledger: Ledger, administrator: Administrator) -> None:
        self.ledger = ledger
        self._administrator = administrator
        self.verdict = NOT_YET
        self.changes = 0
        self.was_whole = False
        self.found_forgery = False

    @property
    def forged(self) -> bool:
        """Whether a forgery stands in the log now."""
        return self._administrator.forged is not None

    async def verify(self) -> Verdict:
        """Check everything, beside the event loop."""
        verdict = await asyncio.to_thread(self.ledger.verify)
        self.was_whole = self.was_whole or verdict.status == "ok"
        self.found_forgery = self.found_forgery or (self.forged and verdict.status == "broken")
        return self._say(verdict)

    async def tamper(self) -> str | None:
        """Forge one entry; gives why not, where that is impossible."""
        if self.forged:
            return "One entry is forged already. Verify, then restore."
        forged = await asyncio.to_thread(self._administrator.tamper)
        if forged is None:
            return "There is nothing worth forging yet. Let the agent propose first."
        self._say(
            Verdict(text=f"Behind the program's back, entry {forged.seq} was changed: {forged.words}. Verify now.")
        )
        return None

    async def restore(self) -> str | None:
        """Put the exact old bytes back; gives why not, where nothing was changed."""
        forged = await asyncio.to_thread(self._administrator.restore)
        if forged is None:
            return "Nothing is forged. Tamper with a row first."
        self._say(Verdict(text=f"The old bytes of entry {forged.seq} are back. Verify again."))
        return None

    def _say(self, verdict: Verdict) -> Verdict:
        self.verdict = verdict
        self.changes += 1
        return verdict
