"""What `policy test` does: asks the policy about each case, and says which rules no case reaches. Stores nothing."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from approval_rules.explanation import explain
from approval_rules.policy import PolicyFolder, Rule
from bot.cli.output import printable
from bot.policy_cases import Case, Expectation, read_folder
from bot.policy_files import load
from bot.replay.judging import Ruling, agent_of, draft_of_case, expected_words, got_words, judge, same_people
from handlers.counting import counted
from handlers.http.problems import ProblemError

Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Tried:
    """One case and what the policy said; `file` is told from the policy folder on."""

    file: str
    case: Case
    got: Ruling
    ok: bool

    @property
    def expected(self) -> str:
        """What was wanted, in words."""
        return expected_words(self.case.expect)

    @property
    def came(self) -> str:
        """What came instead, in words."""
        return got_words(self.got)

    @property
    def told(self) -> str:
        """The failure on one line; nothing in it can reach a terminal raw."""
        where = f"{self.file}:{self.case.line} {self.case.name}"
        return printable(f"{where}: expected {self.expected}, got {self.came} because {self.got.because}")


@dataclass(frozen=True, slots=True)
class Tested:
    """What all cases came to. `missed` are the rules that decided no case."""

    version: str
    cases: Sequence[Tried]
    rules: int
    missed: Sequence[tuple[str, Rule]]

    @property
    def failures(self) -> list[Tried]:
        """The cases that went wrong."""
        return [tried for tried in self.cases if not tried.ok]

    def lines(self) -> Iterator[str]:
        """Tell it to a person."""
        for tried in self.failures:
            yield tried.told
        for tool, rule in self.missed:
            yield printable(f"no case reaches rule {rule.index} of {tool}: {rule.condition_text}")
        wrong = len(self.failures)
        reached = f"{self.rules - len(self.missed)} of {counted(self.rules, 'rule')} reached"
        yield f"{counted(len(self.cases), 'case')}: {len(self.cases) - wrong} as expected, {wrong} not; {reached}."

    def document(self) -> dict[str, Any]:
        """Tell it to a program."""
        return {
            "version": self.version,
            "cases": len(self.cases),
            "failures": [
                {
                    "file": tried.file,
                    "line": tried.case.line,
                    "name": tried.case.name,
                    "expected": tried.expected,
                    "got": tried.came,
                    "because": tried.got.because,
                }
                for tried in self.failures
            ],
            "rules": self.rules,
            "rules_without_a_case": [
                {"tool": tool, "rule": rule.index, "condition": rule.condition_text} for tool, rule in self.missed
            ],
        }


def run(path: Path) -> Tested:
    """Run every case of a policy folder. Raises PolicyFolderError, CaseFaultsError and OSError."""
    folder = load(path)
    cases = read_folder(path, folder.policies)
    tried = [_try(folder, path, case) for case in cases]
    reached = set(_reached(folder, cases))
    rules = [(str(tool), rule) for tool, policy in sorted(folder.policies.items()) for rule in policy.rules]
    missed = [(tool, rule) for tool, rule in rules if (tool, rule.index) not in reached]
    return Tested(folder.version, tried, len(rules), missed)


def _try(folder: PolicyFolder, path: Path, case: Case) -> Tried:
    got = judge(folder, case)
    return Tried(Path(case.file).relative_to(path).as_posix(), case, got, met(case.expect, got))


def _reached(folder: PolicyFolder, cases: Iterable[Case]) -> Iterator[Place]:
    """Give the rules that matched and decided: one that is only named as the reason for a doubt is not tried by it."""
    for case in cases:
        try:
            found = explain(folder, draft_of_case(folder, case), agent_of(case), case.at, case.before)
        except (ProblemError, ValueError):
            continue
        deciding = getattr(found.result, "policy", None)
        for one in found.rules:
            if one.outcome == "matched" and deciding and deciding.rule == f"{case.tool}#{one.rule.index}":
                yield case.tool, one.rule.index


def met(wanted: Expectation, got: Ruling) -> bool:
    """Tell whether a case came out as expected."""
    return (
        wanted.outcome == got.outcome
        and wanted.rule in (None, got.rule)
        and same_people(wanted, got)
        and wanted.because in got.because
    )
