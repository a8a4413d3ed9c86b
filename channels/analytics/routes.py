"""Endpoints of analytics: views of posts, and insights for owner and admins."""

import re
from dataclasses import asdict, dataclass
from datetime import date
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from channels.analytics.models import Insights
from channels.analytics.service.insights import InsightService
from channels.analytics.service.views import ViewService
from channels.analytics.tables import table_of, wants_table
from channels.errors import ChannelNotFound
from channels.limits import MOST_VIEWS_PER_CALL, VIEWS_PER_CALL
from channels.routes.responses import ChannelIdText
from groups.errors import Banned
from groups.kernel.actor import Actor
from groups.kernel.endpoint import Accept, Body, Query, Response, Table, get, post
from groups.kernel.errors import BadCursor, PermissionRefused
from groups.kernel.paging import Page, PageQuery
from groups.routes.messages import Seq
from groups.routes.responses.fields import Instant

Format = Annotated[
    Literal["json", "csv"] | None,
    Field(description="Takes precedence over the `Accept` header; JSON without either."),
]


class SeenBody(Body):
    """Posts that you have seen."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"seqs": [1, 2, 3]}]})

    seqs: Annotated[
        list[Seq],
        Field(
            min_length=1,
            max_length=MOST_VIEWS_PER_CALL,
            description="Up to 100.",
            json_schema_extra={"maxItems": VIEWS_PER_CALL},
        ),
    ]


class PostViewsResponse(Response):
    """The number of users who have seen a post."""

    seq: int
    views: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ViewRoutes:
    """Views of posts."""

    tag = "Posts"

    views: ViewService

    @post("/v1/channels/{channel_id}/posts/views", errors=[ChannelNotFound, Banned])
    async def report_views(
        self, actor: Actor, channel_id: ChannelIdText, body: SeenBody
    ) -> Page[PostViewsResponse]:
        """Report up to 100 posts that you have seen; returns how many users have seen each of them.

        Each user counts once for each post. Deleted posts are left out of the response.
        """
        counts = await self.views.report(actor, channel_id, body.seqs)
        return Page(
            items=[PostViewsResponse(seq=seq, views=views) for seq, views in counts.items()]
        )


def _no_number(value: object) -> object:
    # Pydantic would read a number as seconds since 1970.
    if isinstance(value, str) and not _DAY.fullmatch(value):
        raise ValueError("must be a day, as in 2026-01-31")
    return value


_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
DayText = Annotated[date, BeforeValidator(_no_number)]
"""A day in a query."""


class InsightQuery(Query):
    """Which days (UTC, both included), in which format."""

    first: Annotated[
        DayText | None,
        Field(
            alias="from", description="Without it, 30 days before `to`.", examples=["2026-01-01"]
        ),
    ] = None
    last: Annotated[
        DayText | None,
        Field(
            alias="to", description="Without it, or in the future: today.", examples=["2026-01-31"]
        ),
    ] = None
    format: Format = None
    table: Annotated[
        Literal["days", "hours"], Field(description="As CSV: which of the two tables.")
    ] = "days"


class PostInsightsQuery(PageQuery):
    """Which posts, in which format."""

    format: Format = None


class DayResponse(Response):
    """A day (UTC). `subscribers`: at its end, null if not known. `net`: joined minus left and removed."""

    day: date
    subscribers: int | None
    joined: int
    left: int
    removed: int
    net: int
    posts: int
    views: int
    reactions: int
    clicks: int


class HourResponse(Response):
    """An hour of the day (UTC): new views and reactions in it, summed over all days."""

    hour: int
    views: int
    reactions: int


class MutedResponse(Response):
    """How many subscribers have muted the channel for ever, and their share, from 0 to 1."""

    count: int
    share: float


class InsightsResponse(Response):
    """The channel's counts for these days."""

    model_config = ConfigDict(serialize_by_alias=True)

    first: Annotated[date, Field(serialization_alias="from")]
    last: Annotated[date, Field(serialization_alias="to")]
    days: list[DayResponse]
    hours: list[HourResponse]
    muted: MutedResponse


class PostInsightsResponse(Response):
    """The users who have seen a post, the reactions it has now, and the clicks on its links."""

    seq: int
    created_at: Instant
    preview: str
    views: int
    reactions: int
    clicks: int


@dataclass(frozen=True, kw_only=True, slots=True)
class InsightRoutes:
    """Insights."""

    tag = "Insights"

    insights: InsightService

    @get("/v1/channels/{channel_id}/insights", errors=[ChannelNotFound, PermissionRefused])
    async def channel_insights(
        self, actor: Actor, channel_id: ChannelIdText, query: InsightQuery, accept: Accept
    ) -> InsightsResponse | Table:
        """Get the channel's counts by day and hour, and its muted share (owner, admins with `see_insights`).

        As CSV (`Accept: text/csv` or `format=csv`) with the columns of `DayResponse`, or of `HourResponse`.
        """
        insights = await self.insights.get(actor, channel_id, query.first, query.last)
        view = _insights_response(insights)
        if not _is_csv(query.format, accept):
            return view
        rows = view.days if query.table == "days" else view.hours
        name = f"insights-{query.table}-{insights.first}-{insights.last}"
        columns = list((DayResponse if query.table == "days" else HourResponse).model_fields)
        return table_of(name, columns, ([getattr(row, c) for c in columns] for row in rows))

    @get(
        "/v1/channels/{channel_id}/insights/posts",
        errors=[ChannelNotFound, PermissionRefused, BadCursor],
    )
    async def post_insights(
        self, actor: Actor, channel_id: ChannelIdText, query: PostInsightsQuery, accept: Accept
    ) -> Page[PostInsightsResponse] | Table:
        """List the views, reactions and clicks of posts, newest first (owner, admins with `see_insights`).

        As CSV with the columns of `PostInsightsResponse`, page by page: `X-Next-Cursor` is the `next_cursor` of JSON.
        """
        reached, next_cursor = await self.insights.posts(
            actor, channel_id, limit=query.limit, cursor=query.cursor
        )
        if not _is_csv(query.format, accept):
            return Page(
                items=[PostInsightsResponse.model_construct(**asdict(one)) for one in reached],
                next_cursor=next_cursor,
            )
        columns = list(PostInsightsResponse.model_fields)
        rows = ([getattr(one, column) for column in columns] for one in reached)
        return table_of("insights-posts", columns, rows, next_cursor)


def _is_csv(asked: Literal["json", "csv"] | None, accept: str) -> bool:
    return wants_table(accept) if asked is None else asked == "csv"


def _insights_response(insights: Insights) -> InsightsResponse:
    return InsightsResponse.model_construct(
        first=insights.first,
        last=insights.last,
        days=[DayResponse.model_construct(**asdict(day), net=day.net) for day in insights.days],
        hours=[HourResponse.model_construct(**asdict(hour)) for hour in insights.hours],
        muted=MutedResponse(count=insights.muted.count, share=round(insights.muted.share, 4)),
    )
