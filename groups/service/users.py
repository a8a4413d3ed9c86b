"""Profiles of users: name and picture."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from groups.errors import UserNotFound
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.ids import USER_ID_BYTES, UserId, is_id
from groups.kernel.mongo import BatchedQuery, Database, Tx
from groups.models import User
from groups.service.hooks import KnownOwnersHook
from groups.service.media.avatars import Avatars
from groups.service.write_locks import user_lock
from groups.store.users import UserStore


@dataclass(frozen=True, kw_only=True, slots=True)
class UserService:
    """Reads and changes profiles. Identity comes with the token: a user needs no profile."""

    database: Database
    users: UserStore
    avatars: Avatars
    clock: Clock
    known_owners: KnownOwnersHook | None = None

    async def get(self, actor: Actor, user_id: UserId) -> User:
        """A user's profile. Without one it is empty, for the actor and for owners whom they may know.

        Raises: UserNotFound for all others, whether they exist or not.
        """
        (found,) = await self.get_many(actor, [user_id])
        if isinstance(found, UserNotFound):
            raise found
        return found

    async def get_many(self, actor: Actor, user_ids: Sequence[UserId]) -> list[User | UserNotFound]:
        """The result of `get` for each of the users, in the same order: one query, or two if one has no profile."""
        valid = [key for key in user_ids if is_id(key, USER_ID_BYTES)]
        found = await self.find_users(valid)
        shown: dict[UserId, User] = {actor.user_id: User(user_id=actor.user_id), **found}
        unknown = {user_id for user_id in valid if user_id not in shown}
        if unknown and self.known_owners is not None:
            owners = await self.known_owners(actor, unknown)
            shown |= {user_id: User(user_id=user_id) for user_id in owners}
        return [shown.get(user_id) or UserNotFound() for user_id in user_ids]

    async def find_users(self, user_ids: Iterable[UserId]) -> Mapping[UserId, User]:
        """The profiles of those of the users who have one."""
        wanted = list(user_ids)
        return await self.users.find_many(wanted) if wanted else {}

    def query_profiles(
        self, user_ids: Iterable[UserId]
    ) -> BatchedQuery[dict[UserId, tuple[User, int]]]:
        """As `find_users`, with the time of each last change (`UserStore`), to send together with other queries."""
        return self.users.query_profiles(user_ids)

    def query_changed(
        self, user_ids: Iterable[UserId], since: datetime
    ) -> BatchedQuery[dict[UserId, int]]:
        """Those of the users whose profile changed since the instant, and when."""
        return self.users.query_changed(user_ids, since)

    async def update(self, actor: Actor, values: Mapping[str, str]) -> User:
        """Change the actor's own name or picture; every later read, in any process, returns the change."""
        if values:
            await self.database.run(
                lambda tx: self._update(actor, values, tx), user_lock(actor.user_id)
            )
        return await self.get(actor, actor.user_id)

    async def _update(self, actor: Actor, values: Mapping[str, str], tx: Tx) -> None:
        now = self.clock.now()
        if "face_url" in values:
            before = await self.users.find_face_url(actor.user_id, tx)
            await self.avatars.replace(actor, before, values["face_url"], now, tx)
        await self.users.put(actor.user_id, dict(values), now, tx)
