"""The limits of group chat. A deployment may set each field of `GroupLimits` (`CHANNELS_LIMIT_<NAME>`)."""

from typing import Annotated, Final

from pydantic import Field

from groups.kernel.limits import (
    About,
    LimitModel,
    OrNone,
    OrUnlimited,
    Positive,
    Section,
    Source,
    Zero,
)

# Defaults that types of bodies name too.
GROUP_NAME_BYTES: Final = 100
GROUP_INTRODUCTION_BYTES: Final = 400
GROUP_NOTIFICATION_BYTES: Final = 400
CHANNEL_NAME_BYTES: Final = 150
CHANNEL_INTRODUCTION_BYTES: Final = 400
FACE_URL_BYTES: Final = 500
CUSTOM_VALUE_BYTES: Final = 512
NAME_CARD_BYTES: Final = 50
USER_NAME_BYTES: Final = 150
REQUEST_TEXT_BYTES: Final = 300
INVITE_LINK_NAME_BYTES: Final = 64
MESSAGE_BODY_BYTES: Final = 12 * 1024
POLL_QUESTION_BYTES: Final = 300
POLL_OPTION_BYTES: Final = 100
BUTTON_TEXT_BYTES: Final = 40
BUTTON_DATA_BYTES: Final = 256
USERS_PER_CALL: Final = 500

# Bounds that no deployment sets.
CUSTOM_KEY_BYTES: Final = 16  # letters, digits, underscore; Tencent, SDK 8.x headers
REACTIONS_PER_USER: Final = 10  # emoji of one user on one message of a group; ours
DISTINCT_REACTIONS: Final = 50  # different emoji on one message; ours (Tencent: 10)
ALLOWED_REACTIONS: Final = 100  # emoji in a group's own list of allowed ones; ours
INVITATION_KEPT_SECONDS: Final = 30 * 24 * 3600  # after it expired or ended; ours
INVITE_LINK_KEPT_SECONDS: Final = 30 * 24 * 3600  # after it expired or was revoked; ours
INVITE_LINK_USES: Final = 99_999  # the highest `max_uses` of an invite link; Telegram's
ANSWERS_PER_CALL: Final = 100  # join requests answered in one call; ours
MEDIA_NAME_BYTES: Final = 255  # UTF-8, the name of an uploaded file; as file systems have it
IDS_PER_CALL: Final = 50  # groups, channels or users in one call; Tencent, get_group_info

_TOO_LONG: Final = "`field_too_long`"
_FULL: Final = "`member_limit_reached`"
_BAD_MEDIA: Final = "`bad_media`"
_NO_ROOM: Final = "`storage_quota_reached`"


class GroupLimits(LimitModel):
    """The limits of this package that a deployment may set."""

    group_name_bytes: Annotated[Positive, About(Section.PROFILES, Source.TENCENT, _TOO_LONG)] = (
        GROUP_NAME_BYTES
    )
    """The name of a chat group."""
    group_introduction_bytes: Annotated[
        Positive, About(Section.PROFILES, Source.TENCENT, _TOO_LONG)
    ] = GROUP_INTRODUCTION_BYTES
    """The introduction of a chat group."""
    group_notification_bytes: Annotated[
        Positive, About(Section.PROFILES, Source.TENCENT, _TOO_LONG)
    ] = GROUP_NOTIFICATION_BYTES
    """The notification (a notice to the members) of a group."""
    channel_name_bytes: Annotated[Positive, About(Section.PROFILES, Source.DOCUMENT, _TOO_LONG)] = (
        CHANNEL_NAME_BYTES
    )
    """The name of a channel, also where it is changed as a group."""
    channel_introduction_bytes: Annotated[
        Positive, About(Section.PROFILES, Source.DOCUMENT, _TOO_LONG)
    ] = CHANNEL_INTRODUCTION_BYTES
    """The introduction of a channel, also where it is changed as a group."""
    face_url_bytes: Annotated[Positive, About(Section.PROFILES, Source.DOCUMENT, _TOO_LONG)] = (
        FACE_URL_BYTES
    )
    """The address of the picture of a user, group or channel."""
    custom_fields: Annotated[
        OrNone, About(Section.PROFILES, Source.TENCENT, "`custom_field_limit_reached`")
    ] = 10
    """Custom fields of one group. The field that marks a channel does not count."""
    custom_value_bytes: Annotated[Positive, About(Section.PROFILES, Source.TENCENT, _TOO_LONG)] = (
        CUSTOM_VALUE_BYTES
    )
    """The value of one custom field of a group."""
    community_members: Annotated[Positive, About(Section.MEMBERS, Source.DOCUMENT, _FULL)] = (
        1_000_000
    )
    """Members of one Community group, and so subscribers of one channel."""
    work_members: Annotated[Positive, About(Section.MEMBERS, Source.TENCENT, _FULL)] = 6_000
    """Members of one Work group."""
    public_members: Annotated[Positive, About(Section.MEMBERS, Source.TENCENT, _FULL)] = 6_000
    """Members of one Public group."""
    meeting_members: Annotated[Positive, About(Section.MEMBERS, Source.TENCENT, _FULL)] = 6_000
    """Members of one Meeting group."""
    groups_per_user: Annotated[
        Positive, About(Section.MEMBERS, Source.TENCENT, "`groups_per_user_reached`")
    ] = 5_000
    """Groups and channels that one user is in, without those to which others added them (`ADDED_GROUPS_PER_USER`)."""
    groups_per_owner: Annotated[
        OrNone, About(Section.MEMBERS, Source.OURS, "`groups_per_owner_reached`")
    ] = 1_000
    """Groups that one user has created and that still exist, whoever owns them now. App admins are exempt."""
    admins: Annotated[OrNone, About(Section.MEMBERS, Source.OURS, "`admin_limit_reached`")] = 50
    """Admins of one group or channel, beside the owner. As many as in Telegram's channels."""
    admin_invitations: Annotated[
        OrNone, About(Section.MEMBERS, Source.OURS, "`invitation_limit_reached`")
    ] = 50
    """Open invitations to be an admin of one channel."""
    admin_invitation_seconds: Annotated[
        Positive, About(Section.MEMBERS, Source.OURS, "`invitation_expired`")
    ] = 7 * 24 * 3600
    """How long an invitation to be an admin can be accepted."""
    member_invitations: Annotated[
        OrNone, About(Section.MEMBERS, Source.OURS, "`invitation_limit_reached`")
    ] = 200
    """Open invitations to subscribe to one channel, or to join one chat group."""
    member_invitation_seconds: Annotated[
        Positive, About(Section.MEMBERS, Source.OURS, "`invitation_expired`")
    ] = 7 * 24 * 3600
    """How long an invitation to subscribe or to join can be accepted.

    A user's devices are told of one invitation from the same channel or group in this time, even if it is revoked and
    made again.
    """
    invitations_per_user: Annotated[
        OrNone, About(Section.MEMBERS, Source.OURS, "`invitations_per_user_reached`")
    ] = 200
    """Open invitations that one user has received, from all channels and chat groups that they are not in."""
    declined_invitation_seconds: Annotated[
        int,
        Field(ge=0, le=INVITATION_KEPT_SECONDS),
        Zero("the user is asked again at once"),
        About(Section.MEMBERS, Source.OURS, "The user is not told."),
    ] = 30 * 24 * 3600
    """How long a user who declined an invitation is not asked again by the same channel or group; at most 30 days."""
    added_groups_per_user: Annotated[
        OrNone, About(Section.MEMBERS, Source.OURS, "The user is invited.")
    ] = 200
    """Chat groups to which others added one user, and in which the user neither joined nor wrote so far.

    They do not count for `GROUPS_PER_USER`.
    """
    message_body_bytes: Annotated[Positive, About(Section.MESSAGES, Source.TENCENT, _TOO_LONG)] = (
        MESSAGE_BODY_BYTES
    )
    """All texts of one message, post or draft together: title, text, links, custom data, place, ids of uploads."""
    links_per_message: Annotated[
        OrNone, About(Section.MESSAGES, Source.OURS, "`invalid_request`")
    ] = 20
    """Links of one message."""
    poll_question_bytes: Annotated[Positive, About(Section.MESSAGES, Source.OURS, _TOO_LONG)] = (
        POLL_QUESTION_BYTES
    )
    """The question of a poll. Telegram allows 300 characters."""
    poll_option_bytes: Annotated[Positive, About(Section.MESSAGES, Source.OURS, _TOO_LONG)] = (
        POLL_OPTION_BYTES
    )
    """One option of a poll. Telegram allows 100 characters."""
    retention_days: Annotated[
        OrUnlimited, About(Section.MESSAGES, Source.OURS, "`invalid_request`")
    ] = 0
    """Days after which every message ends, one-to-one messages too. No channel or group may keep its own longer."""
    poll_options: Annotated[
        int,
        Field(ge=2, le=100),
        About(Section.MESSAGES, Source.OURS, "`invalid_request`"),
    ] = 12
    """Options of one poll, at most 100. As many as in WhatsApp."""
    button_text_bytes: Annotated[Positive, About(Section.MESSAGES, Source.OURS, _TOO_LONG)] = (
        BUTTON_TEXT_BYTES
    )
    """The text of a button, or of an entry of a menu."""
    button_data_bytes: Annotated[Positive, About(Section.MESSAGES, Source.OURS, _TOO_LONG)] = (
        BUTTON_DATA_BYTES
    )
    """The data that a button or an entry sends to the back end, or the text that it sends as the user's message."""
    button_rows: Annotated[OrNone, About(Section.MESSAGES, Source.OURS, "`invalid_request`")] = 5
    """Rows of buttons of one message."""
    buttons_per_row: Annotated[
        OrNone, About(Section.MESSAGES, Source.OURS, "`invalid_request`")
    ] = 3
    """Buttons in one row."""
    image_bytes: Annotated[Positive, About(Section.MEDIA, Source.TENCENT, "`media_too_large`")] = (
        28 * 2**20
    )
    """An uploaded picture."""
    video_bytes: Annotated[Positive, About(Section.MEDIA, Source.TENCENT, "`media_too_large`")] = (
        100 * 2**20
    )
    """An uploaded video."""
    audio_bytes: Annotated[Positive, About(Section.MEDIA, Source.OURS, "`media_too_large`")] = (
        100 * 2**20
    )
    """An uploaded sound: a voice message, music. As large as a video or any other file."""
    file_bytes: Annotated[Positive, About(Section.MEDIA, Source.TENCENT, "`media_too_large`")] = (
        100 * 2**20
    )
    """Any other uploaded file."""
    image_pixels: Annotated[Positive, About(Section.MEDIA, Source.OURS, _BAD_MEDIA)] = 64_000_000
    """Pixels of one frame of a picture. A picture of 48 megapixels fits."""
    animation_pixels: Annotated[Positive, About(Section.MEDIA, Source.OURS, _BAD_MEDIA)] = (
        256_000_000
    )
    """Pixels of all frames of an animation together."""
    animation_frames: Annotated[Positive, About(Section.MEDIA, Source.OURS, _BAD_MEDIA)] = 1_000
    """Frames of one animation."""
    image_seconds: Annotated[Positive, About(Section.MEDIA, Source.OURS, _BAD_MEDIA)] = 20
    """Processor time for redrawing one large picture, in a worker process of its own."""
    image_memory_bytes: Annotated[Positive, About(Section.MEDIA, Source.OURS, _BAD_MEDIA)] = (
        768 * 2**20
    )
    """Memory for redrawing one large picture, in a worker process of its own."""
    images_per_message: Annotated[
        Positive, About(Section.MEDIA, Source.DOCUMENT, "`invalid_request`")
    ] = 10
    """Pictures of one message."""
    departure_seconds: Annotated[
        Positive, About(Section.MEMBERS, Source.OURS, "`sync_token_expired`")
    ] = 30 * 86_400
    """How long the server remembers that a user left a channel or a group, for devices that were offline.

    A higher value applies to later departures only.
    """
    unused_media_seconds: Annotated[
        Positive, About(Section.MEDIA, Source.OURS, "The upload is deleted.")
    ] = 86_400
    """How long an upload is kept that no message, draft or profile uses."""
    uploads_per_user: Annotated[Positive, About(Section.MEDIA, Source.OURS, "`rate_limited`")] = 10
    """Uploads of one user at once, on one process."""
    user_unused_media_bytes: Annotated[
        OrUnlimited, About(Section.STORAGE, Source.OURS, _NO_ROOM)
    ] = 2**30
    """Uploads of one user that nothing uses yet. App admins are exempt."""
    user_media_bytes: Annotated[OrUnlimited, About(Section.STORAGE, Source.OURS, _NO_ROOM)] = (
        20 * 2**30
    )
    """All uploads of one user, with their smaller versions and 4 KiB each for the records. App admins are exempt."""
    channel_media_bytes: Annotated[OrUnlimited, About(Section.STORAGE, Source.OURS, _NO_ROOM)] = (
        200 * 2**30
    )
    """What the messages of one group or channel carry. An upload counts once for each message that carries it."""
    deployment_media_bytes: Annotated[
        OrUnlimited, About(Section.STORAGE, Source.OURS, _NO_ROOM)
    ] = 2**40
    """All uploads of the deployment."""
    posts_per_second: Annotated[
        OrUnlimited, About(Section.MESSAGES, Source.TENCENT, "`rate_limited`")
    ] = 40
    """Messages a second in one group or channel, exact over all processes; as many edits, and as many recalls."""
    stream_bytes_per_second: Annotated[
        OrUnlimited, About(Section.MESSAGES, Source.OURS, "`rate_limited`")
    ] = 128 * 1024
    """Bytes a second of messages in one group or channel, as JSON, on average; as many of edits.

    Eight seconds' worth may come at once.
    """
    pinned_messages: Annotated[
        Positive, About(Section.MESSAGES, Source.OURS, "`pin_limit_reached`")
    ] = 10
    """Messages that are pinned at once in one group or channel."""
    recall_seconds: Annotated[
        OrNone, About(Section.MESSAGES, Source.TENCENT, "`recall_too_late`")
    ] = 120
    """How long senders may delete their own message for everyone, in chat groups and one-to-one conversations.

    The owner and admins of a group, and a channel in its inbox, may at any time.
    """
    users_per_call: Annotated[
        Positive, About(Section.PROFILES, Source.OURS, "`invalid_request`")
    ] = USERS_PER_CALL
    """Users whose profiles the application sets in one call, which is one transaction."""
    name_card_bytes: Annotated[Positive, About(Section.PROFILES, Source.TENCENT, _TOO_LONG)] = (
        NAME_CARD_BYTES
    )
    """The name card of a member: their name in one group."""
    user_name_bytes: Annotated[Positive, About(Section.PROFILES, Source.OURS, _TOO_LONG)] = (
        USER_NAME_BYTES
    )
    """The name of a user."""
    request_text_bytes: Annotated[Positive, About(Section.MEMBERS, Source.OURS, _TOO_LONG)] = (
        REQUEST_TEXT_BYTES
    )
    """The text of a join request."""
    join_requests_per_user: Annotated[
        OrNone, About(Section.MEMBERS, Source.OURS, "`join_requests_per_user_reached`")
    ] = 200
    """Join requests of one user that wait for an answer, in all channels and groups."""
    invite_links: Annotated[
        OrNone, About(Section.MEMBERS, Source.OURS, "`invite_link_limit_reached`")
    ] = 200
    """Open invite links of one channel or group. As many ended ones are kept, the newest."""
    invite_link_name_bytes: Annotated[Positive, About(Section.MEMBERS, Source.OURS, _TOO_LONG)] = (
        INVITE_LINK_NAME_BYTES
    )
    """The name of an invite link, which only those who manage it see."""
