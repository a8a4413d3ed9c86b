"""Calls on one-to-one messages, as the user in them: write, read, edit, recall.

They are here and not with the other calls on conversations, since one with a channel may be read with its posts.
"""

from channels.routes.dialogue_responses import (
    DialogueMessageResponse,
    DialoguePage,
    DialogueQuery,
    TimelinePostResponse,
    dialogue_message_response,
)
from channels.routes.responses import post_response
from channels.service.dialogue_reactions import DialogueReactions
from channels.service.timeline import Timeline, TimelineService
from conversations.errors import (
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
    Banned,
    GroupNotFound,
    MediaNotFound,
    MessageNotFound,
    MessageRecalled,
    Muted,
    RecallTooLate,
    WrongMediaKind,
)
from groups.kernel.actor import Actor
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
from groups.routes.responses.writing import NewMessage, WriteMessage


class DialogueRoutes:
    """One-to-one messages: `c2c_<user>` with a user, `c2c_<channel id>` with a channel."""

    tag = "One-to-one messages"

    def __init__(
        self,
        dialogues: DialogueService,
        changes: DialogueEdits,
        timeline: TimelineService,
        reactions: DialogueReactions,
    ) -> None:
        self._dialogues = dialogues
        self._changes = changes
        self._timeline = timeline
        self._reactions = reactions

    @post(
        "/v1/conversations/{conversation_id}/messages",
        status=201,
        errors=[
            ConversationNotFound,
            MessagesNotAccepted,
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
            *FORWARDING_ERRORS,
        ],
    )
    async def write(
        self, actor: Actor, conversation_id: AnyIdText, body: NewMessage, key: IdempotencyKey
    ) -> DialogueMessageResponse:
        """Write to a user or a channel, or forward a message; with an `Idempotency-Key`, repeating it writes nothing.

        The first message begins the conversation for both. A channel takes messages from whom its setting
        `accept_messages` names. To oneself are notes. What is forwarded is a copy with `forwarded_from`, which names no
        private place.
        """
        dialogue = self._dialogue(actor, conversation_id)
        silent = body.silent
        if body.forward is None:
            content = body.to_content()
            said = await self._dialogues.post(actor, dialogue, content, key=key, silent=silent)
        else:
            source = body.forward.source
            said = await self._dialogues.forward(actor, dialogue, source, key=key, silent=silent)
        return await self._one(said)

    @get(
        "/v1/conversations/{conversation_id}/messages",
        errors=[ConversationNotFound, PermissionRefused, Banned, BadCursor],
    )
    async def history(
        self, actor: Actor, conversation_id: AnyIdText, query: DialogueQuery
    ) -> DialoguePage:
        """A page of one-to-one messages, newest first: the newest, those before a seq, or the ones right after a seq.

        With a channel and `with_posts=true`, its posts and these messages by time, each item tagged by its `type`.
        """
        dialogue = self._dialogue(actor, conversation_id)
        if query.with_posts:
            if dialogue.channel_id is None:
                reason = "only a channel has posts"
                raise InvalidRequest(reason, errors=[{"field": "with_posts", "reason": reason}])
            timeline = await self._timeline.page(
                actor, dialogue, dialogue.channel_id, limit=query.limit, cursor=query.cursor
            )
            return _timeline_page(timeline)
        page, next_cursor = await self._dialogues.page(
            actor,
            dialogue,
            limit=query.limit,
            before_seq=query.before_seq,
            after_seq=query.after_seq,
            cursor=query.cursor,
        )
        tallies = await self._reactions.tallies(dialogue, [said.message.seq for said in page])
        return DialoguePage.model_construct(
            items=[
                dialogue_message_response(said, tallies.get(said.message.seq, Tally()))
                for said in page
            ],
            next_cursor=next_cursor,
        )

    @get(
        "/v1/conversations/{conversation_id}/messages/{seq}",
        errors=[ConversationNotFound, MessageNotFound],
    )
    async def get_message(
        self, actor: Actor, conversation_id: AnyIdText, seq: Seq
    ) -> DialogueMessageResponse:
        """One message."""
        dialogue = self._dialogue(actor, conversation_id)
        return await self._one(await self._dialogues.get(actor, dialogue, seq))

    @patch(
        "/v1/conversations/{conversation_id}/messages/{seq}",
        errors=[
            ConversationNotFound,
            MessageNotFound,
            MessageRecalled,
            MessagesNotAccepted,
            PeerBlocked,
            PermissionRefused,
            Banned,
            Muted,
            FieldTooLong,
            MediaNotFound,
            WrongMediaKind,
        ],
    )
    async def edit(
        self, actor: Actor, conversation_id: AnyIdText, seq: Seq, body: WriteMessage
    ) -> DialogueMessageResponse:
        """Replace the content of my message, while I may still write there."""
        dialogue = self._dialogue(actor, conversation_id)
        return await self._one(await self._changes.edit(actor, dialogue, seq, body.to_content()))

    @delete(
        "/v1/conversations/{conversation_id}/messages/{seq}",
        status=204,
        errors=[ConversationNotFound, MessageNotFound, PermissionRefused, RecallTooLate],
    )
    async def recall(self, actor: Actor, conversation_id: AnyIdText, seq: Seq) -> None:
        """Take my message back within two minutes: its content goes, its seq stays."""
        await self._changes.recall(actor, self._dialogue(actor, conversation_id), seq)

    async def _one(self, said: DialogueMessage) -> DialogueMessageResponse:
        seq = said.message.seq
        tallies = await self._reactions.tallies(said.dialogue, [seq])
        return dialogue_message_response(said, tallies.get(seq, Tally()))

    def _dialogue(self, actor: Actor, conversation_id: str) -> Dialogue:
        return self._dialogues.of(actor, ConversationId(conversation_id))


def _timeline_page(timeline: Timeline) -> DialoguePage:
    items: list[DialogueMessageResponse | TimelinePostResponse] = []
    for item in timeline.items:
        if isinstance(item, DialogueMessage):
            tally = timeline.said_tallies.get(item.message.seq, Tally())
            items.append(dialogue_message_response(item, tally))
        elif timeline.access is not None:
            tally = timeline.tallies.get(item.seq, Tally())
            view = post_response(item, timeline.access, tally)
            items.append(TimelinePostResponse.model_construct(type="post", **dict(view)))
    return DialoguePage.model_construct(items=items, next_cursor=timeline.next_cursor)
