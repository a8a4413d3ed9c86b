"""The queries and responses of one-to-one messages, for either side."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from channels.routes.responses import PostResponse
from conversations.models import ConversationId, DialogueMessage
from groups.kernel.endpoint import Query
from groups.kernel.ids import GroupId, UserId
from groups.models import Tally
from groups.routes.messages import HistoryQuery
from groups.routes.responses.fields import Instant, MessageVersion
from groups.routes.responses.forwarding import ForwardedFrom, forwarded_from
from groups.routes.responses.messages import (
    ContentResponse,
    HistoryPage,
    QuotedSeq,
    content_fields,
)
from groups.routes.responses.tallies import TallyResponse, tally_response

ToUser = Annotated[
    Literal["user"] | None,
    Field(
        description="`user`: a new conversation is with the user of this id, also if a channel has such"
        " a short id."
    ),
]


class WriteQuery(Query):
    """Who is meant by the id."""

    to: ToUser = None


class DialogueQuery(HistoryQuery):
    """Which messages: the newest, or those at one place. `with_posts` works with `cursor` only."""

    to: ToUser = None

    with_posts: Annotated[
        bool, Field(description="With a channel: its posts too, merged by time, newest first.")
    ] = False

    @model_validator(mode="after")
    def _by_cursor(self) -> Self:
        wanted = self.wanted
        if self.with_posts and (wanted.has_seqs or wanted.changed_since is not None):
            raise PydanticCustomError(
                "with_posts",
                "with_posts works with cursor, not with before_seq, after_seq, around_seq, around or changed_since",
            )
        return self


class MessageInDialogueResponse(ContentResponse):
    """The content of a one-to-one message, for either side; a deleted message has none."""

    silent: Annotated[bool, Field(description="No notification; it still counts as unread.")]
    forwarded_from: Annotated[
        ForwardedFrom | None,
        Field(description="The source of a forward; null: it was written here."),
    ]
    quoted_seq: QuotedSeq
    automatic: Annotated[
        bool, Field(description="The channel's greeting or automatic answer; nobody wrote it.")
    ]
    message_id: str
    seq: int
    sender_id: str | None
    created_at: Instant
    edited_at: Instant | None
    recalled_at: Instant | None
    version: MessageVersion
    reactions: TallyResponse


def _shared_fields(sent: DialogueMessage, tally: Tally | None) -> dict[str, Any]:
    message = sent.message
    is_shown = message.recalled_at is None
    return content_fields(message.content, tally) | {
        "silent": message.silent and is_shown,
        "forwarded_from": forwarded_from(message.origin) if is_shown else None,
        "quoted_seq": message.quoted_seq if is_shown else None,
        "automatic": message.automatic,
        "message_id": f"{sent.dialogue.conversation_id}:{message.seq}",
        "seq": message.seq,
        "sender_id": message.sender_id if is_shown else None,
        "created_at": message.created_at,
        "edited_at": message.edited_at,
        "recalled_at": message.recalled_at,
        "version": message.changed_version,
        "reactions": tally_response(tally if tally and is_shown else Tally()),
    }


class DialogueMessageResponse(MessageInDialogueResponse):
    """A one-to-one message as a user sees it; a deleted message keeps only its id, seq and times.

    The sender of a channel's message is the channel, whichever admin wrote it.
    """

    type: Literal["message"]
    conversation_id: ConversationId


class TimelinePostResponse(PostResponse):
    """A post among one-to-one messages."""

    type: Literal["post"]


class DialoguePage(
    HistoryPage[
        Annotated[DialogueMessageResponse | TimelinePostResponse, Field(discriminator="type")]
    ]
):
    """Messages, and posts if `with_posts` asks for them, newest first."""


def dialogue_message_response(
    sent: DialogueMessage, tally: Tally | None
) -> DialogueMessageResponse:
    """Build the response for the user in the dialogue."""
    fields = _shared_fields(sent, tally)
    return DialogueMessageResponse.model_construct(
        type="message", conversation_id=sent.dialogue.conversation_id, **fields
    )


class ThreadMessageResponse(MessageInDialogueResponse):
    """A message of a thread as the channel's admins see it. Only they see `author_id`: the admin who wrote it."""

    channel_id: GroupId
    user_id: UserId
    from_channel: bool
    author_id: UserId | None
    broadcast_id: Annotated[
        str | None, Field(description="The broadcast that sent it; null: it was written here.")
    ]


class ThreadPage(HistoryPage[ThreadMessageResponse]):
    """A page of a thread."""


def thread_message_response(sent: DialogueMessage, tally: Tally | None) -> ThreadMessageResponse:
    """Build the response for the channel's admins."""
    message, dialogue = sent.message, sent.dialogue
    return ThreadMessageResponse.model_construct(
        channel_id=GroupId(dialogue.peer_id),
        user_id=dialogue.user_id,
        from_channel=message.sender_id == dialogue.peer_id,
        author_id=message.author_id if message.recalled_at is None else None,
        broadcast_id=message.broadcast_id,
        **_shared_fields(sent, tally),
    )
