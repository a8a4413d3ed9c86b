"""Pages of lists, and the opaque cursors to the next pages.

A cursor is the sort key of the last item of a page, tied to the list that it came from. It grants nothing: a query is
scoped by the actor whatever the cursor says, so a forged cursor shows nothing that a plain call would not.

A page is bounded in items and in bytes. Where items can be large, it ends before `PAGE_BYTES` of JSON, but has one item
at least. The cursor continues after the last item shown, so nothing is left out and nothing comes twice.
"""

import base64
import binascii
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Generic, Protocol, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, Field

from groups.kernel.errors import BadCursor

T = TypeVar("T")
N = TypeVar("N")
M = TypeVar("M", bound=BaseModel)

PAGE_BYTES: Final = 2**20
"""Of JSON. A hundred messages that fill a screen each take a fifth of it; a hundred of 12 KiB exceed it."""

MAX_PAGE: Final = 100  # items; as in the reference product's pages of conversations and members

Key = str | int
"""One part of a sort key; instants travel as milliseconds since 1970."""


class ReadAfter(Protocol[T]):
    """Reads at most `limit` items of a list, in order: those whose keys are after a text (all of them for "")."""

    async def __call__(self, *, after: str, limit: int) -> list[T]: ...


class Page(BaseModel, Generic[T]):
    """Some items of a list, and the cursor to the next ones; null at the end."""

    model_config = ConfigDict(frozen=True)

    items: list[T]
    next_cursor: str | None = None


class PageQuery(BaseModel):
    """The size of a page, and where it begins."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    limit: Annotated[
        int,
        Field(ge=1, le=MAX_PAGE, description="At most so many items; fewer where they are large."),
    ] = 50
    cursor: Annotated[
        str | None, Field(max_length=1024, description="`next_cursor` of the page before.")
    ] = None


def encode_cursor(name: str, *key: Key) -> str:
    """The cursor that continues the list `name` after the item with this sort key."""
    return base64.urlsafe_b64encode(orjson.dumps([name, *key])).decode().rstrip("=")


def decode_cursor(name: str, cursor: str | None, *kinds: type[Key]) -> tuple[Key, ...] | None:
    """The sort key in the cursor, its parts of these types; None without a cursor. Raises: BadCursor."""
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        parts = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        raise BadCursor from None
    if not isinstance(parts, list) or len(parts) != len(kinds) + 1 or parts[0] != name:
        raise BadCursor
    for part, kind in zip(parts[1:], kinds, strict=True):
        # A bool is an int for Python, and the database takes no integer beyond 64 bits.
        if type(part) is not kind or (isinstance(part, int) and abs(part) >= 2**63):
            raise BadCursor
    return tuple(parts[1:])


async def page_by_text(
    name: str, cursor: str | None, limit: int, read: ReadAfter[T], key_of: Callable[[T], str]
) -> tuple[list[T], str | None]:
    """A page of the list `name`, whose sort key is one text, and the cursor to the next page. Raises: BadCursor."""
    key = decode_cursor(name, cursor, str)
    found = await read(after=str(key[0]) if key else "", limit=limit + 1)
    items, has_more = cut_page(found, limit)
    return items, encode_cursor(name, key_of(items[-1])) if has_more else None


def cut_page(
    items: Sequence[T], limit: int, size_of: Callable[[T], int] | None = None
) -> tuple[list[T], bool]:
    """Cut items, of which one too many was read, to a page; returns the page and whether more items follow.

    With `size_of`, which estimates an item's bytes of JSON, the page has only as many items as fit.
    """
    page = list(items[:limit])
    if size_of is not None:
        del page[count_fitting(map(size_of, page)) :]
    return page, len(items) > len(page)


def count_fitting(sizes: Iterable[int]) -> int:
    """How many items of these sizes, in bytes of JSON, fit into a page; the first one always does."""
    count = total = 0
    for size in sizes:
        total += size
        if count and total > PAGE_BYTES:
            break
        count += 1
    return count


def json_size(*parts: BaseModel | str | Mapping[str, object]) -> int:
    """The bytes of JSON that the parts have together."""
    return sum(
        len(part.__pydantic_serializer__.to_json(part, warnings=False))
        if isinstance(part, BaseModel)
        else len(orjson.dumps(part))
        for part in parts
    )


@dataclass(frozen=True, slots=True)
class UncutPage(Generic[T]):
    """Items of a list for a caller that adds to them, and only then knows how many of them fit into a page."""

    items: list[T]
    next_cursor: str | None
    """The cursor that continues after all items; None where no more follow."""
    cursor_after: Callable[[T], str]
    """Returns the cursor that continues after one item."""


async def page_of_ids(
    ids: Sequence[N], cursor: str | None, read: Callable[[Sequence[N]], Awaitable[Sequence[M]]]
) -> tuple[list[M], str | None]:
    """The items of the ids that a call names, in their order, as many as fit into a page.

    Nearly always all of them fit. Where they do not, the same ids with the cursor return the rest. Raises: BadCursor.
    """
    key = decode_cursor("ids", cursor, int)
    start = max(0, int(key[0])) if key else 0
    page, has_more = cut_page(await read(ids[start:]), len(ids), json_size)
    return page, encode_cursor("ids", start + len(page)) if has_more else None
