"""What users show of themselves: name and picture."""

from collections.abc import Iterable, Mapping

from groups.errors import UserNotFound
from groups.kernel.actor import Actor
from groups.kernel.ids import UserId
from groups.models import User
from groups.store import UserStore


class UserService:
    """Profiles of users; identity itself comes with the token."""

    def __init__(self, users: UserStore) -> None:
        self._users = users

    async def get(self, actor: Actor, user_id: UserId) -> User:
        """A user's profile; one's own exists always.

        Raises: UserNotFound when he never told one.
        """
        found = (await self._users.find_many([user_id])).get(user_id)
        if found is not None:
            return found
        if user_id == actor.user_id:
            return User(user_id=user_id)
        raise UserNotFound

    async def names(self, user_ids: Iterable[UserId]) -> Mapping[UserId, User]:
        """The profiles that exist among these users."""
        wanted = list(user_ids)
        return await self._users.find_many(wanted) if wanted else {}

    async def update(self, actor: Actor, values: Mapping[str, str]) -> User:
        """Change the actor's own name or picture."""
        if not values:
            return await self.get(actor, actor.user_id)
        return await self._users.put(actor.user_id, dict(values))
