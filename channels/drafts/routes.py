"""Endpoints of drafts, and of scheduled posts, which are drafts with a `publish_at`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from channels.drafts.errors import (
    BadPublishAt,
    DraftLimitReached,
    DraftNotFound,
    DraftPublished,
    ScheduleLimitReached,
)
from channels.drafts.models import Draft, NewDraft
from channels.drafts.service.drafts import DraftService
from channels.errors import ChannelNotFound, PostNotFound
from channels.routes.responses import ChannelIdText, PostResponse, post_response
from groups.errors import (
    REVIEW_ERRORS,
    Banned,
    ChannelSuspended,
    ForwardingNotAllowed,
    MediaNotFound,
    MessageRecalled,
    Muted,
    PollClosed,
    PostingNotAllowed,
    StorageQuotaReached,
    UserRestricted,
    WrongMediaKind,
)
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.endpoint import Body, IdempotencyKey, Response, delete, get, patch, post
from groups.kernel.errors import (
    BadCursor,
    FieldTooLong,
    IdempotencyConflict,
    PermissionRefused,
    RateLimited,
)
from groups.kernel.ids import AnyIdText, GroupId, UserId
from groups.kernel.paging import Page, PageQuery
from groups.models import Tally
from groups.routes.responses.fields import Instant, InstantText, without_null
from groups.routes.responses.forwarding import ForwardedFrom, forwarded_from
from groups.routes.responses.messages import ContentResponse, content_fields
from groups.routes.responses.polls import PollResponse
from groups.routes.responses.tallies import AcknowledgeResponse, acknowledge_response
from groups.routes.responses.writing import NewMessage

PublishAt = Annotated[
    InstantText,
    Field(
        description="When to publish it, with a time zone; at most 365 days ahead.",
        examples=["2030-01-01T09:00:00Z"],
    ),
]


class DraftPost(NewMessage):
    """A post, as in `POST …/posts`."""

    def to_new(self) -> NewDraft:
        if self.forward is None:
            return NewDraft(content=self.to_content(), silent=self.silent)
        return NewDraft(content=self.forward.source, silent=self.silent)


class CreateDraft(Body):
    """A draft; with `publish_at` a scheduled post."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "post": {"kind": "text", "text": "Good morning"},
                    "publish_at": "2030-01-01T09:00:00Z",
                },
                {"post": {"kind": "text", "text": "Not finished"}},
            ]
        }
    )

    post: DraftPost
    publish_at: PublishAt | None = None


class ChangeDraft(Body):
    """Fields that are left out stay. `publish_at` null makes it a draft without schedule."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"publish_at": "2030-01-01T10:00:00Z"},
                {"post": {"kind": "text", "text": "Good morning, all"}},
            ]
        }
    )

    post: Annotated[DraftPost | None, Field(json_schema_extra=without_null)] = None
    publish_at: PublishAt | None = None

    @model_validator(mode="after")
    def _keeps_a_post(self) -> Self:
        if "post" in self.model_fields_set and self.post is None:
            raise PydanticCustomError("null", "post must not be null")
        return self


class DraftQuery(PageQuery):
    """Which drafts."""

    scheduled: Annotated[
        bool, Field(description="Scheduled posts, by `publish_at`; else drafts without it, by age.")
    ] = False


class FailureResponse(Response):
    """Why a scheduled draft was not published; a new `publish_at` tries again."""

    code: str
    detail: str
    at: Instant


class DraftPostResponse(ContentResponse):
    """The content of the draft, as in the post."""

    silent: bool
    forwarded_from: ForwardedFrom | None
    acknowledge: AcknowledgeResponse | None


class DraftResponse(Response):
    """A post that is not published yet. With a `publish_at` and no `failure` it is published then."""

    channel_id: GroupId
    draft_id: str
    author_id: Annotated[
        UserId, Field(description="The user who changed it last, in whose name it is published.")
    ]
    publish_at: Instant | None
    failure: FailureResponse | None
    created_at: Instant
    updated_at: Instant
    post: DraftPostResponse


def draft_response(draft: Draft, now: datetime) -> DraftResponse:
    """Build the response for a draft."""
    poll = draft.content.poll
    failure = draft.failure
    return DraftResponse.model_construct(
        channel_id=draft.channel_id,
        draft_id=draft.draft_id,
        author_id=draft.author_id,
        publish_at=draft.publish_at,
        failure=FailureResponse.model_construct(**failure.model_dump()) if failure else None,
        created_at=draft.created_at,
        updated_at=draft.updated_at,
        post=DraftPostResponse.model_construct(
            silent=draft.silent,
            forwarded_from=forwarded_from(draft.origin),
            acknowledge=acknowledge_response(Tally()) if draft.content.acknowledge else None,
            **content_fields(draft.content)
            | {"poll": PollResponse.uncounted(poll, now) if poll is not None else None},
        ),
    )


_ACCESS_ERRORS = (
    UserRestricted,
    ChannelSuspended,
    ChannelNotFound,
    PostingNotAllowed,
    Muted,
    Banned,
)
_CONTENT_ERRORS = (
    *(FieldTooLong, MediaNotFound, WrongMediaKind, BadPublishAt),
    *(PostNotFound, MessageRecalled, PollClosed, PermissionRefused, ForwardingNotAllowed),
)
_LIMIT_ERRORS = (DraftLimitReached, ScheduleLimitReached)


@dataclass(frozen=True, kw_only=True, slots=True)
class DraftRoutes:
    """Drafts and scheduled posts."""

    tag = "Drafts"

    drafts: DraftService
    clock: Clock

    @post(
        "/v1/channels/{channel_id}/drafts",
        status=201,
        errors=[
            *_ACCESS_ERRORS,
            *_CONTENT_ERRORS,
            *_LIMIT_ERRORS,
            IdempotencyConflict,
            DraftPublished,
        ],
    )
    async def create(
        self, actor: Actor, channel_id: ChannelIdText, body: CreateDraft, key: IdempotencyKey
    ) -> DraftResponse:
        """Create a draft, or schedule a post with `publish_at` (owner, admin)."""
        draft = await self.drafts.create(
            actor, channel_id, body.post.to_new(), publish_at=body.publish_at, key=key
        )
        return draft_response(draft, self.clock.now())

    @get("/v1/channels/{channel_id}/drafts", errors=[*_ACCESS_ERRORS, BadCursor])
    async def list_drafts(
        self, actor: Actor, channel_id: ChannelIdText, query: DraftQuery
    ) -> Page[DraftResponse]:
        """List the channel's drafts, or its scheduled posts by `publish_at` (owner, admin)."""
        drafts, next_cursor = await self.drafts.list_drafts(
            actor,
            channel_id,
            scheduled=query.scheduled,
            limit=query.limit,
            cursor=query.cursor,
        )
        now = self.clock.now()
        return Page(items=[draft_response(draft, now) for draft in drafts], next_cursor=next_cursor)

    @get("/v1/channels/{channel_id}/drafts/{draft_id}", errors=[*_ACCESS_ERRORS, DraftNotFound])
    async def get_draft(
        self, actor: Actor, channel_id: ChannelIdText, draft_id: AnyIdText
    ) -> DraftResponse:
        """Get a draft (owner, admin)."""
        draft = await self.drafts.get(actor, channel_id, draft_id)
        return draft_response(draft, self.clock.now())

    @patch(
        "/v1/channels/{channel_id}/drafts/{draft_id}",
        errors=[*_ACCESS_ERRORS, *_CONTENT_ERRORS, *_LIMIT_ERRORS, DraftNotFound],
    )
    async def change(
        self, actor: Actor, channel_id: ChannelIdText, draft_id: AnyIdText, body: ChangeDraft
    ) -> DraftResponse:
        """Replace the content of a draft, or change or clear its `publish_at` (owner, admin)."""
        draft = await self.drafts.change(
            actor,
            channel_id,
            draft_id,
            new=body.post.to_new() if body.post else None,
            publish_at=body.publish_at,
            sets_publish_at="publish_at" in body.model_fields_set,
        )
        return draft_response(draft, self.clock.now())

    @delete(
        "/v1/channels/{channel_id}/drafts/{draft_id}",
        status=204,
        errors=[*_ACCESS_ERRORS, DraftNotFound, PermissionRefused],
    )
    async def delete(self, actor: Actor, channel_id: ChannelIdText, draft_id: AnyIdText) -> None:
        """Delete a draft, or cancel a scheduled post (owner, admin). 404 if it was published."""
        await self.drafts.delete(actor, channel_id, draft_id)

    @post(
        "/v1/channels/{channel_id}/drafts/{draft_id}/publish",
        status=201,
        errors=[*_ACCESS_ERRORS, *REVIEW_ERRORS, DraftNotFound, StorageQuotaReached, RateLimited],
    )
    async def publish(
        self, actor: Actor, channel_id: ChannelIdText, draft_id: AnyIdText
    ) -> PostResponse:
        """Publish a draft now, in your name (owner, admin). Repeating it returns the same post."""
        posted = await self.drafts.publish(actor, channel_id, draft_id)
        return post_response(posted.message, posted.access, Tally(), self.clock.now())
