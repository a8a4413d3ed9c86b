"""The lines of a change of tags in bulk: reads them, makes batches of them, and reports what came of each.

A batch is one transaction. Whatever ends the request, the batches before are committed, and the same lines again change
nothing for them.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Annotated, Final, Literal, NotRequired, Self

from pydantic import ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from channels.errors import channel_errors
from channels.subscriber_tags.models import TagChange, TagOutcome
from channels.subscriber_tags.routes.fields import Tags, check_once
from groups.kernel.endpoint import LINE_BYTES, Body, NdjsonBody, Query, Response
from groups.kernel.errors import DomainError
from groups.kernel.ids import UserId, UserIdText
from groups.routes.responses.fields import ItemError

BATCH_LINES: Final = 1_000
"""Lines in a transaction. Other changes of tags in the channel wait for one batch at most."""

Change = Callable[[Sequence[TagChange]], Awaitable[list[TagOutcome]]]


class TagLine(Body):
    """A subscriber, and either all tags that they are to have, or some to add and some to take away."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"user_id": "ada", "add": ["customer"], "remove": ["trial"]},
                {"user_id": "bob", "tags": ["customer", "berlin"]},
            ]
        }
    )

    user_id: UserIdText
    tags: Tags | None = None
    add: Tags = ()
    remove: Tags = ()

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if (self.tags is None) == (not self.add and not self.remove):
            raise PydanticCustomError("tags", "needs either tags, or add and remove")
        for name in ("tags", "add", "remove"):
            check_once(name, getattr(self, name) or ())
        return self

    def to_change(self) -> TagChange:
        """The change that the line asks for."""
        return TagChange(self.user_id, self.tags, self.add, self.remove)


class TagImportQuery(Query):
    """How much the response reports."""

    results: Annotated[
        Literal["all", "refused"],
        Field(description="`refused`: only the lines that changed nothing although they should."),
    ] = "all"


class TagImportResult(TypedDict):
    """The result of one line. A line that cannot be read has its number, from 1, instead of an id."""

    user_id: NotRequired[UserId]
    line: NotRequired[int]
    result: Literal["changed", "unchanged", "not_subscribed", "tag_limit", "invalid_request"]
    detail: NotRequired[str]


class TagImportProgress(Response):
    """Progress: totals, and the results of the batch just committed, in its order."""

    received: Annotated[int, Field(description="Lines so far, blank ones not counted.")]
    changed: int
    unchanged: Annotated[int, Field(description="Subscribers who had these tags already.")]
    refused: int
    results: list[TagImportResult]
    done: Annotated[bool, Field(description="The last line of a complete request.")] = False
    error: Annotated[
        ItemError | None,
        Field(
            description="The last line of a request that stopped early: lines not counted changed nothing."
        ),
    ] = None


class TagImport:
    """One request: its batches on the way in, and its progress on the way out."""

    def __init__(self, lines: NdjsonBody[TagLine], query: TagImportQuery) -> None:
        self._chunks = lines.chunks
        self._reports_all = query.results == "all"
        self._line_number = 0
        self._counts = dict.fromkeys(("changed", "unchanged", "refused"), 0)

    async def progress(self, change: Change) -> AsyncGenerator[TagImportProgress, None]:
        """Make the changes, batch after batch, and report each batch once it is committed."""
        batch: list[TagChange | TagImportResult] = []
        try:
            with channel_errors():
                async for chunk in self._chunks:
                    for line in chunk:
                        self._read(line, batch)
                        if len(batch) >= BATCH_LINES:
                            yield await self._commit(batch, change)
                            batch = []
                    if not chunk and batch:  # the sender pauses
                        yield await self._commit(batch, change)
                        batch = []
                if batch:
                    yield await self._commit(batch, change)
        except DomainError as error:
            yield self._progress([], error=ItemError.of(error))
            return
        yield self._progress([], done=True)

    def _read(self, line: bytes | None, batch: list[TagChange | TagImportResult]) -> None:
        self._line_number += 1
        if line is not None and (not line or line.isspace()):
            return
        detail = f"line: holds more than {LINE_BYTES} bytes"
        if line is not None:
            try:
                batch.append(TagLine.model_validate_json(line).to_change())
            except ValidationError as error:
                found = error.errors(include_url=False, include_input=False)[0]
                field_name = ".".join(str(name) for name in found["loc"])[:100] or "line"
                detail = f"{field_name}: {found['msg']}"
            else:
                return
        batch.append({"line": self._line_number, "result": "invalid_request", "detail": detail})

    async def _commit(
        self, batch: Sequence[TagChange | TagImportResult], change: Change
    ) -> TagImportProgress:
        changes = [one for one in batch if isinstance(one, TagChange)]
        outcomes = iter(await change(changes) if changes else ())
        results: list[TagImportResult] = []
        for one in batch:
            result: TagImportResult = (
                {"user_id": one.user_id, "result": next(outcomes).value}
                if isinstance(one, TagChange)
                else one
            )
            kind = result["result"]
            is_refused = kind not in {"changed", "unchanged"}
            self._counts["refused" if is_refused else kind] += 1
            if is_refused or self._reports_all:
                results.append(result)
        return self._progress(results)

    def _progress(
        self, results: list[TagImportResult], *, done: bool = False, error: ItemError | None = None
    ) -> TagImportProgress:
        # Built without validation, like every response; there are thousands of results.
        return TagImportProgress.model_construct(
            received=sum(self._counts.values()),
            changed=self._counts["changed"],
            unchanged=self._counts["unchanged"],
            refused=self._counts["refused"],
            results=results,
            done=done,
            error=error,
        )
