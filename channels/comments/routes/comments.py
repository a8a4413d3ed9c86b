"""Endpoints of comments, of the reactions to them, and of what ends commenting: bans, and frozen posts."""

from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

from channels.comments.errors import (
    CommentingBanned,
    CommentLimitReached,
    CommentNotFound,
    CommentsFrozen,
    CommentsOff,
)
from channels.comments.models import PostPlace, VisibleComment
from channels.comments.routes.responses import (
    CommentPageResponse,
    CommentResponse,
    NewComment,
    WriteComment,
    comment_response,
)
from channels.comments.service.comments import CommentService, WrittenComment
from channels.comments.service.reactions import CommentReactions
from channels.comments.service.reading import CommentReader
from channels.errors import ChannelNotFound, PostNotFound
from channels.routes.responses import ChannelIdText
from channels.service.guard import ChannelGuard
from groups.errors import (
    REVIEW_ERRORS,
    Banned,
    BusinessAccount,
    ChannelSuspended,
    MediaNotFound,
    MessageRecalled,
    Muted,
    ReactingBanned,
    StorageQuotaReached,
    UserRestricted,
    WrongMediaKind,
)
from groups.kernel.actor import Actor
from groups.kernel.endpoint import IdempotencyKey, Rendered, delete, get, patch, post, put
from groups.kernel.errors import (
    BadCursor,
    FieldTooLong,
    IdempotencyConflict,
    PermissionRefused,
    RateLimited,
)
from groups.kernel.ids import UserIdText
from groups.kernel.paging import Page, PageQuery
from groups.kernel.text.emoji import EmojiText
from groups.routes.messages import HistoryQuery, Seq
from groups.routes.responses.members import BanResponse
from groups.routes.responses.messages import history_fields
from groups.routes.responses.tallies import TallyResponse, rendered_tally
from groups.service.membership.service import MembershipService
from reactions.errors import (
    BadEmoji,
    DistinctReactionsReached,
    ReactionNotAllowed,
    ReactionsPerUserReached,
)

_READING: Final = (ChannelNotFound, PostNotFound, CommentsOff, MessageRecalled, Banned)
_WRITING: Final = (
    UserRestricted,
    ChannelSuspended,
    *_READING,
    PermissionRefused,
    CommentsFrozen,
    CommentingBanned,
    Muted,
    BusinessAccount,
    FieldTooLong,
    MediaNotFound,
    WrongMediaKind,
    StorageQuotaReached,
    RateLimited,
    *REVIEW_ERRORS,
)
CommentSeq = Annotated[Seq, Field(description="The number of the comment under its post.")]


@dataclass(frozen=True, kw_only=True, slots=True)
class CommentRoutes:
    """Comments on posts."""

    tag = "Comments"

    channel: ChannelGuard
    comments: CommentService
    reader: CommentReader
    reactions: CommentReactions
    memberships: MembershipService

    @post(
        "/v1/channels/{channel_id}/posts/{seq}/comments",
        status=201,
        errors=[*_WRITING, CommentNotFound, CommentLimitReached, IdempotencyConflict],
    )
    async def comment(
        self,
        actor: Actor,
        channel_id: ChannelIdText,
        seq: Seq,
        body: NewComment,
        key: IdempotencyKey,
    ) -> CommentResponse:
        """Comment on a post, as the channel's setting `comments` allows.

        The authors of the post and of the quoted comment are notified. With an `Idempotency-Key`, repeats write once.
        """
        place = PostPlace(channel_id, seq)
        async with self.channel(channel_id):
            written = await self.comments.post(
                actor,
                place,
                body.to_content(),
                key=key,
                quoted_seq=body.quoted_seq,
                as_channel=body.as_channel,
            )
            return comment_response(await self._shown(actor, place, written))

    @get(
        "/v1/channels/{channel_id}/posts/{seq}/comments",
        errors=[*_READING, BadCursor],
    )
    async def list_comments(
        self, actor: Actor, channel_id: ChannelIdText, seq: Seq, query: HistoryQuery
    ) -> CommentPageResponse:
        """A page of the comments on a post, newest first: the newest, or those before, after or around one.

        With `after_seq=0` pages lead from the oldest comment on. With `changed_since`: those that changed since a
        version of the post's comments, the earliest change first. Nobody has unread comments, so `around=unread` is
        the newest page.
        """
        async with self.channel(channel_id):
            page = await self.reader.page(actor, PostPlace(channel_id, seq), query.wanted)
        items = [comment_response(comment) for comment in page.comments]
        return CommentPageResponse.model_construct(items=items, **history_fields(page.page))

    @get(
        "/v1/channels/{channel_id}/posts/{seq}/comments/{comment_seq}",
        errors=[*_READING, CommentNotFound],
    )
    async def get_comment(
        self, actor: Actor, channel_id: ChannelIdText, seq: Seq, comment_seq: CommentSeq
    ) -> CommentResponse:
        """One comment."""
        async with self.channel(channel_id):
            comment = await self.reader.get(actor, PostPlace(channel_id, seq), comment_seq)
        return comment_response(comment)

    @patch(
        "/v1/channels/{channel_id}/posts/{seq}/comments/{comment_seq}",
        errors=[*_WRITING, CommentNotFound],
    )
    async def edit_comment(
        self,
        actor: Actor,
        channel_id: ChannelIdText,
        seq: Seq,
        comment_seq: CommentSeq,
        body: WriteComment,
    ) -> CommentResponse:
        """Replace the content of a comment: your own, or of the channel (the owner, admins who may post)."""
        place = PostPlace(channel_id, seq)
        async with self.channel(channel_id):
            edited = await self.comments.edit(actor, place, comment_seq, body.to_content())
            return comment_response(await self._shown(actor, place, edited))

    @delete(
        "/v1/channels/{channel_id}/posts/{seq}/comments/{comment_seq}",
        status=204,
        errors=[*_READING, CommentNotFound, PermissionRefused, RateLimited],
    )
    async def delete_comment(
        self, actor: Actor, channel_id: ChannelIdText, seq: Seq, comment_seq: CommentSeq
    ) -> None:
        """Delete a comment for everyone: your own at any time, any by the right `delete_posts`."""
        async with self.channel(channel_id):
            await self.comments.recall(actor, PostPlace(channel_id, seq), comment_seq)

    @put(
        "/v1/channels/{channel_id}/posts/{seq}/comments/{comment_seq}/reactions/{emoji}",
        errors=[
            UserRestricted,
            ChannelSuspended,
            *_READING,
            CommentNotFound,
            CommentsFrozen,
            PermissionRefused,
            BusinessAccount,
            ReactingBanned,
            BadEmoji,
            ReactionNotAllowed,
            ReactionsPerUserReached,
            DistinctReactionsReached,
        ],
    )
    async def react_to_comment(
        self,
        actor: Actor,
        channel_id: ChannelIdText,
        seq: Seq,
        comment_seq: CommentSeq,
        emoji: EmojiText,
    ) -> Rendered[TallyResponse]:
        """React to a comment, while you may comment; the emoji are those of the channel's settings."""
        place = PostPlace(channel_id, seq)
        async with self.channel(channel_id):
            return rendered_tally(await self.reactions.react(actor, place, comment_seq, emoji))

    @delete(
        "/v1/channels/{channel_id}/posts/{seq}/comments/{comment_seq}/reactions/{emoji}",
        errors=[*_READING, CommentNotFound, BadEmoji],
    )
    async def unreact_to_comment(
        self,
        actor: Actor,
        channel_id: ChannelIdText,
        seq: Seq,
        comment_seq: CommentSeq,
        emoji: EmojiText,
    ) -> Rendered[TallyResponse]:
        """Remove your reaction to a comment."""
        place = PostPlace(channel_id, seq)
        async with self.channel(channel_id):
            return rendered_tally(await self.reactions.unreact(actor, place, comment_seq, emoji))

    @put(
        "/v1/channels/{channel_id}/comment-bans/{user_id}",
        status=204,
        errors=[ChannelNotFound, PermissionRefused],
    )
    async def ban_from_commenting(
        self, actor: Actor, channel_id: ChannelIdText, user_id: UserIdText
    ) -> None:
        """Ban a user from commenting (owner, admin). They may still read, and delete their own comments."""
        async with self.channel(channel_id):
            await self.memberships.ban_from_commenting(actor, channel_id, user_id, is_banned=True)

    @delete(
        "/v1/channels/{channel_id}/comment-bans/{user_id}",
        status=204,
        errors=[ChannelNotFound, PermissionRefused],
    )
    async def let_comment(
        self, actor: Actor, channel_id: ChannelIdText, user_id: UserIdText
    ) -> None:
        """Let a user comment again (owner, admin)."""
        async with self.channel(channel_id):
            await self.memberships.ban_from_commenting(actor, channel_id, user_id, is_banned=False)

    @get(
        "/v1/channels/{channel_id}/comment-bans",
        errors=[ChannelNotFound, PermissionRefused, BadCursor],
    )
    async def comment_bans(
        self, actor: Actor, channel_id: ChannelIdText, query: PageQuery
    ) -> Page[BanResponse]:
        """The users who are banned from commenting, by id (owner, admin)."""
        async with self.channel(channel_id):
            bans, next_cursor = await self.memberships.list_comment_bans(
                actor, channel_id, limit=query.limit, cursor=query.cursor
            )
        items = [
            BanResponse(
                user_id=ban.user_id,
                banned_at=ban.commenting_banned_at,
                banned_by=ban.commenting_banned_by,
            )
            for ban in bans
        ]
        return Page(items=items, next_cursor=next_cursor)

    async def _shown(
        self, actor: Actor, place: PostPlace, written: WrittenComment
    ) -> VisibleComment:
        [comment] = await self.reader.shown(
            actor, place, [written.message], written.access, are_new=written.is_new
        )
        return comment
