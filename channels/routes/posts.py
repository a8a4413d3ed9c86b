"""Calls on posts and the reactions to them."""

from channels.errors import ChannelNotFound, PostNotFound
from channels.routes.views import ChannelIdText, PostView, post_view
from channels.service import PostService
from groups.errors import Banned, MessageRecalled, Muted, PostingNotAllowed
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
from groups.routes import MessageRendering
from groups.routes.messages import HistoryQuery, Seq
from groups.routes.views import TallyView, WriteMessage, rendered_tally, tally_view
from groups.service import UserService
from reactions.errors import BadEmoji, ReactionNotAllowed
from reactions.routes import ReactorView, reactor_views


class PostRoutes:
    """Posts."""

    tag = "Posts"

    def __init__(self, posts: PostService, users: UserService) -> None:
        self._posts = posts
        self._users = users
        self._rendering = MessageRendering(post_view)

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
            RateLimited,
        ],
    )
    async def publish(
        self, actor: Actor, channel_id: ChannelIdText, body: WriteMessage, key: IdempotencyKey
    ) -> PostView:
        """Post to all subscribers (owner, admin); with an `Idempotency-Key`, repeating it posts once."""
        posted = await self._posts.publish(actor, GroupId(channel_id), body.to_content(), key=key)
        return post_view(posted.message, posted.standing, Tally())

    @get("/v1/channels/{channel_id}/posts", errors=[ChannelNotFound, Banned, BadCursor])
    async def history(
        self, actor: Actor, channel_id: ChannelIdText, query: HistoryQuery
    ) -> Rendered[Page[PostView]]:
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
            self._rendering.page(page.messages, page.standing, page.tallies, page.next_cursor)
        )

    @get("/v1/channels/{channel_id}/posts/{seq}", errors=[ChannelNotFound, PostNotFound, Banned])
    async def get_post(self, actor: Actor, channel_id: ChannelIdText, seq: Seq) -> PostView:
        """One post."""
        posted, tally = await self._posts.get(actor, GroupId(channel_id), seq)
        return post_view(posted.message, posted.standing, tally)

    @patch(
        "/v1/channels/{channel_id}/posts/{seq}",
        errors=[
            ChannelNotFound,
            PostNotFound,
            PostingNotAllowed,
            Muted,
            Banned,
            MessageRecalled,
            FieldTooLong,
        ],
    )
    async def edit(
        self, actor: Actor, channel_id: ChannelIdText, seq: Seq, body: WriteMessage
    ) -> PostView:
        """Replace a post's content (owner, admin)."""
        posted, tally = await self._posts.edit(actor, GroupId(channel_id), seq, body.to_content())
        return post_view(posted.message, posted.standing, tally)

    @delete(
        "/v1/channels/{channel_id}/posts/{seq}",
        status=204,
        errors=[ChannelNotFound, PostNotFound, PermissionRefused, Banned],
    )
    async def recall(self, actor: Actor, channel_id: ChannelIdText, seq: Seq) -> None:
        """Take a post back (owner, admin): its content goes, its seq stays."""
        await self._posts.recall(actor, GroupId(channel_id), seq)

    @put(
        "/v1/channels/{channel_id}/posts/{seq}/reactions/{emoji}",
        errors=[
            ChannelNotFound,
            PostNotFound,
            BadEmoji,
            ReactionNotAllowed,
            PermissionRefused,
            Banned,
            MessageRecalled,
        ],
    )
    async def react(
        self, actor: Actor, channel_id: ChannelIdText, seq: Seq, emoji: EmojiText
    ) -> Rendered[TallyView]:
        """React (subscribers); where one a user is the rule, it replaces my reaction before."""
        return rendered_tally(await self._posts.react(actor, GroupId(channel_id), seq, emoji))

    @delete(
        "/v1/channels/{channel_id}/posts/{seq}/reactions/{emoji}",
        errors=[ChannelNotFound, PostNotFound, BadEmoji, PermissionRefused, Banned],
    )
    async def unreact(
        self, actor: Actor, channel_id: ChannelIdText, seq: Seq, emoji: EmojiText
    ) -> Rendered[TallyView]:
        """Take my reaction back; always allowed."""
        return rendered_tally(await self._posts.unreact(actor, GroupId(channel_id), seq, emoji))

    @get(
        "/v1/channels/{channel_id}/posts/{seq}/reactions",
        errors=[ChannelNotFound, PostNotFound, Banned],
    )
    async def reactions(self, actor: Actor, channel_id: ChannelIdText, seq: Seq) -> TallyView:
        """The reactions to a post, and my own."""
        return tally_view(await self._posts.reactions(actor, GroupId(channel_id), seq))

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
    ) -> Page[ReactorView]:
        """Who reacted with an emoji (owner, admin)."""
        reactors, next_cursor = await self._posts.reactors(
            actor, GroupId(channel_id), seq, emoji, limit=query.limit, cursor=query.cursor
        )
        return Page(items=await reactor_views(self._users, reactors), next_cursor=next_cursor)
