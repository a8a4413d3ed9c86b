"""The things of group chat, as services pass them: frozen, without a trace of the database.

What comes from outside is a pydantic model, validated when made. What a hot path makes by the thousand from our own
documents (members, access contexts, tallies, heads) is a plain dataclass, which costs a fifth.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from sys import getsizeof
from typing import Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from groups.kernel.actor import Actor
from groups.kernel.ids import PAIR_SEPARATOR, SEPARATOR, GroupId, StreamId, UserId
from groups.limits import GroupLimits


class Model(BaseModel):
    """The base of this package's models."""

    model_config = ConfigDict(frozen=True, extra="forbid")


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


class Head(NamedTuple):
    """How far a stream has come; `active_ms` is when, in milliseconds since 1970.

    It is 0 where nothing was said, or it was not asked for.
    """

    head_seq: int
    is_channel: bool
    active_ms: int = 0


def stream_of(group_id: GroupId) -> StreamId:
    """The stream of a group; also the id of its conversation, which is the same for all members."""
    return StreamId(f"group_{group_id}")


def post_id_of(group_id: GroupId, seq: int) -> str:
    """The id of a channel's post, as readers and the admin log name it."""
    return f"{group_id}:{seq}"


INBOX_PREFIX: Final = "inbox_"


def inbox_stream_of(group_id: GroupId, user_id: UserId) -> StreamId:
    """The stream in which a user and those who run a channel talk in private; it ends with the channel."""
    return StreamId(f"{INBOX_PREFIX}{group_id}{PAIR_SEPARATOR}{user_id}")


def message_key(stream_id: StreamId, seq: int) -> str:
    """The stored key of a message."""
    return f"{stream_id}{SEPARATOR}{seq}"  # as `join_key` does, twenty times for every reader


def seq_in(message_id: str) -> int:
    """The seq in the stored key of a message."""
    return int(message_id.rpartition(SEPARATOR)[2])


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


class Role(StrEnum):
    """A member's role."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"


class EffectiveRole(IntEnum):
    """What the actor is to the group, ordered by power."""

    BANNED = -1
    STRANGER = 0
    MEMBER = 1
    ADMIN = 2
    OWNER = 3
    APP_ADMIN = 4


class Grant(StrEnum):
    """A right of an admin, given one by one; the owner and the application's admin hold all."""

    POST = "post"
    EDIT_POSTS = "edit_posts"
    DELETE_POSTS = "delete_posts"
    PIN_POSTS = "pin_posts"
    MANAGE_SUBSCRIBERS = "manage_subscribers"
    CHANGE_INFO = "change_info"
    CHANGE_SETTINGS = "change_settings"
    READ_INBOX = "read_inbox"
    SEE_INSIGHTS = "see_insights"


@dataclass(frozen=True, slots=True)
class Member:
    """A user in a group. Unread counts from `joined_seq`, the head when he joined; `muted_until` None: not muted.

    `grants` is what an admin was granted; None: everything. It says nothing of the owner and of plain members.
    """

    group_id: GroupId
    user_id: UserId
    role: Role
    joined_at: datetime
    joined_seq: int
    muted_until: datetime | None = None
    name_card: str = ""
    grants: frozenset[Grant] | None = None

    @property
    def effective_role(self) -> EffectiveRole:
        """The member's power."""
        return EFFECTIVE_ROLE_OF[self.role]

    def is_muted(self, now: datetime) -> bool:
        """Whether the member is muted at this instant."""
        return self.muted_until is not None and self.muted_until > now

    def holds(self, grant: Grant) -> bool:
        """Whether the member has the right by what he is here: the owner every one, an admin what he was granted."""
        if self.role is Role.ADMIN:
            return self.grants is None or grant in self.grants
        return self.role is Role.OWNER

    @property
    def granted(self) -> tuple[Grant, ...]:
        """The rights that the member has, in the order of their definition."""
        return tuple(grant for grant in Grant if self.holds(grant))


EFFECTIVE_ROLE_OF: Final = {
    Role.OWNER: EffectiveRole.OWNER,
    Role.ADMIN: EffectiveRole.ADMIN,
    Role.MEMBER: EffectiveRole.MEMBER,
}


class Restriction(Model):
    """What outlives membership: bans, and a mute that leaving and rejoining must not shake off.

    A ban from reacting leaves everything else as it is.
    """

    group_id: GroupId
    user_id: UserId
    banned_at: datetime | None = None
    banned_by: UserId | None = None
    muted_until: datetime | None = None
    reacting_banned_at: datetime | None = None
    reacting_banned_by: UserId | None = None

    @property
    def restricts(self) -> bool:
        """Whether it says anything."""
        return (self.banned_at, self.muted_until, self.reacting_banned_at) != (None, None, None)


class Invitation(Model):
    """A user is asked to be an admin, with these grants; he may accept until `expires_at`."""

    group_id: GroupId
    user_id: UserId
    grants: frozenset[Grant]
    invited_by: UserId
    invited_at: datetime
    expires_at: datetime

    def is_open(self, now: datetime) -> bool:
        """Whether it may still be accepted."""
        return self.expires_at > now


class DepartureReason(StrEnum):
    """Why a user is no longer in a channel."""

    LEFT = "left"
    REMOVED = "removed"
    BANNED = "banned"
    DELETED = "deleted"


class Departure(NamedTuple):
    """The end of a membership of a channel, kept for devices that were away."""

    group_id: GroupId
    user_id: UserId
    reason: DepartureReason
    at: datetime


class JoinRequest(Model):
    """A user waits for approval."""

    group_id: GroupId
    user_id: UserId
    text: str
    requested_at: datetime


class MembershipRow(NamedTuple):
    """A user's place in a group, as lists hold thousands; unread counts from `joined_seq`, the head when he joined.

    `joined_ms` is when, in milliseconds since 1970; 0 where it was not asked for.
    """

    group_id: GroupId
    joined_seq: int
    joined_ms: int = 0


@dataclass(frozen=True, slots=True)
class MemberCountChange:
    """How many came and went in one batch (`removed`: by somebody else), and how many members there are after it."""

    joined: int
    left: int
    removed: int
    member_count: int
    at: datetime


@dataclass(frozen=True, slots=True)
class AccessContext:
    """An actor before a group: the group, his membership if any, his rank.

    `is_banned_from_reacting` is known where reactions are (`BulkAccess.standings`).
    """

    group: Group
    member: Member | None
    effective_role: EffectiveRole
    is_banned_from_reacting: bool = False

    def holds(self, grant: Grant) -> bool:
        """Whether the actor has the right: owner and application every one, an admin what he was granted."""
        if self.effective_role >= EffectiveRole.OWNER:
            return True
        return (
            self.effective_role == EffectiveRole.ADMIN
            and self.member is not None
            and self.member.holds(grant)
        )


class AdminAction(StrEnum):
    """What an entry of a channel's admin log tells."""

    CHANNEL_CREATED = "channel_created"
    INFO_CHANGED = "info_changed"
    SETTINGS_CHANGED = "settings_changed"
    ADMIN_INVITED = "admin_invited"
    INVITATION_REVOKED = "invitation_revoked"
    INVITATION_ACCEPTED = "invitation_accepted"
    INVITATION_DECLINED = "invitation_declined"
    ADMIN_ADDED = "admin_added"
    ADMIN_REMOVED = "admin_removed"
    GRANTS_CHANGED = "grants_changed"
    OWNER_CHANGED = "owner_changed"
    SUBSCRIBER_ADDED = "subscriber_added"
    SUBSCRIBERS_IMPORTED = "subscribers_imported"
    SUBSCRIBER_REMOVED = "subscriber_removed"
    SUBSCRIBER_BANNED = "subscriber_banned"
    SUBSCRIBER_UNBANNED = "subscriber_unbanned"
    SUBSCRIBER_MUTED = "subscriber_muted"
    SUBSCRIBER_UNMUTED = "subscriber_unmuted"
    REACTING_BANNED = "reacting_banned"
    REACTING_UNBANNED = "reacting_unbanned"
    JOIN_REQUEST_ACCEPTED = "join_request_accepted"
    JOIN_REQUEST_REFUSED = "join_request_refused"
    NAME_CARD_CHANGED = "name_card_changed"
    POST_EDITED = "post_edited"
    POST_DELETED = "post_deleted"
    POST_PINNED = "post_pinned"
    POST_UNPINNED = "post_unpinned"
    REACTIONS_FROZEN = "reactions_frozen"
    REACTIONS_UNFROZEN = "reactions_unfrozen"
    DRAFT_CHANGED = "draft_changed"
    DRAFT_DELETED = "draft_deleted"
    DRAFT_PUBLISHED = "draft_published"
    ANSWER_EDITED = "answer_edited"
    ANSWER_DELETED = "answer_deleted"


@dataclass(frozen=True, slots=True)
class AdminAct:
    """What somebody did to a channel, as whoever does it tells the admin log.

    `target_id` is a user's id, a post's (`post_id_of`) or a draft's; `before` and `after` are JSON-ready, and cut when
    stored.
    """

    actor: Actor
    action: AdminAction
    target_id: str | None = None
    before: Mapping[str, object] = field(default_factory=dict)
    after: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AdminLogEntry:
    """An entry of a channel's admin log; ids of later entries are greater. `by_app`: the application's admin did it."""

    entry_id: str
    group_id: GroupId
    action: AdminAction
    actor_id: UserId
    by_app: bool
    target_id: str | None
    before: dict[str, object]
    after: dict[str, object]
    at: datetime


class MediaKind(StrEnum):
    """What an upload is, by its bytes; each has a limit of its own."""

    IMAGE = "image"
    VIDEO = "video"
    FILE = "file"


class MediaSize(StrEnum):
    """The versions of a picture: as it was, or drawn smaller."""

    ORIGINAL = "original"
    LARGE = "large"
    THUMB = "thumb"


RECORD_BYTES: Final = 4_096
"""What the records of an upload count for, or a million empty ones would be free."""


class Attachment(Model):
    """An upload as a message carries it; what describes it is written once, when the message is."""

    media_id: str
    kind: MediaKind
    content_type: str = ""
    size_bytes: int = 0
    width: int | None = None
    height: int | None = None
    name: str = ""


class Media(Model):
    """An upload. Messages `uses` it; unused, it is thrown away after `expires_at`."""

    media_id: str
    uploader_id: UserId
    kind: MediaKind
    content_type: str
    size_bytes: int
    width: int | None = None
    height: int | None = None
    name: str = ""
    created_at: datetime
    expires_at: datetime | None
    uses: int = 0
    stored_bytes: int = 0
    """What it takes of the quotas: its bytes, those of its smaller versions, and `RECORD_BYTES`."""

    @property
    def attachment(self) -> Attachment:
        """The upload as a message carries it."""
        return Attachment.model_validate(self.model_dump(include=set(Attachment.model_fields)))


_MEDIA_ADDRESS: Final = re.compile(
    r"/v1/media/([a-z2-7]{1,64})(?:\?size=(?:large|thumb))?", re.ASCII
)


def media_in(face_url: str) -> str | None:
    """The upload that the address of a group's or user's picture names; None where it is another server's."""
    found = _MEDIA_ADDRESS.fullmatch(face_url)
    return found[1] if found else None


class Kind(StrEnum):
    """What a message carries."""

    TEXT = "text"
    IMAGE = "image"
    TEXT_AND_IMAGE = "text_and_image"
    VIDEO = "video"
    FILE = "file"
    LOCATION = "location"
    CUSTOM = "custom"


class Location(Model):
    """A place on Earth, in degrees (WGS 84)."""

    latitude: float
    longitude: float
    name: str = ""
    address: str = ""


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
    media: tuple[Attachment, ...] = ()
    location: Location | None = None
    custom_json: str | None = None

    @property
    def size_bytes(self) -> int:
        """The UTF-8 bytes of all fields together, which the body limit bounds."""
        parts = [self.title, self.text, self.custom_json or ""]
        parts += [part for link in self.links for part in (link.title, link.url)]
        parts += [attachment.media_id for attachment in self.media]
        if self.location is not None:
            parts += [self.location.name, self.location.address]
        return sum(len(part.encode()) for part in parts)

    @property
    def media_bytes(self) -> int:
        """The bytes of the uploads that it carries, each as often as it does."""
        return sum(attachment.size_bytes for attachment in self.media)

    @property
    def preview(self) -> str:
        """A line for lists."""
        place = self.location.name if self.location else ""
        return (self.title or self.text or place or f"[{self.kind.value}]")[:100]


class Origin(Model):
    """Where a forwarded message was first written; all None where that is not everybody's to know."""

    group_id: GroupId | None = None
    is_channel: bool = False
    name: str | None = None
    seq: int | None = None


class Source(NamedTuple):
    """Where a message to forward is: in a group, or in a conversation that is no group's and a higher package knows."""

    group_id: GroupId | None
    conversation_id: StreamId | None
    seq: int


class Message(Model):
    """One entry of a stream; `content` is None once recalled: it keeps id, seq and times only.

    `views` is how many have seen it, where that is counted: in channels (`analytics`). `author_id`: who wrote it,
    where the sender is a channel and not a person.
    """

    stream_id: StreamId
    seq: int
    sender_id: UserId
    content: Content | None
    created_at: datetime
    edited_at: datetime | None = None
    recalled_at: datetime | None = None
    silent: bool = False
    """Nobody's device is to ring; it counts as unread like any other."""
    signature: str = ""
    """The sender's name as it was then, where the channel shows it; empty: not signed."""
    origin: Origin | None = None
    """None: it was not forwarded."""
    pinned_at: datetime | None = None
    reactions_frozen: bool = False
    views: int = 0
    author_id: UserId | None = None

    @property
    def memory_bytes(self) -> int:
        """What it takes in memory, for caches: estimated, and not less than that (`tests/kernel/test_memory.py`)."""
        size = 3_100 if self.origin is None else 4_200
        if self.signature:
            size += getsizeof(self.signature)
        content = self.content
        if content is None:
            return size
        size += getsizeof(content.text) + getsizeof(content.title) + getsizeof(content.custom_json)
        # A character takes four bytes where one of its text does.
        size += sum(800 + 4 * len(link.title) + 4 * len(link.url) for link in content.links)
        size += sum(1_500 + 4 * len(each.name) for each in content.media)
        place = content.location
        return (
            size if place is None else size + 1_200 + 4 * len(place.name) + 4 * len(place.address)
        )


SEEN_A_COMMAND: Final = 4_000
"""Readers x messages of which one command tells who holds what: with ten emoji each, of 200 bytes, half of the 16 MB
that a document, and so an answer, may have."""


def readers_a_command(messages: int) -> int:
    """How many readers of so many messages one command may serve."""
    return max(1, SEEN_A_COMMAND // max(1, messages))


@dataclass(frozen=True, slots=True)
class Tally:
    """The reactions to one message: a count per emoji, their sum, and the actor's own."""

    counts: dict[str, int] = field(default_factory=dict)
    total: int = 0
    mine: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Tallies(Mapping[int, Tally]):
    """The reactions to some messages of a stream, by seq, without those that never had one.

    `shared` is the same object for all who read these messages at once, and `mine` in it is empty; `own` is what this
    reader holds.
    """

    shared: Mapping[int, Tally] = field(default_factory=dict)
    own: Mapping[int, tuple[str, ...]] = field(default_factory=dict)

    def __getitem__(self, seq: int) -> Tally:
        tally = self.shared[seq]
        mine = self.own.get(seq)
        return Tally(tally.counts, tally.total, mine) if mine else tally

    def __iter__(self) -> Iterator[int]:
        return iter(self.shared)

    def __len__(self) -> int:
        return len(self.shared)


class User(Model):
    """What a user shows of himself; a user without a record is known by id alone."""

    user_id: UserId
    name: str = ""
    face_url: str = ""
