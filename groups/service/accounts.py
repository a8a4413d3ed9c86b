"""Kinds of accounts: every process knows, without a query, which users are business accounts.

Promises:
    One id is one kind. A user is a person, until a token with the scope `business` first acts for them: then they are a
    business account, for good. Tokens of the other kind are refused; only the application changes the kind.
    The process that stored a change of kind follows it from then on. Every other process does so when it receives the
    event, within moments; requests that are under way finish.
    A process that starts loads all business accounts before it answers requests. A process that lost events loads them
    again.

There are about as many business accounts as channels, so each process keeps them all in memory, as it keeps the
revocations. A request of a person costs one look into a dictionary.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from groups.errors import WrongAccountKind
from groups.events import AccountKindChanged
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.events import Event
from groups.kernel.ids import UserId
from groups.kernel.mongo import Database, Tx, is_outage
from groups.models import AccountKind, Role
from groups.service.write_locks import user_lock
from groups.store.groups import GroupStore
from groups.store.members import MemberStore
from groups.store.users import UserStore

RETRY_SECONDS: Final = 1.0

_EARLIEST: Final = datetime.fromtimestamp(0, UTC)

log = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True)
class Accounts:
    """The kinds of the accounts in one database."""

    database: Database
    users: UserStore
    members: MemberStore
    groups: GroupStore
    clock: Clock
    _kinds: dict[UserId, tuple[datetime, AccountKind]] = field(init=False, default_factory=dict)
    """The users whose kind changed once, and when it last did."""
    _loading: asyncio.Task[None] | None = field(init=False, default=None)

    def is_business(self, user_id: UserId) -> bool:
        """Whether the user is a business account, as this process knows."""
        known = self._kinds.get(user_id)
        return known is not None and known[1] is AccountKind.BUSINESS

    def check(self, actor: Actor) -> None:
        """Check that the actor's token is not of the other kind than the account. Raises: WrongAccountKind."""
        known = self._kinds.get(actor.user_id)
        if known is not None and (known[1] is AccountKind.BUSINESS) is not actor.is_business:
            raise _wrong(actor)

    async def register(self, actor: Actor) -> None:
        """Make the user of a business token a business account, unless they are one.

        Repeating it changes nothing. Two tokens of one id at once: the transactions conflict, and one finds the other's
        result. Publishes: AccountKindChanged. Raises: WrongAccountKind for a user who is a person: the application said
        so, or they are in a group or a channel that they do not run.
        """
        if not actor.is_business or self.is_business(actor.user_id):
            return
        user_id = actor.user_id

        async def work(tx: Tx) -> datetime:
            kind = (await self.users.find_account_kinds([user_id], tx)).get(user_id)
            if kind is AccountKind.BUSINESS:
                return _EARLIEST  # another process stored it; its event or a later one may come yet
            if kind is AccountKind.PERSON or await self._is_member_as_person(user_id, tx):
                raise _wrong(actor)
            at = self.clock.now()
            await self.users.set_account_kinds({user_id: AccountKind.BUSINESS}, at, tx)
            tx.publish(
                AccountKindChanged(at=at, user_id=user_id, account_kind=AccountKind.BUSINESS)
            )
            return at

        self._note(user_id, await self.database.run(work, user_lock(user_id)), AccountKind.BUSINESS)

    async def _is_member_as_person(self, user_id: UserId, tx: Tx) -> bool:
        """Whether the user subscribes to a channel, or is in another group."""
        roles = await self.members.list_roles(user_id, tx)
        if Role.MEMBER in roles.values():
            return True
        groups = await self.groups.find_many(roles) if roles else {}
        return not all(group.is_channel for group in groups.values())

    async def set_kinds(self, kinds: Mapping[UserId, AccountKind], tx: Tx) -> datetime:
        """Set the kinds of these users in the caller's transaction (the application), which then calls `noted`.

        Memberships and conversations stay. Publishes: AccountKindChanged for each user whose kind changes.
        """
        at = self.clock.now()
        before = await self.users.find_account_kinds(kinds, tx)
        # A user of whom nothing was said is a person; saying so changes nothing that other processes must know.
        changed = {
            user_id: kind
            for user_id, kind in kinds.items()
            if kind is not (before.get(user_id) or AccountKind.PERSON)
        }
        said = {user_id: kind for user_id, kind in kinds.items() if before.get(user_id) is None}
        await self.users.set_account_kinds(changed, at, tx)
        await self.users.set_account_kinds(
            {user_id: kind for user_id, kind in said.items() if user_id not in changed}, None, tx
        )
        for user_id, kind in changed.items():
            tx.publish(AccountKindChanged(at=at, user_id=user_id, account_kind=kind))
        return at

    def noted(self, kinds: Mapping[UserId, AccountKind], at: datetime) -> None:
        """Follow kinds that `set_kinds` stored at this instant, once they are committed."""
        for user_id, kind in kinds.items():
            if kind is AccountKind.BUSINESS or user_id in self._kinds:
                self._note(user_id, at, kind)

    async def load(self) -> None:
        """Load all kinds, before the first token is checked."""
        for user_id, (at, kind) in (await self.users.list_account_kinds()).items():
            self._note(user_id, at, kind)

    def on_events(self, events: Sequence[Event]) -> None:
        """Note changes of other processes (a listener of the bus)."""
        for event in events:
            if isinstance(event, AccountKindChanged):
                self._note(event.user_id, event.at, event.account_kind)

    def reload(self) -> None:
        """Load all kinds again in the background after lost events (a resync listener of the bus)."""
        if self._loading is None or self._loading.done():
            self._loading = asyncio.create_task(self._reload(), name="account-kinds")

    async def _reload(self) -> None:
        while True:
            try:
                await self.load()
            # Until it succeeds: a business account that is unknown could be written to as a person.
            except Exception as error:
                if not is_outage(error):
                    log.exception("cannot read the kinds of accounts")
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return

    async def close(self) -> None:
        if self._loading is not None:
            self._loading.cancel()
            await asyncio.gather(self._loading, return_exceptions=True)

    def _note(self, user_id: UserId, at: datetime, kind: AccountKind) -> None:
        known = self._kinds.get(user_id)
        if known is None or known[0] <= at:
            self._kinds[user_id] = at, kind


def _wrong(actor: Actor) -> WrongAccountKind:
    if actor.is_business:
        return WrongAccountKind(
            "This user is a person, and the token is one of a business account (scope `business`)"
        )
    return WrongAccountKind(
        "This user is a business account, and the token lacks the scope `business`"
    )
