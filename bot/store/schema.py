"""Bringing a database to this version's schema."""

import sqlite3
from contextlib import closing
from pathlib import Path

from bot.store.engine import StoreUnavailableError, open_reader

REVISION = "0017"


def upgrade(path: Path) -> None:
    """Create the database file if it is missing and run the steps that it lacks."""
    from alembic import command  # noqa: PLC0415 - half a second that only this command should pay
    from alembic.config import Config  # noqa: PLC0415
    from sqlalchemy import create_engine  # noqa: PLC0415
    from sqlalchemy.exc import DatabaseError  # noqa: PLC0415
    from sqlalchemy.pool import NullPool  # noqa: PLC0415

    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        # What customers and agents wrote is for this account only; SQLite gives its other files the same mode.
        path.touch(mode=0o600)
    else:
        found = revision_of(path)
        if found is not None and found > REVISION:
            raise StoreUnavailableError(f"{path} has schema {found}, newer than this program's {REVISION}; upgrade it")
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
    except DatabaseError as error:
        raise StoreUnavailableError(f"{path} cannot be upgraded: {error.orig}; is it a Foureyes database?") from None
    finally:
        engine.dispose()


def revision_of(path: Path) -> str | None:
    """Give the schema revision of a database file, or None where it has none."""
    with closing(open_reader(path)) as connection:
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.Error:
            return None
    return None if row is None else str(row[0])


def require_current(path: Path) -> None:
    """Raise StoreUnavailableError unless the database has exactly this version's schema."""
    found = revision_of(path)
    if found != REVISION:
        raise StoreUnavailableError(
            f"{path} has schema {found or 'none'}, this program needs {REVISION}; run `foureyes db upgrade`"
        )
