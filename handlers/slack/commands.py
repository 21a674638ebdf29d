"""What `/agent` does: one call of the desk for each wish, and an answer that only the person who typed it sees."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from difflib import get_close_matches
from typing import Any, Final, Literal, assert_never

from approval_rules.events import Refusal
from approval_rules.people import Actor, AgentId
from approval_rules.switch import EVERYTHING, Pause, Scope, ScopeKind
from approval_rules.text import AgentText
from handlers.counting import counted
from handlers.desk import DeskUnavailableError, Overview, PeopleDesk, Seen, Switched, Whoami
from handlers.drill_words import drill_standing
from handlers.factor_desk import FactorDesk
from handlers.slack.away import AwayWish, away_line, away_lines, duty_line
from handlers.slack.blocks import MAX_SECTION, Block, button, section, utc
from handlers.slack.escape import Safe, clipped, mrkdwn_safe, visible
from handlers.slack.factor_command import factor_answer
from handlers.slack.factor_words import whoami_words
from handlers.slack.grammar import (
    Ask,
    FactorWish,
    IncidentWish,
    LoosePause,
    NotUnderstood,
    PauseWish,
    PersonsWish,
    ResumeWish,
    RevealWish,
    StartWish,
    understand,
)
from handlers.slack.ids import DETAILS, value_of
from handlers.slack.packet import MAX_TEXT, packet
from handlers.slack.parse import Typed
from handlers.slack.persons import persons_answer
from handlers.slack.revealing import reveal_lines
from handlers.slack.reviewing import report_asked
from handlers.slack.sentence import sentence_of
from handlers.slack.sentences import (
    INCIDENT_MEANS,
    UNKNOWN_PROPOSAL,
    because,
    held_words,
    named_word,
    refusal_sentence,
    resume_command,
)
from handlers.slack.standing import scope_words, standing_of
from handlers.slack.starting import Starting
from handlers.slack.text import person

PENDING_SHOWN: Final = 10
_MANY_BLOCKS: Final = 45
_NEAR: Final = 0.75
_NOT_PAUSED: Final = "Nothing was paused"
HELP: Final = (
    Safe("/agent pause · stop everything at once (any member may)"),
    Safe("/agent pause agent NAME · /agent pause tool NAME · stop one agent or one tool"),
    Safe("/agent pause all for 30m looks like a loop · with an end and a reason"),
    Safe("/agent pause all revoke · and take back what is approved and not yet used, for good"),
    Safe("/agent resume all · start again; everything needs two people, one agent or tool needs one"),
    Safe("/agent incident on · tell the policies that something is wrong; /agent incident off · it is over"),
    Safe("/agent request TOOL · start yourself what the policy blocks for agents; two others must approve"),
    Safe("/agent status · what is paused, what waits"),
    Safe("/agent pending · what waits for a decision, most urgent first"),
    Safe("/agent show ID · one proposal"),
    Safe("/agent factor · your second factors: get one, lock it, confirm a colleague's"),
    Safe("/agent people · who is one person; admins join and part accounts with it"),
    Safe("/agent access · a report on who may approve what, for whoever reviews it"),
    Safe("/agent reveal ID FIELD REASON · see what is hidden there, with the role reveal; each look is recorded"),
    Safe("/agent whoami · your roles here"),
    Safe("/agent away until friday delegate @colleague · be called no more until then; /agent back ends it"),
    Safe("/agent away decline · do not stand in for whoever named you as delegate"),
)


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to one command: paragraphs, or blocks with their text."""

    lines: Sequence[Safe]
    blocks: Sequence[Block] = field(default=())

    def body(self) -> dict[str, Any]:
        """Write it as the ephemeral answer of a slash command."""
        text = clipped(Safe("\n".join([mrkdwn_safe(line) for line in self.lines])), MAX_TEXT)
        blocks = self.blocks or [section(clipped(line, MAX_SECTION)) for line in self.lines[:_MANY_BLOCKS]]
        return {"response_type": "ephemeral", "text": text, "blocks": list(blocks)}


@dataclass(frozen=True, slots=True)
class Commands:
    """The slash command, over one desk."""

    desk: PeopleDesk
    clock: Callable[[], datetime]
    factors: FactorDesk
    starting: Starting

    async def answer(self, typed: Typed) -> Reply:
        """Do what was typed and say what became of it."""
        wish = understand(typed.text)
        match wish:
            case PauseWish():
                return await self._pause(typed, wish)
            case LoosePause():
                return await self._loose_pause(typed, wish)
            case ResumeWish():
                return await self._resume(typed, wish)
            case IncidentWish():
                return await self._incident(typed, wish)
            case FactorWish():
                done = await factor_answer(self.factors, typed.who, wish)
                return Reply(done.lines, done.blocks)
            case PersonsWish():
                return Reply(await persons_answer(self.desk.persons, typed.who, wish.word, typed.text))
            case StartWish():
                return Reply([await self.starting.asked_for(typed, wish.tool)])
            case AwayWish():
                return Reply(await away_lines(self.desk, typed.who, wish))
            case RevealWish():
                return Reply(await reveal_lines(self.desk.originals, typed.who, wish))
            case Ask():
                return await self._ask(typed, wish)
            case NotUnderstood():
                return _not_understood(wish)
            case _:
                assert_never(wish)

    async def _pause(self, typed: Typed, wish: PauseWish) -> Reply:
        scope = await self._scope(wish.kind, wish.name)
        if scope is None:
            return await self._unknown_name(wish.kind, wish.name, _NOT_PAUSED)
        done = await self.desk.pause(typed.who, scope, wish.lasts, AgentText(wish.reason), revoke=wish.revoke)
        if done.refusal is not None:
            return Reply([Safe(f"⚠ {_NOT_PAUSED}."), refusal_sentence(done.refusal)])
        what = scope_words(scope, wish.name)
        until = f"until {utc(done.until)}" if done.until else "until people resume it"
        return Reply(
            [
                Safe(f"⏸ Paused: {what}, {until}.{because(AgentText(wish.reason))}"),
                Safe(f"What is pending is frozen. {held_words(done.taken_back)}"),
                Safe(f"To resume: {resume_command(scope, wish.name)}"),
            ]
        )

    async def _loose_pause(self, typed: Typed, wish: LoosePause) -> Reply:
        """Pause what the first word names; where it names nothing, pause everything: stopping too much is safe."""
        named = wish.named
        for kind in ("agent", "tool"):
            scope = await self.desk.scope_named(kind, named.name)
            if scope is not None:
                return await self._pause(typed, replace(named, kind=kind))
        if wish.everything.reason == named.name and await self._near(named.name):
            return await self._unknown_name("agent or tool", named.name, _NOT_PAUSED)
        return await self._pause(typed, wish.everything)

    async def _resume(self, typed: Typed, wish: ResumeWish) -> Reply:
        if wish.kind is None:
            overview = await self.desk.overview()
            return Reply([Safe("Nothing was resumed: please say what."), *_pauses(overview), *_how_to_resume(overview)])
        scope = await self._scope(wish.kind, wish.name) or await self._paused(wish.kind, wish.name)
        if scope is None:
            return await self._unknown_name(wish.kind, wish.name, "Nothing was resumed")
        done = await self.desk.resume(typed.who, scope, AgentText(wish.reason))
        return Reply([_resumed(done, wish.name)])

    async def _incident(self, typed: Typed, wish: IncidentWish) -> Reply:
        reason = AgentText(wish.reason)
        match wish.on:
            case None:
                how = "type /agent incident on, or /agent incident off, and a reason if you like."
                return Reply([*_incidents(await self.desk.overview()), Safe(f"Nothing was changed: {how}")])
            case True:
                done = await self.desk.declare_incident(typed.who, reason)
                told = Safe(f"🚨 An incident is on.{because(reason)} {INCIDENT_MEANS}")
            case False:
                done = await self.desk.clear_incident(typed.who, reason)
                told = Safe(f"✅ The incident is over.{because(reason)}")
        return Reply([told if done.refusal is None else refusal_sentence(done.refusal)])

    async def _ask(self, typed: Typed, wish: Ask) -> Reply:
        match wish.verb:
            case "pending":
                return self._pending(await self.desk.pending(typed.who, PENDING_SHOWN + 1))
            case "show":
                return await self._show(typed, wish.about)
            case "access":
                return Reply([await report_asked(self.desk.reviews, typed)])
            case "whoami":
                held = (await self.factors.factors(typed.who)).mine
                return Reply([*_whoami(await self.desk.whoami(typed.who)), whoami_words(held)])
            case "help":
                return Reply(HELP)
            case _:
                return Reply([*_status(await self.desk.overview(), self.clock()), *(HELP if wish.bare else ())])

    def _pending(self, found: Sequence[Seen] | Refusal) -> Reply:
        if isinstance(found, Refusal):
            return Reply([refusal_sentence(found)])
        if not found:
            return Reply([Safe("Nothing waits for a decision.")])
        lines: list[Safe] = []
        blocks: list[Block] = []
        for seen in found[:PENDING_SHOWN]:
            said = f"{sentence_of(seen.proposal).text}\n{standing_of(seen, self.clock()).text}\n{seen.proposal.id}"
            lines.append(Safe(said))
            details = button(DETAILS, Safe("Details"), value_of(seen.proposal))
            blocks.append({**section(clipped(Safe(said), MAX_SECTION)), "accessory": details})
        if len(found) > PENDING_SHOWN:
            lines.append(Safe(f"These are the {PENDING_SHOWN} most urgent; there are more."))
            blocks.append(section(lines[-1]))
        return Reply(lines, blocks)

    async def _show(self, typed: Typed, about: str) -> Reply:
        if not about:
            return Reply([Safe("Which one? Type /agent show and the id, which begins with prop_.")])
        seen = await self.desk.show(typed.who, about)
        match seen:
            case None:
                return Reply([UNKNOWN_PROPOSAL])
            case Refusal():
                return Reply([refusal_sentence(seen)])
            case Seen():
                made = packet(seen, self.clock(), voting=False)
                return Reply([sentence_of(seen.proposal).text], made.blocks)

    async def _scope(self, kind: Literal["all", "agent", "tool"], name: str) -> Scope | None:
        if kind == "all":
            return EVERYTHING
        return await self.desk.scope_named(kind, name) if name else None

    async def _paused(self, kind: str, name: str) -> Scope | None:
        """Find what is paused though nobody has it (any more): a pause that is listed can be ended."""
        pauses = (await self.desk.overview()).pauses
        return next((each.scope for each in pauses if (each.scope.kind.value, each.scope.name) == (kind, name)), None)

    async def _near(self, name: str) -> list[str]:
        try:
            overview = await self.desk.overview()
        except DeskUnavailableError:
            return []
        known = [*overview.agents.values(), *overview.tools]
        folded = {each.casefold(): each for each in known}
        return [folded[near] for near in get_close_matches(name.casefold(), list(folded), 3, _NEAR)]

    async def _unknown_name(self, kind: str, name: str, nothing: str) -> Reply:
        near = await self._near(name) if name else []
        asked = f'There is no {kind} called "{visible(name)}".' if name else f"Please name the {kind}."
        meant = f" Did you mean {' or '.join([named_word(each) for each in near])}?" if near else ""
        stop = [Safe("To stop everything now, type /agent pause all")] if nothing == _NOT_PAUSED else []
        return Reply([Safe(f"⚠ {nothing}. {asked}{meant}"), *stop])


def _not_understood(wish: NotUnderstood) -> Reply:
    meant = f" Did you mean /agent {wish.nearest}?" if wish.nearest else ""
    asked = clipped(visible(wish.word), 80)
    return Reply([Safe(f'Nothing was done: "{asked}" is not a command.{meant}'), *HELP])


def _resumed(done: Switched, name: str) -> Safe:
    if done.waiting:
        return refusal_sentence(Refusal.SECOND_PERSON_NEEDED)
    if done.refusal is not None:
        return refusal_sentence(done.refusal)
    return Safe(f"▶ Resumed: {scope_words(done.scope, name)}. Clocks that stood still run again.")


def _status(overview: Overview, now: datetime) -> list[Safe]:
    waiting = Safe(f"{overview.pending} waiting for people")
    if overview.oldest_pending_at is not None:
        waiting = Safe(f"{waiting}, the oldest since {utc(overview.oldest_pending_at)}")
    lines = [
        *_pauses(overview),
        *(_incidents(overview) if overview.incident else ()),
        Safe(f"{waiting}; {overview.approved_unclaimed} approved and not yet used."),
        Safe(
            f"{counted(overview.outbox_waiting, 'message')} to send. Policy version {visible(overview.policy_version)}."
        ),
    ]
    lines += [away_line(away) for away in overview.away]
    drill = drill_standing(overview.drill, now)
    lines.append(Safe(f"{'⚠ ' if drill.warn else ''}Kill switch: {drill.told}."))
    if overview.outbox_dead:
        lines.append(Safe(f"⚠ {counted(overview.outbox_dead, 'message')} could not be delivered; someone must look."))
    return lines


def _pauses(overview: Overview) -> list[Safe]:
    return [_pause_words(pause, overview) for pause in overview.pauses] or [Safe("▶ Nothing is paused.")]


def _incidents(overview: Overview) -> list[Safe]:
    incident = overview.incident
    if incident is None:
        return [Safe("No incident is on.")]
    since = f"since {utc(incident.since)}, says {_who(incident.by, overview)}"
    return [Safe(f"🚨 Incident {since}.{because(incident.reason)}")]


def _who(by: Actor, overview: Overview) -> Safe:
    face = next((face for who, face in overview.faces.items() if who == by.ref), None)
    return person(face.name, face.user_id) if face else Safe("an operator on the server")


def _pause_words(pause: Pause, overview: Overview) -> Safe:
    who = _who(pause.by, overview)
    until = f", until {utc(pause.until)}" if pause.until else ""
    scope = scope_words(pause.scope, _agent_name(pause.scope, overview))
    return Safe(f"⏸ Paused: {scope} since {utc(pause.since)}{until}, by {who}.{because(pause.reason)}")


def _how_to_resume(overview: Overview) -> list[Safe]:
    return [resume_command(pause.scope, _agent_name(pause.scope, overview)) for pause in overview.pauses]


def _agent_name(scope: Scope, overview: Overview) -> str | None:
    return overview.agents.get(AgentId(scope.name)) if scope.kind is ScopeKind.AGENT else None


def _whoami(me: Whoami) -> list[Safe]:
    lines = [Safe(f"You are {person(me.face.name, me.face.user_id)}.")]
    if me.flaw is not None:
        lines.append(refusal_sentence(me.flaw))
    roles = ", ".join([visible(role) for role in me.roles])
    lines.append(Safe(f"Your roles: {roles}." if roles else "You have no role here, so you cannot approve or deny."))
    lines += [duty_line(duty) for duty in me.duties]
    if me.away is not None:
        lines.append(away_line(me.away))
    if me.owns:
        lines.append(Safe(f"You own {', '.join([visible(name) for name in me.owns])}, so you cannot decide for them."))
    lines.append(Safe("You may pause." + (" You may resume." if me.may_resume else " You may not resume.")))
    return lines
