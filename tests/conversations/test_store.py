"""The stores on an in-memory database and on a real replica set."""

from datetime import UTC, datetime
from functools import partial

import pytest

from conversations.models import DEFAULT_SETTINGS, ConversationId, ConversationSettings
from conversations.store.settings import ConversationSettingsStore
from groups.kernel.ids import UserId
from tests.conversations.world import ADA, BOB, CAT, World

TEA = ConversationId("group_tea")
NOW = datetime(2026, 1, 31, tzinfo=UTC)


@pytest.fixture(params=["memory", "real"])
def either(request: pytest.FixtureRequest) -> World:
    name = "world" if request.param == "memory" else "real_world"
    found = request.getfixturevalue(name)
    assert isinstance(found, World)
    return found


async def test_a_stored_cursor_never_moves_back(either: World) -> None:
    store = ConversationSettingsStore(either.database)
    for seq in [5, 3, 7, 6]:
        await either.database.run(partial(store.advance_read_cursors, [((BOB.user_id, TEA), seq)]))
    found = await store.find_settings(BOB.user_id, [TEA])
    assert found == {TEA: DEFAULT_SETTINGS._replace(read_seq=7)}


async def test_default_values_are_not_stored(either: World) -> None:
    store = ConversationSettingsStore(either.database)
    key = (BOB.user_id, TEA)
    for muted, draft in [(True, "x"), (False, "")]:
        values = {"muted": muted, "draft": draft}
        await either.database.run(partial(store.update_settings, key, values, NOW))
    [row] = await either.settings_rows()
    assert sorted(row) == ["_id", "changed_at", "conversation_id", "user_id", "version"]
    assert (row["version"], row["changed_at"]) == (2, NOW)


async def test_renaming_and_removing_affect_one_group_of_one_user(either: World) -> None:
    store = ConversationSettingsStore(either.database)
    run, user_id = either.database.run, BOB.user_id
    for name in ["A", "AA"]:
        await run(partial(store.add_to_group, user_id, [TEA], name, NOW))
    await run(lambda tx: store.rename_group(user_id, "A", "B", NOW, tx))
    assert set(await _groups_of(store, user_id)) == {"AA", "B"}
    await run(lambda tx: store.remove_group(user_id, "AA", NOW, tx))
    assert await _groups_of(store, user_id) == ("B",)
    assert await run(lambda tx: store.list_in_group(user_id, "B", limit=5, tx=tx)) == [TEA]


async def _groups_of(store: ConversationSettingsStore, user_id: UserId) -> tuple[str, ...]:
    return (await store.list_user_settings([user_id]))[user_id].settings_of(TEA).groups


async def test_settings_of_several_users_are_kept_apart(either: World) -> None:
    store, run = ConversationSettingsStore(either.database), either.database.run
    await run(
        lambda tx: store.advance_read_cursors(
            [((BOB.user_id, TEA), 3), ((CAT.user_id, TEA), 4)], tx
        )
    )
    await run(partial(store.update_settings, (CAT.user_id, TEA), {"muted": True}, NOW))
    found = await store.list_user_settings([BOB.user_id, CAT.user_id, ADA.user_id])
    assert found.keys() == {BOB.user_id, CAT.user_id}
    assert found[BOB.user_id].settings_of(TEA) == ConversationSettings(read_seq=3)
    assert found[CAT.user_id].settings_of(TEA) == ConversationSettings(read_seq=4, muted=True)
    assert found[CAT.user_id].read_seqs == {TEA: 4}


async def test_a_muted_unread_conversation_has_a_read_cursor_of_zero(
    either: World,
) -> None:
    store = ConversationSettingsStore(either.database)
    await either.database.run(
        partial(store.update_settings, (BOB.user_id, TEA), {"muted": True}, NOW)
    )
    user_settings = (await store.list_user_settings([BOB.user_id]))[BOB.user_id]
    assert user_settings.read_seqs == {TEA: 0}
    assert user_settings.settings_of(TEA) == ConversationSettings(muted=True)


async def test_settings_of_former_members_are_deleted_and_others_stay(either: World) -> None:
    store = ConversationSettingsStore(either.database)
    run = either.database.run
    others = (BOB.user_id, ConversationId("group_chess"))
    await run(lambda tx: store.advance_read_cursors([((BOB.user_id, TEA), 3), (others, 4)], tx))
    await run(lambda tx: store.delete_settings(TEA, [BOB.user_id], tx))
    assert [row["conversation_id"] for row in await either.settings_rows()] == ["group_chess"]
