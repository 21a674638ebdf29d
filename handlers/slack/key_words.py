"""What people are told about an agent's keys that were ended, and about its new one. Pure; it decides nothing.

The key itself is never in any of it: it is shown on a page of ours, once.
"""

from typing import Final

from approval_rules.events import AgentChanged
from approval_rules.refusals import Refusal
from handlers.desk import Face
from handlers.key_desk import KeyLink, KeysEnded, KeysStory
from handlers.slack.blocks import Block, Message, button, context, section, utc
from handlers.slack.escape import Safe, mrkdwn_safe, named
from handlers.slack.ids import NEW_KEY, OPEN_PAGE, new_key_value
from handlers.slack.sentences import refusal_sentence
from handlers.slack.text import person
from handlers.slack.views import notice_view

_REFUSED: Final = {
    Refusal.NOT_OPERATOR: Safe("Only the agent's owner makes a new key for it here."),
    Refusal.LINK_USED: Safe("This is settled: a new key was made since, or the keys were ended once more."),
    Refusal.AGENT_REVOKED: Safe("This agent is revoked: it gets no key any more."),
    Refusal.NO_PAGES: Safe("Foureyes has no pages here. A new key is made on the server: foureyes agent rotate NAME"),
}


def ended_view(ended: KeysEnded) -> Block:
    """Tell whoever ended the keys that they are dead, and how the agent gets a new one."""
    name = named(ended.agent)
    dead = Safe(f"Every key of {name} is dead. Nothing of it can propose or claim.")
    if ended.link is not None:
        return _with_link("Keys ended", dead, ended.link)
    how = Safe(f"A new key is made on the server: foureyes agent rotate {name}")
    if ended.owner is not None:
        who = person(ended.owner.name, ended.owner.user_id)
        how = Safe(
            f"Its owner, {who}, has a message from Foureyes now, with a button for a new one. If that takes too long, "
            f"make one on the server: foureyes agent rotate {name}"
        )
    return notice_view("Keys ended", Safe(f"{dead} {how}"))


def link_view(link: KeyLink) -> Block:
    """Send the owner to the page that makes the key."""
    return _with_link("A new key", Safe("The agent has no key. The page makes a new one, and shows it once."), link)


def key_refusal(code: Refusal) -> Safe:
    """Tell why there is no new key."""
    return _REFUSED.get(code) or refusal_sentence(code)


def keys_message(story: KeysStory) -> Message:
    """Tell the owner of an agent that its keys were ended, and what can be done about it, or was."""
    name = named(story.agent)
    said = Safe(f"🔑 {_who(story.by)} ended every key of your agent {name}: nothing of it can propose or claim.")
    more: list[Block] = []
    if story.after is not None:
        more = [section(_after(story))]
    elif story.pages:
        how = "The button gives you a link to a page that makes a new key, and shows it once. It never comes by Slack."
        value = new_key_value(story.agent_id, story.seq)
        more = [
            section(Safe(how)),
            {"type": "actions", "elements": [button(NEW_KEY, Safe("Make a new key …"), value, "primary")]},
        ]
    else:
        more = [section(Safe(f"A new one is made on the server: foureyes agent rotate {name}"))]
    return Message(mrkdwn_safe(said), [section(said), *more])


def key_announcement(event: AgentChanged, face: Face | None) -> Safe:
    """Tell a channel that an agent has a key again."""
    return Safe(f"🔑 {_who(face)} made a new key for the agent {named(event.agent.name)}. Every earlier one is dead.")


def _after(story: KeysStory) -> Safe:
    when = "" if story.after_at is None else f" on {utc(story.after_at)}"
    match story.after:
        case "made":
            return Safe(f"✅ {_who(story.after_by)} made a new key{when}.")
        case "revoked":
            return Safe(f"⛔ {_who(story.after_by)} revoked the agent{when}: it gets no key any more.")
        case _:
            return Safe(f"🔑 {_who(story.after_by)} ended the keys once more{when}; a later message is about that.")


def _with_link(heading: str, says: Safe, link: KeyLink) -> Block:
    goes = {**button(OPEN_PAGE, Safe("Make a new key"), "new-key", "primary"), "url": link.url}
    once = f"The page works one time, until {utc(link.ends_at)}. Have the agent's secret store at hand."
    return {
        **notice_view(heading, says),
        "blocks": [section(says), {"type": "actions", "elements": [goes]}, context(Safe(once))],
    }


def _who(face: Face | None) -> Safe:
    return person(face.name, face.user_id) if face else Safe("An operator on the server")
