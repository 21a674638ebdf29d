"""Finds the data keys that a database was sealed with, or makes a file of them for one in which nothing is sealed."""

from contextlib import closing
from pathlib import Path

from bot.clock import NewToken
from bot.data_keys import DataKeys, create
from bot.keys import KeyFileError, SigningKey
from bot.person_marks import account_marking
from bot.store.engine import open_reader
from bot.store.sealed import use_vault

_SEALED = (
    "SELECT EXISTS (SELECT 1 FROM main.detached WHERE key IS NOT NULL ORDER BY rowid DESC LIMIT 1)"
    " OR EXISTS (SELECT 1 FROM main.people WHERE key IS NOT NULL)"
)


def vault_of(database: Path, file: Path, new_token: NewToken, key: SigningKey) -> DataKeys:
    """Open the data keys, for every connection of this process.

    Raises KeyFileError where they are unfit, or missing while sealed values are there.
    """
    try:
        keys = DataKeys(file, new_token, account_marking(key))
    except FileNotFoundError:
        require_none_sealed(database, file)
        create(file)
        keys = DataKeys(file, new_token, account_marking(key))
    use_vault(database, keys)
    return keys


def require_none_sealed(database: Path, file: Path) -> None:
    """Raise KeyFileError, which says that the file is missing, where values lie sealed in the database."""
    with closing(open_reader(database)) as connection:
        if connection.execute(_SEALED).fetchone()[0]:
            raise KeyFileError(
                f"{file} is missing, and without it what people and agents wrote cannot be read any more; restore it"
                " from its backup. Only if it is lost for good: `foureyes retention --keys-lost` begins a new one"
            )
