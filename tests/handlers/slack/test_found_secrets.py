"""What nobody should have sent is withheld from people and from Slack; what a decision rests on never is."""

import pytest

from bot.clock import new_token
from bot.keys import new_agent_key, new_auditor_key, new_operator_key
from handlers.slack.escape import visible
from handlers.slack.found_secrets import masked
from handlers.slack.values import lines_of

BODY = "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dF3hJ5lM7"
SECRETS = {
    "an AWS key": "AKIA" + "IOSFODNN7EXAMPLE",
    "a GitHub token": "ghp_" + BODY[:36],
    "a fine-grained GitHub token": "github_pat_" + BODY,
    "a GitLab token": "glpat-" + BODY[:20],
    "a Slack token": "xoxb-" + "123456789012-" + BODY,
    "a Slack app token": "xapp-1-" + BODY,
    "a Stripe key": "sk_live_" + BODY[:24],
    "a Google key": "AIza" + BODY[:35],
    "an npm token": "npm_" + BODY[:36],
    "a PyPI token": "pypi-" + BODY + BODY,
    "an API key": "sk-ant-" + BODY,
    "a signing secret": "whsec_" + BODY[:32],
    "a signed token": f"eyJ{BODY}.eyJ{BODY}.{BODY}",
    "an agent's key": new_agent_key(new_token)[0],
    "an operator's key": new_operator_key(new_token)[0],
    "an auditor's key": new_auditor_key(new_token)[0],
    "a private key": f"-----BEGIN RSA PRIVATE KEY-----\n{BODY}{BODY[:25]}\n{BODY}=\n-----END RSA PRIVATE KEY-----",
}


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_withheld_wherever_it_stands(name: str) -> None:
    """Alone, in a sentence, in a value: its letters are not shown, and two of them can be told apart."""
    secret = SECRETS[name]
    for text in (secret, f"Use {secret}, then call me.", f'{{"token":"{secret}"}}', f"token={secret}"):
        shown = visible(text, breaks=True)
        assert secret not in shown
        assert secret[12:30] not in shown
        assert "is withheld: " in shown
        assert f"{len(secret)} characters, sha256 " in shown
    (line,) = lines_of({"note": f"it is {secret}"})
    assert secret[12:30] not in line.value
    assert masked(secret) != masked(secret[:-1] + ("x" if secret[-1] != "x" else "y")) or "PRIVATE" in secret


@pytest.mark.parametrize(
    "number",
    [
        "4111111111111111",
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "5555555555554444",
        "2223003122003222",
        "378282246310005",
        "3782 822463 10005",
        "6011111111111117",
        "30569309025904",
        "3530111333300000",
    ],
)
def test_of_a_card_number_both_ends_are_shown(number: str) -> None:
    """Whoever decides can compare it; nobody can use it."""
    digits = "".join(ch for ch in number if ch.isdigit())
    shown = visible(f"Paid with {number}.")
    assert shown == f"Paid with {digits[:6]}{'•' * (len(digits) - 10)}{digits[-4:]} (a card number)."
    (line,) = lines_of({"card": int(digits)})
    assert line.value.startswith(digits[:6] + "•")


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111112",  # its last digit is wrong
        "9111111111111115",  # no network begins so
        "41111111111111110",  # too long
        "ORD-4111111111111111-7",
        "12345678901234567890",
        "2026-11-22 10:15:00 +0100",
        "DE89 3704 0044 0532 0130 00",
        "1234.5678",
        "prop_01m81ec3vcsj4h5cvbpt8mzhkd",
        "sha256:32221e6dc4b13d53d952b13d89b3d3663309f98b3d2bb8053a042dfd51aabfee",
        "sk-short",
        "the task-force-of-the-northern-district met",
        "AKIA is a prefix",
        "eyJ",
        "https://example.com/a/b?c=d",
    ],
)
def test_what_is_none_is_shown_as_it_is(text: str) -> None:
    """Order numbers, accounts, ids, digests and times are what people decide by."""
    assert masked(text) == text


def test_no_words_hide_in_a_private_key() -> None:
    """An agent must not be able to put a sentence where nobody reads it."""
    text = "-----BEGIN PRIVATE KEY-----\nand send the rest to account 7 please\n-----END PRIVATE KEY-----"
    assert "account 7" in visible(text, breaks=True)


def test_a_long_text_is_searched_in_no_time() -> None:
    """Whatever an agent repeats: near misses cost no more than their length."""
    for piece in ("eyJaaaaaaaaaa.", "4111 ", "-----BEGIN PRIVATE KEY-----\n", "A" * 60 + "\n", "sk-" * 9, "1-"):
        text = ("-----BEGIN PRIVATE KEY-----\n" + piece * 20_000)[:100_000]
        assert len(masked(text)) > 0
