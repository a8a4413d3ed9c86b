"""No document grows with a channel: a larger channel has more documents, not larger ones."""

import asyncio
from typing import Final

from conversations.models import ConversationId
from groups.events import MembersJoined, MessagePosted
from groups.kernel.actor import Actor
from groups.kernel.batching.group_commit import MAX_BATCH
from groups.kernel.events import read_event
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import aggregate
from groups.kernel.text.emoji import Emoji
from groups.models import Content, Kind
from tests.api import Api, User, a_channel, conversation_of, id_of
from tests.conftest import OpenApi

FEW: Final = 100
MANY: Final = 999
"""Nearly ten times as many, with the same number of digits, since a post's seq is part of its key."""


async def test_documents_of_a_channel_grow_in_number_and_not_in_size(api: OpenApi) -> None:
    server = await api()
    owner = server.new_user("owner")
    path = await a_channel(owner)
    await live_on(server, owner, path, range(1, FEW + 1))
    few = await largest_of_each(server)
    await live_on(server, owner, path, range(FEW + 1, MANY + 1))
    many = await largest_of_each(server)
    assert few == many
    assert few.keys() > {"groups", "members", "streams", "messages", "conversations", "tallies"}


async def live_on(server: Api, owner: User, path: str, numbers: range) -> None:
    """Add subscribers and posts. Each subscriber reacts to the first post, and reads up to the last."""
    services, group_id = server.services, GroupId(id_of(path))
    users = [Actor(UserId(f"reader{number:04}")) for number in numbers]
    await asyncio.gather(*(services.chat.membership.join(user, group_id) for user in users))
    await post(server, owner, group_id, len(numbers))
    await asyncio.gather(
        *(services.reactions.react(user, group_id, 1, Emoji("👍")) for user in users)
    )
    cursors = services.conversations.read_cursors
    key = ConversationId(conversation_of(path))
    await asyncio.gather(*(cursors.mark_read(user, key) for user in users))


async def post(server: Api, owner: User, group_id: GroupId, times: int) -> None:
    author, content = Actor(UserId(owner.id)), Content(kind=Kind.TEXT, text="Hello")
    messages = server.services.chat.messages
    await asyncio.gather(*(messages.post(author, group_id, content) for _ in range(times)))


async def largest_of_each(server: Api) -> dict[str, int]:
    """The bytes of the largest document of each collection except the outbox, whose bound is tested below."""
    await server.services.analytics.counting.catch_up()
    await server.services.log.sequencer.run()
    database = server.services.database.collection("any").database
    sizes: dict[str, int] = {}
    for name in await database.list_collection_names():
        largest = {"$group": {"_id": None, "bytes": {"$max": {"$bsonSize": "$$ROOT"}}}}
        for row in await aggregate(database[name], [largest]):
            sizes[name] = row["bytes"]
    sizes.pop("events")
    # It gets one field for each hour of the day in which something happens.
    assert sizes.pop("insights") < 1_000
    return sizes


async def test_one_outbox_document_has_the_events_of_one_batch_at_most(api: OpenApi) -> None:
    server = await api()
    owner = server.new_user("owner")
    group_id = GroupId(id_of(await a_channel(owner)))
    users = [Actor(UserId(f"reader{number:04}")) for number in range(3 * MAX_BATCH)]
    memberships = server.services.chat.membership
    await asyncio.gather(*(memberships.join(user, group_id) for user in users))
    await post(server, owner, group_id, 3 * MAX_BATCH)
    outbox = server.services.database.collection("events")
    joined: list[int] = []
    posted: list[int] = []
    for row in await outbox.find({}).to_list(None):
        events = [read_event(document) for document in row["events"]]
        joined.append(sum(len(e.user_ids) for e in events if isinstance(e, MembersJoined)))
        posted.append(sum(isinstance(e, MessagePosted) for e in events))
    # One of them is the owner.
    assert sum(joined) == len(users) + 1
    assert sum(posted) == 3 * MAX_BATCH
    assert max(joined) == max(posted) == MAX_BATCH
