"""A strict C2SP tlog-witness on loopback: it signs only what continues all that it has signed, and answers as asked."""

import base64
import hashlib
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.audit.cosignature import WitnessKey
from bot.audit.merkle import continues
from bot.audit.signed_note import NoteError, VerifierKey, opened, read_checkpoint
from bot.slack_standin.loopback import LoopbackServer

NAME = "witness.example/1"


class StandInWitness:
    """One witness of one log, whose public key it was given. `at` is the time that it writes."""

    def __init__(self, log_key: bytes) -> None:
        self._private = Ed25519PrivateKey.generate()
        self._log_key = log_key
        self.size = 0
        self.root = b""
        self.at = 1_800_000_000
        self.asked: list[str] = []
        self.down = False
        self.knows_log = True
        self.signs_wrong = False
        self.server = LoopbackServer(Starlette(routes=[Route("/w/add-checkpoint", self._add, methods=["POST"])]))

    @property
    def key(self) -> WitnessKey:
        """Its verifier key."""
        return WitnessKey(NAME, self._private.public_key().public_bytes_raw())

    @property
    def setting(self) -> str:
        """What FOUREYES_TLOG_WITNESS says."""
        return f"{self.server.url}/w {self.key}"

    async def _add(self, request: Request) -> Response:
        text = (await request.body()).decode()
        self.asked.append(text)
        if self.down:
            return Response("out of order", 503)
        head, _, note = text.partition("\n\n")
        first, *lines = head.split("\n")
        if not first.startswith("old ") or len(lines) > 63:
            return Response("", 400)
        old, proof = int(first.removeprefix("old ")), [base64.b64decode(line, validate=True) for line in lines]
        if not self.knows_log:
            return Response("", 404)
        try:
            body, _ = opened(note, [VerifierKey(note.partition("\n")[0], self._log_key)])
        except NoteError:
            return Response("", 403)
        found = read_checkpoint(body)
        if old > found.size:
            return Response("", 400)
        if old != self.size:
            return Response(f"{self.size}\n", 409, {"content-type": "text/x.tlog.size"})
        if (proof and old in (0, found.size)) or (old and not continues(self.root, old, found.root, found.size, proof)):
            return Response("", 422)
        self.size, self.root = found.size, found.root
        return Response(self._line(body if not self.signs_wrong else body + "x\n"))

    def _line(self, body: str) -> str:
        signed = f"cosignature/v1\ntime {self.at}\n{body}".encode()
        public = self._private.public_key().public_bytes_raw()
        key_id = hashlib.sha256(NAME.encode() + b"\n\x04" + public).digest()[:4]
        blob = key_id + self.at.to_bytes(8, "big") + self._private.sign(signed)
        return f"\N{EM DASH} {NAME} {base64.b64encode(blob).decode()}\n"

    async def __aenter__(self) -> Self:
        await self.server.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.server.stop()
