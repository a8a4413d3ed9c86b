"""After any sequence of actions unread is exact, totals add up, and cursors have never moved back."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.models import ConversationId, ListedConversation
from conversations.service.settings import ConversationChanges
from tests.conversations.world import ADA, BOB, World, mock_database

NAMES = ["tea", "chess", "news"]
TABS = ["A", "B"]

conversation = st.sampled_from(NAMES)
tab = st.sampled_from(TABS)
act = st.one_of(
    st.tuples(st.just("post"), conversation, st.integers(1, 4)),
    st.tuples(st.just("answer"), conversation, st.none()),
    st.tuples(st.just("read"), conversation, st.none() | st.integers(0, 12)),
    st.tuples(
        st.just("read_all"), st.sampled_from(["all", "channels", "chats", "c2c", *TABS]), st.none()
    ),
    st.tuples(st.just("rejoin"), conversation, st.none()),
    st.tuples(st.just("mute"), conversation, st.booleans()),
    st.tuples(st.just("hide"), conversation, st.booleans()),
    st.tuples(st.just("remove"), conversation, st.none()),
    st.tuples(st.just("add"), conversation, tab),
    st.tuples(st.just("take"), conversation, tab),
)


async def perform(
    world: World, keys: dict[str, ConversationId], step: tuple[str, str, Any]
) -> None:
    kind, name, value = step
    key, mine = keys.get(name, ConversationId("")), world.mine
    match kind:
        case "post":
            await world.post(key, ADA, times=value)
        case "answer":
            await world.post(key, BOB)
        case "read":
            await mine.read_cursors.mark_read(BOB, key, seq=value)
        case "read_all":
            await mine.read_cursors.mark_all_read(BOB, name)
        case "rejoin":
            await world.leave(key, BOB)
            await world.join(key, BOB)
        case "mute":
            await mine.settings.update_settings(BOB, key, ConversationChanges(muted=value))
        case "hide":
            await mine.settings.update_settings(BOB, key, ConversationChanges(hidden=value))
        case "remove":
            await mine.settings.remove_from_list(BOB, key)
        case "add":
            await mine.conversation_groups.change(BOB, value, add=[key])
        case "take":
            await mine.conversation_groups.change(BOB, value, remove=[key])


def unread_of(shown: list[ListedConversation], *, with_muted: bool) -> int:
    return sum(
        item.conversation.unread_count
        for item in shown
        if with_muted or not item.conversation.settings.muted
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(act, max_size=25))
async def test_unread_is_exact_totals_add_up_and_cursors_never_move_back(
    steps: list[tuple[str, str, Any]],
) -> None:
    world = World(mock_database())
    keys = {name: await world.group(name, BOB, is_channel=name == "news") for name in NAMES}
    for name in TABS:
        await world.mine.conversation_groups.put(BOB, name, [])
    cursors = dict.fromkeys(keys.values(), 0)
    for step in steps:
        await perform(world, keys, step)
        everything = await world.shown(include_hidden=True)
        assert len(everything) == len(keys)
        for item in everything:
            found = item.conversation
            assert found.unread_count == found.head_seq - found.read_seq >= 0
            assert found.read_seq >= cursors[found.conversation_id]
            cursors[found.conversation_id] = found.read_seq
        for with_muted in (False, True):
            unread = await world.mine.conversation_list.unread_totals(BOB, include_muted=with_muted)
            assert unread.total == unread_of(await world.shown(), with_muted=with_muted)
            assert unread.total == unread.channels + unread.chats
            parts = {
                **unread.conversation_groups,
                "channels": unread.channels,
                "chats": unread.chats,
            }
            for name, count in parts.items():
                shown = await world.shown(conversation_group=name)
                assert count == unread_of(shown, with_muted=with_muted)
        totals = {
            t.name: t.unread_count for t in await world.mine.conversation_list.list_groups(BOB)
        }
        assert (
            totals["A"]
            == (await world.mine.conversation_list.unread_totals(BOB)).conversation_groups["A"]
        )
