"""The endpoint of delivery reports."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from channels.errors import ChannelNotFound, PostNotFound
from channels.post_reports.service import ReportService
from channels.routes.responses import ChannelIdText
from groups.kernel.actor import Actor
from groups.kernel.endpoint import Response, get
from groups.kernel.errors import PermissionRefused
from groups.routes.messages import Seq
from groups.routes.responses.fields import Instant


class PostReportResponse(Response):
    """Whom a post could reach, and whom it did."""

    seq: int
    created_at: Instant
    silent: Annotated[bool, Field(description="Nobody was notified.")]
    subscribers: Annotated[
        int | None,
        Field(
            description="Subscribers when it was posted, the owner included. Null: an older version posted it."
        ),
    ]
    sockets: Annotated[
        int,
        Field(description="Open sockets that received it when it was posted, counted in seconds."),
    ]
    pushed: Annotated[
        int, Field(description="Notifications that a push service or the gateway took.")
    ]
    rejected: Annotated[
        int, Field(description="Devices that did not exist any more, which were forgotten.")
    ]
    failed: Annotated[int, Field(description="Notifications that failed for good.")]
    views: Annotated[int, Field(description="Users who have seen it.")]


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportRoutes:
    """Delivery reports."""

    tag = "Insights"

    reports: ReportService

    @get(
        "/v1/channels/{channel_id}/posts/{seq}/report",
        errors=[ChannelNotFound, PostNotFound, PermissionRefused],
    )
    async def post_report(
        self, actor: Actor, channel_id: ChannelIdText, seq: Seq
    ) -> PostReportResponse:
        """Get the delivery report of a post (owner, admins with `see_insights`)."""
        report = await self.reports.get(actor, channel_id, seq)
        return PostReportResponse(
            seq=report.seq,
            created_at=report.created_at,
            silent=report.is_silent,
            subscribers=report.subscribers,
            sockets=report.figures.sockets,
            pushed=report.figures.pushed,
            rejected=report.figures.rejected,
            failed=report.figures.failed,
            views=report.views,
        )
