"""Whether a database still has what this version's steps make: tables, indexes, and the triggers that guard the log.

Whoever may write the file can drop a trigger, and change what it guards. That is found by the log itself; that the
guard is gone is found here. It only looks.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

MADE: Final = "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite%' ORDER BY type, name"
_ALEMBIC: Final = "alembic_version"
_OBJECT: Final = re.compile(r"^-- (\w+) (\w+)\n(.*?);(?=\n\n|\n\Z)", re.MULTILINE | re.DOTALL)


def text_of(rows: Iterable[Iterable[Any]]) -> str:
    """Write what a database has, as the file beside this one holds it; `rows` is what MADE gives."""
    wanted = [(kind, name, sql) for kind, name, _, sql in rows if name != _ALEMBIC]
    return "\n".join(f"-- {kind} {name}\n{sql};\n" for kind, name, sql in wanted)


@cache
def _wanted() -> Mapping[tuple[str, str], str]:
    text = (Path(__file__).parent / "schema.sql").read_text(encoding="utf-8")
    return {(found[1], found[2]): found[3] for found in _OBJECT.finditer(text)}


def faults(rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """Say what is gone or changed, and which triggers are not ours; `rows` is what MADE gives."""
    wanted = dict(_wanted())
    for kind, name, table, sql in rows:
        made = wanted.pop((kind, name), None)
        if made is None and kind == "trigger":
            yield f"there is a trigger {name} on {table} that this program did not make; look what it does, and drop it"
        elif made is not None and _bare(made) != _bare(sql):
            yield f"the {kind} {name} was changed"
    for kind, name in wanted:
        yield f"the {kind} {name} is gone: somebody dropped it"


def _bare(sql: str) -> str:
    """Take away what SQLite's versions write differently."""
    return " ".join(sql.replace('"', "").split())


def broken(rows: Iterable[Iterable[Any]]) -> tuple[str, ...]:
    """Name the triggers that are gone or changed."""
    there = {name: sql for kind, name, _, sql in rows if kind == "trigger"}
    triggers = [(name, sql) for (kind, name), sql in _wanted().items() if kind == "trigger"]
    return tuple(name for name, sql in triggers if _bare(there.get(name, "")) != _bare(sql))


def made_of(name: str) -> str:
    """Give the statement that makes a trigger."""
    return _wanted()["trigger", name]
