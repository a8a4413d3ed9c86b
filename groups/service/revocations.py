"""Revoked tokens: every process knows, without a query, until when each user's tokens are revoked.

Promises:
    The process that answered a revocation refuses the revoked tokens from then on. Every other process does so when it
    receives the event, within moments.
    A process that starts loads all revocations before it answers requests. A process that lost events loads them again.

There is at most one revocation for each user, so each process keeps them all in memory.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from groups.events import TokensRevoked
from groups.kernel.actor import Actor
from groups.kernel.background import cancel
from groups.kernel.clock import Clock
from groups.kernel.errors import PermissionRefused, Unavailable
from groups.kernel.events import Event
from groups.kernel.ids import UserId
from groups.kernel.mongo import Database, Tx, is_outage
from groups.service.hooks import TokensRevokedHook
from groups.service.write_locks import user_lock
from groups.store.users import UserStore

RETRY_SECONDS: Final = 1.0

log = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True)
class Revocations:
    """The revocations in one database."""

    database: Database
    users: UserStore
    clock: Clock
    hooks: Sequence[TokensRevokedHook] = ()
    _revoked: dict[UserId, datetime] = field(init=False, default_factory=dict)
    _loading: asyncio.Task[None] | None = field(init=False, default=None)

    async def revoke(self, actor: Actor, user_id: UserId) -> datetime:
        """Revoke the tokens that the user has until now, and close their sockets. Publishes: TokensRevoked."""
        if actor.user_id != user_id and not actor.is_app_admin:
            raise PermissionRefused("Only users themselves and the application end their sessions")

        async def work(tx: Tx) -> datetime:
            at = self.clock.now()
            await self.users.revoke(user_id, at, tx)
            for hook in self.hooks:
                await hook(user_id, tx)
            tx.publish(TokensRevoked(at=at, user_id=user_id))
            return at

        at = await self.database.run(work, user_lock(user_id))
        self._note(user_id, at)
        return at

    def revoked_at(self, user_id: UserId) -> datetime | None:
        """Until when the user's tokens are revoked; None: none is."""
        return self._revoked.get(user_id)

    async def check_unchanged(self, user_id: UserId, known: datetime | None, tx: Tx) -> None:
        """Refuse the caller where tokens were revoked that `revoked_at` did not say when their token was checked.

        For what a revocation deletes: `tx` conflicts with the hook that does so, so nothing is stored behind it by a
        request that was under way, or in a process that does not know yet. Raises: Unavailable; a repetition of the
        request is checked by what is known then.
        """
        revoked_at = await self.users.find_revoked(user_id, tx)
        if revoked_at is not None and (known is None or revoked_at > known):
            self._note(user_id, revoked_at)
            raise Unavailable("The user's tokens were revoked a moment ago; try again")

    async def load(self) -> None:
        """Load all revocations, before the first token is checked."""
        for user_id, at in (await self.users.list_revoked()).items():
            self._note(user_id, at)

    def on_events(self, events: Sequence[Event]) -> None:
        """Note revocations of other processes (a listener of the bus)."""
        for event in events:
            if isinstance(event, TokensRevoked):
                self._note(event.user_id, event.at)

    def reload(self) -> None:
        """Load all revocations again in the background after lost events (a resync listener of the bus)."""
        if self._loading is None or self._loading.done():
            self._loading = asyncio.create_task(self._reload(), name="revocations")

    async def _reload(self) -> None:
        while True:
            try:
                await self.load()
            # Until it succeeds: an unknown revocation leaves revoked tokens valid.
            except Exception as error:
                if not is_outage(error):
                    log.exception("cannot read the revocations")
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return

    async def close(self) -> None:
        if self._loading is not None:
            await cancel(self._loading)

    def _note(self, user_id: UserId, at: datetime) -> None:
        known = self._revoked.get(user_id)
        if known is None or known < at:
            self._revoked[user_id] = at
