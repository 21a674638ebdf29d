"""A time-stamp authority on loopback: certificates of its own, answers made by `openssl ts`, faults on demand."""

import asyncio
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.slack_standin.loopback import LoopbackServer

NAME = "CN=Stamps of Example"
_CONFIG = """\
[tsa]
default_tsa = own
[own]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
"""


def openssl(*arguments: str | Path) -> str:
    """Run openssl and give what it printed; raises CalledProcessError."""
    run = subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, text=True)  # noqa: S603, S607 - the machine's own
    return run.stdout


class Certified:
    """A root and an authority under it, on disk as openssl wants them."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.ca = folder / "ca.pem"
        self._root, self._own = generate_private_key(SECP256R1()), generate_private_key(SECP256R1())
        self.ca.write_bytes(self._certified(f"Root in {folder.name}", self._root, None).public_bytes(Encoding.PEM))
        self.certificate = self.certified_for(ExtendedKeyUsageOID.TIME_STAMPING)
        (folder / "tsa.pem").write_bytes(self.certificate.public_bytes(Encoding.PEM))
        pem = self._own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / "tsa.key").write_bytes(pem)
        (folder / "serial").write_text("01\n", "ascii")
        (folder / "config").write_text(_CONFIG.format(folder=folder), "utf-8")

    def answer(self, question: bytes) -> bytes:
        """Date what was asked, as of now."""
        (self.folder / "question.tsq").write_bytes(question)
        openssl(
            *("ts", "-reply", "-config", self.folder / "config"),
            *("-queryfile", self.folder / "question.tsq", "-out", self.folder / "answer.tsr"),
        )
        return (self.folder / "answer.tsr").read_bytes()

    def certified_for(self, usage: x509.ObjectIdentifier, *, critical: bool = True) -> x509.Certificate:
        """Certify the authority's key for something."""
        return self._certified(NAME.removeprefix("CN="), self._own, x509.ExtendedKeyUsage([usage]), critical=critical)

    def _certified(
        self, name: str, own: EllipticCurvePrivateKey, usage: x509.ExtendedKeyUsage | None, *, critical: bool = True
    ) -> x509.Certificate:
        """Certify a key for twenty years; without a usage it may certify others. Its serial number stays."""
        root = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Root in {self.folder.name}")])
        builder = x509.CertificateBuilder(
            issuer_name=root,
            subject_name=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]),
            public_key=own.public_key(),
            serial_number=1 if usage is None else 2,
            not_valid_before=datetime(2025, 1, 1, tzinfo=UTC),
            not_valid_after=datetime(2045, 1, 1, tzinfo=UTC),
        ).add_extension(x509.BasicConstraints(ca=usage is None, path_length=None), critical=True)
        if usage is not None:
            builder = builder.add_extension(usage, critical=critical)
        return builder.sign(self._root, SHA256())


class StandInAuthority:
    """The authority as a server. It may be `down`, and `says` is what it answers instead."""

    def __init__(self, folder: Path) -> None:
        self.certified = Certified(folder)
        self.asked: list[bytes] = []
        self.down = False
        self.says: bytes | None = None
        self.server = LoopbackServer(Starlette(routes=[Route("/tsr", self._answer, methods=["POST"])]))

    @property
    def url(self) -> str:
        """What FOUREYES_TIME_STAMP_URL says."""
        return f"{self.server.url}/tsr"

    async def _answer(self, request: Request) -> Response:
        self.asked.append(await request.body())
        if self.down or request.headers["content-type"] != "application/timestamp-query":
            return Response("out of order", 503)
        answer = self.says
        if answer is None:
            answer = await asyncio.to_thread(self.certified.answer, self.asked[-1])
        return Response(answer, media_type="application/timestamp-reply")

    async def __aenter__(self) -> Self:
        await self.server.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.server.stop()
