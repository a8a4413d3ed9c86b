"""Mute, pin, hide, draft, custom data; removing from the list."""

import pytest

from conversations.errors import ConversationNotFound
from conversations.events import ConversationRead, ConversationUpdated
from conversations.models import DEFAULT_SETTINGS, ConversationId
from conversations.service.settings import ConversationChanges
from tests.conversations.world import ADA, BOB, World


async def changed(world: World) -> list[dict[str, object]]:
    events = await world.events(ConversationUpdated)
    return [dict(event.changed) for event in events if isinstance(event, ConversationUpdated)]


async def test_each_setting_is_stored_and_published_once(world: World) -> None:
    tea = await world.group("tea", BOB)
    changes = ConversationChanges(muted=True, pinned=True, draft="Dear", custom_data="{}")
    first = await world.mine.settings.update_settings(BOB, tea, changes)
    settings = first.conversation.settings
    assert (settings.muted, settings.draft, settings.custom_data) == (True, "Dear", "{}")
    assert settings.pinned_at is not None
    pinned_at = settings.pinned_at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    assert await changed(world) == [
        {"muted": True, "pinned_at": pinned_at, "draft": None, "custom_data": "{}"}
    ]
    assert await world.mine.settings.update_settings(BOB, tea, changes) == first
    assert await changed(world) == []


async def test_settings_can_be_cleared(world: World) -> None:
    tea = await world.group("tea", BOB)
    on = ConversationChanges(muted=True, pinned=True, hidden=True, draft="Dear", custom_data="x")
    await world.mine.settings.update_settings(BOB, tea, on)
    await changed(world)
    off = ConversationChanges(muted=False, pinned=False, hidden=False, draft="", custom_data="")
    shown = await world.mine.settings.update_settings(BOB, tea, off)
    assert shown.conversation.settings == DEFAULT_SETTINGS
    assert await changed(world) == [
        {"muted": False, "pinned_at": None, "hidden": False, "draft": "", "custom_data": ""}
    ]


async def test_settings_belong_to_one_user(world: World) -> None:
    tea = await world.group("tea", BOB)
    await world.mine.settings.update_settings(BOB, tea, ConversationChanges(muted=True))
    assert not (
        await world.mine.conversation_list.get_conversation(ADA, tea)
    ).conversation.settings.muted


async def test_a_hidden_conversation_comes_back_with_its_next_message(world: World) -> None:
    tea = await world.group("tea", BOB)
    await world.post(tea, times=2)
    shown = await world.mine.settings.update_settings(BOB, tea, ConversationChanges(hidden=True))
    assert shown.conversation.is_hidden
    assert await world.titles() == []
    assert await world.titles(include_hidden=True) == ["tea"]
    assert (await world.mine.conversation_list.unread_totals(BOB)).total == 0
    await world.post(tea)
    assert await world.titles() == ["tea"]
    assert (await world.mine.conversation_list.unread_totals(BOB)).total == 3
    await world.mine.settings.update_settings(BOB, tea, ConversationChanges(hidden=True))
    await changed(world)
    await world.mine.settings.update_settings(BOB, tea, ConversationChanges(hidden=False))
    assert await world.titles() == ["tea"]
    assert await changed(world) == [{"hidden": False}]


async def test_a_conversation_without_messages_can_be_hidden(world: World) -> None:
    tea = await world.group("tea", BOB)
    await world.mine.settings.update_settings(BOB, tea, ConversationChanges(hidden=True))
    assert await world.titles() == []
    await world.post(tea)
    assert await world.titles() == ["tea"]


async def test_a_removed_conversation_is_read_and_stays_in_its_groups(world: World) -> None:
    tea = await world.group("tea", BOB)
    await world.post(tea, times=2)
    await world.mine.conversation_groups.put(BOB, "Mine", [tea])
    changes = ConversationChanges(pinned=True, draft="Dear", muted=True, custom_data="x")
    await world.mine.settings.update_settings(BOB, tea, changes)
    await world.events()
    await world.mine.settings.remove_from_list(BOB, tea)
    read, updated = await world.events()
    assert isinstance(read, ConversationRead)
    assert isinstance(updated, ConversationUpdated)
    assert updated.changed == {"hidden": True, "pinned_at": None, "draft": ""}
    await world.mine.settings.remove_from_list(BOB, tea)
    assert await world.events() == []
    assert await world.titles() == []
    await world.post(tea)
    [shown] = await world.shown()
    settings = shown.conversation.settings
    assert shown.conversation.unread_count == 1
    assert (settings.pinned_at, settings.draft) == (None, "")
    assert (settings.muted, settings.custom_data, settings.groups) == (True, "x", ("Mine",))


async def test_a_non_member_cannot_set_or_remove(world: World) -> None:
    tea = await world.group("tea")
    for conversation_id in [tea, ConversationId("c2c_ada")]:
        with pytest.raises(ConversationNotFound):
            await world.mine.settings.update_settings(
                BOB, conversation_id, ConversationChanges(muted=True)
            )
        with pytest.raises(ConversationNotFound):
            await world.mine.settings.remove_from_list(BOB, conversation_id)


async def test_leaving_and_joining_again_resets_the_settings(world: World) -> None:
    tea = await world.group("tea", BOB)
    await world.mine.conversation_groups.put(BOB, "Mine", [tea])
    await world.mine.settings.update_settings(
        BOB, tea, ConversationChanges(muted=True, draft="Dear")
    )
    await world.leave(tea, BOB)
    assert await world.settings_rows() == []
    assert await world.titles() == []
    await world.join(tea, BOB)
    [shown] = await world.shown()
    assert shown.conversation.settings == DEFAULT_SETTINGS
