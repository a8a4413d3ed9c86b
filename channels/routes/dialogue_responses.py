"""What the calls on one-to-one messages take and answer, from either side."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from channels.routes.responses import PostResponse
from conversations.models import ConversationId, DialogueMessage
from groups.kernel.endpoint import Response
from groups.kernel.ids import GroupId, UserId
from groups.models import Message, Tally
from groups.routes.messages import HistoryQuery
from groups.routes.responses.fields import Instant
from groups.routes.responses.forwarding import ForwardedFrom, forwarded_from
from groups.routes.responses.messages import ContentResponse, content_fields
from groups.routes.responses.tallies import TallyResponse, tally_response


class DialogueQuery(HistoryQuery):
    """Which messages; `with_posts` goes by its own cursor."""

    with_posts: Annotated[
        bool, Field(description="With a channel: its posts too, all by time, newest first.")
    ] = False

    @model_validator(mode="after")
    def _by_cursor(self) -> Self:
        if self.with_posts and (self.before_seq is not None or self.after_seq is not None):
            raise PydanticCustomError("with_posts", "with_posts goes by cursor, not by seq")
        return self


class MessageInDialogueResponse(ContentResponse):
    """What a one-to-one message says, to either side; nothing of it once recalled."""

    silent: Annotated[bool, Field(description="Devices should not ring; it counts as unread.")]
    forwarded_from: Annotated[
        ForwardedFrom | None, Field(description="Where it was copied from; null: written here.")
    ]


def _said_fields(message: Message) -> dict[str, Any]:
    is_shown = message.recalled_at is None
    return content_fields(message.content) | {
        "silent": message.silent and is_shown,
        "forwarded_from": forwarded_from(message.origin) if is_shown else None,
    }


class DialogueMessageResponse(MessageInDialogueResponse):
    """A one-to-one message as its user sees it; recalled, it keeps id, seq and times only.

    What a channel said is from the channel, whoever of it wrote.
    """

    type: Literal["message"]
    conversation_id: ConversationId
    message_id: str
    seq: int
    sender_id: str | None
    created_at: Instant
    edited_at: Instant | None
    recalled_at: Instant | None
    reactions: TallyResponse


class TimelinePostResponse(PostResponse):
    """A post among one-to-one messages."""

    type: Literal["post"]


class DialoguePage(Response):
    """Messages, and with `with_posts` posts, newest first; and the cursor to the next ones (null at the end)."""

    items: list[
        Annotated[DialogueMessageResponse | TimelinePostResponse, Field(discriminator="type")]
    ]
    next_cursor: str | None


def dialogue_message_response(said: DialogueMessage, tally: Tally) -> DialogueMessageResponse:
    """The message as its user sees it."""
    message, conversation_id = said.message, said.dialogue.conversation_id
    return DialogueMessageResponse.model_construct(
        type="message",
        conversation_id=conversation_id,
        message_id=f"{conversation_id}:{message.seq}",
        seq=message.seq,
        sender_id=message.sender_id if message.recalled_at is None else None,
        created_at=message.created_at,
        edited_at=message.edited_at,
        recalled_at=message.recalled_at,
        reactions=tally_response(tally if message.recalled_at is None else Tally()),
        **_said_fields(message),
    )


class ThreadMessageResponse(MessageInDialogueResponse):
    """A message of a thread as the channel's admins see it; `author_id` is which of them wrote, for nobody else."""

    channel_id: GroupId
    user_id: UserId
    message_id: str
    seq: int
    from_channel: bool
    sender_id: str | None
    author_id: UserId | None
    created_at: Instant
    edited_at: Instant | None
    recalled_at: Instant | None
    reactions: TallyResponse


def thread_message_response(said: DialogueMessage, tally: Tally) -> ThreadMessageResponse:
    """The message as the channel's admins see it."""
    message, dialogue = said.message, said.dialogue
    is_shown = message.recalled_at is None
    return ThreadMessageResponse.model_construct(
        channel_id=GroupId(dialogue.peer_id),
        user_id=dialogue.user_id,
        message_id=f"{dialogue.conversation_id}:{message.seq}",
        seq=message.seq,
        from_channel=message.sender_id == dialogue.peer_id,
        sender_id=message.sender_id if is_shown else None,
        author_id=message.author_id if is_shown else None,
        created_at=message.created_at,
        edited_at=message.edited_at,
        recalled_at=message.recalled_at,
        reactions=tally_response(tally if message.recalled_at is None else Tally()),
        **_said_fields(message),
    )
