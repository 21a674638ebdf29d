"""The page of an evidence pack: one decision for somebody who looks at it afterwards, on paper, a desk or a phone.

It has no script, no link and no address; everything foreign in it is escaped, and what policy hides is hidden here too.
"""

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Final

from handlers.counting import counted
from handlers.desk import Seen
from handlers.slack.blocks import Block
from handlers.slack.details import pages_of
from handlers.slack.escape import named, visible
from handlers.slack.found_secrets import masked
from handlers.slack.sentence import sentence_of
from handlers.slack.standing import standing_of
from handlers.slack.text import erased_of
from handlers.web.blocks_html import html_of
from handlers.web.evidence_words import CHECKS, LIMITS
from handlers.web.runs import Run, in_runs, neighbours
from handlers.web.story import Moment

STYLE: Final = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  --ink: #1b1b1b; --paper: #fff; --soft: #555; --line: #ddd; --rule: #bbb; --mono: #f5f5f3; --side: #888;
  --good: #1c6b3c; --on-good: #eef7f1; --open: #8a6100; --on-open: #fdf6e3; --bad: #a3121b; --on-bad: #fdecec; }
@media screen and (prefers-color-scheme: dark) { :root {
  --ink: #e6e8eb; --paper: #16191d; --soft: #a9b0b8; --line: #343a42; --rule: #4a525c; --mono: #1f242a; --side: #7d8691;
  --good: #4caf7d; --on-good: #13261c; --open: #d9a63a; --on-open: #2a2312; --bad: #ff7b7b; --on-bad: #331617; } }
body { margin: 0 auto; max-width: 56rem; padding: 1rem 1rem 3rem; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: .25rem 0 .5rem; }
h2 { font-size: 1.15rem; margin: 2.25rem 0 .5rem; padding-top: .75rem; border-top: 1px solid var(--rule); }
h3 { font-size: 1rem; margin: 1rem 0 .25rem; }
p, ul { margin: .35rem 0; }
.kicker { color: var(--soft); font-size: .85rem; }
.state { font-size: 1.05rem; font-weight: 600; }
.verdict { border: 2px solid var(--good); background: var(--on-good); border-radius: .5rem; padding: .6rem .9rem;
  margin: 1rem 0; }
.verdict.open { border-color: var(--open); background: var(--on-open); }
.verdict.broken { border: 4px solid var(--bad); background: var(--on-bad); }
.verdict strong { display: block; font-size: 1.1rem; }
dl { display: grid; grid-template-columns: minmax(8rem, 12rem) 1fr; gap: .2rem 1rem; margin: .5rem 0; }
dt { color: var(--soft); } dd { margin: 0; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem .35rem 0; border-bottom: 1px solid var(--line); }
th { font-size: .8rem; color: var(--soft); font-weight: 600; }
th, td.when, td.kind, td.no { white-space: nowrap; } td.when, td.no { font-variant-numeric: tabular-nums; }
td.kind { font-weight: 600; } td.who { min-width: 9rem; }
pre { font: .82rem/1.45 ui-monospace, monospace; white-space: pre-wrap; background: var(--mono);
  border: 1px solid var(--line); border-radius: .35rem; padding: .5rem .75rem; margin: .35rem 0; }
.packet { border: 1px solid var(--rule); border-left: 6px solid var(--side); border-radius: .35rem;
  padding: .25rem .9rem .5rem; margin: .5rem 0 1rem; }
.packet h3 { margin-top: .5rem; } .details p, .packet p { margin: .25rem 0; }
small, .note { color: var(--soft); font-size: .85rem; }
code { font: .85rem ui-monospace, monospace; } svg { vertical-align: -.2em; }
@media (max-width: 40rem) {
  dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .5rem; }
  table, tbody, tr, td { display: block; } thead { display: none; }
  tr { border-bottom: 1px solid var(--line); padding: .4rem 0; } td { border: 0; padding: 0; }
  td.when, td.kind { display: inline; } td.when::before { content: none !important; }
  td.kind::before { content: " · "; }
  td[data-label]:not([data-label=""])::before { content: attr(data-label) ": "; color: var(--soft); font-weight: 400; }
}
@media print {
  @page { size: A4; margin: 18mm 16mm; }
  :root { font-size: 10.5pt; color-scheme: light; } body { max-width: none; padding: 0; }
  h2, h3, .verdict, h2 + .note, h3 + .note { break-after: avoid; }
  tr, .packet, .verdict { break-inside: avoid; } .packet { border-color: #888; }
}
"""
_CODE: Final = re.compile("`([^`<]+)`")
_AS_CODE: Final = r"<code>\1</code>"
_ALL_SHOWN: Final = 4
_NOT_FOR_AGENTS: Final = (
    "<h2>Not in here</h2><p>This was made for the agent's own key. What people were shown and tried, the text of the "
    "policy and what second factors were verified by are withheld. An auditor is given them.</p>"
)
_CELLS: Final = {"when": "when", "": "kind", "who": "who", "entry": "no"}
_HOW: Final = {
    "as posted": "As posted: this rendering has exactly the digest that the log recorded when it was sent.",
    "otherwise": "Not exactly as posted: this version of Foureyes, or the names of today, render it otherwise. What was"
    " posted then has another digest.",
    "in part": "Only in part: some of what was shown has been erased since.",
    "erased": "It has been erased.",
}
_ANSWER: Final = {
    "same": "Judged again by the same version, with what was recorded: it comes to the same",
    "differs": "⚠ Judged again by the same version, with what was recorded: it comes to something else",
    "not told": "It cannot be judged again",
}


@dataclass(frozen=True, slots=True)
class Proved:
    """One entry: whether it is proved under the checkpoint, and how many of its values live, are erased or withheld."""

    seq: int
    kind: str
    proved: bool
    living: int
    erased: int
    withheld: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the page shows. `whole`: the whole log was verified before. `shown` are packets: seq, when, how, blocks.

    `for_agent`: it says that an agent is not told what people were shown, nor the policy.
    """

    seen: Seen
    at: datetime
    final: bool
    whole: bool
    broken: Sequence[str]
    told: Sequence[Moment]
    shown: Sequence[tuple[int, datetime, str, list[Block]]]
    judged: Sequence[tuple[int, str, str, str]]
    policy: Sequence[tuple[str, str]]
    grant: str | None
    note: str | None
    entries: Sequence[Proved]
    for_agent: bool


def content_policy() -> str:
    """Give the policy that the page is served with, and names itself too: its own style, and nothing else."""
    style = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'"


def evidence_page(found: Evidence) -> str:
    """Write the page; the same bytes for the same evidence."""
    title = f"Evidence: {found.seen.proposal.id}"
    parts = [
        *_head(found),
        *_verdict(found),
        *_in_short(found),
        *_votes(found),
        *_story(found.told),
        *([_NOT_FOR_AGENTS] if found.for_agent else _packets(found)),
        *_judged(found),
        *_everything(found),
        *_permission(found.grant),
        *(() if found.for_agent else _policy(found.policy)),
        *_log(found),
        *_how_to_check(),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(content_policy())}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><main>{''.join(parts)}</main></body></html>\n"
    )


def _head(found: Evidence) -> Iterator[str]:
    proposal = found.seen.proposal
    yield f'<p class="kicker">Evidence of one decision · {escape(proposal.id)}</p>'
    headline = sentence_of(proposal).headline if proposal.digest else "What was asked for has been erased"
    yield f"<h1>{escape(headline)}</h1>"
    yield f'<p class="state">{escape(_said(standing_of(found.seen, found.at).text))}</p>'


def _said(standing: str) -> str:
    """Leave out the sign before the words: not every font and printer has it."""
    sign, _, words = standing.partition(" ")
    return standing if sign.isalnum() else words


def _verdict(found: Evidence) -> Iterator[str]:
    """Say first what this is worth."""
    if found.broken:
        yield '<div class="verdict broken" role="alert"><strong>BROKEN: this log cannot be trusted</strong>'
        yield f"<ul>{''.join([f'<li>{escape(visible(each))}</li>' for each in found.broken])}</ul>"
        yield "<p>Keep the database as it is, as evidence, and do not rely on what stands below.</p></div>"
        return
    left = sum(not each.proved for each in found.entries)
    size = counted(len(found.entries), "entry", "entries")
    yield '<div class="verdict"><strong>Recorded and unchanged</strong>'
    yield "<p>The whole log was verified first. " if found.whole else "<p>"
    if left:
        yield f"{len(found.entries) - left} of {size} are proved under a signed checkpoint; "
        yield f"{left} newer than it: make this again in a minute.</p></div>"
    else:
        yield f"All {size} about this decision are proved under a signed checkpoint of the log."
        if erased := sum(each.erased for each in found.entries):
            yield f" Erased since, by term or on request: {counted(erased, 'value')}; the entries stand as they were."
        yield "</p></div>"
    if not found.final:
        yield '<div class="verdict open"><strong>Not final</strong><p>Something is still open: this is what there was '
        yield "when it was made.</p></div>"


def _in_short(found: Evidence) -> Iterator[str]:
    proposal = found.seen.proposal
    policy = proposal.requirement.policy
    gone = erased_of(proposal.arguments, proposal.requirement.hidden, proposal.requirement.personal)
    yield "<h2>The decision</h2>" + _list(
        [
            ("Tool", visible(proposal.tool)),
            ("Agent", f"{named(proposal.agent.name)} ({proposal.agent.id})"),
            ("State", proposal.status.value),
            ("Asked", _exact(proposal.created_at)),
            ("Decided", _exact(proposal.decided_at) if proposal.decided_at else "not yet"),
            ("Digest of the action", proposal.digest or "(erased)"),
            *([("Erased of its arguments", f"{', '.join(gone)}; the digest is over the whole")] if gone else []),
            ("Policy version", visible(policy.version)),
            ("Rule", visible(policy.rule) if policy.rule else "none matched"),
            ("Why", visible(policy.because)),
        ]
    )


def _story(told: Sequence[Moment]) -> Iterator[str]:
    yield "<h2>What happened</h2>"
    yield '<p class="note">Times are UTC, as the server recorded them. The number is that of the entry in the log. '
    yield "Known: what was on record; shown: what people saw; decided; done: what came of it.</p>"
    rows = [(_exact(run.first.at), run.first.kind, run.first.who, _what(run), run.entries) for run in in_runs(told)]
    yield _table(("when", "", "who", "what", "entry"), rows)


def _what(run: Run) -> str:
    times = len(run.moments)
    return run.first.what if times == 1 else f"{run.first.what}; {times} times, until {_exact(run.moments[-1].at)}"


def _votes(found: Evidence) -> Iterator[str]:
    """List the votes that stand: those before a lowered value were voided."""
    standing = len(found.seen.proposal.votes)
    voted = [each for each in found.told if each.click == "counted"][-standing:] if standing else []
    if voted:
        yield "<h2>Who decided</h2>"
        yield _table(
            ("when", "who", "what", "entry"), [(_exact(each.at), each.who, each.what, f"{each.seq}") for each in voted]
        )


def _packets(found: Evidence) -> Iterator[str]:
    if not found.shown:
        yield "<h2>What people were shown</h2><p>Nothing: no packet was posted for this one.</p>"
        return
    yield "<h2>What people were shown</h2>"
    chosen = found.shown if len(found.shown) <= _ALL_SHOWN else [*found.shown[:2], *found.shown[-2:]]
    if len(chosen) < len(found.shown):
        yield f'<p class="note">The first and the last two of {len(found.shown)}; all are in the folder packets.</p>'
    for seq, at, how, blocks in chosen:
        yield f'<h3>From {_exact(at)} on (entry {seq})</h3><p class="note">{escape(_HOW[how])}</p>'
        yield f'<div class="packet">{_lowered(html_of(blocks))}</div>'


def _judged(found: Evidence) -> Iterator[str]:
    yield "<h2>The policy, asked again</h2>"
    for seq, version, answer, why in found.judged:
        told = _ANSWER[answer] + (f": {visible(why)}" if why else "")
        yield f'<h3>Entry {seq}</h3><p>{escape(told)}</p><p class="note">version {escape(visible(version))}</p>'


def _everything(found: Evidence) -> Iterator[str]:
    yield '<h2>Everything about it</h2><p class="note">Fields that the policy hides are hidden here too.</p>'
    blocks = [block for page in pages_of(found.seen, found.at) for block in page]
    yield f'<div class="details">{_lowered(html_of(blocks))}</div>'


def _permission(grant: str | None) -> Iterator[str]:
    if grant is not None:
        yield '<h2>The permission</h2><p class="note">The signed grant, as the agent got it. Its life is over.</p>'
        yield f"<pre>{escape(grant)}</pre>"


def _policy(files: Sequence[tuple[str, str]]) -> Iterator[str]:
    yield "<h2>The policy, as it was</h2>"
    if not files:
        yield "<p>There was no policy file for this tool, or it cannot be had any more.</p>"
    for name, text in files:
        yield f"<h3>{escape(visible(name))}</h3><pre>{escape(_file(text))}</pre>"


def _file(text: str) -> str:
    """Show a file with its indentation, which says what belongs to what; the rest of each line as ever."""
    return "\n".join([_indented(line) for line in masked(text).removesuffix("\n").split("\n")])


def _indented(line: str) -> str:
    rest = line.lstrip(" ")
    return " " * (len(line) - len(rest)) + (visible(rest) if rest else "")


def _log(found: Evidence) -> Iterator[str]:
    yield "<h2>Where it stands in the log</h2>"
    rows = neighbours([(each.seq, (visible(each.kind), _proved(each), _values(each))) for each in found.entries])
    yield _table(("entry", "kind", "proof", "values"), rows)
    if found.note is None:
        yield "<p>No signed checkpoint covers it yet.</p>"
    else:
        yield f"<h3>The signed checkpoint</h3><pre>{escape(visible(found.note, breaks=True))}</pre>"


def _proved(each: Proved) -> str:
    return "proved" if each.proved else "NOT proved"


def _values(each: Proved) -> str:
    kept = counted(each.living, "value kept", "values kept") if each.living else "no values"
    lacking = [f"{count} {what}" for count, what in ((each.erased, "erased"), (each.withheld, "withheld")) if count]
    return ", ".join([kept, *lacking])


def _how_to_check() -> Iterator[str]:
    yield "<h2>How to check this</h2>" + _CODE.sub(_AS_CODE, _list(CHECKS))
    yield "<h2>What this does not prove</h2>"
    yield f"<ul>{''.join([f'<li>{_CODE.sub(_AS_CODE, escape(each))}</li>' for each in LIMITS])}</ul>"


def _lowered(html: str) -> str:
    """Put a packet's headings below those of the page; in what was foreign there are no tags."""
    return html.replace("<h1>", "<h3>").replace("</h1>", "</h3>")


def _list(rows: Iterable[tuple[str, str]]) -> str:
    return f"<dl>{''.join([f'<dt>{escape(name)}</dt><dd>{escape(value)}</dd>' for name, value in rows])}</dl>"


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join([f"<th>{escape(name)}</th>" for name in names])
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join([_row(names, row) for row in rows])}</tbody></table>"


def _row(names: Sequence[str], cells: Sequence[str]) -> str:
    made = [
        f'<td class="{_CELLS.get(name, "")}" data-label="{name}">{escape(cell)}</td>'
        for name, cell in zip(names, cells, strict=True)
    ]
    return f"<tr>{''.join(made)}</tr>"


def _exact(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
