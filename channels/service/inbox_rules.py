"""The rules of channels for one-to-one messages (they implement `conversations.service.inbox_rules`).

Every rule is read in the transaction that stores the message, so a change by an admin applies to every message sent
after the response to the admin.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from channels import policy
from channels.models import ChannelProfile
from channels.store import ChannelStore
from conversations.errors import ConversationNotFound
from conversations.models import DialogueMessage
from conversations.service.inbox_rules import InboxDecision, Writer
from groups.errors import GroupNotFound
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.errors import DomainError
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import BatchedQuery, Tx
from groups.models import AccessContext, AdminAct, AdminAction, Member, expand_channel_id
from groups.policy import suspended_refusal
from groups.service.access.bulk import AccessQuery, BulkAccess, staff_accesses
from groups.service.access.guard import AccessGuard
from groups.service.admin_log import AdminLog


@dataclass(frozen=True, slots=True)
class ChannelInboxQuery:
    """Profiles of channels with the access and the staff of their groups, for `conversations.service.inbox_rules`."""

    of_profiles: BatchedQuery[dict[GroupId, ChannelProfile]]
    of_accesses: AccessQuery
    of_staff: BatchedQuery[dict[GroupId, dict[UserId, Member]]]
    now: datetime
    _speakers: set[tuple[GroupId, Writer]] = field(default_factory=set, init=False)
    """Those who may write for the channel: one who writes to many users is decided about once."""

    @property
    def queries(self) -> Sequence[BatchedQuery[Any]]:
        return self.of_profiles, *self.of_accesses.queries, self.of_staff

    def decide(
        self, channel_id: GroupId, user_ids: Collection[UserId], writers: Collection[Writer]
    ) -> InboxDecision:
        """Decide about any number of writers and users, who are among those of the query."""
        profile = self.of_profiles.result.get(channel_id)
        if profile is None:
            return InboxDecision({writer: ConversationNotFound() for writer in writers}, ())
        users = {Actor(user_id) for user_id in user_ids}
        unknown = [each for each in writers if (channel_id, each) not in self._speakers]
        accesses = self.of_accesses.accesses_of(
            users | {writer.actor for writer in unknown}, channel_id
        )
        found: dict[Writer, DomainError | None] = dict.fromkeys(writers)
        for writer in unknown:
            access = accesses.get(writer.actor)
            if access is None:
                found[writer] = ConversationNotFound()
            elif writer.is_for_channel:
                found[writer] = policy.inbox_refusal(access) or suspended_refusal(access.group)
                if found[writer] is None:
                    self._speakers.add((channel_id, writer))
            else:
                found[writer] = policy.writing_refusal(access, profile.accept_messages, self.now)
        subscribers = {
            user.user_id
            for user in users
            if (access := accesses.get(user)) is not None and access.member is not None
        }
        return InboxDecision(found, subscribers)

    def staff(self, channel_id: GroupId) -> tuple[UserId, ...]:
        group = self.of_accesses.of_groups.result.get(channel_id)
        members = self.of_staff.result.get(channel_id, {})
        return _readers_among(staff_accesses(group, members.values()))


@dataclass(frozen=True, slots=True)
class ChannelInboxRules:
    """Decides which users may write to a channel in private, and which admins may answer and receive it."""

    store: ChannelStore
    bulk_access: BulkAccess
    guard: AccessGuard
    admin_log: AdminLog
    clock: Clock

    def query(self, users: Mapping[GroupId, Collection[UserId]]) -> ChannelInboxQuery:
        """Query everything that decides about writers in the threads of these channels, with these users."""
        return ChannelInboxQuery(
            self.store.query_profiles(list(users)),
            self.bulk_access.query(users),
            self.bulk_access.query_staff(users),
            self.clock.now(),
        )

    async def decide(
        self,
        channel_id: GroupId,
        user_ids: Collection[UserId],
        writers: Collection[Writer],
        tx: Tx,
    ) -> InboxDecision:
        """Decide about any number of writers and users with one database command."""
        found = self.query({channel_id: {*user_ids, *(writer.actor.user_id for writer in writers)}})
        await self.bulk_access.database.fetch_together(*found.queries, tx=tx)
        return found.decide(channel_id, user_ids, writers)

    async def channel_meant_by(self, actor: Actor, short_id: str, tx: Tx | None) -> GroupId | None:
        """The channel of this short id, unless it is hidden from the actor: its existence must not show."""
        channel_id = expand_channel_id(short_id)
        if await self.store.find_profile(channel_id, tx) is None:
            return None
        try:
            await self.guard.access_of(actor, channel_id, tx)
        except GroupNotFound:
            return None
        return channel_id

    async def staff(self, channel_id: GroupId, tx: Tx | None = None) -> tuple[UserId, ...]:
        """The owner, and the admins with the right to read the channel's inbox."""
        return _readers_among(await self.bulk_access.staff(channel_id, tx))

    async def may_forward(self, channel_id: GroupId, tx: Tx) -> bool:
        """Whether private messages of the channel may be forwarded: `protect_content` forbids it, as for its posts."""
        profile = await self.store.find_profile(channel_id, tx)
        return profile is not None and not profile.protect_content

    async def tell_change(
        self, actor: Actor, channel_id: GroupId, said: DialogueMessage, tx: Tx
    ) -> None:
        """Record in the admin log that the actor changed or deleted another admin's answer; their own are not recorded.

        All admins read the log, also those who may not read the inbox. So the entry names the user and the message, and
        has nothing of the text.
        """
        message = said.message
        if message.author_id == actor.user_id:
            return
        is_deleted = message.recalled_at is not None
        action = AdminAction.ANSWER_DELETED if is_deleted else AdminAction.ANSWER_EDITED
        before = {"author_id": message.author_id, "seq": message.seq}
        access = (await self.bulk_access.accesses_of({actor}, channel_id, tx)).get(actor)
        if access is None:  # the actor lost access since the check
            raise ConversationNotFound
        act = AdminAct(actor, action, said.dialogue.user_id, before)
        await self.admin_log.record(tx, access.group, act)

    async def check_may_see(self, actor: Actor, channel_id: GroupId) -> None:
        """Raise ConversationNotFound when there is no such channel, or the actor must not know of it."""
        if await self.store.find_profile(channel_id) is None:
            raise ConversationNotFound
        try:
            await self.guard.access_of(actor, channel_id)
        except GroupNotFound:
            raise ConversationNotFound from None


def _readers_among(staff: Iterable[AccessContext]) -> tuple[UserId, ...]:
    """Those of the owner and the admins who may read the inbox."""
    return tuple(
        access.member.user_id
        for access in staff
        if access.member is not None and policy.inbox_refusal(access) is None
    )
