"""The bodies and responses of broadcasts."""

from typing import Annotated

from pydantic import ConfigDict, Field

from channels.broadcasts.models import (
    Broadcast,
    Failure,
    NewBroadcast,
    NotReached,
    OptOut,
    Reason,
    State,
)
from channels.subscriber_tags.routes.fields import SegmentBody, SegmentResponse, segment_response
from groups.kernel.endpoint import Body, Response
from groups.kernel.ids import GroupId, UserId
from groups.routes.responses.fields import Instant, InstantText
from groups.routes.responses.messages import ContentResponse, content_fields
from groups.routes.responses.writing import WriteMessage


class CreateBroadcast(WriteMessage):
    """The message, as to one user, and the segment of the subscribers who get it; without `segment` all of them."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "segment": {"all": ["customer"], "none": ["paused"]},
                    "kind": "text",
                    "text": "We open at nine",
                },
                {"kind": "text", "text": "Happy new year", "start_at": "2030-01-01T00:00:00Z"},
            ]
        }
    )

    segment: SegmentBody = SegmentBody()
    silent: Annotated[bool, Field(description="Devices should not ring; it counts as unread.")] = (
        False
    )
    rate: Annotated[
        int | None,
        Field(ge=1, lt=2**31, description="Messages a second; null: as many as the limit allows."),
    ] = None
    start_at: Annotated[InstantText | None, Field(description="When it begins; null: at once.")] = (
        None
    )

    def to_new(self, key: str | None) -> NewBroadcast:
        """The broadcast that the body asks for."""
        return NewBroadcast(
            segment=self.segment.to_segment(),
            content=self.to_content(),
            silent=self.silent,
            rate=self.rate,
            start_at=self.start_at,
            key=key,
            digest_text=self.model_dump_json(exclude_defaults=True),
        )


class CountAudience(Body):
    """The segment; without it all subscribers."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"segment": {"any": ["berlin", "hamburg"]}}]}
    )

    segment: SegmentBody = SegmentBody()


class AudienceResponse(Response):
    """How many subscribers are in the segment now. Who opted out is among them."""

    count: int
    is_exact: Annotated[bool, Field(description="False: there are at least so many.")]


class NotReachedCounts(Response):
    """How many users of the segment did not get it, by the reason."""

    opted_out: Annotated[int, Field(description="They want no broadcasts of the channel.")] = 0
    left: Annotated[int, Field(description="They unsubscribed while it ran.")] = 0
    blocked: Annotated[int, Field(description="They block the channel.")] = 0
    switched_off: Annotated[
        int, Field(description="They switched off all one-to-one messages of the channel.")
    ] = 0
    business: Annotated[int, Field(description="They are business accounts, and no persons.")] = 0
    other: int = 0


class BroadcastFailure(Response):
    """Why a broadcast failed: the code and the text of the error."""

    code: str
    detail: str


class BroadcastResponse(Response):
    """A broadcast, and how far it is."""

    channel_id: GroupId
    broadcast_id: str
    state: State
    segment: SegmentResponse
    content: ContentResponse
    silent: bool
    rate: int | None
    total: Annotated[
        int | None,
        Field(description="The subscribers of the segment when it began; null: not counted yet."),
    ]
    sent: int
    not_reached: NotReachedCounts
    created_by: UserId
    created_at: Instant
    start_at: Instant | None
    started_at: Instant | None
    ended_at: Annotated[
        Instant | None, Field(description="When it was done, failed or was stopped last.")
    ]
    failure: BroadcastFailure | None


class NotReachedResponse(Response):
    """A user of the segment who did not get it."""

    user_id: UserId
    reason: Reason


class OptOutResponse(Response):
    """Whether you get no broadcasts of the channel."""

    channel_id: GroupId
    opted_out: bool
    since: Instant | None


def counts_response(not_reached: dict[Reason, int]) -> NotReachedCounts:
    """The response for these counts."""
    return NotReachedCounts(**{reason.value: n for reason, n in not_reached.items()})


def failure_response(failure: Failure | None) -> BroadcastFailure | None:
    """The response for why a broadcast failed."""
    if failure is None:
        return None
    return BroadcastFailure.model_construct(code=failure.code, detail=failure.detail)


def broadcast_response(broadcast: Broadcast) -> BroadcastResponse:
    """The response for a broadcast."""
    return BroadcastResponse.model_construct(
        channel_id=broadcast.channel_id,
        broadcast_id=broadcast.broadcast_id,
        state=broadcast.state,
        segment=segment_response(broadcast.segment),
        content=ContentResponse.model_construct(**content_fields(broadcast.content)),
        silent=broadcast.silent,
        rate=broadcast.rate,
        total=broadcast.total,
        sent=broadcast.sent,
        not_reached=counts_response(broadcast.not_reached),
        created_by=broadcast.created_by,
        created_at=broadcast.created_at,
        start_at=broadcast.start_at,
        started_at=broadcast.started_at,
        ended_at=broadcast.ended_at,
        failure=failure_response(broadcast.failure),
    )


def not_reached_response(one: NotReached) -> NotReachedResponse:
    """The response for a user who did not get it."""
    return NotReachedResponse.model_construct(user_id=one.user_id, reason=one.reason)


def opt_out_response(channel_id: GroupId, opt_out: OptOut | None) -> OptOutResponse:
    """The response for an opt-out, or for none."""
    return OptOutResponse.model_construct(
        channel_id=channel_id,
        opted_out=opt_out is not None,
        since=opt_out.since if opt_out else None,
    )
