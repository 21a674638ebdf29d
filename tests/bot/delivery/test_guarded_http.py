"""The guard in the connect call: no name, no redirect, no clever server gets a callback to where it must not go."""

import asyncio
import ipaddress
import ssl
import time
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path

import httpcore
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from bot.callback_target import ForbiddenTargetError
from bot.clock import system_clock
from bot.delivery.addresses import AllowList
from bot.delivery.guarded_http import Answer, CallFailedError, GuardedHttp, GuardedNetwork, SystemResolver
from tests.bot.delivery.receiver import OK, Receiver

LOOPBACK = AllowList.parse("127.0.0.1")
PUBLIC = "93.184.216.34"


class Names:
    """A resolver whose answers a test fixes; each look-up takes the next one, the last one again and again."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """Answer."""
        self.asked.append((host, port))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class Dialler(httpcore.AsyncNetworkBackend):
    """Writes down what would be dialled; only loopback is really connected to, everything in `dead` refuses."""

    def __init__(self, *dead: str) -> None:
        self.dead = dead
        self.dialled: list[str] = []

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect or refuse."""
        self.dialled.append(host)
        if host in self.dead:
            raise httpcore.ConnectError
        return await httpcore.AnyIOBackend().connect_tcp("127.0.0.1", port, timeout, local_address, socket_options)


async def reason_of(http: GuardedHttp, url: str) -> str:
    """Post, and give the code of the failure."""
    with pytest.raises((ForbiddenTargetError, CallFailedError)) as caught:
        await http.post(url, b"secret body", {"x-secret": "whsec_secret"})
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None
    return str(caught.value)


async def test_an_allowed_receiver_gets_the_exact_bytes() -> None:
    """Body and headers arrive as given, under the right Host; the answer is its status and nothing else."""
    async with Receiver() as receiver, GuardedHttp(LOOPBACK) as http:
        answer = await http.post(receiver.url(path="/a?b=c"), b"\x00body", {"webhook-id": "msg_1"})
        assert answer == Answer(200, None)
        (request,) = receiver.requests
    assert request.line == "POST /a?b=c HTTP/1.1"
    assert request.body == b"\x00body"
    assert request.headers == {
        "host": f"127.0.0.1:{receiver_port(request.headers)}",
        "user-agent": "foureyes",
        "accept-encoding": "identity",
        "content-length": "5",
        "webhook-id": "msg_1",
    }


def receiver_port(headers: dict[str, str]) -> str:
    """The port in the Host header."""
    return headers["host"].rpartition(":")[2]


async def test_an_ipv6_host_stands_in_brackets() -> None:
    """A mapped address is dialled as the IPv4 one, and the Host header is well formed."""
    async with Receiver() as receiver, GuardedHttp(LOOPBACK) as http:
        assert (await http.post(receiver.url("[::ffff:127.0.0.1]"), b"{}", {})).status == 200
        (request,) = receiver.requests
    assert request.headers["host"] == f"[{ipaddress.ip_address('::ffff:127.0.0.1')}]:{receiver_port(request.headers)}"


async def test_loopback_is_refused_unless_it_is_allowed() -> None:
    """By number, by name, and in any notation: no connection is made."""
    async with Receiver() as receiver, GuardedHttp(AllowList()) as http:
        for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "[::1]"):
            assert await reason_of(http, receiver.url(host)) == "address-not-allowed"
        for host in ("127.1", "0x7f000001", "2130706433", "017700000001"):
            assert await reason_of(http, receiver.url(host)) == "host-malformed"
        assert receiver.connections == 0


async def test_one_bad_answer_among_good_ones_is_refused() -> None:
    """A name with a public and a private address is not called at all."""
    dialler = Dialler()
    for answers in ([PUBLIC, "10.0.0.1"], ["10.0.0.1", PUBLIC], [PUBLIC, "::1"]):
        network = GuardedNetwork(AllowList(), Names(answers), dialler)
        with pytest.raises(ForbiddenTargetError, match="address-not-allowed"):
            await network.connect_tcp("two-faced.example", 80)
    assert dialler.dialled == []


async def test_a_name_is_resolved_once_and_the_checked_address_is_dialled() -> None:
    """DNS rebinding: the second answer, a private one, is never asked for within a call and refused in the next."""
    names, dialler = Names([PUBLIC], ["127.0.0.1"]), Dialler()
    network = GuardedNetwork(AllowList(), names, dialler)
    async with Receiver() as receiver:
        stream = await network.connect_tcp("rebind.example", receiver.port)
        await stream.aclose()
        assert dialler.dialled == [PUBLIC]
        assert names.asked == [("rebind.example", receiver.port)]
        with pytest.raises(ForbiddenTargetError):
            await network.connect_tcp("rebind.example", receiver.port)
    assert dialler.dialled == [PUBLIC]


async def test_the_next_checked_address_is_tried() -> None:
    """A receiver with a dead address is reached by its other one; of many dead ones only three are tried."""
    async with Receiver() as receiver:
        dialler = Dialler("2606:4700::1")
        names = Names(["2606:4700::1", "::ffff:93.184.216.34", "2606:4700::1"])
        stream = await GuardedNetwork(AllowList(), names, dialler).connect_tcp("both.example", receiver.port)
        await stream.aclose()
    assert dialler.dialled == ["2606:4700::1", PUBLIC]
    many = [f"93.184.216.{last}" for last in range(1, 20)]
    dialler = Dialler(*many)
    with pytest.raises(httpcore.ConnectError):
        await GuardedNetwork(AllowList(), Names(many), dialler).connect_tcp("dead.example", 80)
    assert dialler.dialled == many[:3]


@pytest.mark.parametrize("answers", [[], ["not an address"]])
async def test_a_name_without_a_sensible_answer_is_not_found(answers: list[str]) -> None:
    """No address is no address."""
    async with GuardedHttp(AllowList(), resolve=Names(answers)) as http:
        assert await reason_of(http, "http://nowhere.example/") == "name-not-found"


async def test_a_name_that_nobody_knows_is_not_found() -> None:
    """The machine's resolver failing is a failure of this call only."""

    async def fails(_host: str, _port: int) -> Sequence[str]:
        raise OSError("the resolver's own words")

    async with GuardedHttp(AllowList(), resolve=fails) as http:
        assert await reason_of(http, "http://nowhere.example/") == "name-not-found"


async def test_the_machines_resolver_answers_with_addresses() -> None:
    """What comes from the system can be checked."""
    resolver = SystemResolver()
    try:
        found = await resolver("localhost", 80)
    finally:
        resolver.close()
    assert found
    assert all(ipaddress.ip_address(address).is_loopback for address in found)


async def test_a_redirect_is_an_answer_and_not_an_order() -> None:
    """Nobody is sent anywhere."""
    async with Receiver() as elsewhere, Receiver() as receiver, GuardedHttp(LOOPBACK) as http:
        receiver.answers = [f"HTTP/1.1 307 x\r\nLocation: {elsewhere.url()}\r\nContent-Length: 0\r\n\r\n".encode()]
        assert (await http.post(receiver.url(), b"{}", {})).status == 307
        assert elsewhere.connections == 0


async def test_a_proxy_in_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy would connect for us, past the guard."""
    async with Receiver() as proxy, Receiver() as receiver:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.url(path=""))
        async with GuardedHttp(LOOPBACK) as http:
            assert (await http.post(receiver.url(), b"{}", {})).status == 200
        assert proxy.connections == 0


async def test_a_connection_is_used_again() -> None:
    """Two posts to one receiver, one connection."""
    async with Receiver() as receiver, GuardedHttp(LOOPBACK) as http:
        for _ in range(2):
            await http.post(receiver.url(), b"{}", {})
        assert (receiver.connections, len(receiver.requests)) == (1, 2)


async def test_a_large_answer_is_cut_off() -> None:
    """A gigabyte is announced, some of it sent; the status counts and the connection is closed."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"
    async with Receiver([[head, *[b"x" * 50_000] * 8], OK]) as receiver, GuardedHttp(LOOPBACK) as http:
        began = time.monotonic()
        assert (await http.post(receiver.url(), b"{}", {})).status == 200
        assert time.monotonic() - began < 0.9  # cut off by its size, not by the second that a slow one gets
        assert (await http.post(receiver.url(), b"{}", {})).status == 200
        assert receiver.connections == 2


@pytest.mark.parametrize("rest", [[b"x"] * 40, [b"x", b""]])
async def test_a_body_that_never_ends_does_not_hold_us(rest: list[bytes]) -> None:
    """Drop by drop or broken off: once the status is there, a second is enough."""
    head = b"HTTP/1.1 204 OK\r\nContent-Length: 100\r\n\r\n".replace(b"204", b"202")
    async with Receiver([[head, *rest]], pause=0.1) as receiver, GuardedHttp(LOOPBACK) as http:
        began = time.monotonic()
        assert (await http.post(receiver.url(), b"{}", {})).status == 202
        assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "answer-malformed"),
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "answer-malformed"),
        (b"HTTP/1.1 200 OK\r\n" + b"x: " + b"y" * 200_000 + b"\r\n\r\n", "answer-malformed"),
        ([b"HTTP/1.1 200 OK\r\n"] + [b"x: y\r\n"] * 50, "timeout"),
    ],
)
async def test_what_is_no_answer_is_a_failure(answer: bytes | list[bytes], reason: str) -> None:
    """Closed, another protocol, headers without end, headers drop by drop: a code, and within the time."""
    async with Receiver([answer], pause=0.05) as receiver, GuardedHttp(LOOPBACK, total_seconds=0.5) as http:
        assert await reason_of(http, receiver.url()) == reason


async def test_a_connection_that_breaks_is_a_failure() -> None:
    """Reset while we wait for the answer."""

    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        sock = writer.get_extra_info("socket")
        sock.setsockopt(1, 13, b"\x01\x00\x00\x00\x00\x00\x00\x00")  # SO_LINGER 0: close sends a reset
        writer.transport.abort()

    server = await asyncio.start_server(reset, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, GuardedHttp(LOOPBACK) as http:
        assert await reason_of(http, f"http://127.0.0.1:{port}/") == "connection-broken"


async def test_nobody_listening_is_a_failure() -> None:
    """Connection refused is said as such."""
    async with Receiver() as receiver:
        url = receiver.url()
    async with GuardedHttp(LOOPBACK) as http:
        assert await reason_of(http, url) == "connection-failed"


async def test_a_slow_resolver_counts_towards_the_time() -> None:
    """Everything together has one limit."""

    async def slow(_host: str, _port: int) -> Sequence[str]:
        await asyncio.sleep(5)
        return [PUBLIC]

    async with GuardedHttp(AllowList(), resolve=slow, total_seconds=0.2) as http:
        assert await reason_of(http, "http://slow.example/") == "timeout"


async def test_a_forbidden_url_is_refused_before_anything() -> None:
    """Neither the resolver nor the network is touched."""
    names = Names([PUBLIC])
    async with GuardedHttp(AllowList(), resolve=names) as http:
        assert await reason_of(http, "https://u:secret@example.com/") == "url-with-credentials"
    assert names.asked == []


def certificate(folder: Path, *names: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Make a receiver's TLS side for some names, and a caller's that trusts it."""
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "receiver")])
    now = system_clock()
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(entry) for entry in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, SHA256())
    )
    file = folder / "receiver.pem"
    file.write_bytes(
        made.public_bytes(Encoding.PEM) + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    serves = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serves.load_cert_chain(file)
    trusts = ssl.create_default_context(cadata=made.public_bytes(Encoding.PEM).decode())
    return serves, trusts


async def test_tls_speaks_to_the_name_and_not_to_the_address(tmp_path: Path) -> None:
    """The server is told the name, and its certificate must be for that name, although an address was dialled."""
    serves, trusts = certificate(tmp_path, "receiver.test")
    told: list[str | None] = []
    serves.sni_callback = lambda _object, name, _context: told.append(name)
    allow = AllowList.parse("receiver.test,other.test")
    async with Receiver(tls=serves) as receiver:
        async with GuardedHttp(allow, resolve=Names(["127.0.0.1"]), tls=trusts) as http:
            assert (await http.post(receiver.url("receiver.test"), b"{}", {})).status == 200
            assert told == ["receiver.test"]
            assert receiver.requests[0].headers["host"] == f"receiver.test:{receiver.port}"
            assert await reason_of(http, receiver.url("other.test")) == "tls-failed"
        async with GuardedHttp(allow, resolve=Names(["127.0.0.1"])) as http:
            assert await reason_of(http, receiver.url("receiver.test")) == "tls-failed"
        assert len(receiver.requests) == 1


# --- getting


async def got(http: GuardedHttp, url: str, seconds: float = 2.0) -> str:
    """Get, and give the code of the failure."""
    with pytest.raises((ForbiddenTargetError, CallFailedError)) as caught:
        await http.get(url, {"authorization": "Bearer secret"}, seconds)
    assert "secret" not in str(caught.value)
    return str(caught.value)


async def test_a_get_gives_a_whole_small_body() -> None:
    """The body of a 200, which no repr shows; of any other status only the status, and nothing is followed."""
    async with Receiver() as elsewhere, Receiver() as receiver, GuardedHttp(LOOPBACK) as http:
        receiver.answers = [
            b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nSet-Cookie: a=b\r\n\r\nsecret",
            f"HTTP/1.1 302 x\r\nLocation: {elsewhere.url()}\r\nContent-Length: 2\r\n\r\nno".encode(),
        ]
        fetched = await http.get(receiver.url(path="/a"), {"accept": "x"}, 2)
        assert (fetched.status, fetched.unverified_body) == (200, b"secret")
        assert "secret" not in repr(fetched)
        fetched = await http.get(receiver.url(), {}, 2)
        assert (fetched.status, fetched.unverified_body) == (302, b"")
        assert elsewhere.connections == 0
    assert receiver.requests[0].headers.keys() == {"host", "user-agent", "accept-encoding", "accept"}
    assert "cookie" not in receiver.requests[1].headers


async def test_a_get_is_guarded_as_a_post_is() -> None:
    """No private address by number, by name or by the second answer of a name server; no credentials in the URL."""
    async with Receiver() as receiver, GuardedHttp(AllowList(), resolve=Names(["127.0.0.1"])) as http:
        for host in ("127.0.0.1", "rebind.example", "[::ffff:127.0.0.1]", "169.254.169.254"):
            assert await got(http, receiver.url(host)) == "address-not-allowed"
        assert await got(http, "https://u:p@x.example/") == "url-with-credentials"
        assert receiver.connections == 0


async def test_a_get_ends_by_size_and_by_time() -> None:
    """A large body is cut off at once, announced or not; a slow one when its time is over."""
    chunk = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
    large = [
        [b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n", *[b"x" * 50_000] * 200],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *[chunk] * 100],
    ]
    async with Receiver([*large, OK]) as receiver, GuardedHttp(LOOPBACK) as http:
        for _ in large:
            assert await got(http, receiver.url(), 5) == "answer-too-large"
        drip = [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", *[b"x"] * 100]
        receiver.answers, receiver.pause = [drip], 0.05
        began = time.monotonic()
        assert await got(http, receiver.url(), 0.3) == "timeout"
        assert time.monotonic() - began < 2
