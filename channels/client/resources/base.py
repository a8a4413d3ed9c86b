"""What the classes of calls have in common: send a call, parse its answer, read a list."""

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping
from typing import Any, TypeVar, cast

from pydantic import BaseModel, ValidationError
from pydantic_core import to_json

from channels.client.errors import BadAnswer
from channels.client.models import Page
from channels.client.paging import Paged
from channels.client.transport import Query, Transport, path_of

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")

CONTENT_FIELDS = ("video", "audio", "file", "location", "poll", "custom")


def parsed(model: type[M], body: bytes) -> M:
    """The answer. Raises: BadAnswer."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise BadAnswer(f"The answer is no {model.__name__}: {error}") from error


def with_kind(content: Mapping[str, object]) -> dict[str, object]:
    """The content of a message, with its `kind` where the fields say which it is."""
    given = {name for name, value in content.items() if value not in (None, "", [])}
    if "kind" in content or "forward" in given:
        return dict(content)
    if "images" in given:
        kind = "text_and_image" if "text" in given else "image"
    else:
        kind = next((name for name in CONTENT_FIELDS if name in given), "text")
    return {"kind": kind, **content}


_BATCH_LINES = 1_000


async def ndjson(items: Iterable[object] | AsyncIterable[object]) -> AsyncIterator[bytes]:
    """A JSON object a line, as a body that is sent while it is made."""
    if isinstance(items, AsyncIterable):
        async for item in items:
            yield to_json(item) + b"\n"
        return
    batch: list[bytes] = []
    for item in items:
        batch.append(to_json(item) + b"\n")
        if len(batch) == _BATCH_LINES:
            yield b"".join(batch)
            batch.clear()
    if batch:
        yield b"".join(batch)


class Resource:
    """Calls of one resource."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def _get(self, model: type[M], *parts: object, **query: object) -> M:
        return await self._call("GET", model, *parts, query=query)

    async def _call(
        self,
        method: str,
        model: type[M],
        *parts: object,
        query: Query | None = None,
        body: object = None,
        idempotency_key: str | None = None,
        is_repeatable: bool = True,
    ) -> M:
        answered = await self._transport.send(
            method,
            path_of(*parts),
            query=query,
            body=body,
            idempotency_key=idempotency_key,
            is_repeatable=is_repeatable,
        )
        return parsed(model, answered.body)

    async def _do(
        self, method: str, *parts: object, query: Query | None = None, body: object = None
    ) -> None:
        """A call whose answer says nothing."""
        await self._transport.send(method, path_of(*parts), query=query, body=body)

    def _list(self, model: type[Page[T]], *parts: object, **query: object) -> Paged[T, Page[T]]:
        async def read(cursor: str | None) -> Page[T]:
            return await self._get(model, *parts, **query, cursor=cursor)

        return Paged(read, lambda page: page.items)

    def _paged(
        self, model: type[M], item: type[T], *parts: object, **query: object
    ) -> "Paged[T, Any]":
        """A list whose pages say more than items and a cursor; `item` is the type of the items."""

        async def read(cursor: str | None) -> M:
            return await self._get(model, *parts, **query, cursor=cursor)

        return Paged(read, lambda page: cast("list[T]", cast(Any, page).items))
