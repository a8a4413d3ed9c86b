"""The memberships of users in many groups at once, for lists and unread counts.

These are facts about users' own memberships, so no rights are checked: the caller names the users for whom it builds a
view. Each method takes the same few queries for one group and for thousands.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from groups import policy
from groups.kernel.actor import Actor
from groups.kernel.ids import GroupId, StreamId, UserId
from groups.kernel.mongo import BatchedQuery, Changed, Tx
from groups.models import (
    AccessContext,
    Group,
    Head,
    LastMessage,
    Member,
    MembershipRow,
    Role,
    Stream,
)
from groups.store.groups import GroupStore
from groups.store.members import MemberStore
from groups.store.streams import StreamStore


class MembershipSummary(NamedTuple):
    """A conversation as a list shows it; `last_message` is None where there is none that the user may read.

    A dialogue is `verified` where its other side is a verified channel.
    """

    title: str
    face_url: str
    head: Head
    last_message: LastMessage | None
    verified: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class MembershipReader:
    """Memberships and stream heads in bulk, without the documents of the groups."""

    members: MemberStore
    streams: StreamStore
    groups: GroupStore

    async def list_memberships(
        self, user_ids: Collection[UserId], tx: Tx | None = None, *, with_times: bool = False
    ) -> Mapping[UserId, Mapping[StreamId, MembershipRow]]:
        """All memberships of each of the users by stream, also in disbanded groups whose remains still exist.

        A user may have thousands, so the caller bounds the number of users.
        """
        return await self.members.list_memberships(user_ids, tx, with_times=with_times)

    def hold(self, memberships: Collection[tuple[GroupId, UserId]], tx: Tx) -> None:
        """Conflict with the end of these memberships: of two transactions, one runs again and sees the other."""
        self.members.touch(memberships, tx)

    async def find_memberships(
        self, pairs: Iterable[tuple[GroupId, UserId]], tx: Tx | None = None
    ) -> Mapping[tuple[GroupId, UserId], MembershipRow]:
        """Those of the memberships that exist, with their times."""
        return await self.members.find_memberships(pairs, tx)

    async def list_of_user(self, user_id: UserId, *, after: str, limit: int) -> list[Member]:
        """A page of the user's memberships by group id, behind `after`."""
        return await self.members.list_of_user(user_id, after=after, limit=limit)

    async def list_members_of_any(self, *, after: str, rows: int) -> list[UserId]:
        """The next users, by id, behind `after`, who are members of any group: as many as `rows` memberships have."""
        return await self.members.list_user_ids(after=after, rows=rows)

    async def list_joined(
        self, group_id: GroupId, *, after: str, limit: int
    ) -> list[tuple[UserId, int]]:
        """A page of the group's members by user id, behind `after`, with the seqs at which they joined."""
        members = await self.members.list_of_group(group_id, after=after, limit=limit)
        return [(member.user_id, member.joined_seq) for member in members]

    async def find_before(self, group_id: GroupId, user_id: UserId, tx: Tx) -> UserId | None:
        """The member of the group before this user, by id; None: there is none."""
        return await self.members.find_before(group_id, user_id, tx)

    async def list_staff(self, group_id: GroupId) -> list[UserId]:
        """The owner and the admins of the group, in any order."""
        return [member.user_id for member in await self.members.find_staff(group_id)]

    def query_pairs(
        self, pairs: Iterable[tuple[GroupId, UserId]]
    ) -> BatchedQuery[dict[tuple[GroupId, UserId], MembershipRow]]:
        """As `find_memberships` without times, to send together with other queries."""
        return self.members.query_pairs(pairs)

    async def find_heads(
        self,
        stream_ids: Collection[StreamId],
        tx: Tx | None = None,
        *,
        with_times: bool = False,
        with_hidden: bool = False,
    ) -> Mapping[StreamId, Head]:
        """The heads of those of the streams that exist; a disbanded group has none.

        Nor has a hidden channel, unless `with_hidden`, for checks of what is stored.
        """
        if not stream_ids:
            return {}
        return await self.streams.find_heads(
            stream_ids, tx, with_times=with_times, with_hidden=with_hidden
        )

    def query_memberships(
        self, user_ids: Collection[UserId]
    ) -> BatchedQuery[dict[UserId, dict[StreamId, MembershipRow]]]:
        """As `list_memberships` with times, to send together with other queries. Users without any are absent."""
        return self.members.query_memberships(user_ids)

    def query_heads(
        self, stream_ids: Collection[StreamId], since: datetime, *, with_times: bool
    ) -> BatchedQuery[Changed[StreamId, Head]]:
        """As `find_heads`, to send together with other queries, and which of them changed since the instant."""
        return self.streams.query_heads(stream_ids, since, with_times=with_times)

    def query_members(
        self, pairs: Iterable[tuple[GroupId, UserId]]
    ) -> BatchedQuery[dict[tuple[GroupId, UserId], tuple[Member, int]]]:
        """These memberships, each with the time of its last change in milliseconds since 1970."""
        return self.members.query_changed(pairs)

    def query_groups(self, group_ids: Collection[GroupId]) -> BatchedQuery[dict[GroupId, Group]]:
        """As `find_groups`, to send together with other queries."""
        return self.groups.query_groups(group_ids)

    def query_streams(
        self, stream_ids: Collection[StreamId]
    ) -> BatchedQuery[dict[StreamId, Stream]]:
        """Those of the streams that exist, to send together with other queries; a hidden channel has none."""
        return self.streams.query_streams(stream_ids, with_hidden=False)

    async def find_groups(self, group_ids: Sequence[GroupId]) -> Mapping[GroupId, Group]:
        return await self.groups.find_many(group_ids) if group_ids else {}

    async def history_floors(
        self, actor: Actor, memberships: Mapping[StreamId, MembershipRow]
    ) -> dict[StreamId, int]:
        """The seqs up to which messages are hidden from the member, with one query; streams that hide none are absent.

        The memberships were read with their times.
        """
        ids = [membership.group_id for membership in memberships.values()]
        groups = await self.groups.find_hiding(ids) if ids else []
        return {
            group.stream_id: floor
            for group in groups
            if (floor := _floor_for_member(actor, memberships[group.stream_id], group))
        }


def _floor_for_member(actor: Actor, membership: MembershipRow, group: Group) -> int:
    member = _as_member(actor, membership)
    return policy.history_floor(policy.access_of(actor, group, member))


def _as_member(actor: Actor, membership: MembershipRow) -> Member:
    """The membership for `policy.history_floor`, which depends on when they joined, not on their role."""
    return Member(
        group_id=membership.group_id,
        user_id=actor.user_id,
        role=Role.MEMBER,
        joined_at=datetime.fromtimestamp(membership.joined_ms / 1000, UTC),
        joined_seq=membership.joined_seq,
    )


def summary_for_member(
    actor: Actor, membership: MembershipRow, group: Group, stream: Stream
) -> MembershipSummary:
    """The group as the list of its member shows it. The membership was read with its times."""
    if not policy.hides_history(group):  # nearly always
        return MembershipSummary(
            group.name, group.face_url, stream.head, stream.last, group.verified
        )
    member = _as_member(actor, membership)
    return summary_of(policy.access_of(actor, group, member), stream)


def summary_of(access: AccessContext, stream: Stream) -> MembershipSummary:
    """The group as the list of its member shows it."""
    group, last = access.group, stream.last
    shown = last if last is not None and last.seq > policy.history_floor(access) else None
    return MembershipSummary(group.name, group.face_url, stream.head, shown, group.verified)
