"""One reading of a callback's address: what is compared with the agent's hosts is what is connected to.

It must never resolve a name; odd spellings of an address are refused, not interpreted.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    import httpx

_LONGEST_URL: Final = 2048
_LONGEST_HOST: Final = 253
_PORTS: Final = range(1, 65536)
_SHAPE: Final = re.compile(r"(?:http|https)://([^/?#\\\x00-\x20\x7f]+)(?:[/?#][^\\\x00-\x20\x7f]*)?", re.IGNORECASE)
_LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")


class ForbiddenTargetError(ValueError):
    """This address must not be called; `reason` is a stable code that says nothing about our network."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Target:
    """A callback's address in parts: the host in lower-case ASCII (an IPv6 one without brackets), path with query."""

    scheme: Literal["http", "https"]
    host: str
    port: int
    path: bytes

    @property
    def authority(self) -> str:
        """The value of the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _default_port(self.scheme) else f"{host}:{self.port}"


def parse_target(unverified_url: str) -> Target:
    """Take an address apart; raises ForbiddenTargetError for anything but plain http or https without credentials."""
    if len(unverified_url) > _LONGEST_URL:
        raise ForbiddenTargetError("url-too-long")
    shape = _SHAPE.fullmatch(unverified_url)
    if shape is None:
        raise ForbiddenTargetError("url-malformed")
    if "@" in shape[1]:
        raise ForbiddenTargetError("url-with-credentials")
    url = _parse(unverified_url)
    scheme: Literal["http", "https"] = "https" if url.scheme == "https" else "http"
    port = _default_port(scheme) if url.port is None else url.port
    if port not in _PORTS:
        raise ForbiddenTargetError("port-not-allowed")
    return Target(scheme, _host(url.raw_host.decode("ascii")), port, url.raw_path)


def host_of(unverified_host: str) -> str:
    """Give a host name (or address) in the form that `Target.host` has; raises ForbiddenTargetError."""
    bare = unverified_host.removeprefix("[").removesuffix("]")
    if ":" in bare:
        return _host(bare)
    if set(bare) & set("/?#"):
        raise ForbiddenTargetError("host-malformed")
    return parse_target(f"http://{bare}/").host


def _parse(url: str) -> "httpx.URL":
    import httpx  # noqa: PLC0415 - 150 ms, and `policy check` meets no address as a rule

    try:
        return httpx.URL(url)
    except httpx.InvalidURL:
        raise ForbiddenTargetError("url-malformed") from None


def _host(raw: str) -> str:
    try:
        address = ip_address(raw)
    except ValueError:
        return _name(raw.removesuffix("."))
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        raise ForbiddenTargetError("host-malformed")
    return str(address)


def _name(name: str) -> str:
    labels = name.split(".")
    if len(name) > _LONGEST_HOST or not all(map(_LABEL.fullmatch, labels)):
        raise ForbiddenTargetError("host-malformed")
    if _NUMBER.fullmatch(labels[-1]):  # 127.1, 0x7f000001, 2130706433: addresses to some resolvers, names to others
        raise ForbiddenTargetError("host-malformed")
    return name


def _default_port(scheme: str) -> int:
    return 443 if scheme == "https" else 80
