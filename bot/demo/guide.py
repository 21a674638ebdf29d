"""The guided tour: 13 steps and one extra, each ticked off by what the log says, never by a click on the guide."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from bot.demo.ledger import Entry

_BURST: Final = 10


@dataclass(frozen=True, slots=True)
class Known:
    """What is known beside the log: whether it verified, what became of the forgery, whether a pause is on."""

    was_whole: bool
    forged: bool
    found_forgery: bool
    paused: bool


@dataclass(frozen=True, slots=True)
class _Step:
    """One step; `action` is a button's label and what it posts. `again` keeps the button on other steps' turns.

    `with_passkey` is shown too where the browser can make a passkey.
    """

    id: str
    title: str
    text: str
    action: tuple[str, str] | None = None
    again: bool = False
    with_passkey: str = ""


_STEPS: Final = (
    _Step(
        "small",
        "A small refund just runs",
        "The agent wants to refund $42.50. Policy allows that: nobody is asked, and the channel stays quiet. "
        "*What the agent sees* and *Audit log* show it.",
        ("Let the agent propose $42.50", "propose-small"),
    ),
    _Step(
        "packet",
        "A larger one asks people",
        "Now it wants $180.00. A packet arrives in #refund-approvals: what exactly, why you are asked, and what "
        "happens if you say no.",
        ("Let the agent propose $180.00", "propose-large"),
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
        ("Let the agent propose it", "propose-hostile"),
    ),
    _Step(
        "pause",
        "Pull the brake",
        "Type `/agent pause looks wrong` in the channel. Any member may. Everything stops at once.",
    ),
    _Step(
        "resume",
        "Starting again takes two",
        "Type `/agent resume all` as Maya, then the same as Jonas. One person alone cannot.",
    ),
    _Step(
        "red",
        "Red: no agent may",
        "It wants to pay a supplier $9,400.00. Policy blocks that for every agent. Only a person can start it, and a "
        "click is not enough: each yes needs a second factor.",
        ("Let the agent try $9,400.00", "propose-payout"),
        again=True,
    ),
    _Step(
        "start",
        "Start it yourself",
        "As Maya, press *Start it myself …* in the packet. Type `9400` again and say why. Then type the code that "
        "Maya's phone shows.",
        with_passkey="This browser can make a passkey, which is stronger and is asked for where there is one. First, "
        "as Maya, type `/agent factor add passkey` and make one on the page. Then, as Sam, press "
        "*Confirm* in #agent-ops. It stays on this computer until you delete it there.",
    ),
    _Step(
        "red-yes",
        "Two others approve it",
        "Approve as Jonas, then as Priya. Each types the code of his or her own phone. Maya cannot: she started it. "
        "Then the agent pays, once.",
    ),
    _Step(
        "verify",
        "Is the log whole?",
        "Each step so far is an entry. Verify hashes all of them again.",
        ("Verify the log", "verify"),
        again=True,
    ),
    _Step("forge", "Forge the log", ""),
    _Step(
        "burst",
        "Extra: ten at once",
        "Slack takes one message a second in a channel, so ten packets arrive over ten seconds. None is lost: "
        "`/agent pending` lists them at once.",
        ("Let the agent propose ten", "burst"),
        again=True,
    ),
)
_UNDER_PAUSE: Final = "Everything is paused. Now let the agent propose: it is refused, and stops."
_FORGE: Final = {
    "tamper": ("Be the database's administrator: change one entry behind the program's back.", "Tamper with an entry"),
    "verify": ("One entry was changed, and the traces were removed. Verify again.", "Verify the log"),
    "restore": ("Found: the log says which entry. Now put the old bytes back.", "Restore the entry"),
}
_FORGED_AND_FOUND: Final = "The log said which entry was changed, and the old bytes are back. Verify once more to see."


def steps(entries: Sequence[Entry], known: Known) -> list[dict[str, Any]]:
    """Give the steps as the page draws them; the first that is not done has the turn."""
    done = set(_done(entries))
    if known.was_whole:
        done.add("verify")
    if known.found_forgery and not known.forged:
        done.add("forge")
    turn = next((step.id for step in _STEPS if step.id not in done), "")
    return [_shown(_now(step, known), turn, done=step.id in done) for step in _STEPS]


def _now(step: _Step, known: Known) -> _Step:
    """Give the step as it reads in this situation."""
    if step.id == "pause" and known.paused:
        return replace(step, text=_UNDER_PAUSE, action=("Let the agent propose", "propose"))
    if step.id != "forge":
        return step
    if known.found_forgery and not known.forged:
        return replace(step, text=_FORGED_AND_FOUND)
    act = "tamper" if not known.forged else "restore" if known.found_forgery else "verify"
    text, label = _FORGE[act]
    return replace(step, text=text, action=(label, act), again=True)


def _shown(step: _Step, turn: str, *, done: bool) -> dict[str, Any]:
    wanted = step.action if step.again or step.id == turn else None
    action = None if wanted is None else {"label": wanted[0], "post": f"/demo/act/{wanted[1]}"}
    hint = "" if done else step.with_passkey
    told = {"id": step.id, "title": step.title, "text": step.text, "with_passkey": hint}
    return {**told, "done": done, "action": action}


def _done(entries: Sequence[Entry]) -> Iterator[str]:
    """Tell which steps the log shows as done."""
    kinds = [entry.type for entry in entries]
    about = {kind: {entry.subject for entry in entries if entry.type == kind} for kind in kinds}
    posted, blocked = about.get("packet.posted", set()), about.get("proposal.blocked", set())
    reported, voted = about.get("outcome.reported", set()), about.get("vote.counted", set())
    started = {entry.subject for entry in entries if entry.data.get("initiator")}
    decisions = {entry.data.get("decision") for entry in entries if entry.type == "vote.counted"}
    refused = {entry.data.get("code") for entry in entries if entry.type == "proposal.submit_refused"}
    found = {
        "small": bool(reported - voted),
        "packet": bool(posted - blocked - started),
        "first-yes": "approve" in decisions,
        "refused": "vote.refused" in kinds,
        "second-yes": bool(reported & voted),
        "hostile": "proposal.denied" in kinds,
        "pause": "paused" in refused,
        "resume": {"switch.resume_asked", "switch.resumed"} <= set(kinds),
        "red": bool(posted & blocked),
        "start": bool(started),
        "red-yes": bool(reported & started),
        "burst": kinds.count("packet.posted") >= _BURST,
    }
    yield from (step for step, is_done in found.items() if is_done)
