"""Takes back the reports of a user who is deleted, so that the counts of open cases stay exact."""

from dataclasses import dataclass

from channels.reports.models import CaseState, ReportReason
from channels.reports.store import CaseStore, ReportStore
from groups.kernel.mongo import Database, Tx


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportWithdrawal:
    """Deletes reports one by one."""

    database: Database
    cases: CaseStore
    reports: ReportStore

    async def withdraw(self, report_id: str) -> None:
        """Delete a report and count its open case again; a case without reports stays, and counts none.

        Repeating it changes nothing. A report that is made meanwhile writes the case too, so one of the two runs again.
        """

        async def work(tx: Tx) -> None:
            case_id = await self.reports.delete_one(report_id, tx)
            case = await self.cases.find(case_id, tx) if case_id is not None else None
            if case is None or case.state is not CaseState.OPEN:
                return
            found = await self.reports.count_reasons(case.case_id, tx)
            reasons = {ReportReason(reason): count for reason, count in found.items()}
            count = sum(reasons.values())
            self.cases.put(case.model_copy(update={"count": count, "reasons": reasons}), tx)

        await self.database.run(work)
