"""The rules of exporting and deleting a user."""

from dataclasses import dataclass
from typing import Final

from groups.kernel.actor import Actor
from groups.kernel.errors import DomainError, PermissionRefused
from groups.kernel.ids import UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class UserDataOptions:
    """Says what users may do with their own data; the application may do both with everybody's."""

    may_export: bool = True
    may_delete: bool = False


USERS_EXPORT_ONLY: Final = UserDataOptions()
"""Holds where the deployment says nothing."""


def exporting_refusal(
    actor: Actor, user_id: UserId, options: UserDataOptions
) -> DomainError | None:
    """Exporting: the application, and users themselves where the deployment lets them."""
    if actor.is_app_admin or (actor.user_id == user_id and options.may_export):
        return None
    return PermissionRefused(
        "Only users themselves, where the deployment allows it, and the application export a user"
    )


def deleting_refusal(actor: Actor, user_id: UserId, options: UserDataOptions) -> DomainError | None:
    """Deleting: the application, and users themselves where the deployment lets them."""
    if actor.is_app_admin or (actor.user_id == user_id and options.may_delete):
        return None
    return PermissionRefused(
        "Only users themselves, where the deployment allows it, and the application delete a user"
    )
