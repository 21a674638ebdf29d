"""Which network addresses a callback or a lookup may reach. Pure: resolves nothing, connects to nothing.

What is not known to be safe is refused: `ipaddress.is_global` alone calls multicast, 6to4 and NAT64 global.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, TypeAlias

from bot.callback_target import ForbiddenTargetError, host_of

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network


def _networks(*names: str) -> tuple[Network, ...]:
    return tuple(ip_network(name) for name in names)


_NEVER: Final = _networks("0.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4", "::/128", "ff00::/8")
_METADATA: Final = tuple(
    ip_address(name)
    for name in (
        "169.254.169.254",  # most clouds
        "169.254.170.2",  # AWS, containers
        "169.254.170.23",  # AWS, pods
        "168.63.129.16",  # Azure; a public address
        "100.100.100.200",  # Alibaba
        "192.0.0.192",  # Oracle
        "fd00:ec2::254",  # AWS
        "fd00:ec2::23",  # AWS, pods
        "fd20:ce::254",  # Google
        "fd00:42::42",  # Scaleway
    )
)
_PRIVATE: Final = _networks(
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "100.64.0.0/10", "::1/128", "fc00::/7"
)
# IANA's special-purpose registries, as far as nobody's receiver can live there.
_SPECIAL: Final = _networks(
    "169.254.0.0/16",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "2001::/23",  # Teredo, ORCHID, benchmarking, anycast services
    "2001:db8::/32",
    "3fff::/20",
)
_UNICAST_6: Final = IPv6Network("2000::/3")
_NAT64: Final = IPv6Network("64:ff9b::/96")
_LAST_32_BITS: Final = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class AllowList:
    """What may be reached although it is private: host names and networks.

    FOUREYES_CALLBACK_ALLOW is for callbacks, FOUREYES_LOOKUP_ALLOW for lookups: neither opens anything to the other.
    """

    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "AllowList":
        """Read a comma-separated list; raises ValueError that names an entry which is neither host nor network."""
        hosts: set[str] = set()
        networks: list[Network] = []
        for entry in filter(None, map(str.strip, text.split(","))):
            try:
                networks.append(ip_network(entry))
            except ValueError:
                hosts.add(_host_entry(entry))
        return cls(frozenset(hosts), tuple(networks))

    def lists(self, host: str) -> bool:
        """Tell whether a host is listed itself: by its name, or by its address where it is written as one."""
        try:
            return host in self.hosts or _within(ip_address(host), self.networks)
        except ValueError:
            return False


def _host_entry(entry: str) -> str:
    try:
        return host_of(entry)
    except ForbiddenTargetError:
        raise ValueError(f"{entry!r} is neither a host name nor a network such as 10.1.0.0/16") from None


def reached_by(address: Address) -> Address:
    """Unwrap an IPv4 address that an IPv6 one carries (mapped, NAT64, 6to4): the machine that would be reached."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & _LAST_32_BITS)
    return address.ipv4_mapped or address.sixtofour or address


def dialled(address: Address) -> Address:
    """Give the address to connect to: a mapped one as the IPv4 address that it is, any other one unchanged."""
    return reached_by(address) if isinstance(address, IPv6Address) and address.ipv4_mapped else address


def may_reach(address: Address, host: str, allow: AllowList) -> bool:
    """Tell whether a call to `host`, which resolved to `address`, may connect to it.

    A listed network opens what it contains, a listed host opens private addresses only. A cloud's metadata service
    must be listed by its own single address; nothing opens multicast, broadcast and unspecified addresses.
    """
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        return False
    reached = reached_by(address)
    if _within(reached, _NEVER):
        return False
    if reached in _METADATA:
        return ip_network(reached) in allow.networks
    if _within(reached, allow.networks):
        return True
    if _within(reached, _PRIVATE):
        return host in allow.hosts
    return _is_public(reached)


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address) and address not in _UNICAST_6:
        return False
    return address.is_global and not _within(address, _SPECIAL)


def _within(address: Address, networks: tuple[Network, ...]) -> bool:
    return any(address in network for network in networks)
