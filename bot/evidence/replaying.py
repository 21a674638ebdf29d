"""Replays one decision: what was known, shown, decided and done, by what versions, and the policy asked again.

It decides nothing, and hides what the policy hides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from approval_rules.canonical import sha256_name
from approval_rules.events import Submitted
from approval_rules.question_events import Edited
from approval_rules.times import format_time
from bot.evidence.gaps import gone_of
from bot.evidence.gathering import Decision, Place
from bot.evidence.holding import faults_of
from bot.evidence.judging import Judgement, judgements
from bot.evidence.showing import Shown, Views
from bot.evidence.telling import moments
from bot.store.decisions import Callback
from handlers.slack.details import pages_of
from handlers.slack.sentence import sentence_of
from handlers.slack.text import fields_of
from handlers.web.blocks_text import lines_of
from handlers.web.story import Moment

_OF_THE_RUN: Final = ("model", "prompt_version", "workflow_version")
_ERASED: Final = "what was asked for has been erased"


@dataclass(frozen=True, slots=True)
class Step:
    """One moment; with all that was known where something was judged, with the packet where one was shown.

    `erased` names what was recorded with it and is gone.
    """

    moment: Moment
    known: Sequence[str]
    shown: Shown | None
    callback: Callback | None
    erased: Sequence[str]


@dataclass(frozen=True, slots=True)
class Replay:
    """A decision from its beginning to its end. `pinned` names what it rests on, `run` what the agent said it was."""

    decision: Decision
    headline: str
    pinned: Sequence[tuple[str, str]]
    run: Mapping[str, str]
    steps: Sequence[Step]
    judged: Sequence[Judgement]
    broken: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether the log is whole, and no policy of then comes to something else now."""
        return not self.broken and all(each.answer != "differs" for each in self.judged)


def replay_of(decision: Decision, _: Place, wrong: Sequence[str]) -> Replay:
    """Replay a decision; `wrong` is what a verification of the whole log found."""
    views, proposal = Views(decision), decision.proposal
    shown = {each.seq: each for each in views.packets()}
    judged_at = {seq for seq, event in decision.events if isinstance(event, Submitted | Edited)}
    gone = {each.seq: gone_of(each) for each in decision.entries}
    said = {str(line.name): str(line.value) for line in fields_of(proposal.run)}
    return Replay(
        decision,
        sentence_of(proposal).headline if proposal.digest else _ERASED,
        _pinned(decision),
        {name: said[name] for name in _OF_THE_RUN if name in said},
        [
            Step(
                each,
                _known(views, each.seq) if each.seq in judged_at else (),
                shown.get(each.seq),
                decision.callbacks.get(each.seq),
                gone[each.seq],
            )
            for each in moments(decision)
        ],
        judgements(decision),
        faults_of(decision, wrong),
    )


def _pinned(decision: Decision) -> list[tuple[str, str]]:
    """Name each policy version, and of its files those that decide about this tool, by their SHA-256."""
    found: list[tuple[str, str]] = []
    for name, version in decision.versions.items():
        found.append(("policy", name if version.fault is None else f"{name} ({version.fault})"))
        found += [(file, sha256_name(data)) for file, data in version.of_tool(decision.proposal.tool).items()]
    return found


def _known(views: Views, seq: int) -> Sequence[str]:
    seen = views.at(seq)
    return [line for page in pages_of(seen, seen.proposal.judged_at) for line in lines_of(page)]


def document_of(found: Replay) -> dict[str, Any]:
    """Write a replay as JSON."""
    proposal = found.decision.proposal
    return {
        "proposal": proposal.id,
        "headline": found.headline,
        "agent": proposal.agent.name,
        "tool": proposal.tool,
        "state": proposal.status.value,
        "pinned": [{"what": what, "is": name} for what, name in found.pinned],
        "run": found.run,
        "moments": [_step(each) for each in found.steps],
        "judged_again": [_judged(each) for each in found.judged],
        "broken": list(found.broken),
        "holds": found.holds,
    }


def _step(step: Step) -> dict[str, Any]:
    at = step.moment
    told: dict[str, Any] = {"seq": at.seq, "at": format_time(at.at), "kind": at.kind, "who": at.who, "what": at.what}
    if step.known:
        told["known"] = list(step.known)
    if step.erased:
        told["erased"] = list(step.erased)
    if step.shown is not None:
        packet = step.shown
        told["shown"] = {"how": packet.how, "digest": packet.shown, "lines": list(lines_of(packet.rendered.blocks))}
    if step.callback is not None:
        state, when, attempts = step.callback
        told["callback"] = {"state": state, "at": format_time(when), "attempts": attempts}
    return told


def _judged(each: Judgement) -> dict[str, Any]:
    told = {"seq": each.seq, "at": format_time(each.at), "version": each.version, "then": each.then, "now": each.now}
    return {**told, "answer": each.answer, "why": each.why}
