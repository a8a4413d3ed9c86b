"""The users who acknowledged a message and those who did not, for the staff; and the reminder of those who did not.

All who are members now are asked, but for the author of the message, business accounts, and those who joined later
where the history is hidden from them. Those who acknowledged and left still count as given.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from channels.acknowledgements.audience import AcknowledgementReader
from channels.acknowledgements.errors import (
    AcknowledgementNotAsked,
    AlreadyReminded,
    TooManyToName,
)
from channels.acknowledgements.events import AcknowledgementReminded
from groups import policy
from groups.errors import MessageRecalled
from groups.kernel.actor import Actor
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Tx
from groups.kernel.paging import cut_page, decode_cursor, encode_cursor
from groups.models import AccessContext, Grant, Message, message_key, stream_of
from groups.service.access.guard import AccessGuard
from groups.service.access.membership_reader import MembershipReader
from groups.service.accounts import Accounts
from groups.service.write_locks import message_change_locks
from reactions.models import ACKNOWLEDGED
from reactions.service.engine import ReactionEngine


@dataclass(frozen=True, slots=True)
class Asked:
    """A user who is asked, and when they acknowledged; None: they have not."""

    user_id: UserId
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """A page of users by id, and the counts of all: `asked` is `given` and `missing` together."""

    users: Sequence[Asked]
    next_cursor: str | None
    given: int
    missing: int
    reminded_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgementOverview:
    """Reads and reminds. The owner may, admins of a channel with `see_insights`, and all admins of a chat group."""

    engine: ReactionEngine
    guard: AccessGuard
    reader: AcknowledgementReader
    memberships: MembershipReader
    accounts: Accounts
    most_names: int

    async def list_given(
        self, actor: Actor, group_id: GroupId, seq: int, *, limit: int, cursor: str | None
    ) -> Overview:
        """Return a page of those who acknowledged, by user id. Raises: BadCursor; AcknowledgementNotAsked."""
        access, message = await self._find(actor, group_id, seq)
        key = decode_cursor("acknowledged", cursor, str)
        rows = await self.engine.store.list_holders(
            message_key(message.stream_id, seq),
            ACKNOWLEDGED,
            after=str(key[0]) if key else "",
            limit=limit + 1,
        )
        rows, has_more = cut_page(rows, limit)
        given, reminded_at = await self._counted(message)
        if access.group.member_count <= self.most_names:
            missing = len(await self._missing(access, message))
        else:
            missing = max(0, await self._count_asked(access, message) - given)
        return Overview(
            users=[Asked(row.user_id, row.at) for row in rows],
            next_cursor=encode_cursor("acknowledged", rows[-1].user_id) if has_more else None,
            given=given,
            missing=missing,
            reminded_at=reminded_at,
        )

    async def list_missing(
        self, actor: Actor, group_id: GroupId, seq: int, *, limit: int, cursor: str | None
    ) -> Overview:
        """Return a page of those who are asked and have not, by user id.

        Raises: TooManyToName, in a group with more members than `most_names`; BadCursor; AcknowledgementNotAsked.
        """
        access, message = await self._find(actor, group_id, seq)
        if access.group.member_count > self.most_names:
            raise TooManyToName(limit=self.most_names)
        key = decode_cursor("missing", cursor, str)
        after = str(key[0]) if key else ""
        given, reminded_at = await self._counted(message)
        missing = await self._missing(access, message)
        page, has_more = cut_page([each for each in missing if each > after][: limit + 1], limit)
        return Overview(
            users=[Asked(user_id, None) for user_id in page],
            next_cursor=encode_cursor("missing", page[-1]) if has_more else None,
            given=given,
            missing=len(missing),
            reminded_at=reminded_at,
        )

    async def remind(self, actor: Actor, group_id: GroupId, seq: int) -> datetime:
        """Remind those who have not acknowledged, once for a message. Returns when.

        One write and one event, however many members there are. Publishes: AcknowledgementReminded. Raises:
        AlreadyReminded; AcknowledgementNotAsked.
        """

        async def work(tx: Tx) -> datetime:
            access, message = await self._find(actor, group_id, seq, tx)
            refusal = policy.adding_anything_refusal(access)
            if refusal is not None:
                raise refusal
            message_id, store = message_key(message.stream_id, seq), self.engine.store
            _, reminded_at = await store.find_acknowledgements(message_id, tx)
            if reminded_at is not None:
                raise AlreadyReminded
            now = self.engine.clock.now()
            # The message too, as the first reaction does: this write may make the tally.
            self.engine.streams.touch_messages([message_id], tx)
            store.put_tally(message_id, {"reminded_at": now}, tx)
            tx.publish(
                AcknowledgementReminded(
                    at=now,
                    stream_id=message.stream_id,
                    group_id=group_id,
                    is_channel=access.group.is_channel,
                    seq=seq,
                    sender_id=message.sender_id,
                )
            )
            return now

        locks = message_change_locks(stream_of(group_id), seq)
        return await self.engine.database.run(work, *locks)

    async def _find(
        self, actor: Actor, group_id: GroupId, seq: int, tx: Tx | None = None
    ) -> tuple[AccessContext, Message]:
        access, message = await self.guard.find_message(actor, group_id, seq, tx)
        if access.group.is_channel:
            policy.check(policy.grant_refusal(access, Grant.SEE_INSIGHTS))
        else:
            policy.check(policy.staff_refusal(access))
        if message.content is None:
            raise MessageRecalled
        if not message.content.acknowledge:
            raise AcknowledgementNotAsked
        return access, message

    async def _counted(self, message: Message) -> tuple[int, datetime | None]:
        """Return how many acknowledged, and when the others were reminded, with one command."""
        return await self.engine.store.find_acknowledgements(
            message_key(message.stream_id, message.seq)
        )

    async def _missing(self, access: AccessContext, message: Message) -> list[UserId]:
        """Return all who are asked and have not acknowledged, by id, in a group of up to `most_names` members."""
        # One more than may be named: members may have joined since the group was read.
        joined = await self.memberships.list_joined(
            access.group.group_id, after="", limit=self.most_names + 1
        )
        hides = policy.hides_history(access.group)
        asked = [
            user_id
            for user_id, joined_seq in joined
            if user_id != message.sender_id
            and not self.accounts.is_business(user_id)
            and not (hides and joined_seq >= message.seq)
        ]
        done = await self.reader.acknowledged_among(message.stream_id, message.seq, asked)
        return [user_id for user_id in asked if user_id not in done]

    async def _count_asked(self, access: AccessContext, message: Message) -> int:
        """Return how many are asked in a large group. Its staff is small, so the exceptions are looked up."""
        group_id = access.group.group_id
        excepted = {
            user_id
            for user_id in await self.memberships.list_staff(group_id)
            if self.accounts.is_business(user_id)
        }
        author = (group_id, message.sender_id)
        if author in await self.memberships.find_memberships([author]):
            excepted.add(message.sender_id)
        return access.group.member_count - len(excepted)
