"""The app manifest: valid by Slack's rules, and asking for exactly the scopes that our calls need."""

import ast
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it ships no types
import pytest
import yaml

from handlers.slack.register import COMMAND

ROOT = Path(__file__).parents[3]
URL = "https://YOUR-HOST/slack/events"
# Each Web API method that we may call, and the bot scopes that it takes. Add a row with the call that needs it.
SCOPES: dict[str, set[str]] = {
    "auth_test": set(),
    "bots_info": {"users:read"},
    "chat_postMessage": {"chat:write"},
    "chat_update": {"chat:write"},
    "chat_postEphemeral": {"chat:write"},
    "views_open": set(),
    "views_push": set(),
    "views_update": set(),
    "views_publish": set(),
    "users_info": {"users:read"},
    "users_lookupByEmail": {"users:read.email"},
    "users_list": {"users:read"},
    "files_getUploadURLExternal": {"files:write"},
    "files_completeUploadExternal": {"files:write"},
    "usergroups_list": {"usergroups:read"},
    "usergroups_users_list": {"usergroups:read"},
    "conversations_history": {"channels:history", "groups:history"},
    "conversations_replies": {"channels:history", "groups:history"},
}
FAMILIES = ("auth_", "chat_", "views_", "users_", "usergroups_", "conversations_", "reactions_", "files_", "pins_")
TEXT = {"type": "string"}


def closed(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    """Make a schema of an object with these fields and no other."""
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


FLAG = {"type": "boolean"}
ADDRESS = {"type": "string", "pattern": "^https://"}
COMMANDS = closed(
    {
        "command": {"type": "string", "pattern": "^/", "minLength": 2, "maxLength": 32},
        "description": {"type": "string", "minLength": 1, "maxLength": 2000},
        "url": ADDRESS,
        "usage_hint": {"type": "string", "maxLength": 1000},
        "should_escape": FLAG,
    },
    "command",
    "description",
)
SCHEMA = closed(
    {
        "_metadata": closed({"major_version": {"enum": [1, 2]}, "minor_version": {"type": "integer"}}),
        "display_information": closed(
            {
                "name": {"type": "string", "minLength": 1, "maxLength": 35},
                "description": {"type": "string", "maxLength": 140},
                "long_description": {"type": "string", "minLength": 175, "maxLength": 4000},
                "background_color": {"type": "string", "pattern": "^#[0-9a-f]{6}$"},
            },
            "name",
        ),
        "features": closed(
            {
                "app_home": closed(
                    {"home_tab_enabled": FLAG, "messages_tab_enabled": FLAG, "messages_tab_read_only_enabled": FLAG}
                ),
                "bot_user": closed(
                    {"display_name": {"type": "string", "maxLength": 80}, "always_online": FLAG}, "display_name"
                ),
                "slash_commands": {"type": "array", "minItems": 1, "maxItems": 50, "items": COMMANDS},
            }
        ),
        "oauth_config": closed(
            {"scopes": closed({"bot": {"type": "array", "maxItems": 255, "items": TEXT, "uniqueItems": True}})}
        ),
        "settings": closed(
            {
                "event_subscriptions": closed(
                    {"request_url": ADDRESS, "bot_events": {"type": "array", "maxItems": 100, "items": TEXT}}
                ),
                "interactivity": closed({"is_enabled": FLAG, "request_url": ADDRESS}, "is_enabled"),
                "org_deploy_enabled": FLAG,
                "socket_mode_enabled": FLAG,
                "token_rotation_enabled": FLAG,
            }
        ),
    },
    "display_information",
)


@pytest.fixture
def manifest() -> dict[str, Any]:
    """Read the manifest that people paste."""
    read: dict[str, Any] = yaml.safe_load((ROOT / "app_manifest.yml").read_text(encoding="utf-8"))
    return read


def called(*folders: str) -> set[str]:
    """Find every Web API method that the code names as an attribute."""
    files = [file for folder in folders for file in (ROOT / folder).rglob("*.py") if "slack_standin" not in file.parts]
    nodes = [node for file in files for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))]
    return {node.attr for node in nodes if isinstance(node, ast.Attribute) and node.attr.startswith(FAMILIES)} & (
        set(dir(__import__("slack_sdk.web.async_client", fromlist=["AsyncWebClient"]).AsyncWebClient))
    )


def test_slack_takes_the_manifest(manifest: dict[str, Any]) -> None:
    """The manifest keeps the fields and limits of Slack's schema."""
    jsonschema.Draft7Validator(SCHEMA).validate(manifest)


def test_one_request_url_and_one_command(manifest: dict[str, Any]) -> None:
    """Everything comes to one URL; the command is the one that we listen to, with mentions escaped."""
    (command,) = manifest["features"]["slash_commands"]
    assert command["command"] == COMMAND
    assert command["should_escape"] is True
    assert command["url"] == manifest["settings"]["interactivity"]["request_url"] == URL
    assert manifest["settings"]["event_subscriptions"] == {
        "request_url": URL,
        "bot_events": ["message.channels", "message.groups", "app_home_opened"],
    }


def test_every_call_is_known() -> None:
    """No code calls a Web API method whose scopes nobody has written down."""
    assert called("handlers", "bot") - set(SCOPES) == set()


def test_the_app_asks_for_what_it_needs_and_no_more(manifest: dict[str, Any]) -> None:
    """The scopes are those of the calls, with the slash command's; a call that is gone takes its scope with it."""
    needed = {"commands"}.union(*[SCOPES[name] for name in called("handlers", "bot")])
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == needed
