"""Builders of group chat for tests: valid by default; a test passes only the values that it is about.

`World` is group chat as one server process has it, with its events recorded. Two worlds on two connections to the same
database stand for two server processes.
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

import mongomock_motor

from groups.kernel.actor import Actor
from groups.kernel.batching.group_commit import OnBatch
from groups.kernel.database_options import KEYS_PER_TRANSACTION
from groups.kernel.event_bus import EventBus
from groups.kernel.events import Event, read_event
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import BatchedQuery, Database, Document, Index, Tx, ensure_indexes
from groups.kernel.mongo.driver import create_client
from groups.limits import GroupLimits
from groups.models import Content, GroupType, Kind, Member, Role
from groups.service.hooks import Hooks
from groups.service.lifecycle.create import NewGroup
from groups.service.lifecycle.update import GroupChanges
from groups.store.groups import GroupStore
from groups.store.members import MemberStore
from groups.wiring import GROUP_INDEXES, GroupChat, assemble, build_core
from tests.databases import an_empty_database
from tests.mongod import DRIVER

E = TypeVar("E", bound=Event)

START: Final = datetime(2026, 1, 1, tzinfo=UTC)
DEADLINE_SECONDS: Final = 30.0
SEED_BATCH: Final = 10_000


def a_user(name: str) -> Actor:
    return Actor(UserId(name))


ADA, BOB, CAT, DAN, EVE = (a_user(name) for name in ("ada", "bob", "cat", "dan", "eve"))
ROOT: Final = Actor(UserId("root"), is_app_admin=True)


class HandClock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.instant = START

    def now(self) -> datetime:
        return self.instant

    def move(self, **by: float) -> None:
        self.instant += timedelta(**by)


def text(words: str = "hello") -> Content:
    return Content(kind=Kind.TEXT, text=words)


class World:
    """Group chat on one connection; the caller owns the database."""

    def __init__(
        self,
        database: Database,
        *,
        clock: HandClock | None = None,
        on_batch: OnBatch | None = None,
        hooks: Hooks | None = None,
        **limits: int,
    ) -> None:
        self.database = database
        self.clock = clock or HandClock()
        self.limits = GroupLimits(**limits)
        core = build_core(database, self.limits, self.clock, on_batch=on_batch)
        self.chat: GroupChat = assemble(core, hooks or Hooks())
        self.groups, self.membership = self.chat.groups, self.chat.membership
        self.creation, self.updates = self.chat.creation, self.chat.updates
        self.disbanding = self.chat.disbanding
        self.messages, self.edits = self.chat.messages, self.chat.edits
        self.heard: list[Event] = []
        self.bus = EventBus(database)
        self.bus.listen(self.heard.extend)

    async def group(
        self,
        *members: Actor,
        type: GroupType = GroupType.COMMUNITY,
        owner: Actor = ADA,
        admins: Sequence[Actor] = (),
        **other: Any,
    ) -> GroupId:
        """Create a group with these members, whom the application adds, and admins. Its events are not recorded."""
        new = NewGroup(type=type, name=other.pop("name", "Tea"), **other)
        group_id = (await self.creation.create(owner, new)).group.group_id
        for user in (*admins, *members):
            await self.membership.add(ROOT, group_id, user.user_id)
        for admin in admins:
            await self.membership.change(owner, group_id, admin.user_id, role=Role.ADMIN)
        self.heard.clear()
        return group_id

    async def channel(self, *members: Actor, admins: Sequence[Actor] = ()) -> GroupId:
        """Create a Community group with the channel marker."""
        group_id = await self.group(*members, admins=admins)
        await self.database.run(
            lambda tx: self.updates.mark_in(ADA, group_id, GroupChanges(), tx),
        )
        self.heard.clear()
        return group_id

    async def post(self, actor: Actor, group_id: GroupId, words: str = "hello") -> int:
        """Post a message; returns its seq."""
        return (await self.messages.post(actor, group_id, text(words))).message.seq

    async def seqs(self, actor: Actor, group_id: GroupId) -> list[int]:
        """The seqs of the newest hundred messages the actor may read, oldest first."""
        history = await self.messages.list_messages(actor, group_id, limit=100)
        return [message.seq for message in reversed(history.messages)]

    async def members(self, group_id: GroupId) -> dict[str, Role]:
        """The role of each stored member."""
        rows = await self.rows("members", group_id=group_id)
        return {row["user_id"]: Role(row["role"]) for row in rows}

    async def member(self, group_id: GroupId, user: Actor) -> Member:
        return await self.membership.get_member(ROOT, group_id, user.user_id)

    async def member_count(self, group_id: GroupId) -> int:
        """The count in the group's own document."""
        return (await self.groups.get(ROOT, group_id))[0].group.member_count

    async def requests(self, group_id: GroupId, actor: Actor = ROOT) -> list[str]:
        found, _ = await self.membership.list_requests(actor, group_id, limit=100, cursor=None)
        return [request.user_id for request in found]

    async def bans(self, group_id: GroupId, actor: Actor = ROOT) -> list[str]:
        found, _ = await self.membership.list_bans(actor, group_id, limit=100, cursor=None)
        return [ban.user_id for ban in found]

    async def rows(self, collection: str, **query: Any) -> list[Document]:
        """The stored documents."""
        return await self.database.collection(collection).find(query).to_list(None)

    def take(self, kind: type[E]) -> list[E]:
        """The events of this kind since the last call (on mongomock, where the bus is local)."""
        found = [event for event in self.heard if isinstance(event, kind)]
        self.heard.clear()
        return found

    async def outbox(self) -> list[Event]:
        """All committed events, in order (on a real database)."""
        rows = await self.database.collection("events").find({}).sort([("_id", 1)]).to_list(None)
        return [e for row in rows for d in row["events"] if (e := read_event(d)) is not None]

    async def check_sound(self, group_id: GroupId) -> None:
        """Check that the count equals the records, there is exactly one owner, and no member is banned."""
        group = (await self.groups.get(ROOT, group_id))[0].group
        members = await self.members(group_id)
        assert group.member_count == len(members)
        assert group.member_count <= group.limit_of_members(self.limits)
        assert [u for u, role in members.items() if role is Role.OWNER] == [group.owner_id]
        assert not set(await self.bans(group_id)) & set(members)


def mock_database(*, keys_per_transaction: int = KEYS_PER_TRANSACTION) -> Database:
    """A database in memory, without transactions: for logic with one caller at a time."""
    client: Any = mongomock_motor.AsyncMongoMockClient(tz_aware=True)
    return Database(client["x"], transactional=False, keys_per_transaction=keys_per_transaction)


class Leaving:
    """A hook (`groups.service.hooks.LeavingHook`) that remembers the users who left."""

    def __init__(self) -> None:
        self.left: list[UserId] = []

    def query_leaving(self, users: Mapping[GroupId, Collection[UserId]]) -> BatchedQuery[Any]:
        return MemberStore(mock_database()).query_members_by_group(users)  # any query will do

    async def members_left(
        self, users: Mapping[GroupId, Collection[UserId]], stored: Any, tx: Tx
    ) -> None:
        for user_ids in users.values():
            self.left.extend(user_ids)


def mock_world(**options: Any) -> World:
    return World(mock_database(), **options)


@asynccontextmanager
async def connections(
    uri: str, name: str, indexes: Sequence[Index] = GROUP_INDEXES
) -> AsyncIterator[Callable[[], Awaitable[Database]]]:
    """Open connections to the database of this name; the first one creates the indexes."""
    opened: list[Database] = []

    async def connect() -> Database:
        opened.append(await Database.connect(uri, name, driver=DRIVER))
        if len(opened) == 1:
            await ensure_indexes(opened[0], indexes)
        return opened[-1]

    try:
        yield connect
    finally:
        for database in opened:
            await database.close()


OpenWorld = Callable[..., Awaitable[World]]


@asynccontextmanager
async def real_worlds(uri: str) -> AsyncIterator[OpenWorld]:
    """Open worlds on one empty database, each on a connection of its own, like several server processes."""
    worlds: list[World] = []
    async with an_empty_database(uri) as name, connections(uri, name) as connect:

        async def open_world(**options: Any) -> World:
            if worlds:
                options.setdefault("clock", worlds[0].clock)
            worlds.append(World(await connect(), **options))
            return worlds[-1]

        try:
            yield open_world
        finally:
            for world in worlds:
                await world.bus.stop()
                await world.chat.close()


def probed_database(uri: str, name: str, *listeners: Any) -> Database:
    """A connection whose commands are passed to the listeners."""
    client = create_client(
        DRIVER,
        uri,
        tz_aware=True,
        w="majority",
        readConcernLevel="majority",
        event_listeners=list(listeners),
    )
    return Database(client[name], transactional=True)


async def seed_members(database: Database, group_id: GroupId, more: int) -> None:
    """Add `more` members, `u0000001` and on, as real records, and add them to the group's count."""
    store = MemberStore(database)
    for start in range(1, more + 1, SEED_BATCH):
        numbers = range(start, min(start + SEED_BATCH, more + 1))
        # Outside a transaction: no such batch would fit into one.
        tx = Tx(None)
        store.insert_many([_a_member(group_id, number) for number in numbers], tx)
        await database.flush(tx)

    async def count(tx: Tx) -> None:
        await GroupStore(database).update(group_id, {}, tx, joined=more)

    await database.run(count)


def _a_member(group_id: GroupId, number: int) -> Member:
    return Member(
        group_id=group_id,
        user_id=UserId(f"u{number:07}"),
        role=Role.MEMBER,
        joined_at=START,
        joined_seq=0,
        muted_until=None,
        name_card="",
    )


class Deadline:
    """An end of waiting for another process: `check` in a loop fails when it has passed."""

    def __init__(self, seconds: float = DEADLINE_SECONDS) -> None:
        self._end = time.monotonic() + seconds

    def check(self, what: str) -> None:
        assert time.monotonic() < self._end, f"waited too long for {what}"
