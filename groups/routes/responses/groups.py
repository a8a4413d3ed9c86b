"""Bodies and responses of the API of groups."""

from typing import Annotated, Final

from pydantic import ConfigDict, Field

from groups import policy
from groups.kernel.endpoint import Body, Response
from groups.kernel.ids import GroupId, GroupIdText, UserId, UserIdText
from groups.kernel.text.bounded import MaxBytes, NotBlank, Text
from groups.limits import (
    CUSTOM_KEY_BYTES,
    CUSTOM_VALUE_BYTES,
    GROUP_INTRODUCTION_BYTES,
    GROUP_NAME_BYTES,
    GROUP_NOTIFICATION_BYTES,
)
from groups.models import (
    AccessContext,
    Group,
    GroupType,
    JoinOption,
    Posting,
    Role,
    Stream,
    Visibility,
)
from groups.routes.responses.fields import (
    FaceUrl,
    Instant,
    ItemError,
    PatchBody,
    ReactionSetting,
    RetentionDays,
    StreamVersion,
)

GroupName = Annotated[NotBlank, MaxBytes("group_name_bytes", GROUP_NAME_BYTES)]
Introduction = Annotated[Text, MaxBytes("group_introduction_bytes", GROUP_INTRODUCTION_BYTES)]
Notification = Annotated[Text, MaxBytes("group_notification_bytes", GROUP_NOTIFICATION_BYTES)]

CustomKey = Annotated[str, Field(pattern=rf"^[A-Za-z0-9_]{{1,{CUSTOM_KEY_BYTES}}}$")]
CustomValue = Annotated[Text, MaxBytes("custom_value_bytes", CUSTOM_VALUE_BYTES)]


class CreateGroup(Body):
    """A new group; fields that are left out take the defaults of its type."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"type": "community", "name": "Tea"}]}
    )

    type: GroupType
    name: GroupName
    group_id: GroupIdText | None = None
    owner_id: Annotated[
        UserIdText | None,
        Field(description="The owner, for the application's back end; null: you."),
    ] = None
    introduction: Introduction = ""
    notification: Notification = ""
    face_url: FaceUrl = ""
    custom: dict[CustomKey, CustomValue] = Field(default_factory=dict)
    posting: Posting | None = None
    join_option: JoinOption | None = None
    history_visible: bool | None = None
    member_limit: Annotated[int, Field(ge=1, le=2**31)] | None = None


class UpdateGroup(PatchBody):
    """New values; fields that are left out stay. In `custom`, null removes a key."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"introduction": "All about tea"}]})

    # The service checks their limits, which depend on whether the group is a channel.
    name: Annotated[
        NotBlank | None, Field(description="As long as a new group's, or a channel's.")
    ] = None
    introduction: Annotated[
        Text | None, Field(description="As long as a new group's, or a channel's.")
    ] = None
    notification: Notification | None = None
    face_url: FaceUrl | None = None
    custom: dict[CustomKey, CustomValue | None] | None = None
    posting: Posting | None = None
    join_option: JoinOption | None = None
    history_visible: bool | None = None
    muted_all: bool | None = None
    reactions: ReactionSetting | None = None
    reactions_per_user: Annotated[int, Field(ge=1, le=100)] | None = None
    distinct_reactions: Annotated[int, Field(ge=1, le=1000)] | None = None
    retention_days: RetentionDays | None = None


class GroupResponse(Response):
    """A group as the caller sees it; `joined_at` and `role` are null for a stranger.

    `verified`: the application vouches for this channel. `owner_id`: null for those who only read a channel.
    """

    group_id: GroupId
    type: GroupType
    name: str
    introduction: str
    notification: str
    face_url: str
    owner_id: UserId | None
    custom: dict[str, str]
    posting: Posting
    join_option: JoinOption
    visibility: Visibility
    muted_all: bool
    history_visible: bool
    reactions: str | tuple[str, ...]
    reactions_per_user: int
    distinct_reactions: int
    retention_days: int
    member_count: int
    member_limit: int
    created_at: Instant
    joined_at: Instant | None
    role: Role | None
    head_seq: int
    version: StreamVersion
    is_channel: bool
    verified: bool


_FIELDS_OF_GROUP: Final = GroupResponse.model_fields.keys() & Group.model_fields.keys() - {
    "member_limit",
    "version",  # of the stream here, of the profile there
    "owner_id",
}


def group_response(access: AccessContext, stream: Stream, member_limit: int) -> GroupResponse:
    """The group as the actor sees it."""
    group, member = access.group, access.member
    return GroupResponse.model_construct(
        **{name: getattr(group, name) for name in _FIELDS_OF_GROUP},
        owner_id=group.owner_id if policy.may_see_sender(group, access.effective_role) else None,
        member_limit=member_limit,
        joined_at=member.joined_at if member else None,
        role=member.role if member else None,
        head_seq=stream.head_seq,
        version=stream.version,
        is_channel=group.is_channel,
    )


class GroupMissing(Response):
    """A requested group that cannot be shown."""

    group_id: GroupId
    error: ItemError
