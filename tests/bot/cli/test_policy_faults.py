"""examples/policy-faults: one file for each kind of fault, and what `policy check` says of it, word for word."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from bot.policy_files import PolicyFolderError, load
from tests.bot.cli.shell import Shell

HERE = Path(__file__).parents[3]
FAULTS = HERE / "examples" / "policy-faults"
PAGE = (FAULTS / "README.md").read_text("utf-8")
EXPECTED = dict(re.findall(r"```console\n\$ foureyes policy check (\S+)\n(.*?)```", PAGE, re.DOTALL))
FOLDERS = sorted(path.name for path in FAULTS.iterdir() if path.is_dir())
HELPERS = {"shifts.ics", "roles.yml", "holidays.yml", "budgets.yml", "payments.refund.yml", "README", "about.txt"}

LOADER = [
    *(
        "bot/yaml_loaders.py",
        "bot/marked_yaml.py",
        "bot/policy_files.py",
        "bot/policy_page.py",
        "bot/policy_verdicts.py",
    ),
    *(
        "bot/policy_budgets.py",
        "bot/policy_on_call.py",
        "bot/policy_quiet_hours.py",
        "bot/policy_times.py",
        "bot/policy_tiers.py",
        "bot/policy_facts.py",
        "bot/contracts/contract.py",
        "bot/contracts/domains.py",
        "bot/contracts/reading.py",
    ),
    *("bot/contracts/schema.py", "approval_rules/conditions.py", "approval_rules/condition_kinds.py"),
]
MAKERS = {
    *("fault", "fault_at", "fault_inside", "_fault_after", "PolicyFault", "MarkedYAMLError", "_UnreadableError"),
    *("SchemaFault", "ConditionFaultError", "_MisuseError"),
}
# What no small file in a folder can show; test_policy_bad_input.py and test_contract.py do.
ELSEWHERE = {
    "larger than {MAX_BYTES // 1024} KiB; split it": "64 KiB",
    "larger than {MAX_BYTES // 1024} KiB; make it smaller": "64 KiB",
    "more than {MAX_NODES} values": "6,000 values",
    "more than {MAX_SCHEMAS} schemas": "2,000 schemas",
    "nested deeper than {MAX_DEPTH} schemas": "only a schema that is no JSON text gets so far",
    "holds more than {MAX_FILES} files": "500 files",
    "more than {MAX_PEOPLE} people": "50 people",
    "more than {MAX_OVERRIDES} overrides": "200 overrides",
    "more than {MAX_SPANS} spans": "14 spans",
    "cannot be compiled (": "only a schema that the checks before it let through by mistake",
    'PolicyFault(str(folder), 1, 1, f"cannot be read': "a folder without the right to read it",
    "PolicyFault(str(path), 1, 1, reason)": "no folder",
    "uses something that conditions do not have": "only a word that the checks before it let through by mistake",
}


@pytest.mark.parametrize("folder", FOLDERS)
def test_each_fault_is_told_as_its_page_says(shell: Shell, monkeypatch: pytest.MonkeyPatch, folder: str) -> None:
    """The real command prints what the page shows: file, line, column, what is wrong; and ends with 1."""
    monkeypatch.chdir(FAULTS)
    ended = shell("policy", "check", folder)
    assert (ended.code, ended.out, ended.err) == (1, "", EXPECTED[folder])


def test_each_file_has_exactly_one_fault() -> None:
    """A file is an example of the one thing that its name says."""
    lines = [line.partition(":")[0] for text in EXPECTED.values() for line in text.splitlines()]
    files = {str(path.relative_to(FAULTS)) for path in FAULTS.rglob("*") if path.is_file()} - {"README.md"}
    examples = {file for file in files if Path(file).name not in HELPERS and "/in-a-file-" not in file}
    assert [file for file in sorted(examples) if lines.count(file) != 1] == []


def test_each_fault_of_the_loader_has_an_example() -> None:
    """Whoever adds a fault adds its example: every place in the loader that makes one is reached by these folders."""
    reached = _lines_run_by_the_examples()
    missed = []
    for file in LOADER:
        source = (HERE / file).read_text("utf-8")
        for call in _faults_made_in(ast.parse(source)):
            lines = range(call.lineno, (call.end_lineno or call.lineno) + 1)
            if not any((file, line) in reached for line in lines):
                missed.append(f"{file}:{call.lineno}: {ast.get_source_segment(source, call)}")
    assert [each for each in missed if not any(text in each for text in ELSEWHERE)] == []
    assert [text for text in ELSEWHERE if not any(text in each for each in missed)] == []


def _faults_made_in(tree: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in MAKERS:
                yield node


def _lines_run_by_the_examples() -> set[tuple[str, int]]:
    """Load every folder, and give the lines of the loader that ran meanwhile."""
    reached: set[tuple[str, int]] = set()
    files = {str(HERE / file): file for file in LOADER}

    def look(frame: FrameType, event: str, _: object) -> Any:  # noqa: ANN401 - a trace function gives itself
        file = files.get(frame.f_code.co_filename)
        if file is None:
            return None
        if event == "line":
            reached.add((file, frame.f_lineno))
        return look

    before = sys.gettrace()
    sys.settrace(look)
    try:
        for folder in FOLDERS:
            with pytest.raises(PolicyFolderError):
                load(FAULTS / folder)
    finally:
        sys.settrace(before)
    return reached
