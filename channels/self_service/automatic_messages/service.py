"""Automatic messages: read, stored and deleted by the owner, and by admins who may change the channel's settings.

Promises:
    Exact: the limit of answers holds under any race, since every call that changes a rule writes the same guard.
    Followed: the consumer of the event log runs as long as any channel has a rule that is on, and knows of a change
        with the first event behind it.
    Ended with the channel: all of it is deleted when the channel's stream has ended.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from channels.errors import ChannelNotFound
from channels.limits import Limits
from channels.self_service.automatic_messages.errors import (
    AutoReplyLimitReached,
    AutoReplyNotFound,
)
from channels.self_service.automatic_messages.models import (
    AutomaticMessage,
    Match,
    OpeningHours,
    Rule,
)
from channels.self_service.automatic_messages.store.delivery import DeliveryStore
from channels.self_service.automatic_messages.store.rules import (
    AutomaticMessageStore,
    Wanting,
    wanting_of,
)
from channels.service.guard import ChannelGuard
from conversations.models import ConversationId, group_of
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.ids import GroupId, StreamId
from groups.kernel.mongo import Database, Tx
from groups.kernel.paging import page_by_text
from groups.models import AdminAct, AdminAction, Content, Grant, Group
from groups.policy import grant_refusal
from groups.service.access.guard import AccessGuard
from groups.service.admin_log import AdminLog
from groups.service.messages.posting import check_bounds
from groups.service.write_locks import group_lock

T = TypeVar("T")

CLEANUP_STEP: Final = 1_000  # documents a transaction
RULES_LOCK: Final = "automatic messages"
_IN_LOG: Final = {
    Rule.GREETING: "greeting",
    Rule.ANSWER: "auto_reply",
    Rule.AWAY: "opening_hours",
}
"""How the admin log calls the rules."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleValues:
    """The part of a rule that a caller sets."""

    content: Content
    enabled: bool = True
    keywords: tuple[str, ...] = ()
    match: Match = Match.CONTAINS
    hours: OpeningHours | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class AutomaticMessageService:
    """The automatic messages of channels. The admin log records each change."""

    database: Database
    rules: AutomaticMessageStore
    activate: Callable[[Tx], Awaitable[None]]
    deactivate: Callable[[Tx], Awaitable[None]]
    """Begin and end the consumer of the event log."""
    touch_channel: Callable[[GroupId, Tx], Awaitable[bool]]
    channel: ChannelGuard
    guard: AccessGuard
    admin_log: AdminLog
    limits: Limits
    clock: Clock

    async def get(
        self, actor: Actor, channel_id: GroupId, rule: Rule, name: str = ""
    ) -> AutomaticMessage | None:
        """The channel's message, if there is one. Raises: PermissionRefused."""
        await self._check(actor, channel_id)
        return await self.rules.find(channel_id, rule, name)

    async def list_answers(
        self, actor: Actor, channel_id: GroupId, *, limit: int, cursor: str | None
    ) -> tuple[list[AutomaticMessage], str | None]:
        """A page of the channel's automatic answers, by name. Raises: PermissionRefused, BadCursor."""
        await self._check(actor, channel_id)
        read = partial(self.rules.list_after, channel_id, Rule.ANSWER)
        return await page_by_text("auto replies", cursor, limit, read, lambda one: one.name)

    async def put(
        self, actor: Actor, channel_id: GroupId, rule: Rule, values: RuleValues, name: str = ""
    ) -> AutomaticMessage:
        """Store a message, in place of an earlier one; repeating it changes nothing.

        It is sent for what happens from now on. Raises: PermissionRefused; FieldTooLong; AutoReplyLimitReached.
        """
        check_bounds(values.content, self.limits)

        async def work(tx: Tx) -> AutomaticMessage:
            group = await self._group(actor, channel_id, tx)
            known = await self.rules.find(channel_id, rule, name, tx)
            now = self.clock.now()
            was_on = known is not None and known.enabled
            message = AutomaticMessage(
                channel_id=channel_id,
                rule=rule,
                name=name,
                content=values.content,
                enabled=values.enabled,
                keywords=values.keywords,
                match=values.match,
                hours=values.hours,
                created_at=known.created_at if known is not None and was_on else now,
                changed_at=now,
                changed_by=actor.user_id,
            )
            if known is not None and known.says_as(message):
                return known
            await self.rules.touch_guard(tx)
            if not await self.touch_channel(channel_id, tx):
                raise ChannelNotFound
            if rule is Rule.ANSWER and known is None:
                limit = self.limits.auto_replies
                if await self.rules.count_answers(channel_id, limit, tx) >= limit:
                    raise AutoReplyLimitReached(limit=limit)
            await self.rules.put(message, tx)
            await self._follow(channel_id, tx)
            await self._record(actor, group, rule, name, known, message, tx)
            return message

        return await self._run(channel_id, work)

    async def delete(self, actor: Actor, channel_id: GroupId, rule: Rule, name: str = "") -> None:
        """Delete a message; what waits to be sent by it is not sent. Without one, nothing changes.

        Raises: PermissionRefused; AutoReplyNotFound.
        """

        async def work(tx: Tx) -> None:
            group = await self._group(actor, channel_id, tx)
            known = await self.rules.find(channel_id, rule, name, tx)
            if known is None:
                if rule is Rule.ANSWER:
                    raise AutoReplyNotFound
                return
            await self.rules.touch_guard(tx)
            await self.rules.delete(channel_id, rule, name, tx)
            await self._follow(channel_id, tx)
            await self._record(actor, group, rule, name, known, None, tx)

        await self._run(channel_id, work)

    async def follow(self, channel_id: GroupId, tx: Tx) -> None:
        """Begin the rules of the channel that others have stored: each is sent for what happens after `tx`."""
        await self.rules.touch_guard(tx)
        await self._follow(channel_id, tx)

    async def _follow(self, channel_id: GroupId, tx: Tx) -> None:
        """Store what the channel does by itself now, and have the consumer run if any channel does anything."""
        rules = await self.rules.list_enabled([channel_id], tx)
        await self.rules.put_wanting(channel_id, wanting_of(rules.get(channel_id, ())), tx)
        if rules:
            await self.activate(tx)
        elif not await self.rules.has_wanting(tx):
            await self.deactivate(tx)

    async def _run(self, channel_id: GroupId, work: Callable[[Tx], Awaitable[T]]) -> T:
        async with self.channel(channel_id):
            return await self.database.run(work, group_lock(channel_id), RULES_LOCK)

    async def _check(self, actor: Actor, channel_id: GroupId) -> None:
        async with self.channel(channel_id):
            await self._group(actor, channel_id, None)

    async def _group(self, actor: Actor, channel_id: GroupId, tx: Tx | None) -> Group:
        """The channel's group, if the actor may change its settings."""
        access = await self.guard.access_of(actor, channel_id, tx)
        refusal = grant_refusal(access, Grant.CHANGE_SETTINGS)
        if refusal is not None:
            raise refusal
        return access.group

    async def _record(
        self,
        actor: Actor,
        group: Group,
        rule: Rule,
        name: str,
        before: AutomaticMessage | None,
        after: AutomaticMessage | None,
        tx: Tx,
    ) -> None:
        act = AdminAct(
            actor,
            AdminAction.SETTINGS_CHANGED,
            name or None,
            {_IN_LOG[rule]: before.content.text if before else None},
            {_IN_LOG[rule]: after.content.text if after else None},
        )
        await self.admin_log.record(tx, group, act)


@dataclass(frozen=True, slots=True)
class AutomaticMessageCleanup:
    """Deletes what is stored for a channel whose stream has ended (a hook of `groups`)."""

    rules: AutomaticMessageStore
    delivery: DeliveryStore

    async def delete_some(self, stream_id: StreamId, tx: Tx) -> int:
        """As `groups.service.hooks.DeleteOfStream`."""
        channel_id = group_of(ConversationId(stream_id))
        if channel_id is None:
            return 0
        deleted = await self.rules.delete_some(channel_id, CLEANUP_STEP, tx)
        if deleted:
            await self.rules.touch_guard(tx)
            await self.rules.put_wanting(channel_id, Wanting(False, False), tx)
        return deleted + await self.delivery.delete_some(channel_id, CLEANUP_STEP, tx)
