"""Endpoints of reports, and of what follows from them: suspensions, restrictions, the application's admin log."""

from dataclasses import dataclass

from channels.comments.errors import CommentNotFound, CommentsOff
from channels.errors import ChannelNotFound, PostNotFound
from channels.reports.errors import (
    DailyReportLimitReached,
    ReportActionNotPossible,
    ReportNotFound,
    ReportResolved,
)
from channels.reports.responses import (
    CaseQuery,
    NewReport,
    NewResolutionBody,
    ReportCaseResponse,
    ReportedResponse,
    Restrict,
    RestrictedUserResponse,
    RestrictionResponse,
    Suspend,
    TypedCaseQuery,
    case_response,
    restricted_user_response,
    restriction_response,
)
from channels.reports.service.cases import CaseService
from channels.reports.service.reporting import ReportingService
from channels.routes.admins import AdminLogEntryResponse, LogQuery, log_entry_response
from channels.routes.responses import ChannelIdText
from channels.service.guard import ChannelGuard
from conversations.errors import AmbiguousConversationId, ConversationNotFound
from groups.errors import (
    Banned,
    GroupNotFound,
    MessageNotFound,
    MessageRecalled,
    RestrictionNotFound,
)
from groups.kernel.actor import Actor
from groups.kernel.endpoint import Reply, delete, get, post, put
from groups.kernel.errors import BadCursor, FieldTooLong, PermissionRefused
from groups.kernel.ids import AnyIdText, AnyUserIdText, UserIdText, user_or_caller
from groups.kernel.paging import Page, PageQuery
from groups.service.admin_log import AdminLog
from groups.service.moderation.restrictions import UserRestrictions
from groups.service.moderation.suspensions import Suspensions

CREATED = 201
OK = 200


@dataclass(kw_only=True, slots=True)
class AbuseReportRoutes:
    """Reports of abuse, and what is done about them. Delivery reports of posts are something else (Insights)."""

    tag = "Moderation"

    reporting: ReportingService
    cases: CaseService

    @post(
        "/v1/reports",
        status=CREATED,
        also=[OK],
        errors=[
            AmbiguousConversationId,
            Banned,
            ChannelNotFound,
            CommentNotFound,
            CommentsOff,
            ConversationNotFound,
            DailyReportLimitReached,
            FieldTooLong,
            GroupNotFound,
            MessageNotFound,
            MessageRecalled,
            PermissionRefused,
            PostNotFound,
        ],
    )
    async def report(self, actor: Actor, body: NewReport) -> Reply[ReportedResponse]:
        """Report a post, message, comment, channel, group or user that you can see. Nobody learns that it was you.

        201: a new report. 200: you had reported it before, and your report is changed. All reports of one thing count
        together, each user once.
        """
        done = await self.reporting.report(actor, body.target.to_wanted(), body.reason, body.text)
        response = ReportedResponse(report_id=done.case_id, status="open")
        return Reply(response, CREATED if done.is_new else OK)

    @get("/v1/reports", errors=[PermissionRefused, BadCursor])
    async def list_reports(self, actor: Actor, query: TypedCaseQuery) -> Page[ReportCaseResponse]:
        """List the reports that are open, or resolved, newest first (the application)."""
        found, next_cursor = await self.cases.list_cases(
            actor, query.state, query.type, limit=query.limit, cursor=query.cursor
        )
        items = [case_response(case, with_texts=False) for case in found]
        return Page(items=items, next_cursor=next_cursor)

    @get("/v1/reports/{report_id}", errors=[PermissionRefused, ReportNotFound])
    async def get_report(self, actor: Actor, report_id: AnyIdText) -> ReportCaseResponse:
        """One report, with the newest texts (the application)."""
        return case_response(await self.cases.get(actor, report_id), with_texts=True)

    @post(
        "/v1/reports/{report_id}/resolution",
        errors=[
            FieldTooLong,
            PermissionRefused,
            ReportActionNotPossible,
            ReportNotFound,
            ReportResolved,
        ],
    )
    async def resolve(
        self, actor: Actor, report_id: AnyIdText, body: NewResolutionBody
    ) -> ReportCaseResponse:
        """Dismiss a report, delete what was reported, suspend its channel, or restrict its author (the application).

        The owner of a channel and its admins with `delete_posts` dismiss reports of comments there, or delete these.
        It is resolved once: a second admin gets 409, and the same resolution by the same admin again changes nothing.
        A later report of the same thing is a new one.
        """
        resolved = await self.cases.resolve(actor, report_id, body.to_new())
        return case_response(resolved, with_texts=actor.is_app_admin)

    @get(
        "/v1/channels/{channel_id}/reports",
        errors=[ChannelNotFound, PermissionRefused, BadCursor],
    )
    async def list_channel_reports(
        self, actor: Actor, channel_id: ChannelIdText, query: CaseQuery
    ) -> Page[ReportCaseResponse]:
        """List the reports of comments in your channel, newest first (owner, admins with `delete_posts`).

        You resolve them as the application does, by `dismiss` or `delete`.
        """
        found, next_cursor = await self.cases.list_of_channel(
            actor, channel_id, query.state, limit=query.limit, cursor=query.cursor
        )
        items = [case_response(case, with_texts=False) for case in found]
        return Page(items=items, next_cursor=next_cursor)


@dataclass(kw_only=True, slots=True)
class ModerationRoutes:
    """Suspensions of channels, restrictions of users, and the application's admin log."""

    tag = "Moderation"

    channel: ChannelGuard
    suspensions: Suspensions
    restrictions: UserRestrictions
    log: AdminLog

    @put(
        "/v1/channels/{channel_id}/suspension",
        status=204,
        errors=[ChannelNotFound, FieldTooLong, PermissionRefused],
    )
    async def suspend(self, actor: Actor, channel_id: ChannelIdText, body: Suspend) -> None:
        """Suspend a channel, or change how (the application). Its subscribers receive `channel.suspended`."""
        async with self.channel(channel_id):
            await self.suspensions.suspend(actor, channel_id, mode=body.mode, reason=body.reason)

    @delete(
        "/v1/channels/{channel_id}/suspension",
        status=204,
        errors=[ChannelNotFound, PermissionRefused],
    )
    async def reinstate(self, actor: Actor, channel_id: ChannelIdText) -> None:
        """End the suspension of a channel (the application). Its subscribers receive `channel.reinstated`."""
        async with self.channel(channel_id):
            await self.suspensions.lift(actor, channel_id)

    @get("/v1/restrictions", errors=[PermissionRefused, BadCursor])
    async def list_restrictions(
        self, actor: Actor, query: PageQuery
    ) -> Page[RestrictedUserResponse]:
        """List the users who are restricted now, by id (the application)."""
        found, next_cursor = await self.restrictions.list_all(
            actor, limit=query.limit, cursor=query.cursor
        )
        items = [restricted_user_response(*one) for one in found]
        return Page(items=items, next_cursor=next_cursor)

    @get("/v1/users/{user_id}/restriction", errors=[PermissionRefused, RestrictionNotFound])
    async def restriction(self, actor: Actor, user_id: AnyUserIdText) -> RestrictionResponse:
        """Your restriction (`me`), or that of any user for the application, now; 404 where there is none."""
        found = await self.restrictions.find(actor, user_or_caller(user_id, actor.user_id))
        return restriction_response(found)

    @put("/v1/users/{user_id}/restriction", errors=[FieldTooLong, PermissionRefused])
    async def restrict(
        self, actor: Actor, user_id: UserIdText, body: Restrict
    ) -> RestrictionResponse:
        """Restrict a user (the application): they read, join and leave, and add nothing anywhere.

        It counts from the next call on, in every process, and replaces an earlier restriction.
        """
        restricted = await self.restrictions.restrict(
            actor, user_id, until=body.until, reason=body.reason
        )
        return restriction_response(restricted)

    @delete("/v1/users/{user_id}/restriction", status=204, errors=[PermissionRefused])
    async def lift_restriction(self, actor: Actor, user_id: UserIdText) -> None:
        """End a user's restriction (the application)."""
        await self.restrictions.lift(actor, user_id)

    @get("/v1/admin-log", errors=[PermissionRefused, BadCursor])
    async def admin_log(self, actor: Actor, query: LogQuery) -> Page[AdminLogEntryResponse]:
        """List the resolved reports, the suspensions and the restrictions, newest first (the application).

        `target_id` is the report, the channel or the user. A suspension stands in the channel's own log too.
        """
        entries, next_cursor = await self.log.list_of_app(
            actor,
            action=query.action,
            actor_id=query.actor_id,
            target_id=query.target_id,
            limit=query.limit,
            cursor=query.cursor,
        )
        return Page(items=[log_entry_response(e) for e in entries], next_cursor=next_cursor)
