"""Which addresses a callback may reach: what is not known to be somebody's public address is refused."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.delivery.addresses import Address, AllowList, dialled, may_reach, reached_by

NOBODY = AllowList()
REFUSED = [
    "0.0.0.0",  # noqa: S104 - an address to refuse, not to bind
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::8.8.8.8",
    "64:ff9b:1:a9fe:a9:fe00::",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",  # Teredo
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::1",  # 6to4 of 127.0.0.1
    "2002:a00:1::1",
    "2002:a9fe:a9fe::1",
    "3fff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700::1%eth0",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]
REACHED = [
    "1.1.1.1",
    "8.8.8.8",
    "93.184.216.34",
    "172.15.255.255",
    "172.32.0.1",
    "100.63.255.255",
    "100.128.0.1",
    "192.31.196.1",
    "223.255.255.254",
    "2606:4700::1",
    "2a00:1450:4001::1",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2002:808:808::1",
]


@pytest.mark.parametrize("text", REFUSED)
def test_special_addresses_are_refused(text: str) -> None:
    """Private, local, special and metadata addresses are refused in whatever form they come."""
    assert not may_reach(ip_address(text), "receiver.example", NOBODY)


@pytest.mark.parametrize("text", REACHED)
def test_public_addresses_are_reached(text: str) -> None:
    """The neighbours of every refused range are somebody's."""
    assert may_reach(ip_address(text), "receiver.example", NOBODY)


@given(st.ip_addresses(v=4))
def test_an_embedded_address_is_judged_like_itself(address: IPv4Address) -> None:
    """Mapped, NAT64 and 6to4 forms of an IPv4 address are as good or as bad as the address."""
    number = int(address)
    wrapped = [
        IPv6Address(0xFFFF << 32 | number),
        IPv6Address(0x64FF9B << 96 | number),
        IPv6Address(0x2002 << 112 | number << 80 | 1),
    ]
    assert [reached_by(form) for form in wrapped] == [address] * 3
    forms: list[Address] = [address, *wrapped]
    judged = {may_reach(form, "h", NOBODY) for form in forms}
    assert len(judged) == 1


@given(st.ip_addresses(v=4), st.ip_addresses(v=6))
def test_nothing_that_is_not_global_is_ever_reached(four: IPv4Address, six: IPv6Address) -> None:
    """Our lists only ever take away from what Python calls global."""
    addresses: list[Address] = [four, six]
    for address in addresses:
        if may_reach(address, "h", NOBODY):
            assert address.is_global
            assert not address.is_multicast


def test_what_is_checked_is_what_is_dialled() -> None:
    """A mapped address is dialled as the IPv4 address that was judged; others stay."""
    assert dialled(ip_address("::ffff:8.8.8.8")) == ip_address("8.8.8.8")
    for text in ("8.8.8.8", "2606:4700::1", "64:ff9b::8.8.8.8"):
        assert dialled(ip_address(text)) == ip_address(text)


def test_a_listed_host_may_be_private_but_never_special() -> None:
    """Listing a name opens private addresses for that name only, and no metadata service."""
    allow = AllowList.parse("Receiver.Internal., other.internal")
    for text in ("10.0.0.1", "127.0.0.1", "::1", "fd12::1", "100.64.0.1", "::ffff:10.0.0.1"):
        assert may_reach(ip_address(text), "receiver.internal", allow)
        assert not may_reach(ip_address(text), "elsewhere.internal", allow)
    for text in ("169.254.169.254", "169.254.0.1", "100.100.100.200", "fd00:ec2::254", "224.0.0.1", "192.0.2.1"):
        assert not may_reach(ip_address(text), "receiver.internal", allow)


def test_a_listed_network_opens_what_it_contains() -> None:
    """Also where an address of it comes wrapped; not its neighbours."""
    allow = AllowList.parse("10.1.0.0/16, 127.0.0.1,,fd12::/16, 192.0.2.0/24")
    for text in ("10.1.2.3", "::ffff:10.1.2.3", "127.0.0.1", "fd12::1", "192.0.2.7"):
        assert may_reach(ip_address(text), "h", allow)
    for text in ("10.2.0.1", "127.0.0.2", "fd13::1"):
        assert not may_reach(ip_address(text), "h", allow)


def test_a_metadata_service_must_be_listed_by_itself() -> None:
    """A wide network that happens to contain it is not enough; nothing opens multicast or unspecified addresses."""
    wide = AllowList.parse("0.0.0.0/0,::/0")
    for text in ("169.254.169.254", "168.63.129.16", "fd00:ec2::254", "224.0.0.1", "0.0.0.0", "255.255.255.255", "::"):  # noqa: S104 - addresses to refuse
        assert not may_reach(ip_address(text), "h", wide)
    assert may_reach(ip_address("169.254.169.254"), "h", AllowList.parse("169.254.169.254"))


@pytest.mark.parametrize(
    "entry", ["10.0.0.1/8", "http://h/", "h:80", "a b", "*.internal", "h/24", "1.2.3", "h?x", "h#x"]
)
def test_a_wrong_entry_is_named(entry: str) -> None:
    """An allow-list that cannot be read stops the start instead of meaning something else."""
    with pytest.raises(ValueError, match="neither a host name nor a network"):
        AllowList.parse(f"10.0.0.0/8,{entry}")


def test_no_list_opens_nothing() -> None:
    """The default is none."""
    assert AllowList.parse("") == AllowList.parse(" , ") == NOBODY
