"""The models of a scene. Times are in hours before now."""

from dataclasses import dataclass, field

from channels.self_service.forms.models import FormContent
from channels.self_service.menus.models import MenuEntry
from groups.models import Button, GroupType


@dataclass(frozen=True, slots=True)
class PollScript:
    """A poll: its question, and how many choose each answer."""

    question: str
    votes: dict[str, int]


@dataclass(frozen=True, slots=True)
class ButtonScript:
    """A button under a post, and how many people press it."""

    button: Button
    presses: int = 0


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment on a post. `quoted`: the comment that it answers, by its number from 1. `by` empty: the channel."""

    hours_ago: float
    by: str
    text: str
    quoted: int | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """A post or a message, by the owner if `by` is empty. Each user gives at most one reaction to it."""

    hours_ago: float
    text: str
    by: str = ""
    title: str = ""
    links: dict[str, str] = field(default_factory=dict)
    """Addresses by title."""
    reactions: dict[str, int] = field(default_factory=dict)
    picture: str = ""
    """The name of a picture (`channels.demo.pictures`)."""
    has_video: bool = False
    poll: PollScript | None = None
    buttons: tuple[tuple[ButtonScript, ...], ...] = ()
    """In rows; in channels only."""
    comments: tuple[Remark, ...] = ()
    """In the order in which they were written; in channels only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupScript:
    """A channel or chat with its posts or messages, oldest first. `members` are its users besides the owner.

    `unread` holds the number of unread items by user; users without an entry have read nothing.
    """

    group_id: str
    owner: str
    name: str
    introduction: str
    created_hours_ago: float
    members: tuple[str, ...]
    items: tuple[Item, ...]
    unread: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelScript(GroupScript):
    """A channel."""

    organization: str
    picture: str = ""
    """The name of its picture (`channels.demo.pictures`)."""
    threads: tuple["ThreadScript", ...] = ()
    """Its inbox."""
    admins: tuple[str, ...] = ()
    is_private: bool = False
    signatures: bool = False
    has_comments: bool = False
    menu: tuple[MenuEntry, ...] = ()
    forms: dict[str, FormContent] = field(default_factory=dict)
    """By name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatScript(GroupScript):
    """A chat group."""

    type: GroupType


@dataclass(frozen=True, slots=True)
class Line:
    """A message of a thread; `by` is the admin who answers for the channel, or empty: the user wrote it."""

    hours_ago: float
    text: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class ThreadScript:
    """The messages between a subscriber and a channel, oldest first."""

    user_id: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class FolderScript:
    """A user's conversation group, the groups and channels in it, and one that the user has pinned."""

    user_id: str
    name: str
    group_ids: tuple[str, ...]
    pinned: str
