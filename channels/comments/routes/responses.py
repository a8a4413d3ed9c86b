"""The bodies and responses of comments."""

from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from channels.comments.models import (
    PostPlace,
    Quote,
    VisibleComment,
    comment_id_of,
    is_from_channel,
)
from groups.kernel.endpoint import Body, Response
from groups.kernel.ids import AnyIdText, GroupId, UserId
from groups.kernel.text.bounded import Text
from groups.models import (
    Attachment,
    Content,
    EffectiveRole,
    Kind,
    MediaKind,
    Message,
    Tally,
)
from groups.routes.responses.fields import Instant, MessageVersion
from groups.routes.responses.messages import HistoryPage, MediaResponse, media_response
from groups.routes.responses.tallies import TallyResponse, tally_response

CommentKind = Literal[Kind.TEXT, Kind.IMAGE, Kind.TEXT_AND_IMAGE]


class WriteComment(Body):
    """A text, pictures (ids that `POST /v1/media` answered), or both."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"kind": "text", "text": "Will the ferry run?"}]}
    )

    kind: CommentKind
    text: Text = ""
    images: Annotated[
        tuple[AnyIdText, ...], Field(description="For `image` and `text_and_image`: 1 to 10.")
    ] = ()

    @model_validator(mode="after")
    def _fits_kind(self) -> Self:
        kind = self.kind.value
        if self.kind is not Kind.IMAGE and not self.text.strip():
            raise PydanticCustomError(
                "empty_text", "text must not be empty for kind {kind}", {"kind": kind}
            )
        if (self.kind is Kind.TEXT) is bool(self.images):
            problem = "does not go with" if self.images else "must not be empty for"
            raise PydanticCustomError(
                "images", "images {problem} kind {kind}", {"problem": problem, "kind": kind}
            )
        return self

    def to_content(self) -> Content:
        """The content; its uploads are ids only."""
        media = tuple(Attachment(media_id=one, kind=MediaKind.IMAGE) for one in self.images)
        return Content(kind=self.kind, text=self.text, media=media)


class NewComment(WriteComment):
    """As `WriteComment`; `quoted_seq` names the comment that it answers."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"kind": "text", "text": "Will the ferry run?"},
                {"kind": "text", "text": "From noon on.", "quoted_seq": 1, "as_channel": True},
            ]
        }
    )

    quoted_seq: Annotated[
        int | None,
        Field(ge=1, lt=2**53, description="The comment on the same post that it answers."),
    ] = None
    as_channel: Annotated[
        bool,
        Field(description="The channel is the sender (the owner, admins who may post)."),
    ] = False


class QuoteResponse(Response):
    """The comment that another one quotes; a deleted one has no preview."""

    seq: int
    sender_id: UserId | None
    sender_name: str
    is_channel: bool
    preview: str | None
    kind: Kind | None
    recalled: bool


class CommentResponse(Response):
    """A comment; a deleted one keeps its ids and times. `version`: of the post's comments, with its last change."""

    comment_id: str
    channel_id: GroupId
    post_seq: int
    seq: Annotated[int, Field(description="Its number under the post: 1, 2, 3 and so on.")]
    sender_id: Annotated[UserId | None, Field(description="null: it is from the channel.")]
    sender_name: str | None
    sender_face_url: str | None
    sender_blocked: Annotated[
        bool, Field(description="You block its sender: do not show it at once.")
    ]
    is_channel: Annotated[bool, Field(description="It is from the channel.")]
    author_id: Annotated[
        UserId | None,
        Field(
            description="The admin who wrote for the channel; null unless you are the owner or an admin."
        ),
    ]
    kind: Kind | None
    text: str | None
    images: Annotated[
        list[MediaResponse] | None, Field(description="Empty for a text; null where it is deleted.")
    ]
    quoted_seq: Annotated[int | None, Field(description="The comment that it answers.")]
    quote: Annotated[
        QuoteResponse | None, Field(description="That comment; null where there is none.")
    ]
    created_at: Instant
    edited_at: Instant | None
    recalled_at: Instant | None
    version: MessageVersion
    reactions: TallyResponse


class CommentPageResponse(HistoryPage[CommentResponse]):
    """A page of comments. `first_unread_seq` is always null: comments are in no conversation."""


def comment_response(comment: VisibleComment) -> CommentResponse:
    """The response for a reader."""
    message, group = comment.message, comment.group
    is_shown = message.recalled_at is None
    from_channel = is_from_channel(message, group.group_id)
    sender = group if from_channel else comment.sender
    sees_author = comment.access.effective_role >= EffectiveRole.ADMIN
    return CommentResponse.model_construct(
        **comment_fields(comment.place, message),
        sender_name=(sender.name if sender else "") if is_shown else None,
        sender_face_url=(sender.face_url if sender else "") if is_shown else None,
        sender_blocked=comment.is_sender_blocked and is_shown,
        author_id=message.author_id if sees_author and is_shown else None,
        quote=_quote_response(comment.quote, comment) if comment.quote and is_shown else None,
        reactions=tally_response(comment.tally if is_shown else Tally()),
    )


def comment_in_event(place: PostPlace, message: Message) -> CommentResponse:
    """The comment as all who receive the event may see it."""
    return CommentResponse.model_construct(**comment_fields(place, message), author_id=None)


def comment_fields(place: PostPlace, message: Message) -> dict[str, Any]:
    """The fields that are the same for every reader."""
    content, is_shown = message.content, message.recalled_at is None
    from_channel = is_from_channel(message, place.channel_id)
    return {
        "comment_id": comment_id_of(place, message.seq),
        "channel_id": place.channel_id,
        "post_seq": place.seq,
        "seq": message.seq,
        "sender_id": message.sender_id if is_shown and not from_channel else None,
        "is_channel": from_channel and is_shown,
        "kind": content.kind if content else None,
        "text": content.text if content else None,
        "images": [media_response(each) for each in content.own_media] if content else None,
        "quoted_seq": message.quoted_seq if is_shown else None,
        "created_at": message.created_at,
        "edited_at": message.edited_at,
        "recalled_at": message.recalled_at,
        "version": message.changed_version,
    }


def _quote_response(quote: Quote, comment: VisibleComment) -> QuoteResponse:
    message, group = quote.message, comment.group
    is_shown = message.recalled_at is None
    from_channel = is_from_channel(message, group.group_id)
    sender = group if from_channel else quote.sender
    return QuoteResponse.model_construct(
        seq=message.seq,
        sender_id=message.sender_id if is_shown and not from_channel else None,
        sender_name=sender.name if sender and is_shown else "",
        is_channel=from_channel and is_shown,
        preview=message.content.preview if message.content else None,
        kind=message.content.kind if message.content else None,
        recalled=not is_shown,
    )
