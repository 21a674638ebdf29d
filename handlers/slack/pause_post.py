"""Makes the messages about a pause: what is stopped, by whom, and what can be done about it there. Decides nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from approval_rules.events import Paused, ResumeAsked, Resumed
from approval_rules.people import AgentId
from approval_rules.switch import EVERYTHING, Pause, Scope, ScopeKind
from handlers.slack.blocks import MAX_SECTION, Block, button, context, plain, section, utc
from handlers.slack.escape import Safe, clipped, mrkdwn_safe, visible
from handlers.slack.ids import END_KEYS, RESUME_PAUSE, ROLL_BACK, pause_value
from handlers.slack.sentences import announcement, because
from handlers.slack.standing import scope_words
from handlers.slack.text import person
from handlers.switch_desk import SwitchView

_VERSION: Final = 19
_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class PausePost:
    """One message; `text` is what a notification shows."""

    text: str
    blocks: list[Block]


def pause_post(event: Paused | ResumeAsked | Resumed, view: SwitchView) -> PausePost:
    """Tell an event of the kill switch and, while that is still so, what can be done about it."""
    said = announcement(event, view.face(event.by), view.agents)
    blocks = [section(clipped(said, MAX_SECTION))]
    match event:
        case Paused():
            pause = next((one for one in view.switch.pauses if one.id == event.pause), None)
            blocks += [] if pause is None else _about(pause, view)
        case ResumeAsked():
            blocks += _asked(event, view)
        case Resumed():
            pass
    return PausePost(mrkdwn_safe(clipped(said, MAX_SECTION)), blocks)


def pause_lines(pauses: Sequence[Pause], view: SwitchView) -> list[Safe]:
    """Say of each pause since when it is in force, by whom and why."""
    return [
        Safe(
            f"⏸ {_capital(scope_words(pause.scope, agent_name(pause.scope, view)))} is paused since"
            f" {utc(pause.since)} by {_who(pause, view)}.{because(pause.reason)}"
        )
        for pause in pauses[:_SHOWN]
    ]


def agent_name(scope: Scope, view: SwitchView) -> str | None:
    """Give the name of the agent that a scope stops, where it is one."""
    return view.agents.get(AgentId(scope.name)) if scope.kind is ScopeKind.AGENT else None


def _about(pause: Pause, view: SwitchView) -> list[Block]:
    if pause.ended_at is not None:
        return [section(Safe(f"▶ This pause is over since {utc(pause.ended_at)}."))]
    newest = view.switch.of(pause.scope)[-1] == pause
    if not newest:
        return [section(Safe("A later pause of the same is in force too; its message has the buttons."))]
    asked = _half(view) if pause.scope == EVERYTHING else []
    return [*asked, {"type": "actions", "elements": _buttons(pause, view)}, context(visible(view.proof))]


def _asked(event: ResumeAsked, view: SwitchView) -> list[Block]:
    pauses = view.switch.of(EVERYTHING)
    if event.by not in view.switch.resume_asked_by or not pauses:
        return [section(Safe("This is settled: it was resumed, or paused again, since."))]
    lines = [section(clipped(line, MAX_SECTION)) for line in pause_lines(pauses, view)]
    return [*lines, {"type": "actions", "elements": [_resume(pauses[-1], view)]}]


def _half(view: SwitchView) -> list[Block]:
    names = [_name(view, by.ref) for by in view.switch.resume_asked_by]
    asked = Safe(f"⏯ {' and '.join(names[:_SHOWN])} asked to resume. A second person must, before anything runs again.")
    return [section(asked)] if names else []


def _buttons(pause: Pause, view: SwitchView) -> list[Block]:
    buttons = [_resume(pause, view)]
    if pause.scope.kind is ScopeKind.AGENT:
        name = visible(agent_name(pause.scope, view) or pause.scope.name)
        says = Safe(
            f"Every key of {name} ends at once, for good. Its owner then gets a link to a page that makes a new one."
        )
        confirm = _confirm("End its keys?", says, "End the keys")
        buttons.append(button(END_KEYS, Safe("End the agent's keys …"), pause_value(pause.id), "danger", confirm))
    if view.earlier is not None:
        says = Safe(f"The version {view.earlier[:_VERSION]}… decides again, at once. Everybody is told.")
        confirm = _confirm("Roll the policy back?", says, "Roll back")
        value = pause_value(pause.id, view.earlier)
        buttons.append(button(ROLL_BACK, Safe("Roll back the policy …"), value, None, confirm))
    return buttons


def _resume(pause: Pause, view: SwitchView) -> Block:
    everything = pause.scope == EVERYTHING
    what = scope_words(pause.scope, agent_name(pause.scope, view))
    says = Safe(
        f"What waits for {what} goes on where it stopped." + (" It takes two different people." if everything else "")
    )
    label = Safe("Resume everything" if everything else "Resume …")
    return button(RESUME_PAUSE, label, pause_value(pause.id), None, _confirm("Resume?", clipped(says, 280), "Resume"))


def _confirm(title: str, says: Safe, yes: str) -> Block:
    return {
        "title": plain(Safe(title)),
        "text": plain(clipped(says, 300)),
        "confirm": plain(Safe(yes)),
        "deny": plain(Safe("Go back")),
    }


def _who(pause: Pause, view: SwitchView) -> Safe:
    return _name(view, pause.by.ref)


def _name(view: SwitchView, ref: str) -> Safe:
    face = next((face for who, face in view.faces.items() if who == ref), None)
    return person(face.name, face.user_id) if face else Safe("an operator on the server")


def _capital(text: Safe) -> Safe:
    return Safe(text[:1].upper() + text[1:])
