"""A user's standing in many groups at once, for those who show him lists and counts.

It answers bare facts about the user's own memberships, so it asks for no actor's rights; who calls it names the user
whose view it builds. Each method is one query, for one group or for thousands.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from groups import policy
from groups.kernel.actor import Actor
from groups.kernel.ids import GroupId, StreamId, UserId
from groups.kernel.mongo import Tx
from groups.models import LastMessage, Member, Role, Standing, stream_of
from groups.store import GroupStore, MemberStore, MessageStore


class Seat(NamedTuple):
    """A user's place in a group; unread counts from `joined_seq`, the head when he joined.

    `joined_at` is None where it was not asked for.
    """

    group_id: GroupId
    joined_seq: int
    joined_at: datetime | None


class Head(NamedTuple):
    """How far a group's stream has come; `last` is None where nothing was said, or it was not asked for."""

    head_seq: int
    is_channel: bool
    last: LastMessage | None


class Card(NamedTuple):
    """What a list shows of a group; `last_message` is None where the user may not read it."""

    title: str
    face_url: str
    last_message: LastMessage | None


class MembershipReader:
    """Memberships and stream heads in bulk, without the documents of the groups."""

    def __init__(self, members: MemberStore, messages: MessageStore, groups: GroupStore) -> None:
        self._members = members
        self._messages = messages
        self._groups = groups

    async def list_seats(
        self, user_id: UserId, tx: Tx | None = None, *, with_times: bool = False
    ) -> list[Seat]:
        """All memberships of the user, those in groups that are being cleared away included."""
        rows = await self._members.list_seats(user_id, tx, with_times=with_times)
        return list(map(Seat._make, rows))

    async def find_seats(
        self, pairs: Iterable[tuple[GroupId, UserId]], tx: Tx | None = None
    ) -> dict[tuple[GroupId, UserId], Seat]:
        """Those of the memberships that exist."""
        rows = await self._members.find_seats(pairs, tx)
        return {pair: Seat._make(row) for pair, row in rows.items()}

    async def find_heads(
        self, stream_ids: Collection[StreamId], tx: Tx | None = None, *, with_last: bool = False
    ) -> dict[StreamId, Head]:
        """The heads of those of the streams that exist; a disbanded group has none."""
        if not stream_ids:
            return {}
        rows = await self._messages.find_heads(stream_ids, tx, with_last=with_last)
        return {stream_id: Head._make(row) for stream_id, row in rows.items()}

    async def find_cards(
        self, actor: Actor, seats: Sequence[Seat], heads: Mapping[StreamId, Head]
    ) -> dict[GroupId, Card]:
        """What the actor's list shows of those of his groups that exist."""
        if not seats:
            return {}
        groups = await self._groups.find_many([seat.group_id for seat in seats])
        cards: dict[GroupId, Card] = {}
        for seat in seats:
            group, head = groups.get(seat.group_id), heads.get(stream_of(seat.group_id))
            if group is None or head is None:
                continue
            # What a member may read depends neither on his role nor on when he joined, but on the head then.
            member = Member(
                group_id=seat.group_id,
                user_id=actor.user_id,
                role=Role.MEMBER,
                joined_at=seat.joined_at or group.created_at,
                joined_seq=seat.joined_seq,
            )
            rank = policy.rank_of(actor, member, None)
            floor = policy.history_floor(Standing(group=group, member=member, rank=rank))
            last = head.last if head.last is not None and head.last.seq > floor else None
            cards[seat.group_id] = Card(group.name, group.face_url, last)
        return cards
