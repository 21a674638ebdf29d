"""`pause`, `resume`, `incident`, `status`: on the database itself, with the server and Slack up or down."""

import re
from collections.abc import Iterator
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.output import FAILED, PAUSED, AsJson, print_json, printable

if TYPE_CHECKING:
    from approval_rules.switch import Scope
    from bot.store.transaction import Transaction

_MOST = 10_000
_LONGEST_REASON = 1_000
_TOOLS = "SELECT DISTINCT value FROM agents, json_each(agents.tools) WHERE revoked_at IS NULL ORDER BY value"

AgentOption = Annotated[str | None, typer.Option("--agent", help="Only this agent (its name).")]
ToolOption = Annotated[str | None, typer.Option("--tool", help="Only this tool, for example payments.refund.")]


class OnOff(StrEnum):
    """What can be said of an incident."""

    ON = "on"
    OFF = "off"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("pause", epilog='Example: foureyes pause --tool payments.refund --for 30m "refunds look wrong"')(pause)
    app.command("resume", epilog='Example: foureyes resume --tool payments.refund "checked, it was the feed"')(resume)
    app.command("incident", epilog='Example: foureyes incident on "payments provider is down"')(incident)
    app.command("status", epilog="Example: foureyes status --json")(status)


def pause(
    reason: Annotated[list[str] | None, typer.Argument(help="Why; everyone sees it.")] = None,
    agent: AgentOption = None,
    tool: ToolOption = None,
    lasts: Annotated[str | None, typer.Option("--for", help="End by itself after this time: 30m, 4h, 2d.")] = None,
    *,
    revoke: Annotated[bool, typer.Option("--revoke", help="Take back for good what is approved and unused.")] = False,
    drill: Annotated[
        bool, typer.Option("--drill", help="Stop nothing; prove on the server that a pause works.")
    ] = False,
) -> None:
    """Stop everything, one agent or one tool, now. Nothing is claimed after this returns."""
    if drill:
        from bot.cli.drilling import hold_drill

        hold_drill()
        return
    if reason is None:
        raise typer.BadParameter("say why, everyone sees it", param_hint="'reason'")
    from approval_rules.commands import StartPause
    from approval_rules.decide import decide_switch
    from approval_rules.text import AgentText
    from bot.agents import who_typed
    from bot.cli.session import os_user, write
    from bot.desk.switching import record_switch
    from bot.desk.taking_back import AT_ONCE, count_unclaimed, take_back
    from bot.store.transaction import Transaction
    from handlers.counting import counted

    length = None if lasts is None else duration(lasts)

    def unit(tx: Transaction) -> tuple[list[str], int]:
        scope = _scope(tx, agent, tool)
        by = who_typed(tx, os_user())
        command = StartPause(tx.at, by, tx.new_id("pause"), scope, length, AgentText(_said(reason)), None, revoke)
        unused = count_unclaimed(tx, scope) if revoke else 0
        record_switch(tx, decide_switch(tx.switch, command))
        return [row[0] for row in tx.rows(_TOOLS, {})], unused

    words = scope_words(agent, tool)
    tools, unused = write(unit)
    if tool is not None and tool not in tools:
        known = f"those that some agent has are {', '.join(tools)}" if tools else "no agent has any tool yet"
        typer.echo(f"Note: no agent has the tool {tool}; {known}. Check the spelling.", err=True)
    until = "until it is resumed" if length is None else f"for {lasts}"
    typer.echo(f"Paused {words} {until}. Nothing of it is claimed from now on.")
    if revoke:
        while write(take_back) == AT_ONCE:
            pass
        typer.echo(f"Taken back for good: {counted(unused, 'approval that was', 'approvals that were')} not yet used.")


def resume(
    reason: Annotated[list[str] | None, typer.Argument(help="Why; everyone sees it.")] = None,
    agent: AgentOption = None,
    tool: ToolOption = None,
) -> None:
    """Start again. Everything needs two people: two Slack accounts, or two accounts of this machine."""
    from approval_rules.commands import Resume
    from approval_rules.decide import decide_switch
    from approval_rules.events import Refusal, ResumeAsked, SwitchEvent, SwitchRefused
    from approval_rules.text import AgentText
    from bot.agents import who_typed
    from bot.cli.session import os_user, write
    from bot.desk.switching import record_switch
    from bot.store.transaction import Transaction

    def unit(tx: Transaction) -> SwitchEvent:
        by = who_typed(tx, os_user())
        command = Resume(tx.at, by, _scope(tx, agent, tool), AgentText(_said(reason)), None, may_resume=True)
        events = decide_switch(tx.switch, command)
        record_switch(tx, events)
        return events[0]

    words = scope_words(agent, tool)
    event = write(unit)
    if isinstance(event, SwitchRefused):
        told = {
            Refusal.NOTHING_PAUSED: f"Nothing to do: {words} is not paused. `foureyes status` shows what is.",
            Refusal.SECOND_PERSON_NEEDED: "You asked already. A second person has to run `foureyes resume` too.",
        }
        typer.echo(told.get(event.code, f"Refused: {event.code.value}."), err=True)
        raise typer.Exit(FAILED)
    if isinstance(event, ResumeAsked):
        typer.echo("Asked. Everything stays paused until a second person runs `foureyes resume` too.")
        raise typer.Exit(PAUSED)
    typer.echo(f"Resumed {words}.")


def incident(
    state: Annotated[OnOff, typer.Argument(help="Whether there is one.")],
    reason: Annotated[list[str] | None, typer.Argument(help="Why; everyone sees it.")] = None,
) -> None:
    """Say that an incident is going on, or that it is over. Rules can read it; to stop things, pause."""
    from approval_rules.commands import ClearIncident, DeclareIncident
    from approval_rules.events import IncidentEvent, IncidentRefused
    from approval_rules.incident import decide_incident
    from approval_rules.text import AgentText
    from bot.agents import who_typed
    from bot.cli.session import os_user, write
    from bot.desk.switching import record_incident
    from bot.store.transaction import Transaction

    def unit(tx: Transaction) -> IncidentEvent:
        by, why = who_typed(tx, os_user()), AgentText(_said(reason))
        begin = DeclareIncident(tx.at, by, why, None)
        end = ClearIncident(tx.at, by, why, None, may_resume=True)
        event = decide_incident(tx.switch, begin if state is OnOff.ON else end)
        record_incident(tx, event)
        return event

    if isinstance(write(unit), IncidentRefused):
        already = "an incident is on already" if state is OnOff.ON else "no incident is on"
        typer.echo(f"Nothing was changed: {already}. `foureyes status` shows it.", err=True)
        raise typer.Exit(FAILED)
    on = "An incident is on: rules that read it decide by it from the next proposal on. To stop things: foureyes pause."
    typer.echo(on if state is OnOff.ON else "The incident is over.")


def status(*, as_json: AsJson = False) -> None:
    """Show what is paused, what waits, and whether anything is stuck. Exit code 6 while everything is paused."""
    from bot.cli.on_duty import duty_lines
    from bot.cli.overview import overview
    from handlers.counting import counted

    found = overview()
    if as_json:
        print_json(found)
    else:
        for pause_row in found["pauses"]:
            until = f" until {pause_row['until']}" if pause_row["until"] else ""
            typer.echo(
                f"PAUSED {printable(pause_row['scope'])} since {pause_row['since']}{until}"
                f" by {printable(pause_row['by'])}: {printable(pause_row['reason'])}"
            )
        if not found["pauses"]:
            typer.echo("Nothing is paused.")
        if found["incident"]:
            row = found["incident"]
            typer.echo(f"INCIDENT since {row['since']} by {printable(row['by'])}: {printable(row['reason'])}")
        for line in duty_lines(found["on_call"], found["away"]):
            typer.echo(line)
        typer.echo(f"{found['pending']} pending, {found['approved_unclaimed']} approved and not yet used.")
        typer.echo(
            f"{counted(found['outbox_waiting'], 'message')} to send, {counted(found['outbox_dead'], 'dead letter')}."
        )
        drill = found["drill"]
        told = drill["told"] if drill else "no drill was held yet; foureyes pause --drill holds one"
        typer.echo(f"{'WARNING: ' if drill and drill['warn'] else ''}Kill switch: {told}.")
        for line in _policy(**found["policy"]):
            typer.echo(line)
        typer.echo(_review(found["access_review"]))
        for week in found["weekly_reviews"]:
            typer.echo(f"The weekly review of {printable(week['role'])} for {week['week']} is not signed off.")
        typer.echo(f"{counted(found['log_entries'], 'log entry', 'log entries')}, database {found['database']}.")
    if any(row["scope"] == "all" for row in found["pauses"]):
        raise typer.Exit(PAUSED)


def _policy(active: str | None, folder: str | None, change: str | None) -> Iterator[str]:
    if active is None:
        yield "No policy is active yet: the server activates the folder when it starts."
        return
    yield f"Policy {active}."
    if change is not None:
        yield f"A change of the policy waits for two of policy_admin: {change}."
    elif folder != active:
        yield f"The policy folder held another version when it last changed: {folder}."


def _review(found: "dict[str, str | None] | None") -> str:
    if found is None or found["completed_at"] is None:
        told = "Who may approve what was never reviewed: foureyes access report."
    else:
        told = f"Who may approve what was reviewed last on {found['completed_at'][:10]}."
    waits = None if found is None else found["waits_for_second"]
    return told if waits is None else f"{told} One more person has to sign {waits[:19]}."


def duration(text: str) -> timedelta:
    """Read 30m, 4h or 2d."""
    units = {"m": "minutes", "h": "hours", "d": "days"}
    number, unit = text[:-1], text[-1:]
    if not number.isdecimal() or unit not in units or not 0 < int(number) < _MOST:
        raise typer.BadParameter(f"{text!r} is not a time; write 30m, 4h or 2d")
    return timedelta(**{units[unit]: int(number)})


def scope_words(agent: str | None, tool: str | None) -> str:
    """Say a scope in words; raises BadParameter for what cannot be one."""
    if agent and tool:
        raise typer.BadParameter("give --agent or --tool, not both")
    if tool is not None and not re.fullmatch(r"[A-Za-z0-9._-]{1,128}", tool):
        raise typer.BadParameter(f"{tool!r} is not a tool name; write it like payments.refund")
    return f"agent {agent}" if agent else f"tool {tool}" if tool else "everything"


def _said(reason: list[str] | None) -> str:
    """Join the words; what is no text (a shell passes any bytes on) must not stop a pause."""
    return " ".join(reason or ()).encode(errors="replace").decode()[:_LONGEST_REASON]


def _scope(tx: "Transaction", agent: str | None, tool: str | None) -> "Scope":
    from approval_rules.switch import EVERYTHING, Scope, ScopeKind
    from bot.agents import AgentError, named

    if agent is not None:
        row = named(tx, agent)
        if row is None:
            raise AgentError(
                f"there is no agent named {agent!r}; `foureyes agent list` shows them. Nothing was changed"
            )
        return Scope(ScopeKind.AGENT, row.agent.id)
    return EVERYTHING if tool is None else Scope(ScopeKind.TOOL, tool)
