"""What a channel posts: group messages in the words of channels, with their reactions."""

from collections.abc import Sequence
from dataclasses import dataclass

from channels.errors import in_words_of_channels
from channels.service.profiles import ProfileCache
from groups.kernel.actor import Actor
from groups.kernel.ids import GroupId
from groups.models import AccessContext, Content, Message, Source, Tallies, Tally
from groups.service.messages.service import Posted
from groups.wiring import GroupChat
from reactions.models import Reaction
from reactions.service.reactions import ReactionService


@dataclass(frozen=True, slots=True)
class Posts:
    """A page of posts, newest first, with the reader's standing, and by seq the tallies of those that have any."""

    messages: Sequence[Message]
    access: AccessContext
    tallies: Tallies
    next_cursor: str | None
    is_forward: bool = False
    """As `History` has it."""


class PostService:
    """Posts of channels and the reactions to them."""

    def __init__(self, extras: ProfileCache, chat: GroupChat, reactions: ReactionService) -> None:
        self._extras = extras
        self._messages = chat.messages
        self._changes = chat.edits
        self._forwards = chat.forwards
        self._curation = chat.pins
        self._reactions = reactions

    async def publish(
        self,
        actor: Actor,
        channel_id: GroupId,
        content: Content,
        *,
        key: str | None,
        silent: bool = False,
    ) -> Posted:
        """Post to all subscribers; with a `key`, once.

        Publishes: MessagePosted. Raises: ChannelNotFound; PostingNotAllowed; Muted; FieldTooLong; RateLimited;
        IdempotencyConflict.
        """
        await self._extras.get(channel_id)
        with in_words_of_channels():
            return await self._messages.post(actor, channel_id, content, key=key, silent=silent)

    async def forward(
        self,
        actor: Actor,
        channel_id: GroupId,
        source: Source,
        *,
        key: str | None,
        silent: bool = False,
    ) -> Posted:
        """Post a copy of a message from elsewhere; with a `key`, once.

        Publishes: MessagePosted. Raises: as `publish`; as reading the source does; ForwardingNotAllowed.
        """
        await self._extras.get(channel_id)
        with in_words_of_channels():
            return await self._forwards.forward(actor, channel_id, source, key=key, silent=silent)

    async def preview(
        self, actor: Actor, channel_id: GroupId, content: Content, *, silent: bool = False
    ) -> Posted:
        """What posting this would make; nothing is stored.

        Raises: ChannelNotFound; whatever refuses a post.
        """
        await self._extras.get(channel_id)
        with in_words_of_channels():
            return await self._messages.preview(actor, channel_id, content, silent=silent)

    async def preview_forward(
        self, actor: Actor, channel_id: GroupId, source: Source, *, silent: bool
    ) -> Posted:
        """What forwarding this would make; nothing is stored.

        Raises: ChannelNotFound; whatever refuses a forward.
        """
        await self._extras.get(channel_id)
        with in_words_of_channels():
            return await self._forwards.preview(actor, channel_id, source, silent=silent)

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
        return Posts(
            history.messages,
            history.access,
            history.tallies,
            history.next_cursor,
            history.is_forward,
        )

    async def get(self, actor: Actor, channel_id: GroupId, seq: int) -> tuple[Posted, Tally]:
        """One post with its reactions.

        Raises: ChannelNotFound; PostNotFound; Banned.
        """
        await self._extras.get(channel_id)
        with in_words_of_channels():
            posted = await self._messages.get(actor, channel_id, seq)
        tallies = await self._tallies(actor, posted.access, [seq])
        return posted, tallies.get(seq, Tally())

    async def edit(
        self, actor: Actor, channel_id: GroupId, seq: int, content: Content
    ) -> tuple[Posted, Tally]:
        """Replace a post's content (its author, owner, admins).

        Publishes: MessageEdited. Raises: ChannelNotFound; PostNotFound; MessageRecalled; whatever refuses a post.
        """
        await self._extras.get(channel_id)
        with in_words_of_channels():
            posted = await self._changes.edit(actor, channel_id, seq, content)
        tallies = await self._tallies(actor, posted.access, [seq])
        return posted, tallies.get(seq, Tally())

    async def recall(self, actor: Actor, channel_id: GroupId, seq: int) -> None:
        """Take a post back (owner, admins); its seq stays.

        Publishes: MessageRecalled. Raises: ChannelNotFound; PostNotFound; PermissionRefused.
        """
        await self._extras.get(channel_id)
        with in_words_of_channels():
            await self._changes.recall(actor, channel_id, seq)

    async def pin(self, actor: Actor, channel_id: GroupId, seq: int) -> tuple[Posted, Tally]:
        """Pin a post (owner, admins with that right); again, it changes nothing.

        Publishes: MessageEdited. Raises: ChannelNotFound; PostNotFound; PermissionRefused; MessageRecalled;
        PinLimitReached.
        """
        await self._extras.get(channel_id)
        with in_words_of_channels():
            posted = await self._curation.pin(actor, channel_id, seq)
        tallies = await self._tallies(actor, posted.access, [seq])
        return posted, tallies.get(seq, Tally())

    async def unpin(self, actor: Actor, channel_id: GroupId, seq: int) -> None:
        """Unpin a post (owner, admins with that right); again, it changes nothing.

        Publishes: MessageEdited. Raises: ChannelNotFound; PostNotFound; PermissionRefused.
        """
        await self._extras.get(channel_id)
        with in_words_of_channels():
            await self._curation.unpin(actor, channel_id, seq)

    async def list_pins(self, actor: Actor, channel_id: GroupId) -> Posts:
        """The pinned posts, the newest pin first.

        Raises: ChannelNotFound; Banned.
        """
        await self._extras.get(channel_id)
        with in_words_of_channels():
            pins = await self._curation.list_pins(actor, channel_id)
        seqs = [message.seq for message in pins.messages]
        tallies = await self._tallies(actor, pins.access, seqs)
        return Posts(pins.messages, pins.access, tallies, None)

    async def freeze_reactions(
        self, actor: Actor, channel_id: GroupId, seq: int, *, frozen: bool
    ) -> tuple[Posted, Tally]:
        """Let nobody react to a post any more, or again; what was given stays, and may be taken back.

        Publishes: MessageEdited. Raises: ChannelNotFound; PostNotFound; PermissionRefused; MessageRecalled.
        """
        await self._extras.get(channel_id)
        with in_words_of_channels():
            posted = await self._curation.freeze_reactions(actor, channel_id, seq, frozen=frozen)
        tallies = await self._tallies(actor, posted.access, [seq])
        return posted, tallies.get(seq, Tally())

    async def react(self, actor: Actor, channel_id: GroupId, seq: int, emoji: str) -> Tally:
        """React with one emoji; where one a user is the rule, it replaces the one before.

        Publishes: ReactionsChanged. Raises: ChannelNotFound; PostNotFound; PermissionRefused; ReactionNotAllowed;
        ReactionsFrozen.
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

    async def _tallies(self, actor: Actor, access: AccessContext, seqs: Sequence[int]) -> Tallies:
        return await self._reactions.tallies(actor, access.group.stream_id, seqs)
