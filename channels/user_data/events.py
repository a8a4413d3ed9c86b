"""The events of deletions."""

from typing import Literal

from groups.kernel.events import Event
from groups.kernel.ids import UserId


class UserDeletionBegan(Event):
    """The deletion of the user began: their tokens are refused from now on. Only the processes themselves listen."""

    type: Literal["user.deletion_began"] = "user.deletion_began"
    user_id: UserId

    @property
    def routes(self) -> tuple[str, ...]:
        return ()


class UserDeleted(Event):
    """The deletion of the user is done. Back ends receive it, and delete what they store of the user."""

    type: Literal["user.deleted"] = "user.deleted"
    user_id: UserId

    @property
    def routes(self) -> tuple[str, ...]:
        return ()
