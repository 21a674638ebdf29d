"""An address has one reading: what is compared is what is connected to."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.callback_target import ForbiddenTargetError, Target, host_of, parse_target


@pytest.mark.parametrize(
    ("url", "target", "authority"),
    [
        ("https://example.com", Target("https", "example.com", 443, b"/"), "example.com"),
        ("HTTPS://EXAMPLE.com:443/a?b=c#d", Target("https", "example.com", 443, b"/a?b=c"), "example.com"),
        ("http://example.com.:8080/a", Target("http", "example.com", 8080, b"/a"), "example.com:8080"),
        ("http://example.com?x=@y", Target("http", "example.com", 80, b"/?x=@y"), "example.com"),
        ("https://bücher.example/ä", Target("https", "xn--bcher-kva.example", 443, b"/%C3%A4"), None),
        ("http://127.0.0.1:9/x", Target("http", "127.0.0.1", 9, b"/x"), "127.0.0.1:9"),
        ("http://[::1]:9/x", Target("http", "::1", 9, b"/x"), "[::1]:9"),
        ("http://[2606:4700:0::00AB]/", Target("http", "2606:4700::ab", 80, b"/"), "[2606:4700::ab]"),
        ("http://_svc.a-b.internal/", Target("http", "_svc.a-b.internal", 80, b"/"), None),
        ("http://a\u3002b/", Target("http", "a.b", 80, b"/"), None),
    ],
)
def test_a_plain_address_is_taken_apart(url: str, target: Target, authority: str | None) -> None:
    """Scheme, host, port and path come out in one normal form."""
    assert parse_target(url) == target
    assert target.authority == (authority or target.host)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "url-malformed"),
        ("example.com", "url-malformed"),
        ("//example.com/", "url-malformed"),
        ("ftp://example.com/", "url-malformed"),
        ("file:///etc/passwd", "url-malformed"),
        ("http:example.com/", "url-malformed"),
        ("http:///x", "url-malformed"),
        ("http://exa mple.com/", "url-malformed"),
        ("http://example.com/a b", "url-malformed"),
        ("http://example.com\r\nx: y/", "url-malformed"),
        ("http://example.com/\n", "url-malformed"),
        ("https://good.com\\@evil.com/", "url-malformed"),
        ("https://good.com/\\evil.com", "url-malformed"),
        ("https://user:secret@example.com/", "url-with-credentials"),
        ("https://@example.com/", "url-with-credentials"),
        ("http://h:0/", "port-not-allowed"),
        ("http://h:65536/", "port-not-allowed"),
        ("http://h:-1/", "port-not-allowed"),
        ("http://h:8a/", "url-malformed"),
        ("http://[::1/", "url-malformed"),
        ("http://[fe80::1%25eth0]/", "host-malformed"),
        ("http://\uff11\uff12\uff17.0.0.1/", "url-malformed"),
        ("http://\u24dbocalhost/", "url-malformed"),
        ("http://%31%32%37.0.0.1/", "host-malformed"),
        ("http://0x7f000001/", "host-malformed"),
        ("http://0x7f.1/", "host-malformed"),
        ("http://2130706433/", "host-malformed"),
        ("http://127.1/", "host-malformed"),
        ("http://0177.0.0.1/", "url-malformed"),
        ("http://127.0.0.1.5/", "host-malformed"),
        ("http://a.0x/", "host-malformed"),
        ("http://a..b/", "host-malformed"),
        ("http://-a.b/", "host-malformed"),
        ("http://a-.b/", "host-malformed"),
        ("http://./", "host-malformed"),
        (f"http://{'a' * 64}.b/", "host-malformed"),
        (f"http://{'a.' * 130}b/", "host-malformed"),
        ("http://h/" + "a" * 2048, "url-too-long"),
    ],
)
def test_anything_odd_is_refused(url: str, reason: str) -> None:
    """Odd forms are refused, with a code that quotes nothing."""
    with pytest.raises(ForbiddenTargetError) as caught:
        parse_target(url)
    assert caught.value.reason == str(caught.value) == reason


@given(st.text(max_size=40), st.sampled_from(["", "http://", "https://", "http://a", "http://[", "http://1"]))
def test_no_text_breaks_the_reader(text: str, start: str) -> None:
    """Whatever comes, it is a target in its one form or a refusal; and its host reads back as itself."""
    try:
        target = parse_target(start + text)
    except ForbiddenTargetError:
        return
    assert host_of(target.host) == target.host
    assert parse_target(f"{target.scheme}://{target.authority}/").host == target.host


@given(st.ip_addresses())
def test_an_address_as_host_is_in_its_one_form(address: object) -> None:
    """A host that is an address is compared as the address is written shortest."""
    assert ip_address(host_of(str(address))) == address
    assert host_of(f"[{address}]") == host_of(str(address)) if ":" in str(address) else True


@pytest.mark.parametrize("text", ["", "a/b", "a?b", "a#b", "a:80", "[a:b]", "u@h", "http://a", "::1%eth0", "127.1"])
def test_what_is_no_host_is_refused(text: str) -> None:
    """A registered callback host is a host and nothing more."""
    with pytest.raises(ForbiddenTargetError):
        host_of(text)
