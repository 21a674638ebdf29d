"""Records, before it is shown, that somebody looks at values by a command: who, by which command, at how many."""

from typing import Literal

What = Literal["search", "evidence", "show", "export", "replay"]


def record_look(what: What, found: int, filters: tuple[str, ...] = (), since: int | None = None) -> None:
    """Record a look; raises StoreUnavailableError, AgentError or SQLite's errors where it cannot be recorded."""
    from approval_rules.auditor_events import COMMAND_LINE, AuditLooked
    from bot.agents import who_typed
    from bot.cli.session import os_user, write

    write(
        lambda tx: tx.record(
            AuditLooked(tx.at, who_typed(tx, os_user()), COMMAND_LINE, what, found, filters, since),
        )
    )


def record_evidence(proposal: str, reveal: str | None) -> None:
    """Record that a pack is written; with a reason to `reveal` also a look at everything that is hidden in it."""
    record_look("evidence", 1)
    if reveal is not None:
        from bot.cli.revealing import record
        from bot.cli.session import reading
        from bot.reveal.looking import looked
        from bot.reveal.originals import covered_in
        from handlers.reveal_desk import Uncovered

        with reading() as connection:
            covered = covered_in(connection, proposal)
        looks = [looked(covered, field) for field in covered.originals] if covered else []
        record([look for look in looks if isinstance(look, Uncovered)], reveal)
