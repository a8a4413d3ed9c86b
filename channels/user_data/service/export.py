"""The export of a user: all that the server stores of them, as lines that can be written while they are read.

The parts of an export follow one another: first what the places of all packages declare (`registry.PLACES`), then what
the user wrote and what they hold on messages, in the conversations that they are in. After each page comes a cursor:
the part, and the position in it. So memory holds one page, and a broken download goes on where it ended.

What changes while the export runs may be in it or not. What it costs: a page of an index for each collection with an
index on users; for reports, drafts, restrictions and invitations a walk over the collection; and for each group or
conversation of the user one look at its messages, and one at the tallies of its messages.
"""

import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

from channels.user_data import policy
from channels.user_data.errors import ExportRunning
from channels.user_data.limits import EXPORT_SECONDS, EXPORTS_AT_ONCE, PAGE, WALKED_AT_ONCE
from channels.user_data.policy import UserDataOptions
from channels.user_data.registry import PLACES
from channels.user_data.store.walk import WalkStore
from channels.user_data.store.written import WrittenStore, known
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock, rfc3339
from groups.kernel.errors import BadCursor
from groups.kernel.ids import UserId
from groups.kernel.paging import decode_cursor, encode_cursor
from groups.kernel.personal_data import Find, Place

VERSION: Final = 1
_CURSOR: Final = "user export"
_REMEMBERED: Final = 10_000
"""Users of whose last export a process knows; with more, it forgets all whose time is over."""


class Line(NamedTuple):
    """A line of an export."""

    type: str
    data: Mapping[str, Any]


class _Page(NamedTuple):
    lines: Sequence[Line]
    after: str | None
    """Where to go on; None: the part is over."""


@dataclass(kw_only=True, slots=True)
class UserExports:
    """Exports users, a few at a time."""

    walk: WalkStore
    written: WrittenStore
    options: UserDataOptions
    clock: Clock
    now: Callable[[], float] = time.monotonic
    _running: set[UserId] = field(init=False, default_factory=set)
    _begun: dict[UserId, float] = field(init=False, default_factory=dict)

    def export(
        self, actor: Actor, user_id: UserId, cursor: str | None
    ) -> AsyncGenerator[Line, None]:
        """The lines of the export, or of the rest behind the cursor.

        Raises: PermissionRefused; BadCursor; ExportRunning.
        """
        refusal = policy.exporting_refusal(actor, user_id, self.options)
        if refusal is not None:
            raise refusal
        key = decode_cursor(_CURSOR, cursor, int, str)
        if key is not None and not 0 <= int(key[0]) <= len(_PARTS):
            raise BadCursor
        self._take_turn(user_id, is_new=key is None)
        part, after = (int(key[0]), str(key[1])) if key else (0, "")
        return self._lines(user_id, part, after, is_new=key is None)

    def _take_turn(self, user_id: UserId, *, is_new: bool) -> None:
        now = self.now()
        if user_id in self._running or len(self._running) >= EXPORTS_AT_ONCE:
            raise ExportRunning(retry_after_seconds=5.0)
        if not is_new:
            return
        left = self._begun.get(user_id, -EXPORT_SECONDS) + EXPORT_SECONDS - now
        if left > 0:
            raise ExportRunning(retry_after_seconds=left)
        if len(self._begun) >= _REMEMBERED:
            self._begun = {
                one: begun for one, begun in self._begun.items() if begun + EXPORT_SECONDS > now
            }
        self._begun[user_id] = now

    async def _lines(
        self, user_id: UserId, part: int, after: str, *, is_new: bool
    ) -> AsyncGenerator[Line, None]:
        if user_id in self._running:
            raise ExportRunning(retry_after_seconds=5.0)
        self._running.add(user_id)
        counts: Counter[str] = Counter()
        try:
            if is_new:
                at = rfc3339(self.clock.now())
                yield Line("start", {"version": VERSION, "user_id": user_id, "at": at})
            while part < len(_PARTS):
                page = await self._page(part, user_id, after)
                for line in page.lines:
                    counts[line.type] += 1
                    yield line
                if page.after is None:
                    part, after = part + 1, ""
                else:
                    after = page.after
                if page.lines:
                    yield Line("cursor", {"cursor": encode_cursor(_CURSOR, part, after)})
            yield Line("end", {"counts": dict(counts)})
        finally:
            self._running.discard(user_id)

    async def _page(self, part: int, user_id: UserId, after: str) -> _Page:
        wanted = _PARTS[part]
        if isinstance(wanted, Place):
            return await self._of_place(wanted, user_id, after)
        rows, next_after = await self.written.page(wanted, user_id, after, PAGE)
        lines = [
            Line(row.type, {name: _plain(value) for name, value in row.fields.items()})
            for row in rows
        ]
        return _Page(lines, next_after)

    async def _of_place(self, place: Place, user_id: UserId, after: str) -> _Page:
        shown = place.export
        assert shown is not None, "only those are parts"
        if shown.find is Find.FIELD:
            rows = await self.walk.find_of_user(place, user_id, after or None, PAGE)
            next_after = str(rows[-1]["_id"]) if len(rows) == PAGE else None
        else:
            walked = await self.walk.next_keys([place], user_id, after, WALKED_AT_ONCE)
            rows, next_after = await self.walk.find(place.collection, walked.keys), walked.after
        lines = [
            Line(
                shown.type,
                {
                    ("id" if name == "_id" else name): _plain(known(name, row[name]))
                    for name in shown.fields
                    if row.get(name) is not None
                },
            )
            for row in rows
        ]
        if shown.type == "upload":
            lines = [
                Line(line.type, {**line.data, "path": f"/v1/media/{line.data['id']}"})
                for line in lines
            ]
        return _Page(lines, next_after)


_PARTS: Final[tuple[Place | str, ...]] = (
    *(place for place in PLACES if place.export is not None),
    *WrittenStore.PARTS,
)
"""The parts of an export, in order. Cursors count them, so a cursor is of one version of the server."""


def _plain(value: Any) -> Any:
    """A stored value as JSON has it: times as text, without what is empty in contents."""
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, Mapping):
        return {
            name: _plain(each) for name, each in value.items() if each not in (None, [], (), "")
        }
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value
