"""The calls that operators and machines make without a key: health, readiness, metrics, signing keys."""

import json

from starlette.requests import Request
from starlette.responses import Response

from approval_rules.times import format_time
from handlers.http.ports import HttpPorts


class OperationCalls:
    """Answers from the ports, in a time that does not depend on the number of proposals."""

    def __init__(self, ports: HttpPorts) -> None:
        self._ports = ports

    async def healthz(self, _: Request) -> Response:
        """GET /healthz: the process runs and its loop turns. Asks nobody else."""
        return _json({"status": "ok", "time": format_time(self._ports.clock())})

    async def readyz(self, _: Request) -> Response:
        """GET /readyz: 200 when every check is well, else 503 with the reasons."""
        checks = await self._ports.ready()
        ready = all(check.ok for check in checks)
        listed = [{"name": check.name, "ok": check.ok, "detail": check.detail} for check in checks]
        return _json({"ready": ready, "checks": listed}, 200 if ready else 503)

    async def metrics(self, _: Request) -> Response:
        """GET /metrics: the exposition for Prometheus."""
        content, content_type = self._ports.metrics()
        return Response(content, headers={"Content-Type": content_type})

    async def jwks(self, _: Request) -> Response:
        """GET /.well-known/jwks.json: the public keys that sign grants; short to cache, because keys rotate."""
        response = _json(dict(self._ports.jwks()))
        response.headers["Cache-Control"] = "public, max-age=300"
        return response


def _json(document: dict[str, object], status: int = 200) -> Response:
    return Response(json.dumps(document), status, media_type="application/json")
