"""The guard of tests/conftest.py: no test speaks to anything but this machine."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import stays_here

OUTSIDE = """
import contextlib, socket
def test_leaves():
    with socket.socket() as s, contextlib.suppress(OSError):
        s.{method}(("192.0.2.1", 80))
def test_stays():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        pass
"""


@pytest.mark.parametrize(
    ("family", "address", "here"),
    [
        (socket.AF_UNIX, "/tmp/some.sock", True),  # noqa: S108 - never opened
        (socket.AF_INET, ("127.0.0.1", 80), True),
        (socket.AF_INET, ("127.8.8.8", 80), True),
        (socket.AF_INET, ("localhost", 80), True),
        (socket.AF_INET6, ("::1", 80, 0, 0), True),
        (socket.AF_INET6, ("::1%lo", 80, 0, 0), True),
        (socket.AF_INET, ("192.0.2.1", 80), False),
        (socket.AF_INET, ("10.0.0.1", 80), False),
        (socket.AF_INET, ("0.0.0.0", 80), False),  # noqa: S104 - an address to refuse
        (socket.AF_INET6, ("2001:db8::1", 80, 0, 0), False),
        (socket.AF_INET, ("slack.com", 443), False),
        (socket.AF_INET, (), False),
    ],
)
def test_what_is_on_this_machine(family: int, address: object, *, here: bool) -> None:
    """Loopback and Unix sockets are here; every other address, private or named, is not."""
    assert stays_here(family, address) is here


@pytest.mark.parametrize("method", ["connect", "connect_ex"])
def test_a_test_that_leaves_fails(tmp_path: Path, method: str) -> None:
    """Even where the refusal is swallowed, the test that connected elsewhere fails, and only that one."""
    conftest = Path(__file__).parents[1] / "conftest.py"
    (tmp_path / "conftest.py").write_text(conftest.read_text("utf-8"), "utf-8")
    (tmp_path / "test_planted.py").write_text(OUTSIDE.replace("{method}", method), "utf-8")
    run = subprocess.run(  # noqa: S603 - our own interpreter on files that this test wrote
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", tmp_path, tmp_path],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "2 passed, 1 error" in run.stdout
    assert "connected outside of this machine: [('192.0.2.1', 80)]" in run.stdout
    assert "ERROR test_planted.py::test_leaves" in run.stdout
