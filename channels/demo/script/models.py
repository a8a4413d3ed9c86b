"""What a scene is made of. Times are hours before the present."""

from dataclasses import dataclass, field

from groups.models import Link


@dataclass(frozen=True, slots=True)
class Said:
    """A post or a message; `by` "" is the channel's owner. In a channel each user gives at most one reaction."""

    hours_ago: float
    text: str
    by: str = ""
    title: str = ""
    links: tuple[Link, ...] = ()
    reactions: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OfficialChannel:
    """A channel; `unread` says who leaves how many of its posts unread, the others read none."""

    name_in_id: str
    owner: str
    name: str
    organization: str
    introduction: str
    opened_hours_ago: float
    subscribers: tuple[str, ...]
    posts: tuple[Said, ...]
    unread: dict[str, int]
    admins: tuple[str, ...] = ()
    is_private: bool = False
    signatures: bool = False


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat group; `unread` as in a channel."""

    group_id: str
    type: str
    owner: str
    name: str
    introduction: str
    opened_hours_ago: float
    members: tuple[str, ...]
    messages: tuple[Said, ...]
    unread: dict[str, int]
