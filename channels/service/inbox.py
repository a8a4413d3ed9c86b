"""A channel's inbox: its threads with users, which all admins who hold the right read and answer in its name."""

from collections.abc import Sequence

from channels import policy
from channels.errors import in_words_of_channels
from channels.service.dialogue_reactions import DialogueReactions
from channels.service.profiles import ProfileCache
from conversations.models import Dialogue, DialogueMessage, InboxUnread
from conversations.service.dialogue_edits import DialogueEdits
from conversations.service.dialogues import DialogueService
from conversations.service.inbox_threads import ListedThread, ThreadService
from groups.kernel.actor import Actor
from groups.kernel.ids import GroupId, UserId
from groups.models import Content, Source, Tallies, Tally
from groups.service.access.guard import AccessGuard


class ChannelInbox:
    """Threads of channels. Every call raises ChannelNotFound, and PermissionRefused to who lacks the right."""

    def __init__(
        self,
        extras: ProfileCache,
        guard: AccessGuard,
        dialogues: DialogueService,
        changes: DialogueEdits,
        threads: ThreadService,
        reactions: DialogueReactions,
    ) -> None:
        self._extras = extras
        self._guard = guard
        self._dialogues = dialogues
        self._changes = changes
        self._threads = threads
        self._reactions = reactions

    async def list_threads(
        self, actor: Actor, channel_id: GroupId, *, limit: int, cursor: str | None
    ) -> tuple[list[ListedThread], str | None]:
        """A page of threads, by last activity. Raises: BadCursor."""
        await self._check(actor, channel_id)
        return await self._threads.list_threads(channel_id, limit=limit, cursor=cursor)

    async def unread(self, actor: Actor, channel_id: GroupId) -> InboxUnread:
        """How much of the inbox nobody has read yet, at the same cost however many threads there are."""
        await self._check(actor, channel_id)
        return await self._threads.unread_totals(channel_id)

    async def list_messages(
        self,
        actor: Actor,
        channel_id: GroupId,
        user_id: UserId,
        *,
        limit: int,
        before_seq: int | None,
        after_seq: int | None,
        cursor: str | None,
    ) -> tuple[list[DialogueMessage], str | None]:
        """A page of a thread, newest first. Raises: ConversationNotFound where there is none; BadCursor."""
        await self._check(actor, channel_id)
        return await self._dialogues.page(
            actor,
            Dialogue(user_id, channel_id),
            limit=limit,
            before_seq=before_seq,
            after_seq=after_seq,
            cursor=cursor,
            for_channel=True,
        )

    async def get(
        self, actor: Actor, channel_id: GroupId, user_id: UserId, seq: int
    ) -> DialogueMessage:
        """One message of a thread. Raises: ConversationNotFound; MessageNotFound."""
        await self._check(actor, channel_id)
        dialogue = Dialogue(user_id, channel_id)
        return await self._dialogues.get(actor, dialogue, seq, for_channel=True)

    async def answer(
        self,
        actor: Actor,
        channel_id: GroupId,
        user_id: UserId,
        content: Content,
        *,
        key: str | None,
        silent: bool = False,
    ) -> DialogueMessage:
        """Answer in the channel's name, in a thread that there is; the shared cursor moves to it.

        Publishes: DialoguePosted. Raises: ConversationNotFound; MessagesNotAccepted where the user blocks the channel;
        whatever refuses a message.
        """
        await self._check(actor, channel_id)
        dialogue = Dialogue(user_id, channel_id)
        return await self._dialogues.post(
            actor, dialogue, content, key=key, silent=silent, for_channel=True
        )

    async def forward(
        self,
        actor: Actor,
        channel_id: GroupId,
        user_id: UserId,
        source: Source,
        *,
        key: str | None,
        silent: bool = False,
    ) -> DialogueMessage:
        """Answer with a copy of a message that the admin may read, in the channel's name.

        Publishes: DialoguePosted. Raises: as `answer`; as reading the source does; ForwardingNotAllowed.
        """
        await self._check(actor, channel_id)
        dialogue = Dialogue(user_id, channel_id)
        return await self._dialogues.forward(
            actor, dialogue, source, key=key, silent=silent, for_channel=True
        )

    async def edit(
        self, actor: Actor, channel_id: GroupId, user_id: UserId, seq: int, content: Content
    ) -> DialogueMessage:
        """Replace what the channel said, whichever admin wrote it.

        Publishes: DialogueEdited. Raises: MessageNotFound; MessageRecalled; PermissionRefused for the user's words;
        whatever refuses a message.
        """
        await self._check(actor, channel_id)
        dialogue = Dialogue(user_id, channel_id)
        return await self._changes.edit(actor, dialogue, seq, content, for_channel=True)

    async def recall(self, actor: Actor, channel_id: GroupId, user_id: UserId, seq: int) -> None:
        """Take back what the channel said, at any time.

        Publishes: DialogueRecalled. Raises: MessageNotFound; PermissionRefused for the user's words.
        """
        await self._check(actor, channel_id)
        await self._changes.recall(actor, Dialogue(user_id, channel_id), seq, for_channel=True)

    async def read(
        self, actor: Actor, channel_id: GroupId, user_id: UserId, *, seq: int | None
    ) -> tuple[int, int]:
        """Move the shared cursor; where it is then, and how many are unread.

        Publishes: ThreadRead. Raises: ConversationNotFound.
        """
        await self._check(actor, channel_id)
        return await self._threads.mark_read(Dialogue(user_id, channel_id), seq=seq)

    # --- reactions ------------------------------------------------------------------------------------------------

    async def react(
        self, actor: Actor, channel_id: GroupId, user_id: UserId, seq: int, emoji: str
    ) -> Tally:
        """Put an emoji on a message of a thread in the channel's name; again changes nothing.

        Publishes: DialogueReacted. Raises: as `DialogueReactions.react`.
        """
        await self._check(actor, channel_id)
        dialogue = Dialogue(user_id, channel_id)
        return await self._reactions.react(actor, dialogue, seq, emoji, for_channel=True)

    async def unreact(
        self, actor: Actor, channel_id: GroupId, user_id: UserId, seq: int, emoji: str
    ) -> Tally:
        """Take an emoji of the channel back, whoever gave it; again changes nothing.

        Publishes: DialogueReacted. Raises: BadEmoji; ConversationNotFound; MessageNotFound.
        """
        await self._check(actor, channel_id)
        dialogue = Dialogue(user_id, channel_id)
        return await self._reactions.unreact(actor, dialogue, seq, emoji, for_channel=True)

    async def tallies(self, channel_id: GroupId, user_id: UserId, seqs: Sequence[int]) -> Tallies:
        """The reactions to messages of a thread that the caller was shown; `mine` is the channel's."""
        return await self._reactions.tallies(Dialogue(user_id, channel_id), seqs, for_channel=True)

    async def _check(self, actor: Actor, channel_id: GroupId) -> None:
        await self._extras.get(channel_id)
        with in_words_of_channels():
            access = await self._guard.access_of(actor, channel_id)
        refusal = policy.inbox_refusal(access)
        if refusal is not None:
            raise refusal
