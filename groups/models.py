"""Group chat's things, as services speak of them: frozen, without a trace of the database.

What comes from outside is a pydantic model, validated when made. What a hot path makes by the thousand from our own
documents (members, standings, tallies, heads) is a plain dataclass, which costs a fifth.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from groups.kernel.ids import SEPARATOR, GroupId, StreamId, UserId
from groups.limits import GroupLimits

CHANNEL_MARKER: Final = "official_account"
"""The reserved custom field: a Community group that carries it is a channel (founding document, 2.1)."""


class GroupType(StrEnum):
    """What kind of group; join, history and limit rules follow from it (the reference product's four types)."""

    WORK = "work"
    PUBLIC = "public"
    MEETING = "meeting"
    COMMUNITY = "community"


class Role(StrEnum):
    """A member's role."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"


class Rank(IntEnum):
    """What the actor is to the group, ordered by power."""

    BANNED = -1
    STRANGER = 0
    MEMBER = 1
    ADMIN = 2
    OWNER = 3
    APP_ADMIN = 4


class Posting(StrEnum):
    """Who may write."""

    EVERYONE = "everyone"
    OWNER_AND_ADMINS = "owner_and_admins"


class JoinOption(StrEnum):
    """How one becomes a member: freely, after approval, or only by being added."""

    FREE = "free"
    APPROVAL = "approval"
    INVITE = "invite"


class Visibility(StrEnum):
    """What a stranger sees: everything including messages, the profile only, or nothing (404)."""

    PUBLIC = "public"
    PROFILE = "profile"
    PRIVATE = "private"


ReactionChoice = Literal["all", "basic", "none"] | tuple[str, ...]
"""Which emoji members may react with; `reactions.policy` says what each means."""


class Model(BaseModel):
    """The base of this package's models."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Group(Model):
    """A group. `version` grows with each change of its profile; `owner_id` is None in a Work group its owner left."""

    group_id: GroupId
    type: GroupType
    name: str
    introduction: str = ""
    notification: str = ""
    face_url: str = ""
    owner_id: UserId | None
    custom: dict[str, str] = {}
    posting: Posting
    join_option: JoinOption
    visibility: Visibility
    muted_all: bool = False
    history_visible: bool
    reactions: ReactionChoice = "all"
    reactions_per_user: int
    distinct_reactions: int
    member_count: int
    member_limit: int | None = None
    """A limit of this group's own, below its type's; None: the type's."""
    created_at: datetime
    created_by: UserId
    created_key: str | None = None
    """The idempotency key of its creation, with `created_print`, the digest of what was asked for."""
    created_print: str | None = None
    version: int = 1

    @property
    def is_channel(self) -> bool:
        """Whether the group carries the channel marker."""
        return CHANNEL_MARKER in self.custom

    @property
    def stream_id(self) -> StreamId:
        """The stream of the group's messages."""
        return stream_of(self.group_id)

    def limit_of_members(self, limits: GroupLimits) -> int:
        """How many members the group may hold."""
        of_type = type_member_limit(self.type, limits)
        return of_type if self.member_limit is None else min(self.member_limit, of_type)


@dataclass(frozen=True, slots=True)
class Member:
    """A user in a group. Unread counts from `joined_seq`, the head when he joined; `muted_until` None: not muted."""

    group_id: GroupId
    user_id: UserId
    role: Role
    joined_at: datetime
    joined_seq: int
    muted_until: datetime | None = None
    name_card: str = ""

    @property
    def rank(self) -> Rank:
        """The member's power."""
        return RANK_OF_ROLE[self.role]

    def is_muted(self, now: datetime) -> bool:
        """Whether the member is muted at this instant."""
        return self.muted_until is not None and self.muted_until > now


RANK_OF_ROLE: Final = {Role.OWNER: Rank.OWNER, Role.ADMIN: Rank.ADMIN, Role.MEMBER: Rank.MEMBER}


class Restriction(Model):
    """What outlives membership: a ban, and a mute that leaving and rejoining must not shake off."""

    group_id: GroupId
    user_id: UserId
    banned_at: datetime | None = None
    banned_by: UserId | None = None
    muted_until: datetime | None = None


class JoinRequest(Model):
    """A user waits for approval."""

    group_id: GroupId
    user_id: UserId
    text: str
    requested_at: datetime


class User(Model):
    """What a user shows of himself; a user without a record is known by id alone."""

    user_id: UserId
    name: str = ""
    face_url: str = ""


class Kind(StrEnum):
    """What a message carries."""

    TEXT = "text"
    CUSTOM = "custom"


class Link(Model):
    """A titled link."""

    title: str
    url: str


class Content(Model):
    """What is said. `custom_json` is the application's own JSON, kept as text: the database must not interpret it."""

    kind: Kind
    title: str = ""
    text: str = ""
    links: tuple[Link, ...] = ()
    custom_json: str | None = None

    @property
    def size_bytes(self) -> int:
        """The UTF-8 bytes of all fields together, which the body limit bounds."""
        parts = [self.title, self.text, self.custom_json or ""]
        parts += [part for link in self.links for part in (link.title, link.url)]
        return sum(len(part.encode()) for part in parts)

    @property
    def preview(self) -> str:
        """A line for lists."""
        return (self.title or self.text or f"[{self.kind.value}]")[:100]


class Message(Model):
    """One entry of a stream; `content` is None once recalled: it keeps id, seq and times only."""

    stream_id: StreamId
    seq: int
    sender_id: UserId
    content: Content | None
    created_at: datetime
    edited_at: datetime | None = None
    recalled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LastMessage:
    """The newest message of a stream, for lists."""

    seq: int
    sender_id: UserId
    preview: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Stream:
    """The head of a stream, apart from the group so that posting and joining do not collide."""

    stream_id: StreamId
    head_seq: int = 0
    is_channel: bool = False
    last: LastMessage | None = None


class Seat(NamedTuple):
    """A user's place in a group, as lists hold thousands; unread counts from `joined_seq`, the head when he joined.

    `joined_ms` is when, in milliseconds since 1970; 0 where it was not asked for.
    """

    group_id: GroupId
    joined_seq: int
    joined_ms: int = 0


class Head(NamedTuple):
    """How far a stream has come; `active_ms` is when, in milliseconds since 1970.

    It is 0 where nothing was said, or it was not asked for.
    """

    head_seq: int
    is_channel: bool
    active_ms: int = 0


@dataclass(frozen=True, slots=True)
class Tally:
    """The reactions to one message: a count per emoji, their sum, and the actor's own."""

    counts: dict[str, int] = field(default_factory=dict)
    total: int = 0
    mine: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """An actor before a group: the group, his membership if any, his rank."""

    group: Group
    member: Member | None
    rank: Rank


def stream_of(group_id: GroupId) -> StreamId:
    """The stream of a group; also the id of its conversation, which is the same for all members."""
    return StreamId(f"group_{group_id}")


def message_key(stream_id: StreamId, seq: int) -> str:
    """The stored key of a message."""
    return f"{stream_id}{SEPARATOR}{seq}"  # as `join_key` does, twenty times for every reader


def type_member_limit(group_type: GroupType, limits: GroupLimits) -> int:
    """How many members a group of the type may hold in this deployment."""
    match group_type:
        case GroupType.WORK:
            return limits.work_members
        case GroupType.PUBLIC:
            return limits.public_members
        case GroupType.MEETING:
            return limits.meeting_members
        case GroupType.COMMUNITY:
            return limits.community_members
