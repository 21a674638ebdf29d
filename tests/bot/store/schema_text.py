"""Writes bot/store/schema.sql again after a migration was added: `python -m tests.bot.store.schema_text`."""

from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.store import guards, schema
from bot.store.engine import open_reader

FILE = Path(guards.__file__).with_name("schema.sql")


def made() -> str:
    """Say what every step together makes."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "made.db"
        schema.upgrade(path)
        with closing(open_reader(path)) as connection:
            return guards.text_of(connection.execute(guards.MADE))


if __name__ == "__main__":
    FILE.write_text(made(), encoding="utf-8")
