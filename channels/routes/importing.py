"""The import's lines: what each asks, in what batches they are taken, and how the answer tells what came of them.

A million lines must cost little beside a million inserts, so a good line is read by orjson and one check of its id;
only a bad one meets the model, which says what is wrong with it.
"""

from collections import deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal, NotRequired

import orjson
from pydantic import ConfigDict, Field, ValidationError
from typing_extensions import TypedDict

from groups.kernel.endpoint import LINE_BYTES, Body, NdjsonBody, Query, Response
from groups.kernel.errors import DomainError
from groups.kernel.ids import UserId, UserIdText, is_user_id
from groups.routes.responses.fields import ItemError
from groups.service.membership.commands import ImportOutcome, Outcome

BATCH_LINES: Final = 5_000
"""Lines a transaction: 1,000 are about half as fast, and with 10,000 a join beside the import waits twice as long."""


class ImportLine(Body):
    """One line of an import."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"user_id": "ada"}]})

    user_id: UserIdText


class ImportQuery(Query):
    """How much the answer tells."""

    results: Annotated[
        Literal["all", "refused"],
        Field(description="`refused`: leave out who was added or present already."),
    ] = "all"


class ImportResult(TypedDict):
    """What came of one line; one that could not be read has its number, from 1, in place of an id."""

    user_id: NotRequired[UserId]
    line: NotRequired[int]
    result: Outcome | Literal["invalid_request"]
    detail: NotRequired[str]


class ImportProgress(Response):
    """How far an import has come: totals, and the results of the batch just committed, in its order."""

    received: Annotated[int, Field(description="Lines so far, without blank ones.")]
    added: int
    present: Annotated[int, Field(description="Subscribers already, or named twice.")]
    refused: int
    subscriber_count: Annotated[int | None, Field(description="null: not known yet.")]
    results: list[ImportResult]
    done: Annotated[bool, Field(description="The last line of an import that came to its end.")] = (
        False
    )
    error: Annotated[
        ItemError | None,
        Field(description="The last line of one that did not: what is not counted was not done."),
    ] = None


@dataclass(slots=True)
class _Batch:
    """Lines taken together: the ids, and the results of those that have none, each before the id at its place."""

    user_ids: list[UserId] = field(default_factory=list)
    bad: list[tuple[int, ImportResult]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.user_ids) + len(self.bad)


class Intake:
    """One import's lines on their way in, and its progress on the way out."""

    def __init__(self, lines: NdjsonBody[ImportLine], query: ImportQuery) -> None:
        self._chunks = lines.chunks
        self._tells_all = query.results == "all"
        self._number = 0
        self._under_way: deque[_Batch] = deque()
        self._added = self._present = self._refused = 0
        self._count: int | None = None

    async def batches(self) -> AsyncGenerator[Sequence[UserId], None]:
        """The ids of each batch: `BATCH_LINES` lines, fewer where the sender pauses or ends; the last may be empty."""
        batch = _Batch()
        async for chunk in self._chunks:
            for line in chunk:
                self._take(line, batch)
                if len(batch) >= BATCH_LINES:
                    yield self._closed(batch)
                    batch = _Batch()
            if not chunk and len(batch):
                yield self._closed(batch)
                batch = _Batch()
        yield self._closed(batch)

    def _closed(self, batch: _Batch) -> Sequence[UserId]:
        self._under_way.append(batch)
        return batch.user_ids

    def _take(self, line: bytes | None, batch: _Batch) -> None:
        self._number += 1
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
        told = ImportResult(line=self._number, result="invalid_request", detail=_reason(line))
        batch.bad.append((len(batch.user_ids), told))

    async def progress(
        self, admissions: AsyncGenerator[ImportOutcome, None]
    ) -> AsyncGenerator[ImportProgress, None]:
        """A line for each admission of what `batches` yielded, and a last one."""
        async with aclosing(admissions):
            try:
                async for admission in admissions:
                    batch = self._under_way.popleft()
                    self._count_in(batch, admission)
                    yield self._progress(self._results(batch, admission))
            except DomainError as error:
                yield self._progress([], error=ItemError.of(error))
                return
        yield self._progress([], done=True)

    def _count_in(self, batch: _Batch, admission: ImportOutcome) -> None:
        added = admission.outcomes.count("added")
        present = admission.outcomes.count("present")
        self._added += added
        self._present += present
        self._refused += len(batch) - added - present
        self._count = admission.member_count

    def _results(self, batch: _Batch, admission: ImportOutcome) -> list[ImportResult]:
        results: list[ImportResult] = [
            {"user_id": user_id, "result": outcome}
            for user_id, outcome in zip(batch.user_ids, admission.outcomes, strict=True)
        ]
        # From the end, so that the places before stay what they are.
        for place, told in reversed(batch.bad):
            results.insert(place, told)
        if self._tells_all:
            return results
        return [told for told in results if told["result"] not in {"added", "present"}]

    def _progress(
        self, results: list[ImportResult], *, done: bool = False, error: ItemError | None = None
    ) -> ImportProgress:
        # Built without validation, like every answer of ours; the results are thousands.
        return ImportProgress.model_construct(
            received=self._added + self._present + self._refused,
            added=self._added,
            present=self._present,
            refused=self._refused,
            subscriber_count=self._count,
            results=results,
            done=done,
            error=error,
        )


def _reason(line: bytes | None) -> str:
    """Why the line is none that can be read."""
    if line is None:
        return f"line: holds more than {LINE_BYTES} bytes"
    try:
        ImportLine.model_validate_json(line)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)[0]
        field_name = ".".join(str(name) for name in found["loc"])[:100] or "line"
        return f"{field_name}: {found['msg']}"
    return "line: must hold a JSON object"  # two parsers may differ on what JSON is
