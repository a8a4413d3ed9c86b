"""The errors of group chat."""

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
    """There is no such group, or the actor may not see it."""

    code: ClassVar[str] = "group_not_found"
    summary: ClassVar[str] = "No such group"


class MemberNotFound(NotFound):
    """The user is not a member of the group."""

    code: ClassVar[str] = "member_not_found"
    summary: ClassVar[str] = "Not a member of this group"


class MessageNotFound(NotFound):
    """The stream has no message with this seq, or the actor may not see it."""

    code: ClassVar[str] = "message_not_found"
    summary: ClassVar[str] = "No such message"


class JoinRequestNotFound(NotFound):
    """The user has no join request, or it was answered already."""

    code: ClassVar[str] = "join_request_not_found"
    summary: ClassVar[str] = "No such join request"


class MediaNotFound(NotFound):
    """There is no such upload, or the actor may not use it."""

    code: ClassVar[str] = "media_not_found"
    summary: ClassVar[str] = "No such upload"


class BadMedia(InvalidInput):
    """The upload is damaged, would unpack to too many bytes, or is several kinds of file at once."""

    code: ClassVar[str] = "bad_media"
    summary: ClassVar[str] = "This file is not accepted"


class WrongMediaKind(InvalidInput):
    """The upload is not of the kind that the message or profile names."""

    code: ClassVar[str] = "wrong_media_kind"
    summary: ClassVar[str] = "The upload is of the wrong kind"


class MediaTooLarge(TooLarge):
    """The upload has more than `limit_bytes` bytes, the limit of its kind."""

    code: ClassVar[str] = "media_too_large"
    summary: ClassVar[str] = "The upload is too large"


class StorageQuotaReached(OutOfSpace):
    """With the upload, or the message with it, `scope` would hold more than `limit_bytes` bytes.

    `used_bytes` is what it holds now.
    """

    code: ClassVar[str] = "storage_quota_reached"
    summary: ClassVar[str] = "There is no room for more uploads"

    def __init__(self, scope: "QuotaScope", *, limit_bytes: int, used_bytes: int) -> None:
        super().__init__(
            f"{_QUOTAS[scope]} ({used_bytes} of {limit_bytes} bytes are used)",
            scope=scope,
            limit_bytes=limit_bytes,
            used_bytes=used_bytes,
        )


QuotaScope = Literal["user_unused", "user", "channel", "deployment"]

_QUOTAS: dict[QuotaScope, str] = {
    "user_unused": "You have too many unused uploads; use them in messages, or wait until they expire",
    "user": "Your uploads use all your storage; delete messages with pictures or files",
    "channel": "Its messages use all its storage for pictures and files; delete some of these messages",
    "deployment": "The server's storage for uploads is used up; its operator can raise the limit or make room",
}
"""The advice to the user when a quota is reached."""


class InsufficientStorage(OutOfSpace):
    """A disk of the server is full, or nearly: uploads are refused until its operator makes room."""

    code: ClassVar[str] = "insufficient_storage"
    summary: ClassVar[str] = "The server has no room for uploads; try again later"


class UserNotFound(NotFound):
    """The user never set a name or picture."""

    code: ClassVar[str] = "user_not_found"
    summary: ClassVar[str] = "No such user"


class BadGroupId(InvalidInput):
    """A custom id breaks the prefix rule of its type."""

    code: ClassVar[str] = "bad_group_id"
    summary: ClassVar[str] = "The group id does not fit the group's type"


class BadMemberLimit(InvalidInput):
    """The member limit is below one, or above what the type allows."""

    code: ClassVar[str] = "bad_member_limit"
    summary: ClassVar[str] = "The member limit must be at least 1 and at most what the type allows"


class PostingNotAllowed(PermissionDenied):
    """Only the owner and admins may post here, or only members."""

    code: ClassVar[str] = "posting_not_allowed"
    summary: ClassVar[str] = "You may not post here"


class ForwardingNotAllowed(PermissionDenied):
    """The channel that the message comes from protects its content."""

    code: ClassVar[str] = "forwarding_not_allowed"
    summary: ClassVar[str] = "Messages of this channel may not be forwarded"


class Muted(PermissionDenied):
    """The member is muted, or everyone but the owner and admins is."""

    code: ClassVar[str] = "muted"
    summary: ClassVar[str] = "You are muted here"


class Banned(PermissionDenied):
    """The user was banned from the group."""

    code: ClassVar[str] = "banned"
    summary: ClassVar[str] = "You are banned here"


class JoiningNotAllowed(PermissionDenied):
    """Nobody joins this group; others add its members."""

    code: ClassVar[str] = "joining_not_allowed"
    summary: ClassVar[str] = "This group cannot be joined; its members add others"


class RecallTooLate(PermissionDenied):
    """The time in which a sender may recall a message has passed."""

    code: ClassVar[str] = "recall_too_late"
    summary: ClassVar[str] = "It is too late to recall this message"


class ReactingBanned(PermissionDenied):
    """The user is banned from reacting, and may still read."""

    code: ClassVar[str] = "reacting_banned"
    summary: ClassVar[str] = "You are banned from reacting here"


class InvitationNotFound(NotFound):
    """The user has no open invitation: never had one, or it was answered or revoked."""

    code: ClassVar[str] = "invitation_not_found"
    summary: ClassVar[str] = "No such invitation"


class InvitationExpired(Conflict):
    """The invitation was not accepted in time; the owner can invite again."""

    code: ClassVar[str] = "invitation_expired"
    summary: ClassVar[str] = "The invitation has expired; the owner can invite again"


class AlreadyAdmin(Conflict):
    """The user is the owner or an admin already."""

    code: ClassVar[str] = "already_admin"
    summary: ClassVar[str] = "The user is the owner or an admin already"


class GroupIdTaken(Conflict):
    """Another group has this id, or a disbanded group whose remains are still being deleted."""

    code: ClassVar[str] = "group_id_taken"
    summary: ClassVar[str] = "This group id is taken"


class OwnerCannotLeave(Conflict):
    """The owner must transfer the ownership or disband the group first."""

    code: ClassVar[str] = "owner_cannot_leave"
    summary: ClassVar[str] = "The owner cannot leave; transfer ownership or disband first"


class ReservedCustomField(Conflict):
    """Only the channel layer sets this custom field."""

    code: ClassVar[str] = "reserved_custom_field"
    summary: ClassVar[str] = "Only the channel layer sets this custom field"


class NotForThisType(Conflict):
    """Groups of this type do not support this."""

    code: ClassVar[str] = "not_for_this_type"
    summary: ClassVar[str] = "Groups of this type do not support this"


class FixedInChannel(Conflict):
    """This setting is fixed in channels."""

    code: ClassVar[str] = "fixed_in_channel"
    summary: ClassVar[str] = "This setting cannot be changed in a channel"


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
    summary: ClassVar[str] = "There are too many admins; remove one first"


class InvitationLimitReached(LimitReached):
    """There are `limit` open invitations already."""

    code: ClassVar[str] = "invitation_limit_reached"
    summary: ClassVar[str] = "There are too many open invitations; revoke one first"


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
    summary: ClassVar[str] = "Too many messages are pinned here; unpin one first"
