"""The methods files.*: a file is announced, sent to its own address, and shared; nothing else is modelled."""

from typing import Final

from bot.slack_standin.arguments import Asked
from bot.slack_standin.conversations import Content
from bot.slack_standin.methods import Method, joined_channel
from bot.slack_standin.methods_chat import thread_of
from bot.slack_standin.refusal import Json, SlackRefusal
from bot.slack_standin.uploads import FILE_PLACE, StandinFile
from bot.slack_standin.world import World


def _announce(world: World, asked: Asked) -> Json:
    length = asked.number("length", 0)
    if length < 1:
        raise SlackRefusal("invalid_arguments")
    file = world.uploads.announce(world.ids, asked.text("filename"), length)
    return {"ok": True, "upload_url": f"{world.base_url}{FILE_PLACE}{file.opaque}", "file_id": file.id}


def _finish(world: World, asked: Asked) -> Json:
    files = asked.args["files"]
    if not isinstance(files, list) or not files or not all(isinstance(one, dict) and "id" in one for one in files):
        raise SlackRefusal("invalid_arguments")
    found = [_sent(world, str(one["id"])) for one in files]
    channel_id = asked.text("channel_id")
    if not channel_id:
        if asked.text("thread_ts"):
            raise SlackRefusal("invalid_arguments")
    else:
        channel = joined_channel(world, channel_id)
        thread_ts = thread_of(world, asked, channel)
        names = ", ".join(one.name for one in found)
        text = f"{asked.text('initial_comment')}\n{names}".strip()
        world.conversations.post(channel.id, Content(text, [], mrkdwn=False), thread_ts=thread_ts)
        for one in found:
            one.shared_in.append((channel.id, thread_ts))
    for one, named in zip(found, files, strict=True):
        one.finished, one.title = True, str(named.get("title") or one.name)
    return {"ok": True, "files": [{"id": one.id, "title": one.title} for one in found]}


def _sent(world: World, file_id: str) -> StandinFile:
    file = world.uploads.files.get(file_id)
    if file is None or file.content is None or file.finished:
        raise SlackRefusal("file_not_found")
    return file


METHODS: Final = {
    "files.getUploadURLExternal": Method(
        _announce,
        "4",
        {"filename": "text", "length": "number", "alt_txt": "text", "snippet_type": "text"},
        required=("filename", "length"),
        scopes=("files:write",),
    ),
    "files.completeUploadExternal": Method(
        _finish,
        "4",
        {"files": "json", "channel_id": "text", "thread_ts": "text", "initial_comment": "text"},
        required=("files",),
        scopes=("files:write",),
    ),
}
