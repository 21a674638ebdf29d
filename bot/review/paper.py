"""The look of a report on a page: on a screen, in the dark, on a phone, and printed. It says nothing."""

from typing import Final

PAPER: Final = """
:root { color-scheme: light dark; --ink: #1d2433; --paper: #fff; --line: #cbd2dc; --head: #eef1f5; --alarm: #b3261e; }
@media (prefers-color-scheme: dark) {
:root { --ink: #e4e8ef; --paper: #14181f; --line: #3a4454; --head: #202733; --alarm: #ff8a80; } }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0; color: var(--ink); background: var(--paper); }
main { max-width: 75rem; margin: 0 auto; padding: 1.5rem; overflow-wrap: break-word; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
h2.alarm { color: var(--alarm); } h2.alarm::before { content: "⚠ "; }
.standing { border-left: 4px solid var(--line); padding-left: .75rem; margin: .5rem 0; }
table { border-collapse: collapse; width: 100%; } .figures { width: auto; }
th, td { border: 1px solid var(--line); padding: .3rem .6rem; text-align: left; vertical-align: top; }
th { background: var(--head); } .figures td + td { text-align: right; }
.items td:first-child, .items td:nth-child(2) { white-space: nowrap; }
.items td:nth-child(4) { min-width: 9rem; }
h1, .standing, .items td:nth-child(4), .items td:last-child, code { overflow-wrap: anywhere; }
code { font-size: 13px; } footer { margin-top: 2rem; }
@media (max-width: 40rem) {
main { padding: 1rem; } .items thead { display: none; }
.items tr { display: block; border: 1px solid var(--line); border-radius: .5rem; margin: 0 0 .75rem; }
.items tr { padding: .4rem .6rem; }
.items td { white-space: normal; overflow-wrap: anywhere; }
.items td { display: block; border: 0; padding: .1rem 0; } .items td:empty { display: none; }
.items td::before { content: attr(data-of) ": "; opacity: .7; } }
@media print {
:root { --ink: #000; --paper: #fff; --line: #999; --head: #eee; --alarm: #000; color-scheme: light; }
@page { margin: 15mm; } main { padding: 0; max-width: none; } body { font-size: 10pt; }
h2 { break-after: avoid; } tr { break-inside: avoid; } thead { display: table-header-group; } }
"""
