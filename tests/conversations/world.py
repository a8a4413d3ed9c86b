"""Users, groups and channels on one database for the tests of conversations, with a record of the events."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import mongomock_motor

from conversations.errors import ConversationNotFound
from conversations.limits import ConversationLimits
from conversations.models import (
    ConversationId,
    DialogueMessage,
    ListedConversation,
    conversation_of,
)
from conversations.service.conversation_list import ListFilter
from conversations.service.inbox_rules import InboxDecision, Writer
from conversations.wiring import (
    CONVERSATION_INDEXES,
    ConversationCore,
    Conversations,
    assemble,
    build_core,
)
from groups.kernel.actor import Actor
from groups.kernel.events import Event, read_event
from groups.kernel.ids import GroupId, UserId, join_key
from groups.kernel.mongo import Database, Tx, ensure_indexes
from groups.kernel.mongo.driver import create_client
from groups.limits import GroupLimits
from groups.models import Content, GroupType, JoinOption, Kind, stream_of
from groups.service.hooks import Hooks
from groups.service.lifecycle.create import NewGroup
from groups.service.lifecycle.update import GroupChanges
from groups.wiring import GROUP_INDEXES
from groups.wiring import assemble as assemble_groups
from groups.wiring import build_core as build_group_core
from tests.mongod import DRIVER

ADA = Actor(UserId("ada"))
BOB = Actor(UserId("bob"))
CAT = Actor(UserId("cat"))
START = datetime(2026, 1, 1, tzinfo=UTC)


class NothingAboutChannels:
    """What is found about channels where there are none."""

    queries = ()

    def decide(
        self, channel_id: GroupId, user_ids: Collection[UserId], writers: Collection[Writer]
    ) -> InboxDecision:
        return InboxDecision({writer: ConversationNotFound() for writer in writers}, ())

    def staff(self, channel_id: GroupId) -> tuple[UserId, ...]:
        return ()


class NoInboxRules:
    """The rules where there are no channels. A channel is not found."""

    def query(self, users: Mapping[GroupId, Collection[UserId]]) -> NothingAboutChannels:
        return NothingAboutChannels()

    async def decide(
        self,
        channel_id: GroupId,
        user_ids: Collection[UserId],
        writers: Collection[Writer],
        tx: Tx,
    ) -> InboxDecision:
        return NothingAboutChannels().decide(channel_id, user_ids, writers)

    async def channel_meant_by(self, actor: Actor, short_id: str, tx: Tx | None) -> GroupId | None:
        return None

    async def staff(self, channel_id: GroupId, tx: Tx) -> tuple[UserId, ...]:
        return ()

    async def tell_change(
        self, actor: Actor, channel_id: GroupId, said: DialogueMessage, tx: Tx
    ) -> None:
        """Record nothing."""

    async def check_may_see(self, actor: Actor, channel_id: GroupId) -> None:
        raise ConversationNotFound

    async def may_forward(self, channel_id: GroupId, tx: Tx) -> bool:
        return False


class FakeClock:
    """Moves a second at every look, so that no two instants are the same."""

    def __init__(self) -> None:
        self.instant = START

    def now(self) -> datetime:
        self.instant += timedelta(seconds=1)
        return self.instant


class World:
    """Group chat and conversations, wired as the composition root wires them."""

    def __init__(
        self,
        database: Database,
        limits: ConversationLimits | None = None,
        *,
        moves_cursors: bool = True,
    ) -> None:
        """`moves_cursors` False: posts do not call the hook that moves their authors' cursors."""
        self.database = database
        self.clock = FakeClock()
        self.heard: list[Event] = []
        database.on_local_events(self.heard.extend)
        self.group_limits = GroupLimits(posts_per_second=0)
        self.core = build_group_core(database, self.group_limits, self.clock)
        self.limits = limits or ConversationLimits()
        own = self._own_core(self.limits)
        posted = [own.hooks.messages_posted] if moves_cursors else []
        self.chat = assemble_groups(
            self.core, Hooks(members_left=[own.hooks.members_left], messages_posted=posted)
        )
        self.mine = self.conversations(self.limits)

    def conversations(self, limits: ConversationLimits) -> Conversations:
        """Conversations as one more server process would have them."""
        return assemble(
            self.database,
            self._own_core(limits),
            self.chat,
            limits,
            self.group_limits,
            self.clock,
        )

    def _own_core(self, limits: ConversationLimits) -> ConversationCore:
        return build_core(self.core, limits, NoInboxRules())

    async def group(self, name: str, *members: Actor, is_channel: bool = False) -> ConversationId:
        """A group of Ada's with these members; her conversation with it."""
        new = NewGroup(type=GroupType.COMMUNITY, name=name, group_id=GroupId(f"@TGS#_{name}"))
        group_id = (await self.chat.creation.create(ADA, new)).group.group_id
        if is_channel:
            await self.database.run(
                lambda tx: self.chat.updates.mark_in(ADA, group_id, GroupChanges(), tx)
            )
        for member in members:
            await self.chat.membership.join(member, group_id)
        return conversation_of(group_id)

    async def work_group(self, name: str) -> GroupId:
        """A group whose history is hidden from those who come later."""
        new = NewGroup(type=GroupType.PUBLIC, name=name, join_option=JoinOption.FREE)
        return (await self.chat.creation.create(ADA, new)).group.group_id

    async def post(
        self, conversation_id: ConversationId, actor: Actor = ADA, times: int = 1
    ) -> None:
        group_id = GroupId(conversation_id.removeprefix("group_"))
        for number in range(times):
            content = Content(kind=Kind.TEXT, text=f"hello {number}")
            await self.chat.messages.post(actor, group_id, content)

    async def join(self, conversation_id: ConversationId, actor: Actor) -> None:
        await self.chat.membership.join(actor, GroupId(conversation_id.removeprefix("group_")))

    async def leave(self, conversation_id: ConversationId, actor: Actor) -> None:
        await self.chat.membership.leave(actor, GroupId(conversation_id.removeprefix("group_")))

    async def shown(self, actor: Actor = BOB, **wanted: Any) -> list[ListedConversation]:
        """All that the actor's list shows."""
        found: list[ListedConversation] = []
        cursor: str | None = None
        while True:
            page, cursor = await self.mine.conversation_list.list_conversations(
                actor, ListFilter(**wanted), limit=3, cursor=cursor
            )
            found += page
            if cursor is None:
                return found

    async def titles(self, actor: Actor = BOB, **wanted: Any) -> list[str]:
        return [shown.title for shown in await self.shown(actor, **wanted)]

    async def events(self, kind: type[Event] | None = None) -> list[Event]:
        """What was published since the last look, of one kind or of all kinds of this package."""
        found = list(self.heard)
        self.heard.clear()
        if self.database.transactional:
            outbox = self.database.collection("events")
            rows = await outbox.find({}).sort([("_id", 1)]).to_list(None)
            await outbox.delete_many({"_id": {"$in": [row["_id"] for row in rows]}})
            found = [e for row in rows for d in row["events"] if (e := read_event(d)) is not None]
        return [
            event
            for event in found
            if (isinstance(event, kind) if kind else event.type.startswith("conversation"))
        ]

    async def settings_rows(self) -> list[dict[str, Any]]:
        return await self.database.collection("conversations").find({}).to_list(None)

    async def seat_in_many(
        self, user_id: UserId, numbers: Iterable[int], *, head_seq: int = 5, joined_seq: int = 0
    ) -> list[ConversationId]:
        """Memberships in many groups at once, as they would be stored; every other one is a channel."""
        ids = [GroupId(f"g{number:05}") for number in numbers]
        at = self.clock.now()
        await self.database.collection("groups").insert_many([_group(i, user_id, at) for i in ids])
        await self.database.collection("streams").insert_many(
            [
                {
                    "_id": stream_of(group_id),
                    "head_seq": head_seq,
                    "is_channel": number % 2 == 0,
                    "last": {
                        "seq": head_seq,
                        "sender_id": "someone",
                        "preview": "hello",
                        "at": at + timedelta(seconds=number),
                    },
                }
                for number, group_id in enumerate(ids)
            ]
        )
        await self.database.collection("members").insert_many(
            [
                {
                    "_id": join_key(group_id, user_id),
                    "group_id": group_id,
                    "user_id": user_id,
                    "role": "member",
                    "joined_at": at,
                    "joined_seq": joined_seq,
                }
                for group_id in ids
            ]
        )
        return [conversation_of(group_id) for group_id in ids]


def _group(group_id: GroupId, user_id: UserId, at: datetime) -> dict[str, Any]:
    return {
        "_id": group_id,
        "type": "community",
        "name": group_id,
        "owner_id": "someone",
        "posting": "everyone",
        "join_option": "free",
        "visibility": "profile",
        "history_visible": True,
        "reactions_per_user": 10,
        "distinct_reactions": 50,
        "member_count": 2,
        "created_at": at,
        "created_by": "someone",
    }


def mock_database() -> Database:
    """A database in memory, without transactions."""
    client: Any = mongomock_motor.AsyncMongoMockClient(tz_aware=True)
    return Database(client["x"], transactional=False)


async def real_database(uri: str, name: str, *listeners: Any) -> Database:
    """A database of a real replica set, ready to use."""
    client = create_client(
        DRIVER,
        uri,
        tz_aware=True,
        w="majority",
        journal=True,
        readConcernLevel="majority",
        event_listeners=list(listeners),
    )
    database = Database(client[name], transactional=True)
    await ensure_indexes(database, [*GROUP_INDEXES, *CONVERSATION_INDEXES])
    return database


def ids_of(shown: Sequence[ListedConversation]) -> list[ConversationId]:
    return [item.conversation.conversation_id for item in shown]
