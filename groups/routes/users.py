"""Calls on users: what they show of themselves."""

from groups.errors import UserNotFound
from groups.kernel.actor import Actor
from groups.kernel.endpoint import get, patch
from groups.kernel.ids import UserIdText
from groups.models import User
from groups.routes.views import UpdateUser, UserView
from groups.service import UserService


class UserRoutes:
    """Profiles of users."""

    tag = "Users"

    def __init__(self, users: UserService) -> None:
        self._users = users

    @get("/v1/users/me")
    async def me(self, actor: Actor) -> UserView:
        """My profile."""
        return _view(await self._users.get(actor, actor.user_id))

    @patch("/v1/users/me")
    async def update(self, actor: Actor, body: UpdateUser) -> UserView:
        """Change my name or picture, as member lists show it."""
        return _view(await self._users.update(actor, body.model_dump(exclude_unset=True)))

    @get("/v1/users/{user_id}", errors=[UserNotFound])
    async def user(self, actor: Actor, user_id: UserIdText) -> UserView:
        """A user's profile."""
        return _view(await self._users.get(actor, user_id))


def _view(user: User) -> UserView:
    return UserView(user_id=user.user_id, name=user.name, face_url=user.face_url)
