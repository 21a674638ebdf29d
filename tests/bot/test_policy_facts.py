"""`facts:` of a tool's page: both forms, every default, and each fault with its place."""

import json
from datetime import timedelta

import pytest

from approval_rules.facts import DeclaredFact, Lookup
from approval_rules.people import ToolName
from bot.policy_files import load
from bot.policy_lint import dangers
from tests.bot.test_policy_files import ROLES, Write, write
from tests.bot.test_policy_files_faults import one_fault

__all__ = ["write"]  # the fixture

RULES = "  rules: [{if: 'n == 1', require_approval: manager}]\n"
CONTRACT = "  contract: {properties: {customer_id: {type: string}, n: {type: number}}}\n"
URL = "https://crm.example/{customer_id}"


def page(facts: str, more: str = "") -> str:
    """A tool's page that declares these facts."""
    return f"policy:\n  tool: pay\n{more}  facts: {facts}\n{RULES}"


def test_both_forms_are_read(write: Write) -> None:
    """A type is what the agent says; a URL is what the server asks, with every default."""
    text = page(
        f"{{mood: string, age: number, tier: {{url: '{URL}'}}, vip: {{url: 'HTTPS://CRM.example:8443/v?id={{n}}&x=1', "
        "pointer: '', header_env: FOUREYES_CRM_TOKEN, cache: 90s, timeout: 0.5s, type: boolean}}"
    )
    policy = load(write(None, ROLES, pay__yml=text)).policies[ToolName("pay")]
    second = timedelta(seconds=1)
    plain = Lookup(URL, "crm.example", "/tier", None, 0 * second, 2 * second)
    full = Lookup(
        "HTTPS://CRM.example:8443/v?id={n}&x=1", "crm.example", "", "FOUREYES_CRM_TOKEN", 90 * second, second / 2
    )
    assert policy.facts == (
        DeclaredFact("mood", "string"),
        DeclaredFact("age", "number"),
        DeclaredFact("tier", None, plain),
        DeclaredFact("vip", "boolean", full),
    )
    assert policy.lookups == {"tier": plain, "vip": full}


@pytest.mark.parametrize(
    ("facts", "column", "advice"),
    [
        ("[a]", 10, "facts must be a mapping"),
        ("{now: string}", 16, "'now' is the server's own name"),
        ("{a-b: string}", 16, "cannot stand in a condition"),
        ("{a: sting}", 14, "a fact is one of string, number, boolean; did you mean 'string'?"),
        ("{a: }", 13, "the kind of the fact 'a' must be text"),
        ("{a: [string]}", 14, "the kind of the fact 'a' must be text"),
        ("{a: {type: string}}", 14, "or has a 'url' where it is looked up"),
        ("{a: {uri: 'https://x.example/'}}", 15, "a fact has no 'uri'; did you mean 'url'?"),
        ("{a: {url: 5}}", 20, "url must be text"),
        ("{a: {url: 'ftp://x.example/'}}", 20, "url is a web address such as"),
        ("{a: {url: 'crm.example/x'}}", 20, "url is a web address such as"),
        ("{a: {url: 'https://u:p@x.example/'}}", 20, "holds no user and no password"),
        ("{a: {url: 'https://x.example:0/'}}", 20, "port is none"),
        ("{a: {url: 'https://x..example/'}}", 20, "host is neither"),
        ("{a: {url: 'https://127.1/'}}", 20, "host is neither"),
        ("{a: {url: 'https://{host}/'}}", 20, "after the host"),
        ("{a: {url: 'https://x.example:{port}/'}}", 20, "after the host"),
        ("{a: {url: 'https://x.{n}.example/'}}", 20, "after the host"),
        ("{a: {url: 'https://x.example{n}'}}", 20, "after the host"),
        ("{a: {url: '{n}'}}", 20, "after the host"),
        ("{a: {url: 'https://x.example/{n'}}", 20, "after the host"),
        ("{a: {url: 'https://x.example/{n.m}'}}", 20, "after the host"),
        ("{a: {url: 'https://x.example/{}'}}", 20, "after the host"),
        ("{a: {url: 'https://x.example/#{n}'}}", 20, "after the host"),
        (f"{{a: {{url: 'https://x.example/{'x' * 3000}'}}}}", 20, "too long"),
        ("{a: {url: 'https://x.example/', pointer: tier}}", 51, "a JSON pointer such as"),
        ("{a: {url: 'https://x.example/', pointer: /a~2}}", 51, "a JSON pointer such as"),
        ("{a: {url: 'https://x.example/', pointer: 5}}", 51, "a JSON pointer such as"),
        ("{a: {url: 'https://x.example/', header_env: SLACK_BOT_TOKEN}}", 54, "FOUREYES_CRM_TOKEN"),
        ("{a: {url: 'https://x.example/', header_env: FOUREYES_SLACK_BOT_TOKEN}}", 54, "FOUREYES_CRM_TOKEN"),
        ("{a: {url: 'https://x.example/', header_env: AWS_SECRET_ACCESS_KEY}}", 54, "FOUREYES_CRM_TOKEN"),
        ("{a: {url: 'https://x.example/', cache: 61m}}", 49, "cache is a time from 0s to 1h"),
        ("{a: {url: 'https://x.example/', cache: [1]}}", 49, "cache is a time from 0s to 1h"),
        ("{a: {url: 'https://x.example/', timeout: 99ms}}", 51, "timeout is a time from 100ms to 10s"),
        ("{a: {url: 'https://x.example/', timeout: 10.001s}}", 51, "timeout is a time from 100ms to 10s"),
        ("{a: {url: 'https://x.example/', type: text}}", 48, "a fact is one of"),
        (
            "{" + ", ".join(f"f{n}: {{url: 'https://x.example/'}}" for n in range(9)) + "}",
            10,
            "at most 8 facts of a tool are looked up",
        ),
    ],
)
def test_each_fault_has_its_place(write: Write, facts: str, column: int, advice: str) -> None:
    """A policy with such a fact does not come into force."""
    fault = one_fault(write(None, ROLES, pay__yml=page(facts)))
    assert fault[:3] == ("pay.yml", 3, column)
    assert advice in fault[3]


def test_the_contract_knows_the_arguments(write: Write) -> None:
    """A misspelt argument in an address, and a fact with an argument's name, are faults where there is a contract."""
    wrong = page("{a: {url: 'https://x.example/{custmer_id}'}}", CONTRACT)
    assert "no argument 'custmer_id'; did you mean 'customer_id'?" in one_fault(write(None, ROLES, pay__yml=wrong))[3]
    strange = page("{a: {url: 'https://x.example/{zzzzzzzzzz}'}}", CONTRACT)
    assert "no argument 'zzzzzzzzzz'; add it" in one_fault(write(None, ROLES, pay__yml=strange))[3]
    for form in ("string", f"{{url: '{URL}'}}"):
        twice = page(f"{{n: {form}}}", CONTRACT)
        assert "'n' is an argument in the contract already" in one_fault(write(None, ROLES, pay__yml=twice))[3]
    is_open = CONTRACT.replace("{properties", "{additionalProperties: true, properties")
    for good in (page(f"{{a: {{url: '{URL}'}}}}", CONTRACT), wrong.replace(CONTRACT, is_open)):
        assert load(write(None, ROLES, pay__yml=good)).policies[ToolName("pay")].lookups


def test_plain_http_is_a_danger(write: Write) -> None:
    """It is said when the folder is checked, and does not stop it: the host may be the machine itself."""
    for url, found in ((URL, []), (URL.replace("https", "HTTP"), ["pay.yml: a is looked up without TLS"])):
        told = [str(one) for one in dangers(load(write(None, ROLES, pay__yml=page(json.dumps({"a": {"url": url}})))))]
        assert [one.partition(":")[0] + ":" + one.split(":")[1] for one in told] == found
