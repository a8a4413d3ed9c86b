"""What users show of themselves: name and picture."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from groups.errors import UserNotFound
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.ids import USER_ID_BYTES, UserId, is_id
from groups.kernel.mongo import Database, Tx
from groups.models import User
from groups.service.media.avatars import Avatars
from groups.service.write_locks import user_lock
from groups.store.users import UserStore


@dataclass(frozen=True, kw_only=True, slots=True)
class UserService:
    """Profiles of users; identity itself comes with the token."""

    database: Database
    users: UserStore
    avatars: Avatars
    clock: Clock

    async def get(self, actor: Actor, user_id: UserId) -> User:
        """A user's profile; one's own exists always.

        Raises: UserNotFound when he never told one.
        """
        found = (await self.users.find_many([user_id])).get(user_id)
        if found is not None:
            return found
        if user_id == actor.user_id:
            return User(user_id=user_id)
        raise UserNotFound

    async def get_many(self, actor: Actor, user_ids: Sequence[UserId]) -> list[User | UserNotFound]:
        """Each of the users as `get` would answer, in the order asked for, with one query."""
        told = await self.find_users(key for key in user_ids if is_id(key, USER_ID_BYTES))
        found: list[User | UserNotFound] = []
        for user_id in user_ids:
            nobody = User(user_id=user_id) if user_id == actor.user_id else UserNotFound()
            found.append(told.get(user_id, nobody))
        return found

    async def find_users(self, user_ids: Iterable[UserId]) -> Mapping[UserId, User]:
        """The profiles that exist among these users."""
        wanted = list(user_ids)
        return await self.users.find_many(wanted) if wanted else {}

    async def update(self, actor: Actor, values: Mapping[str, str]) -> User:
        """Change the actor's own name or picture; whoever asks afterwards, of any process, sees it.

        Raises: MediaNotFound, WrongMediaKind for a picture that is no upload of his.
        """
        if values:
            await self.database.run(
                lambda tx: self._update(actor, values, tx), user_lock(actor.user_id)
            )
        return await self.get(actor, actor.user_id)

    async def _update(self, actor: Actor, values: Mapping[str, str], tx: Tx) -> None:
        if "face_url" in values:
            before = await self.users.find_face_url(actor.user_id, tx)
            await self.avatars.replace(actor, before, values["face_url"], self.clock.now(), tx)
        await self.users.put(actor.user_id, dict(values), tx)
