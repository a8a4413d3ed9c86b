"""Endpoints of reactions to one-to-one messages: as the user, and as the channel from its inbox."""

from dataclasses import dataclass
from typing import Final

from channels.errors import ChannelNotFound
from channels.routes.responses import ChannelIdText
from channels.service.dialogue_reactions import DialogueReactions
from channels.service.guard import InboxGuard
from conversations.errors import ConversationNotFound, MessagesNotAccepted, PeerBlocked
from conversations.models import ConversationId
from conversations.service.dialogues import DialogueService
from groups.errors import (
    Banned,
    BusinessAccount,
    ChannelSuspended,
    MessageNotFound,
    MessageRecalled,
    Muted,
    NotAPerson,
    UserRestricted,
)
from groups.kernel.actor import Actor
from groups.kernel.endpoint import Rendered, delete, put
from groups.kernel.errors import PermissionRefused
from groups.kernel.ids import AnyIdText, UserIdText
from groups.kernel.text.emoji import EmojiText
from groups.routes.messages import Seq
from groups.routes.responses.tallies import TallyResponse, rendered_tally
from reactions.errors import BadEmoji, DistinctReactionsReached, ReactionsPerUserReached

_REMOVING_ERRORS: Final = (BadEmoji, ConversationNotFound, MessageNotFound)
_ADDING_ERRORS: Final = (
    UserRestricted,
    *_REMOVING_ERRORS,
    MessageRecalled,
    MessagesNotAccepted,
    NotAPerson,
    ReactionsPerUserReached,
    DistinctReactionsReached,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DialogueReactionRoutes:
    """Reactions to one-to-one messages."""

    tag = "Reactions"

    reactions: DialogueReactions
    dialogues: DialogueService
    inbox: InboxGuard

    @put(
        "/v1/conversations/{conversation_id}/messages/{seq}/reactions/{emoji}",
        errors=[*_ADDING_ERRORS, BusinessAccount, PeerBlocked, PermissionRefused, Banned, Muted],
    )
    async def react_in_private(
        self, actor: Actor, conversation_id: AnyIdText, seq: Seq, emoji: EmojiText
    ) -> Rendered[TallyResponse]:
        """React to a one-to-one message, yours or the other side's, while you may write there."""
        dialogue = self.dialogues.of(actor, ConversationId(conversation_id))
        return rendered_tally(await self.reactions.react(actor, dialogue, seq, emoji))

    @delete(
        "/v1/conversations/{conversation_id}/messages/{seq}/reactions/{emoji}",
        errors=_REMOVING_ERRORS,
    )
    async def unreact_in_private(
        self, actor: Actor, conversation_id: AnyIdText, seq: Seq, emoji: EmojiText
    ) -> Rendered[TallyResponse]:
        """Remove your reaction, also if you may not write any more."""
        dialogue = self.dialogues.of(actor, ConversationId(conversation_id))
        return rendered_tally(await self.reactions.unreact(actor, dialogue, seq, emoji))

    @put(
        "/v1/channels/{channel_id}/inbox/{user_id}/messages/{seq}/reactions/{emoji}",
        errors=[ChannelSuspended, ChannelNotFound, PermissionRefused, *_ADDING_ERRORS],
    )
    async def react_as_channel(
        self,
        actor: Actor,
        channel_id: ChannelIdText,
        user_id: UserIdText,
        seq: Seq,
        emoji: EmojiText,
    ) -> Rendered[TallyResponse]:
        """React as the channel; all who read its inbox share its reactions."""
        thread = await self.inbox.thread(actor, channel_id, user_id)
        return rendered_tally(
            await self.reactions.react(actor, thread, seq, emoji, for_channel=True)
        )

    @delete(
        "/v1/channels/{channel_id}/inbox/{user_id}/messages/{seq}/reactions/{emoji}",
        errors=[ChannelNotFound, PermissionRefused, *_REMOVING_ERRORS],
    )
    async def unreact_as_channel(
        self,
        actor: Actor,
        channel_id: ChannelIdText,
        user_id: UserIdText,
        seq: Seq,
        emoji: EmojiText,
    ) -> Rendered[TallyResponse]:
        """Remove a reaction of the channel, also one that another admin added; this is always allowed."""
        thread = await self.inbox.thread(actor, channel_id, user_id)
        return rendered_tally(
            await self.reactions.unreact(actor, thread, seq, emoji, for_channel=True)
        )
