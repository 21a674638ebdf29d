"""The answers that apps send to a response_url: five within half an hour, to where the interaction was."""

from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from bot.slack_standin.arguments import read_raw
from bot.slack_standin.faults import LostAnswer, RateLimited, ResetBefore, ServerError
from bot.slack_standin.interactions import answer_content
from bot.slack_standin.loopback import hang_up
from bot.slack_standin.refusal import Json, SlackRefusal
from bot.slack_standin.triggers import ResponseUrl
from bot.slack_standin.world import Call, World

TARGET: Final = "response_url"
KNOWN: Final = frozenset(
    {
        "text",
        "blocks",
        "response_type",
        "replace_original",
        "delete_original",
        "thread_ts",
        "mrkdwn",
        "parse",
        "link_names",
        "unfurl_links",
        "unfurl_media",
        "metadata",
        "attachments",
    }
)
GONE: Final = ("invalid_url", "expired_url", "used_url")


class ResponseUrls:
    """Answers POST /response/OPAQUE."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def answer(self, request: Request) -> Response:
        """Carry out one answer: `ok` in plain text, or what was wrong with it."""
        call = Call(TARGET, {}, self._world.clock.now())
        self._world.calls.append(call)
        fault = self._world.faults.take(TARGET)
        match fault:
            case RateLimited():
                call.outcome = "ratelimited"
                return PlainTextResponse("ratelimited", 429, {"Retry-After": str(fault.retry_after_s)})
            case ServerError():
                call.outcome = f"HTTP {fault.status}"
                return PlainTextResponse("upstream error", fault.status)
            case ResetBefore():
                call.outcome = "reset before"
                return hang_up(request.scope)
        response = await self._answer(request, call)
        self._world.feed.wake()
        return hang_up(request.scope) if isinstance(fault, LostAnswer) else response

    async def _answer(self, request: Request, call: Call) -> Response:
        try:
            call.args = await read_raw(request)
            self._refuse_unknown(call.args)
            url = self._world.entitlements.use(request.path_params["opaque"])
            self._carry_out(url, call.args)
        except SlackRefusal as refusal:
            call.outcome = refusal.error
            if refusal.error in GONE:
                return PlainTextResponse(refusal.error, 404)
            return JSONResponse(refusal.as_json())
        call.outcome = "ok"
        return PlainTextResponse("ok")

    def _refuse_unknown(self, args: Json) -> None:
        if self._world.options.strict and (unknown := set(args) - KNOWN):
            raise SlackRefusal("invalid_arguments", unknown=sorted(unknown))

    def _carry_out(self, url: ResponseUrl, answer: Json) -> None:
        if answer.get("delete_original"):
            if set(answer) != {"delete_original"}:
                raise SlackRefusal("invalid_arguments")
            self._delete(url)
        elif answer.get("replace_original"):
            self._replace(url, answer)
        else:
            self._add(url, answer)

    def _delete(self, url: ResponseUrl) -> None:
        conversations = self._world.conversations
        if url.ephemeral_id:
            conversations.dismiss(conversations.ephemerals[url.ephemeral_id])
        elif url.message_ts and (message := conversations.find(url.channel, url.message_ts)):
            conversations.delete(message)
        else:
            raise SlackRefusal("message_not_found")

    def _replace(self, url: ResponseUrl, answer: Json) -> None:
        conversations = self._world.conversations
        content = answer_content(self._world, answer)
        if url.ephemeral_id:
            conversations.rewrite(conversations.ephemerals[url.ephemeral_id], content)
            return
        message = conversations.find(url.channel, url.message_ts or "")
        if message is None or message.deleted:
            raise SlackRefusal("message_not_found")
        conversations.update(message, content, silently=bool(content.blocks))

    def _add(self, url: ResponseUrl, answer: Json) -> None:
        content = answer_content(self._world, answer)
        in_channel = answer.get("response_type") == "in_channel"
        thread_ts = answer.get("thread_ts")
        if thread_ts and not (in_channel and answer.get("replace_original") is False):
            raise SlackRefusal("invalid_arguments")
        if in_channel:
            self._world.conversations.post(url.channel, content, thread_ts=thread_ts)
        else:
            self._world.conversations.whisper(url.user, url.channel, content, url.thread_ts)
