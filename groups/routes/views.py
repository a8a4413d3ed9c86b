"""What the group calls take and answer."""

import json
from datetime import datetime
from typing import Annotated, Any, Literal, Self

import orjson
from pydantic import AfterValidator, ConfigDict, Field, JsonValue, PlainSerializer, model_validator
from pydantic_core import PydanticCustomError, Url
from pydantic_core import ValidationError as UrlError

from groups.kernel.clock import rfc3339
from groups.kernel.emoji_text import EmojiText
from groups.kernel.endpoint import Body, View
from groups.kernel.errors import DomainError, InvalidRequest
from groups.kernel.ids import GroupId, GroupIdText, UserId, UserIdText
from groups.kernel.text import MaxBytes, NotBlank
from groups.limits import (
    ALLOWED_REACTIONS,
    CUSTOM_KEY_BYTES,
    CUSTOM_VALUE_BYTES,
    FACE_URL_BYTES,
    GROUP_INTRODUCTION_BYTES,
    GROUP_NAME_BYTES,
    GROUP_NOTIFICATION_BYTES,
    NAME_CARD_BYTES,
    REQUEST_TEXT_BYTES,
    USER_NAME_BYTES,
)
from groups.models import (
    Content,
    GroupType,
    JoinOption,
    Kind,
    Link,
    Member,
    Message,
    Posting,
    Role,
    Standing,
    Stream,
    Tally,
    User,
    Visibility,
)

GroupName = Annotated[NotBlank, MaxBytes("group_name_bytes", GROUP_NAME_BYTES)]
Introduction = Annotated[str, MaxBytes("group_introduction_bytes", GROUP_INTRODUCTION_BYTES)]
Notification = Annotated[str, MaxBytes("group_notification_bytes", GROUP_NOTIFICATION_BYTES)]


def _web_address(text: str) -> str:
    if not text:
        return text
    try:
        url = Url(text)
    except (UrlError, ValueError):
        raise PydanticCustomError("bad_url", "must be an http or https address") from None
    if url.scheme not in {"http", "https"} or not url.host:
        raise PydanticCustomError("bad_url", "must be an http or https address")
    return text


WebAddress = Annotated[str, AfterValidator(_web_address)]
"""An http(s) address, kept as it was written; empty means none."""
FaceUrl = Annotated[WebAddress, MaxBytes("face_url_bytes", FACE_URL_BYTES)]

CustomKey = Annotated[str, Field(pattern=rf"^[A-Za-z0-9_]{{1,{CUSTOM_KEY_BYTES}}}$")]
CustomValue = Annotated[str, MaxBytes("custom_value_bytes", CUSTOM_VALUE_BYTES)]


Instant = Annotated[
    datetime, PlainSerializer(rfc3339, return_type=str, when_used="json-unless-none")
]
"""RFC 3339, UTC, milliseconds."""

ReactionSetting = (
    Literal["all", "basic", "none"]
    | Annotated[tuple[EmojiText, ...], Field(min_length=1, max_length=ALLOWED_REACTIONS)]
)
"""Which emoji members may react with: all, the eight basic ones, none, or a list."""


class ItemError(View):
    """Why one item of a request for several has no answer."""

    code: str
    detail: str

    @classmethod
    def of(cls, error: DomainError) -> Self:
        """The error as an item carries it."""
        return cls(code=error.code, detail=error.detail)


class CreateGroup(Body):
    """A new group; what is left out follows from its type."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"type": "community", "name": "Tea"}]}
    )

    type: GroupType
    name: GroupName
    group_id: GroupIdText | None = None
    introduction: Introduction = ""
    notification: Notification = ""
    face_url: FaceUrl = ""
    custom: dict[CustomKey, CustomValue] = Field(default_factory=dict)
    posting: Posting | None = None
    join_option: JoinOption | None = None
    history_visible: bool | None = None
    member_limit: Annotated[int, Field(ge=1, le=2**31)] | None = None


class UpdateGroup(Body):
    """New values; what is left out stays. In `custom`, null removes a key."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"introduction": "All about tea"}]})

    name: GroupName | None = None
    introduction: Introduction | None = None
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

    @model_validator(mode="after")
    def _no_nulls(self) -> Self:
        reject_nulls(self)
        return self


def reject_nulls(body: Body) -> None:
    """Refuse an explicit null where a value is changed: it would be neither a value nor "leave it"."""
    for name in body.model_fields_set:
        if getattr(body, name) is None:
            raise PydanticCustomError("null", "{field} must not be null", {"field": name})


class GroupView(View):
    """A group as the actor sees it; `joined_at` and `role` are null for a stranger."""

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
    member_count: int
    member_limit: int
    created_at: Instant
    joined_at: Instant | None
    role: Role | None
    head_seq: int
    is_channel: bool


def group_view(standing: Standing, stream: Stream, member_limit: int) -> GroupView:
    """The group as the actor with this standing sees it."""
    group, member = standing.group, standing.member
    return GroupView.model_construct(
        group_id=group.group_id,
        type=group.type,
        name=group.name,
        introduction=group.introduction,
        notification=group.notification,
        face_url=group.face_url,
        owner_id=group.owner_id,
        custom=group.custom,
        posting=group.posting,
        join_option=group.join_option,
        visibility=group.visibility,
        muted_all=group.muted_all,
        history_visible=group.history_visible,
        reactions=group.reactions,
        reactions_per_user=group.reactions_per_user,
        distinct_reactions=group.distinct_reactions,
        member_count=group.member_count,
        member_limit=member_limit,
        created_at=group.created_at,
        joined_at=member.joined_at if member else None,
        role=member.role if member else None,
        head_seq=stream.head_seq,
        is_channel=group.is_channel,
    )


class GroupMissing(View):
    """One of several groups asked for that cannot be shown."""

    group_id: GroupId
    error: ItemError


class MemberView(View):
    """A member."""

    user_id: UserId
    name: str
    face_url: str
    role: Role
    joined_at: Instant
    muted_until: Instant | None
    name_card: str


def member_view(member: Member, user: User | None) -> MemberView:
    """The member, with what the user shows of himself."""
    return MemberView.model_construct(
        user_id=member.user_id,
        name=user.name if user else "",
        face_url=user.face_url if user else "",
        role=member.role,
        joined_at=member.joined_at,
        muted_until=member.muted_until,
        name_card=member.name_card,
    )


class JoinGroup(Body):
    """A word to those who approve."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"text": "I like tea too"}]})

    text: Annotated[str, MaxBytes("request_text_bytes", REQUEST_TEXT_BYTES)] = ""


class ChangeMember(Body):
    """New values for a member; what is left out stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"role": "admin"}]})

    role: Annotated[
        Role | None, Field(description="`admin` or `member`; ownership is transferred.")
    ] = None
    mute_seconds: Annotated[
        int | None, Field(ge=0, le=10 * 365 * 86_400, description="0 ends the mute.")
    ] = None
    name_card: Annotated[str, MaxBytes("name_card_bytes", NAME_CARD_BYTES)] | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        reject_nulls(self)
        if self.role is Role.OWNER:
            raise PydanticCustomError("role", "role must be admin or member")
        return self


class RemoveMember(Body):
    """How a member is removed; `ban` as the query parameter says it too."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"ban": True}]})

    ban: bool = False


class JoinRequestView(View):
    """A user who waits for approval."""

    user_id: UserId
    name: str
    text: str
    requested_at: Instant


class AnswerRequest(Body):
    """The answer to a join request."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"approve": True}]})

    approve: bool


class BanView(View):
    """A banned user."""

    user_id: UserId
    banned_at: Instant | None
    banned_by: UserId | None


class NewOwner(Body):
    """To whom the group is given."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"user_id": "bob"}]})

    user_id: UserIdText


class LinkBody(Body):
    """A titled link, http or https."""

    title: Annotated[str, Field(min_length=1)]
    url: Annotated[WebAddress, Field(min_length=1, examples=["https://example.org/tea"])]


class WriteMessage(Body):
    """What to say: a text with links, or the application's own JSON; all of it counts against the body limit."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"kind": "text", "text": "Hello"},
                {"kind": "custom", "custom": {"order": 7}},
            ]
        }
    )

    kind: Kind
    title: str = ""
    text: str = ""
    links: tuple[LinkBody, ...] = ()
    custom: JsonValue = None

    @model_validator(mode="after")
    def _fits_kind(self) -> Self:
        if self.kind is Kind.TEXT and not self.text.strip():
            raise PydanticCustomError("empty_text", "text must not be empty for kind text")
        if self.kind is Kind.CUSTOM and self.custom is None:
            raise PydanticCustomError("empty_custom", "custom must not be empty for kind custom")
        return self

    def to_content(self) -> Content:
        """The content that the message will carry."""
        return Content(
            kind=self.kind,
            title=self.title,
            text=self.text,
            links=tuple(Link(title=link.title, url=link.url) for link in self.links),
            custom_json=None if self.custom is None else dump_json(self.custom),
        )


def dump_json(value: Any) -> str:
    """The application's JSON as compact text.

    Raises: InvalidRequest.
    """
    try:
        json.dumps(value, allow_nan=False)  # orjson would write NaN and infinity as null
        return orjson.dumps(value).decode()
    except (ValueError, orjson.JSONEncodeError):  # the latter: an integer beyond 64 bits
        reason = "holds a value that JSON cannot carry"
        raise InvalidRequest(errors=[{"field": "body.custom", "reason": reason}]) from None


class TallyView(View):
    """Reactions: a count per emoji, their sum, and one's own."""

    counts: dict[str, int] = Field(default_factory=dict)
    total: int = 0
    mine: tuple[str, ...] = ()


def tally_view(tally: Tally) -> TallyView:
    """The tally as answered."""
    return TallyView.model_construct(counts=tally.counts, total=tally.total, mine=tally.mine)


class LinkView(View):
    """A titled link."""

    title: str
    url: str


def content_fields(content: Content | None) -> dict[str, Any]:
    """The fields of a message or post that tell its content; all None once recalled."""
    if content is None:
        return {"kind": None, "title": None, "text": None, "links": None, "custom": None}
    return {
        "kind": content.kind,
        "title": content.title or None,
        "text": content.text or None,
        "links": [LinkView.model_construct(title=x.title, url=x.url) for x in content.links],
        "custom": orjson.loads(content.custom_json) if content.custom_json else None,
    }


class MessageView(View):
    """A message of a group; recalled, it keeps id, seq and times only."""

    group_id: GroupId
    message_id: str
    seq: int
    sender_id: UserId | None
    kind: Kind | None
    title: str | None
    text: str | None
    links: list[LinkView] | None
    custom: JsonValue
    created_at: Instant
    edited_at: Instant | None
    recalled_at: Instant | None
    reactions: TallyView


def message_view(
    message: Message, group_id: GroupId, tally: Tally | None, *, with_sender: bool
) -> MessageView:
    """The message as answered; in a channel the sender is shown to owner and admins only."""
    is_shown = with_sender and message.recalled_at is None
    return MessageView.model_construct(
        group_id=group_id,
        message_id=f"{group_id}:{message.seq}",
        seq=message.seq,
        sender_id=message.sender_id if is_shown else None,
        created_at=message.created_at,
        edited_at=message.edited_at,
        recalled_at=message.recalled_at,
        reactions=tally_view(tally if tally and message.recalled_at is None else Tally()),
        **content_fields(message.content),
    )


class UserView(View):
    """What a user shows of himself."""

    user_id: UserId
    name: str
    face_url: str


class UpdateUser(Body):
    """New values; what is left out stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Ada"}]})

    name: Annotated[str, MaxBytes("user_name_bytes", USER_NAME_BYTES)] | None = None
    face_url: FaceUrl | None = None

    @model_validator(mode="after")
    def _no_nulls(self) -> Self:
        reject_nulls(self)
        return self
