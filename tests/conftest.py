"""What every test gets: Hypothesis profiles, and a guard that lets no test speak to anything but this machine.

It must never hold fixtures of one part of the product; those live beside that part's tests.
"""

import ipaddress
import os
import socket
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck, Phase, settings

# Small enough for every change; FOUREYES_HYPOTHESIS=release is the long programme of a release.
_SLOW_IS_FINE = (HealthCheck.too_slow, HealthCheck.filter_too_much)
_SEARCH = (Phase.explicit, Phase.reuse, Phase.generate, Phase.target, Phase.shrink)
settings.register_profile(
    "default",
    max_examples=100,
    stateful_step_count=50,
    deadline=None,
    phases=_SEARCH,
    suppress_health_check=[HealthCheck.too_slow],  # a busy machine is no failure
)
settings.register_profile(
    "gate",
    settings.get_profile("default"),
    derandomize=True,  # one commit, one answer: fresh examples are looked for by developers' runs and the release's
)
settings.register_profile(
    "release",
    max_examples=10_000,
    stateful_step_count=100,
    deadline=None,
    phases=_SEARCH,
    suppress_health_check=_SLOW_IS_FINE,
)
settings.load_profile(os.environ.get("FOUREYES_HYPOTHESIS", "default"))

Connect: TypeAlias = Callable[[socket.socket, Any], Any]


def stays_here(family: int, address: object) -> bool:
    """Tell whether an address of this family is on this machine: a Unix socket, or a loopback address."""
    if family == socket.AF_UNIX:
        return True
    host = address[0] if isinstance(address, tuple) and address else None
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(str(host).partition("%")[0]).is_loopback
    except ValueError:
        return False


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the long programmes out unless they are asked for: `-m long`."""
    if "long" not in config.option.markexpr:
        left_out = [item for item in items if item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("long")]


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Refuse every connection that leaves this machine, and fail the test even where the code swallows the refusal."""
    left: list[object] = []

    def guarded(connect: Connect) -> Connect:
        def connect_here(self: socket.socket, address: Any) -> Any:  # noqa: ANN401 - the signature of socket.connect
            if stays_here(self.family, address):
                return connect(self, address)
            left.append(address)
            raise ConnectionRefusedError(f"a test may not connect to {address!r}")

        return connect_here

    monkeypatch.setattr(socket.socket, "connect", guarded(socket.socket.connect))
    monkeypatch.setattr(socket.socket, "connect_ex", guarded(socket.socket.connect_ex))
    yield
    if left:
        pytest.fail(f"connected outside of this machine: {left!r}")
