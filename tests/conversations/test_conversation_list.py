"""The conversation list and the unread totals."""

import pytest

from conversations.errors import ConversationGroupNotFound, ConversationNotFound
from conversations.models import ConversationId, ConversationType, Unread
from conversations.service.conversation_list import ListFilter
from conversations.service.settings import ConversationChanges
from groups.kernel.errors import BadCursor
from groups.kernel.ids import GroupId
from groups.models import GroupType
from groups.service.lifecycle.create import NewGroup
from tests.conversations.world import ADA, BOB, CAT, World, ids_of


async def test_a_new_member_has_nothing_unread(world: World) -> None:
    tea = await world.group("tea")
    await world.post(tea, times=3)
    await world.join(tea, BOB)
    [shown] = await world.shown()
    assert (shown.conversation.read_seq, shown.conversation.unread_count) == (3, 0)
    await world.post(tea, times=2)
    [shown] = await world.shown()
    assert (shown.conversation.head_seq, shown.conversation.unread_count) == (5, 2)


async def test_joining_and_posts_of_others_write_no_settings(world: World) -> None:
    tea = await world.group("tea", BOB, CAT)
    await world.post(tea, ADA, times=3)
    # Of the newest author the stream tells it; of the one before, a cursor is stored.
    assert await world.settings_rows() == []
    await world.post(tea, BOB)
    assert [(row["user_id"], row["read_seq"]) for row in await world.settings_rows()] == [
        ("ada", 3)
    ]


async def test_pinned_ones_come_first_then_the_latest_active(world: World) -> None:
    names = ["a", "b", "c", "d", "e"]
    keys = {name: await world.group(name, BOB) for name in names}
    for name in ["c", "a", "e"]:
        await world.post(keys[name])
    # d and b were joined only: their place is the instant of joining, before any post.
    assert await world.titles() == ["e", "a", "c", "d", "b"]
    for name in ["b", "c"]:
        await world.mine.settings.update_settings(BOB, keys[name], ConversationChanges(pinned=True))
    assert await world.titles() == ["c", "b", "e", "a", "d"]


async def test_the_next_page_continues_although_others_moved(world: World) -> None:
    keys = {name: await world.group(name, BOB) for name in "abcdefgh"}
    for name in "hgfedcba":
        await world.post(keys[name])
    conversation_list = world.mine.conversation_list
    first, cursor = await conversation_list.list_conversations(
        BOB, ListFilter(), limit=3, cursor=None
    )
    assert [shown.title for shown in first] == ["a", "b", "c"]
    await world.post(keys["g"])  # moves up, before what was shown
    await world.post(keys["a"])  # was shown already
    second, cursor = await conversation_list.list_conversations(
        BOB, ListFilter(), limit=3, cursor=cursor
    )
    assert [shown.title for shown in second] == ["d", "e", "f"]
    third, cursor = await conversation_list.list_conversations(
        BOB, ListFilter(), limit=3, cursor=cursor
    )
    assert [shown.title for shown in third] == ["h"]
    assert cursor is None


async def test_a_cursor_of_another_list_is_refused(world: World) -> None:
    with pytest.raises(BadCursor):
        await world.mine.conversation_list.list_conversations(
            BOB, ListFilter(), limit=3, cursor="abc"
        )


async def test_the_built_in_groups_separate_channels_and_chats(world: World) -> None:
    news = await world.group("news", BOB, is_channel=True)
    await world.group("tea", BOB)
    await world.post(news, times=2)
    assert await world.titles(conversation_group="channels") == ["news"]
    assert await world.titles(conversation_group="chats") == ["tea"]
    assert await world.titles(only_unread=True) == ["news"]
    assert await world.titles(type=ConversationType.GROUP) == ["news", "tea"]
    assert await world.titles(type=ConversationType.C2C) == []


async def test_the_empty_name_lists_conversations_in_no_own_group(world: World) -> None:
    news = await world.group("news", BOB, is_channel=True)
    await world.group("tea", BOB)
    await world.mine.conversation_groups.put(BOB, "Daily", [news])
    assert await world.titles(conversation_group="Daily") == ["news"]
    assert await world.titles(conversation_group="") == ["tea"]
    [shown] = await world.shown(conversation_group="Daily")
    assert shown.conversation.settings.groups == ("Daily",)


@pytest.mark.parametrize("kind", list(ConversationType))
async def test_an_unknown_conversation_group_is_not_found(
    world: World, kind: ConversationType
) -> None:
    with pytest.raises(ConversationGroupNotFound):
        await world.shown(conversation_group="nope", type=kind)


async def test_another_users_conversation_group_is_not_found(world: World) -> None:
    await world.mine.conversation_groups.put(CAT, "Daily", [])
    with pytest.raises(ConversationGroupNotFound):
        await world.shown(BOB, conversation_group="Daily")


@pytest.mark.parametrize(
    "conversation_id", ["group_nope", "c2c_ada", "group_", "nope", "@TGS#_tea"]
)
async def test_another_users_conversation_is_not_found(world: World, conversation_id: str) -> None:
    await world.group("tea", BOB)
    with pytest.raises(ConversationNotFound):
        await world.mine.conversation_list.get_conversation(BOB, ConversationId(conversation_id))


async def test_a_group_of_others_is_no_conversation(world: World) -> None:
    tea = await world.group("tea")
    with pytest.raises(ConversationNotFound):
        await world.mine.conversation_list.get_conversation(BOB, tea)
    assert await world.shown(BOB) == []


async def test_one_conversation_equals_its_entry_in_the_list(world: World) -> None:
    tea = await world.group("tea", BOB)
    await world.post(tea, times=2)
    changes = ConversationChanges(draft="Dear", custom_data="x", muted=True, pinned=True)
    await world.mine.settings.update_settings(BOB, tea, changes)
    [shown] = await world.shown()
    assert shown == await world.mine.conversation_list.get_conversation(BOB, tea)
    assert shown.conversation.settings.draft == "Dear"


async def test_a_deleted_group_is_not_listed_before_its_cleanup(world: World) -> None:
    tea = await world.group("tea", BOB)
    await world.group("chess", BOB)
    await world.mine.conversation_groups.put(BOB, "Mine", [tea])
    await world.database.collection("streams").delete_one({"_id": tea})
    assert await world.titles() == ["chess"]
    assert (await world.mine.conversation_list.list_groups(BOB))[2].conversation_count == 0
    with pytest.raises(ConversationNotFound):
        await world.mine.conversation_list.get_conversation(BOB, tea)
    with pytest.raises(ConversationNotFound):
        await world.mine.read_cursors.mark_read(BOB, tea)


async def test_deleting_a_group_deletes_the_settings(world: World) -> None:
    tea = await world.group("tea", BOB)
    await world.mine.conversation_groups.put(BOB, "Mine", [tea])
    await world.chat.disbanding.disband(ADA, GroupId(tea.removeprefix("group_")))
    await world.chat.cleanup.wait()
    assert await world.settings_rows() == []


async def test_earlier_messages_are_not_shown_if_history_is_hidden(world: World) -> None:
    new = NewGroup(type=GroupType.COMMUNITY, name="club", history_visible=False)
    group_id = (await world.chat.creation.create(ADA, new)).group.group_id
    club = ConversationId(f"group_{group_id}")
    await world.post(club)
    await world.join(club, BOB)
    [shown] = await world.shown(BOB)
    assert shown.last is None
    [shown] = await world.shown(ADA)
    assert shown.last is not None
    await world.post(club)
    [shown] = await world.shown(BOB)
    assert shown.last is not None
    assert shown.last.seq == 2


async def test_totals_leave_muted_and_hidden_ones_out(world: World) -> None:
    keys = [await world.group(name, BOB, is_channel=name < "c") for name in "abcde"]
    groups, settings = world.mine.conversation_groups, world.mine.settings
    await groups.put(BOB, "Mine", [keys[0], keys[2], keys[3], keys[4]])
    await groups.put(BOB, "Empty", [])
    for number, key in enumerate(keys):
        await world.post(key, times=10**number if number < 3 else number)
    await settings.update_settings(BOB, keys[1], ConversationChanges(muted=True))
    await settings.update_settings(BOB, keys[3], ConversationChanges(hidden=True))
    conversation_list = world.mine.conversation_list
    assert await conversation_list.unread_totals(BOB) == Unread(
        105, 1, 104, {"Mine": 105, "Empty": 0}
    )
    assert await conversation_list.unread_totals(BOB, include_muted=True) == Unread(
        115, 11, 104, {"Mine": 105, "Empty": 0}
    )


async def test_the_groups_are_listed_with_their_totals_built_in_ones_first(world: World) -> None:
    news = await world.group("news", BOB, is_channel=True)
    tea = await world.group("tea", BOB)
    await world.post(news, times=2)
    await world.post(tea, times=3)
    await world.mine.conversation_groups.put(BOB, "Z", [news, tea])
    await world.mine.conversation_groups.put(BOB, "A", [])
    assert [tuple(total) for total in await world.mine.conversation_list.list_groups(BOB)] == [
        ("channels", 2, 1, True),
        ("chats", 3, 1, True),
        ("Z", 5, 2, False),
        ("A", 0, 0, False),
    ]


async def test_lists_of_a_thousand_are_paged_completely(world: World) -> None:
    keys = await world.seat_in_many(BOB.user_id, range(250))
    conversation_list = world.mine.conversation_list
    found, cursor = await conversation_list.list_conversations(
        BOB, ListFilter(), limit=100, cursor=None
    )
    while cursor is not None:
        more, cursor = await conversation_list.list_conversations(
            BOB, ListFilter(), limit=100, cursor=cursor
        )
        found += more
    assert ids_of(found) == keys[::-1]
