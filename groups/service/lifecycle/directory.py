"""Finds channels: the directory by size, age or last post, the channels that a user owns, and those that are suspended.

A deployment holds at most a thousand channels (its limit `channels`), which bounds a search for any number of groups.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Literal

from groups import policy
from groups.kernel.actor import Actor
from groups.kernel.ids import GroupId, UserId
from groups.kernel.paging import (
    UncutPage,
    cut_page,
    decode_cursor,
    encode_cursor,
    page_by_text,
)
from groups.models import AccessContext, Group, stream_of
from groups.service.lifecycle.reader import GroupReader, SeenGroup
from groups.store.groups import GroupStore
from groups.store.members import MemberStore
from groups.store.streams import StreamStore

Sort = Literal["popular", "new", "active"]

_NEVER = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Directory:
    """Lists channels."""

    groups: GroupStore
    members: MemberStore
    streams: StreamStore
    reader: GroupReader

    async def search(
        self,
        actor: Actor,
        *,
        words: str,
        sort: Sort,
        limit: int,
        cursor: str | None,
        with_private: bool = False,
    ) -> UncutPage[SeenGroup]:
        """At most `limit` channels whose name, id or introduction contain `words`, as the actor sees them.

        Only public channels, unless the caller, who checks the right to it, asks `with_private`.
        """
        if sort == "active":
            return await self._by_last_post(actor, words, limit, cursor, with_private=with_private)
        key = decode_cursor(sort, cursor, int, str)
        after: tuple[int | datetime, str] | None = None
        if key is not None:
            value = int(key[0])
            after = (_instant(value) if sort == "new" else value, str(key[1]))
        groups = await self.groups.find_marked(
            words=words, sort=sort, after=after, limit=limit + 1, with_private=with_private
        )
        groups, has_more = cut_page(groups, limit)
        return UncutPage(
            await self._as_seen(actor, groups),
            _cursor_after(sort, groups[-1]) if has_more else None,
            lambda found: _cursor_after(sort, found[0].group),
        )

    async def _by_last_post(
        self, actor: Actor, words: str, limit: int, cursor: str | None, *, with_private: bool
    ) -> UncutPage[SeenGroup]:
        key = decode_cursor("active", cursor, int, str)
        group_ids = await self.groups.list_marked_ids(words=words, with_private=with_private)
        streams = await self.streams.find_many(stream_of(group_id) for group_id in group_ids)

        def order(group_id: GroupId) -> tuple[int, str]:
            stream = streams.get(stream_of(group_id))
            last = stream.last.at if stream and stream.last else _NEVER
            return -_milliseconds(last), group_id

        ordered = sorted(group_ids, key=order)
        if key is not None:
            after = (-int(key[0]), str(key[1]))
            ordered = [group_id for group_id in ordered if order(group_id) > after]
        page, has_more = cut_page(ordered, limit)
        groups = await self.groups.find_many(page)
        found = await self._as_seen(actor, [groups[i] for i in page if i in groups])

        def cursor_after(group_id: GroupId) -> str:
            minus_at, _ = order(group_id)
            return encode_cursor("active", -minus_at, group_id)

        return UncutPage(
            found,
            cursor_after(page[-1]) if has_more else None,
            lambda found: cursor_after(found[0].group.group_id),
        )

    async def list_owned(
        self, actor: Actor, *, limit: int, cursor: str | None
    ) -> UncutPage[SeenGroup]:
        """At most `limit` channels that the actor owns, by id."""
        read = partial(self.groups.find_owned, actor.user_id)
        groups, next_cursor = await page_by_text(
            "owned", cursor, limit, read, lambda group: group.group_id
        )
        return UncutPage(
            await self._as_seen(actor, groups),
            next_cursor,
            lambda found: encode_cursor("owned", found[0].group.group_id),
        )

    async def list_suspended(
        self, actor: Actor, *, limit: int, cursor: str | None
    ) -> UncutPage[SeenGroup]:
        """At most `limit` suspended channels, by id; the caller checks the right to them."""
        groups, next_cursor = await page_by_text(
            "suspended", cursor, limit, self.groups.find_suspended, lambda group: group.group_id
        )
        return UncutPage(
            await self._as_seen(actor, groups),
            next_cursor,
            lambda found: encode_cursor("suspended", found[0].group.group_id),
        )

    async def list_joined(
        self, actor: Actor, *, limit: int, cursor: str | None
    ) -> UncutPage[SeenGroup]:
        """At most `limit` channels that the actor is in, by id. It reads all their memberships, which are limited."""
        key = decode_cursor("in channels", cursor, str)
        after = str(key[0]) if key else ""
        group_ids = [i for i in await self.members.list_group_ids(actor.user_id) if i > after]
        heads = (
            await self.streams.find_heads([stream_of(i) for i in group_ids]) if group_ids else {}
        )
        channel_ids = sorted(
            i
            for i in group_ids
            if (head := heads.get(stream_of(i))) is not None and head.is_channel
        )
        page, has_more = cut_page(channel_ids, limit)
        groups = await self.groups.find_many(page)
        return UncutPage(
            await self._as_seen(actor, [groups[i] for i in page if i in groups]),
            encode_cursor("in channels", page[-1]) if has_more else None,
            lambda found: encode_cursor("in channels", found[0].group.group_id),
        )

    async def list_owned_by(
        self, actor: Actor, owner_ids: Collection[UserId]
    ) -> list[AccessContext]:
        """The channels of any of these owners that the actor may see, as the actor accesses them."""
        groups = await self.groups.list_owned_by(owner_ids)
        if not groups:
            return []
        group_ids = [group.group_id for group in groups]
        members = await self.members.find_of_user(actor.user_id, group_ids)
        seen = (policy.access_of(actor, group, members.get(group.group_id)) for group in groups)
        return [access for access in seen if policy.may_see(access.group, access.effective_role)]

    async def _as_seen(self, actor: Actor, groups: list[Group]) -> list[SeenGroup]:
        group_ids = [group.group_id for group in groups]
        members = await self.members.find_of_user(actor.user_id, group_ids)
        return list((await self.reader.as_seen(actor, groups, members)).values())


def _cursor_after(sort: Literal["popular", "new"], group: Group) -> str:
    value = _milliseconds(group.created_at) if sort == "new" else group.member_count
    return encode_cursor(sort, value, group.group_id)


def _milliseconds(instant: datetime) -> int:
    return round(instant.timestamp() * 1000)


def _instant(milliseconds: int) -> datetime:
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return _NEVER
