"""What went wrong, as RFC 9457 problem documents. The only `except` clauses of the HTTP edge stand here.

Never puts a stack trace, a key or a value from the body into an answer or a log line.
"""

import json
import re
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

import structlog
from pydantic import ValidationError
from starlette.responses import Response
from starlette.types import Scope

from approval_rules.canonical import NotCanonicalError
from handlers.desk import DeskUnavailableError, Fault, Refused
from handlers.http.faults import faults_of
from handlers.http.problem_codes import KINDS

T = TypeVar("T")
G = TypeVar("G")

MEDIA_TYPE = "application/problem+json"
RETRY_SOON_S = 2
_FRAMES_LOGGED = 8
_PATH_LOGGED = 200
_log = structlog.get_logger("foureyes.http")


# The name of a page is a secret: who knows it is asked for a second factor in somebody's name.
_PAGE_NAME = re.compile(r"^(/(?:confirm|enrol|new-key|review)/).*", re.DOTALL)


class ProblemError(Exception):
    """An answer that is not a success; `code` MUST be a key of KINDS."""

    def __init__(
        self, code: str, detail: str, faults: Sequence[Fault] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.faults = tuple(faults)
        self.headers = dict(headers or {})
        self.status = KINDS[code].status

    def document(self) -> dict[str, object]:
        """Give the problem document. `type` is a reference relative to this server, which explains it."""
        document: dict[str, object] = {
            "type": f"/docs/problems#{self.code}",
            "title": KINDS[self.code].title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
        }
        if self.faults:
            document["errors"] = [{"pointer": fault.pointer, "detail": fault.detail} for fault in self.faults]
        return document

    def response(self) -> Response:
        """Give the answer."""
        return Response(json.dumps(self.document()), self.status, self.headers, MEDIA_TYPE)


class ClientGoneError(Exception):
    """The client hung up before its request was read; there is nobody to answer."""


def refusal(refused: Refused) -> ProblemError:
    """Turn the desk's no into the answer; raises KeyError for a code that has no kind, which is a bug."""
    wait = refused.retry_after
    if wait is None and KINDS[refused.code].status in {429, 503}:
        wait = RETRY_SOON_S
    headers = {} if wait is None else {"Retry-After": str(wait)}
    return ProblemError(refused.code, refused.detail, refused.faults, headers)


def not_found() -> ProblemError:
    """Say that there is nothing here, in the same words for "none" and for "not yours"."""
    return ProblemError("not-found", "There is nothing here that this key may see.")


def unavailable() -> ProblemError:
    """Say that the store or the directory cannot answer now."""
    detail = "The service cannot answer safely right now. Nothing was allowed; retry with the same key."
    return ProblemError("unavailable", detail, headers={"Retry-After": str(RETRY_SOON_S)})


def reading(read: Callable[[G], T], given: G) -> T:
    """Read a body with `read`, and translate every way in which it can be wrong into a ProblemError."""
    try:
        return read(given)
    except UnicodeDecodeError as error:
        raise ProblemError("malformed-body", f"The body is not UTF-8 (byte {error.start}).") from None
    except json.JSONDecodeError as error:
        detail = f"The body is not JSON: see line {error.lineno}, column {error.colno}."
        raise ProblemError("malformed-body", detail) from None
    except NotCanonicalError as error:
        fault = Fault(error.pointer, error.detail)
        raise ProblemError("invalid-body", "The body cannot be read exactly.", [fault]) from None
    except ValidationError as error:
        raise ProblemError("invalid-body", "The body does not have the right shape.", faults_of(error)) from None


async def attempt(work: Awaitable[T]) -> T | ProblemError:
    """Wait for `work`; where it fails, give the problem instead, with the failure as its cause.

    Raises ClientGoneError.
    """
    try:
        return await work
    except ProblemError as problem:
        return problem
    except ClientGoneError:
        raise
    except DeskUnavailableError as error:
        return _caused(unavailable(), error)
    except Exception as error:  # noqa: BLE001 - the last resort of the edge: it becomes a 500, never silence
        return _caused(ProblemError("internal-error", "The request failed; nothing was allowed by it."), error)


async def ignoring_hang_up(work: Awaitable[None]) -> None:
    """Wait for `work`, and end quietly where the client has gone."""
    try:
        await work
    except ClientGoneError:
        return


def log_failure(scope: Scope, request_id: str, problem: ProblemError) -> None:
    """Log what an operator needs to find a failure of ours: where it broke, never what the request carried."""
    cause = problem.__cause__
    if problem.status < 500 or cause is None:  # noqa: PLR2004 - a status class
        return
    frames = traceback.extract_tb(cause.__traceback__)[-_FRAMES_LOGGED:]
    _log.error(
        "request failed",
        request_id=request_id,
        method=scope["method"],
        path=_PAGE_NAME.sub(r"\1…", scope["path"])[:_PATH_LOGGED],
        code=problem.code,
        error=type(cause).__name__,
        where=[f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames],
    )


def _caused(problem: ProblemError, error: Exception) -> ProblemError:
    problem.__cause__ = error
    return problem
