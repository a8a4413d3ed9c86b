"""Lists: items one by one, with the next page read when it is needed, or page by page."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class PageOf(Protocol[T_co]):
    """Any page: items, and the cursor to the next ones."""

    @property
    def items(self) -> Sequence[T_co]: ...

    @property
    def next_cursor(self) -> str | None: ...


P = TypeVar("P", bound=PageOf[object])


class Paged(Generic[T, P]):
    """A list of the server, read only as far as it is used.

    async for channel in client.channels.directory(q="ferry"):   # all of them
        ...
    page = await client.channels.directory(q="ferry").page()      # the first page
    """

    def __init__(
        self,
        read: Callable[[str | None], Awaitable[P]],
        items_of: Callable[[P], Sequence[T]],
    ) -> None:
        self._read = read
        self._items_of = items_of

    async def page(self, cursor: str | None = None) -> P:
        """One page: the first, or the one to which a `next_cursor` leads."""
        return await self._read(cursor)

    async def pages(self) -> AsyncIterator[P]:
        """Page after page, to the end of the list."""
        cursor: str | None = None
        while True:
            page = await self._read(cursor)
            yield page
            cursor = page.next_cursor
            if cursor is None:
                return

    async def __aiter__(self) -> AsyncIterator[T]:
        async for page in self.pages():
            for item in self._items_of(page):
                yield item

    async def to_list(self, most: int | None = None) -> list[T]:
        """All items, or the first so many."""
        found: list[T] = []
        if most is not None and most <= 0:
            return found
        async for item in self:
            found.append(item)
            if len(found) == most:
                break
        return found
