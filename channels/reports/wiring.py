"""Builds reports of abuse on channels, conversations and group chat."""

from dataclasses import dataclass
from typing import Final

from channels.comments.wiring import Comments
from channels.reports.limits import ReportLimits
from channels.reports.service.cases import CaseService
from channels.reports.service.clearing import ReportClearing
from channels.reports.service.reporting import ReportingService
from channels.reports.service.targets import TargetFinder
from channels.reports.service.withdrawal import ReportWithdrawal
from channels.reports.store import CaseStore, ReportStore
from channels.service.guard import ChannelGuard, InboxGuard
from conversations.wiring import Conversations
from groups.kernel.batching.group_commit import OnBatch
from groups.kernel.clock import Clock
from groups.kernel.mongo import Database, Index
from groups.wiring import GroupChat

ABUSE_REPORT_INDEXES: Final[tuple[Index, ...]] = (*CaseStore.INDEXES, *ReportStore.INDEXES)


@dataclass(frozen=True, kw_only=True, slots=True)
class AbuseReports:
    """The services of reports on one database."""

    reporting: ReportingService
    cases: CaseService
    clearing: ReportClearing
    withdrawal: ReportWithdrawal

    async def close(self) -> None:
        """Finish what was submitted, and stop the background work, which the next start resumes."""
        await self.reporting.close()
        await self.clearing.close()


def build(
    database: Database,
    chat: GroupChat,
    conversations: Conversations,
    comments: Comments,
    channel: ChannelGuard,
    inbox: InboxGuard,
    limits: ReportLimits,
    clock: Clock,
    *,
    on_batch: OnBatch | None = None,
) -> AbuseReports:
    """Build reports. `on_batch` is called with every group-commit batch."""
    cases, reports = CaseStore(database), ReportStore(database)
    clearing = ReportClearing(database=database, cases=cases, reports=reports)
    return AbuseReports(
        withdrawal=ReportWithdrawal(database=database, cases=cases, reports=reports),
        reporting=ReportingService(
            database=database,
            cases=cases,
            reports=reports,
            targets=TargetFinder(
                guard=chat.guard,
                channel=channel,
                inbox=inbox,
                dialogues=conversations.dialogues,
                users=chat.users,
                comments=comments.reader,
            ),
            limits=limits,
            clock=clock,
            on_batch=on_batch,
        ),
        cases=CaseService(
            database=database,
            cases=cases,
            reports=reports,
            clearing=clearing,
            channel=channel,
            guard=chat.guard,
            edits=chat.edits,
            comments=comments.comments,
            suspensions=chat.suspensions,
            restrictions=chat.restrictions,
            admin_log=chat.admin_log,
            clock=clock,
        ),
        clearing=clearing,
    )
