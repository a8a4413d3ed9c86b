"""The things of group chat, as services pass them: frozen, without a trace of the database.

Values from outside are pydantic models, validated when made. Values that a hot path makes by the thousand from our own
documents (members, access contexts, tallies, heads) are plain dataclasses, which cost a fifth.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import IntEnum, StrEnum
from functools import cached_property
from hashlib import blake2b
from sys import getsizeof
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, model_validator

from groups.kernel.actor import Actor
from groups.kernel.ids import PAIR_SEPARATOR, SEPARATOR, GroupId, StreamId, UserId
from groups.kernel.text.markup import plain_beginning
from groups.kernel.text.search.terms import Term
from groups.limits import GroupLimits


class Model(BaseModel):
    """The base of the models that are validated when made."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def from_stored(cls, document: Mapping[str, Any]) -> Self:
        """The model of a stored document. Unknown fields are ignored: the store's own, and those of newer versions."""
        return cls.model_validate(document, extra="ignore")


# --- streams ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LastMessage:
    """The newest message of a stream, for lists.

    `kind` is None once the message is recalled, and where a version that did not store it wrote the message.
    """

    seq: int
    sender_id: UserId
    preview: str
    at: datetime
    kind: "Kind | None" = None

    @property
    def is_recalled(self) -> bool:
        """Whether it was recalled: only then it has no preview (`Content.preview`), whichever version recalled it."""
        return not self.preview


@dataclass(frozen=True)  # without slots, which have no room for `head`
class Stream:
    """The head of a stream; a document of its own, so that posting and joining do not conflict.

    `version` counts the changes of its messages: each edit, recall, pin, unpin, freeze and unfreeze adds one, in the
    order of their commits. Posts and reactions do not. `changed_at`: when the last one happened; None: there was none.

    `author_id` has read up to `author_seq`, since they wrote that message (`Head.read_by`).
    """

    stream_id: StreamId
    head_seq: int = 0
    is_channel: bool = False
    last: LastMessage | None = None
    version: int = 0
    changed_at: datetime | None = None
    author_id: UserId | None = None
    author_seq: int = 0

    @cached_property
    def head(self) -> "Head":
        """Its head, with the times; made once for all lists that show an unchanged stream."""
        last, changed_at = self.last, self.changed_at
        return Head(
            self.head_seq,
            self.is_channel,
            round(last.at.timestamp() * 1000) if last is not None else 0,
            self.version,
            round(changed_at.timestamp() * 1000) if changed_at is not None else 0,
            self.author_id,
            self.author_seq,
        )


class Head(NamedTuple):
    """The newest seq of a stream, and the time of that message (`active_ms`, milliseconds since 1970).

    The time is 0 where there is no message, or where it was not queried. So it is with `version`, which counts the
    changes of the stream's messages (`Stream`), and `changed_ms`, the time of the last one.

    In the stream of a group, `author_id` wrote the newest message, `author_seq`, so they have read it: no cursor of
    theirs is stored until another one writes. After a message of an older process they name an earlier message.
    """

    head_seq: int
    is_channel: bool
    active_ms: int = 0
    version: int = 0
    changed_ms: int = 0
    author_id: UserId | None = None
    author_seq: int = 0

    def read_by(self, user_id: UserId) -> int:
        """The newest message that the member has read since they wrote it, as far as the stream tells."""
        return self.author_seq if self.author_id == user_id else 0


def stream_of(group_id: GroupId) -> StreamId:
    """The stream of a group; it is also the id of its conversation, which is the same for all members."""
    return StreamId(f"group_{group_id}")


def group_in(stream_id: StreamId) -> GroupId | None:
    """The group whose stream it is; None for other streams."""
    prefix = stream_of(GroupId(""))
    return GroupId(stream_id.removeprefix(prefix)) if stream_id.startswith(prefix) else None


def post_id_of(group_id: GroupId, seq: int) -> str:
    """The public id of a channel's post."""
    return f"{group_id}:{seq}"


CHANNEL_PREFIX: Final = "@TOA#_"
"""The start of a channel's id. A Community group that was made a channel keeps its own id."""


def expand_channel_id(text: str) -> GroupId:
    """The channel id that a path or a forward names: in full, or without its prefix (`news`: `@TOA#_news`)."""
    return GroupId(text if text.startswith("@") else CHANNEL_PREFIX + text)


INBOX_PREFIX: Final = "inbox_"


def inbox_stream_of(group_id: GroupId, user_id: UserId) -> StreamId:
    """The stream of the private messages between a user and a channel's inbox; it ends with the channel."""
    return StreamId(f"{INBOX_PREFIX}{group_id}{PAIR_SEPARATOR}{user_id}")


def message_key(stream_id: StreamId, seq: int) -> str:
    """The stored key of a message."""
    return f"{stream_id}{SEPARATOR}{seq}"  # as `join_key` does, twenty times for every reader


def split_message_key(message_id: str) -> tuple[StreamId, int]:
    """The stream and the seq in the stored key of a message."""
    stream_id, _, seq = message_id.rpartition(SEPARATOR)
    return StreamId(stream_id), int(seq)


def seq_in(message_id: str) -> int:
    """The seq in the stored key of a message."""
    return int(message_id.rpartition(SEPARATOR)[2])


# --- groups -----------------------------------------------------------------------------------------------------------


CHANNEL_MARKER: Final = "official_account"
"""The reserved custom field: a Community group that has it is a channel (founding document, 2.1)."""


class GroupType(StrEnum):
    """The type of a group (the reference product's four); rules for joining, history and limits follow from it."""

    WORK = "work"
    PUBLIC = "public"
    MEETING = "meeting"
    COMMUNITY = "community"


class Posting(StrEnum):
    """The roles that may post."""

    EVERYONE = "everyone"
    OWNER_AND_ADMINS = "owner_and_admins"


class JoinOption(StrEnum):
    """How users become members: freely, after approval, or only when others add them."""

    FREE = "free"
    APPROVAL = "approval"
    INVITE = "invite"


class Visibility(StrEnum):
    """The view of strangers: everything including messages, only the profile, or nothing (404)."""

    PUBLIC = "public"
    PROFILE = "profile"
    PRIVATE = "private"


class Commenting(StrEnum):
    """The users who may comment on the posts of a channel."""

    OFF = "off"
    SUBSCRIBERS = "subscribers"
    EVERYONE = "everyone"


ReactionChoice = Literal["all", "basic", "none"] | tuple[str, ...]
"""The emoji that members may react with; `reactions.policy` defines each value."""


COMMUNITY_PREFIX: Final = "@TGS#_"
"""The start of a Community group's id (reference product)."""


class Marking(Model):
    """How a Community group became a channel: when, by whom, and which of its messages are from before.

    It is written in the transaction that marks the group and never changes. Channels that were created as channels have
    none, nor have those that an older version marked.
    """

    at: datetime
    by: UserId
    head_seq: int
    """The head of the stream at the marking: messages up to it were written in the group."""
    is_history_shared: bool
    """Whether the owner made those messages as public as the posts."""
    was_history_visible: bool
    """Whether members could read what was written before they joined."""


class SuspensionMode(StrEnum):
    """How much a suspension leaves of a channel."""

    READABLE = "readable"
    """It can be read, subscribed to and left; nothing is added to it."""
    HIDDEN = "hidden"
    """It is as if absent, for all but its owner and the application."""


class Suspension(Model):
    """The application suspended the channel. `reason` is for its owner and admins, and may be empty."""

    mode: SuspensionMode
    reason: str = ""
    at: datetime
    by: UserId


class Group(Model):
    """A group. `version` grows with each change of its profile; `owner_id` is None in a Work group its owner left.

    `verified`: the application vouches for the channel. It is stored here because every view of a channel reads this
    document anyway, and a list of conversations reads no other. So is `comments`: where they are off, nothing else is
    read for them.
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
    comments: Commenting = Commenting.OFF
    member_count: int
    member_limit: int | None = None
    """A limit of this group, below the limit of its type; None: the limit of the type."""
    created_at: datetime
    created_by: UserId
    version: int = 1
    marking: Marking | None = None
    has_requests: bool = False
    """Somebody asked to join since this is stored: only then a join looks for a request of its user."""
    suspension: Suspension | None = None
    retention_days: int = 0
    """After so many days a message ends; 0: as the deployment has it, or never."""
    ended_seq: int = 0
    """The seq up to which messages have ended (`groups.service.retention`); 0: none has."""

    @property
    def is_hidden(self) -> bool:
        """Whether the application hid the channel."""
        return self.suspension is not None and self.suspension.mode is SuspensionMode.HIDDEN

    @property
    def is_channel(self) -> bool:
        """Whether the group has the channel marker."""
        return CHANNEL_MARKER in self.custom

    @property
    def private_until_seq(self) -> int:
        """The seq up to which messages are from before the marking and stayed private; 0: none."""
        marking = self.marking
        return 0 if marking is None or marking.is_history_shared else marking.head_seq

    def joining_time(self, now: datetime) -> datetime:
        """When a user who comes in now joined: never before the marking, though clocks of processes may differ."""
        return now if self.marking is None else max(now, self.marking.at)

    @property
    def stream_id(self) -> StreamId:
        return stream_of(self.group_id)

    def limit_of_members(self, limits: GroupLimits) -> int:
        of_type = type_member_limit(self.type, limits)
        return of_type if self.member_limit is None else min(self.member_limit, of_type)


class Disbanded(NamedTuple):
    """A disbanded group whose remains still exist."""

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


# --- members ----------------------------------------------------------------------------------------------------------


class Role(StrEnum):
    """A member's role."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"


class EffectiveRole(IntEnum):
    """An actor's role in a group, ordered by power."""

    BANNED = -1
    STRANGER = 0
    MEMBER = 1
    ADMIN = 2
    OWNER = 3
    APP_ADMIN = 4


class Grant(StrEnum):
    """A right of an admin. The owner and the application's admin hold all of them."""

    POST = "post"
    EDIT_POSTS = "edit_posts"
    DELETE_POSTS = "delete_posts"
    PIN_POSTS = "pin_posts"
    MANAGE_SUBSCRIBERS = "manage_subscribers"
    CHANGE_INFO = "change_info"
    CHANGE_SETTINGS = "change_settings"
    READ_INBOX = "read_inbox"
    SEE_INSIGHTS = "see_insights"
    READ_EVENTS = "read_events"
    MANAGE_WEBHOOKS = "manage_webhooks"


@dataclass(frozen=True, slots=True)
class Member:
    """A user in a group. Unread counts start at `joined_seq`, the stream's head when they joined.

    `muted_until` None: not muted. `grants` are the rights of an admin, None: all; for other roles it means nothing.
    """

    group_id: GroupId
    user_id: UserId
    role: Role
    joined_at: datetime
    joined_seq: int
    muted_until: datetime | None = None
    name_card: str = ""
    grants: frozenset[Grant] | None = None
    has_agreed: bool = True
    """False: others added the user, who neither joined nor wrote here. Such a group does not count for the limit
    `groups_per_user`, and has one of its own (`added_groups_per_user`)."""

    @property
    def effective_role(self) -> EffectiveRole:
        return EFFECTIVE_ROLE_OF[self.role]

    def is_muted(self, now: datetime) -> bool:
        return self.muted_until is not None and self.muted_until > now

    def holds(self, grant: Grant) -> bool:
        """Whether the member has the right: the owner has all, an admin the granted ones."""
        if self.role is Role.ADMIN:
            return self.grants is None or grant in self.grants
        return self.role is Role.OWNER

    @property
    def granted(self) -> tuple[Grant, ...]:
        """The member's rights, in the order of `Grant`."""
        if self.role is Role.MEMBER:  # nearly always
            return ()
        return tuple(grant for grant in Grant if self.holds(grant))


EFFECTIVE_ROLE_OF: Final = {
    Role.OWNER: EffectiveRole.OWNER,
    Role.ADMIN: EffectiveRole.ADMIN,
    Role.MEMBER: EffectiveRole.MEMBER,
}


class UserRestriction(Model):
    """The application restricted the user: they read and leave, and add nothing anywhere until then (None: for good).

    `reason` is for the user, and may be empty.
    """

    user_id: UserId
    until: datetime | None = None
    reason: str = ""
    at: datetime
    by: UserId

    def is_active(self, now: datetime) -> bool:
        return self.until is None or self.until > now


class Restriction(Model):
    """Bans, bans from reacting or commenting, and mutes: they outlive a membership, so leaving does not end them."""

    group_id: GroupId
    user_id: UserId
    banned_at: datetime | None = None
    banned_by: UserId | None = None
    muted_until: datetime | None = None
    reacting_banned_at: datetime | None = None
    reacting_banned_by: UserId | None = None
    commenting_banned_at: datetime | None = None
    commenting_banned_by: UserId | None = None
    left_at: datetime | None = None
    """When the user left a chat group by themselves, or declined to join it: nobody adds them again without asking.
    Channels do not need it, since nobody is added to one."""
    by_app: UserRestriction | None = Field(default=None, exclude=True)
    """The restriction of a user by the application, in every group; it is stored once, beside the others."""

    @property
    def restricts(self) -> bool:
        values = (
            self.banned_at,
            self.muted_until,
            self.reacting_banned_at,
            self.commenting_banned_at,
            self.left_at,
        )
        return any(value is not None for value in values)


class InvitationEnd(StrEnum):
    """Why an invitation ended."""

    ACCEPTED = "accepted"
    DECLINED = "declined"
    REVOKED = "revoked"
    DELETED = "deleted"


class Invitation(Model):
    """An invitation to be a member, or an admin with these grants; it can be accepted until `expires_at`.

    An invitation to be a member that the user declined stays open for those who invited, and hidden from the user:
    nobody learns who declined, or who blocks whom.
    """

    group_id: GroupId
    user_id: UserId
    role: Role = Role.ADMIN
    grants: frozenset[Grant] = frozenset()
    invited_by: UserId
    invited_at: datetime
    expires_at: datetime
    hidden: bool = False
    """The user does not see it, because they block the inviter or the group, or declined not long ago."""
    told_at: datetime | None = None
    """When the user's devices were last told of an invitation to this group."""
    declined_at: datetime | None = None
    """When the user last declined one."""
    ended: InvitationEnd | None = None
    """It is over, and kept for a while for the two times above. `expires_at` is in the past then."""

    def is_open(self, now: datetime) -> bool:
        """Whether it can still be accepted, as far as the inviters know."""
        return self.ended is None and self.expires_at > now


class DepartureReason(StrEnum):
    """Why a user is no longer in a group, or why a conversation of theirs ended."""

    LEFT = "left"
    REMOVED = "removed"
    BANNED = "banned"
    DELETED = "deleted"


class DepartureKind(StrEnum):
    """What ended for the user."""

    CHANNEL = "channel"
    GROUP = "group"
    DIALOGUE = "dialogue"
    """Their one-to-one conversation with the channel, which was deleted."""


class Departure(NamedTuple):
    """The end of a membership, or of a dialogue with a channel, kept for devices that were offline."""

    group_id: GroupId
    user_id: UserId
    reason: DepartureReason
    at: datetime
    kind: DepartureKind = DepartureKind.CHANNEL


class JoinRequest(Model):
    """A user's request to join, which waits for approval."""

    group_id: GroupId
    user_id: UserId
    text: str
    requested_at: datetime
    invite_link: str | None = None
    """The code of the invite link by which the user asked; None where they asked without one."""


class RequestEnd(StrEnum):
    """How a join request ended."""

    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    JOINED = "joined"
    """The user became a member in another way."""


class InviteLinkState(StrEnum):
    """Whether users can join by an invite link, or why not."""

    OPEN = "open"
    EXPIRED = "expired"
    USED_UP = "used_up"
    REVOKED = "revoked"


class InviteLink(Model):
    """A link by which users join a group, or with `approval` ask to join; everybody who knows the `code` may use it.

    `uses` counts each join by it: a user who leaves and comes back by the same link counts twice. A request counts when
    it is approved. `pending_requests` are those that wait.
    """

    code: str
    group_id: GroupId
    name: str = ""
    created_by: UserId
    created_at: datetime
    expires_at: datetime | None = None
    max_uses: int | None = None
    uses: int = 0
    pending_requests: int = 0
    approval: bool = False
    revoked_at: datetime | None = None

    @property
    def is_used_up(self) -> bool:
        """Whether nobody more may come in by it, as long as `max_uses` stays."""
        return self.max_uses is not None and self.uses >= self.max_uses

    def state(self, now: datetime) -> InviteLinkState:
        """Its state; of several reasons why it ended, the most lasting one."""
        if self.revoked_at is not None:
            return InviteLinkState.REVOKED
        if self.expires_at is not None and self.expires_at <= now:
            return InviteLinkState.EXPIRED
        return InviteLinkState.USED_UP if self.is_used_up else InviteLinkState.OPEN


class MembershipRow(NamedTuple):
    """A membership as lists and unread counts need it, by the thousand.

    Unread counts start at `joined_seq`. Times are in milliseconds since 1970; 0 where they were not queried.
    `changed_ms`: when the user joined, or the last change of their role, rights or mute. Only queries for `sync` load
    it and the `role`.
    """

    group_id: GroupId
    joined_seq: int
    joined_ms: int = 0
    role: str = ""
    changed_ms: int = 0


@dataclass(frozen=True, slots=True)
class MemberCountChange:
    """How many members joined and left in one batch (`removed`: by somebody else), and the member count after it."""

    joined: int
    left: int
    removed: int
    member_count: int
    at: datetime


@dataclass(frozen=True, slots=True)
class AccessContext:
    """A group as an actor accesses it: the group, the actor's membership if any, and their role.

    Only `BulkAccess.accesses_of` fills `is_banned_from_reacting` and `is_banned_from_commenting`. `restriction` is
    filled wherever the actor may be about to write: by `BulkAccess`, by the guard inside a transaction, and in batches
    of memberships.
    """

    group: Group
    member: Member | None
    effective_role: EffectiveRole
    is_banned_from_reacting: bool = False
    is_banned_from_commenting: bool = False
    is_business: bool = False
    """The actor is a business account."""
    restriction: UserRestriction | None = None
    """The application restricts the actor now."""

    def holds(self, grant: Grant) -> bool:
        """Whether the actor has the right: owner and application have all, an admin the granted ones."""
        if self.effective_role >= EffectiveRole.OWNER:
            return True
        return (
            self.effective_role == EffectiveRole.ADMIN
            and self.member is not None
            and self.member.holds(grant)
        )


# --- admin log --------------------------------------------------------------------------------------------------------


class AdminAction(StrEnum):
    """The act that an entry of an admin log records: of a channel's, or of the application's."""

    CHANNEL_CREATED = "channel_created"
    INFO_CHANGED = "info_changed"
    SETTINGS_CHANGED = "settings_changed"
    ADMIN_INVITED = "admin_invited"
    INVITATION_REVOKED = "invitation_revoked"
    INVITATION_ACCEPTED = "invitation_accepted"
    INVITATION_DECLINED = "invitation_declined"
    INVITE_LINK_CREATED = "invite_link_created"
    INVITE_LINK_CHANGED = "invite_link_changed"
    INVITE_LINK_REVOKED = "invite_link_revoked"
    ADMIN_ADDED = "admin_added"
    ADMIN_REMOVED = "admin_removed"
    GRANTS_CHANGED = "grants_changed"
    OWNER_CHANGED = "owner_changed"
    CHANNEL_SUSPENDED = "channel_suspended"
    CHANNEL_REINSTATED = "channel_reinstated"
    SUBSCRIBER_ADDED = "subscriber_added"
    SUBSCRIBER_INVITED = "subscriber_invited"
    SUBSCRIBERS_IMPORTED = "subscribers_imported"
    SUBSCRIBER_REMOVED = "subscriber_removed"
    SUBSCRIBER_BANNED = "subscriber_banned"
    SUBSCRIBER_UNBANNED = "subscriber_unbanned"
    SUBSCRIBER_MUTED = "subscriber_muted"
    SUBSCRIBER_UNMUTED = "subscriber_unmuted"
    REACTING_BANNED = "reacting_banned"
    REACTING_UNBANNED = "reacting_unbanned"
    COMMENTING_BANNED = "commenting_banned"
    COMMENTING_UNBANNED = "commenting_unbanned"
    JOIN_REQUEST_ACCEPTED = "join_request_accepted"
    JOIN_REQUEST_REFUSED = "join_request_refused"
    NAME_CARD_CHANGED = "name_card_changed"
    POLL_CLOSED = "poll_closed"
    POST_EDITED = "post_edited"
    POST_DELETED = "post_deleted"
    POST_PINNED = "post_pinned"
    POST_UNPINNED = "post_unpinned"
    REACTIONS_FROZEN = "reactions_frozen"
    REACTIONS_UNFROZEN = "reactions_unfrozen"
    COMMENTS_FROZEN = "comments_frozen"
    COMMENTS_UNFROZEN = "comments_unfrozen"
    COMMENT_EDITED = "comment_edited"
    COMMENT_DELETED = "comment_deleted"
    DRAFT_CHANGED = "draft_changed"
    DRAFT_DELETED = "draft_deleted"
    DRAFT_PUBLISHED = "draft_published"
    ANSWER_EDITED = "answer_edited"
    ANSWER_DELETED = "answer_deleted"
    WEBHOOK_CREATED = "webhook_created"
    WEBHOOK_CHANGED = "webhook_changed"
    WEBHOOK_DELETED = "webhook_deleted"
    WEBHOOK_DISABLED = "webhook_disabled"
    WEBHOOK_SECRET_ROTATED = "webhook_secret_rotated"
    WEBHOOK_REPLAYED = "webhook_replayed"
    CANNED_REPLY_CHANGED = "canned_reply_changed"
    CANNED_REPLY_DELETED = "canned_reply_deleted"
    BROADCAST_CREATED = "broadcast_created"
    BROADCAST_STOPPED = "broadcast_stopped"
    BROADCAST_RESUMED = "broadcast_resumed"
    # Of the application's log alone.
    REPORT_RESOLVED = "report_resolved"
    USER_RESTRICTED = "user_restricted"
    USER_UNRESTRICTED = "user_unrestricted"


APP_LOG: Final = GroupId(SEPARATOR)
"""Stands for the application in the admin log; no group has such an id."""


@dataclass(frozen=True, slots=True)
class AdminAct:
    """An act on a channel, for the admin log.

    `target_id` is the id of a user, of a post (`post_id_of`), of a comment, of a draft, or of a webhook, the name of a
    canned reply, or the beginning of the code of an invite link; `before` and `after` are JSON-ready, and shortened
    when stored.
    """

    actor: Actor
    action: AdminAction
    target_id: str | None = None
    before: Mapping[str, object] = field(default_factory=dict)
    after: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AdminLogEntry:
    """An entry of a channel's admin log. Later entries have greater ids. `by_app`: the application's admin acted."""

    entry_id: str
    group_id: GroupId
    action: AdminAction
    actor_id: UserId
    by_app: bool
    target_id: str | None
    before: dict[str, object]
    after: dict[str, object]
    at: datetime


# --- uploads ----------------------------------------------------------------------------------------------------------


class MediaKind(StrEnum):
    """The kind of an upload, found from its bytes; each kind has its own size limit."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    FILE = "file"


def _stored_kind(kind: MediaKind) -> MediaKind:
    return MediaKind.VIDEO if kind is MediaKind.AUDIO else kind


StoredMediaKind = Annotated[MediaKind, PlainSerializer(_stored_kind)]
"""A sound is stored as a video, as which versions without `MediaKind.AUDIO` stored it, and read it."""


def _known_sound(values: Any) -> Any:
    """The fields of an upload as stored, of kind `audio` where the content type is a sound's."""
    if (
        isinstance(values, Mapping)
        and values.get("kind") == MediaKind.VIDEO
        and str(values.get("content_type", "")).startswith("audio/")
    ):
        return {**values, "kind": MediaKind.AUDIO}
    return values


class MediaSize(StrEnum):
    """The versions of a picture: the original, and smaller ones."""

    ORIGINAL = "original"
    LARGE = "large"
    THUMB = "thumb"


RECORD_BYTES: Final = 4_096
"""The bytes that an upload's records count against quotas, so that a million empty uploads are not free."""


class Attachment(Model):
    """An upload as a message holds it; its description is written once, with the message."""

    media_id: str
    kind: StoredMediaKind
    content_type: str = ""
    size_bytes: int = 0
    width: int | None = None
    height: int | None = None
    duration_seconds: float | None = None
    """How long a sound or video lasts; None where its file does not say so believably, and for other uploads."""
    has_cover: bool = False
    """Whether there are smaller versions of the picture that a video carries as its cover."""
    name: str = ""

    _know_sound = model_validator(mode="before")(_known_sound)


class Media(Model):
    """An upload. `uses` counts the messages and profiles that hold it; unused, it is deleted after `expires_at`."""

    media_id: str
    uploader_id: UserId
    kind: StoredMediaKind
    content_type: str
    size_bytes: int
    width: int | None = None
    height: int | None = None
    duration_seconds: float | None = None
    has_cover: bool = False
    name: str = ""
    created_at: datetime
    expires_at: datetime | None
    uses: int = 0
    stored_bytes: int = 0
    """The bytes that count against quotas: its own, those of its smaller versions, and `RECORD_BYTES`."""

    _know_sound = model_validator(mode="before")(_known_sound)

    @property
    def attachment(self) -> Attachment:
        return Attachment.model_validate(self.model_dump(include=set(Attachment.model_fields)))


_MEDIA_ADDRESS: Final = re.compile(
    r"/v1/media/([a-z2-7]{1,64})(?:\?size=(?:large|thumb))?", re.ASCII
)


def media_in(face_url: str) -> str | None:
    """The id of the upload that a `face_url` names; None for an address of another server."""
    found = _MEDIA_ADDRESS.fullmatch(face_url)
    return found[1] if found else None


def poster_url(video: Attachment, poster: Attachment | None = None) -> str | None:
    """The address of the picture to show before a video plays; None where there is none, and for other uploads."""
    if poster is not None:
        return f"/v1/media/{poster.media_id}?size=large"
    return f"/v1/media/{video.media_id}?size=large" if video.has_cover else None


# --- messages ---------------------------------------------------------------------------------------------------------


class Kind(StrEnum):
    """The kind of a message's content."""

    TEXT = "text"
    IMAGE = "image"
    TEXT_AND_IMAGE = "text_and_image"
    VIDEO = "video"
    AUDIO = "audio"
    FILE = "file"
    LOCATION = "location"
    POLL = "poll"
    FORM_ANSWER = "form_answer"
    CUSTOM = "custom"


class Location(Model):
    """A place on Earth, in degrees (WGS 84)."""

    latitude: float
    longitude: float
    name: str = ""
    address: str = ""


class PollResults(StrEnum):
    """When readers see how a poll stands: always, once they have voted, or once it is closed."""

    ALWAYS = "always"
    AFTER_VOTE = "after_vote"
    AFTER_CLOSE = "after_close"


class Poll(Model):
    """A question with answers to choose from. Votes are kept beside the message (`reactions.polls`).

    Only `closes_at` changes once it is posted: closing a poll sets it to that instant.
    """

    question: str
    options: tuple[str, ...]
    multiple: bool = False
    """Whether a voter may choose several options."""
    closes_at: datetime | None = None
    results: PollResults = PollResults.ALWAYS

    def is_closed(self, now: datetime) -> bool:
        """Whether it takes no more votes."""
        return self.closes_at is not None and self.closes_at <= now

    def are_results_public(self, now: datetime) -> bool:
        """Whether everybody who reads the message may see the counts."""
        return self.results is PollResults.ALWAYS or self.is_closed(now)

    def is_same_question(self, other: "Poll | None") -> bool:
        """Whether votes for one of them are votes for the other: they differ at most in when they close."""
        return other is not None and self == other.model_copy(update={"closes_at": self.closes_at})


class FormAnswerValue(Model):
    """The value of one field of a form, with the field's label as it was."""

    name: str
    label: str
    value: str


class FormAnswer(Model):
    """A user's answer to a form of a channel, with the form's title as it was."""

    form: str
    title: str
    answers: tuple[FormAnswerValue, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """The title, the labels and the values."""
        return (self.title, *(text for one in self.answers for text in (one.label, one.value)))


class ActionKind(StrEnum):
    """The kind of an action: what happens when a user presses a button, or chooses an entry of a menu."""

    LINK = "link"
    REPLY = "reply"
    EVENT = "event"
    FORM = "form"


class Action(Model):
    """Says what happens at a press. `value` is what its kind needs.

    `link`: the address that the app opens. `reply`: the text that the user sends to the channel. `event`: the data that
    the channel's back end receives. `form`: the name of the channel's form that the app opens.
    """

    kind: ActionKind
    value: str

    @property
    def is_counted(self) -> bool:
        """Whether the server learns of a press; links and forms are opened by the app."""
        return self.kind in {ActionKind.REPLY, ActionKind.EVENT}


class Button(Model):
    """A button under a post, or under a message of a channel in its inbox."""

    text: str
    action: Action

    @property
    def key(self) -> int:
        """The number under which its presses are counted: the same wherever a button with this text and action stands.

        So an edit that moves a button or adds another one leaves its count, and a button with another text or action
        begins at 0. 48 bits of a hash; no message has two equal buttons.
        """
        said = SEPARATOR.join((self.text, self.action.kind.value, self.action.value))
        return int.from_bytes(blake2b(said.encode(), digest_size=6).digest())


ButtonRows = tuple[tuple[Button, ...], ...]
"""Buttons as they stand: rows from top to bottom. The index of a button counts over all rows, from 0."""


class Link(Model):
    """A titled link, and its preview: the description that its page has, and a picture."""

    title: str
    url: str
    description: str = ""
    image: str | None = None
    """The upload with its picture, which is among the `media` of the content too."""


class Content(Model):
    """The content of a message. `custom_json` is the application's JSON, kept as text so that nothing parses it.

    `media` holds all uploads, so that whatever counts them sees each: first those that the message is about
    (`own_media`), then the pictures of links, in the order of these (`link_media`). The uploads of a video are the
    video, and its poster if there is one; versions that know no posters show the first only.
    """

    kind: Kind
    title: str = ""
    text: str = ""
    links: tuple[Link, ...] = ()
    media: tuple[Attachment, ...] = ()
    location: Location | None = None
    poll: Poll | None = None
    acknowledge: bool = False
    """Whether it asks its readers to acknowledge it. Fixed once it is posted, and forwards do not carry it."""
    custom_json: str | None = None
    buttons: ButtonRows = ()
    form_answer: FormAnswer | None = None
    """Only the server makes it, from a form that a user fills in."""

    def to_stored(self) -> dict[str, Any]:
        """The content as it is stored, without `unused_fields`."""
        return self.model_dump(mode="python", exclude=self.unused_fields)

    @property
    def unused_fields(self) -> set[str]:
        """The fields that are not stored, since this content does not use them and older versions do not know them."""
        is_unused = {
            "poll": self.poll is None,
            "acknowledge": not self.acknowledge,
            "buttons": not self.buttons,
            "form_answer": self.form_answer is None,
        }
        return {name for name, unused in is_unused.items() if unused}

    @property
    def all_buttons(self) -> tuple[Button, ...]:
        """The buttons of all rows, as their index counts them."""
        return tuple(button for row in self.buttons for button in row)

    @property
    def size_bytes(self) -> int:
        """The UTF-8 bytes of all fields together, for the limit `message_body_bytes`."""
        parts = [self.title, self.text, self.custom_json or ""]
        parts += [part for link in self.links for part in (link.title, link.url, link.description)]
        parts += [attachment.media_id for attachment in self.media]
        if self.location is not None:
            parts += [self.location.name, self.location.address]
        if self.poll is not None:
            parts += [self.poll.question, *self.poll.options]
        for button in self.all_buttons:
            parts += [button.text, button.action.value]
        if self.form_answer is not None:
            names = [each.name for each in self.form_answer.answers]
            parts += [self.form_answer.form, *self.form_answer.texts, *names]
        return sum(len(part.encode()) for part in parts)

    @property
    def own_media(self) -> tuple[Attachment, ...]:
        """The uploads that the message is about, without the pictures of links."""
        return self.media[: self._own_count]

    @property
    def poster(self) -> Attachment | None:
        """The picture to show before a video plays, where one was sent with it."""
        return self.media[1] if self.kind is Kind.VIDEO and self._own_count > 1 else None

    @property
    def link_media(self) -> Sequence[Attachment | None]:
        """The picture of each link; None where it has none."""
        pictures = iter(self.media[self._own_count :])
        return [next(pictures, None) if link.image else None for link in self.links]

    @property
    def _own_count(self) -> int:
        return max(0, len(self.media) - sum(link.image is not None for link in self.links))

    @property
    def media_bytes(self) -> int:
        """The bytes of its uploads; an upload that occurs twice counts twice."""
        return sum(attachment.size_bytes for attachment in self.media)

    @property
    def searched_texts(self) -> tuple[str, ...]:
        """The texts in which a search looks: the text or caption first, then titles, and names of files and places."""
        place = self.location
        return (
            self.text,
            self.title,
            *(link.title for link in self.links),
            *(attachment.name for attachment in self.media),
            *((place.name, place.address) if place is not None else ()),
            *((self.poll.question, *self.poll.options) if self.poll is not None else ()),
            *(button.text for button in self.all_buttons),
            *(self.form_answer.texts if self.form_answer is not None else ()),
        )

    @property
    def preview(self) -> str:
        """One line for lists: a poll's question, the title, or the beginning of the text without its marks."""
        if self.poll is not None:
            return self.poll.question[:100]
        if self.form_answer is not None:
            return self.form_answer.title[:100]
        place = self.location.name if self.location else ""
        return (self.title or plain_beginning(self.text) or place or f"[{self.kind.value}]")[:100]


class Origin(Model):
    """Where a forwarded message was first posted; all None where readers may not know."""

    group_id: GroupId | None = None
    is_channel: bool = False
    name: str | None = None
    seq: int | None = None


class Source(NamedTuple):
    """The place of a message to forward: a group, or a conversation of a higher package."""

    group_id: GroupId | None
    conversation_id: StreamId | None
    seq: int


class Message(Model):
    """A message of a stream. Once recalled, `content` is None, and id, seq and times remain.

    `views` counts readers, in channels only (`analytics`). `author_id` is the user who wrote it, where the sender is a
    channel. `changed_version` is the version that the stream got with the last change of this message; 0: it never
    changed.
    """

    stream_id: StreamId
    seq: int
    sender_id: UserId
    content: Content | None
    created_at: datetime
    edited_at: datetime | None = None
    recalled_at: datetime | None = None
    silent: bool = False
    """Posted without a notification; it counts as unread all the same."""
    signature: str = ""
    """The sender's name at the time, where the channel signs its posts; empty: not signed."""
    origin: Origin | None = None
    """None: it was not forwarded."""
    quoted_seq: int | None = None
    """The earlier message of the stream that it answers, which may be recalled since. None: it quotes none."""
    pinned_at: datetime | None = None
    reactions_frozen: bool = False
    comments_frozen: bool = False
    comments: int | None = None
    """In channels, how many comments are under it, without deleted ones; None: nobody ever commented."""
    views: int = 0
    author_id: UserId | None = None
    automatic: bool = False
    """The server wrote it in a channel's name, as a greeting or an answer; it has no author."""
    changed_version: int = 0
    broadcast_id: str | None = None
    """The broadcast that sent it to many users, each in a stream of their own; None: it was written for this stream."""
    member_count: int | None = None
    """The channel's members when it was posted. None in other groups, and in what older versions posted."""

    @property
    def memory_bytes(self) -> int:
        """The estimated size in memory, for caches; the real size is not greater (`tests/server/test_caches.py`)."""
        size = 3_100 if self.origin is None else 4_200
        if self.signature:
            size += getsizeof(self.signature)
        content = self.content
        if content is None:
            return size
        size += getsizeof(content.text) + getsizeof(content.title) + getsizeof(content.custom_json)
        # A character takes four bytes where one of its text does.
        size += sum(
            1_000 + 4 * (len(link.title) + len(link.url) + len(link.description))
            for link in content.links
        )
        size += sum(1_500 + 4 * len(each.name) for each in content.media)
        if content.poll is not None:
            poll = content.poll
            size += 1_500 + 4 * len(poll.question)
            size += sum(100 + 4 * len(option) for option in poll.options)
        size += sum(
            2_000 + 4 * (len(button.text) + len(button.action.value))
            for button in content.all_buttons
        )
        if content.form_answer is not None:
            texts = content.form_answer.texts
            size += 2_000 + 1_000 * len(texts) + 4 * sum(map(len, texts))
        place = content.location
        return (
            size if place is None else size + 1_200 + 4 * len(place.name) + 4 * len(place.address)
        )


def poll_of(message: Message) -> Poll | None:
    """The poll of the message; None where it is another kind, or recalled."""
    return message.content.poll if message.content is not None else None


class Place(NamedTuple):
    """The place of a message among those of many streams, newest first: by time, then seq, then stream.

    `at_ms`: when it was created, in milliseconds since 1970. A place without `stream_id` is before all of its time and
    seq.
    """

    at_ms: int
    seq: int
    stream_id: StreamId

    @property
    def order(self) -> tuple[int, int, str]:
        """The key that sorts newest first."""
        return -self.at_ms, -self.seq, self.stream_id

    @property
    def message_id(self) -> str:
        """The stored key of the message (`message_key`)."""
        return message_key(self.stream_id, self.seq)


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedMessages:
    """What messages a search wants: all of these. Without a `term` there are no `other_terms`, no kind and no sender.

    `term` leads the search and should be the rarest. `since_ms` and `until_ms` are milliseconds since 1970, and
    included.
    """

    term: Term | None = None
    other_terms: tuple[Term, ...] = ()
    kind: Kind | None = None
    sender_id: UserId | None = None
    since_ms: int | None = None
    until_ms: int | None = None

    @property
    def is_filtered(self) -> bool:
        """Whether messages with the term must be read to know whether they are wanted."""
        return bool(self.other_terms) or self.kind is not None or self.sender_id is not None


class FoundPlaces(NamedTuple):
    """Places of messages, newest first; all wanted ones that come before `end`, if that is not None."""

    places: list[Place]
    end: Place | None


# --- reactions --------------------------------------------------------------------------------------------------------


SEEN_A_COMMAND: Final = 4_000
"""Readers times messages for which one command may read reactions: with ten emoji of 200 bytes each, half of the 16 MB
that a document, and so a reply, may have."""


_NO_VOTES: Final[Mapping[int, int]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Tally:
    """The reactions to one message: a count per emoji, their sum, and the actor's own.

    Of a poll also the votes: a count per option (by its index; options without votes are absent), the number of voters,
    and the options that the actor chose.
    """

    counts: dict[str, int] = field(default_factory=dict)
    total: int = 0
    mine: tuple[str, ...] = ()
    votes: Mapping[int, int] = field(default_factory=lambda: _NO_VOTES)
    voters: int = 0
    my_votes: tuple[int, ...] = ()
    acknowledged: int = 0
    """How many acknowledged the message."""
    is_acknowledged: bool = False
    """The actor did."""

    @property
    def has_had_votes(self) -> bool:
        """Whether somebody has voted, be it that all votes were taken back."""
        return self.votes is not _NO_VOTES


@dataclass(frozen=True, slots=True, eq=False)
class Tallies(Mapping[int, Tally]):
    """The reactions to some messages of a stream, by seq; messages that never had one are absent.

    `shared` is one object for all concurrent readers of these messages, with `mine` empty; `own` are the reactions of
    this reader, `own_votes` their votes in polls, and `own_acknowledged` the messages that they acknowledged.
    """

    shared: Mapping[int, Tally] = field(default_factory=dict)
    own: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    own_votes: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    own_acknowledged: AbstractSet[int] = frozenset()

    def __getitem__(self, seq: int) -> Tally:
        tally = self.shared[seq]
        mine, votes = self.own.get(seq), self.own_votes.get(seq)
        has_acknowledged = seq in self.own_acknowledged
        if not mine and not votes and not has_acknowledged:
            return tally
        return replace(
            tally, mine=mine or (), my_votes=votes or (), is_acknowledged=has_acknowledged
        )

    def __iter__(self) -> Iterator[int]:
        return iter(self.shared)

    def __len__(self) -> int:
        return len(self.shared)


# --- users ------------------------------------------------------------------------------------------------------------


class AccountKind(StrEnum):
    """Persons subscribe, join, write and react; business accounts run channels, and do nothing as a person."""

    PERSON = "person"
    BUSINESS = "business"


class User(Model):
    """A user's profile; a user without a record has only an id, and is a person."""

    user_id: UserId
    name: str = ""
    face_url: str = ""
    account_kind: AccountKind = AccountKind.PERSON
