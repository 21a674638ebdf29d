"""Codes of apps and recovery codes, and what seals the secrets."""

from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from bot.clock import new_token
from bot.keys import generate
from bot.one_time_codes import accepted_step, new_recovery_codes, new_secret, recovery_hash, setup_uri
from bot.sealing import CannotOpenError, Seal

AT = datetime(2026, 1, 1, 12, 0, 15, tzinfo=UTC)
STEP = int(AT.timestamp()) // 30
# RFC 6238, appendix B: the SHA-1 secret, and the last six of its eight digits.
RFC = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


@pytest.mark.parametrize(
    ("second", "code"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_the_codes_are_those_of_the_standard(second: int, code: str) -> None:
    """An app that knows nothing of us shows what we take."""
    at = datetime.fromtimestamp(second, UTC)
    assert accepted_step(RFC, code, at, 0) == second // 30


@pytest.mark.parametrize(("offset", "taken"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)])
def test_a_clock_may_be_half_a_minute_off(offset: int, taken: bool) -> None:  # noqa: FBT001 - a case
    """The step before and the step after count; no other does."""
    code = pyotp.TOTP(RFC).at(AT + timedelta(seconds=offset))
    assert (accepted_step(RFC, code, AT, 0) is not None) is taken


def test_a_step_counts_once() -> None:
    """Neither the same nor an earlier one counts after it."""
    app = pyotp.TOTP(RFC)
    now, before = app.generate_otp(STEP), app.generate_otp(STEP - 1)
    assert accepted_step(RFC, now, AT, STEP - 1) == STEP
    assert accepted_step(RFC, now, AT, STEP) is None
    assert accepted_step(RFC, before, AT, STEP - 1) is None


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "٣٤٥٦٧٨", "12345\n", "-12345", "1e5000"])
def test_what_is_no_code_is_wrong(code: str) -> None:
    """Other digits, other lengths, and nothing at all."""
    assert accepted_step(RFC, code, AT, 0) is None


def test_spaces_do_not_matter() -> None:
    """Apps show three and three."""
    code = pyotp.TOTP(RFC).generate_otp(STEP)
    assert accepted_step(RFC, f" {code[:3]} {code[3:]} ", AT, 0) == STEP


def test_secrets_and_recovery_codes_are_made_of_chance() -> None:
    """Long enough, never twice, and readable."""
    assert len(new_secret(new_token)) == 32
    codes = new_recovery_codes(new_token)
    assert len(set(codes)) == 10
    assert all(len(code) == 19 for code in codes)
    assert recovery_hash(codes[0].upper().replace("-", " ")) == recovery_hash(codes[0])
    assert recovery_hash(codes[0]) != recovery_hash(codes[1])
    assert recovery_hash("\udcff") != recovery_hash(codes[1])


def test_an_app_reads_the_address() -> None:
    """It says whose it is and by whom."""
    found = pyotp.parse_uri(setup_uri(RFC, "Maya Chen", "Foureyes"))
    assert (found.secret, found.name, found.issuer) == (RFC, "Maya Chen", "Foureyes")


def test_what_is_sealed_opens_in_its_place_only() -> None:
    """Not elsewhere, not with another key or purpose, not changed; and the error quotes nothing."""
    key = generate()
    seal = Seal(key, "totp", new_token)
    sealed = seal.seal(RFC, "cred_1")
    assert RFC not in sealed
    assert seal.open(sealed, "cred_1") == RFC
    assert sealed != seal.seal(RFC, "cred_1")
    others = [(seal, sealed, "cred_2"), (Seal(key, "x", new_token), sealed, "cred_1")]
    others += [(Seal(generate(), "totp", new_token), sealed, "cred_1"), (seal, sealed[:-4] + "AAAA", "cred_1")]
    others += [(seal, "", "cred_1"), (seal, "v1:é", "cred_1")]
    for with_this, text, place in others:
        with pytest.raises(CannotOpenError) as caught:
            with_this.open(text, place)
        assert RFC not in str(caught.value)
    assert RFC not in repr(seal)
