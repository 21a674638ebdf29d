"""Files on their way into the local Slack: an address for each, which takes its bytes once; kept in memory only."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from bot.slack_standin.clock import Ids

if TYPE_CHECKING:
    from bot.slack_standin.world import World

FILE_PLACE = "/upload/v1/"


@dataclass(slots=True)
class StandinFile:
    """One file: announced with its length, then sent, then shared."""

    id: str
    name: str
    length: int
    opaque: str
    content: bytes | None = None
    title: str = ""
    shared_in: list[tuple[str, str | None]] = field(default_factory=list)
    finished: bool = False


@dataclass(slots=True)
class Uploads:
    """Every file by its id."""

    files: dict[str, StandinFile] = field(default_factory=dict)

    def announce(self, ids: Ids, name: str, length: int) -> StandinFile:
        """Make the place for a file."""
        file = StandinFile(ids.typed("F"), name, length, ids.opaque())
        self.files[file.id] = file
        return file


class UploadPlaces:
    """Answers POST /upload/v1/OPAQUE: raw bytes, exactly as many as were announced, and only once."""

    def __init__(self, world: "World") -> None:
        self._world = world

    async def answer(self, request: Request) -> Response:
        """Take one file's bytes."""
        found = [one for one in self._world.uploads.files.values() if one.opaque == request.path_params["opaque"]]
        body = await request.body()
        if not found or found[0].content is not None or len(body) != found[0].length:
            return PlainTextResponse("the upload was not accepted", 400)
        found[0].content = body
        return PlainTextResponse(f"OK - {len(body)}")
