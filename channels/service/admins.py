"""Who runs a channel and what they did: admins and their grants, invitations, bans from reacting, the admin log."""

from channels.errors import in_words_of_channels
from channels.service.profiles import ProfileCache
from groups.kernel.actor import Actor
from groups.kernel.ids import GroupId, UserId
from groups.models import (
    AdminAction,
    AdminLogEntry,
    Grant,
    Group,
    Invitation,
    Member,
    Restriction,
)
from groups.service.admin_log import AdminLog
from groups.service.membership.invitations import InvitationService
from groups.service.membership.service import MembershipService


class AdminService:
    """Running channels. Appointing directly is membership (`SubscriberService.set_admin`)."""

    def __init__(
        self,
        extras: ProfileCache,
        membership: MembershipService,
        invitations: InvitationService,
        admin_log: AdminLog,
    ) -> None:
        self._extras = extras
        self._membership = membership
        self._invitations = invitations
        self._admin_log = admin_log

    async def list_admins(
        self, actor: Actor, channel_id: GroupId, *, limit: int, cursor: str | None
    ) -> tuple[list[Member], str | None]:
        """A page of owner and admins by user id (owner, admins).

        Raises: ChannelNotFound; PermissionRefused.
        """
        await self._extras.get(channel_id)
        with in_words_of_channels():
            return await self._membership.list_staff(actor, channel_id, limit=limit, cursor=cursor)

    # --- invitations ----------------------------------------------------------------------------------------------

    async def invite(
        self, actor: Actor, channel_id: GroupId, user_id: UserId, grants: frozenset[Grant]
    ) -> Invitation:
        """Ask a user, subscriber or not, to be an admin (owner); to the same again changes nothing.

        Publishes: AdminInvited. Raises: ChannelNotFound; PermissionRefused; AlreadyAdmin; Banned;
        InvitationLimitReached.
        """
        await self._extras.get(channel_id)
        with in_words_of_channels():
            invited = await self._invitations.invite(actor, channel_id, user_id, grants)
        assert invited.invitation is not None  # inviting leaves one, or is refused
        return invited.invitation

    async def revoke_invitation(self, actor: Actor, channel_id: GroupId, user_id: UserId) -> None:
        """Take an invitation back (owner); when there is none this changes nothing.

        Publishes: InvitationEnded. Raises: ChannelNotFound; PermissionRefused.
        """
        await self._extras.get(channel_id)
        with in_words_of_channels():
            await self._invitations.revoke(actor, channel_id, user_id)

    async def answer_invitation(self, actor: Actor, channel_id: GroupId, *, accept: bool) -> None:
        """Accept the actor's own invitation, which makes him admin and subscriber, or decline it.

        Publishes: InvitationEnded; where accepted MembersJoined, MemberChanged. Raises: ChannelNotFound;
        InvitationNotFound; InvitationExpired; Banned; AdminLimitReached; MemberLimitReached; GroupsPerUserReached.
        """
        await self._extras.get(channel_id)
        with in_words_of_channels():
            await self._invitations.answer(actor, channel_id, accept=accept)

    async def list_invitations(
        self, actor: Actor, channel_id: GroupId, *, limit: int, cursor: str | None
    ) -> tuple[list[Invitation], str | None]:
        """A page of the channel's open invitations, by user id (owner).

        Raises: ChannelNotFound; PermissionRefused.
        """
        await self._extras.get(channel_id)
        with in_words_of_channels():
            return await self._invitations.list_of_group(
                actor, channel_id, limit=limit, cursor=cursor
            )

    async def list_own_invitations(
        self, actor: Actor, *, limit: int, cursor: str | None
    ) -> tuple[list[tuple[Invitation, Group]], str | None]:
        """A page of the actor's open invitations by channel id, each with its channel's group."""
        return await self._invitations.list_of_user(actor, limit=limit, cursor=cursor)

    # --- bans from reacting ---------------------------------------------------------------------------------------

    async def ban_from_reacting(
        self, actor: Actor, channel_id: GroupId, user_id: UserId, *, is_banned: bool
    ) -> None:
        """Keep a user from adding reactions, or let him again (owner, admins who manage subscribers).

        Raises: ChannelNotFound; PermissionRefused.
        """
        await self._extras.get(channel_id)
        with in_words_of_channels():
            await self._membership.ban_from_reacting(
                actor, channel_id, user_id, is_banned=is_banned
            )

    async def list_reaction_bans(
        self, actor: Actor, channel_id: GroupId, *, limit: int, cursor: str | None
    ) -> tuple[list[Restriction], str | None]:
        """A page of users who are kept from reacting, by id (owner, admins who manage subscribers).

        Raises: ChannelNotFound; PermissionRefused.
        """
        await self._extras.get(channel_id)
        with in_words_of_channels():
            return await self._membership.list_reaction_bans(
                actor, channel_id, limit=limit, cursor=cursor
            )

    # --- admin log ------------------------------------------------------------------------------------------------

    async def list_log(
        self,
        actor: Actor,
        channel_id: GroupId,
        *,
        action: AdminAction | None,
        actor_id: str | None,
        target_id: str | None,
        limit: int,
        cursor: str | None,
    ) -> tuple[list[AdminLogEntry], str | None]:
        """A page of the admin log, newest first, of the entries that fit all filters given (owner, admins).

        Raises: ChannelNotFound; PermissionRefused; BadCursor.
        """
        await self._extras.get(channel_id)
        with in_words_of_channels():
            return await self._admin_log.list_entries(
                actor,
                channel_id,
                action=action,
                actor_id=actor_id,
                target_id=target_id,
                limit=limit,
                cursor=cursor,
            )
