"""Builds the buttons on channels, conversations and the engine of reactions."""

from dataclasses import dataclass

from channels.buttons.service.dialogues import DialogueButtons
from channels.buttons.service.posts import PostButtons
from channels.buttons.service.replies import ReplySender
from channels.service.inbox_rules import ChannelInboxRules
from conversations.wiring import Conversations
from reactions.service.engine import ReactionEngine


@dataclass(frozen=True, slots=True)
class Buttons:
    """The services of buttons."""

    posts: PostButtons
    messages: DialogueButtons
    replies: ReplySender

    async def close(self) -> None:
        """Wait until every press is counted or refused."""
        await self.posts.close()
        await self.messages.close()


def assemble(
    engine: ReactionEngine,
    conversations: Conversations,
    rules: ChannelInboxRules,
) -> Buttons:
    """Build the services."""
    replies = ReplySender(dialogues=conversations.dialogues)
    return Buttons(
        posts=PostButtons(engine=engine, rules=rules, replies=replies),
        messages=DialogueButtons(
            engine=engine,
            dialogues=conversations.dialogues,
            permission=conversations.write_permission,
            replies=replies,
        ),
        replies=replies,
    )
