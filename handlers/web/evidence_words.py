"""The fixed texts of an evidence pack: how to check it, and what it does not prove. It knows no decision."""

from typing import Final

CHECKS: Final = (
    ("Every file is as it was made", "sha256sum -c SHA256SUMS"),
    ("An entry is what its values say", "entries/N.disclosures: base64url(sha256(base64url(line))) stands in `_sd`"),
    ("An entry stands in the signed log", "entries/N.tlog-proof, with any program that reads c2sp.org/tlog-proof"),
    (
        "The checkpoint is the log's",
        "keys.txt against the key that you know: from jwks.json of the server, or an earlier pack",
    ),
    ("What was approved is what ran", "sha256sum action.json is the digest in the entries and in the grant"),
    ("The policy is the one that decided", "sha256sum policy/*/listing is the version; its lines are the files' own"),
    ("A second factor signed this", "votes/N, with openssl, as docs/passkeys.md says"),
)
LIMITS: Final = (
    "That nothing about it, and no pause that held it up, was left out. Name an export of the log with it to see that.",
    "That the log was not written anew by somebody who stole its key. Checkpoints that others keep would show it.",
    "That what an agent or a person wrote is true; only that it was written, and when it was recorded.",
    "That the clock of the server was right.",
    "That the names are those of that day: the log has pseudonyms, and a name is what the person is called now.",
    "That Slack showed a message as it was sent. The digest is of what was sent.",
)
README: Final = "\n".join(
    [
        "Evidence of one decision, format foureyes-evidence/1. Open index.html to read it.",
        "",
        "How to check it, without any program of Foureyes:",
        *[f"- {what}: {how}" for what, how in CHECKS],
        "",
        "What it does not prove:",
        *[f"- {limit}" for limit in LIMITS],
        "",
        "docs/evidence.md of Foureyes says more.",
        "",
    ]
)
