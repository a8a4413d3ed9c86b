"""A small house for these tests: groups and reactions on one database, and what one looks at afterwards."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from mongomock_motor import AsyncMongoMockClient

from groups.kernel.actor import Actor
from groups.kernel.events import Event
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Database, ensure_indexes
from groups.kernel.text.emoji import Emoji
from groups.limits import GroupLimits
from groups.models import (
    Content,
    GroupType,
    JoinOption,
    Kind,
    Posting,
    Visibility,
    message_key,
    stream_of,
)
from groups.service.hooks import Hooks, StreamEndedHook
from groups.service.lifecycle.create import NewGroup
from groups.service.lifecycle.update import GroupChanges
from groups.wiring import GROUP_INDEXES, build_core
from groups.wiring import assemble as assemble_chat
from reactions.store import ReactionStore
from reactions.wiring import REACTION_INDEXES, assemble_polls, build_engine
from reactions.wiring import assemble as assemble_reactions
from tests.builders import ROOT
from tests.mongod import DRIVER

THUMB: Final = Emoji("👍")
HEART: Final = Emoji("❤️")
FIRE: Final = Emoji("🔥")
TEA: Final = Emoji("🍵")  # not among the basic ones


def actor(name: str) -> Actor:
    return Actor(UserId(name))


OWNER: Final = actor("owner")
ADA: Final = actor("ada")
BOB: Final = actor("bob")
STRANGER: Final = actor("stranger")
APP: Final = Actor(UserId("console"), is_app_admin=True)


class MovedClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.instant = datetime(2026, 5, 1, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.instant

    def move(self, seconds: float) -> None:
        self.instant += timedelta(seconds=seconds)


class Scene:
    """The services of one server process."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = MovedClock()
        self.batches: list[int] = []
        self.events: list[Event] = []
        database.on_local_events(self.events.extend)
        core = build_core(
            database, GroupLimits(posts_per_second=0), self.clock, on_batch=self._on_batch
        )
        engine = build_engine(core)
        self.stream_ended: list[StreamEndedHook] = []
        hooks = Hooks(
            tallies=engine,
            reactions_closed=[engine.on_reactions_closed],
            stream_ended=self.stream_ended,
            delete_of_stream=[engine.delete_some],
        )
        chat = assemble_chat(core, hooks)
        self.creation, self.updates, self.disbanding = (
            chat.creation,
            chat.updates,
            chat.disbanding,
        )
        self.cleanup, self.groups = chat.cleanup, chat.groups
        self.messages, self.edits, self.pins = chat.messages, chat.edits, chat.pins
        self.membership, self.users = chat.membership, chat.users
        self.store = ReactionStore(database)
        self.reactions = assemble_reactions(chat, engine)
        self.polls = assemble_polls(chat, engine)

    def _on_batch(self, name: str, size: int, waiting: int) -> None:
        if name == "reactions":
            self.batches.append(size)

    @classmethod
    def in_memory(cls) -> "Scene":
        client: Any = AsyncMongoMockClient(tz_aware=True)
        return cls(Database(client["x"], transactional=False))

    @classmethod
    async def connect(cls, uri: str, name: str) -> "Scene":
        database = await Database.connect(uri, name, driver=DRIVER)
        await ensure_indexes(database, [*GROUP_INDEXES, *REACTION_INDEXES])
        return cls(database)

    async def a_group(
        self,
        members: Iterable[Actor] = (ADA, BOB),
        *,
        name: str = "@TGS#_tea",
        visibility: Visibility = Visibility.PROFILE,
        **settings: Any,
    ) -> GroupId:
        """A Community group of the owner and these members, with one message."""
        new = NewGroup(
            group_id=GroupId(name),
            type=GroupType.COMMUNITY,
            name="Tea",
            join_option=JoinOption.FREE,
            visibility=visibility,
            history_visible=settings.pop("history_visible", True),
            **settings,
        )
        await self.creation.create(OWNER, new)
        await self.join(GroupId(name), members)
        await self.post(GroupId(name))
        return GroupId(name)

    async def a_channel(self, subscribers: Iterable[Actor] = (ADA, BOB)) -> GroupId:
        """The same, marked as a channel: one emoji a user."""
        group_id = await self.a_group(subscribers, visibility=Visibility.PUBLIC)
        changes = GroupChanges(posting=Posting.OWNER_AND_ADMINS, reactions_per_user=1)
        await self.database.run(
            lambda tx: self.updates.mark_in(OWNER, group_id, changes, tx, share_history=True)
        )
        return group_id

    async def join(self, group_id: GroupId, members: Iterable[Actor]) -> None:
        await asyncio.gather(*(self.membership.add(ROOT, group_id, one.user_id) for one in members))

    async def post(self, group_id: GroupId) -> int:
        posted = await self.messages.post(OWNER, group_id, Content(kind=Kind.TEXT, text="hello"))
        return posted.message.seq

    async def set(self, group_id: GroupId, **settings: Any) -> None:
        await self.updates.update(OWNER, group_id, GroupChanges(**settings))

    async def stored(self, group_id: GroupId, seq: int = 1) -> dict[str, int]:
        """The stored counts of a message, after proving them equal to the reactions that are stored (P4)."""
        message_id = message_key(stream_of(group_id), seq)
        tally = await self.database.collection("tallies").find_one({"_id": message_id})
        found = self.database.collection("reactions").find({"message_id": message_id})
        held = Counter(row["emoji"] for row in await found.to_list(None))
        if tally is None:
            assert not held
            return {}
        assert tally["counts"] == held
        assert tally["total"] == held.total()
        counts: dict[str, int] = tally["counts"]
        return counts
