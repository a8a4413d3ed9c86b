"""The refusals of group chat."""

from typing import ClassVar, Literal

from groups.kernel.errors import (
    Conflict,
    InvalidInput,
    LimitReached,
    NotFound,
    OutOfSpace,
    PermissionDenied,
    TooLarge,
)


class GroupNotFound(NotFound):
    """No such group, or it is not the actor's to know."""

    code: ClassVar[str] = "group_not_found"
    summary: ClassVar[str] = "No such group"


class MemberNotFound(NotFound):
    """The user is not a member of the group."""

    code: ClassVar[str] = "member_not_found"
    summary: ClassVar[str] = "Not a member of this group"


class MessageNotFound(NotFound):
    """The stream has no message with this seq that the actor may see."""

    code: ClassVar[str] = "message_not_found"
    summary: ClassVar[str] = "No such message"


class JoinRequestNotFound(NotFound):
    """The user does not ask to join, or was answered already."""

    code: ClassVar[str] = "join_request_not_found"
    summary: ClassVar[str] = "No such join request"


class MediaNotFound(NotFound):
    """No such upload, or it is not the actor's to use."""

    code: ClassVar[str] = "media_not_found"
    summary: ClassVar[str] = "No such upload"


class BadMedia(InvalidInput):
    """The upload is damaged, would unpack to too much, or is several kinds of file at once."""

    code: ClassVar[str] = "bad_media"
    summary: ClassVar[str] = "This file cannot be taken"


class WrongMediaKind(InvalidInput):
    """The upload is of another kind than the message says."""

    code: ClassVar[str] = "wrong_media_kind"
    summary: ClassVar[str] = "The upload is of another kind"


class MediaTooLarge(TooLarge):
    """The upload has more than `limit_bytes` bytes, the limit of its kind."""

    code: ClassVar[str] = "media_too_large"
    summary: ClassVar[str] = "The upload is too large"


class StorageQuotaReached(OutOfSpace):
    """The upload, or the message with it, would take more than `limit_bytes` bytes of what `scope` names.

    `used_bytes` is what is taken now.
    """

    code: ClassVar[str] = "storage_quota_reached"
    summary: ClassVar[str] = "There is no room for more uploads here"

    def __init__(self, scope: "QuotaScope", *, limit_bytes: int, used_bytes: int) -> None:
        super().__init__(
            f"{_QUOTAS[scope]} ({used_bytes} of {limit_bytes} bytes are taken)",
            scope=scope,
            limit_bytes=limit_bytes,
            used_bytes=used_bytes,
        )


QuotaScope = Literal["user_unused", "user", "channel", "deployment"]

_QUOTAS: dict[QuotaScope, str] = {
    "user_unused": "You have too many uploads that no message uses; use some, or wait until they expire",
    "user": "Your uploads take all the room that you have; delete messages with pictures or files",
    "channel": "The pictures and files of its messages take all the room; delete some of these messages",
    "deployment": "The server stores as much as it may; its operator can raise the limit or make room",
}
"""What to do where the quota is reached."""


class InsufficientStorage(OutOfSpace):
    """A disk of the server is full, or nearly: no upload is taken until its operator makes room."""

    code: ClassVar[str] = "insufficient_storage"
    summary: ClassVar[str] = "The server has no room for uploads now; try again later"


class UserNotFound(NotFound):
    """The user never told a name."""

    code: ClassVar[str] = "user_not_found"
    summary: ClassVar[str] = "No such user"


class BadGroupId(InvalidInput):
    """A custom id breaks the prefix rule of its type."""

    code: ClassVar[str] = "bad_group_id"
    summary: ClassVar[str] = "This id does not fit the group's type"


class BadMemberLimit(InvalidInput):
    """A member limit below one or above what the type allows."""

    code: ClassVar[str] = "bad_member_limit"
    summary: ClassVar[str] = "This member limit is more than the type allows"


class PostingNotAllowed(PermissionDenied):
    """Only the owner and admins write here, or only members."""

    code: ClassVar[str] = "posting_not_allowed"
    summary: ClassVar[str] = "You may not write here"


class ForwardingNotAllowed(PermissionDenied):
    """The channel that the message comes from protects its content."""

    code: ClassVar[str] = "forwarding_not_allowed"
    summary: ClassVar[str] = "What is said there may not be forwarded"


class Muted(PermissionDenied):
    """The member, or everyone but owner and admins, is muted."""

    code: ClassVar[str] = "muted"
    summary: ClassVar[str] = "You are muted here"


class Banned(PermissionDenied):
    """The user was banned from the group."""

    code: ClassVar[str] = "banned"
    summary: ClassVar[str] = "You are banned here"


class JoiningNotAllowed(PermissionDenied):
    """Members of this group are added by others; nobody joins by himself."""

    code: ClassVar[str] = "joining_not_allowed"
    summary: ClassVar[str] = "Members are added to this group; it cannot be joined"


class RecallTooLate(PermissionDenied):
    """The sender's window to recall has passed."""

    code: ClassVar[str] = "recall_too_late"
    summary: ClassVar[str] = "The message can no longer be recalled by its sender"


class ReactingBanned(PermissionDenied):
    """The user may read, and not react."""

    code: ClassVar[str] = "reacting_banned"
    summary: ClassVar[str] = "You may not react here"


class InvitationNotFound(NotFound):
    """The user is not invited to run this: never, not any more, or he answered already."""

    code: ClassVar[str] = "invitation_not_found"
    summary: ClassVar[str] = "No such invitation"


class InvitationExpired(Conflict):
    """The invitation was not accepted in time; the owner may invite again."""

    code: ClassVar[str] = "invitation_expired"
    summary: ClassVar[str] = "The invitation has expired"


class AlreadyAdmin(Conflict):
    """The user runs it already."""

    code: ClassVar[str] = "already_admin"
    summary: ClassVar[str] = "The user is owner or admin already"


class GroupIdTaken(Conflict):
    """Another group has this id, or had it and is still being cleared away."""

    code: ClassVar[str] = "group_id_taken"
    summary: ClassVar[str] = "This group id is taken"


class OwnerCannotLeave(Conflict):
    """The owner must transfer or disband the group first."""

    code: ClassVar[str] = "owner_cannot_leave"
    summary: ClassVar[str] = "The owner cannot leave; transfer ownership or disband first"


class ReservedCustomField(Conflict):
    """The custom field belongs to the channel layer."""

    code: ClassVar[str] = "reserved_custom_field"
    summary: ClassVar[str] = "This custom field is set through channels only"


class NotForThisType(Conflict):
    """Groups of this type do not know this act."""

    code: ClassVar[str] = "not_for_this_type"
    summary: ClassVar[str] = "Groups of this type do not have this"


class FixedInChannel(Conflict):
    """A channel's own rules fix this setting."""

    code: ClassVar[str] = "fixed_in_channel"
    summary: ClassVar[str] = "A channel fixes this setting"


class MessageRecalled(Conflict):
    """A recalled message can be neither edited nor reacted to."""

    code: ClassVar[str] = "message_recalled"
    summary: ClassVar[str] = "The message was recalled"


class MemberLimitReached(LimitReached):
    """The group already holds `limit` members."""

    code: ClassVar[str] = "member_limit_reached"
    summary: ClassVar[str] = "The group is full"


class AdminLimitReached(LimitReached):
    """There are `limit` admins already; one of them must become a plain member first."""

    code: ClassVar[str] = "admin_limit_reached"
    summary: ClassVar[str] = "There are as many admins as there may be"


class InvitationLimitReached(LimitReached):
    """There are `limit` open invitations already."""

    code: ClassVar[str] = "invitation_limit_reached"
    summary: ClassVar[str] = "There are too many open invitations"


class GroupsPerUserReached(LimitReached):
    """The user is already in `limit` groups."""

    code: ClassVar[str] = "groups_per_user_reached"
    summary: ClassVar[str] = "The user is in too many groups"


class CustomFieldLimitReached(LimitReached):
    """The group already has `limit` custom fields."""

    code: ClassVar[str] = "custom_field_limit_reached"
    summary: ClassVar[str] = "The group has too many custom fields"


class PinLimitReached(LimitReached):
    """The stream already has `limit` pinned messages."""

    code: ClassVar[str] = "pin_limit_reached"
    summary: ClassVar[str] = "As many messages are pinned here as may be"
