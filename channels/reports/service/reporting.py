"""Takes reports: one a user and target, counted into the target's open case.

Reports of one target share transactions, so a post that thousands report at once costs a few writes of one document.
All that a batch must know comes with one command, whatever the number of targets and users.
"""

from collections.abc import Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from datetime import datetime, timedelta
from typing import Final

from channels.reports import policy
from channels.reports.events import ReportOpened
from channels.reports.limits import ReportLimits
from channels.reports.models import (
    Case,
    CaseState,
    FoundTarget,
    Report,
    ReportDay,
    Reported,
    ReportReason,
    WantedTarget,
    case_id_of,
)
from channels.reports.service.targets import TargetFinder
from channels.reports.store import CaseStore, ReportStore
from groups.kernel.actor import Actor
from groups.kernel.batching.group_commit import GroupCommit, OnBatch
from groups.kernel.clock import Clock
from groups.kernel.errors import DomainError
from groups.kernel.ids import UserId
from groups.kernel.mongo import Database, Tx

_KEPT: Final = timedelta(days=2)
"""How long the count of a user's day is kept: longer than the day."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """A report on its way."""

    user_id: UserId
    found: FoundTarget
    reason: ReportReason
    text: str


@dataclass(kw_only=True, slots=True)
class ReportingService:
    """Takes reports."""

    database: Database
    cases: CaseStore
    reports: ReportStore
    targets: TargetFinder
    limits: ReportLimits
    clock: Clock
    on_batch: InitVar[OnBatch | None] = None
    _queue: GroupCommit[_Entry, Reported] = field(init=False)

    def __post_init__(self, on_batch: OnBatch | None) -> None:
        self._queue = GroupCommit(self.database, self._apply, name="reports", on_batch=on_batch)

    async def report(
        self, actor: Actor, wanted: WantedTarget, reason: ReportReason, text: str
    ) -> Reported:
        """Report what the actor may read; reporting it again changes their report. The case counts each user once.

        Publishes: ReportOpened, with the first report of a case. Raises: the error of a reader of the target;
        InvalidRequest; DailyReportLimitReached.
        """
        found = await self.targets.find(actor, wanted)
        return await self._queue.submit(found.key, _Entry(actor.user_id, found, reason, text))

    async def _apply(
        self, tx: Tx, batch: Mapping[str, Sequence[_Entry]]
    ) -> Mapping[str, Sequence[Reported | DomainError]]:
        now = self.clock.now()
        today = now.date().isoformat()
        pairs = {(key, entry.user_id) for key, entries in batch.items() for entry in entries}
        of_cases = self.cases.query_newest(batch)
        of_reports = self.reports.query_reports(pairs)
        of_days = self.reports.query_days({user_id for _, user_id in pairs})
        await self.database.fetch_together(of_cases, of_reports, of_days, tx=tx)
        reports = dict(of_reports.result)
        counts = {user_id: day.count for user_id, day in of_days.result.items() if day.day == today}
        counted: set[UserId] = set()
        outcomes: dict[str, list[Reported | DomainError]] = {}
        for key, entries in batch.items():
            newest = of_cases.result.get(key)
            case = newest if newest is not None and newest.state is CaseState.OPEN else None
            number = 1 if newest is None else newest.number + 1
            of_target = outcomes[key] = []
            for entry in entries:
                known = reports.get((key, entry.user_id))
                if known is not None and (case is None or known.case_id != case.case_id):
                    known = None  # of a case that is resolved
                refusal = None if known is not None else self._refusal(counts, entry.user_id, now)
                if refusal is not None:
                    of_target.append(refusal)
                    continue
                if case is None:
                    case = _opened(key, number, entry, now)
                    tx.publish(
                        ReportOpened(
                            at=now,
                            report_id=case.case_id,
                            target=case.target,
                            reason=entry.reason,
                        )
                    )
                if known is None:
                    counts[entry.user_id] = counts.get(entry.user_id, 0) + 1
                    counted.add(entry.user_id)
                case = _counted(case, entry, known, now)
                report = Report(
                    target_key=key,
                    user_id=entry.user_id,
                    case_id=case.case_id,
                    reason=entry.reason,
                    text=entry.text,
                    at=now,
                )
                reports[key, entry.user_id] = report
                self.reports.put(report, tx)
                of_target.append(Reported(case.case_id, is_new=known is None))
            if case is not None and case is not newest:
                self.cases.put(case, tx)
        for user_id in counted:
            self.reports.put_day(user_id, ReportDay(today, counts[user_id]), now + _KEPT, tx)
        return outcomes

    def _refusal(
        self, counts: Mapping[UserId, int], user_id: UserId, now: datetime
    ) -> DomainError | None:
        return policy.daily_refusal(counts.get(user_id, 0), self.limits.reports_per_day, now)

    async def close(self) -> None:
        """Wait until every submitted report is committed or refused."""
        await self._queue.close()


def _opened(key: str, number: int, entry: _Entry, now: datetime) -> Case:
    """A new case, which counts no report so far."""
    found = entry.found
    return Case(
        case_id=case_id_of(key, number),
        target_key=key,
        number=number,
        target=found.target,
        content=found.content,
        profile=found.profile,
        author_id=found.author_id,
        count=0,
        reasons={},
        first_at=now,
        last_at=now,
    )


def _counted(case: Case, entry: _Entry, known: Report | None, now: datetime) -> Case:
    """The case with the report, in place of the one that the user made before."""
    reasons = dict(case.reasons)
    if known is not None:
        reasons[known.reason] -= 1
    reasons[entry.reason] = reasons.get(entry.reason, 0) + 1
    return case.model_copy(
        update={
            "count": case.count + (known is None),
            "reasons": {reason: count for reason, count in reasons.items() if count},
            "last_at": now,
        }
    )
