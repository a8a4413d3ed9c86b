"""Tags on subscribers: given one by one or in bulk, listed, counted.

Promises:
    Exact: tags belong to one subscription. The limit of a channel's different tags, and the counts, hold under any
    race, since every change writes one document of the channel.
    Free where they are not used: joining and leaving never touch tags. What a subscription that ended leaves has no
    meaning at once, since it names the time of joining, and `departures` deletes it a moment later.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from channels.errors import ChannelNotFound
from channels.limits import ChannelLimits
from channels.service.guard import ChannelGuard
from channels.subscriber_tags.errors import SubscriberTagLimitReached
from channels.subscriber_tags.models import (
    TAGS_PER_SUBSCRIBER,
    TagChange,
    TagOutcome,
    TagRow,
)
from channels.subscriber_tags.store import SubscriberTagStore
from groups import policy
from groups.errors import MemberNotFound
from groups.kernel.actor import Actor
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Database, Tx
from groups.kernel.paging import cut_page, decode_cursor, encode_cursor, page_by_text
from groups.models import Member
from groups.service.access.guard import AccessGuard
from groups.service.access.membership_reader import MembershipReader
from groups.service.membership.service import MembershipService


def tags_lock(channel_id: GroupId) -> str:
    """The key of the document of a channel that every change of tags writes."""
    return f"subscriber tags {channel_id}"


@dataclass(frozen=True, kw_only=True, slots=True)
class SubscriberTags:
    """Reads and changes the tags of subscribers, for the staff who manage them."""

    database: Database
    store: SubscriberTagStore
    touch_channel: Callable[[GroupId, Tx], Awaitable[bool]]
    channel: ChannelGuard
    guard: AccessGuard
    memberships: MembershipReader
    membership: MembershipService
    activate: Callable[[Tx], Awaitable[None]]
    """Begins to clean up behind subscriptions that end; free where that has begun."""
    limits: ChannelLimits

    async def check(self, actor: Actor, channel_id: GroupId) -> None:
        """Raise ChannelNotFound or PermissionRefused unless the actor may manage subscribers."""
        async with self.channel(channel_id):
            access = await self.guard.access_of(actor, channel_id)
        policy.check(policy.managing_refusal(access))

    async def put(
        self, actor: Actor, channel_id: GroupId, user_id: UserId, tags: Sequence[str]
    ) -> None:
        """Give a subscriber these tags in place of those before; repeating it changes nothing.

        Raises: PermissionRefused; MemberNotFound; SubscriberTagLimitReached, for tags that nobody of the channel has.
        """
        async with self.channel(channel_id):
            [outcome] = await self.change(actor, channel_id, [TagChange(user_id, tuple(tags))])
        if outcome is TagOutcome.NOT_SUBSCRIBED:
            raise MemberNotFound
        if outcome is TagOutcome.TAG_LIMIT:
            raise SubscriberTagLimitReached(limit=self.limits.subscriber_tags)

    async def change(
        self, actor: Actor, channel_id: GroupId, changes: Sequence[TagChange]
    ) -> list[TagOutcome]:
        """Make these changes in one transaction, one after the other; returns what came of each, in their order."""

        async def work(tx: Tx) -> list[TagOutcome]:
            policy.check(policy.managing_refusal(await self.guard.access_of(actor, channel_id, tx)))
            return await self._change_in(channel_id, changes, tx)

        return await self.database.run(work, tags_lock(channel_id))

    async def _change_in(
        self, channel_id: GroupId, changes: Sequence[TagChange], tx: Tx
    ) -> list[TagOutcome]:
        user_ids = {change.user_id for change in changes}
        stored = await self.store.find_rows(channel_id, user_ids, tx)
        pairs = [(channel_id, user_id) for user_id in user_ids]
        members = await self.memberships.find_memberships(pairs, tx)
        counts = Counter(await self.store.find_counts(channel_id, tx))
        rows = dict(stored)
        outcomes: list[TagOutcome] = []
        for change in changes:
            member = members.get((channel_id, change.user_id))
            if member is None:
                outcomes.append(TagOutcome.NOT_SUBSCRIBED)
                continue
            row = rows.get(change.user_id)
            before = row.tags if row is not None and row.joined_ms == member.joined_ms else ()
            after = change.applied_to(before)
            new = {tag for tag in after if not counts[tag]}
            if after == before:
                outcomes.append(TagOutcome.UNCHANGED)
            elif len(after) > TAGS_PER_SUBSCRIBER or (
                new and len(+counts) + len(new) > self.limits.subscriber_tags
            ):
                outcomes.append(TagOutcome.TAG_LIMIT)
            else:
                counts.subtract(row.tags if row is not None else ())
                counts.update(after)
                rows[change.user_id] = TagRow(change.user_id, after, member.joined_ms)
                outcomes.append(TagOutcome.CHANGED)
        changed = [row for user_id, row in rows.items() if row != stored.get(user_id)]
        if changed:
            # Deleting the channel conflicts here, and the end of a subscription in its own document.
            if not await self.touch_channel(channel_id, tx):
                raise ChannelNotFound
            await self.store.put_counts(channel_id, +counts, tx)
            self.store.put_rows(channel_id, changed, tx)
            self.memberships.hold([(channel_id, row.user_id) for row in changed], tx)
            await self.activate(tx)
        return outcomes

    async def tags_of(
        self, channel_id: GroupId, members: Sequence[Member]
    ) -> dict[UserId, tuple[str, ...]]:
        """The tags of these subscribers; those without any are absent. The caller may know them."""
        rows = await self.store.find_rows(channel_id, [member.user_id for member in members])
        return {
            member.user_id: row.tags
            for member in members
            if (row := rows.get(member.user_id)) is not None and _is_of(row, member)
        }

    async def list_tagged(
        self, actor: Actor, channel_id: GroupId, tag: str, *, limit: int, cursor: str | None
    ) -> tuple[list[Member], str | None]:
        """A page of the subscribers who have the tag, by id. It may be short and still have a cursor.

        Raises: PermissionRefused, BadCursor.
        """
        key = decode_cursor("tagged", cursor, str)
        after = str(key[0]) if key else ""
        found = await self.store.list_with(channel_id, tag, after=after, limit=limit + 1)
        rows, has_more = cut_page(found, limit)
        found_members = await self.membership.find_listed(
            actor, channel_id, [row.user_id for row in rows]
        )
        by_user = {row.user_id: row for row in rows}
        members = [one for one in found_members if _is_of(by_user[one.user_id], one)]
        return members, encode_cursor("tagged", rows[-1].user_id) if has_more else None

    async def list_tags(
        self, actor: Actor, channel_id: GroupId, *, limit: int, cursor: str | None
    ) -> tuple[list[tuple[str, int]], str | None]:
        """A page of the tags in use, by their code points, each with its number of subscribers. Raises: BadCursor."""
        await self.check(actor, channel_id)

        async def read(*, after: str, limit: int) -> list[tuple[str, int]]:
            counts = await self.store.find_counts(channel_id)
            return sorted(one for one in counts.items() if one[0] > after)[:limit]

        return await page_by_text("subscriber tags", cursor, limit, read, lambda one: one[0])


def _is_of(row: TagRow, member: Member) -> bool:
    """Whether the row belongs to this subscription, and not to an earlier one of the user."""
    return row.joined_ms == round(member.joined_at.timestamp() * 1000)
