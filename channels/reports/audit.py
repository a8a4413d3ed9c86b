"""Checks of stored reports: the counts of an open case equal its records, and no record is left of a resolved one."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from channels.reports.models import CaseState, ReportReason
from channels.reports.store import CaseStore, ReportStore
from groups.audit.joins import look_up
from groups.kernel.data_checks import Check, Finding, Repair
from groups.kernel.mongo import Database, Tx
from groups.kernel.mongo.snapshot import Snapshot

STEP = 1_000  # documents a transaction


def checks(database: Database) -> list[Check]:
    """Return the checks of reports."""
    audit = _Audit(database=database, cases=CaseStore(database), reports=ReportStore(database))
    return [
        Check(
            "P4",
            "an open report counts each user who made it once",
            "reports",
            lambda snapshot: snapshot.count("report_cases"),
            audit.find_wrong_counts,
        ),
        Check(
            "P9",
            "who reported is forgotten with the resolution",
            "reports",
            lambda snapshot: snapshot.count("reports"),
            audit.find_strays,
        ),
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Audit:
    database: Database
    cases: CaseStore
    reports: ReportStore

    async def find_wrong_counts(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """The count of an open case, and that of each reason."""
        found: dict[str, dict[str, int]] = {}
        by_reason = {"$group": {"_id": {"case": "$case_id", "reason": "$reason"}, "n": {"$sum": 1}}}
        async for row in snapshot.rows("reports", [by_reason]):
            found.setdefault(row["_id"]["case"], {})[row["_id"]["reason"]] = row["n"]
        is_open = {"$match": {"state": CaseState.OPEN.value}}
        counts = {"$project": {"count": 1, "reasons": 1}}
        async for row in snapshot.rows("report_cases", [is_open, counts]):
            reasons = found.get(row["_id"], {})
            there_are = sum(reasons.values())
            if (row["count"], row["reasons"]) != (there_are, reasons):
                problem = f"counts {row['count']} reports, there are {there_are}, or other reasons"
                yield Finding("P4", f"report {row['_id']}", problem, self._recounting(row["_id"]))

    def _recounting(self, case_id: str) -> Repair:
        async def work(tx: Tx) -> str | None:
            case = await self.cases.find(case_id, tx)
            if case is None or case.state is not CaseState.OPEN:
                return None
            found = await self.reports.count_reasons(case_id, tx)
            reasons = {ReportReason(reason): count for reason, count in found.items()}
            count = sum(reasons.values())
            if (case.count, case.reasons) == (count, reasons):
                return None
            self.cases.put(case.model_copy(update={"count": count, "reasons": reasons}), tx)
            return f"set the count from {case.count} to {count}"

        return lambda: self.database.run(work)

    async def find_strays(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """Records of cases that are gone, or resolved and noted as cleared."""
        rows = snapshot.rows(
            "reports",
            [
                {"$group": {"_id": "$case_id", "reports": {"$sum": 1}}},
                look_up("report_cases", "_id", "case"),
                {
                    "$match": {
                        "case.state": {"$ne": CaseState.OPEN.value},
                        "case.uncleared": {"$ne": True},
                    }
                },
                {"$project": {"reports": 1}},
            ],
        )
        async for row in rows:
            problem = f"is resolved or gone, and has {row['reports']} records of who reported"
            yield Finding("P9", f"report {row['_id']}", problem, self._deleting(row["_id"]))

    def _deleting(self, case_id: str) -> Repair:
        async def step(tx: Tx) -> int:
            case = await self.cases.find(case_id, tx)
            if case is not None and case.state is CaseState.OPEN:
                return 0
            return await self.reports.delete_some(case_id, STEP, tx)

        async def repair() -> str | None:
            deleted = 0
            while more := await self.database.run(step):
                deleted += more
            return f"deleted {deleted} records" if deleted else None

        return repair
