"""`foureyes doctor` on lookups: what each needs, and nothing is asked for."""

import pytest

from bot.doctor import State
from tests.bot.delivery.receiver import Receiver
from tests.bot.test_doctor import Patient, patient

__all__ = ["patient"]  # the fixture
RULES = "  rules: [{if: 'n == 1', require_approval: support_manager}]\n"


@pytest.mark.parametrize(
    ("fields", "environ", "state", "detail"),
    [
        ("url: 'URL'", {"FOUREYES_LOOKUP_ALLOW": "127.0.0.1"}, State.GOOD, "may be asked for at 127.0.0.1"),
        ("url: 'URL'", {}, State.FAIL, "plain http; use https, or list 127.0.0.1 in FOUREYES_LOOKUP_ALLOW"),
        ("url: 'https://127.0.0.1/'", {}, State.FAIL, "127.0.0.1 is private; list it in FOUREYES_LOOKUP_ALLOW"),
        ("url: 'https://127.0.0.1/'", {"FOUREYES_CALLBACK_ALLOW": "127.0.0.1"}, State.FAIL, "127.0.0.1 is private"),
        ("url: 'https://nowhere.invalid/'", {}, State.FAIL, "nowhere.invalid: its host is not known"),
        ("url: 'https://93.184.216.34/', header_env: FOUREYES_A_TOKEN", {}, State.FAIL, "FOUREYES_A_TOKEN is not set"),
        (
            "url: 'https://93.184.216.34/', header_env: FOUREYES_A_TOKEN",
            {"FOUREYES_A_TOKEN": "Bearer s"},
            State.GOOD,
            "may be asked for at 93.184.216.34",
        ),
        ("url: 'https://x.example/'", {"FOUREYES_LOOKUP_ALLOW": "a b"}, State.FAIL, "FOUREYES_LOOKUP_ALLOW: 'a b' is"),
    ],
)
async def test_what_a_lookup_needs(
    patient: Patient, fields: str, environ: dict[str, str], state: State, detail: str
) -> None:
    """A token, TLS, an address that may be reached: one line a lookup, and no connection is made."""
    async with Receiver() as crm:
        url = crm.url()
        facts = f"  facts: {{tier: {{{fields.replace('URL', url)}}}}}\n"
        text = f"policy:\n  tool: pay\n{facts}{RULES}"
        (patient.shell.folder / "policy" / "pay.yml").write_text(text, "utf-8")
        patient.shell.set(**environ)
        (found,) = (await patient.examine())["lookups"]
        assert found.state is state
        assert detail in found.detail
        assert crm.connections == 0
