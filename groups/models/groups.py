"""Groups: their types, what they say of themselves, and the rules that they set."""

from datetime import datetime
from enum import StrEnum
from typing import Final, Literal, NamedTuple

from pydantic import Field

from groups.kernel.ids import GroupId, StreamId, UserId
from groups.limits import GroupLimits
from groups.models.base import Model
from groups.models.streams import stream_of

CHANNEL_MARKER: Final = "official_account"
"""The reserved custom field: a Community group that carries it is a channel (founding document, 2.1)."""


class GroupType(StrEnum):
    """What kind of group; join, history and limit rules follow from it (the reference product's four types)."""

    WORK = "work"
    PUBLIC = "public"
    MEETING = "meeting"
    COMMUNITY = "community"


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


class Group(Model):
    """A group. `version` grows with each change of its profile; `owner_id` is None in a Work group its owner left.

    `verified`: the application vouches for it, as it may for a channel. It stands here, and nowhere else, since
    whoever shows a channel reads this document already, while a list of conversations reads no other.
    """

    group_id: GroupId
    type: GroupType
    name: str
    introduction: str = ""
    notification: str = ""
    face_url: str = ""
    owner_id: UserId | None
    custom: dict[str, str] = Field(default_factory=dict)
    posting: Posting
    join_option: JoinOption
    visibility: Visibility
    muted_all: bool = False
    verified: bool = False
    history_visible: bool
    reactions: ReactionChoice = "all"
    reactions_per_user: int
    distinct_reactions: int
    member_count: int
    member_limit: int | None = None
    """A limit of this group's own, below its type's; None: the type's."""
    created_at: datetime
    created_by: UserId
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


class Disbanded(NamedTuple):
    """A group that ended and whose remains still exist."""

    at: datetime
    was_channel: bool


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
