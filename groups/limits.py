"""The limits of group chat: value, unit, source. A deployment may set each of them (`CHANNELS_LIMIT_<NAME>`).

"Reference" is the reference product, Tencent Chat; where its documents disagree, the wider figure is the default.
"""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[int, Field(ge=1)]
OrNone = Annotated[int, Field(ge=0)]

GROUP_NAME_BYTES: Final = 100  # UTF-8; reference, SDK 8.x headers
GROUP_INTRODUCTION_BYTES: Final = 400  # UTF-8; reference, SDK 8.x headers
GROUP_NOTIFICATION_BYTES: Final = 400  # UTF-8; reference, SDK 8.x headers
CHANNEL_NAME_BYTES: Final = 150  # UTF-8; founding document, profile fields
CHANNEL_INTRODUCTION_BYTES: Final = 400  # UTF-8; founding document, profile fields
FACE_URL_BYTES: Final = 500  # UTF-8; founding document, profile fields
CUSTOM_FIELDS: Final = 10  # keys a group; reference, group-level custom fields
CUSTOM_KEY_BYTES: Final = 16  # letters, digits, underscore; reference, likewise
CUSTOM_VALUE_BYTES: Final = 512  # UTF-8; reference, likewise
COMMUNITY_MEMBERS: Final = 1_000_000  # founding document: "up to 1 million subscribers"
SMALL_GROUP_MEMBERS: Final = 6_000  # Work, Public, Meeting; reference, largest plan
GROUPS_PER_USER: Final = 5_000  # groups of all types one user is in; reference, largest plan
ADMINS: Final = 50  # admins of one group or channel besides the owner; as in Telegram's channels
ADMIN_INVITATIONS: Final = 50  # open invitations of one channel; ours: no more can be accepted
ADMIN_INVITATION_SECONDS: Final = 7 * 24 * 3600  # how long an invitation can be accepted; ours
MESSAGE_BODY_BYTES: Final = 12 * 1024  # UTF-8, all fields of a message together; reference
LINKS_PER_MESSAGE: Final = 20  # ours: a page of links is a document, not a message
POSTS_PER_SECOND: Final = 40  # messages a second in one group; reference
STREAM_BYTES_PER_SECOND: Final = 128 * 1024
"""Bytes of the messages of one group as JSON, on average: ten of the largest a second, or forty of 3 KiB; ours."""
PINNED_MESSAGES: Final = 10  # pinned at once in one group or channel; ours
RECALL_SECONDS: Final = 120  # how long a sender may recall in a chat group; reference
NAME_CARD_BYTES: Final = 50  # UTF-8; reference
USER_NAME_BYTES: Final = 150  # UTF-8; ours, as long as a channel's name
REQUEST_TEXT_BYTES: Final = 300  # UTF-8, the text of a join request; ours
REACTIONS_PER_USER: Final = 10  # emoji of one user on one message of a group; ours
DISTINCT_REACTIONS: Final = 50  # different emoji on one message; ours (reference: 10)
ALLOWED_REACTIONS: Final = 100  # emoji in a group's own list of allowed ones; ours
IMAGE_BYTES: Final = 28 * 2**20  # an uploaded picture; reference
VIDEO_BYTES: Final = 100 * 2**20  # an uploaded video or sound; reference
FILE_BYTES: Final = 100 * 2**20  # any other uploaded file; reference
IMAGE_PIXELS: Final = 64_000_000  # of one frame: a 48-megapixel camera's picture fits; ours
ANIMATION_PIXELS: Final = 256_000_000  # of all frames of an animation together; ours
ANIMATION_FRAMES: Final = 1_000  # of one animation; ours
IMAGE_SECONDS: Final = 20  # of processor time for drawing one picture; ours
IMAGE_MEMORY_BYTES: Final = 768 * 2**20  # of memory for drawing one picture; ours
IMAGES_PER_MESSAGE: Final = 10  # founding document's sample posts; ours
UPLOADS_PER_USER: Final = 10  # at once on one process, each in a temporary file; ours
UNUSED_MEDIA_SECONDS: Final = 86_400  # how long an upload may stay unused; ours
USER_UNUSED_MEDIA_BYTES: Final = 2**30  # of one user's unused uploads; ours
USER_MEDIA_BYTES: Final = 20 * 2**30  # of all uploads of one user; ours
CHANNEL_MEDIA_BYTES: Final = 200 * 2**30  # that the messages of one channel or group carry; ours
DEPLOYMENT_MEDIA_BYTES: Final = 2**40  # of all uploads; ours: more needs planning
MEDIA_NAME_BYTES: Final = 255  # UTF-8, the name of an uploaded file; as file systems have it
DEPARTURE_SECONDS: Final = 30 * 86_400
"""How long departures from a channel are kept, for devices that were offline; ours.

A higher value applies to later departures only.
"""
IDS_PER_CALL: Final = 50  # groups, channels or users in one call; reference, get_group_info


class GroupLimits(BaseModel):
    """The limits of this package that a deployment may set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    group_name_bytes: Positive = GROUP_NAME_BYTES
    group_introduction_bytes: Positive = GROUP_INTRODUCTION_BYTES
    group_notification_bytes: Positive = GROUP_NOTIFICATION_BYTES
    channel_name_bytes: Positive = CHANNEL_NAME_BYTES
    channel_introduction_bytes: Positive = CHANNEL_INTRODUCTION_BYTES
    face_url_bytes: Positive = FACE_URL_BYTES
    custom_fields: OrNone = CUSTOM_FIELDS
    custom_value_bytes: Positive = CUSTOM_VALUE_BYTES
    community_members: Positive = COMMUNITY_MEMBERS
    work_members: Positive = SMALL_GROUP_MEMBERS
    public_members: Positive = SMALL_GROUP_MEMBERS
    meeting_members: Positive = SMALL_GROUP_MEMBERS
    groups_per_user: Positive = GROUPS_PER_USER
    admins: OrNone = ADMINS
    admin_invitations: OrNone = ADMIN_INVITATIONS
    admin_invitation_seconds: Positive = ADMIN_INVITATION_SECONDS
    message_body_bytes: Positive = MESSAGE_BODY_BYTES
    links_per_message: OrNone = LINKS_PER_MESSAGE
    image_bytes: Positive = IMAGE_BYTES
    video_bytes: Positive = VIDEO_BYTES
    file_bytes: Positive = FILE_BYTES
    image_pixels: Positive = IMAGE_PIXELS
    animation_pixels: Positive = ANIMATION_PIXELS
    animation_frames: Positive = ANIMATION_FRAMES
    image_seconds: Positive = IMAGE_SECONDS
    image_memory_bytes: Positive = IMAGE_MEMORY_BYTES
    images_per_message: Positive = IMAGES_PER_MESSAGE
    departure_seconds: Positive = DEPARTURE_SECONDS
    unused_media_seconds: Positive = UNUSED_MEDIA_SECONDS
    uploads_per_user: Positive = UPLOADS_PER_USER
    user_unused_media_bytes: OrNone = USER_UNUSED_MEDIA_BYTES  # 0: no limit
    user_media_bytes: OrNone = USER_MEDIA_BYTES  # 0: no limit
    channel_media_bytes: OrNone = CHANNEL_MEDIA_BYTES  # 0: no limit
    deployment_media_bytes: OrNone = DEPLOYMENT_MEDIA_BYTES  # 0: no limit
    posts_per_second: OrNone = POSTS_PER_SECOND  # 0: no limit
    stream_bytes_per_second: OrNone = STREAM_BYTES_PER_SECOND  # 0: no limit
    pinned_messages: Positive = PINNED_MESSAGES
    recall_seconds: OrNone = RECALL_SECONDS
    name_card_bytes: Positive = NAME_CARD_BYTES
    user_name_bytes: Positive = USER_NAME_BYTES
    request_text_bytes: Positive = REQUEST_TEXT_BYTES
