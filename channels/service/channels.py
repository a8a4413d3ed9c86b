"""The life of a channel: creation, reading, search, changes, deletion."""

from collections.abc import Sequence
from dataclasses import InitVar, dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from channels.errors import (
    BadChannelId,
    ChannelLimitReached,
    ChannelNotFound,
    ChannelsPerOwnerReached,
    channel_errors,
)
from channels.limits import CHANNEL_REACTIONS_PER_USER, Limits
from channels.models import (
    Channel,
    ChannelChanges,
    ChannelProfile,
    NewChannel,
    size_of,
)
from channels.policy import CreatePolicy, creating_refusal
from channels.service.guard import ChannelGuard
from channels.service.profiles import ProfileCache
from channels.store import ChannelStore
from conversations.service.blocks import BlockService
from groups import policy
from groups.kernel.actor import Actor
from groups.kernel.batching.group_commit import GroupCommit, OnBatch, each_key
from groups.kernel.clock import Clock
from groups.kernel.errors import DomainError, InvalidRequest, PermissionRefused
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Database, Tx
from groups.kernel.paging import UncutPage, cut_page
from groups.limits import DISTINCT_REACTIONS
from groups.models import (
    CHANNEL_MARKER,
    CHANNEL_PREFIX,
    AccessContext,
    Group,
    GroupType,
    JoinOption,
    Posting,
    Stream,
    Visibility,
)
from groups.service.idempotency import Idempotency, KeyedCall, keyed_call
from groups.service.lifecycle.cleanup import DisbandService
from groups.service.lifecycle.create import CreateService, NewGroup
from groups.service.lifecycle.directory import Directory, Sort
from groups.service.lifecycle.reader import GroupReader
from groups.service.lifecycle.update import GroupChanges, UpdateService
from groups.service.write_locks import group_lock

INFO_FIELDS: Final = frozenset({"organization", "custom_data"})
"""Fields beyond the group that belong to a channel's profile; the others are settings."""
VOUCHED_FIELDS: Final = frozenset({"organization"})
"""Fields beside the name that a verified badge vouches for."""


@dataclass(frozen=True, slots=True)
class _Creation:
    actor: Actor
    new: NewChannel
    key: str | None


def _join_option(visibility: Visibility) -> JoinOption:
    return JoinOption.INVITE if visibility is Visibility.PRIVATE else JoinOption.FREE


def _rules_of(new: NewChannel) -> dict[str, Any]:
    return {
        "posting": Posting.OWNER_AND_ADMINS,
        "join_option": _join_option(new.visibility),
        "visibility": new.visibility,
        "history_visible": True,
        "reactions": new.reactions,
        "reactions_per_user": new.reactions_per_user or CHANNEL_REACTIONS_PER_USER,
        "distinct_reactions": new.distinct_reactions or DISTINCT_REACTIONS,
        "comments": new.comments,
        "retention_days": new.retention_days,
    }


@dataclass(kw_only=True, slots=True)
class ChannelService:
    """Channels and their profiles."""

    database: Database
    store: ChannelStore
    profiles: ProfileCache
    channel: ChannelGuard
    groups: GroupReader
    creation: CreateService
    updates: UpdateService
    disbanding: DisbandService
    directory: Directory
    idempotency: Idempotency
    blocks: BlockService
    limits: Limits
    clock: Clock
    create_policy: CreatePolicy = "anyone"
    on_batch: InitVar[OnBatch | None] = None
    _queue: GroupCommit[_Creation, GroupId] = field(init=False)

    def __post_init__(self, on_batch: OnBatch | None) -> None:
        # One creation at a time: all of a deployment write one counter, and side by side they would only conflict.
        self._queue = GroupCommit(
            self.database, each_key(self._apply), name="channels", max_batch=1, on_batch=on_batch
        )

    async def create(self, actor: Actor, new: NewChannel, *, key: str | None = None) -> Channel:
        """Create a channel that the actor owns, or for the application `owner_id`; once for each `key`.

        With a `group_id`, make the actor's Community group a channel.

        Publishes: MembersJoined (the owner), or GroupUpdated for an existing group.
        """
        policy.check(creating_refusal(self.create_policy, actor))
        policy.check(policy.creating_refusal(actor, new.owner_id))
        _check_ids(new)
        creation = _Creation(actor, new, key)
        if new.group_id is not None:
            group_id = await self._queue.submit("channels", creation)
        else:
            with channel_errors():
                group_id = await self._queue.submit("channels", creation)
        self.profiles.forget(group_id)
        return await self.get(actor, group_id)

    async def _apply(self, tx: Tx, _: str, creations: Sequence[_Creation]) -> Sequence[GroupId]:
        (creation,) = creations
        actor, new = creation.actor, creation.new
        call = keyed_call(actor, "channel", creation.key, new.digest_text)
        if new.group_id is None:
            return [await self._create(actor, new, call, tx)]
        if await self.idempotency.find_first(call, tx) is None:
            await self._mark(actor, new.group_id, new, tx)
            await self.idempotency.remember(call, new.group_id, tx)
        return [new.group_id]

    async def _create(
        self, actor: Actor, new: NewChannel, call: KeyedCall | None, tx: Tx
    ) -> GroupId:
        group = NewGroup(
            group_id=new.channel_id,
            owner_id=new.owner_id,
            type=GroupType.COMMUNITY,
            name=new.name,
            introduction=new.introduction,
            face_url=new.face_url,
            custom={CHANNEL_MARKER: "1"},
            **_rules_of(new),
        )
        access, is_new = await self.creation.create_in(
            actor,
            group,
            tx,
            prefix=CHANNEL_PREFIX,
            call=call,
            profile={"organization": new.organization, "custom_data": new.custom_data},
        )
        group_id = access.group.group_id
        if is_new:
            await self._insert(actor, group_id, new, access.group.created_at, tx)
        return group_id

    async def _mark(self, actor: Actor, group_id: GroupId, new: NewChannel, tx: Tx) -> None:
        """Make the group a channel; do nothing when it is one already and the actor may see it."""
        if await self.store.find_profile(group_id, tx) is not None:
            access, _ = await self.groups.get(actor, group_id)
            if access.group.owner_id != actor.user_id and not actor.is_app_admin:
                raise PermissionRefused("Only its owner makes a group a channel")
            return
        named = {"face_url", "introduction"} & new.model_fields_set
        changes = GroupChanges(
            name=new.name, **_rules_of(new), **{field: getattr(new, field) for field in named}
        )
        await self.updates.mark_in(
            actor,
            group_id,
            changes,
            tx,
            share_history=new.share_history,
            also_changed=new.of_profile(),
        )
        await self._insert(actor, group_id, new, self.clock.now(), tx)

    async def _insert(
        self, actor: Actor, group_id: GroupId, new: NewChannel, at: datetime, tx: Tx
    ) -> None:
        if not actor.is_app_admin:
            # The marked group is stored already, and counts. All creations write the counter below, so of two that meet
            # one runs again and counts the other.
            limit = self.limits.channels_per_owner
            if await self.creation.count_channels(actor.user_id, limit + 1, tx) > limit:
                raise ChannelsPerOwnerReached(limit=limit)
        if not await self.store.count(1, self.limits.channels, tx):
            raise ChannelLimitReached(limit=self.limits.channels)
        values = new.of_profile(with_defaults=True)
        await self.store.insert(ChannelProfile(channel_id=group_id, created_at=at, **values), tx)

    async def get(self, actor: Actor, channel_id: GroupId) -> Channel:
        async with self.channel(channel_id) as profile:
            access, stream = await self.groups.get(actor, channel_id)
        return Channel(access, stream, profile)

    async def get_many(
        self, actor: Actor, channel_ids: Sequence[GroupId]
    ) -> list[Channel | DomainError]:
        """Each of the channels as the actor sees it, or its error, in the order given."""
        found = await self.groups.get_many(actor, channel_ids)
        seen = [item[0].group.group_id for item in found if not isinstance(item, DomainError)]
        profiles = await self.profiles.find_many(seen)
        results: list[Channel | DomainError] = []
        for channel_id, item in zip(channel_ids, found, strict=True):
            if isinstance(item, DomainError) or channel_id not in profiles:
                results.append(ChannelNotFound())
            else:
                access, stream = item
                results.append(Channel(access, stream, profiles[channel_id]))
        return results

    async def list_owned(
        self, actor: Actor, *, limit: int, cursor: str | None
    ) -> tuple[list[Channel], str | None]:
        return await self._page(await self.directory.list_owned(actor, limit=limit, cursor=cursor))

    async def list_suspended(
        self, actor: Actor, *, limit: int, cursor: str | None
    ) -> tuple[list[Channel], str | None]:
        """A page of the channels that are suspended, by id (the application). Raises: PermissionRefused."""
        policy.check(policy.application_refusal(actor))
        found = await self.directory.list_suspended(actor, limit=limit, cursor=cursor)
        return await self._page(found)

    async def list_of_user(
        self, actor: Actor, user_id: UserId, *, owned: bool, limit: int, cursor: str | None
    ) -> tuple[list[Channel], str | None]:
        """A page of the channels that a user is in, or owns, by id, as they see them (the application)."""
        policy.check(policy.application_refusal(actor))
        user = Actor(user_id)
        if owned:
            return await self.list_owned(user, limit=limit, cursor=cursor)
        return await self._page(await self.directory.list_joined(user, limit=limit, cursor=cursor))

    async def search(
        self,
        actor: Actor,
        *,
        words: str,
        sort: Sort,
        limit: int,
        cursor: str | None,
        with_private: bool = False,
    ) -> tuple[list[Channel], str | None]:
        """A page of the directory: public channels with `words` in their name, id or introduction.

        Channels that the actor blocks are left out, so a page may have fewer than `limit` and another one behind it.
        `with_private` adds the private channels, for the application only.
        """
        if with_private and not actor.is_app_admin:
            raise PermissionRefused("Only the application lists private channels")
        found = await self.directory.search(
            actor, words=words, sort=sort, limit=limit, cursor=cursor, with_private=with_private
        )
        blocked = await self.blocks.find_blocked(
            actor, [access.group.group_id for access, _ in found.items]
        )
        items = [one for one in found.items if one[0].group.group_id not in blocked]
        return await self._page(replace(found, items=items))

    async def _page(
        self, found: UncutPage[tuple[AccessContext, Stream]]
    ) -> tuple[list[Channel], str | None]:
        """As many of the channels as fit into a page, and the cursor to the next page."""
        profiles = await self.profiles.find_many(
            [access.group.group_id for access, _ in found.items]
        )
        channels = [
            Channel(access, stream, profiles[access.group.group_id])
            for access, stream in found.items
            if access.group.group_id in profiles
        ]
        page, is_cut = cut_page(channels, len(channels), size_of)
        if is_cut:
            return page, found.cursor_after((page[-1].access, page[-1].stream))
        return page, found.next_cursor

    async def update(self, actor: Actor, channel_id: GroupId, changes: ChannelChanges) -> Channel:
        """Change the profile or settings. Publishes: GroupUpdated, once, when something changed."""
        async with self.channel(channel_id):
            await self.database.run(
                lambda tx: self._update(actor, channel_id, changes, tx), group_lock(channel_id)
            )
        self.profiles.forget(channel_id)
        return await self.get(actor, channel_id)

    async def _update(
        self, actor: Actor, channel_id: GroupId, changes: ChannelChanges, tx: Tx
    ) -> None:
        profile = await self.store.find_profile(channel_id, tx)
        if profile is None:
            raise ChannelNotFound
        of_group, wanted = changes.of_group(), changes.of_profile()
        if "visibility" in of_group:
            of_group["join_option"] = _join_option(changes.visibility)
        values = {name: value for name, value in wanted.items() if getattr(profile, name) != value}
        await self.updates.update_in(
            actor,
            channel_id,
            GroupChanges(**of_group),
            tx,
            for_channel=True,
            also_asked=set(wanted),
            also_info=INFO_FIELDS,
            also_vouched=VOUCHED_FIELDS,
            also_before={name: getattr(profile, name) for name in values},
            also_changed=values,
        )
        if values:
            await self.store.update_profile(channel_id, values, tx)

    async def delete(self, actor: Actor, channel_id: GroupId) -> None:
        """Delete the channel for everyone, its posts in the background. Publishes: GroupDisbanded."""
        async with self.channel(channel_id):
            await self.disbanding.disband(actor, channel_id)
        self.profiles.forget(channel_id)

    async def close(self) -> None:
        """Wait until every submitted creation is committed or refused."""
        await self._queue.close()


@dataclass(frozen=True, kw_only=True, slots=True)
class ChannelEnd:
    """The end of a channel, on every way in which its group is disbanded (a hook of `groups`)."""

    channels: ChannelStore
    limits: Limits

    async def on_disbanded(self, group: Group, tx: Tx) -> None:
        if group.is_channel and await self.channels.delete(group.group_id, tx):
            await self.channels.count(-1, self.limits.channels, tx)


def _check_ids(new: NewChannel) -> None:
    if new.owner_id is not None and new.group_id is not None:
        reason = "owner_id and group_id exclude each other: a group that becomes a channel keeps its owner"
        raise InvalidRequest(reason, errors=[{"field": "owner_id", "reason": reason}])
    if new.share_history and new.group_id is None:
        reason = "share_history needs a group_id: a new channel has no history"
        raise InvalidRequest(reason, errors=[{"field": "share_history", "reason": reason}])
    channel_id = new.channel_id
    if channel_id is None:
        return
    if new.group_id is not None:
        reason = "channel_id and group_id exclude each other: a group that becomes a channel keeps its id"
        raise InvalidRequest(reason, errors=[{"field": "channel_id", "reason": reason}])
    if not channel_id.startswith(CHANNEL_PREFIX) or channel_id == CHANNEL_PREFIX:
        raise BadChannelId
    if "," in channel_id:
        raise BadChannelId("A channel id must not contain a comma, which separates ids in lists")
