"""Bodies and responses of reports, suspensions, restrictions, and the application's admin log."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from channels.reports.limits import REASON_BYTES, REPORT_TEXT_BYTES
from channels.reports.models import (
    Case,
    CaseAction,
    CaseState,
    NewResolution,
    ReportReason,
    TargetType,
    WantedTarget,
)
from channels.routes.responses import ChannelIdText
from groups.kernel.endpoint import Body, Response
from groups.kernel.ids import AnyIdText, GroupId, GroupIdText, UserId, UserIdText
from groups.kernel.paging import PageQuery
from groups.kernel.text.bounded import MaxBytes, Text
from groups.models import Content, SuspensionMode, User, UserRestriction
from groups.routes.messages import Seq
from groups.routes.responses.fields import Instant
from groups.routes.responses.messages import ContentResponse, content_fields
from groups.routes.responses.polls import PollResponse

ReasonText = Annotated[
    Text,
    MaxBytes("reason_bytes", REASON_BYTES),
    Field(description="Why, in words for the owner or the user who is shown it."),
]


class TargetBody(Body):
    """The thing to report: exactly the ids that its type needs.

    `post`: `channel_id`, `seq`. `message`: `group_id`, `seq`; one-to-one `conversation_id`, `seq`; in a channel's inbox
    `channel_id`, `user_id`, `seq`. `comment`: `channel_id`, `post_seq`, `seq`. `channel`, `group`, `user`: its id.
    """

    type: TargetType
    channel_id: ChannelIdText | None = None
    group_id: GroupIdText | None = None
    conversation_id: AnyIdText | None = None
    seq: Seq | None = None
    post_seq: Seq | None = None
    user_id: UserIdText | None = None

    def to_wanted(self) -> WantedTarget:
        return WantedTarget(**self.model_dump())


class NewReport(Body):
    """A report. Reporting the same thing again replaces what you said of it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "target": {"type": "post", "channel_id": "@TOA#_news", "seq": 7},
                    "reason": "spam",
                    "text": "The third advertisement today",
                }
            ]
        }
    )

    target: TargetBody
    reason: ReportReason
    text: Annotated[
        Text,
        MaxBytes("report_text_bytes", REPORT_TEXT_BYTES),
        Field(description="More, in your own words. Those who decide read it without your name."),
    ] = ""


class ReportedResponse(Response):
    """The report is taken. `report_id` names it to the application; you cannot read it."""

    report_id: str
    status: Literal["open"]


class ReportTargetResponse(Response):
    """The reported thing, by its ids. A one-to-one message names only its author, or the channel that wrote it."""

    type: TargetType
    channel_id: GroupId | None
    group_id: GroupId | None
    seq: int | None
    post_seq: int | None
    user_id: UserId | None


class ReportedProfileResponse(Response):
    """The profile of the channel, group or user, as it was at the first report."""

    name: str
    introduction: str
    face_url: str


class ReportTextResponse(Response):
    """The words of a reporter."""

    reason: ReportReason
    text: str
    at: Instant


class ReportResolutionResponse(Response):
    """How the report was resolved. `user_id`: the user who was restricted."""

    action: CaseAction
    mode: SuspensionMode | None
    until: Instant | None
    note: str
    user_id: UserId | None
    at: Instant


class ReportCaseResponse(Response):
    """All reports of one thing. Nothing in it says who reported.

    `content`: the message or post as it was at the first report; `profile`: the same of a channel, group or user.
    `author_id`: who wrote or owns it, or the user; null for a message that a channel wrote. `count`: users who reported
    it. `texts`: the newest ones; always empty in lists.
    """

    report_id: str
    target: ReportTargetResponse
    content: ContentResponse | None
    profile: ReportedProfileResponse | None
    author_id: UserId | None
    count: int
    reasons: dict[ReportReason, int]
    texts: list[ReportTextResponse]
    first_at: Instant
    last_at: Instant
    state: CaseState
    resolution: ReportResolutionResponse | None
    resolved_by: UserId | None


def case_response(case: Case, *, with_texts: bool) -> ReportCaseResponse:
    """The response for a case."""
    done, profile, content = case.resolution, case.profile, case.content
    return ReportCaseResponse(
        report_id=case.case_id,
        target=ReportTargetResponse(**case.target.model_dump()),
        content=_content_response(content, case.first_at) if content else None,
        profile=ReportedProfileResponse(**profile.model_dump()) if profile else None,
        author_id=case.author_id,
        count=case.count,
        reasons=case.reasons,
        texts=[ReportTextResponse(**text.model_dump()) for text in case.texts]
        if with_texts
        else [],
        first_at=case.first_at,
        last_at=case.last_at,
        state=case.state,
        resolution=ReportResolutionResponse(**done.model_dump(exclude={"by"})) if done else None,
        resolved_by=done.by if done else None,
    )


def _content_response(content: Content, at: datetime) -> ContentResponse:
    """The content as it was at the first report; of a poll without its votes."""
    poll = PollResponse.uncounted(content.poll, at) if content.poll is not None else None
    return ContentResponse.model_construct(**content_fields(content) | {"poll": poll})


class CaseQuery(PageQuery):
    """Which reports."""

    state: CaseState = CaseState.OPEN


class TypedCaseQuery(CaseQuery):
    """Which reports, of all types or of one."""

    type: TargetType | None = None


class NewResolutionBody(Body):
    """How to resolve a report. `mode` is for `suspend_channel`, `until` for `restrict_user`."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"action": "delete", "note": "Advertising"}]}
    )

    action: CaseAction
    mode: Annotated[
        SuspensionMode | None, Field(description="Of the suspension; null: `readable`.")
    ] = None
    until: Annotated[
        datetime | None,
        Field(description="When the restriction ends; null: it does not by itself."),
    ] = None
    note: Annotated[
        Text,
        MaxBytes("reason_bytes", REASON_BYTES),
        Field(description="Why: shown to the owner of the channel, or to the restricted user."),
    ] = ""

    def to_new(self) -> NewResolution:
        return NewResolution(**self.model_dump())


class Suspend(Body):
    """How to suspend a channel."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"mode": "readable", "reason": "Many reports of spam"}]}
    )

    mode: Annotated[
        SuspensionMode,
        Field(
            description="`readable`: nothing is added to it. `hidden`: it is as if absent, for all but its owner and"
            " the application."
        ),
    ]
    reason: ReasonText = ""


class Restrict(Body):
    """How to restrict a user."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"until": "2030-01-31T12:00:00Z", "reason": "Spam"}]}
    )

    until: Annotated[
        datetime | None, Field(description="When it ends; null: it does not by itself.")
    ] = None
    reason: ReasonText = ""


class RestrictionResponse(Response):
    """A user reads and leaves, and adds nothing. `until` null: until it is lifted."""

    user_id: UserId
    until: Instant | None
    reason: str
    at: Instant


class RestrictedUserResponse(RestrictionResponse):
    """A restricted user, with their name, which may be empty, and who restricted them."""

    name: str
    by: UserId


def restricted_user_response(restriction: UserRestriction, user: User) -> RestrictedUserResponse:
    """The response for a restriction and its user."""
    return RestrictedUserResponse(**restriction.model_dump(), name=user.name)


def restriction_response(restriction: UserRestriction) -> RestrictionResponse:
    """The response for a restriction, without who made it."""
    return RestrictionResponse(
        user_id=restriction.user_id,
        until=restriction.until,
        reason=restriction.reason,
        at=restriction.at,
    )
