"""Which of a person's factors is asked for: the strongest that counts, if it is enough. Verifies nothing."""

from collections.abc import Mapping

from approval_rules.refusals import Refusal
from approval_rules.step_up import Factor, StepUp
from bot.desk.code_votes import app_of
from bot.store.credentials import CredentialRow


def chosen_factor(asked: StepUp, held: Mapping[str, CredentialRow], *, pages: bool) -> Factor | Refusal:
    """Choose the factor, or say why there is none; passkeys need `pages`."""
    passkeys = [one for one in held.values() if one.factor == "passkey"]
    if pages and any(one.state == "active" for one in passkeys):
        return "passkey"
    app = app_of(held) if asked == "totp" else None
    if app is not None:
        return "totp" if app.state == "active" else Refusal.FACTOR_LOCKED
    return Refusal.FACTOR_LOCKED if any(one.state == "locked" for one in passkeys) else Refusal.FACTOR_MISSING
