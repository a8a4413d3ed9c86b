"""The collections of reports.

`report_cases`: `_id` is the digest of the target and the case's number, so two first reports of a target conflict.
`reports`: `_id` is `digest of the target<US>user`, one document a user and target; it is deleted when its case is
resolved. `report_days`: `_id` is the user; how many things they reported on the last day they did.

The `digest` of the target is in the cases and in the reports, which are sharded by it: all of one target are together.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final

from pymongo import UpdateOne

from channels.reports.models import (
    Case,
    CaseState,
    CaseText,
    Report,
    ReportDay,
    TargetType,
    digest_in,
    digest_of,
)
from groups.kernel.ids import GroupId, UserId, join_key
from groups.kernel.mongo import DESCENDING, BatchedQuery, Database, Document, Index, Tx

_IS_UNCLEARED: Final[Document] = {"uncleared": True}
_IS_COMMENT: Final[Document] = {"target.type": TargetType.COMMENT.value}
_EXPIRES: Final[Document] = {"expires_at": {"$exists": True}}

CasePosition = tuple[datetime, str]
"""The place of a case in a list, newest first: when it was opened, and its id."""


class CaseStore:
    """The collection `report_cases`."""

    INDEXES = (
        Index("report_cases", [("digest", 1), ("number", DESCENDING)], "the cases of a target"),
        Index(
            "report_cases",
            [("state", 1), ("first_at", DESCENDING), ("_id", DESCENDING)],
            "the queue of open or resolved cases",
        ),
        Index(
            "report_cases",
            [("target.type", 1), ("state", 1), ("first_at", DESCENDING), ("_id", DESCENDING)],
            "the queue of one type of target",
        ),
        Index(
            "report_cases",
            [("target.channel_id", 1), ("state", 1), ("first_at", DESCENDING), ("_id", DESCENDING)],
            "the cases about comments in a channel",
            partial=_IS_COMMENT,
        ),
        Index(
            "report_cases",
            [("uncleared", 1)],
            "resolved cases whose reports are still to be deleted",
            partial=_IS_UNCLEARED,
        ),
        Index(
            "report_cases",
            [("expires_at", 1)],
            "the TTL of resolved cases",
            partial=_EXPIRES,
            expire_after_seconds=0,
        ),
    )

    def __init__(self, database: Database) -> None:
        self._cases = database.collection("report_cases")

    def query_newest(self, target_keys: Collection[str]) -> BatchedQuery[dict[str, Case]]:
        """The newest case of each target that has one, to send together with other queries."""
        # Uses index: digest_1_number_-1; a target has few cases.
        return BatchedQuery(
            self._cases,
            {"digest": {"$in": [digest_of(key) for key in target_keys]}},
            _newest_by_target,
        )

    def put(self, case: Case, tx: Tx) -> None:
        """Store an open case, new or changed. Collected (`Tx.write`)."""
        document = _to_document(case)
        key = {name: document.pop(name) for name in ("_id", "digest")}
        tx.write(self._cases, UpdateOne(key, {"$set": document}, upsert=True))

    async def resolve(self, case: Case, expires_at: datetime, tx: Tx) -> None:
        """Store a case that is resolved, and whose reports are to be deleted."""
        values = _to_document(case) | {"uncleared": True, "expires_at": expires_at}
        key = {name: values.pop(name) for name in ("_id", "digest")}
        await self._cases.update_one(key, {"$set": values}, session=tx.session)

    async def find(self, case_id: str, tx: Tx | None = None) -> Case | None:
        row = await self._cases.find_one(_match(case_id), session=tx.session if tx else None)
        return _to_case(row) if row else None

    async def list_cases(
        self,
        state: CaseState,
        *,
        target_type: TargetType | None = None,
        channel_id: GroupId | None = None,
        after: CasePosition | None,
        limit: int,
    ) -> list[Case]:
        """Cases in this state, newest first, behind `after`; with a `channel_id` those about its comments."""
        # Uses index: state_1_first_at_-1__id_-1, target.type_1_state_1_…, or target.channel_id_1_state_1_… (partial)
        query: Document = {"state": state.value}
        if channel_id is not None:
            query |= {"target.channel_id": channel_id, **_IS_COMMENT}
        elif target_type is not None:
            query["target.type"] = target_type.value
        if after is not None:
            first_at, case_id = after
            query["$or"] = [
                {"first_at": {"$lt": first_at}},
                {"first_at": first_at, "_id": {"$lt": case_id}},
            ]
        order = [("first_at", DESCENDING), ("_id", DESCENDING)]
        cursor = self._cases.find(query, sort=order, limit=limit)
        return [_to_case(row) for row in await cursor.to_list(None)]

    async def list_uncleared(self, limit: int) -> list[str]:
        """Resolved cases whose reports are not all deleted."""
        # Uses index: uncleared_1 (partial)
        cursor = self._cases.find(_IS_UNCLEARED, {"_id": 1}, limit=limit)
        return [row["_id"] for row in await cursor.to_list(None)]

    async def mark_cleared(self, case_id: str) -> None:
        """Note that no report of the resolved case is left. Doing it again changes nothing."""
        await self._cases.update_one(_match(case_id), {"$unset": {"uncleared": ""}})


class ReportStore:
    """The collections `reports` and `report_days`."""

    INDEXES = (
        Index(
            "reports", [("digest", 1), ("at", DESCENDING)], "the reports of a target, newest first"
        ),
        Index(
            "report_days",
            [("expires_at", 1)],
            "the TTL of counts of reports",
            expire_after_seconds=0,
        ),
    )

    def __init__(self, database: Database) -> None:
        self._reports = database.collection("reports")
        self._days = database.collection("report_days")

    def query_reports(
        self, pairs: Collection[tuple[str, UserId]]
    ) -> BatchedQuery[dict[tuple[str, UserId], Report]]:
        """The reports of targets by users, to send together with other queries."""
        match: Document = {
            "_id": {"$in": [_report_key(*pair) for pair in pairs]},
            "digest": {"$in": list({digest_of(target_key) for target_key, _ in pairs})},
        }
        return BatchedQuery(self._reports, match, _by_pair)

    def query_days(self, user_ids: Collection[UserId]) -> BatchedQuery[dict[UserId, ReportDay]]:
        """How much these users have reported on the last day they did, to send together with other queries."""
        return BatchedQuery(
            self._days,
            {"_id": {"$in": list(user_ids)}},
            lambda rows: {row["_id"]: ReportDay(row["day"], row["count"]) for row in rows},
        )

    def put(self, report: Report, tx: Tx) -> None:
        """Store the report, in place of an earlier one of the user. Collected (`Tx.write`)."""
        digest = digest_of(report.target_key)
        key = {"_id": _report_key(report.target_key, report.user_id), "digest": digest}
        values = report.model_dump(mode="python")
        tx.write(self._reports, UpdateOne(key, {"$set": values}, upsert=True))

    def put_day(self, user_id: UserId, day: ReportDay, expires_at: datetime, tx: Tx) -> None:
        """Store how much the user has reported on the day. Two transactions that do so conflict. Collected."""
        values: Document = {"day": day.day, "count": day.count, "expires_at": expires_at}
        tx.write(self._days, UpdateOne({"_id": user_id}, {"$set": values}, upsert=True))

    async def list_texts(self, case_id: str, limit: int, tx: Tx | None = None) -> list[CaseText]:
        """The newest texts of the case, without empty ones among the newest `limit` reports with a text."""
        # Uses index: digest_1_at_-1
        cursor = self._reports.find(
            {**_of_case(case_id), "text": {"$ne": ""}},
            {"_id": 0, "reason": 1, "text": 1, "at": 1},
            sort=[("at", DESCENDING)],
            limit=limit,
            session=tx.session if tx else None,
        )
        return [CaseText.from_stored(row) for row in await cursor.to_list(None)]

    async def delete_one(self, report_id: str, tx: Tx) -> str | None:
        """Delete a report by its key; returns the id of its case, None where there is no such report."""
        row = await self._reports.find_one_and_delete({"_id": report_id}, session=tx.session)
        return row["case_id"] if row else None

    async def delete_some(self, case_id: str, limit: int, tx: Tx) -> int:
        """Delete up to `limit` reports of a resolved case; returns how many."""
        # Uses index: digest_1_at_-1
        cursor = self._reports.find(_of_case(case_id), {"_id": 1}, session=tx.session)
        keys = [row["_id"] for row in await cursor.limit(limit).to_list(None)]
        if keys:
            await self._reports.delete_many(
                {"_id": {"$in": keys}, "digest": digest_in(case_id)}, session=tx.session
            )
        return len(keys)

    async def count_reasons(self, case_id: str, tx: Tx) -> Mapping[str, int]:
        """How many reports the case has, by reason. Reads all of them, so only repairs use it."""
        cursor = self._reports.find(_of_case(case_id), {"reason": 1}, session=tx.session)
        counts: dict[str, int] = {}
        for row in await cursor.to_list(None):
            counts[row["reason"]] = counts.get(row["reason"], 0) + 1
        return counts


def _match(case_id: str) -> Document:
    return {"_id": case_id, "digest": digest_in(case_id)}


def _of_case(case_id: str) -> Document:
    return {"digest": digest_in(case_id), "case_id": case_id}


def _report_key(target_key: str, user_id: UserId) -> str:
    return join_key(digest_of(target_key), user_id)


def _by_pair(rows: list[Document]) -> dict[tuple[str, UserId], Report]:
    reports = [Report.from_stored(row) for row in rows]
    return {(report.target_key, report.user_id): report for report in reports}


def _newest_by_target(rows: list[Document]) -> dict[str, Case]:
    newest: dict[str, Case] = {}
    for row in rows:
        case = _to_case(row)
        known = newest.get(case.target_key)
        if known is None or known.number < case.number:
            newest[case.target_key] = case
    return newest


def _to_document(case: Case) -> Document:
    document = case.model_dump(mode="python")
    document["_id"] = document.pop("case_id")
    document["digest"] = digest_of(case.target_key)
    return document


def _to_case(row: Document) -> Case:
    row["case_id"] = row.pop("_id")
    return Case.from_stored(row)
