"""Profiles of users: name and picture, and the kind of the account."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from groups import policy
from groups.errors import UserNotFound
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.errors import DomainError
from groups.kernel.ids import USER_ID_BYTES, UserId, is_id
from groups.kernel.mongo import BatchedQuery, Database, Tx
from groups.models import AccountKind, User, UserRestriction
from groups.service.accounts import Accounts
from groups.service.hooks import KnownOwnersHook
from groups.service.media.avatars import Avatars
from groups.service.write_locks import user_lock
from groups.store.restrictions import RestrictionStore
from groups.store.users import UserStore


@dataclass(frozen=True, slots=True)
class UserChange:
    """New values of one user's profile; what is left out stays."""

    user_id: UserId
    values: Mapping[str, str] = field(default_factory=dict)
    account_kind: AccountKind | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class UserService:
    """Reads and changes profiles. Identity comes with the token: a user needs no profile."""

    database: Database
    users: UserStore
    avatars: Avatars
    accounts: Accounts
    restrictions: RestrictionStore
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

    async def get_own(self, actor: Actor) -> tuple[User, UserRestriction | None]:
        """The actor's own profile, empty without one, and what the application restricts now: one command."""
        of_user = self.users.query_many([actor.user_id])
        of_restriction = self.restrictions.query_of_users([actor.user_id])
        await self.database.fetch_together(of_user, of_restriction)
        user = of_user.result.get(actor.user_id) or User(user_id=actor.user_id)
        restriction = of_restriction.result.get(actor.user_id)
        return user, policy.active_restriction(actor, restriction, self.clock.now())

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

    def query_users(self, user_ids: Iterable[UserId]) -> BatchedQuery[dict[UserId, User]]:
        """As `find_users`, to send together with other queries."""
        return self.users.query_many(user_ids)

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

    async def list_ids(self, *, after: str, limit: int) -> list[UserId]:
        """A page of the users of whom anything is stored, by id, behind `after`."""
        return await self.users.list_ids(after=after, limit=limit)

    async def key_all_names(self) -> None:
        """Let users be found whose names an older version stored; repeating it changes nothing."""
        await self.users.key_all_names()

    async def update(
        self, actor: Actor, values: Mapping[str, str]
    ) -> tuple[User, UserRestriction | None]:
        """Change the actor's own name or picture; every later read, in any process, returns the change.

        Returns what `get_own` does.
        """
        if values:
            await self.database.run(
                lambda tx: self._update(actor, values, tx), user_lock(actor.user_id)
            )
        return await self.get_own(actor)

    async def _update(self, actor: Actor, values: Mapping[str, str], tx: Tx) -> None:
        now = self.clock.now()
        if "face_url" in values:
            before = await self.users.find_face_urls([actor.user_id], tx)
            face_url = before.get(actor.user_id, "")
            await self.avatars.replace(actor, face_url, values["face_url"], now, tx)
        await self.users.put_many({actor.user_id: dict(values)}, now, tx)

    async def update_many(
        self, actor: Actor, changes: Sequence[UserChange]
    ) -> list[User | DomainError]:
        """Change the profiles of users, and their kinds of account (the application); each user once.

        One transaction and the same few commands for any number of users without uploaded pictures. A change that is
        refused leaves the others alone. Repeating it changes nothing. Returns the result of each, in the same order.
        Publishes: AccountKindChanged.
        """
        policy.check(policy.application_refusal(actor))
        if not changes:
            return []
        # In one order, since two of these calls may have users in common.
        locks = sorted(user_lock(change.user_id) for change in changes)
        refusals, at = await self.database.run(
            lambda tx: self._update_many(actor, changes, tx), *locks
        )
        done = [change for change in changes if change.user_id not in refusals]
        self.accounts.noted(_kinds_in(done), at)
        known = await self.find_users(change.user_id for change in done)
        return [
            refusals.get(change.user_id)
            or known.get(change.user_id)
            or User(user_id=change.user_id)
            for change in changes
        ]

    async def _update_many(
        self, actor: Actor, changes: Sequence[UserChange], tx: Tx
    ) -> tuple[dict[UserId, DomainError], datetime]:
        now = self.clock.now()
        pictured = {c.user_id: c.values["face_url"] for c in changes if "face_url" in c.values}
        before = await self.users.find_face_urls(pictured, tx) if pictured else {}
        refusals: dict[UserId, DomainError] = {}
        for user_id, face_url in pictured.items():
            try:
                # It refuses before it writes.
                await self.avatars.replace(actor, before.get(user_id, ""), face_url, now, tx)
            except DomainError as refusal:
                refusals[user_id] = refusal
        done = [change for change in changes if change.user_id not in refusals]
        await self.users.put_many({c.user_id: dict(c.values) for c in done if c.values}, now, tx)
        kinds = _kinds_in(done)
        return refusals, await self.accounts.set_kinds(kinds, tx) if kinds else now


def _kinds_in(changes: Iterable[UserChange]) -> dict[UserId, AccountKind]:
    return {c.user_id: c.account_kind for c in changes if c.account_kind is not None}
