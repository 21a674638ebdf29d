"""Shows a report: as lines for a terminal, as CSV for a spreadsheet, as one HTML page. Each escapes what people wrote.

Names come from Slack and from agents' registrations: nothing in them may become a formula, a tag or another direction.
"""

import html
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from approval_rules.versions import CHANGE_TOOL
from bot.access.keeping import roles_of, starter_of
from bot.access.report import FACTOR_WORDS, Report
from bot.store.reports import Kept
from handlers.counting import counted
from handlers.slack.escape import visible
from handlers.spreadsheet import table_of

COLUMNS: Final = (
    *("person", "account", "standing", "tool", "rule", "when", "role", "in role since", "through", "approvals"),
    *("others needed", "second factor asked", "enrolled", "has what is asked", "last vote", "not for agents", "note"),
)
KEY_MAY: Final[Mapping[str, str]] = {
    "operator": "pauses, and is half of a resume of everything; approves nothing",
    "auditor": "reads the audit log over HTTP; changes nothing",
}
_WITH_VALUES: Final = "reads the log over HTTP with what was written and, for a reason, what is hidden; changes nothing"
_POWERS: Final = (
    ("resume", "Resume"),
    ("review", "Sign a review"),
    ("change_policy", "Approve a new policy"),
    ("reveal", "See what is hidden, each look on record"),
)
_STYLE: Final = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem;color:#1d2433}table{border-collapse:collapse;margin:0 0 2rem}"
    "th,td{border:1px solid #cbd2dc;padding:.3rem .6rem;text-align:left;vertical-align:top}th{background:#eef1f5}"
    "code{font-size:13px;word-break:break-all}"
    "@media(max-width:40rem){body{margin:1rem}table{display:block;overflow-x:auto}th{white-space:nowrap}}"
    "@media(prefers-color-scheme:dark){body{color:#e8eaed;background:#17191c}th{background:#23272b}"
    "th,td{border-color:#565e68}}"
    "@media print{body{margin:0;color:#000;background:#fff}th{background:#eee}tr{break-inside:avoid}}"
)


@lru_cache(maxsize=4096)  # the same few names and conditions stand in very many lines
def _shown(text: str) -> str:
    return visible(text)


def rights(report: Report) -> Iterator[Mapping[str, str]]:
    """Give a line for each person and each way in which the person can approve or start, or one for who can neither."""
    by_role: dict[str, list[Mapping[str, Any]]] = {}
    for way in report["ways"]:
        for role in sorted(roles_of(way) | starter_of(way)):
            by_role.setdefault(role, []).append(way)
    owned: dict[str, list[Mapping[str, Any]]] = {}
    for agent in report["agents"]:
        owned.setdefault(agent["owner"], []).append(agent)
    for one in report["people"]:
        found = [(role, way) for role in one["roles"] for way in by_role.get(role["role"], ())]
        for role, way in found if one["flaw"] is None else ():
            if role["role"] in starter_of(way):
                yield _start(one, role, way)
            if role["role"] in roles_of(way):
                yield _right(one, role, way, owned.get(one["account"], ()))
        if not found or one["flaw"] is not None:
            yield _nothing(one)


def _nothing(one: Mapping[str, Any]) -> Mapping[str, str]:
    roles = ", ".join(role["role"] for role in one["roles"])
    note = "can approve nothing" if not one["flaw"] or not roles else f"can approve nothing, though in {roles}"
    return {**dict.fromkeys(COLUMNS, ""), **_about(one), "note": note}


def _about(one: Mapping[str, Any]) -> Mapping[str, str]:
    return {
        "person": _shown(one["name"]),
        "account": one["account"],
        "standing": one["flaw"] or "full member",
        "enrolled": ", ".join(one["factors"]) or "none",
        "last vote": _day(one["last_vote"]) or "never",
    }


def _right(
    one: Mapping[str, Any], role: Mapping[str, Any], way: Mapping[str, Any], owned: Sequence[Mapping[str, Any]]
) -> Mapping[str, str]:
    notes = [
        *(["from half of the time on"] if way["backup"] == role["role"] else []),
        *(["in shadow: nothing is executed"] if way["shadow"] else []),
        *(["after another person has started it"] if starter_of(way) else []),
        *([f"not where {_names(way)} names this person"] if way.get("excluded") else []),
    ]
    return {
        **_about(one),
        "tool": way["tool"],
        "rule": rule_of(way),
        "when": _shown(way["when"]),
        "role": role["role"],
        "in role since": _day(role["since"]) or "not known",
        "through": role["through"],
        "approvals": str(way["approvals"]),
        "others needed": str(way["approvals"] - 1),
        "second factor asked": way["step_up"],
        "has what is asked": "yes" if has_factor(one["factors"], way["step_up"]) else "no",
        "not for agents": ", ".join(_shown(agent["name"]) for agent in owned if way["tool"] in agent["tools"]),
        "note": "; ".join(notes),
    }


def _start(one: Mapping[str, Any], role: Mapping[str, Any], way: Mapping[str, Any]) -> Mapping[str, str]:
    """Say that a person may start what is blocked: all that is asked must be brought by others."""
    asked = way["starts"]["step_up"]
    return {
        **_right(one, role, way, ()),
        "others needed": str(way["approvals"]),
        "second factor asked": asked,
        "has what is asked": "yes" if has_factor(one["factors"], asked) else "no",
        "note": "may start it, and not approve it then",
    }


def _names(way: Mapping[str, Any]) -> str:
    return " or ".join(map(_shown, way.get("excluded", ())))


def has_factor(enrolled: Sequence[str], asked: str) -> bool:
    """Tell whether what a person has enrolled is enough for what is asked."""
    return asked == "none" or asked in enrolled or (asked == "totp" and "passkey" in enrolled)


def rule_of(way: Mapping[str, Any]) -> str:
    """Name the rule of a way."""
    if way["rule"] is not None:
        return f"rule {way['rule']}"
    return "every change" if way["tool"] == CHANGE_TOOL else "strictest of the file"


def seats_of(way: Mapping[str, Any]) -> str:
    """Say who is asked: `2 of support_manager and 1 of finance`."""
    seats = " and ".join(f"{seat['count']} of {seat['role']}" for seat in way["seats"])
    late = f", later also {way['backup']}" if way["backup"] else ""
    factor = "" if way["step_up"] == "none" else f", each with {FACTOR_WORDS[way['step_up']]}"
    told = f"{seats}{late}{factor}"
    if way.get("excluded"):
        told += f", nobody whom {_names(way)} names"
    return f"{_starter(way['starts'])}, then {told}" if starter_of(way) else told


def _starter(starts: Mapping[str, Any]) -> str:
    factor = "" if starts["step_up"] == "none" else f" with {FACTOR_WORDS[starts['step_up']]}"
    can = counted(starts["able_with_factor"], "person", "people")
    return f"blocked; one of {starts['role']} may start it{factor} ({can} can)"


# --- for a spreadsheet


def csv_of(report: Report) -> str:
    """Write every right as one line; no cell begins as a formula does."""
    return table_of(COLUMNS, ([line[name] for name in COLUMNS] for line in rights(report)))


# --- for a browser


def html_of(kept: Kept) -> str:
    """Write one page that loads nothing and runs nothing; the rights of each person, line by line, are in the CSV."""
    report = kept.report
    warnings = "".join(f"<li>{_h(one['text'])}</li>" for one in report["warnings"])
    parts = [
        f"<p>As of {_h(report['at'])}, policy <code>{_h(report['policy'])}</code></p>",
        f"<p>Report <code>{_h(kept.digest)}</code></p>",
        f"<h2>Look at these first</h2><ul>{warnings}</ul>" if warnings else "<h2>Nothing to warn of</h2>",
        "<h2>In which ways people are asked</h2>",
        _table(
            ("tool", "rule", "when", "who", "how many can", "how many more than needed"),
            map(_way_cells, report["ways"]),
        ),
        "<h2>People</h2>",
        _table(("person", "standing", "roles", "enrolled", "last vote", "owns"), map(_person_cells, report["people"])),
        "<h2>Roles</h2>",
        _table(("role", "members", "can act", "at most needed", "user group"), map(_role_cells, report["roles"])),
        "<h2>Agents</h2>",
        _table(("agent", "owner", "tools"), map(_agent_cells, report["agents"])),
        "<h2>Who else may do what</h2>",
        f"<ul>{''.join(f'<li>{_h(line)}</li>' for line in powers(report))}</ul>",
    ]
    head = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Access review</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<style>{_STYLE}</style></head><body><h1>Access review</h1>"
    )
    return f"{head}{''.join(parts)}</body></html>\n"


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    heads = "".join(f"<th>{_h(name)}</th>" for name in names)
    lines = "".join(f"<tr>{''.join(f'<td>{_h(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table>"


def _way_cells(way: Mapping[str, Any]) -> Sequence[str]:
    who = f"{seats_of(way)}{', in shadow: nothing is executed' if way['shadow'] else ''}"
    return way["tool"], rule_of(way), way["when"], who, str(way["able_with_factor"]), str(way["spare"])


def _person_cells(one: Mapping[str, Any]) -> Sequence[str]:
    about = _about(one)
    who = f"{one['name']} ({one['account']})"
    return who, about["standing"], _roles_in_words(one), about["enrolled"], about["last vote"], ", ".join(one["owns"])


def _role_cells(role: Mapping[str, Any]) -> Sequence[str]:
    group = f"@{role['usergroup']}" if role["usergroup"] else "none"
    return role["role"], ", ".join(role["members"]) or "nobody", str(role["able"]), str(role["most_needed"]), group


def _agent_cells(agent: Mapping[str, Any]) -> Sequence[str]:
    return agent["name"], agent["owner"] or "not known", ", ".join(agent["tools"])


def _h(text: str) -> str:
    return html.escape(_shown(text) if text else "")


# --- for a terminal


def lines_of(kept: Kept) -> Iterator[str]:
    """Tell it on lines, what to look at first; nothing in them can reach a terminal raw."""
    report = kept.report
    yield f"Access review as of {report['at']}"
    yield f"Policy {report['policy']}"
    yield ""
    yield from _block(
        "LOOK AT THESE FIRST", (visible(one["text"]) for one in report["warnings"]), "Nothing to warn of."
    )
    yield from _block("IN WHICH WAYS PEOPLE ARE ASKED", map(_way_line, report["ways"]), "No tool asks anybody.")
    yield from _block("PEOPLE", map(_person_line, report["people"]), "Nobody has a role.")
    yield from _block("AGENTS", (" · ".join(map(visible, _agent_cells(one))) for one in report["agents"]), "None.")
    yield from _block("WHO ELSE MAY DO WHAT", powers(report), "")
    yield f"Report {kept.digest}"
    yield f"To say that you have read it: foureyes access sign {kept.digest[:19]}"


def _block(heading: str, lines: Iterator[str], none: str) -> Iterator[str]:
    yield heading
    told = list(lines) or [none]
    yield from (f"  {line}" for line in told)
    yield ""


def _way_line(way: Mapping[str, Any]) -> str:
    shadow = ", in shadow" if way["shadow"] else ""
    can = counted(way["able_with_factor"], "person", "people")
    return visible(f"{way['tool']}, {rule_of(way)}, when {way['when']}: {seats_of(way)} ({can} can{shadow})")


def _person_line(one: Mapping[str, Any]) -> str:
    flaw = f" · {one['flaw'].upper()}" if one["flaw"] else ""
    owns = f" · owns {', '.join(map(visible, one['owns']))}" if one["owns"] else ""
    factors = f" · {' and '.join(one['factors'])}" if one["factors"] else " · no second factor"
    voted = f" · voted last on {_day(one['last_vote'])}" if one["last_vote"] else " · never voted"
    return f"{visible(one['name'])} ({one['account']}){flaw} · {_roles_in_words(one)}{factors}{voted}{owns}"


def _roles_in_words(one: Mapping[str, Any]) -> str:
    roles = [f"{role['role']} since {_day(role['since']) or 'not known'}" for role in one["roles"]]
    return ", ".join(roles) or "no role"


def powers(report: Report) -> Iterator[str]:
    """Say who may do what else than approve."""
    names = {one["person"]: f"{one['name']} ({one['account']})" for one in report["people"]}
    may = report["may"]
    yield f"Pause: {may['pause']}, and whoever has an account on the machine."
    for what, told in _POWERS:
        if what not in may:  # roles.yml has no such role, or the report is of an earlier version
            continue
        people = ", ".join(visible(names.get(person, person)) for person in may[what])
        yield f"{told}: {people or 'nobody in Slack'}."
    accounts = ", ".join(
        f"{visible(one['account'])} (last on {_day(one['last_acted'])})" for one in report["operators"]
    )
    yield f"Accounts of the machine that have acted: {accounts or 'none'}."
    for key in report.get("keys", ()):
        recorded = key["kind"] != "auditor" or key.get("values")
        never = "never used" if recorded else "its use is not recorded"
        used = f"last used on {_day(key['last_acted'])}" if key["last_acted"] else never
        since = f"since {_day(key['since'])}, {used}"
        told = _WITH_VALUES if key.get("values") else KEY_MAY[key["kind"]]
        yield f"The {key['kind']}'s key {visible(key['name'])} ({since}): {told}."


def _day(at: str | None) -> str:
    return "" if at is None else at[:10]
