"""The errors of group chat."""

from collections.abc import Mapping
from typing import ClassVar, Final, Literal

from groups.kernel.errors import (
    Conflict,
    Detail,
    Expired,
    InvalidInput,
    LimitReached,
    NotFound,
    OutOfSpace,
    PermissionDenied,
    TooLarge,
    Unauthenticated,
    Unready,
)
from groups.models import InviteLinkState


class GroupNotFound(NotFound):
    """There is no such group, or the user may not see it."""

    code: ClassVar[str] = "group_not_found"
    summary: ClassVar[str] = "No such group"
    remedy: ClassVar[str] = (
        "Treat the group as gone. A private group looks the same to those who are not in it."
    )


class MemberNotFound(NotFound):
    """The user is not a member of the group."""

    code: ClassVar[str] = "member_not_found"
    summary: ClassVar[str] = "Not a member of this group"
    remedy: ClassVar[str] = "Add the user first, or take them off the list that you show."


class MessageNotFound(NotFound):
    """The stream has no message with this seq, or the user may not see it."""

    code: ClassVar[str] = "message_not_found"
    summary: ClassVar[str] = "No such message"
    remedy: ClassVar[str] = "Take the message off the list that you show, or read the list anew."


class JoinRequestNotFound(NotFound):
    """The user has no join request, or it was answered already."""

    code: ClassVar[str] = "join_request_not_found"
    summary: ClassVar[str] = "No such join request"
    remedy: ClassVar[str] = (
        "Read the list of join requests anew: another admin may have answered it."
    )


class MediaNotFound(NotFound):
    """There is no such upload, or the user may not use it."""

    code: ClassVar[str] = "media_not_found"
    summary: ClassVar[str] = "No such upload"
    remedy: ClassVar[str] = (
        "Upload the file again. Uploads that nothing uses are deleted after a day, and users may "
        "use only their own."
    )
    fields: ClassVar[Mapping[str, Detail]] = {
        "media_id": Detail(str, "The upload, where the request named several."),
    }


class BadMedia(InvalidInput):
    """The upload is damaged, would unpack to too many bytes, or is several kinds of file at once."""

    code: ClassVar[str] = "bad_media"
    summary: ClassVar[str] = "This file is not accepted"
    remedy: ClassVar[str] = (
        "Offer the user another file, or a smaller version of it; `exceeded` says what was too "
        "much."
    )
    fields: ClassVar[Mapping[str, Detail]] = {
        "exceeded": Detail(
            str,
            "What was too much: `frames`, `pixels`, `memory`, `bytes`, `scans`, `seconds`. Absent for a"
            " damaged file.",
        ),
        "limit": Detail(int, "The limit of that."),
        "width": Detail(int, "The picture's width."),
        "height": Detail(int, "The picture's height."),
        "frames": Detail(int, "The picture's frames."),
        "scans": Detail(int, "The scans of a JPEG."),
    }


class WrongMediaKind(InvalidInput):
    """The upload is not of the kind that the message or profile names."""

    code: ClassVar[str] = "wrong_media_kind"
    summary: ClassVar[str] = "The upload is of the wrong kind"
    remedy: ClassVar[str] = (
        "Choose the kind of message that fits the upload (`file` takes any), or upload another "
        "file."
    )
    fields: ClassVar[Mapping[str, Detail]] = {
        "media_id": Detail(str, "The upload."),
        "kind": Detail(str, "What the upload is: `image`, `video`, `audio` or `file`."),
    }


class MediaTooLarge(TooLarge):
    """The upload has more than `limit_bytes` bytes, the limit of its kind."""

    code: ClassVar[str] = "media_too_large"
    summary: ClassVar[str] = "The upload is too large"
    remedy: ClassVar[str] = "Shrink the file below `limit_bytes` before you upload it."
    fields: ClassVar[Mapping[str, Detail]] = {
        "limit_bytes": Detail(int, "The limit of its kind."),
    }


class StorageQuotaReached(OutOfSpace):
    """With the upload, or the message with it, `scope` would hold more than `limit_bytes` bytes.

    `used_bytes` is what it holds now.
    """

    code: ClassVar[str] = "storage_quota_reached"
    summary: ClassVar[str] = "There is no room for more uploads"
    remedy: ClassVar[str] = (
        "Show `detail` to the user: `scope` says whose storage is full, and so who can make room."
    )
    fields: ClassVar[Mapping[str, Detail]] = {
        "scope": Detail(
            str, "Whose storage is full: `user_unused`, `user`, `channel` or `deployment`."
        ),
        "limit_bytes": Detail(int, "Its limit."),
        "used_bytes": Detail(int, "What it holds now."),
    }

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
    remedy: ClassVar[str] = "Try again later. The operator must make room on the server's disk."


class UserNotFound(NotFound):
    """The user never set a name or picture."""

    code: ClassVar[str] = "user_not_found"
    summary: ClassVar[str] = "No such user"
    remedy: ClassVar[str] = (
        "Show the user by their id: a user is unknown here until they set a name or a picture."
    )


class BusinessAccount(PermissionDenied):
    """The caller is a business account, and only persons may do this."""

    code: ClassVar[str] = "business_account"
    summary: ClassVar[str] = "A business account cannot do this: use a token of a person"
    remedy: ClassVar[str] = (
        "Repeat the call with a token of a person's account, one without the scope `business`. A "
        "business account creates and runs channels, and answers their inboxes."
    )


class NotAPerson(Conflict):
    """The user that the call names is a business account, and only persons may be written to, or added."""

    code: ClassVar[str] = "not_a_person"
    summary: ClassVar[str] = "This user is a business account: write to its channels instead"
    remedy: ClassVar[str] = (
        "Write to a channel of the account instead. To let the account run a channel, invite it as "
        "an admin."
    )


class WrongAccountKind(Unauthenticated):
    """The token is of the other kind of account than its user is: an id is a person or a business account."""

    code: ClassVar[str] = "wrong_account_kind"
    summary: ClassVar[str] = "The token's user is the other kind of account"
    remedy: ClassVar[str] = (
        "Get a token of the account's own kind (with the scope `business` for a business account), "
        "and use another user id for the other kind. The application can change the kind with `POST "
        "/v1/users`."
    )


class BadGroupId(InvalidInput):
    """A custom id breaks the prefix rule of its type."""

    code: ClassVar[str] = "bad_group_id"
    summary: ClassVar[str] = "The group id does not fit the group's type"
    remedy: ClassVar[str] = (
        "Choose an id that fits the type: those of Community groups begin with `@TGS#_`, those of "
        "other types do not."
    )


class BadMemberLimit(InvalidInput):
    """The member limit is below one, or above what the type allows."""

    code: ClassVar[str] = "bad_member_limit"
    summary: ClassVar[str] = "The member limit must be at least 1 and at most what the type allows"
    remedy: ClassVar[str] = "Choose a member limit from 1 to the limit of the type."


class PostingNotAllowed(PermissionDenied):
    """Only the owner and admins may post here, or only members."""

    code: ClassVar[str] = "posting_not_allowed"
    summary: ClassVar[str] = "You may not post here"
    remedy: ClassVar[str] = (
        "Hide the input for this user: only those whom the group's `posting` rule names may post."
    )
    fields: ClassVar[Mapping[str, Detail]] = {
        "grant": Detail(str, "`post`, where an admin lacks this right."),
    }


class ForwardingNotAllowed(PermissionDenied):
    """The channel that the message comes from protects its content."""

    code: ClassVar[str] = "forwarding_not_allowed"
    summary: ClassVar[str] = "Messages of this channel may not be forwarded"
    remedy: ClassVar[str] = (
        "Do not offer forwarding: the channel's setting `protect_content` is on."
    )


class UserRestricted(PermissionDenied):
    """The application restricted the user until `until`: they may read and leave, and add nothing."""

    code: ClassVar[str] = "user_restricted"
    summary: ClassVar[str] = "Your account is restricted"
    remedy: ClassVar[str] = (
        "Show `reason` and `until` to the user, and offer nothing that posts, reacts, creates or invites until then."
    )
    fields: ClassVar[Mapping[str, Detail]] = {
        "until": Detail(
            str, "When the restriction ends (RFC 3339); empty where it does not end by itself."
        ),
        "reason": Detail(str, "Why, in words of the application; it may be empty."),
    }


class ChannelSuspended(PermissionDenied):
    """The application suspended the channel: nothing is added to it or changed in it."""

    code: ClassVar[str] = "channel_suspended"
    summary: ClassVar[str] = "The channel is suspended"
    remedy: ClassVar[str] = (
        "Show the channel's `suspension` to its owner and admins, and offer only to read and to delete."
    )
    fields: ClassVar[Mapping[str, Detail]] = {
        "mode": Detail(str, "`readable`, or `hidden`."),
    }


class RestrictionNotFound(NotFound):
    """The application does not restrict the user now."""

    code: ClassVar[str] = "restriction_not_found"
    summary: ClassVar[str] = "The user is not restricted"
    remedy: ClassVar[str] = "Treat the user as any other: a restriction may have ended."


class Muted(PermissionDenied):
    """The member is muted, or everyone but the owner and admins is."""

    code: ClassVar[str] = "muted"
    summary: ClassVar[str] = "You are muted here"
    remedy: ClassVar[str] = (
        "Show until when the user is muted (`muted_until` of their membership), and try again after"
        " that."
    )


class Banned(PermissionDenied):
    """The user was banned from the group."""

    code: ClassVar[str] = "banned"
    summary: ClassVar[str] = "You are banned here"
    remedy: ClassVar[str] = "Do not ask again. An owner or an admin can lift the ban."


class JoiningNotAllowed(PermissionDenied):
    """Nobody joins this group; others add its members."""

    code: ClassVar[str] = "joining_not_allowed"
    summary: ClassVar[str] = "This group cannot be joined; its members add others"
    remedy: ClassVar[str] = "Ask those who manage the group to add the user."


class RecallTooLate(PermissionDenied):
    """The time in which a sender may recall a message has passed."""

    code: ClassVar[str] = "recall_too_late"
    summary: ClassVar[str] = "It is too late to recall this message"
    remedy: ClassVar[str] = (
        "Offer to delete a message only while it is younger than the limit `RECALL_SECONDS`, or to "
        "ask an admin."
    )


class ReactingBanned(PermissionDenied):
    """The user is banned from reacting, and may still read."""

    code: ClassVar[str] = "reacting_banned"
    summary: ClassVar[str] = "You are banned from reacting here"
    remedy: ClassVar[str] = (
        "Hide the reactions' input for this user. Removing their own reactions still works."
    )


class InvitationNotFound(NotFound):
    """The user has no open invitation: never had one, or it was answered or revoked."""

    code: ClassVar[str] = "invitation_not_found"
    summary: ClassVar[str] = "No such invitation"
    remedy: ClassVar[str] = (
        "Take the invitation off the list that you show: it was answered or revoked."
    )


class InvitationExpired(Conflict):
    """The invitation was not accepted in time; the user can be invited again."""

    code: ClassVar[str] = "invitation_expired"
    summary: ClassVar[str] = "The invitation has expired; ask to be invited again"
    remedy: ClassVar[str] = "Ask the owner or an admin to invite again."


class InviteLinkNotFound(NotFound):
    """No invite link has this code: it never had, it was revoked, or its group is gone. A banned user gets it too."""

    code: ClassVar[str] = "invite_link_not_found"
    summary: ClassVar[str] = "No such invite link"
    remedy: ClassVar[str] = (
        "Tell the user that the link does not work any more. The one who sent it can send another one."
    )


class InviteLinkEnded(Expired):
    """The invite link has expired, has no use left, or was revoked; `state` says which."""

    code: ClassVar[str] = "invite_link_ended"
    summary: ClassVar[str] = "The invite link has ended; ask for another one"
    remedy: ClassVar[str] = (
        "Tell the user that the link has ended. The owner or an admin can make another one, or raise its `max_uses` or "
        "`expires_at`; a revoked link stays revoked."
    )
    fields: ClassVar[Mapping[str, Detail]] = {
        "state": Detail(str, "`expired`, `used_up` or `revoked`."),
    }

    def __init__(self, state: InviteLinkState) -> None:
        super().__init__(_ENDED_LINKS.get(state), state=state.value)


_ENDED_LINKS: Final = {
    InviteLinkState.EXPIRED: "The invite link has expired; ask for another one",
    InviteLinkState.USED_UP: "The invite link has no use left; ask for another one",
    InviteLinkState.REVOKED: "The invite link was revoked; make another one",
}


class AlreadyAdmin(Conflict):
    """The user is the owner or an admin already."""

    code: ClassVar[str] = "already_admin"
    summary: ClassVar[str] = "The user is the owner or an admin already"
    remedy: ClassVar[str] = (
        "Nothing is to do. Change what an admin may do with `PUT /v1/channels/{id}/admins/{user}`."
    )


class GroupIdTaken(Conflict):
    """Another group has this id, or a disbanded group whose remains are still being deleted."""

    code: ClassVar[str] = "group_id_taken"
    summary: ClassVar[str] = "This group id is taken"
    remedy: ClassVar[str] = "Choose another id, or leave it out to get a new one."


class OwnerCannotLeave(Conflict):
    """The owner must transfer the ownership or disband the group first."""

    code: ClassVar[str] = "owner_cannot_leave"
    summary: ClassVar[str] = "The owner cannot leave; transfer ownership or disband first"
    remedy: ClassVar[str] = "Transfer the ownership first, or delete the group."


class ReservedCustomField(Conflict):
    """Only the channel layer sets this custom field."""

    code: ClassVar[str] = "reserved_custom_field"
    summary: ClassVar[str] = "Only the channel layer sets this custom field"
    remedy: ClassVar[str] = (
        "Leave the field out: `official_account` marks channels, which `POST /v1/channels` creates."
    )


class NotForThisType(Conflict):
    """Groups of this type do not support this."""

    code: ClassVar[str] = "not_for_this_type"
    summary: ClassVar[str] = "Groups of this type do not support this"
    remedy: ClassVar[str] = "Do not offer the act in groups of this type."


class FixedInChannel(Conflict):
    """This setting is fixed in channels."""

    code: ClassVar[str] = "fixed_in_channel"
    summary: ClassVar[str] = "This setting cannot be changed in a channel"
    remedy: ClassVar[str] = (
        "Do not offer the setting for channels, or change it with `PATCH /v1/channels/{id}`."
    )


class MessageRecalled(Conflict):
    """A recalled message can be neither edited nor reacted to."""

    code: ClassVar[str] = "message_recalled"
    summary: ClassVar[str] = "The message was recalled"
    remedy: ClassVar[str] = "Show the message as deleted."


class PollNotAllowed(PermissionDenied):
    """Polls are for channels and groups; the message goes to a one-to-one conversation."""

    code: ClassVar[str] = "poll_not_allowed"
    summary: ClassVar[str] = "Polls are for channels and groups, not for one-to-one conversations"
    remedy: ClassVar[str] = "Do not offer polls in one-to-one conversations. Ask in a text instead."


class ButtonsNotAllowed(PermissionDenied):
    """Buttons stand under posts of channels and messages of channels; this message is neither."""

    code: ClassVar[str] = "buttons_not_allowed"
    summary: ClassVar[str] = "Only posts, and a channel's messages in its inbox, may have buttons"
    remedy: ClassVar[str] = (
        "Offer buttons to the owner and admins of a channel only. Elsewhere write links."
    )


class AcknowledgementNotAllowed(PermissionDenied):
    """Posts, and messages of the staff of a chat group, may ask to be acknowledged; this message is neither."""

    code: ClassVar[str] = "acknowledgement_not_allowed"
    summary: ClassVar[str] = (
        "Only posts, and messages of the owner and admins of a group, may ask for acknowledgement"
    )
    remedy: ClassVar[str] = (
        "Leave `acknowledge` out, or have the owner or an admin write the message."
    )


class PollClosed(Conflict):
    """The poll takes no more votes, it cannot be opened again, and it is not forwarded."""

    code: ClassVar[str] = "poll_closed"
    summary: ClassVar[str] = "This poll is closed"
    remedy: ClassVar[str] = "Read the message again and show the results."


class PollFixed(Conflict):
    """An edit would change what was voted for, or change a poll into something else or something else into a poll."""

    code: ClassVar[str] = "poll_fixed"
    summary: ClassVar[str] = (
        "A poll that is posted keeps its question, its options and its rules; delete it and post another one"
    )
    remedy: ClassVar[str] = (
        "Send the poll as it is; only `closes_at` may differ. For another question post another poll."
    )


class MemberLimitReached(LimitReached):
    """The group already holds `limit` members."""

    code: ClassVar[str] = "member_limit_reached"
    summary: ClassVar[str] = "The group is full"
    remedy: ClassVar[str] = (
        "Remove members first. A group keeps the limit that it was created with."
    )


class AdminLimitReached(LimitReached):
    """There are `limit` admins already; one of them must become a plain member first."""

    code: ClassVar[str] = "admin_limit_reached"
    summary: ClassVar[str] = "There are too many admins; remove one first"
    remedy: ClassVar[str] = "Dismiss an admin first."


class InvitationLimitReached(LimitReached):
    """There are `limit` open invitations already."""

    code: ClassVar[str] = "invitation_limit_reached"
    summary: ClassVar[str] = "There are too many open invitations; revoke one first"
    remedy: ClassVar[str] = "Revoke an invitation first."


class InvitationsPerUserReached(LimitReached):
    """The user has received `limit` invitations that are still open."""

    code: ClassVar[str] = "invitations_per_user_reached"
    summary: ClassVar[str] = "The user has too many open invitations"
    remedy: ClassVar[str] = "Ask the user to answer their invitations, or try again in some days."


class InviteLinkLimitReached(LimitReached):
    """There are `limit` open invite links already."""

    code: ClassVar[str] = "invite_link_limit_reached"
    summary: ClassVar[str] = "There are too many invite links; revoke one first"
    remedy: ClassVar[str] = "Revoke an invite link first."


class JoinRequestsPerUserReached(LimitReached):
    """The user has `limit` join requests that wait for an answer."""

    code: ClassVar[str] = "join_requests_per_user_reached"
    summary: ClassVar[str] = "You are waiting for too many answers; withdraw a join request first"
    remedy: ClassVar[str] = (
        "Show the user their requests (`GET /v1/join-requests`), and let them withdraw some."
    )


class GroupsPerUserReached(LimitReached):
    """The user is already in `limit` groups."""

    code: ClassVar[str] = "groups_per_user_reached"
    summary: ClassVar[str] = "The user is in too many groups"
    remedy: ClassVar[str] = "Ask the user to leave a group or channel first."


class GroupsPerOwnerReached(LimitReached):
    """The user has already created `limit` groups that still exist."""

    code: ClassVar[str] = "groups_per_owner_reached"
    summary: ClassVar[str] = "You have created too many groups: delete one first"
    remedy: ClassVar[str] = (
        "Delete a group that you created, or raise the limit `GROUPS_PER_OWNER`. A group that you transferred counts "
        "until it is deleted. The application's back end may create any number."
    )


class CustomFieldLimitReached(LimitReached):
    """The group already has `limit` custom fields."""

    code: ClassVar[str] = "custom_field_limit_reached"
    summary: ClassVar[str] = "The group has too many custom fields"
    remedy: ClassVar[str] = "Delete custom fields first, or put several values into one."


class PinLimitReached(LimitReached):
    """The stream already has `limit` pinned messages."""

    code: ClassVar[str] = "pin_limit_reached"
    summary: ClassVar[str] = "Too many messages are pinned here; unpin one first"
    remedy: ClassVar[str] = "Unpin a message first."


class MessageRefused(PermissionDenied):
    """The application refused the message before it was stored; `text` says why, in its words."""

    code: ClassVar[str] = "message_refused"
    summary: ClassVar[str] = "The message was refused, and not stored"
    remedy: ClassVar[str] = (
        "Show `text` to the writer, and let them change the message. The same one is refused again."
    )
    fields: ClassVar[Mapping[str, Detail]] = {
        "text": Detail(
            str, "Why, in words for the writer; plain text, and empty if nothing was said."
        ),
    }

    def __init__(self, text: str = "") -> None:
        # In `detail` too: apps that do not know this code show it, and so does a scheduled post that failed.
        super().__init__(f"The message was refused: {text}" if text else None, text=text)


class ReviewUnavailable(Unready):
    """The application, which reviews messages before they are stored, does not answer; nothing was stored."""

    code: ClassVar[str] = "review_unavailable"
    summary: ClassVar[str] = "The message cannot be reviewed now, and was not stored"
    remedy: ClassVar[str] = (
        "Keep the message, wait for the seconds in `Retry-After`, then send it again with its `Idempotency-Key`."
    )
    retry_after_seconds = 2.0


class SearchTooSlow(Unready):
    """The database did not find the messages in the time that a search may take."""

    code: ClassVar[str] = "search_too_slow"
    summary: ClassVar[str] = (
        "The search takes too long now; search for more, or in one conversation"
    )
    remedy: ClassVar[str] = (
        "Wait for the seconds in `Retry-After`, then repeat the request; or search in one conversation, or for a "
        "longer word. It happens on an overloaded database only."
    )
    retry_after_seconds = 2.0


class NotReviewed(ReviewUnavailable):
    """What would be stored is not what was reviewed: it changed meanwhile. The front door reviews it again."""


REVIEW_ERRORS: Final = (MessageRefused, ReviewUnavailable)
"""The errors of every call that stores a message or an edit, where the hook `before_post` reviews it."""
