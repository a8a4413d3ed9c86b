"""Who subscribes to a channel, and who runs it: group membership in the words of channels."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing

from channels.errors import in_words_of_channels
from channels.models import Channel
from channels.service.profiles import ProfileCache
from groups.kernel.actor import Actor
from groups.kernel.ids import GroupId, UserId
from groups.models import AccessContext, Grant, Member, Restriction, Role
from groups.service.membership.commands import ImportOutcome
from groups.service.membership.import_service import ImportService
from groups.service.membership.service import Membership, MembershipService


class SubscriberService:
    """Subscribers, admins and the owner of channels."""

    def __init__(
        self, extras: ProfileCache, membership: MembershipService, imports: ImportService
    ) -> None:
        self._extras = extras
        self._membership = membership
        self._imports = imports

    async def subscribe(self, actor: Actor, channel_id: GroupId) -> Channel:
        """Subscribe the actor; again changes nothing.

        Publishes: MembersJoined. Raises: ChannelNotFound; Banned; MemberLimitReached; GroupsPerUserReached.
        """
        extras = await self._extras.get(channel_id)
        with in_words_of_channels():
            joined = await self._membership.join(actor, channel_id)
        access = AccessContext(
            group=joined.group, member=joined.member, effective_role=joined.effective_role
        )
        return Channel(access=access, stream=joined.stream, extras=extras)

    async def unsubscribe(self, actor: Actor, channel_id: GroupId) -> None:
        """Unsubscribe the actor; when he is none this changes nothing.

        Publishes: MembersLeft. Raises: ChannelNotFound; OwnerCannotLeave.
        """
        await self._extras.get(channel_id)
        with in_words_of_channels():
            await self._membership.leave(actor, channel_id)

    async def add(self, actor: Actor, channel_id: GroupId, user_id: UserId) -> Membership:
        """Subscribe another user (owner, admin): how one comes into a private channel; lifts a ban.

        Publishes: MembersJoined. Raises: ChannelNotFound; PermissionRefused; MemberLimitReached.
        """
        await self._extras.get(channel_id)
        with in_words_of_channels():
            return await self._membership.add(actor, channel_id, user_id)

    async def import_users(
        self, actor: Actor, channel_id: GroupId, batches: AsyncIterator[Sequence[UserId]]
    ) -> AsyncGenerator[ImportOutcome, None]:
        """Subscribe the users of each batch (the application's admin), as `add` would; each batch's admission follows.

        Publishes: MembersJoined, one for all of a batch.
        Raises: ChannelNotFound; PermissionRefused; while it goes on also Unavailable, and what `batches` raises.
        """
        await self._extras.get(channel_id)
        with in_words_of_channels():
            admissions = await self._imports.begin(actor, channel_id, batches)
        return _told_of_channels(admissions)

    async def remove(
        self, actor: Actor, channel_id: GroupId, user_id: UserId, *, ban: bool
    ) -> None:
        """End a subscription (owner, admin); with `ban` the user cannot come back by himself.

        Publishes: MembersLeft. Raises: ChannelNotFound; PermissionRefused; OwnerCannotLeave.
        """
        await self._extras.get(channel_id)
        with in_words_of_channels():
            await self._membership.remove(actor, channel_id, user_id, ban=ban)

    async def unban(self, actor: Actor, channel_id: GroupId, user_id: UserId) -> None:
        """Lift a ban (owner, admin).

        Raises: ChannelNotFound; PermissionRefused.
        """
        await self._extras.get(channel_id)
        with in_words_of_channels():
            await self._membership.unban(actor, channel_id, user_id)

    async def set_admin(
        self,
        actor: Actor,
        channel_id: GroupId,
        user_id: UserId,
        *,
        is_admin: bool,
        grants: frozenset[Grant] | None = None,
    ) -> Membership:
        """Make a subscriber an admin, change an admin's grants, or make him a plain subscriber again (owner).

        Without `grants` a new admin holds all, and an admin keeps his. Publishes: MemberChanged. Raises:
        ChannelNotFound; PermissionRefused; MemberNotFound; AdminLimitReached.
        """
        await self._extras.get(channel_id)
        role = Role.ADMIN if is_admin else Role.MEMBER
        with in_words_of_channels():
            return await self._membership.change(
                actor, channel_id, user_id, role=role, grants=grants
            )

    async def transfer(self, actor: Actor, channel_id: GroupId, user_id: UserId) -> None:
        """Give the channel to a subscriber; the former owner stays as admin with all grants.

        Publishes: GroupUpdated, MemberChanged. Raises: ChannelNotFound; PermissionRefused; MemberNotFound;
        AdminLimitReached.
        """
        await self._extras.get(channel_id)
        with in_words_of_channels():
            await self._membership.transfer(actor, channel_id, user_id)

    async def list_subscribers(
        self,
        actor: Actor,
        channel_id: GroupId,
        *,
        limit: int,
        cursor: str | None,
        prefix: str,
        staff_only: bool,
    ) -> tuple[list[Member], str | None]:
        """A page of subscribers by user id (owner, admin); `prefix` narrows it to ids that begin so.

        Raises: ChannelNotFound; PermissionRefused.
        """
        await self._extras.get(channel_id)
        with in_words_of_channels():
            return await self._membership.list_members(
                actor,
                channel_id,
                limit=limit,
                cursor=cursor,
                prefix=prefix,
                staff_only=staff_only,
            )

    async def list_bans(
        self, actor: Actor, channel_id: GroupId, *, limit: int, cursor: str | None
    ) -> tuple[list[Restriction], str | None]:
        """A page of banned users, by id (owner, admin).

        Raises: ChannelNotFound; PermissionRefused.
        """
        await self._extras.get(channel_id)
        with in_words_of_channels():
            return await self._membership.list_bans(actor, channel_id, limit=limit, cursor=cursor)


async def _told_of_channels(
    admissions: AsyncGenerator[ImportOutcome, None],
) -> AsyncGenerator[ImportOutcome, None]:
    async with aclosing(admissions):
        with in_words_of_channels():
            async for admission in admissions:
                yield admission
