"""The request bodies and responses of channels, subscribers and posts."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, ConfigDict, Field, RootModel

from channels.limits import CHANNEL_CUSTOM_DATA_BYTES, CHANNEL_ORGANIZATION_BYTES
from channels.models import (
    AcceptMessages,
    Channel,
    ChannelChanges,
    ChannelSettings,
    NewChannel,
)
from channels.policy import may_know_owner
from groups import policy
from groups.kernel.endpoint import Body, Response
from groups.kernel.ids import (
    GROUP_ID_BYTES,
    UNSEEN,
    GroupId,
    GroupIdText,
    UserId,
    UserIdText,
)
from groups.kernel.text.bounded import MaxBytes, NotBlank, SchemaHint, Text
from groups.limits import CHANNEL_INTRODUCTION_BYTES, CHANNEL_NAME_BYTES
from groups.models import (
    CHANNEL_PREFIX,
    AccessContext,
    Commenting,
    DepartureReason,
    EffectiveRole,
    Grant,
    Member,
    Message,
    Role,
    SuspensionMode,
    Tally,
    User,
    Visibility,
)
from groups.routes.responses.fields import (
    SHORT_CHANNEL_ID_BYTES,
    FaceUrl,
    Instant,
    ItemError,
    MessageVersion,
    PatchBody,
    ReactionSetting,
    RetentionDays,
    StreamVersion,
    expanded,
)
from groups.routes.responses.invitations import InvitedResponse
from groups.routes.responses.messages import (
    HistoryPage,
    MarkedResponse,
    NewestMessage,
    marked_fields,
    newest_fields,
    poll_seen_by,
)
from groups.routes.responses.polls import PollResponse
from groups.routes.responses.tallies import TallyResponse, tally_response

ChannelIdText = Annotated[
    GroupId,
    Field(
        examples=["news"],
        description="Percent-encoded in full (`%40TOA%23_news`), or without its prefix (`news`).",
    ),
    AfterValidator(expanded),
    SchemaHint(
        # With its prefix, or so much shorter.
        rf"^(?!\.{{1,2}}$)(@[^{UNSEEN}]*|[^{UNSEEN}]{{0,{SHORT_CHANNEL_ID_BYTES - 1}}})[^ {UNSEEN}]$",
        GROUP_ID_BYTES,
    ),
]
"""A channel id in a path."""

NEW_CHANNEL_ID: Final = rf"^{CHANNEL_PREFIX}[^{UNSEEN}]*[^ {UNSEEN}]$"

ChannelName = Annotated[NotBlank, MaxBytes("channel_name_bytes", CHANNEL_NAME_BYTES)]
Organization = Annotated[Text, MaxBytes("channel_organization_bytes", CHANNEL_ORGANIZATION_BYTES)]
ChannelIntroduction = Annotated[
    Text, MaxBytes("channel_introduction_bytes", CHANNEL_INTRODUCTION_BYTES)
]
CustomData = Annotated[Text, MaxBytes("channel_custom_data_bytes", CHANNEL_CUSTOM_DATA_BYTES)]


class SettingsBody(PatchBody):
    """A channel's settings. A setting that is left out takes its default, or stays."""

    visibility: Annotated[
        Literal[Visibility.PUBLIC, Visibility.PRIVATE] | None,
        Field(
            description="`public`: listed in the directory, and anyone may read and subscribe."
            " `private`: nobody finds or joins it without an invitation; others get 404."
        ),
    ] = None
    reactions: ReactionSetting | None = None
    reactions_per_user: Annotated[int | None, Field(ge=1, le=100)] = None
    distinct_reactions: Annotated[int | None, Field(ge=1, le=1000)] = None
    comments: Annotated[
        Commenting | None,
        Field(
            description="The users who may comment on posts. `off` hides the comments that there are; `everyone`:"
            " also users who do not subscribe, where the channel is public."
        ),
    ] = None
    retention_days: RetentionDays | None = None
    accept_messages: AcceptMessages | None = None
    signatures: bool | None = None
    protect_content: bool | None = None
    count_clicks: Annotated[
        bool | None,
        Field(description="Clicks on links of posts are counted, and readers are told."),
    ] = None


class CreateChannel(Body):
    """A new channel, or with `group_id` a Community group of yours to make a channel."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "channel_id": "@TOA#_news",
                    "name": "City News",
                    "introduction": "What happens in town",
                    "settings": {"reactions": "basic"},
                }
            ]
        }
    )

    name: ChannelName
    channel_id: Annotated[
        Annotated[
            GroupIdText, Field(examples=["@TOA#_news"]), SchemaHint(NEW_CHANNEL_ID, GROUP_ID_BYTES)
        ]
        | None,
        Field(description="Starts with `@TOA#_`. null: the server chooses one."),
    ] = None
    group_id: GroupIdText | None = None
    owner_id: Annotated[
        UserIdText | None,
        Field(description="The owner, for the application's back end; null: you."),
    ] = None
    share_history: Annotated[
        bool,
        Field(
            description="With `group_id`. true: what was written before becomes as public as the posts, and every"
            " member is told. false: it stays visible to those only who can read it now."
        ),
    ] = False
    face_url: FaceUrl = ""
    organization: Organization = ""
    introduction: ChannelIntroduction = ""
    custom_data: CustomData = ""
    settings: Annotated[SettingsBody, Field(default_factory=SettingsBody)]

    def to_new(self) -> NewChannel:
        values = self.model_dump(exclude_unset=True, exclude={"settings"})
        return NewChannel(**values, **self.settings.model_dump(exclude_unset=True))


class UpdateChannel(PatchBody):
    """New values. A field that is left out stays."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "City News", "settings": {"reactions": "all"}}]}
    )

    name: ChannelName | None = None
    face_url: FaceUrl | None = None
    organization: Organization | None = None
    introduction: ChannelIntroduction | None = None
    custom_data: CustomData | None = None
    settings: SettingsBody | None = None

    def to_changes(self) -> ChannelChanges:
        values = self.model_dump(exclude_unset=True, exclude={"settings"})
        settings = self.settings.model_dump(exclude_unset=True) if self.settings else {}
        return ChannelChanges(**values, **settings)


class SettingsResponse(Response):
    """A channel's settings."""

    visibility: Visibility
    reactions: str | tuple[str, ...]
    reactions_per_user: int
    distinct_reactions: int
    comments: Commenting
    retention_days: int
    accept_messages: AcceptMessages
    signatures: bool
    protect_content: bool
    count_clicks: bool


class LastPostResponse(NewestMessage):
    """The newest post, as lists show it."""


class SuspensionResponse(Response):
    """The application suspended the channel. `reason`: null unless you own the channel or are an admin."""

    mode: SuspensionMode
    reason: str | None
    at: Instant


def suspension_response(access: AccessContext) -> SuspensionResponse | None:
    """The suspension of the channel, as the actor sees it; None where there is none."""
    suspension = access.group.suspension
    if suspension is None:
        return None
    sees_reason = policy.may_see_suspension_reason(access)
    return SuspensionResponse(
        mode=suspension.mode,
        reason=suspension.reason if sees_reason else None,
        at=suspension.at,
    )


class ChannelResponse(Response):
    """A channel as you see it. `subscribed_at` and `role` are null unless you subscribe.

    `owner_id`: null unless you are the owner or an admin here, or the channel signs its posts. `grants`: what you may
    do here as the owner or an admin. `public_from_seq`: the first seq that everybody may read; what was written before
    the group became a channel has lower ones. `history_shared_at`: when the owner made that public too, for members.
    """

    channel_id: GroupId
    name: str
    face_url: str
    organization: str
    introduction: str
    custom_data: str
    owner_id: UserId | None
    created_at: Instant
    subscriber_count: int
    subscribed_at: Instant | None
    role: Role | None
    grants: list[Grant]
    verified: bool
    suspension: Annotated[
        SuspensionResponse | None, Field(description="null: the channel is not suspended.")
    ]
    settings: SettingsResponse
    menu_version: Annotated[
        int, Field(description="Grows with each change of the channel's menu; 0: it has none.")
    ]
    head_seq: int
    version: StreamVersion
    public_from_seq: int
    history_shared_at: Instant | None
    last_post: LastPostResponse | None


_PROFILE_SETTINGS: Final = tuple(ChannelSettings.model_fields)
_GROUP_SETTINGS: Final = tuple(
    name for name in SettingsResponse.model_fields if name not in _PROFILE_SETTINGS
)


def channel_response(channel: Channel) -> ChannelResponse:
    """The response for a channel."""
    fields = channel_fields(channel)
    last = fields["last_post"]
    fields["settings"] = SettingsResponse.model_construct(**fields["settings"])
    fields["last_post"] = LastPostResponse.model_construct(**last) if last else None
    return ChannelResponse.model_construct(**fields)


def channel_fields(channel: Channel) -> dict[str, Any]:
    """The fields of `ChannelResponse` in its order, those of the settings and the last post as dicts."""
    group, member = channel.access.group, channel.access.member
    profile, last, marking = channel.profile, channel.stream.last, group.marking
    if last is not None and last.seq <= policy.history_floor(channel.access):
        last = None
    sees_owner = may_know_owner(channel.access, profile)
    is_told = (
        marking is not None
        and marking.is_history_shared
        and channel.access.effective_role >= EffectiveRole.MEMBER
    )
    return {
        "channel_id": group.group_id,
        "name": group.name,
        "face_url": group.face_url,
        "organization": profile.organization,
        "introduction": group.introduction,
        "custom_data": profile.custom_data,
        "owner_id": group.owner_id if sees_owner else None,
        "created_at": profile.created_at,
        "subscriber_count": group.member_count,
        "subscribed_at": member.joined_at if member else None,
        "role": member.role if member else None,
        "grants": list(member.granted) if member else [],
        "verified": group.verified,
        "suspension": suspension_response(channel.access),
        "settings": {name: getattr(group, name) for name in _GROUP_SETTINGS}
        | {name: getattr(profile, name) for name in _PROFILE_SETTINGS},
        "menu_version": profile.menu_version,
        "head_seq": channel.stream.head_seq,
        "version": channel.stream.version,
        "public_from_seq": group.private_until_seq + 1,
        "history_shared_at": marking.at if marking is not None and is_told else None,
        "last_post": newest_fields(last) if last else None,
    }


class ChannelMissing(Response):
    """A channel named in the request that cannot be shown, with its error."""

    channel_id: GroupId
    error: ItemError


class ChannelGone(Response):
    """A channel to which your subscription ended, and why."""

    channel_id: GroupId
    gone: DepartureReason
    gone_at: Instant


class MemberOfChannelResponse(Response):
    """A subscriber of a channel, or one of its staff."""

    user_id: UserId
    name: str
    face_url: str
    role: Role
    subscribed_at: Instant
    muted_until: Instant | None


class SubscriberResponse(MemberOfChannelResponse):
    """A subscriber with their tags, which they do not see themselves."""

    tags: Annotated[
        tuple[str, ...] | None, Field(description="null: not looked up, in the answer to adding.")
    ]


class AddedSubscriberResponse(RootModel[SubscriberResponse | InvitedResponse]):
    """A subscriber, or with 202 a user who is invited to subscribe."""


def member_of_channel_response(member: Member, user: User | None) -> MemberOfChannelResponse:
    """The response for a member of the channel, without tags."""
    return MemberOfChannelResponse.model_construct(
        user_id=member.user_id,
        name=user.name if user else "",
        face_url=user.face_url if user else "",
        role=member.role,
        subscribed_at=member.joined_at,
        muted_until=member.muted_until,
    )


class PostResponse(MarkedResponse):
    """A post. It is from the channel: only the owner and admins see its author.

    What you wrote before the group became a channel shows you as its author: you may always delete it.

    `views`: how many users reported seeing it. Up to 512 it is exact; above, 95 of 100 numbers are within 3.3 %.
    """

    channel_id: GroupId
    post_id: str
    seq: int
    channel_name: str
    author_id: UserId | None
    created_at: Instant
    edited_at: Instant | None
    recalled_at: Instant | None
    version: MessageVersion
    views: int
    comment_count: Annotated[
        int | None,
        Field(description="The comments on it, without deleted ones; null where comments are off."),
    ]
    comments_open: Annotated[
        bool,
        Field(description="Comments are on in the channel, and not frozen on this post."),
    ]
    comments_frozen: Annotated[
        bool, Field(description="Nobody may comment on it any more; the comments stay.")
    ]
    reactions: TallyResponse


class PostPage(HistoryPage[PostResponse]):
    """A page of posts."""


def post_response(
    message: Message, access: AccessContext, tally: Tally, now: datetime
) -> PostResponse:
    """The post for a reader with this access; a deleted post keeps only its id, seq and times."""
    poll = poll_seen_by(access, message, tally, now)
    return post_without_poll(message, access, tally).model_copy(update={"poll": poll})


def post_without_poll(message: Message, access: AccessContext, tally: Tally) -> PostResponse:
    """As `post_response`, but for its poll, which readers see at different times in different ways."""
    group = access.group
    sees_author = policy.may_see_sender(group, access.effective_role) or is_own(message, access)
    is_shown = sees_author and message.recalled_at is None
    has_comments = group.comments is not Commenting.OFF and message.recalled_at is None
    return anonymous_post_response(message, group.group_id, group.name, tally, None).model_copy(
        update={
            "author_id": message.sender_id if is_shown else None,
            "comment_count": (message.comments or 0) if has_comments else None,
            "comments_open": has_comments and not message.comments_frozen,
        }
    )


def is_own(message: Message, access: AccessContext) -> bool:
    """Whether the reader wrote the message before the group became a channel, so that they may delete it."""
    member = access.member
    return member is not None and policy.may_always_recall(access.group, message, member.user_id)


def anonymous_post_response(
    message: Message,
    channel_id: GroupId,
    channel_name: str,
    tally: Tally | None,
    poll: PollResponse | None,
) -> PostResponse:
    """The post without its author, and without what only the channel knows about its comments.

    `poll` is its poll as the reader sees it. Without a `tally` the reader may be anybody: presses are not counted.
    """
    return PostResponse.model_construct(
        channel_id=channel_id,
        post_id=f"{channel_id}:{message.seq}",
        seq=message.seq,
        channel_name=channel_name,
        author_id=None,
        created_at=message.created_at,
        edited_at=message.edited_at,
        recalled_at=message.recalled_at,
        version=message.changed_version,
        views=message.views if message.recalled_at is None else 0,
        comment_count=None,
        comments_open=False,
        comments_frozen=message.comments_frozen and message.recalled_at is None,
        reactions=tally_response(tally if tally and message.recalled_at is None else Tally()),
        **marked_fields(message, poll, tally),
    )
