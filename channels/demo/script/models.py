"""The models of a scene. Times are in hours before now."""

from dataclasses import dataclass, field

from groups.models import GroupType, Link


@dataclass(frozen=True, slots=True)
class Item:
    """A post or a message. `by` is empty for posts by the channel's owner.

    In a channel each user gives at most one reaction to a post.
    """

    hours_ago: float
    text: str
    by: str = ""
    title: str = ""
    links: tuple[Link, ...] = ()
    reactions: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChannelScript:
    """A channel. `unread` holds the number of unread posts by user; users without an entry have read nothing."""

    id_suffix: str
    """The channel's id without its prefix."""
    owner: str
    name: str
    organization: str
    introduction: str
    created_hours_ago: float
    subscribers: tuple[str, ...]
    posts: tuple[Item, ...]
    unread: dict[str, int]
    admins: tuple[str, ...] = ()
    is_private: bool = False
    signatures: bool = False


@dataclass(frozen=True, slots=True)
class ChatScript:
    """A chat group. `unread` works as in a channel."""

    group_id: str
    type: GroupType
    owner: str
    name: str
    introduction: str
    created_hours_ago: float
    members: tuple[str, ...]
    messages: tuple[Item, ...]
    unread: dict[str, int]


@dataclass(frozen=True, slots=True)
class FolderScript:
    """A user's conversation group, the groups and channels in it, and one that the user has pinned."""

    user_id: str
    name: str
    group_ids: tuple[str, ...]
    pinned: str
