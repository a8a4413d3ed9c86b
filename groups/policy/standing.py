"""What an actor is to a group: his rank, what he was granted, and what he may know of it and of who is in it."""

from typing import assert_never

from groups.errors import Banned
from groups.kernel.actor import Actor
from groups.kernel.errors import DomainError, PermissionRefused
from groups.models import Grant, Group, Member, Rank, Restriction, Standing, Visibility


def rank_of(actor: Actor, member: Member | None, restriction: Restriction | None) -> Rank:
    """What the actor is to the group; the application's admin outranks whatever he is as a member."""
    if actor.is_app_admin:
        return Rank.APP_ADMIN
    if member is not None:
        return member.rank
    if restriction is not None and restriction.banned_at is not None:
        return Rank.BANNED
    return Rank.STRANGER


def grant_refusal(standing: Standing, grant: Grant) -> DomainError | None:
    """Acting by a right: owner and the application's admin; an admin who was granted it, else he is told which."""
    if standing.holds(grant):
        return None
    if standing.rank == Rank.ADMIN:
        return PermissionRefused(f"You were not granted {grant.value}", grant=grant.value)
    return PermissionRefused()


def may_see(group: Group, rank: Rank) -> bool:
    """Whether the group exists, as far as the actor may know."""
    match group.visibility:
        case Visibility.PUBLIC | Visibility.PROFILE:
            return True
        case Visibility.PRIVATE:
            return rank >= Rank.MEMBER
        case _ as unreachable:
            assert_never(unreachable)


def may_see_sender(group: Group, rank: Rank) -> bool:
    """A channel speaks with one voice: which admin wrote is for owner and admins to know."""
    return not group.is_channel or rank >= Rank.ADMIN


def reading_refusal(group: Group, rank: Rank) -> DomainError | None:
    """Reading messages: members; strangers where the group is open to all; nobody who is banned."""
    if rank == Rank.BANNED:
        return Banned()
    if rank >= Rank.MEMBER or group.visibility is Visibility.PUBLIC:
        return None
    return PermissionRefused("Only members read here")


def history_floor(standing: Standing) -> int:
    """The seq up to which messages are hidden from the actor: what came before he joined, where the group says so."""
    if standing.rank == Rank.APP_ADMIN or standing.group.history_visible or not standing.member:
        return 0
    return standing.member.joined_seq


def listing_refusal(standing: Standing) -> DomainError | None:
    """Members see each other in a chat group; in a channel only those see them who manage them."""
    if standing.group.is_channel:
        return grant_refusal(standing, Grant.MANAGE_SUBSCRIBERS)
    return None if standing.rank >= Rank.MEMBER else PermissionRefused()


def staff_refusal(standing: Standing) -> DomainError | None:
    """What owner and admins know of each other, whatever they were granted: who they are, what each did."""
    return None if standing.rank >= Rank.ADMIN else PermissionRefused()
