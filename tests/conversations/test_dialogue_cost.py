"""One-to-one messages take the same commands with ten dialogues as with thousands; totals take none of their own."""

import asyncio
from collections import Counter
from datetime import timedelta

from conversations.models import Dialogue
from conversations.service.conversation_list import ListFilter
from conversations.store.inbox_totals import SHARES, InboxTotalStore
from groups.kernel.actor import Actor
from groups.kernel.ids import GroupId, UserId, join_key
from groups.models import Content, Kind
from tests.conversations.world import World
from tests.probes import CommandProbe

FEW, MANY = Actor(UserId("few")), Actor(UserId("many"))
HELLO = Content(kind=Kind.TEXT, text="hello")


async def seat_in_dialogues(world: World, user_id: UserId, count: int, *, head_seq: int) -> None:
    """So many dialogues of the user, as they would be stored; the others' sides are left out."""
    at = world.clock.now()
    dialogues = [Dialogue(user_id, f"peer{number:05}") for number in range(count)]
    await world.database.collection("streams").insert_many(
        [
            {
                "_id": dialogue.stream_id,
                "head_seq": head_seq,
                "is_channel": False,
                "last": {
                    "seq": head_seq,
                    "sender_id": dialogue.peer_id,
                    "preview": "hello",
                    "at": at + timedelta(seconds=number),
                },
            }
            for number, dialogue in enumerate(dialogues)
        ]
    )
    await world.database.collection("conversations").insert_many(
        [
            {
                "_id": join_key(user_id, dialogue.conversation_id),
                "user_id": user_id,
                "conversation_id": dialogue.conversation_id,
                "read_seq": 0,
            }
            for dialogue in dialogues
        ]
    )


async def test_lists_cost_the_same_for_ten_and_five_thousand_dialogues(
    real_world: World, probe: CommandProbe
) -> None:
    costs = {}
    for actor, count in ((FEW, 10), (MANY, 5_000)):
        await seat_in_dialogues(real_world, actor.user_id, count, head_seq=3)
        probe.take()
        totals = await real_world.mine.conversation_list.unread_totals(actor)
        unread = probe.take()
        page, _ = await real_world.mine.conversation_list.list_conversations(
            actor, ListFilter(), limit=5, cursor=None
        )
        listed = probe.take()
        assert (totals.chats, totals.channels) == (3 * count, 0)
        assert [shown.title for shown in page] == [
            f"peer{number:05}" for number in range(count - 1, count - 6, -1)
        ]
        assert (await real_world.mine.read_cursors.mark_all_read(actor, "c2c")).total == 0
        costs[actor] = (unread, listed, probe.take())
    assert costs[FEW] == costs[MANY]
    # As where there are none: they are among what the user set. A page adds names and last messages.
    assert costs[MANY][0] == Counter(find=4)
    assert costs[MANY][1] == Counter(find=6)


async def test_a_message_costs_the_same_with_ten_and_thousands_of_dialogues(
    real_world: World, probe: CommandProbe
) -> None:
    costs = []
    for actor, count in ((FEW, 10), (MANY, 3_000)):
        await seat_in_dialogues(real_world, actor.user_id, count, head_seq=0)
        dialogue = Dialogue(actor.user_id, "somebody")
        probe.take()
        await real_world.mine.dialogues.post(actor, dialogue, HELLO)
        first = probe.take()
        await real_world.mine.dialogues.post(actor, dialogue, HELLO)
        costs.append((first, probe.take()))
    assert costs[0] == costs[1]
    # The stream with the blocks; head and cursor; message and event.
    assert costs[0][1] == Counter(aggregate=1, update=2, insert=2, commitTransaction=1)


async def test_a_hundred_messages_at_once_share_their_transaction(
    real_world: World, probe: CommandProbe
) -> None:
    dialogue = Dialogue(FEW.user_id, MANY.user_id)
    await real_world.mine.dialogues.post(FEW, dialogue, HELLO)
    probe.take()
    said = await asyncio.gather(
        *(
            real_world.mine.dialogues.post(side, talk, HELLO)
            for side, talk in ((FEW, dialogue), (MANY, dialogue.sides[1]))
            for _ in range(50)
        )
    )
    assert sorted(each.message.seq for each in said) == list(range(2, 102))
    assert probe.take()["commitTransaction"] == 1


async def test_inbox_totals_cost_the_same_for_ten_and_thousands_of_threads(
    real_world: World, probe: CommandProbe
) -> None:
    store = InboxTotalStore(real_world.database)
    for channel_id, count in ((GroupId("@TOA#_few"), 10), (GroupId("@TOA#_many"), 1_000)):

        async def begin(number: int, channel_id: GroupId = channel_id) -> None:
            user_id = UserId(f"user{number}")
            await real_world.database.run(lambda tx: store.add(channel_id, user_id, 0, 2, tx))

        await asyncio.gather(*map(begin, range(count)))
        probe.take()
        assert await real_world.mine.threads.unread_totals(channel_id) == (2 * count, count)
        assert probe.take() == Counter(find=1)
        shares = await real_world.database.collection("inbox_totals").find({}).to_list(None)
        assert len([row for row in shares if row["channel_id"] == channel_id]) <= SHARES
