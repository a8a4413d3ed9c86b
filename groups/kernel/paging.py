"""Pages of lists: what every list answers, and the opaque cursor that asks for the next one.

A cursor is the sort key of the last item shown, tied to the list it came from. It grants nothing: a query is scoped by
the actor whatever the cursor says, so a forged one shows nothing that a plain call would not.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, Final, Generic, Protocol, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, Field

from groups.kernel.errors import BadCursor

T = TypeVar("T")

MAX_PAGE: Final = 100  # items; the reference product's conversation and member pages

Key = str | int
"""One part of a sort key; instants travel as milliseconds since 1970."""


class ReadBehind(Protocol[T]):
    """Reads the items of a list behind a text ("": from the beginning), in its order."""

    async def __call__(self, *, after: str, limit: int) -> list[T]:
        """At most `limit` of them."""
        ...


class Page(BaseModel, Generic[T]):
    """Some items of a list, and the cursor to the next ones (null at the end)."""

    model_config = ConfigDict(frozen=True)

    items: list[T]
    next_cursor: str | None = None


class PageQuery(BaseModel):
    """How much of a list, and from where."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    limit: Annotated[int, Field(ge=1, le=MAX_PAGE, description="At most so many items.")] = 50
    cursor: Annotated[
        str | None, Field(max_length=1024, description="`next_cursor` of the page before.")
    ] = None


def encode_cursor(name: str, *key: Key) -> str:
    """The cursor that continues the list `name` behind the item with this sort key."""
    return base64.urlsafe_b64encode(orjson.dumps([name, *key])).decode().rstrip("=")


def decode_cursor(name: str, cursor: str | None, *kinds: type[Key]) -> tuple[Key, ...] | None:
    """The sort key in the cursor, its parts of these kinds; None where there is no cursor.

    Raises: BadCursor when it is not one that the list `name` made.
    """
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
        # bool is an int to Python, and an integer beyond 64 bits is none to the database.
        if type(part) is not kind or (isinstance(part, int) and abs(part) >= 2**63):
            raise BadCursor
    return tuple(parts[1:])


async def page_by_text(
    name: str,
    cursor: str | None,
    limit: int,
    read: ReadBehind[T],
    key_of: Callable[[T], str],
) -> tuple[list[T], str | None]:
    """A page of the list `name`, which is in the order of one text, and the cursor to the next.

    Raises: BadCursor.
    """
    key = decode_cursor(name, cursor, str)
    found = await read(after=str(key[0]) if key else "", limit=limit + 1)
    items, has_more = cut_page(found, limit)
    return items, encode_cursor(name, key_of(items[-1])) if has_more else None


def cut_page(items: Sequence[T], limit: int) -> tuple[list[T], bool]:
    """The first `limit` of items that were read one too many, and whether more follow."""
    return list(items[:limit]), len(items) > limit
