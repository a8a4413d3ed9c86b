"""The life of a channel: created or marked, shown, found, changed, deleted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from channels.errors import BadChannelId, ChannelLimitReached, ChannelNotFound, in_words_of_channels
from channels.limits import CHANNEL_REACTIONS_PER_USER, Limits
from channels.models import (
    CHANNEL_PREFIX,
    Channel,
    ChannelChanges,
    ChannelProfile,
    NewChannel,
    size_of,
)
from channels.service.profiles import ProfileCache
from channels.store import ChannelStore
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.errors import DomainError, InvalidRequest, PermissionRefused
from groups.kernel.group_commit import GroupCommit, OnBatch
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Database, Tx
from groups.kernel.paging import Slice, cut_page
from groups.limits import DISTINCT_REACTIONS
from groups.models import (
    CHANNEL_MARKER,
    AccessContext,
    GroupType,
    JoinOption,
    Posting,
    Stream,
    Visibility,
)
from groups.service.idempotency import Idempotency, KeyedCall, keyed_call
from groups.service.lifecycle.create import CreateService, NewGroup
from groups.service.lifecycle.directory import Directory, Sort
from groups.service.lifecycle.disband import DisbandService
from groups.service.lifecycle.reader import GroupReader
from groups.service.lifecycle.update import GroupChanges, UpdateService
from groups.service.write_locks import group_lock

Found = tuple[AccessContext, Stream]
CreatePolicy = Literal["anyone", "admin"]

_OF_GROUP = {
    "name",
    "face_url",
    "introduction",
    "visibility",
    "reactions",
    "reactions_per_user",
    "distinct_reactions",
}
"""The fields of a channel that its group keeps; the others are its extras."""


INFO_FIELDS: Final = frozenset({"organization", "custom_data"})
"""The fields beyond the group that belong to a channel's profile; the others are settings."""
VOUCHED_FIELDS: Final = frozenset({"organization"})
"""What a verified badge vouches for beside the name."""

LANE: Final = "channels"
"""The one key of the group commit."""


@dataclass(frozen=True, slots=True)
class _Creation:
    """A channel on its way."""

    actor: Actor
    new: NewChannel
    key: str | None


def _join_option(visibility: Visibility) -> JoinOption:
    return JoinOption.INVITE if visibility is Visibility.PRIVATE else JoinOption.FREE


class ChannelService:
    """Channels and their profiles."""

    def __init__(
        self,
        database: Database,
        channels: ChannelStore,
        extras: ProfileCache,
        groups: GroupReader,
        creation: CreateService,
        updates: UpdateService,
        disbanding: DisbandService,
        directory: Directory,
        repeats: Idempotency,
        limits: Limits,
        clock: Clock,
        create_policy: CreatePolicy = "anyone",
        *,
        on_batch: OnBatch | None = None,
    ) -> None:
        self._database = database
        self._channels = channels
        self._extras = extras
        self._groups = groups
        self._founding = creation
        self._updating = updates
        self._disbanding = disbanding
        self._directory = directory
        self._repeats = repeats
        self._limits = limits
        self._clock = clock
        self._create_policy = create_policy
        # One after the other: all creations of a deployment write its counter, and side by side they would only
        # run into each other, over and over.
        self._lane: GroupCommit[_Creation, GroupId] = GroupCommit(
            database, self._apply, name="channels", max_batch=1, on_batch=on_batch
        )

    # --- create ---------------------------------------------------------------------------------------------------

    async def create(self, actor: Actor, new: NewChannel, *, key: str | None = None) -> Channel:
        """Create a channel that the actor owns, or mark his Community group; with a `key`, once.

        Publishes: MembersJoined (the owner), or GroupUpdated where a group is marked. Raises: PermissionRefused where
        only the application creates; BadChannelId; ChannelIdTaken; ChannelNotFound, NotForThisType for a `group_id`
        that cannot be marked; ChannelLimitReached; IdempotencyConflict.
        """
        if self._create_policy == "admin" and not actor.is_app_admin:
            raise PermissionRefused("Channels are created by the application")
        if new.channel_id is not None and new.group_id is not None:
            reason = "channel_id and group_id exclude each other: a marked group keeps its id"
            raise InvalidRequest(reason, errors=[{"field": "channel_id", "reason": reason}])
        if new.channel_id is not None and (
            not new.channel_id.startswith(CHANNEL_PREFIX) or new.channel_id == CHANNEL_PREFIX
        ):
            raise BadChannelId
        if new.channel_id is not None and "," in new.channel_id:
            raise BadChannelId("A channel id holds no comma: commas part the ids of a list")
        creation = _Creation(actor, new, key)
        if new.group_id is not None:
            group_id = await self._lane.submit(LANE, creation)
        else:
            with in_words_of_channels():
                group_id = await self._lane.submit(LANE, creation)
        self._extras.forget(group_id)
        return await self.get(actor, group_id)

    async def _apply(self, tx: Tx, _: str, creations: Sequence[_Creation]) -> Sequence[GroupId]:
        (creation,) = creations
        actor, new = creation.actor, creation.new
        call = keyed_call(actor, "channel", creation.key, new.model_dump_json())
        if new.group_id is None:
            return [await self._create(actor, new, call, tx)]
        if await self._repeats.find_first(call, tx) is None:
            await self._mark(actor, new.group_id, new, tx)
            await self._repeats.remember(call, new.group_id, tx)
        return [new.group_id]

    async def _create(
        self, actor: Actor, new: NewChannel, call: KeyedCall | None, tx: Tx
    ) -> GroupId:
        group = NewGroup(
            group_id=new.channel_id,
            type=GroupType.COMMUNITY,
            name=new.name,
            introduction=new.introduction,
            face_url=new.face_url,
            custom={CHANNEL_MARKER: "1"},
            posting=Posting.OWNER_AND_ADMINS,
            join_option=_join_option(new.visibility),
            visibility=new.visibility,
            history_visible=True,
            reactions=new.reactions,
            reactions_per_user=new.reactions_per_user or CHANNEL_REACTIONS_PER_USER,
            distinct_reactions=new.distinct_reactions or DISTINCT_REACTIONS,
        )
        access, is_new = await self._founding.create_in(
            actor,
            group,
            tx,
            prefix=CHANNEL_PREFIX,
            call=call,
            profile={"organization": new.organization, "custom_data": new.custom_data},
        )
        group_id = access.group.group_id
        if is_new:
            await self._insert(group_id, new, access.group.created_at, tx)
        return group_id

    async def _mark(self, actor: Actor, group_id: GroupId, new: NewChannel, tx: Tx) -> None:
        named = new.model_fields_set
        profile = {field: getattr(new, field) for field in ("face_url", "introduction")}
        changes = GroupChanges(
            name=new.name,
            posting=Posting.OWNER_AND_ADMINS,
            join_option=_join_option(new.visibility),
            visibility=new.visibility,
            history_visible=True,
            reactions=new.reactions,
            reactions_per_user=new.reactions_per_user or CHANNEL_REACTIONS_PER_USER,
            distinct_reactions=new.distinct_reactions or DISTINCT_REACTIONS,
            **{field: value for field, value in profile.items() if field in named},
        )
        if await self._channels.find(group_id, tx) is not None:
            # Marking twice changes nothing, for the owner; for others the channel is as it is.
            access, _ = await self._groups.get(actor, group_id)
            if access.group.owner_id != actor.user_id and not actor.is_app_admin:
                raise PermissionRefused("Only its owner makes a group a channel")
            return
        shown = new.model_dump(
            mode="python", exclude_unset=True, exclude={*_OF_GROUP, "channel_id", "group_id"}
        )
        await self._updating.mark_in(actor, group_id, changes, tx, also_changed=shown)
        await self._insert(group_id, new, self._clock.now(), tx)

    async def _insert(self, group_id: GroupId, new: NewChannel, at: datetime, tx: Tx) -> None:
        if not await self._channels.count(1, self._limits.channels, tx):
            raise ChannelLimitReached(limit=self._limits.channels)
        values = new.model_dump(mode="python", exclude={*_OF_GROUP, "channel_id", "group_id"})
        await self._channels.insert(
            ChannelProfile(channel_id=group_id, created_at=at, **values), tx
        )

    # --- read -----------------------------------------------------------------------------------------------------

    async def get(self, actor: Actor, channel_id: GroupId) -> Channel:
        """The channel as the actor sees it.

        Raises: ChannelNotFound.
        """
        extras = await self._extras.get(channel_id)
        with in_words_of_channels():
            access, stream = await self._groups.get(actor, channel_id)
        return Channel(access=access, stream=stream, extras=extras)

    async def get_many(
        self, actor: Actor, channel_ids: Sequence[GroupId]
    ) -> list[Channel | DomainError]:
        """Each of the channels as the actor sees it, or its own refusal, in the order asked for."""
        found = await self._groups.get_many(actor, channel_ids)
        seen = [item[0].group.group_id for item in found if not isinstance(item, DomainError)]
        extras = await self._extras.find_many(seen)
        results: list[Channel | DomainError] = []
        for channel_id, item in zip(channel_ids, found, strict=True):
            if isinstance(item, DomainError) or channel_id not in extras:
                results.append(ChannelNotFound())
            else:
                access, stream = item
                results.append(Channel(access=access, stream=stream, extras=extras[channel_id]))
        return results

    async def list_owned(
        self, actor: Actor, *, limit: int, cursor: str | None
    ) -> tuple[list[Channel], str | None]:
        """A page of the channels that the actor owns, by id."""
        found = await self._directory.list_owned(actor, limit=limit, cursor=cursor)
        return await self._page_of(found)

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
        """A page of the directory: public channels whose name, id or introduction hold `words`.

        `with_private`: of every channel there is, for the application's admin. Raises: PermissionRefused.
        """
        if with_private and not actor.is_app_admin:
            raise PermissionRefused("Private channels are listed to the application only")
        found = await self._directory.search(
            actor, words=words, sort=sort, limit=limit, cursor=cursor, with_private=with_private
        )
        return await self._page_of(found)

    async def _page_of(self, found: Slice[Found]) -> tuple[list[Channel], str | None]:
        """The channels with their extras, as many as fit into a page."""
        ids = [access.group.group_id for access, _ in found.items]
        extras = await self._extras.find_many(ids)
        channels = [
            Channel(access=access, stream=stream, extras=extras[access.group.group_id])
            for access, stream in found.items
            if access.group.group_id in extras
        ]
        page, is_cut = cut_page(channels, len(channels), size_of)
        if is_cut:
            return page, found.cursor_after((page[-1].access, page[-1].stream))
        return page, found.next_cursor

    # --- change ---------------------------------------------------------------------------------------------------

    async def update(self, actor: Actor, channel_id: GroupId, changes: ChannelChanges) -> Channel:
        """Change profile or settings.

        Publishes: GroupUpdated, once, when something changed. Raises: ChannelNotFound; PermissionRefused.
        """
        await self._extras.get(channel_id)
        with in_words_of_channels():
            await self._database.run(
                lambda tx: self._update(actor, channel_id, changes, tx), group_lock(channel_id)
            )
        self._extras.forget(channel_id)
        return await self.get(actor, channel_id)

    async def _update(
        self, actor: Actor, channel_id: GroupId, changes: ChannelChanges, tx: Tx
    ) -> None:
        extras = await self._channels.find(channel_id, tx)
        if extras is None:
            raise ChannelNotFound
        of_group = changes.model_dump(mode="python", exclude_unset=True, include=_OF_GROUP)
        if changes.visibility is not None:
            of_group["join_option"] = _join_option(changes.visibility)
        wanted = changes.model_dump(mode="python", exclude_unset=True, exclude=_OF_GROUP)
        values = {name: value for name, value in wanted.items() if getattr(extras, name) != value}
        await self._updating.update_in(
            actor,
            channel_id,
            GroupChanges(**of_group),
            tx,
            for_channel=True,
            also_asked=set(wanted),
            also_info=INFO_FIELDS,
            also_vouched=VOUCHED_FIELDS,
            also_before={name: getattr(extras, name) for name in values},
            also_changed={**values},
        )
        if values:
            await self._channels.update(channel_id, values, tx)

    async def delete(self, actor: Actor, channel_id: GroupId) -> None:
        """End the channel for everyone; its posts are cleared away in the background.

        Publishes: GroupDisbanded. Raises: ChannelNotFound; PermissionRefused.
        """
        await self._extras.get(channel_id)
        with in_words_of_channels():
            await self._disbanding.disband(actor, channel_id)
        self._extras.forget(channel_id)

    async def close(self) -> None:
        """Wait until every submitted creation is committed or refused."""
        await self._lane.close()
