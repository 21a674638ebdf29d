"""The policy versions in the database: the bytes of every file, named by their SHA-256.

Never gives out a version that is not what its name says.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from approval_rules.canonical import sha256_name
from bot.policy_content import PolicyContent, listed
from bot.store.engine import StoreUnavailableError
from bot.store.rows import Row
from bot.store.transaction import Transaction

Look: TypeAlias = Callable[[str, Mapping[str, Any]], Sequence[Row]]
_KEEP = "INSERT INTO policy_content (hash, content) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING"
_CONTENT = "SELECT hash, content FROM policy_content WHERE hash IN (SELECT value FROM json_each(:hashes))"
_EVERYTHING = "SELECT hash, content FROM policy_content ORDER BY hash"


class PolicyStoreError(StoreUnavailableError):
    """A policy version in the database is not what its name says; the message says which and what to do."""


def looking(connection: sqlite3.Connection) -> Look:
    """Give the reading that `content_of` needs, from a connection."""
    return lambda sql, where: connection.execute(sql, where).fetchall()


def within(tx: Transaction) -> Look:
    """Give the reading that `content_of` needs, inside a transaction: with what its batch keeps and has not written."""

    def look(sql: str, where: Mapping[str, Any]) -> Sequence[Row]:
        return [*tx.rows(sql, where), *tx.planned_rows(_KEEP)]

    return look


def keep(tx: Transaction, content: PolicyContent) -> str:
    """Keep a version for ever; what is there already is kept once."""
    tx.write(_KEEP, (content.version, content.listing))
    for data in content.files.values():
        tx.write(_KEEP, (sha256_name(data), data))
    return content.version


def content_of(look: Look, version: str) -> PolicyContent:
    """Give a version's files, each held against its name. Raises PolicyStoreError."""
    listing = _checked(look, version, {"its list of files": version})["its list of files"]
    return PolicyContent(_checked(look, version, listed(listing)))


def _checked(look: Look, version: str, wanted: Mapping[str, str]) -> dict[str, bytes]:
    """Read several contents by their hashes."""
    found = {str(name): _bytes(content) for name, content in look(_CONTENT, {"hashes": json.dumps([*wanted.values()])})}
    for name, digest in wanted.items():
        if digest not in found or sha256_name(found[digest]) != digest:
            wrong = "was changed" if digest in found else "is missing"
            raise PolicyStoreError(
                f"policy version {version} in the database cannot be trusted: {name} {wrong}. Restore the database from"
                " a backup and keep this copy as evidence; `foureyes audit verify` shows everything that is wrong"
            )
    return {name: found[digest] for name, digest in wanted.items()}


def faults(connection: sqlite3.Connection, named: Iterable[str]) -> Iterator[str]:
    """Find what is wrong with the versions that the log names, and what is there under a wrong name."""
    for digest, content in connection.execute(_EVERYTHING):
        if sha256_name(_bytes(content)) != digest:
            yield f"the policy content {digest} was changed"
    for version in named:
        try:
            content_of(looking(connection), version)
        except PolicyStoreError as error:
            yield str(error)


def _bytes(content: bytes | str) -> bytes:
    return content if isinstance(content, bytes) else str(content).encode()  # whoever rewrote the schema
