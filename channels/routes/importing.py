"""The lines of an import: reads them, makes batches of them, and reports the result of each.

A million lines must cost little beside a million inserts. So orjson and one check of the id read a good line, and only
a bad line is validated by the model, which names the mistake.
"""

from collections import deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal, NotRequired

import orjson
from pydantic import ConfigDict, Field, ValidationError
from typing_extensions import TypedDict

from channels.errors import channel_errors
from groups.kernel.endpoint import LINE_BYTES, Body, NdjsonBody, Query, Response
from groups.kernel.errors import DomainError
from groups.kernel.ids import UserId, UserIdText, is_user_id
from groups.routes.responses.fields import ItemError
from groups.service.membership.commands import ImportOutcome, Outcome

BATCH_LINES: Final = 5_000
"""Lines in a transaction. With 1,000 an import is about half as fast; with 10,000 joins wait twice as long."""


class ImportLine(Body):
    """One line of an import."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"user_id": "ada"}]})

    user_id: UserIdText


class ImportQuery(Query):
    """How much the response reports."""

    results: Annotated[
        Literal["all", "refused"],
        Field(description="`refused`: only the users who were not added and are no subscribers."),
    ] = "all"


class ImportResult(TypedDict):
    """The result of one line. A line that cannot be read has its number, from 1, instead of an id."""

    user_id: NotRequired[UserId]
    line: NotRequired[int]
    result: Outcome | Literal["invalid_request"]
    detail: NotRequired[str]


class ImportProgress(Response):
    """Progress of an import: totals, and the results of the batch just committed, in its order."""

    received: Annotated[int, Field(description="Lines so far, blank ones not counted.")]
    added: int
    present: Annotated[int, Field(description="Subscribers already, or users named twice.")]
    refused: int
    subscriber_count: Annotated[int | None, Field(description="null: not known yet.")]
    results: list[ImportResult]
    done: Annotated[bool, Field(description="The last line of a complete import.")] = False
    error: Annotated[
        ItemError | None,
        Field(
            description="The last line of an import that stopped early: lines not counted were not imported."
        ),
    ] = None


@dataclass(slots=True)
class _Batch:
    """Lines of one transaction: their ids, and the results of bad lines, each with the index of the next id."""

    user_ids: list[UserId] = field(default_factory=list)
    bad: list[tuple[int, ImportResult]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.user_ids) + len(self.bad)


class SubscriberImport:
    """One import: its batches on the way in, and its progress on the way out."""

    def __init__(self, lines: NdjsonBody[ImportLine], query: ImportQuery) -> None:
        self._chunks = lines.chunks
        self._reports_all = query.results == "all"
        self._line_number = 0
        self._under_way: deque[_Batch] = deque()
        self._added = self._present = self._refused = 0
        self._subscriber_count: int | None = None

    async def batches(self) -> AsyncGenerator[Sequence[UserId], None]:
        """The ids of each batch: `BATCH_LINES` lines, fewer where the sender pauses or ends; the last may be empty."""
        batch = _Batch()
        async for chunk in self._chunks:
            for line in chunk:
                self._read(line, batch)
                if len(batch) >= BATCH_LINES:
                    yield self._started(batch)
                    batch = _Batch()
            if not chunk and len(batch):
                yield self._started(batch)
                batch = _Batch()
        yield self._started(batch)

    def _started(self, batch: _Batch) -> Sequence[UserId]:
        self._under_way.append(batch)
        return batch.user_ids

    def _read(self, line: bytes | None, batch: _Batch) -> None:
        self._line_number += 1
        if line is not None:
            try:
                value = orjson.loads(line)
            except orjson.JSONDecodeError:
                if not line or line.isspace():
                    return
            else:
                if type(value) is dict and len(value) == 1:
                    user_id = value.get("user_id")
                    if type(user_id) is str and is_user_id(user_id):
                        batch.user_ids.append(UserId(user_id))
                        return
        result = ImportResult(
            line=self._line_number, result="invalid_request", detail=_problem_of(line)
        )
        batch.bad.append((len(batch.user_ids), result))

    async def progress(
        self, outcomes: AsyncGenerator[ImportOutcome, None]
    ) -> AsyncGenerator[ImportProgress, None]:
        async with aclosing(outcomes):
            try:
                with channel_errors():
                    async for outcome in outcomes:
                        batch = self._under_way.popleft()
                        self._add_up(batch, outcome)
                        yield self._progress(self._results(batch, outcome))
            except DomainError as error:
                yield self._progress([], error=ItemError.of(error))
                return
        yield self._progress([], done=True)

    def _add_up(self, batch: _Batch, outcome: ImportOutcome) -> None:
        added = outcome.outcomes.count("added")
        present = outcome.outcomes.count("present")
        self._added += added
        self._present += present
        self._refused += len(batch) - added - present
        self._subscriber_count = outcome.member_count

    def _results(self, batch: _Batch, outcome: ImportOutcome) -> list[ImportResult]:
        results: list[ImportResult] = [
            {"user_id": user_id, "result": result}
            for user_id, result in zip(batch.user_ids, outcome.outcomes, strict=True)
        ]
        # From the end, so that the indexes before stay valid.
        for index, bad in reversed(batch.bad):
            results.insert(index, bad)
        if self._reports_all:
            return results
        return [result for result in results if result["result"] not in {"added", "present"}]

    def _progress(
        self, results: list[ImportResult], *, done: bool = False, error: ItemError | None = None
    ) -> ImportProgress:
        # Built without validation, like every response; there are thousands of results.
        return ImportProgress.model_construct(
            received=self._added + self._present + self._refused,
            added=self._added,
            present=self._present,
            refused=self._refused,
            subscriber_count=self._subscriber_count,
            results=results,
            done=done,
            error=error,
        )


def _problem_of(line: bytes | None) -> str:
    """Why the line cannot be read; None is a line that is too long."""
    if line is None:
        return f"line: holds more than {LINE_BYTES} bytes"
    try:
        ImportLine.model_validate_json(line)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)[0]
        field_name = ".".join(str(name) for name in found["loc"])[:100] or "line"
        return f"{field_name}: {found['msg']}"
    return "line: must hold a JSON object"  # orjson and pydantic may differ on what JSON is
