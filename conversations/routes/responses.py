"""The request and response bodies of the endpoints of conversations."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from conversations.limits import (
    CONVERSATION_CUSTOM_DATA_BYTES,
    CONVERSATION_GROUP_NAME_BYTES,
    DRAFT_BYTES,
)
from conversations.models import (
    C2C_PREFIX,
    ConversationId,
    ConversationType,
    ListedConversation,
    NotificationLevel,
)
from conversations.service.conversation_groups import ChangedConversationGroup
from groups.kernel.endpoint import Body, Response
from groups.kernel.ids import AnyIdText, GroupId, UserId
from groups.kernel.text.bounded import MaxBytes, NotBlank, Text
from groups.routes.responses.fields import (
    Instant,
    InstantText,
    ItemError,
    PatchBody,
    StreamVersion,
)
from groups.routes.responses.messages import NewestMessage, newest_fields


def _not_dots(text: str) -> str:
    # A path cannot contain these: clients resolve them.
    if text in {".", ".."}:
        raise PydanticCustomError("dots", "must not be . or ..")
    return text


ConversationGroupName = Annotated[
    NotBlank,
    MaxBytes("conversation_group_name_bytes", CONVERSATION_GROUP_NAME_BYTES),
    AfterValidator(_not_dots),
    Field(examples=["News"]),
]
"""The name of a conversation group, compared byte by byte."""


class LastMessageResponse(NewestMessage):
    """The newest message. In a channel `sender_id` is null."""

    sender_id: UserId | None


class ConversationResponse(Response):
    """A conversation as its user sees it; `last_message` is null if there is none that they may read.

    `verified`: it is a verified channel, or one-to-one with one.
    A one-to-one conversation has a `peer_id` (the other user, or the channel), any other a `group_id`; the other field
    is null.
    """

    conversation_id: ConversationId
    type: ConversationType
    group_id: GroupId | None
    peer_id: str | None
    title: str
    face_url: str
    unread_count: int
    read_seq: int
    head_seq: int
    version: StreamVersion
    last_message: LastMessageResponse | None
    muted: Annotated[bool, Field(description="For ever, or until `muted_until`.")]
    muted_until: Annotated[Instant | None, Field(description="null: for ever, or not muted.")]
    notifications: Annotated[
        NotificationLevel,
        Field(
            description="For which messages your devices ring, while it is not muted. More levels may be added."
        ),
    ]
    accept: Annotated[
        bool, Field(description="false: the channel of this conversation may not write to you.")
    ]
    pinned_at: Instant | None
    hidden: bool
    draft: str
    custom_data: str
    conversation_groups: list[str]
    is_channel: bool
    verified: bool


def conversation_response(listed: ListedConversation) -> ConversationResponse:
    """Build the response for a conversation."""
    conversation, last, settings = listed.conversation, listed.last, listed.conversation.settings
    return ConversationResponse.model_construct(
        conversation_id=conversation.conversation_id,
        type=conversation.type,
        group_id=conversation.group_id,
        peer_id=conversation.conversation_id.removeprefix(C2C_PREFIX)
        if conversation.group_id is None
        else None,
        title=listed.title,
        face_url=listed.face_url,
        unread_count=conversation.unread_count,
        read_seq=conversation.read_seq,
        head_seq=conversation.head_seq,
        version=listed.version,
        last_message=LastMessageResponse.model_construct(
            sender_id=None if conversation.is_channel else last.sender_id, **newest_fields(last)
        )
        if last
        else None,
        muted=listed.muted,
        muted_until=listed.muted_until,
        notifications=settings.notifications,
        accept=settings.accept,
        pinned_at=settings.pinned_at,
        hidden=conversation.is_hidden,
        draft=settings.draft,
        custom_data=settings.custom_data,
        conversation_groups=list(settings.groups),
        is_channel=conversation.is_channel,
        verified=listed.verified,
    )


class ConversationMissing(Response):
    """A conversation that you asked for and do not have."""

    conversation_id: ConversationId
    error: ItemError


class UpdateConversation(PatchBody):
    """New values; fields that are left out stay."""

    model_config = Body.model_config | {
        "json_schema_extra": {
            "examples": [
                {"muted": True},
                {"muted_until": "2030-01-01T09:00:00Z"},
                {"notifications": "none"},
                {"pinned": True, "draft": "Dear"},
            ]
        }
    }
    nullable: ClassVar[frozenset[str]] = frozenset({"muted_until"})

    muted: Annotated[
        bool | None, Field(description="Not in unread totals: for ever; false: no more.")
    ] = None
    muted_until: Annotated[
        InstantText | None,
        Field(
            description="Not in unread totals until this instant, at most 366 days ahead. null ends"
            " such a mute, and leaves one for ever."
        ),
    ] = None
    notifications: Annotated[
        Literal["all", "none"] | None,
        Field(
            description="For which messages your devices ring. `none`: they count as unread all the same."
        ),
    ] = None
    accept: Annotated[
        bool | None,
        Field(
            description="With a channel (`c2c_<channel id>`): whether it may write to you. A subscriber"
            " may say so before there is a message."
        ),
    ] = None
    pinned: Annotated[bool | None, Field(description="At the top of the list.")] = None
    hidden: Annotated[
        bool | None, Field(description="Not in lists and totals until its next message.")
    ] = None
    draft: (
        Annotated[Text, MaxBytes("draft_bytes", DRAFT_BYTES), Field(description="Empty clears it.")]
        | None
    ) = None
    custom_data: (
        Annotated[
            Text,
            MaxBytes("conversation_custom_data_bytes", CONVERSATION_CUSTOM_DATA_BYTES),
            Field(description="The application's own text. Empty clears it."),
        ]
        | None
    ) = None

    @model_validator(mode="after")
    def _mutes_or_not(self) -> Self:
        if self.muted is False and self.muted_until is not None:
            raise PydanticCustomError("both", "muted false does not go with muted_until")
        return self


class ReadUpTo(Body):
    """How far to mark it as read."""

    model_config = Body.model_config | {"json_schema_extra": {"examples": [{"seq": 12}]}}

    seq: Annotated[
        int | None,
        Field(ge=0, lt=2**53, description="The last message read; without it, all messages."),
    ] = None


class ReadMarkResponse(Response):
    """How far the conversation is read after the call."""

    conversation_id: ConversationId
    read_seq: int
    unread_count: int


class ReadScopeBody(Body):
    """The conversations to mark as read."""

    model_config = Body.model_config | {
        "json_schema_extra": {"examples": [{"scope": "all"}, {"scope": "channels"}]}
    }

    scope: Annotated[
        ConversationGroupName,
        Field(
            description="`all`, `group`, `c2c`, or a conversation group, also `channels` or `chats`."
        ),
    ]


class UnreadResponse(Response):
    """Unread totals; `total` is channels and chats together, `conversation_groups` the user's own."""

    total: int
    channels: int
    chats: int
    conversation_groups: dict[str, int]


class ConversationGroupResponse(Response):
    """A conversation group. `unread_count` leaves out muted and hidden conversations, `conversation_count` does not."""

    name: str
    unread_count: int
    conversation_count: int
    built_in: bool


class AddConversations(Body):
    """The conversations to add."""

    model_config = Body.model_config | {
        "json_schema_extra": {"examples": [{"conversation_ids": ["group_@TOA#_news"]}]}
    }

    conversation_ids: tuple[AnyIdText, ...] = ()


class ChangeConversationGroup(Body):
    """The conversations to add and to remove. Both count towards the limit of ids a call."""

    model_config = Body.model_config | {
        "json_schema_extra": {
            "examples": [{"add": ["group_@TOA#_news"], "remove": ["group_@TGS#_tea"]}]
        }
    }

    add: tuple[AnyIdText, ...] = ()
    remove: tuple[AnyIdText, ...] = ()

    @model_validator(mode="after")
    def _one_or_the_other(self) -> Self:
        if set(self.add) & set(self.remove):
            raise PydanticCustomError("both", "add and remove must not name the same conversation")
        return self


class RenameConversationGroup(Body):
    """The new name."""

    model_config = Body.model_config | {"json_schema_extra": {"examples": [{"name": "Papers"}]}}

    name: ConversationGroupName


class ConversationResult(Response):
    """The result for one conversation of the call; `error` is the reason if it failed."""

    conversation_id: str
    ok: bool
    error: ItemError | None


class ChangedConversationGroupResponse(ConversationGroupResponse):
    """The conversation group after the call, and the result for each conversation."""

    results: list[ConversationResult]


def changed_conversation_group_response(
    changed: ChangedConversationGroup,
) -> ChangedConversationGroupResponse:
    """Build the response for a changed conversation group."""
    return ChangedConversationGroupResponse.model_construct(
        **changed.total._asdict(),
        results=[
            ConversationResult.model_construct(
                conversation_id=conversation_id,
                ok=error is None,
                error=ItemError.of(error) if error else None,
            )
            for conversation_id, error in changed.results.items()
        ],
    )
