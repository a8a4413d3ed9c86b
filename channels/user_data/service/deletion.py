"""The deletion of a user: how it is asked for, how far it is, and which tokens it refuses.

Promises:
    From the answer on, this process refuses every token of the user that was issued before the deletion was done; other
    processes do so within moments. So nothing of the user is written behind the steps that delete it.
    That holds after the deletion too, by the keyed hash of its record, as long as the record is kept. Somebody who gets
    a token later is a new user, though their id may be the same.
    Where nobody was deleted, a request costs one look at an empty dictionary.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from channels.user_data import policy
from channels.user_data.errors import ConfirmationMismatch, DeletionNotFound, OwnsChannels
from channels.user_data.events import UserDeleted, UserDeletionBegan
from channels.user_data.limits import OWNED_SHOWN
from channels.user_data.models import (
    ALIAS_PREFIX,
    Deletion,
    DeletionState,
    Messages,
    digest_of,
)
from channels.user_data.policy import UserDataOptions
from channels.user_data.store.deletions import DeletionStore
from groups.kernel.actor import Actor
from groups.kernel.background import cancel
from groups.kernel.clock import Clock
from groups.kernel.errors import PermissionRefused
from groups.kernel.events import Event
from groups.kernel.ids import UserId, mint_id
from groups.kernel.mongo import Database, Tx, is_outage
from groups.models import Group, Role
from groups.service.access.membership_reader import MembershipReader
from groups.service.revocations import Revocations
from groups.service.write_locks import user_lock

RETRY_SECONDS: Final = 1.0
_PAGE: Final = 500  # memberships read at a time
_ALL: Final = datetime.max.replace(tzinfo=UTC)
"""Until when tokens are refused while a deletion runs."""

log = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True)
class UserDeletions:
    """The deletions in one database."""

    database: Database
    deletions: DeletionStore
    memberships: MembershipReader
    revocations: Revocations
    options: UserDataOptions
    clock: Clock
    on_begun: list[Callable[[], None]] = field(default_factory=list)
    _key: bytes | None = field(init=False, default=None)
    _until: dict[str, datetime] = field(init=False, default_factory=dict)
    """Until when the tokens of deleted users are refused, by digest."""
    _loading: asyncio.Task[None] | None = field(init=False, default=None)

    async def begin(
        self, actor: Actor, user_id: UserId, *, confirm: str, messages: Messages
    ) -> Deletion:
        """Begin the deletion, or return the one that runs. Publishes: TokensRevoked; UserDeletionBegan.

        A crash between the two leaves revoked tokens; the call is repeated with a new one.
        Raises: PermissionRefused; ConfirmationMismatch; OwnsChannels.
        """
        refusal = policy.deleting_refusal(actor, user_id, self.options)
        if refusal is not None:
            raise refusal
        if confirm != user_id:
            raise ConfirmationMismatch
        if owned := await self.list_owned(user_id):
            raise OwnsChannels(
                "The user owns channels or groups: hand them over or delete them first",
                channel_ids=[group.group_id for group in owned if group.is_channel],
                group_ids=[group.group_id for group in owned if not group.is_channel],
            )
        self._key = await self.deletions.make_key()
        digest = digest_of(self._key, user_id)
        running = await self.deletions.find(digest)
        if running is not None and running.state is not DeletionState.DONE:
            return running
        await self.revocations.revoke(Actor(actor.user_id, is_app_admin=True), user_id)

        async def work(tx: Tx) -> Deletion:
            known = await self.deletions.find(digest, tx)
            if known is not None and known.state is not DeletionState.DONE:
                return known
            now = self.clock.now()
            deletion = Deletion(
                digest=digest,
                user_id=user_id,
                alias=ALIAS_PREFIX + mint_id(),
                messages=messages,
                started_at=now,
                started_by_app=actor.is_app_admin,
            )
            await self.deletions.begin(deletion, tx)
            tx.publish(UserDeletionBegan(at=now, user_id=user_id))
            return deletion

        deletion = await self.database.run(work, user_lock(user_id))
        self._until[digest] = _ALL
        for wake in self.on_begun:
            wake()
        return deletion

    async def get(self, actor: Actor, user_id: UserId) -> Deletion:
        """The last deletion of a user with this id. Raises: PermissionRefused; DeletionNotFound."""
        if not actor.is_app_admin:
            raise PermissionRefused("Only the application reads deletions")
        key = await self.deletions.find_key()
        found = await self.deletions.find(digest_of(key, user_id)) if key is not None else None
        if found is None:
            raise DeletionNotFound
        return found

    async def list_owned(self, user_id: UserId) -> list[Group]:
        """The groups and channels that the user owns, by id, at most `OWNED_SHOWN`.

        Without those that were deleted, whose memberships end a moment later.
        """
        owned: list[Group] = []
        after = ""
        while len(owned) < OWNED_SHOWN:
            page = await self.memberships.list_of_user(user_id, after=after, limit=_PAGE)
            ids = [member.group_id for member in page if member.role is Role.OWNER]
            found = await self.memberships.find_groups(ids) if ids else {}
            owned += [found[group_id] for group_id in ids if group_id in found]
            if len(page) < _PAGE:
                break
            after = page[-1].group_id
        return owned[:OWNED_SHOWN]

    # Tokens.

    def revoked_at(self, user_id: UserId) -> datetime | None:
        """Until when tokens are refused since the user was deleted, or is being deleted; None: they were not."""
        if not self._until or self._key is None:
            return None
        return self._until.get(digest_of(self._key, user_id))

    async def load(self) -> None:
        """Load all deletions, before the first token is checked."""
        self._key = await self.deletions.find_key()
        for deletion in await self.deletions.list_all():
            self._until[deletion.digest] = deletion.finished_at or _ALL

    def on_events(self, events: Sequence[Event]) -> None:
        """Follow deletions of other processes (a listener of the bus)."""
        for event in events:
            if isinstance(event, UserDeletionBegan | UserDeleted):
                if self._key is None:
                    self.reload()
                    continue
                is_over = isinstance(event, UserDeleted)
                self._until[digest_of(self._key, event.user_id)] = event.at if is_over else _ALL
                if not is_over:
                    for wake in self.on_begun:
                        wake()

    def reload(self) -> None:
        """Load all deletions again in the background after lost events (a resync listener of the bus)."""
        if self._loading is None or self._loading.done():
            self._loading = asyncio.create_task(self._reload(), name="user-deletions")

    async def _reload(self) -> None:
        while True:
            try:
                await self.load()
            # Until it succeeds: an unknown deletion leaves tokens valid.
            except Exception as error:
                if not is_outage(error):
                    log.exception("cannot read the deletions of users")
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return

    async def close(self) -> None:
        if self._loading is not None:
            await cancel(self._loading)
