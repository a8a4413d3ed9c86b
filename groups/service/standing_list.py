"""A user's standing in many groups at once, for those who show him lists and counts.

It answers bare facts about the user's own memberships, so it asks for no actor's rights; who calls it names the user
whose view it builds. Each method is one query, for one group or for thousands.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from groups import policy
from groups.kernel.actor import Actor
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Tx
from groups.models import LastMessage, Member, Role, Standing, stream_of
from groups.store import GroupStore, MemberStore, MessageStore


class Seat(NamedTuple):
    """A user's place in a group; unread counts from `joined_seq`, the head when he joined."""

    group_id: GroupId
    role: Role
    joined_seq: int
    joined_at: datetime


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

    async def list_seats(self, user_id: UserId, tx: Tx | None = None) -> list[Seat]:
        """All memberships of the user, those in groups that are being cleared away included."""
        rows = await self._members.list_seats(user_id, tx)
        return [Seat(group_id, Role(role), seq, at) for group_id, role, seq, at in rows]

    async def find_seats(
        self, pairs: Iterable[tuple[GroupId, UserId]], tx: Tx | None = None
    ) -> dict[tuple[GroupId, UserId], Seat]:
        """Those of the memberships that exist."""
        rows = await self._members.find_seats(pairs, tx)
        return {pair: Seat(pair[0], Role(role), seq, at) for pair, (role, seq, at) in rows.items()}

    async def find_heads(
        self, group_ids: Iterable[GroupId], tx: Tx | None = None, *, with_last: bool = False
    ) -> dict[GroupId, Head]:
        """The stream heads of those of the groups that exist; a disbanded one has none."""
        streams = {stream_of(group_id): group_id for group_id in group_ids}
        if not streams:
            return {}
        rows = await self._messages.find_heads(streams, tx, with_last=with_last)
        return {streams[stream_id]: Head(*row) for stream_id, row in rows.items()}

    async def find_cards(
        self, actor: Actor, seats: Sequence[Seat], heads: Mapping[GroupId, Head]
    ) -> dict[GroupId, Card]:
        """What the actor's list shows of those of his groups that exist."""
        if not seats:
            return {}
        groups = await self._groups.find_many([seat.group_id for seat in seats])
        cards: dict[GroupId, Card] = {}
        for seat in seats:
            group, head = groups.get(seat.group_id), heads.get(seat.group_id)
            if group is None or head is None:
                continue
            member = Member.model_construct(
                group_id=seat.group_id,
                user_id=actor.user_id,
                role=seat.role,
                joined_seq=seat.joined_seq,
                joined_at=seat.joined_at,
            )
            rank = policy.rank_of(actor, member, None)
            floor = policy.history_floor(
                Standing.model_construct(group=group, member=member, rank=rank)
            )
            last = head.last if head.last is not None and head.last.seq > floor else None
            cards[seat.group_id] = Card(group.name, group.face_url, last)
        return cards
