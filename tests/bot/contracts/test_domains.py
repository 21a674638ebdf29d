"""Allowlists of hosts: one spelling for each host, and no trick around it."""

import pytest

from bot.contracts.contract import compile_contract
from bot.contracts.domains import MAX_DOMAINS, allows, wrong_list

LIST = ["example.com", ".example.org", "xn--bcher-kva.example"]


@pytest.mark.parametrize(
    "value",
    [
        *(
            "example.com",
            "EXAMPLE.com",
            "https://example.com",
            "https://example.com/a?b=c#d@e:f",
            "https://Example.COM/",
        ),
        *("bob@example.com", "b.o-b+tag@sub.example.org", "a.b.example.org", "https://x.example.org?q"),
        *("xn--bcher-kva.example", "https://XN--BCHER-KVA.example/"),
    ],
)
def test_allowed(value: str) -> None:
    """A host, an https URL or one mail address at a listed host, whatever the case of its letters."""
    assert allows(LIST, value)


@pytest.mark.parametrize(
    "value",
    [
        *(
            "",
            "example",
            "example.com.",
            "example.com.evil.com",
            "evil-example.com",
            "evilexample.org",
            "sub.example.com",
        ),
        *("example.org", ".example.org", "-a.example.org", "a..example.org", "bücher.example", "exam\u212aple.com"),
        *("example.com\n", "\nexample.com", " example.com", "example.com ", "example。com", "\uff45xample.com"),
        *("http://example.com", "ftp://example.com", "//example.com", "HTTPX://example.com", "javascript:example.com"),
        *(
            "https://example.com:443",
            "https://example.com:8443/",
            "https://user@example.com",
            "https://evil.com@example.com",
        ),
        *("https://example.com@evil.com", "https://example.com\\@evil.com", "https://evil.com\\.example.org"),
        *("https://example.com%2eevil.com", "https://evil.com/example.com", "https://evil.com#.example.org"),
        *(
            "https://evil.com?x=.example.org",
            "https://example.com /",
            "https://example.com/\u202e",
            "https:/example.com",
        ),
        *("https://[::1]", "https://2130706433", "127.0.0.1", "bob@example.com,eve@evil.com", "Bob <bob@example.com>"),
        *('"bob"@example.com', "bob@evil.com@example.com", "bob%evil.com@example.com", "bob!evil@example.com"),
        *("bob@example.com\r\nBcc: eve@evil.com", "bob@[127.0.0.1]", "bob@example.com.", "@example.com", "bob@"),
        "a" * 64 + ".example.org",
        "a." * 130 + "example.org",
    ],
)
def test_refused(value: str) -> None:
    """Other hosts, and every spelling that two readers could take for two hosts."""
    assert not allows(LIST, value)


@pytest.mark.parametrize("value", [None, 5, ["example.com"], {"host": "example.com"}])
def test_what_is_no_text_names_no_host(value: object) -> None:
    """Only a text can name a host."""
    assert not allows(LIST, value)


@pytest.mark.parametrize(
    "listed",
    [
        *("example.com", None, [], [5], ["Example.com"], ["bücher.example"], ["example.com."], ["*.example.com"], [""]),
        *(["https://example.com"], [".com"], ["a" * 64 + ".com"], ["a.b"] * (MAX_DOMAINS + 1), ["a." * 130 + "com"]),
    ],
)
def test_a_list_that_would_mislead(listed: object) -> None:
    """A list in another spelling, too wide or too long is refused when the contract is loaded."""
    assert wrong_list(listed)


def test_the_keyword_in_a_contract() -> None:
    """The keyword judges a field, and says what is allowed without repeating what was sent."""
    of = compile_contract({"properties": {"to": {"items": {"type": "string", "x-domains": list(LIST)}}}}, "inline")
    assert of.breaches({"to": ["bob@example.com", "a.example.org"]}) == ()
    (breach,) = of.breaches({"to": ["bob@example.com", "eve@evil.com"]})
    assert breach.pointer == "/arguments/to/1"
    assert breach.detail.endswith("at one of example.com, .example.org, xn--bcher-kva.example")
    assert "evil" not in breach.detail
