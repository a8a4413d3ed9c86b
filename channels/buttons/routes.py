"""Endpoints of buttons: press one under a post, or under a one-to-one message of a channel."""

from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

from channels.buttons.errors import ButtonChanged, ButtonNotFound, NothingToPress
from channels.buttons.service.dialogues import DialogueButtons
from channels.buttons.service.posts import PostButtons
from channels.buttons.service.queue import Pressed
from channels.errors import ChannelNotFound, PostNotFound
from channels.routes.responses import ChannelIdText
from channels.service.guard import ChannelGuard
from conversations.errors import (
    ConversationNotFound,
    DialogueLimitReached,
    MessagesNotAccepted,
    PeerBlocked,
    UnansweredLimitReached,
)
from conversations.models import ConversationId
from conversations.service.dialogues import DialogueService
from groups.errors import (
    REVIEW_ERRORS,
    Banned,
    BusinessAccount,
    ChannelSuspended,
    MessageNotFound,
    MessageRecalled,
    Muted,
    NotAPerson,
    ReactingBanned,
    UserRestricted,
)
from groups.kernel.actor import Actor
from groups.kernel.endpoint import Query, Response, put
from groups.kernel.errors import PermissionRefused, RateLimited
from groups.kernel.ids import AnyIdText
from groups.routes.messages import Seq
from groups.routes.responses.buttons import ButtonResponse, button_responses

ButtonIndex = Annotated[
    int,
    Field(
        ge=0,
        lt=10_000,
        examples=[0],
        description="Its place over all rows, from 0: row by row, each in its order.",
    ),
]

REPLY_ERRORS: Final = (
    MessagesNotAccepted,
    NotAPerson,
    PeerBlocked,
    DialogueLimitReached,
    UnansweredLimitReached,
    Muted,
    RateLimited,
    ConversationNotFound,
    *REVIEW_ERRORS,
)
"""The errors of the user's message to the channel, which a `reply` sends."""
_PRESS_ERRORS: Final = (
    ButtonNotFound,
    NothingToPress,
    ButtonChanged,
    MessageRecalled,
    UserRestricted,
    ChannelSuspended,
    BusinessAccount,
    PermissionRefused,
    Banned,
    *REPLY_ERRORS,
)


class PressQuery(Query):
    """The text that the user saw."""

    text: Annotated[
        str | None,
        Field(
            max_length=4_096,
            description="The text of the button as the user saw it: another one is refused, since it may mean"
            " something else.",
        ),
    ] = None


class PressResponse(Response):
    """The buttons after the press."""

    buttons: list[list[ButtonResponse]]
    message_seq: Annotated[
        int | None,
        Field(
            description="For a `reply`: the seq of your message in the conversation with the channel; else null."
        ),
    ]


def _response(pressed: Pressed, message_seq: int | None) -> PressResponse:
    return PressResponse.model_construct(
        buttons=button_responses(pressed.rows, pressed.tally), message_seq=message_seq
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ButtonRoutes:
    """Presses of buttons."""

    tag = "Buttons"

    channel: ChannelGuard
    posts: PostButtons
    dialogues: DialogueService
    messages: DialogueButtons

    @put(
        "/v1/channels/{channel_id}/posts/{seq}/buttons/{index}/press",
        errors=[ChannelNotFound, PostNotFound, ReactingBanned, *_PRESS_ERRORS],
    )
    async def press_in_post(
        self,
        actor: Actor,
        channel_id: ChannelIdText,
        seq: Seq,
        index: ButtonIndex,
        query: PressQuery,
    ) -> PressResponse:
        """Press a button of a post (subscribers): a `reply` or an `event`. It counts once, and stays.

        A `reply` sends its text as your one-to-one message to the channel, also once. An `event` sends its data to the
        channel's back end, as `button.pressed`.
        """
        async with self.channel(channel_id):
            pressed, message_seq = await self.posts.press(actor, channel_id, seq, index, query.text)
        return _response(pressed, message_seq)

    @put(
        "/v1/conversations/{conversation_id}/messages/{seq}/buttons/{index}/press",
        errors=[MessageNotFound, *_PRESS_ERRORS],
    )
    async def press_in_private(
        self,
        actor: Actor,
        conversation_id: AnyIdText,
        seq: Seq,
        index: ButtonIndex,
        query: PressQuery,
    ) -> PressResponse:
        """Press a button of a message that a channel wrote to you, while you may write to it. It counts once."""
        dialogue = self.dialogues.of(actor, ConversationId(conversation_id))
        pressed, message_seq = await self.messages.press(actor, dialogue, seq, index, query.text)
        return _response(pressed, message_seq)
