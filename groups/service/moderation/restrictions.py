"""Restrictions of users by the application: a restricted user reads and leaves, and adds nothing anywhere.

Promises:
    Everywhere: whatever adds something asks `policy.restricted_refusal`, with what its own transaction read. So a
    restriction counts for every call that begins after its answer, in every process, and so does its end.
    Free: the transactions that must know read it with the command that they send anyway (`groups.store.restrictions`).

A restriction that ended by itself is treated as absent, and deleted by the database later.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from groups import policy
from groups.errors import RestrictionNotFound
from groups.events import UserRestricted, UserUnrestricted
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock, rfc3339
from groups.kernel.errors import InvalidRequest
from groups.kernel.ids import UserId
from groups.kernel.mongo import BatchedQuery, Database, Tx
from groups.kernel.paging import page_by_text
from groups.models import AdminAct, AdminAction, User, UserRestriction
from groups.service.admin_log import AdminLog
from groups.service.write_locks import user_lock
from groups.store.restrictions import RestrictionStore
from groups.store.users import UserStore


@dataclass(frozen=True, kw_only=True, slots=True)
class UserRestrictions:
    """Restricts users."""

    database: Database
    store: RestrictionStore
    users: UserStore
    admin_log: AdminLog
    clock: Clock

    def query(self, user_ids: Iterable[UserId]) -> BatchedQuery[dict[UserId, UserRestriction]]:
        """The restrictions of these users, for `policy.active_restriction`, to send together with other queries."""
        return self.store.query_of_users(user_ids)

    async def find(self, actor: Actor, user_id: UserId) -> UserRestriction:
        """The restriction of the user now: for themselves, and for the application.

        Raises: RestrictionNotFound; PermissionRefused.
        """
        if user_id != actor.user_id:
            policy.check(policy.application_refusal(actor))
        found = await self.store.find_of_user(user_id)
        if found is None or not found.is_active(self.clock.now()):
            raise RestrictionNotFound
        return found

    async def list_all(
        self, actor: Actor, *, limit: int, cursor: str | None
    ) -> tuple[Sequence[tuple[UserRestriction, User]], str | None]:
        """A page of the users who are restricted now, by id, with their profiles (the application).

        A page costs two database commands at any size. Raises: PermissionRefused; BadCursor.
        """
        policy.check(policy.application_refusal(actor))
        read = partial(self.store.list_of_users, self.clock.now())
        found, next_cursor = await page_by_text(
            "restrictions", cursor, limit, read, lambda one: one.user_id
        )
        user_ids = [one.user_id for one in found]
        users = await self.users.find_many(user_ids) if found else {}
        return [
            (one, users.get(one.user_id) or User(user_id=one.user_id)) for one in found
        ], next_cursor

    async def restrict(
        self, actor: Actor, user_id: UserId, *, until: datetime | None, reason: str
    ) -> UserRestriction:
        """Restrict the user until then, or for good; in place of an earlier restriction (the application).

        The same again changes nothing. Publishes: UserRestricted. Raises: PermissionRefused; InvalidRequest, for an
        instant that is not to come.
        """
        return await self.database.run(
            lambda tx: self.restrict_in(actor, user_id, tx, until=until, reason=reason),
            user_lock(user_id),
        )

    async def restrict_in(
        self, actor: Actor, user_id: UserId, tx: Tx, *, until: datetime | None, reason: str
    ) -> UserRestriction:
        """As `restrict`, in the caller's transaction."""
        policy.check(policy.application_refusal(actor))
        now = self.clock.now()
        if until is not None and until <= now:
            raise InvalidRequest(errors=[{"field": "until", "reason": "must be in the future"}])
        before = await self.store.find_of_user(user_id, tx)
        if before is not None and before.is_active(now):
            if (before.until, before.reason) == (until, reason):
                return before
        else:
            before = None
        restriction = UserRestriction(
            user_id=user_id, until=until, reason=reason, at=now, by=actor.user_id
        )
        self.store.put_of_user(restriction, tx)
        act = AdminAct(
            actor, AdminAction.USER_RESTRICTED, user_id, _shown(before), _shown(restriction)
        )
        await self.admin_log.record_of_app(tx, act)
        tx.publish(UserRestricted(at=now, user_id=user_id, until=until, reason=reason))
        return restriction

    async def lift(self, actor: Actor, user_id: UserId) -> None:
        """End the user's restriction (the application); without one nothing changes. Publishes: UserUnrestricted."""

        async def work(tx: Tx) -> None:
            now = self.clock.now()
            before = await self.store.find_of_user(user_id, tx)
            if before is None:
                return
            self.store.delete_of_user(user_id, tx)
            if before.is_active(now):
                act = AdminAct(actor, AdminAction.USER_UNRESTRICTED, user_id, _shown(before))
                await self.admin_log.record_of_app(tx, act)
                tx.publish(UserUnrestricted(at=now, user_id=user_id))

        policy.check(policy.application_refusal(actor))
        await self.database.run(work, user_lock(user_id))


def _shown(restriction: UserRestriction | None) -> dict[str, object]:
    """The restriction, for the admin log."""
    if restriction is None:
        return {}
    until = rfc3339(restriction.until) if restriction.until is not None else None
    return {"until": until, "reason": restriction.reason}
