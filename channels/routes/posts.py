"""Routes of posts and of the reactions to them."""

from dataclasses import dataclass, field
from typing import Final

from channels.errors import ChannelNotFound, PostNotFound
from channels.routes.responses import (
    ChannelIdText,
    PostPage,
    PostResponse,
    anonymous_post_response,
    is_own,
    post_response,
    post_without_poll,
)
from channels.service.guard import ChannelGuard
from groups import policy
from groups.errors import (
    REVIEW_ERRORS,
    Banned,
    BusinessAccount,
    ChannelSuspended,
    ForwardingNotAllowed,
    MediaNotFound,
    MessageRecalled,
    Muted,
    PinLimitReached,
    PollClosed,
    PollFixed,
    PostingNotAllowed,
    ReactingBanned,
    StorageQuotaReached,
    UserRestricted,
    WrongMediaKind,
)
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.endpoint import IdempotencyKey, Rendered, delete, get, patch, post, put
from groups.kernel.errors import (
    BadCursor,
    FieldTooLong,
    IdempotencyConflict,
    PermissionRefused,
    RateLimited,
)
from groups.kernel.paging import Page, PageQuery
from groups.kernel.text.emoji import EmojiText
from groups.models import Commenting, Source, Tally
from groups.routes.messages import HistoryQuery, Seq
from groups.routes.rendering import MessageRendering
from groups.routes.responses.messages import poll_seen_by
from groups.routes.responses.tallies import TallyResponse, rendered_tally, tally_response
from groups.routes.responses.writing import NewMessage, WriteMessage
from groups.service.messages.edits import EditService
from groups.service.messages.forwarding import ForwardService
from groups.service.messages.pins import PinService
from groups.service.messages.service import MessageService, VisibleMessage
from groups.service.users import UserService
from reactions.errors import (
    BadEmoji,
    DistinctReactionsReached,
    ReactionNotAllowed,
    ReactionsFrozen,
    ReactionsPerUserReached,
)
from reactions.routes import ReactorResponse, reactor_responses
from reactions.service.reactions import ReactionService

_CONTENT_ERRORS: Final = (
    UserRestricted,
    ChannelSuspended,
    ChannelNotFound,
    FieldTooLong,
    PostingNotAllowed,
    Muted,
    Banned,
    MediaNotFound,
    WrongMediaKind,
    StorageQuotaReached,
)
_FORWARDING_ERRORS: Final = (
    PostNotFound,
    MessageRecalled,
    PollClosed,
    PermissionRefused,
    ForwardingNotAllowed,
)
"""The errors of a forward that a post does not have: those of reading its source, which is called a post here."""


def _post_rendering() -> MessageRendering:
    # Of authors the owner and admins see the id only, so no profile of a user is looked up.
    return MessageRendering(
        lambda message, access, tally, _: post_without_poll(message, access, tally)
    )


@dataclass(kw_only=True, slots=True)
class PostRoutes:
    """Posts and the reactions to them: messages of the channel's group."""

    tag = "Posts"

    channel: ChannelGuard
    messages: MessageService
    edits: EditService
    forwards: ForwardService
    pinning: PinService
    reacting: ReactionService
    users: UserService
    clock: Clock
    rendering: MessageRendering = field(init=False, default_factory=_post_rendering)
    commented_rendering: MessageRendering = field(init=False, default_factory=_post_rendering)
    """Of channels with comments, whose posts look different: what is kept of the one must not show the other."""

    @post(
        "/v1/channels/{channel_id}/posts",
        status=201,
        errors=[
            *_CONTENT_ERRORS,
            *REVIEW_ERRORS,
            IdempotencyConflict,
            RateLimited,
            *_FORWARDING_ERRORS,
        ],
    )
    async def publish(
        self, actor: Actor, channel_id: ChannelIdText, body: NewMessage, key: IdempotencyKey
    ) -> PostResponse:
        """Post to all subscribers, or forward a message (owner, admin). With an `Idempotency-Key`, repeats post once.

        A forward is a copy with `forwarded_from`. That names the channel or group, unless it is private, and never the
        author. To post later, create a draft with a `publish_at`.
        """
        new = body.forward.source if body.forward else body.to_content()
        async with self.channel(channel_id):
            if isinstance(new, Source):
                posted = await self.forwards.forward(
                    actor, channel_id, new, key=key, silent=body.silent
                )
            else:
                posted = await self.messages.post(
                    actor, channel_id, new, key=key, silent=body.silent
                )
        return self._response(posted, Tally())

    @post("/v1/channels/{channel_id}/posts/preview", errors=[*_CONTENT_ERRORS, *_FORWARDING_ERRORS])
    async def preview(
        self, actor: Actor, channel_id: ChannelIdText, body: NewMessage
    ) -> PostResponse:
        """Show the post as its readers would see it. Returns the errors of posting it, and stores nothing."""
        new = body.forward.source if body.forward else body.to_content()
        async with self.channel(channel_id):
            if isinstance(new, Source):
                posted = await self.forwards.preview(actor, channel_id, new, silent=body.silent)
            else:
                posted = await self.messages.preview(actor, channel_id, new, silent=body.silent)
        message, access = posted.message, posted.access
        poll = poll_seen_by(access, message, None, self.clock.now())
        return anonymous_post_response(message, channel_id, access.group.name, Tally(), poll)

    @get("/v1/channels/{channel_id}/posts", errors=[ChannelNotFound, Banned, BadCursor])
    async def history(
        self, actor: Actor, channel_id: ChannelIdText, query: HistoryQuery
    ) -> Rendered[PostPage]:
        """A page of posts, newest first: the newest, or those before, after or around a seq or the first unread one.

        With `changed_since`: the posts that changed since a version, the earliest change first.
        """
        async with self.channel(channel_id):
            page = await self.messages.read_page(actor, channel_id, query.wanted)
        has_comments = page.access.group.comments is not Commenting.OFF
        rendering = self.commented_rendering if has_comments else self.rendering
        if policy.was_group(page.access.group) and any(
            is_own(message, page.access) for message in page.messages
        ):
            # They show this reader as their author, so nobody else gets this page.
            rendering = _post_rendering()
        return Rendered(rendering.page(page, now=self.clock.now()))

    @get("/v1/channels/{channel_id}/posts/{seq}", errors=[ChannelNotFound, PostNotFound, Banned])
    async def get_post(self, actor: Actor, channel_id: ChannelIdText, seq: Seq) -> PostResponse:
        """One post."""
        async with self.channel(channel_id):
            posted = await self.messages.get(actor, channel_id, seq)
        return await self._with_tally(actor, posted)

    @patch(
        "/v1/channels/{channel_id}/posts/{seq}",
        errors=[
            *_CONTENT_ERRORS,
            *REVIEW_ERRORS,
            PostNotFound,
            MessageRecalled,
            PollFixed,
            PollClosed,
            PermissionRefused,
        ],
    )
    async def edit(
        self, actor: Actor, channel_id: ChannelIdText, seq: Seq, body: WriteMessage
    ) -> PostResponse:
        """Replace a post's content (owner, admin)."""
        content = body.to_content()
        async with self.channel(channel_id):
            posted = await self.edits.edit(actor, channel_id, seq, content)
        return await self._with_tally(actor, posted)

    @delete(
        "/v1/channels/{channel_id}/posts/{seq}",
        status=204,
        errors=[ChannelNotFound, PostNotFound, PermissionRefused, Banned],
    )
    async def recall(self, actor: Actor, channel_id: ChannelIdText, seq: Seq) -> None:
        """Delete a post for everyone (owner, admin): its content goes, its seq stays.

        Whoever wrote it before the group became a channel may delete it too, also after leaving.
        """
        async with self.channel(channel_id):
            await self.edits.recall(actor, channel_id, seq)

    @put(
        "/v1/channels/{channel_id}/posts/{seq}/pin",
        errors=[
            UserRestricted,
            ChannelSuspended,
            ChannelNotFound,
            PostNotFound,
            PermissionRefused,
            Banned,
            MessageRecalled,
            PinLimitReached,
        ],
    )
    async def pin(self, actor: Actor, channel_id: ChannelIdText, seq: Seq) -> PostResponse:
        """Pin a post (owner, admin); subscribers receive `message.edited` with `pinned: true`."""
        async with self.channel(channel_id):
            posted = await self.pinning.pin(actor, channel_id, seq)
        return await self._with_tally(actor, posted)

    @delete(
        "/v1/channels/{channel_id}/posts/{seq}/pin",
        status=204,
        errors=[
            UserRestricted,
            ChannelSuspended,
            ChannelNotFound,
            PostNotFound,
            PermissionRefused,
            Banned,
        ],
    )
    async def unpin(self, actor: Actor, channel_id: ChannelIdText, seq: Seq) -> None:
        """Unpin a post (owner, admin); deleting it unpins it too."""
        async with self.channel(channel_id):
            await self.pinning.unpin(actor, channel_id, seq)

    @get("/v1/channels/{channel_id}/pins", errors=[ChannelNotFound, Banned])
    async def pins(self, actor: Actor, channel_id: ChannelIdText) -> Page[PostResponse]:
        """The pinned posts, the newest pin first; all of them, since they are few."""
        async with self.channel(channel_id):
            pins = await self.pinning.list_pins(actor, channel_id)
        tallies = await self.reacting.tallies(
            actor, pins.access.group.stream_id, [message.seq for message in pins.messages]
        )
        now = self.clock.now()
        return Page(
            items=[
                post_response(message, pins.access, tallies.get(message.seq, Tally()), now)
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
        """Stop reactions to a post (owner, admin): the counts stay, and users may still remove their own."""
        async with self.channel(channel_id):
            posted = await self.pinning.freeze_reactions(actor, channel_id, seq, frozen=True)
        return await self._with_tally(actor, posted)

    @delete(
        "/v1/channels/{channel_id}/posts/{seq}/reactions-freeze",
        status=204,
        errors=[ChannelNotFound, PostNotFound, PermissionRefused, Banned, MessageRecalled],
    )
    async def unfreeze_reactions(self, actor: Actor, channel_id: ChannelIdText, seq: Seq) -> None:
        """Let subscribers react to a post again (owner, admin)."""
        async with self.channel(channel_id):
            await self.pinning.freeze_reactions(actor, channel_id, seq, frozen=False)

    @put(
        "/v1/channels/{channel_id}/posts/{seq}/comments-freeze",
        errors=[ChannelNotFound, PostNotFound, PermissionRefused, Banned, MessageRecalled],
    )
    async def freeze_comments(
        self, actor: Actor, channel_id: ChannelIdText, seq: Seq
    ) -> PostResponse:
        """Stop comments on a post (owner, admin): those that there are stay, and can be deleted."""
        async with self.channel(channel_id):
            posted = await self.pinning.freeze_comments(actor, channel_id, seq, frozen=True)
        return await self._with_tally(actor, posted)

    @delete(
        "/v1/channels/{channel_id}/posts/{seq}/comments-freeze",
        status=204,
        errors=[ChannelNotFound, PostNotFound, PermissionRefused, Banned, MessageRecalled],
    )
    async def unfreeze_comments(self, actor: Actor, channel_id: ChannelIdText, seq: Seq) -> None:
        """Let users comment on a post again (owner, admin)."""
        async with self.channel(channel_id):
            await self.pinning.freeze_comments(actor, channel_id, seq, frozen=False)

    @put(
        "/v1/channels/{channel_id}/posts/{seq}/reactions/{emoji}",
        errors=[
            UserRestricted,
            ChannelNotFound,
            PostNotFound,
            BadEmoji,
            ReactionNotAllowed,
            ReactionsFrozen,
            ReactionsPerUserReached,
            DistinctReactionsReached,
            PermissionRefused,
            Banned,
            BusinessAccount,
            ReactingBanned,
            MessageRecalled,
        ],
    )
    async def react(
        self, actor: Actor, channel_id: ChannelIdText, seq: Seq, emoji: EmojiText
    ) -> Rendered[TallyResponse]:
        """React to a post (subscribers). Where users may hold one emoji only, it replaces your previous one."""
        async with self.channel(channel_id):
            return rendered_tally(await self.reacting.react(actor, channel_id, seq, emoji))

    @delete(
        "/v1/channels/{channel_id}/posts/{seq}/reactions/{emoji}",
        errors=[ChannelNotFound, PostNotFound, BadEmoji, PermissionRefused, Banned],
    )
    async def unreact(
        self, actor: Actor, channel_id: ChannelIdText, seq: Seq, emoji: EmojiText
    ) -> Rendered[TallyResponse]:
        """Remove your reaction; subscribers always may."""
        async with self.channel(channel_id):
            return rendered_tally(await self.reacting.unreact(actor, channel_id, seq, emoji))

    @get(
        "/v1/channels/{channel_id}/posts/{seq}/reactions",
        errors=[ChannelNotFound, PostNotFound, Banned],
    )
    async def reactions(self, actor: Actor, channel_id: ChannelIdText, seq: Seq) -> TallyResponse:
        """The reactions to a post, and your own."""
        async with self.channel(channel_id):
            return tally_response(await self.reacting.get(actor, channel_id, seq))

    @get(
        "/v1/channels/{channel_id}/posts/{seq}/reactions/{emoji}",
        errors=[ChannelNotFound, PostNotFound, BadEmoji, PermissionRefused, Banned],
    )
    async def reactors(
        self, actor: Actor, channel_id: ChannelIdText, seq: Seq, emoji: EmojiText, query: PageQuery
    ) -> Page[ReactorResponse]:
        """The users who reacted with an emoji, by id (owner, admin)."""
        async with self.channel(channel_id):
            reactors, next_cursor = await self.reacting.list_reactors(
                actor, channel_id, seq, emoji, limit=query.limit, cursor=query.cursor
            )
        return Page(items=await reactor_responses(self.users, reactors), next_cursor=next_cursor)

    async def _with_tally(self, actor: Actor, posted: VisibleMessage) -> PostResponse:
        message = posted.message
        tallies = await self.reacting.tallies(actor, message.stream_id, [message.seq])
        return self._response(posted, tallies.get(message.seq, Tally()))

    def _response(self, posted: VisibleMessage, tally: Tally) -> PostResponse:
        return post_response(posted.message, posted.access, tally, self.clock.now())
