"""The errors of reports."""

from collections.abc import Mapping
from typing import ClassVar

from groups.kernel.errors import Conflict, Detail, NotFound, RateLimited


class ReportNotFound(NotFound):
    """There is no such case. Resolved ones are deleted after a year."""

    code: ClassVar[str] = "report_not_found"
    summary: ClassVar[str] = "No such report"
    remedy: ClassVar[str] = "Read the list of reports anew."


class ReportResolved(Conflict):
    """Another admin has resolved the case, or it was resolved in another way."""

    code: ClassVar[str] = "report_resolved"
    summary: ClassVar[str] = "The report is resolved already"
    remedy: ClassVar[str] = (
        "Read the report: `resolution` says what was done, and `resolved_by` who did it."
    )


class ReportActionNotPossible(Conflict):
    """The action does not fit what was reported, or that is gone."""

    code: ClassVar[str] = "report_action_not_possible"
    summary: ClassVar[str] = "This action does not fit what was reported"
    remedy: ClassVar[str] = (
        "Offer `delete` for posts and messages of groups, `suspend_channel` where the target has a `channel_id`, and"
        " `restrict_user` where the report has an `author_id`."
    )


class DailyReportLimitReached(RateLimited):
    """The user has already reported `limit` things today (UTC). They may still change those reports."""

    code: ClassVar[str] = "daily_report_limit_reached"
    summary: ClassVar[str] = "You have reported as many things today as you may"
    remedy: ClassVar[str] = (
        "Wait for the seconds in `Retry-After`, which end at midnight UTC, or raise the limit `REPORTS_PER_DAY`."
    )
    fields: ClassVar[Mapping[str, Detail]] = {
        **RateLimited.fields,
        "limit": Detail(int, "The things that a user may report in a day."),
    }

    def __init__(self, *, limit: int, retry_after_seconds: float) -> None:
        super().__init__(
            f"A user reports at most {limit} things a day", retry_after_seconds=retry_after_seconds
        )
        self.details["limit"] = limit
