"""Why something did not count, for whoever looks afterwards."""

from approval_rules.refusals import Refusal
from handlers.web.refused_words import why_refused

# What is never said of a proposal: pauses, people, reviews and forms have their own entries.
OF_NO_PROPOSAL = {
    *("not-operator", "nothing-paused", "incident-on", "no-incident", "second-person-needed", "own-factor"),
    *("not-factor-admin", "other-admin-needed", "not-waiting", "several-wait", "no-pages", "not-admin", "own-account"),
    *("nothing-changed", "second-admin-needed", "not-blocked", "nobody-may-start", "started-before"),
    *("typed-value-differs", "contradictory-fact", "not-away", "delegate-self", "delegate-cannot", "delegate-away"),
    *("delegate-not-in-role", "no-delegate", "not-reviewer", "unknown-report", "report-too-old", "already-signed"),
    *("review-superseded", "no-such-item", "may-not-reveal", "not-claimed", "outcome-conflict"),
}


def test_each_reason_has_words_and_its_code() -> None:
    """A new reason is told in words, or is listed here; the code that the log has is always there."""
    bare = {code.value for code in Refusal if why_refused(code) == code.value}
    assert bare == OF_NO_PROPOSAL
    told = {code: why_refused(code) for code in Refusal if code.value not in bare}
    assert len({*told.values()}) == len(told)
    assert all(words.endswith(f" ({code.value})") for code, words in told.items())
