"""Calls on posts and the reactions to them."""

from typing import Final

from channels.errors import ChannelNotFound, PostNotFound
from channels.routes.responses import (
    ChannelIdText,
    PostResponse,
    anonymous_post_response,
    post_response,
)
from channels.service.posts import PostService
from groups.errors import (
    Banned,
    ForwardingNotAllowed,
    MediaNotFound,
    MessageRecalled,
    Muted,
    PinLimitReached,
    PostingNotAllowed,
    ReactingBanned,
    StorageQuotaReached,
    WrongMediaKind,
)
from groups.kernel.actor import Actor
from groups.kernel.emoji_text import EmojiText
from groups.kernel.endpoint import IdempotencyKey, Rendered, delete, get, patch, post, put
from groups.kernel.errors import (
    BadCursor,
    FieldTooLong,
    IdempotencyConflict,
    PermissionRefused,
    RateLimited,
)
from groups.kernel.ids import GroupId
from groups.kernel.paging import Page, PageQuery
from groups.models import Tally
from groups.routes.messages import HistoryQuery, Seq
from groups.routes.rendering import MessageRendering
from groups.routes.responses.tallies import TallyResponse, rendered_tally, tally_response
from groups.routes.responses.writing import NewMessage, WriteMessage
from groups.service.users import UserService
from reactions.errors import (
    BadEmoji,
    DistinctReactionsReached,
    ReactionNotAllowed,
    ReactionsFrozen,
    ReactionsPerUserReached,
)
from reactions.routes import ReactorResponse, reactor_responses

_FORWARDING_ERRORS: Final = (
    PostNotFound,
    MessageRecalled,
    PermissionRefused,
    ForwardingNotAllowed,
)
"""What more can be in the way of a forward than of a post: the source, which is spoken of as a channel's post."""


class PostRoutes:
    """Posts."""

    tag = "Posts"

    def __init__(self, posts: PostService, users: UserService) -> None:
        self._posts = posts
        self._users = users
        # An author is named by his id only, to owner and admins.
        self._rendering = MessageRendering(
            lambda message, access, tally, _: post_response(message, access, tally)
        )

    @post(
        "/v1/channels/{channel_id}/posts",
        status=201,
        errors=[
            ChannelNotFound,
            FieldTooLong,
            PostingNotAllowed,
            Muted,
            Banned,
            IdempotencyConflict,
            MediaNotFound,
            WrongMediaKind,
            StorageQuotaReached,
            RateLimited,
            *_FORWARDING_ERRORS,
        ],
    )
    async def publish(
        self, actor: Actor, channel_id: ChannelIdText, body: NewMessage, key: IdempotencyKey
    ) -> PostResponse:
        """Post to all subscribers, or forward (owner, admin); with an `Idempotency-Key`, repeating it posts once.

        What is forwarded is a copy with `forwarded_from`, which names the channel or group and never who wrote; a
        private one is not named. To post later, keep a draft with a `publish_at`.
        """
        group_id, silent = GroupId(channel_id), body.silent
        if body.forward is None:
            posted = await self._posts.publish(
                actor, group_id, body.to_content(), key=key, silent=silent
            )
        else:
            source = body.forward.source
            posted = await self._posts.forward(actor, group_id, source, key=key, silent=silent)
        return post_response(posted.message, posted.access, Tally())

    @post(
        "/v1/channels/{channel_id}/posts/preview",
        errors=[
            ChannelNotFound,
            FieldTooLong,
            PostingNotAllowed,
            Muted,
            Banned,
            MediaNotFound,
            WrongMediaKind,
            StorageQuotaReached,
            *_FORWARDING_ERRORS,
        ],
    )
    async def preview(
        self, actor: Actor, channel_id: ChannelIdText, body: NewMessage
    ) -> PostResponse:
        """The post as its readers would see it, refused as posting it would be; nothing is stored."""
        group_id, silent = GroupId(channel_id), body.silent
        if body.forward is None:
            content = body.to_content()
            posted = await self._posts.preview(actor, group_id, content, silent=silent)
        else:
            source = body.forward.source
            posted = await self._posts.preview_forward(actor, group_id, source, silent=silent)
        access = posted.access
        return anonymous_post_response(
            posted.message, access.group.group_id, access.group.name, Tally()
        )

    @get("/v1/channels/{channel_id}/posts", errors=[ChannelNotFound, Banned, BadCursor])
    async def history(
        self, actor: Actor, channel_id: ChannelIdText, query: HistoryQuery
    ) -> Rendered[Page[PostResponse]]:
        """A page of posts, newest first: the newest, those before a seq, or the ones right after a seq."""
        page = await self._posts.list_posts(
            actor,
            GroupId(channel_id),
            limit=query.limit,
            before_seq=query.before_seq,
            after_seq=query.after_seq,
            cursor=query.cursor,
        )
        return Rendered(
            self._rendering.page(
                page.messages,
                page.access,
                page.tallies,
                page.next_cursor,
                is_forward=page.is_forward,
            )
        )

    @get("/v1/channels/{channel_id}/posts/{seq}", errors=[ChannelNotFound, PostNotFound, Banned])
    async def get_post(self, actor: Actor, channel_id: ChannelIdText, seq: Seq) -> PostResponse:
        """One post."""
        posted, tally = await self._posts.get(actor, GroupId(channel_id), seq)
        return post_response(posted.message, posted.access, tally)

    @patch(
        "/v1/channels/{channel_id}/posts/{seq}",
        errors=[
            ChannelNotFound,
            PostNotFound,
            PostingNotAllowed,
            Muted,
            Banned,
            MessageRecalled,
            PermissionRefused,
            FieldTooLong,
            MediaNotFound,
            WrongMediaKind,
            StorageQuotaReached,
        ],
    )
    async def edit(
        self, actor: Actor, channel_id: ChannelIdText, seq: Seq, body: WriteMessage
    ) -> PostResponse:
        """Replace a post's content (owner, admin)."""
        posted, tally = await self._posts.edit(actor, GroupId(channel_id), seq, body.to_content())
        return post_response(posted.message, posted.access, tally)

    @delete(
        "/v1/channels/{channel_id}/posts/{seq}",
        status=204,
        errors=[ChannelNotFound, PostNotFound, PermissionRefused, Banned],
    )
    async def recall(self, actor: Actor, channel_id: ChannelIdText, seq: Seq) -> None:
        """Take a post back (owner, admin): its content goes, its seq stays."""
        await self._posts.recall(actor, GroupId(channel_id), seq)

    @put(
        "/v1/channels/{channel_id}/posts/{seq}/pin",
        errors=[
            ChannelNotFound,
            PostNotFound,
            PermissionRefused,
            Banned,
            MessageRecalled,
            PinLimitReached,
        ],
    )
    async def pin(self, actor: Actor, channel_id: ChannelIdText, seq: Seq) -> PostResponse:
        """Pin a post (owner, admin); subscribers hear `message.edited` with `pinned: true`."""
        posted, tally = await self._posts.pin(actor, GroupId(channel_id), seq)
        return post_response(posted.message, posted.access, tally)

    @delete(
        "/v1/channels/{channel_id}/posts/{seq}/pin",
        status=204,
        errors=[ChannelNotFound, PostNotFound, PermissionRefused, Banned],
    )
    async def unpin(self, actor: Actor, channel_id: ChannelIdText, seq: Seq) -> None:
        """Unpin a post (owner, admin); recalling it does so too."""
        await self._posts.unpin(actor, GroupId(channel_id), seq)

    @get("/v1/channels/{channel_id}/pins", errors=[ChannelNotFound, Banned])
    async def pins(self, actor: Actor, channel_id: ChannelIdText) -> Page[PostResponse]:
        """The pinned posts, the newest pin first; all of them, since they are few."""
        pins = await self._posts.list_pins(actor, GroupId(channel_id))
        return Page(
            items=[
                post_response(message, pins.access, pins.tallies.get(message.seq, Tally()))
                for message in pins.messages
            ]
        )

    @put(
        "/v1/channels/{channel_id}/posts/{seq}/reactions-freeze",
        errors=[ChannelNotFound, PostNotFound, PermissionRefused, Banned, MessageRecalled],
    )
    async def freeze_reactions(
        self, actor: Actor, channel_id: ChannelIdText, seq: Seq
    ) -> PostResponse:
        """Let nobody react to a post any more (owner, admin); the counts stay, and taking back is allowed."""
        posted, tally = await self._posts.freeze_reactions(
            actor, GroupId(channel_id), seq, frozen=True
        )
        return post_response(posted.message, posted.access, tally)

    @delete(
        "/v1/channels/{channel_id}/posts/{seq}/reactions-freeze",
        status=204,
        errors=[ChannelNotFound, PostNotFound, PermissionRefused, Banned, MessageRecalled],
    )
    async def unfreeze_reactions(self, actor: Actor, channel_id: ChannelIdText, seq: Seq) -> None:
        """Let subscribers react to a post again (owner, admin)."""
        await self._posts.freeze_reactions(actor, GroupId(channel_id), seq, frozen=False)

    @put(
        "/v1/channels/{channel_id}/posts/{seq}/reactions/{emoji}",
        errors=[
            ChannelNotFound,
            PostNotFound,
            BadEmoji,
            ReactionNotAllowed,
            ReactionsFrozen,
            ReactionsPerUserReached,
            DistinctReactionsReached,
            PermissionRefused,
            Banned,
            ReactingBanned,
            MessageRecalled,
        ],
    )
    async def react(
        self, actor: Actor, channel_id: ChannelIdText, seq: Seq, emoji: EmojiText
    ) -> Rendered[TallyResponse]:
        """React (subscribers); where one a user is the rule, it replaces my reaction before."""
        return rendered_tally(await self._posts.react(actor, GroupId(channel_id), seq, emoji))

    @delete(
        "/v1/channels/{channel_id}/posts/{seq}/reactions/{emoji}",
        errors=[ChannelNotFound, PostNotFound, BadEmoji, PermissionRefused, Banned],
    )
    async def unreact(
        self, actor: Actor, channel_id: ChannelIdText, seq: Seq, emoji: EmojiText
    ) -> Rendered[TallyResponse]:
        """Take my reaction back; always allowed."""
        return rendered_tally(await self._posts.unreact(actor, GroupId(channel_id), seq, emoji))

    @get(
        "/v1/channels/{channel_id}/posts/{seq}/reactions",
        errors=[ChannelNotFound, PostNotFound, Banned],
    )
    async def reactions(self, actor: Actor, channel_id: ChannelIdText, seq: Seq) -> TallyResponse:
        """The reactions to a post, and my own."""
        return tally_response(await self._posts.reactions(actor, GroupId(channel_id), seq))

    @get(
        "/v1/channels/{channel_id}/posts/{seq}/reactions/{emoji}",
        errors=[ChannelNotFound, PostNotFound, BadEmoji, PermissionRefused, Banned],
    )
    async def reactors(
        self,
        actor: Actor,
        channel_id: ChannelIdText,
        seq: Seq,
        emoji: EmojiText,
        query: PageQuery,
    ) -> Page[ReactorResponse]:
        """Who reacted with an emoji (owner, admin)."""
        reactors, next_cursor = await self._posts.reactors(
            actor, GroupId(channel_id), seq, emoji, limit=query.limit, cursor=query.cursor
        )
        return Page(items=await reactor_responses(self._users, reactors), next_cursor=next_cursor)
