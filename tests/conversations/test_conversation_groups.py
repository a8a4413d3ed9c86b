"""Conversation groups."""

import pytest

from conversations.errors import (
    BuiltInConversationGroup,
    ConversationGroupLimitReached,
    ConversationGroupNotFound,
    ConversationGroupTaken,
)
from conversations.events import (
    ConversationGroupChanged,
    ConversationGroupCreated,
    ConversationGroupDeleted,
    ConversationGroupRenamed,
)
from conversations.limits import ConversationLimits
from conversations.models import RESERVED_NAMES, ConversationId
from conversations.service.conversation_groups import ChangedConversationGroup
from groups.kernel.errors import InvalidRequest
from tests.conversations.world import BOB, CAT, World, mock_database

NOPE = ConversationId("group_nope")


def codes(filed: ChangedConversationGroup) -> dict[str, str | None]:
    return {key: error.code if error else None for key, error in filed.results.items()}


async def test_a_group_is_created_filled_and_created_again(world: World) -> None:
    tea, chess = await world.group("tea", BOB), await world.group("chess", BOB)
    await world.post(tea, times=2)
    groups = world.mine.conversation_groups
    made = await groups.put(BOB, "Mine", [tea, NOPE, tea])
    assert made.is_new
    assert codes(made) == {tea: None, NOPE: "conversation_not_found"}
    assert tuple(made.total) == ("Mine", 2, 1, False)
    [created] = await world.events()
    assert isinstance(created, ConversationGroupCreated)
    assert (created.name, created.conversation_ids) == ("Mine", (tea,))
    again = await groups.put(BOB, "Mine", [tea])
    assert not again.is_new
    assert codes(again) == {tea: None}
    assert await world.events() == []
    more = await groups.put(BOB, "Mine", [chess, tea])
    assert more.total.conversation_count == 2
    [grown] = await world.events()
    assert isinstance(grown, ConversationGroupChanged)
    assert (grown.added, grown.removed) == ((chess,), ())


async def test_groups_may_be_empty_and_are_listed_by_creation(world: World) -> None:
    for name in ["Z", "A"]:
        assert (await world.mine.conversation_groups.put(BOB, name, [])).is_new
    totals = await world.mine.conversation_list.list_groups(BOB)
    assert [total.name for total in totals] == ["channels", "chats", "Z", "A"]


async def test_a_conversation_may_be_in_several_groups(world: World) -> None:
    tea = await world.group("tea", BOB)
    await world.post(tea)
    for name in ["A", "B"]:
        await world.mine.conversation_groups.put(BOB, name, [tea])
    assert (await world.mine.conversation_list.unread_totals(BOB)).conversation_groups == {
        "A": 1,
        "B": 1,
    }
    await world.mine.conversation_groups.delete(BOB, "A")
    [shown] = await world.shown()
    assert shown.conversation.settings.groups == ("B",)
    [*_, deleted] = await world.events()
    assert isinstance(deleted, ConversationGroupDeleted)


async def test_adding_and_removing_conversations_has_a_result_for_each(world: World) -> None:
    tea, chess = await world.group("tea", BOB), await world.group("chess", BOB)
    other = await world.group("other")
    groups = world.mine.conversation_groups
    await groups.put(BOB, "Mine", [tea])
    await world.events()
    done = await groups.change(BOB, "Mine", add=[chess, other], remove=[tea, NOPE])
    assert codes(done) == {
        chess: None,
        other: "conversation_not_found",
        tea: None,
        NOPE: "conversation_not_found",
    }
    [event] = await world.events()
    assert isinstance(event, ConversationGroupChanged)
    assert (event.added, event.removed) == ((chess,), (tea,))
    again = await groups.change(BOB, "Mine", add=[chess], remove=[tea])
    assert codes(again) == {chess: None, tea: None}
    assert await world.events() == []
    assert await world.titles(conversation_group="Mine") == ["chess"]


async def test_renaming_keeps_the_conversations_and_the_order(world: World) -> None:
    tea = await world.group("tea", BOB)
    groups = world.mine.conversation_groups
    await groups.put(BOB, "A", [tea])
    await groups.put(BOB, "B", [])
    await world.events()
    total = await groups.rename(BOB, "A", "Ä")
    assert (total.name, total.conversation_count) == ("Ä", 1)
    [event] = await world.events()
    assert isinstance(event, ConversationGroupRenamed)
    assert (event.name, event.new_name) == ("A", "Ä")
    totals = await world.mine.conversation_list.list_groups(BOB)
    assert [total.name for total in totals] == ["channels", "chats", "Ä", "B"]
    assert (await groups.rename(BOB, "Ä", "Ä")).conversation_count == 1
    assert await world.events() == []
    with pytest.raises(ConversationGroupTaken):
        await groups.rename(BOB, "Ä", "B")
    with pytest.raises(ConversationGroupNotFound):
        await groups.rename(BOB, "A", "C")


@pytest.mark.parametrize("name", sorted(RESERVED_NAMES))
async def test_built_in_names_cannot_be_edited(world: World, name: str) -> None:
    groups = world.mine.conversation_groups
    await groups.put(BOB, "Mine", [])
    for call in [
        groups.put(BOB, name, []),
        groups.change(BOB, name),
        groups.rename(BOB, name, "Other"),
        groups.rename(BOB, "Mine", name),
        groups.delete(BOB, name),
    ]:
        with pytest.raises(BuiltInConversationGroup):
            await call


async def test_an_unknown_group_is_not_found(world: World) -> None:
    groups = world.mine.conversation_groups
    await groups.put(CAT, "Mine", [])
    for call in [
        groups.change(BOB, "Mine"),
        groups.rename(BOB, "Mine", "Other"),
        groups.delete(BOB, "Mine"),
    ]:
        with pytest.raises(ConversationGroupNotFound):
            await call
    assert not [event for event in await world.events() if getattr(event, "user_id", "") == "bob"]


async def test_a_user_has_at_most_twenty_groups(world: World) -> None:
    groups = world.mine.conversation_groups
    for number in range(20):
        await groups.put(BOB, f"{number}", [])
    with pytest.raises(ConversationGroupLimitReached) as refused:
        await groups.put(BOB, "20", [])
    assert refused.value.details == {"limit": 20}
    assert not (await groups.put(BOB, "19", [])).is_new
    await groups.rename(BOB, "19", "20")
    await groups.delete(BOB, "0")
    assert (await groups.put(BOB, "21", [])).is_new


async def test_a_full_group_takes_what_fits_and_reports_the_rest() -> None:
    world = World(mock_database(), ConversationLimits(conversations_per_group=3))
    keys = [await world.group(name, BOB) for name in "abcde"]
    groups = world.mine.conversation_groups
    full = "conversations_per_group_reached"
    filed = await groups.put(BOB, "Mine", keys)
    assert list(codes(filed).values()) == [None, None, None, full, full]
    assert (await groups.put(BOB, "Mine", keys[:3])).total.conversation_count == 3
    # What is taken out makes room for what is put in.
    filed = await groups.change(BOB, "Mine", add=keys[3:], remove=keys[:1])
    assert codes(filed) == {keys[3]: None, keys[4]: full, keys[0]: None}


async def test_too_many_ids_in_a_call_are_refused(world: World) -> None:
    ids = [ConversationId(f"group_{number}") for number in range(101)]
    groups = world.mine.conversation_groups
    with pytest.raises(InvalidRequest):
        await groups.put(BOB, "Mine", ids)
    await groups.put(BOB, "Mine", ids[:100])
    with pytest.raises(InvalidRequest):
        await groups.change(BOB, "Mine", add=ids[:50], remove=ids[50:])
