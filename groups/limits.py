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
CUSTOM_KEY_BYTES: Final = 16  # letters, digits, underscore; reference, likewise
CUSTOM_VALUE_BYTES: Final = 512  # UTF-8; reference, likewise
NAME_CARD_BYTES: Final = 50  # UTF-8; reference
USER_NAME_BYTES: Final = 150  # UTF-8; ours, as long as a channel's name
REQUEST_TEXT_BYTES: Final = 300  # UTF-8, the text of a join request; ours
REACTIONS_PER_USER: Final = 10  # emoji of one user on one message of a group; ours
DISTINCT_REACTIONS: Final = 50  # different emoji on one message; ours (reference: 10)
ALLOWED_REACTIONS: Final = 100  # emoji in a group's own list of allowed ones; ours
MEDIA_NAME_BYTES: Final = 255  # UTF-8, the name of an uploaded file; as file systems have it
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
    custom_fields: OrNone = 10  # keys a group; reference, group-level custom fields
    custom_value_bytes: Positive = CUSTOM_VALUE_BYTES
    community_members: Positive = 1_000_000  # founding document: "up to 1 million subscribers"
    work_members: Positive = 6_000  # reference, largest plan
    public_members: Positive = 6_000  # reference, largest plan
    meeting_members: Positive = 6_000  # reference, largest plan
    groups_per_user: Positive = 5_000  # that one user is in, of all types; reference
    admins: OrNone = 50  # of one group besides the owner; as in Telegram's channels
    admin_invitations: OrNone = 50  # open invitations of one channel; ours: no more can be accepted
    admin_invitation_seconds: Positive = 7 * 24 * 3600  # how long it can be accepted; ours
    message_body_bytes: Positive = 12 * 1024  # UTF-8, all fields of a message together; reference
    links_per_message: OrNone = 20  # ours: a page of links is a document, not a message
    image_bytes: Positive = 28 * 2**20  # an uploaded picture; reference
    video_bytes: Positive = 100 * 2**20  # an uploaded video or sound; reference
    file_bytes: Positive = 100 * 2**20  # any other uploaded file; reference
    image_pixels: Positive = 64_000_000  # of one frame: a 48-megapixel picture fits; ours
    animation_pixels: Positive = 256_000_000  # of all frames of an animation together; ours
    animation_frames: Positive = 1_000  # of one animation; ours
    image_seconds: Positive = 20  # of processor time for drawing one picture; ours
    image_memory_bytes: Positive = 768 * 2**20  # of memory for drawing one picture; ours
    images_per_message: Positive = 10  # founding document's sample posts; ours
    departure_seconds: Positive = 30 * 86_400
    """How long departures from a channel are kept, for devices that were offline; ours.

    A higher value applies to later departures only.
    """
    unused_media_seconds: Positive = 86_400  # how long an upload may stay unused; ours
    uploads_per_user: Positive = 10  # at once on one process, each in a temporary file; ours
    user_unused_media_bytes: OrNone = 2**30  # of one user's unused uploads; ours; 0: no limit
    user_media_bytes: OrNone = 20 * 2**30  # of all uploads of one user; ours; 0: no limit
    channel_media_bytes: OrNone = 200 * 2**30  # of one group's messages; ours; 0: no limit
    deployment_media_bytes: OrNone = 2**40  # of all uploads; ours: more needs planning; 0: no limit
    posts_per_second: OrNone = 40  # messages a second in one group; reference; 0: no limit
    stream_bytes_per_second: OrNone = 128 * 1024  # 0: no limit
    """Bytes of the messages of one group as JSON, on average: ten of the largest a second, or forty of 3 KiB; ours."""
    pinned_messages: Positive = 10  # pinned at once in one group or channel; ours
    recall_seconds: OrNone = 120  # how long a sender may recall in a chat group; reference
    name_card_bytes: Positive = NAME_CARD_BYTES
    user_name_bytes: Positive = USER_NAME_BYTES
    request_text_bytes: Positive = REQUEST_TEXT_BYTES
