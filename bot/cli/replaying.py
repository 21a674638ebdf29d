"""`audit replay`: prints one decision minute by minute, as it was. It changes nothing."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Final

import typer

from bot.cli.output import AUDIT_BROKEN, AsJson, print_json, printable
from bot.cli.proving import nothing_there, tell_broken
from handlers.counting import counted

if TYPE_CHECKING:
    from bot.evidence.judging import Judgement
    from bot.evidence.replaying import Replay, Step
    from bot.store.decisions import Callback

_HOW: Final = {
    "as posted": "as posted: the digest is the one that was recorded",
    "otherwise": "NOT exactly as posted: another version rendered it, or somebody has another name now",
    "in part": "only in part: some of what was shown has been erased since",
    "erased": "it has been erased",
}
_ANSWER: Final = {"same": "the same", "differs": "SOMETHING ELSE", "not told": "cannot be told"}


def replay(
    proposal: Annotated[str, typer.Argument(help="The proposal's id.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Show one decision minute by minute, as it was.

    What was known, shown, decided and done. Then the policy of then is asked again with what was recorded. The whole
    log is verified first. Exit code 7 where it is broken, or where the policy comes to something else.
    """
    from bot.cli.looking import record_look
    from bot.cli.packing import made_of
    from bot.evidence.replaying import document_of, replay_of

    found, broken = made_of(proposal, replay_of)
    if found is None:
        raise typer.Exit(nothing_there(proposal, broken))
    if not broken:  # a broken log is left as it is
        record_look("replay", 1)
    if as_json:
        print_json(document_of(found))
    else:
        for line in _lines(found):
            typer.echo(printable(line))
        tell_broken(found.broken)
    if not found.holds:
        raise typer.Exit(AUDIT_BROKEN)


def _lines(found: "Replay") -> Iterator[str]:
    proposal = found.decision.proposal
    yield f"{proposal.id}: {found.headline}"
    yield f"{proposal.tool}, asked for by {proposal.agent.name}: {proposal.status.value}"
    for name, what in found.pinned:
        yield f"  {name}: {what}"
    for name, what in found.run.items():
        yield f"  {name}, says the agent: {what}"
    yield "known: what was on record; shown: what people saw; decided; done: what came of it"
    for minute, steps in groupby(found.steps, lambda step: f"{step.moment.at:%Y-%m-%d %H:%M} UTC"):
        yield from ("", minute)
        for step in steps:
            yield from _step(step)
    yield from ("", "The policy, asked again with what was recorded:")
    yield from map(_judged, found.judged)
    if not found.broken:
        yield "The whole log was verified before, and is whole."


def _step(step: "Step") -> Iterator[str]:
    at = step.moment
    yield f"  {at.at:%H:%M:%S}.{at.at.microsecond // 1000:03}  {at.kind:7}  {at.who}: {at.what}  (entry {at.seq})"
    if step.shown is not None:
        from handlers.web.blocks_text import lines_of

        yield f"    {_HOW[step.shown.how]}"
        if step.shown.how != "erased":
            yield from _set_in(lines_of(step.shown.rendered.blocks))
    if step.callback is not None:
        yield f"    the agent's callback, says the outbox, which is no log: {_callback(step.callback)}"
    yield from _set_in(step.known)
    if step.erased:
        yield f"    erased since: {', '.join(step.erased)}"


def _callback(callback: "Callback") -> str:
    match callback.state:
        case "done":
            return f"delivered at {callback.at:%Y-%m-%d %H:%M:%S} UTC"
        case "dead":
            return f"a dead letter after {counted(callback.attempts, 'try', 'tries')}"
        case _:
            return f"not delivered yet, {counted(callback.attempts, 'try', 'tries')}"


def _set_in(lines: Iterable[str]) -> Iterator[str]:
    return (f"    | {line}".rstrip() for line in lines)


def _judged(each: "Judgement") -> str:
    said = each.why or each.now
    told = f"  entry {each.seq}: {_ANSWER[each.answer]}: {said}"
    return told if each.answer != "differs" else f"{told} (recorded: {each.then})"
