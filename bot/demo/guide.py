"""The guided tour: ten steps and one extra, each ticked off by what the log says, never by a click on the guide."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bot.demo.ledger import Entry

_BURST: Final = 10
_PROPOSE: Final = "propose"


@dataclass(frozen=True, slots=True)
class Known:
    """What is known beside the log: whether it verified, and what became of the forgery."""

    was_whole: bool
    forged: bool
    found_forgery: bool


@dataclass(frozen=True, slots=True)
class _Step:
    id: str
    title: str
    text: str
    action: tuple[str, str] | None = None


_STEPS: Final = (
    _Step(
        "small",
        "A small refund just runs",
        "The agent wants to refund $42.50. Policy allows that: nobody is asked, and the channel stays quiet. "
        "*What the agent sees* and *Audit log* show it.",
        ("Let the agent propose $42.50", _PROPOSE),
    ),
    _Step(
        "packet",
        "A larger one asks people",
        "Now it wants $180.00. A packet arrives in #refund-approvals: what exactly, why you are asked, and what "
        "happens if you say no.",
        ("Let the agent propose $180.00", _PROPOSE),
    ),
    _Step(
        "first-yes",
        "Approve as Maya",
        "Under *Act as*, be Maya Chen. Press Approve in the packet. That is one of two: nothing runs yet.",
    ),
    _Step(
        "refused",
        "Now try to cheat",
        "Press Approve once more as Maya. Or be Sam Okafor, who owns the agent. Neither counts, and you are told why.",
    ),
    _Step(
        "second-yes",
        "Approve as Jonas",
        "Be Jonas Weber and press Approve. The agent gets one signed permission, uses it once, and reports back.",
    ),
    _Step(
        "hostile",
        "A hostile ticket",
        "The next one tries everything: it pings the channel, fakes a button and an approval, hides the amount. Look: "
        "it all stays text, and the headline is made of the arguments. Press Deny and say why.",
        ("Let the agent propose a hostile one", _PROPOSE),
    ),
    _Step(
        "pause",
        "Pull the brake",
        "Type `/agent pause looks wrong` in the channel. Any member may. Then let the agent propose: it is refused, "
        "and stops.",
        ("Let the agent propose", _PROPOSE),
    ),
    _Step(
        "resume",
        "Starting again takes two",
        "Type `/agent resume all` as Maya, then the same as Jonas. One person alone cannot.",
    ),
    _Step(
        "verify",
        "Is the log whole?",
        "Each step so far is an entry. Verify hashes all of them again.",
        ("Verify the log", "verify"),
    ),
    _Step("forge", "Forge the log", ""),
    _Step(
        "burst",
        "Extra: ten at once",
        "Slack takes one message a second in a channel, so ten packets arrive over ten seconds. None is lost: "
        "`/agent pending` lists them at once.",
        ("Let the agent propose ten", "burst"),
    ),
)
_FORGE: Final = {
    "tamper": ("Be the database's administrator: change one entry behind the program's back.", "Tamper with an entry"),
    "verify": ("One entry was changed, and the traces were removed. Verify again.", "Verify the log"),
    "restore": ("Found: the log says which entry. Now put the old bytes back.", "Restore the entry"),
    "done": ("The log said which entry was changed. The old bytes are back.", "Verify the log"),
}


def steps(entries: Sequence[Entry], known: Known) -> list[dict[str, Any]]:
    """Give the steps as the page draws them."""
    done = set(_done(entries))
    if known.was_whole:
        done.add("verify")
    if known.found_forgery and not known.forged:
        done.add("forge")
    return [_shown(step if step.id != "forge" else _forge(known), done=step.id in done) for step in _STEPS]


def _shown(step: _Step, *, done: bool) -> dict[str, Any]:
    action = None if step.action is None else {"label": step.action[0], "post": f"/demo/act/{step.action[1]}"}
    return {"id": step.id, "title": step.title, "text": step.text, "done": done, "action": action}


def _forge(known: Known) -> _Step:
    if known.forged:
        now = "restore" if known.found_forgery else "verify"
    else:
        now = "done" if known.found_forgery else "tamper"
    text, label = _FORGE[now]
    return _Step("forge", "Forge the log", text, (label, "verify" if now == "done" else now))


def _done(entries: Sequence[Entry]) -> Iterator[str]:
    """Tell which steps the log shows as done."""
    kinds = [entry.type for entry in entries]
    yeses = [entry for entry in entries if entry.type == "vote.counted" and entry.data.get("decision") == "approve"]
    voted = {entry.subject for entry in entries if entry.type == "vote.counted"}
    reported = {entry.subject for entry in entries if entry.type == "outcome.reported"}
    if reported - voted:
        yield "small"
    if "packet.posted" in kinds:
        yield "packet"
    if yeses:
        yield "first-yes"
    if "vote.refused" in kinds:
        yield "refused"
    if reported & voted:
        yield "second-yes"
    if "proposal.denied" in kinds:
        yield "hostile"
    if any(entry.type == "proposal.submit_refused" and entry.data.get("code") == "paused" for entry in entries):
        yield "pause"
    if "switch.resumed" in kinds and "switch.resume_asked" in kinds:
        yield "resume"
    if kinds.count("packet.posted") >= _BURST:
        yield "burst"
