"""Endpoints of one-to-one messages for the users in them: write, read, edit, delete.

They are in this package, since a conversation with a channel can be read together with its posts.
"""

from dataclasses import dataclass
from datetime import datetime

from channels.routes.dialogue_responses import (
    DialogueMessageResponse,
    DialoguePage,
    DialogueQuery,
    TimelinePostResponse,
    WriteQuery,
    dialogue_message_response,
)
from channels.routes.responses import post_response
from channels.service.dialogue_reactions import DialogueReactions
from channels.service.timeline import Timeline, TimelineService
from conversations.errors import (
    AmbiguousConversationId,
    ConversationNotFound,
    DialogueLimitReached,
    MessagesNotAccepted,
    PeerBlocked,
    UnansweredLimitReached,
)
from conversations.models import ConversationId, Dialogue, DialogueMessage
from conversations.service.dialogue_edits import DialogueEdits
from conversations.service.dialogues import DialogueService
from groups.errors import (
    REVIEW_ERRORS,
    AcknowledgementNotAllowed,
    Banned,
    BusinessAccount,
    ButtonsNotAllowed,
    GroupNotFound,
    MediaNotFound,
    MessageNotFound,
    MessageRecalled,
    Muted,
    NotAPerson,
    PollFixed,
    PollNotAllowed,
    RecallTooLate,
    UserRestricted,
    WrongMediaKind,
)
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.endpoint import IdempotencyKey, delete, get, patch, post
from groups.kernel.errors import (
    BadCursor,
    FieldTooLong,
    IdempotencyConflict,
    InvalidRequest,
    PermissionRefused,
    RateLimited,
)
from groups.kernel.ids import AnyIdText
from groups.models import Tally
from groups.routes.messages import FORWARDING_ERRORS, Seq
from groups.routes.responses.messages import history_fields
from groups.routes.responses.writing import NewChatMessage, WriteMessage
from groups.service.messages.pages import StreamPage


@dataclass(kw_only=True, slots=True)
class DialogueRoutes:
    """One-to-one messages: `c2c_<user>` with a user, `c2c_<channel id>` with a channel."""

    tag = "One-to-one messages"

    dialogues: DialogueService
    edits: DialogueEdits
    timeline: TimelineService
    clock: Clock
    reactions: DialogueReactions

    @post(
        "/v1/conversations/{conversation_id}/messages",
        status=201,
        errors=[
            UserRestricted,
            AmbiguousConversationId,
            ConversationNotFound,
            MessagesNotAccepted,
            BusinessAccount,
            NotAPerson,
            PeerBlocked,
            DialogueLimitReached,
            UnansweredLimitReached,
            Banned,
            Muted,
            FieldTooLong,
            IdempotencyConflict,
            MediaNotFound,
            WrongMediaKind,
            RateLimited,
            GroupNotFound,
            *REVIEW_ERRORS,
            *FORWARDING_ERRORS,
            PollNotAllowed,
            ButtonsNotAllowed,
            AcknowledgementNotAllowed,
        ],
    )
    async def write(
        self,
        actor: Actor,
        conversation_id: AnyIdText,
        query: WriteQuery,
        body: NewChatMessage,
        key: IdempotencyKey,
    ) -> DialogueMessageResponse:
        """Write to a user or a channel, or forward a message. With an `Idempotency-Key`, repeats write once.

        The first message begins the conversation for both sides. A channel accepts messages from the users that its
        setting `accept_messages` names. Messages to yourself are notes. A forward is a copy with `forwarded_from`,
        which never names a private channel, group or conversation. `c2c_news` is the conversation with the user
        `news`. If it has not begun, and a channel has this short id, `to=user` says that the user is meant. With
        `quoted_seq`, it answers an earlier message of the conversation that is not deleted.
        """
        dialogue = self._dialogue(actor, conversation_id)
        is_to_user = query.to is not None
        if body.forward is None:
            sent = await self.dialogues.post(
                actor,
                dialogue,
                body.to_content(),
                key=key,
                silent=body.silent,
                is_to_user=is_to_user,
                quoted_seq=body.quoted_seq,
            )
        else:
            sent = await self.dialogues.forward(
                actor,
                dialogue,
                body.forward.source,
                key=key,
                silent=body.silent,
                is_to_user=is_to_user,
            )
        return await self._response(sent)

    @get(
        "/v1/conversations/{conversation_id}/messages",
        errors=[
            AmbiguousConversationId,
            ConversationNotFound,
            PermissionRefused,
            Banned,
            BadCursor,
        ],
    )
    async def history(
        self, actor: Actor, conversation_id: AnyIdText, query: DialogueQuery
    ) -> DialoguePage:
        """List one-to-one messages, newest first: the newest, or those before, after or around a seq.

        With `changed_since`: the messages that changed since a version, the earliest change first.
        With a channel and `with_posts=true`: its posts and these messages, merged by time. `type` tells them apart.
        """
        dialogue = self._dialogue(actor, conversation_id)
        if query.with_posts:
            if dialogue.channel_id is None:
                reason = "with_posts needs a conversation with a channel"
                raise InvalidRequest(reason, errors=[{"field": "with_posts", "reason": reason}])
            timeline = await self.timeline.page(
                actor, dialogue, dialogue.channel_id, limit=query.limit, cursor=query.cursor
            )
            return _timeline_page(timeline, self.clock.now())
        page = await self.dialogues.page(
            actor, dialogue, query.wanted, is_to_user=query.to is not None
        )
        tallies = await self.reactions.tallies(dialogue, [each.seq for each in page.messages])
        return DialoguePage.model_construct(
            items=[
                dialogue_message_response(
                    DialogueMessage(dialogue, each), tallies.get(each.seq, Tally())
                )
                for each in page.messages
            ],
            **history_fields(page),
        )

    @get(
        "/v1/conversations/{conversation_id}/messages/{seq}",
        errors=[AmbiguousConversationId, ConversationNotFound, MessageNotFound],
    )
    async def get_message(
        self, actor: Actor, conversation_id: AnyIdText, seq: Seq
    ) -> DialogueMessageResponse:
        """Get one message."""
        dialogue = self._dialogue(actor, conversation_id)
        return await self._response(await self.dialogues.get(actor, dialogue, seq))

    @patch(
        "/v1/conversations/{conversation_id}/messages/{seq}",
        errors=[
            UserRestricted,
            ConversationNotFound,
            MessageNotFound,
            MessageRecalled,
            MessagesNotAccepted,
            BusinessAccount,
            NotAPerson,
            PeerBlocked,
            PermissionRefused,
            Banned,
            Muted,
            FieldTooLong,
            MediaNotFound,
            WrongMediaKind,
            PollFixed,
            ButtonsNotAllowed,
            *REVIEW_ERRORS,
        ],
    )
    async def edit(
        self, actor: Actor, conversation_id: AnyIdText, seq: Seq, body: WriteMessage
    ) -> DialogueMessageResponse:
        """Replace the content of your message, while you may still write there."""
        dialogue = self._dialogue(actor, conversation_id)
        return await self._response(await self.edits.edit(actor, dialogue, seq, body.to_content()))

    @delete(
        "/v1/conversations/{conversation_id}/messages/{seq}",
        status=204,
        errors=[ConversationNotFound, MessageNotFound, PermissionRefused, RecallTooLate],
    )
    async def recall(self, actor: Actor, conversation_id: AnyIdText, seq: Seq) -> None:
        """Delete your message for everyone, within two minutes: its content goes, its seq stays."""
        await self.edits.recall(actor, self._dialogue(actor, conversation_id), seq)

    async def _response(self, sent: DialogueMessage) -> DialogueMessageResponse:
        if sent.is_new:
            return dialogue_message_response(sent, Tally())
        seq = sent.message.seq
        tallies = await self.reactions.tallies(sent.dialogue, [seq])
        return dialogue_message_response(sent, tallies.get(seq, Tally()))

    def _dialogue(self, actor: Actor, conversation_id: str) -> Dialogue:
        return self.dialogues.of(actor, ConversationId(conversation_id))


def _timeline_page(timeline: Timeline, now: datetime) -> DialoguePage:
    items: list[DialogueMessageResponse | TimelinePostResponse] = []
    for item in timeline.items:
        if isinstance(item, DialogueMessage):
            tally = timeline.message_tallies.get(item.message.seq, Tally())
            items.append(dialogue_message_response(item, tally))
        elif timeline.access is not None:
            tally = timeline.tallies.get(item.seq, Tally())
            post = post_response(item, timeline.access, tally, now)
            items.append(TimelinePostResponse.model_construct(type="post", **dict(post)))
    page = StreamPage(messages=[], next_cursor=timeline.next_cursor)
    return DialoguePage.model_construct(items=items, **history_fields(page))
