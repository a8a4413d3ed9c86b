"""The events of reports. They never say who reported."""

from typing import Literal

from channels.reports.models import ReportReason, Target
from groups.kernel.events import Event


class ReportOpened(Event):
    """A first report opened a case. Only back ends of the application receive it."""

    type: Literal["report.opened"] = "report.opened"
    report_id: str
    target: Target
    reason: ReportReason

    @property
    def routes(self) -> tuple[str, ...]:
        return ()
