"""Calls on users: what they show of themselves."""

from groups.errors import MediaNotFound, UserNotFound, WrongMediaKind
from groups.kernel.actor import Actor
from groups.kernel.endpoint import delete, get, patch
from groups.kernel.errors import FieldTooLong, PermissionRefused
from groups.kernel.ids import UserIdText
from groups.models import User
from groups.routes.views import UpdateUser, UserView
from groups.service import Revocations, UserService


class UserRoutes:
    """Profiles of users."""

    tag = "Users"

    def __init__(self, users: UserService, revocations: Revocations) -> None:
        self._users = users
        self._revocations = revocations

    @get("/v1/users/me")
    async def me(self, actor: Actor) -> UserView:
        """My profile."""
        return _view(await self._users.get(actor, actor.user_id))

    @patch("/v1/users/me", errors=[FieldTooLong, MediaNotFound, WrongMediaKind])
    async def update(self, actor: Actor, body: UpdateUser) -> UserView:
        """Change my name or picture; every list and message shows it from now on."""
        return _view(await self._users.update(actor, body.model_dump(exclude_unset=True)))

    @get("/v1/users/{user_id}", errors=[UserNotFound])
    async def user(self, actor: Actor, user_id: UserIdText) -> UserView:
        """A user's profile."""
        return _view(await self._users.get(actor, user_id))

    @delete("/v1/users/{user_id}/tokens", status=204, errors=[PermissionRefused])
    async def revoke(self, actor: Actor, user_id: UserIdText) -> None:
        """End a user's sessions everywhere: what was issued to him until now is refused (`me`, or the application).

        His sockets are closed. Other server processes follow within moments.
        """
        of = actor.user_id if user_id == "me" else user_id
        await self._revocations.revoke(actor, of)


def _view(user: User) -> UserView:
    return UserView(user_id=user.user_id, name=user.name, face_url=user.face_url)
