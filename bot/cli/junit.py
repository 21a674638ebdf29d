"""Writes the outcome of `policy test` in JUnit's XML, which every CI reads. Never writes what XML cannot hold."""

from itertools import groupby
from pathlib import Path
from xml.etree.ElementTree import Element, ElementTree, SubElement

from bot.cli.output import printable
from bot.cli.testing import Tested

_MISSED = "rules without a case"


def write(tested: Tested, path: Path, *, require_coverage: bool) -> None:
    """Write one suite a file of cases; with `require_coverage` each rule without a case is a failure of its own."""
    root = Element("testsuites", name="foureyes policy test")
    for file, several in groupby(tested.cases, lambda tried: tried.file):
        suite = SubElement(root, "testsuite", name=printable(file))
        for tried in several:
            case = SubElement(suite, "testcase", classname=printable(file), name=printable(tried.case.name))
            case.set("line", str(tried.case.line))
            if not tried.ok:
                message = printable(f"expected {tried.expected}, got {tried.came}")
                SubElement(case, "failure", message=message).text = tried.told
    if require_coverage and tested.missed:
        suite = SubElement(root, "testsuite", name=_MISSED)
        for tool, rule in tested.missed:
            case = SubElement(suite, "testcase", classname=_MISSED, name=f"rule {rule.index} of {tool}")
            SubElement(case, "failure", message="no case reaches it").text = printable(rule.condition_text)
    for counted in (*root, root):
        counted.set("tests", str(len(list(counted.iter("testcase")))))
        counted.set("failures", str(len(list(counted.iter("failure")))))
        counted.set("errors", "0")
    ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)
