"""The tables of permissions, made of those that the tests ask."""

from collections.abc import Iterable, Sequence
from typing import Final

from channels.docs_site.generated.permission_table import (
    ACCOUNT_ACTORS,
    ACCOUNTS,
    ACTORS,
    BY_GRANT,
    CHANNEL,
    CHANNEL_AS_GROUP,
    CHAT_GROUP,
    DIALOGUE,
    MEANING,
    SHUT_OUT,
    Row,
    rows_of,
    shut_out,
)
from channels.docs_site.generated.tables import table
from groups.models import Grant

_HEADS: Final = {
    "stranger": "stranger",
    "subscriber": "subscriber",
    "muted": "muted",
    "banned": "banned",
    "admin": "admin",
    "owner": "owner",
    "other": "owner of another",
    "app": "app admin",
    "person": "person",
    "business": "business account",
}
_TARGETS: Final = {
    "post": ("{seq}", ""),
    "asking": ("{seq}", ""),
    "poll": ("{seq}", ""),
    "buttons": ("{seq}", ""),
    "answer": ("{name}", ""),
    "form": ("{name}", ""),
    "commented": ("{seq}", "a comment of somebody else"),
    "draft": ("{draft}", ""),
    "webhook": ("{webhook}", ""),
    "delivery": ("{delivery}", ""),
    "reply": ("{name}", ""),
    "broadcast": ("{broadcast}", ""),
    "link": ("{code}", ""),
    "asker": ("{user}", "asked to join"),
    "member": ("{user}", "a member"),
    "nobody": ("{user}", "not a member"),
    "writer": ("{user}", "wrote to the channel"),
    "banned": ("{user}", "banned"),
    "admin": ("{user}", "an admin"),
    "owner": ("{user}", "the owner"),
    "person": ("{user}", "a person"),
    "shop": ("{user}", "a business account"),
    "own": ("{channel}", "your own"),
    "report": ("{report}", ""),
    "restricted": ("{user}", "restricted"),
    "leaver": ("{user}", "another one"),
}
"""How the page shows a target: its place in the path, and what it is."""
_BODIES: Final = {
    "introduction": "its profile",
    "posting": "its settings",
    "text": "",
    "draft": "",
    "reply": "",
    "tags": "",
    "hook": "",
    "paused": "",
    "since": "",
    "seen": "",
    "vote": "",
    "clicked": "",
    "form": "",
    "filled": "",
    "answer": "",
    "menu": "",
    "selected": "",
    "greeting": "",
    "hours": "",
    "lines": "bulk import",
    "tag-lines": "in bulk",
    "segment": "",
    "accept": "accept one",
    "many": "to many at once",
    "silent": "silent",
    "as-channel": "as the channel",
    "forward": "forward",
    "card": "name card",
    "mute": "mute",
    "unmute": "unmute yourself",
    "role": "make an admin",
    "approve": "approve",
    "asked": "approve several",
    "link": "",
    "named": "",
    "banning": "ban as well, in the body",
    "grants": "change the grants",
    "pinned": "pin it",
    "member": "to a member",
    "nobody": "invite a user",
    "channel": "",
    "channel-for-another": "with `owner_id`",
    "group": "",
    "group-for-another": "with `owner_id`",
    "users": "",
    "shop": "invite a business account",
    "device": "",
    "suspended": "",
    "report": "",
    "dismissed": "",
    "restricted": "",
    "leave": "",
}
"""What the body of a call says, where the path does not tell."""
_GRANTS: Final = {
    Grant.POST: "Post, preview and forward; keep, schedule and publish drafts; comment as the channel."
    " With `read_inbox`: broadcasts.",
    Grant.EDIT_POSTS: "Edit the posts of others; with `post` also their drafts. Freeze reactions and comments, close"
    " polls.",
    Grant.DELETE_POSTS: "Delete the posts of others, and comments; see the reports of comments; with `post`"
    " also delete their drafts.",
    Grant.PIN_POSTS: "Pin and unpin posts.",
    Grant.MANAGE_SUBSCRIBERS: "See, add, remove, mute and ban subscribers, bans from reacting and commenting included;"
    " tag them; see the users who reacted.",
    Grant.CHANGE_INFO: "Change name, picture, introduction, organization and custom data.",
    Grant.CHANGE_SETTINGS: "Change the settings, the menu, the forms, the greeting and the automatic answers.",
    Grant.READ_INBOX: "Read the channel's inbox, answer and write in the channel's name, tag its"
    " threads, and keep canned replies.",
    Grant.SEE_INSIGHTS: "See the insights.",
    Grant.READ_EVENTS: "Follow the channel's events.",
    Grant.MANAGE_WEBHOOKS: "Have the channel's events sent to webhooks.",
}


def channel_permissions() -> str:
    """Who may do what in a public channel."""
    return _table("/channels/{channel}", rows_of(CHANNEL))


def private_channel_permissions() -> str:
    """What is different in a private channel."""
    hidden = shut_out(rows_of(CHANNEL)[:1], "404c")
    shown = ", ".join(_HEADS[name] for name in ACTORS if name in SHUT_OUT)
    return f"{_table('/channels/{channel}', hidden)}\n\nThe same for every call: {shown}."


def dialogue_permissions() -> str:
    """Who may do what in their one-to-one conversation with a channel."""
    return _table("/conversations/c2c_{channel}", rows_of(DIALOGUE))


def group_permissions() -> str:
    """Who may do what in a chat group."""
    return _table("/groups/{group}", rows_of(CHAT_GROUP))


def channel_as_group_permissions() -> str:
    """What is different when a channel is called as a group."""
    in_a_group = {row.name: row.cells for row in rows_of(CHAT_GROUP)}
    different = [
        row for row in rows_of(CHANNEL_AS_GROUP) if in_a_group.get(row.name, row.cells) != row.cells
    ]
    return _table("/groups/{channel}", different)


def account_permissions() -> str:
    """What a business account may do, beside a person and the application."""
    return _table("", rows_of(ACCOUNTS, ACCOUNT_ACTORS), ACCOUNT_ACTORS)


def grants() -> str:
    """What each grant is for, and the calls that need it."""
    rows: list[list[str]] = []
    for grant in Grant:
        names = {name for needed, calls in BY_GRANT.items() if needed == grant for name in calls}
        calls = [row for row in rows_of(CHANNEL) if row.name in names]
        shown = dict.fromkeys(_code_of("/channels/{channel}", row) for row in calls)
        rows.append([f"`{grant.value}`", _GRANTS[grant], " ".join(shown)])
    return table(["Grant", "Allows an admin to", "Calls"], rows)


def _table(base: str, rows: Iterable[Row], actors: Sequence[str] = ACTORS) -> str:
    shown = {
        f"{_code_of(base, row)} {_note_of(row)}".strip(): [_cell(cell) for cell in row.cells]
        for row in rows
    }
    return table(
        ["Call", *(_HEADS[actor] for actor in actors)],
        [[call, *cells] for call, cells in shown.items()],
    )


def _code_of(base: str, row: Row) -> str:
    path = f"{base}{row.path}".removesuffix("/")
    for word, (place, _) in _TARGETS.items():
        path = path.replace(f"{{{word}}}", place)
    return f"`{row.method} {path.replace('👍', '{emoji}')}`"


def _note_of(row: Row) -> str:
    notes = [what for word, (_, what) in _TARGETS.items() if what and f"{{{word}}}" in row.path]
    if row.path.startswith("/inbox/") and "/messages/" in row.path:
        notes = ["the user's" if "/messages/1" in row.path else "the channel's"]
    elif row.path.startswith("/messages/1"):
        notes = ["your own"]
    elif row.path.startswith("/messages/2"):
        notes = ["the channel's"]
    notes.append(_BODIES[row.body] if row.body else "")
    told = ", ".join(filter(None, notes))
    return f"({told})" if told else ""


def _cell(cell: str) -> str:
    if cell == "ok":
        return "yes"
    status, code = MEANING[cell]
    return "no" if code == "permission_denied" else f"[{status}](errors.md#{code})"
