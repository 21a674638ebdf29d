"""How the verifier of one file words the reasons that `damages.py` knows in the words of `audit verify`."""

from tests.tamper.damages import (
    CHANGED,
    COLUMNS,
    GONE,
    HASH,
    KEPT,
    LINK,
    NOTE,
    NUMBER,
    REWRITTEN,
    STRAY,
    TREE,
    WHEN,
    Damage,
)

WORDS = {
    HASH: "its bytes do not have the hash that stands beside it",
    LINK: "it does not link to the one before",
    NUMBER: "it calls itself",
    "entries are missing": r"entry \d+ is missing|the entries \d+ to \d+ are missing|the last are missing",
    COLUMNS: "the look-up columns differ from it",
    CHANGED: "the detached value '.*' is not the one that it promises",
    STRAY: "the detached value '.*' belongs to no entry",
    GONE: "of its detached values are gone and no erasure was recorded",
    TREE: r"the kept subtree \d+ of level \d+ is not what the entries give|is kept that the entries do not have",
    WHEN: "the checkpoint of .* was not signed when it says",
    NOTE: r"the checkpoint of .* in the database(: |.* is one of)",
    KEPT: r"counts \d+ checkpoints that were kept, and \d+ of them are gone",
    REWRITTEN: "history was rewritten|is of another log",
    "keys of agent": "the key .* of agent_keys is none that an entry gave out",
    "operator's key": "the key .* of operator_keys is none that an entry gave out",
    "auditor's key": "the key .* of auditor_keys is none that an entry gave out",
    "credential": "the second factor .* is not verified by what was enrolled",
    "another key, secret or code": "the second factor .* is not verified by what was enrolled",
}


def reason_by_file(damage: Damage) -> str:
    """Give the pattern of what the verifier of one file must say of a damage that it can see."""
    return "|".join(words for reason, words in WORDS.items() if reason in damage.told) or "nothing that it could say"
