"""`foureyes` as somebody at a shell meets it: the same command in this process (fast) or in one of its own (real)."""

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog

from bot.cli.main import main
from bot.clock import new_token
from bot.data_keys import DataKeys
from bot.store.engine import open_reader

FOUREYES = Path(sys.executable).with_name("foureyes")
OURS = ("FOUREYES_", "SLACK_", "SUDO_USER")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: its exit code, and what it said where."""

    code: int
    out: str
    err: str

    def json(self) -> Any:  # noqa: ANN401 - JSON
        """Read the output."""
        return json.loads(self.out)


class Shell:
    """A shell in a folder of its own. Calling it runs `foureyes` in this process, by its entry point."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._patch = patch
        self._capsys = capsys
        patch.chdir(folder)
        for name in os.environ:
            if name.startswith(OURS):
                patch.delenv(name)

    def set(self, **variables: str | Path) -> None:
        """Set variables of the environment, for both kinds of run."""
        for name, value in variables.items():
            self._patch.setenv(name, str(value))

    def __call__(self, *arguments: str) -> Ended:
        """Run a command in this process."""
        self._capsys.readouterr()
        self._patch.setattr(sys, "argv", ["foureyes", *arguments])
        code = 0
        try:
            main()
        except SystemExit as end:
            if isinstance(end.code, str):
                raise TypeError(f"a message is no exit code: {end.code}") from None
            code = end.code or 0
        finally:
            structlog.reset_defaults()
        said = self._capsys.readouterr()
        return Ended(code, said.out, said.err)

    async def beside(self, *arguments: str) -> Ended:
        """Run a command in this process while this event loop goes on: the local Slack or a server lives in it."""
        return await asyncio.to_thread(self, *arguments)

    def process(self, *arguments: str, **variables: str) -> Ended:
        """Run the installed console script."""
        run = subprocess.run(  # noqa: S603 - our own console script
            [FOUREYES, *arguments],
            cwd=self.folder,
            env=environment(variables),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return Ended(run.returncode, run.stdout, run.stderr)

    def rows(self, sql: str) -> list[Any]:
        """Look into the database as a stranger would."""
        keys = self.folder / "foureyes.data-keys"
        vault = DataKeys(keys, new_token) if keys.exists() else None
        with closing(open_reader(self.folder / "foureyes.db", vault)) as connection:
            return connection.execute(sql).fetchall()

    def tamper(self, *statements: str) -> None:
        """Change the database behind the product's back, as its administrator could; he puts the triggers back."""
        with closing(sqlite3.connect(self.folder / "foureyes.db")) as connection:
            connection.execute("PRAGMA ignore_check_constraints = ON")
            triggers = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
            for name, _ in triggers:
                connection.execute(f"DROP TRIGGER {name}")
            for statement in statements:
                connection.execute(statement)
            for _, sql in triggers:
                with suppress(sqlite3.OperationalError):  # a table that is gone has none
                    connection.execute(sql)
            connection.commit()


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """Give this process's environment without what measures tests."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")} | dict(more)
