"""Read cursors."""

import pytest

from conversations.errors import ConversationGroupNotFound, ConversationNotFound
from conversations.events import ConversationRead
from conversations.models import ConversationId, ReadMark, Unread
from conversations.service.settings import ConversationChanges
from tests.conversations.world import ADA, BOB, World


def mark(conversation_id: ConversationId, read_seq: int, unread_count: int) -> ReadMark:
    return ReadMark(conversation_id=conversation_id, read_seq=read_seq, unread_count=unread_count)


async def test_marking_read_without_a_seq_reads_everything(world: World) -> None:
    tea = await world.group("tea", BOB)
    await world.post(tea, times=3)
    assert await world.mine.read_cursors.mark_read(BOB, tea) == mark(tea, 3, 0)
    [event] = await world.events(ConversationRead)
    assert isinstance(event, ConversationRead)
    assert (event.user_id, event.reads) == ("bob", (mark(tea, 3, 0),))


async def test_a_cursor_only_moves_forward_and_a_repeat_publishes_nothing(world: World) -> None:
    tea = await world.group("tea", BOB)
    await world.post(tea, times=5)
    read = world.mine.read_cursors.mark_read
    assert await read(BOB, tea, seq=3) == mark(tea, 3, 2)
    assert len(await world.events()) == 1
    assert await read(BOB, tea, seq=3) == mark(tea, 3, 2)
    assert await read(BOB, tea, seq=1) == mark(tea, 3, 2)
    assert await read(BOB, tea, seq=0) == mark(tea, 3, 2)
    assert await world.events() == []


async def test_a_cursor_stops_at_the_head(world: World) -> None:
    tea = await world.group("tea", BOB)
    await world.post(tea, times=2)
    assert await world.mine.read_cursors.mark_read(BOB, tea, seq=2**53 - 1) == mark(tea, 2, 0)
    await world.post(tea)
    assert (
        await world.mine.conversation_list.get_conversation(BOB, tea)
    ).conversation.unread_count == 1


async def test_reading_messages_before_joining_changes_nothing(world: World) -> None:
    tea = await world.group("tea")
    await world.post(tea, times=3)
    await world.join(tea, BOB)
    await world.events()
    assert await world.mine.read_cursors.mark_read(BOB, tea, seq=2) == mark(tea, 3, 0)
    assert await world.events() == []
    assert [row for row in await world.settings_rows() if row["user_id"] == "bob"] == []


@pytest.mark.parametrize("conversation_id", ["group_@TGS#_tea", "group_nope", "c2c_ada", ""])
async def test_only_members_have_a_read_cursor(world: World, conversation_id: str) -> None:
    await world.group("tea")
    with pytest.raises(ConversationNotFound):
        await world.mine.read_cursors.mark_read(BOB, ConversationId(conversation_id))


async def test_posting_moves_the_authors_read_cursor(world: World) -> None:
    tea = await world.group("tea", BOB)
    await world.post(tea, ADA, times=3)
    await world.post(tea, BOB)
    assert (
        await world.mine.conversation_list.get_conversation(BOB, tea)
    ).conversation.read_seq == 4
    assert (
        await world.mine.conversation_list.get_conversation(ADA, tea)
    ).conversation.unread_count == 1


async def test_reading_a_scope_reads_all_of_it_in_one_event(world: World) -> None:
    news = await world.group("news", BOB, is_channel=True)
    tea = await world.group("tea", BOB)
    chess = await world.group("chess", BOB)
    await world.mine.conversation_groups.put(BOB, "Games", [chess])
    for number, key in enumerate([news, tea, chess]):
        await world.post(key, times=number + 1)
    read_all = world.mine.read_cursors.mark_all_read
    await world.events()
    assert await read_all(BOB, "c2c") == Unread(6, 1, 5, {"Games": 3})
    assert await world.events() == []
    assert await read_all(BOB, "Games") == Unread(3, 1, 2, {"Games": 0})
    assert await read_all(BOB, "channels") == Unread(2, 0, 2, {"Games": 0})
    assert await read_all(BOB, "chats") == Unread(0, 0, 0, {"Games": 0})
    assert len(await world.events()) == 3
    for key in [news, tea]:
        await world.post(key)
    assert await read_all(BOB, "all") == Unread(0, 0, 0, {"Games": 0})
    assert await world.mine.conversation_list.unread_totals(BOB) == Unread(0, 0, 0, {"Games": 0})
    [event] = await world.events()
    assert isinstance(event, ConversationRead)
    assert set(event.reads) == {mark(news, 2, 0), mark(tea, 3, 0)}
    assert await read_all(BOB, "group") == Unread(0, 0, 0, {"Games": 0})
    assert await world.events() == []


async def test_reading_all_includes_muted_and_hidden_conversations(world: World) -> None:
    tea = await world.group("tea", BOB)
    chess = await world.group("chess", BOB)
    await world.post(tea)
    await world.post(chess)
    await world.mine.settings.update_settings(BOB, tea, ConversationChanges(muted=True))
    await world.mine.settings.update_settings(BOB, chess, ConversationChanges(hidden=True))
    await world.mine.read_cursors.mark_all_read(BOB, "all")
    for key in [tea, chess]:
        assert (
            await world.mine.conversation_list.get_conversation(BOB, key)
        ).conversation.unread_count == 0


async def test_an_unknown_scope_is_not_found(world: World) -> None:
    with pytest.raises(ConversationGroupNotFound):
        await world.mine.read_cursors.mark_all_read(BOB, "nope")
