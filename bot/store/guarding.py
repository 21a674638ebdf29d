"""Puts back the triggers that keep the log append-only, where somebody took them away. It takes none away itself."""

from contextlib import closing
from pathlib import Path

import structlog

from approval_rules.decide import CLOCK
from approval_rules.log_events import GuardsPutBack
from bot.store.engine import open_reader, open_writer
from bot.store.guards import MADE, broken, made_of
from bot.store.writer import Writer

log = structlog.get_logger()


async def keep(database: Path, writer: Writer) -> None:
    """Make the triggers that are gone or changed anew, and say first, in the log, which they are."""
    with closing(open_reader(database)) as connection:
        names = broken(connection.execute(MADE))
    if names:
        log.warning("guards_put_back", triggers=names)
        await writer.run(lambda tx: tx.record(GuardsPutBack(tx.at, CLOCK, names)))
        with closing(open_writer(database, checkpoints=False)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            for name in names:
                connection.execute(f"DROP TRIGGER IF EXISTS {name}")
                connection.execute(made_of(name))
            connection.execute("COMMIT")
