"""What a channel posts: group messages in the words of channels, with their reactions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from channels.errors import in_words_of_channels
from channels.service.extras import ExtrasCache
from groups.kernel.actor import Actor
from groups.kernel.ids import GroupId
from groups.models import Content, Message, Standing, Tally
from groups.service import MessageService, Posted
from reactions.models import Reaction
from reactions.service import ReactionService


@dataclass(frozen=True, slots=True)
class Posts:
    """A page of posts, newest first, with the reader's standing, and by seq the tallies of those that have any."""

    messages: Sequence[Message]
    standing: Standing
    tallies: Mapping[int, Tally]
    next_cursor: str | None


class PostService:
    """Posts of channels and the reactions to them."""

    def __init__(
        self, extras: ExtrasCache, messages: MessageService, reactions: ReactionService
    ) -> None:
        self._extras = extras
        self._messages = messages
        self._reactions = reactions

    async def publish(
        self, actor: Actor, channel_id: GroupId, content: Content, *, key: str | None
    ) -> Posted:
        """Post to all subscribers; with a `key`, once.

        Publishes: MessagePosted. Raises: ChannelNotFound; PostingNotAllowed; Muted; FieldTooLong; RateLimited;
        IdempotencyConflict.
        """
        await self._extras.get(channel_id)
        with in_words_of_channels():
            return await self._messages.post(actor, channel_id, content, key=key)

    async def list_posts(
        self,
        actor: Actor,
        channel_id: GroupId,
        *,
        limit: int,
        before_seq: int | None,
        after_seq: int | None,
        cursor: str | None,
    ) -> Posts:
        """A page of posts, newest first: the newest, those before a seq, or the ones right after a seq.

        Raises: ChannelNotFound; Banned; BadCursor.
        """
        await self._extras.get(channel_id)
        with in_words_of_channels():
            history = await self._messages.list_messages(
                actor,
                channel_id,
                limit=limit,
                before_seq=before_seq,
                after_seq=after_seq,
                cursor=cursor,
            )
        seqs = [message.seq for message in history.messages]
        tallies = await self._tallies(actor, history.standing, seqs)
        return Posts(history.messages, history.standing, tallies, history.next_cursor)

    async def get(self, actor: Actor, channel_id: GroupId, seq: int) -> tuple[Posted, Tally]:
        """One post with its reactions.

        Raises: ChannelNotFound; PostNotFound; Banned.
        """
        await self._extras.get(channel_id)
        with in_words_of_channels():
            posted = await self._messages.get(actor, channel_id, seq)
        tallies = await self._tallies(actor, posted.standing, [seq])
        return posted, tallies.get(seq, Tally())

    async def edit(
        self, actor: Actor, channel_id: GroupId, seq: int, content: Content
    ) -> tuple[Posted, Tally]:
        """Replace a post's content (its author, owner, admins).

        Publishes: MessageEdited. Raises: ChannelNotFound; PostNotFound; MessageRecalled; whatever refuses a post.
        """
        await self._extras.get(channel_id)
        with in_words_of_channels():
            posted = await self._messages.edit(actor, channel_id, seq, content)
        tallies = await self._tallies(actor, posted.standing, [seq])
        return posted, tallies.get(seq, Tally())

    async def recall(self, actor: Actor, channel_id: GroupId, seq: int) -> None:
        """Take a post back (owner, admins); its seq stays.

        Publishes: MessageRecalled. Raises: ChannelNotFound; PostNotFound; PermissionRefused.
        """
        await self._extras.get(channel_id)
        with in_words_of_channels():
            await self._messages.recall(actor, channel_id, seq)

    async def react(self, actor: Actor, channel_id: GroupId, seq: int, emoji: str) -> Tally:
        """React with one emoji; where one a user is the rule, it replaces the one before.

        Publishes: ReactionsChanged. Raises: ChannelNotFound; PostNotFound; PermissionRefused; ReactionNotAllowed.
        """
        await self._extras.get(channel_id)
        with in_words_of_channels():
            return await self._reactions.react(actor, channel_id, seq, emoji)

    async def unreact(self, actor: Actor, channel_id: GroupId, seq: int, emoji: str) -> Tally:
        """Take one's own reaction back; always allowed to a subscriber.

        Publishes: ReactionsChanged. Raises: ChannelNotFound; PostNotFound; PermissionRefused.
        """
        await self._extras.get(channel_id)
        with in_words_of_channels():
            return await self._reactions.unreact(actor, channel_id, seq, emoji)

    async def reactions(self, actor: Actor, channel_id: GroupId, seq: int) -> Tally:
        """The reactions to a post.

        Raises: ChannelNotFound; PostNotFound; Banned.
        """
        await self._extras.get(channel_id)
        with in_words_of_channels():
            return await self._reactions.get(actor, channel_id, seq)

    async def reactors(
        self,
        actor: Actor,
        channel_id: GroupId,
        seq: int,
        emoji: str,
        *,
        limit: int,
        cursor: str | None,
    ) -> tuple[Sequence[Reaction], str | None]:
        """A page of who reacted with an emoji (owner, admins).

        Raises: ChannelNotFound; PostNotFound; PermissionRefused.
        """
        await self._extras.get(channel_id)
        with in_words_of_channels():
            return await self._reactions.who(
                actor, channel_id, seq, emoji, limit=limit, cursor=cursor
            )

    async def _tallies(
        self, actor: Actor, standing: Standing, seqs: Sequence[int]
    ) -> Mapping[int, Tally]:
        return await self._reactions.tallies(actor, standing.group.stream_id, seqs)
