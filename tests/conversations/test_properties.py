"""After any sequence of actions unread is exact, totals add up, and cursors have never moved back."""

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.models import ConversationId, ListedConversation
from conversations.service.settings import ConversationChanges
from groups.kernel.actor import Actor
from groups.kernel.ids import GroupId, UserId
from tests.conversations.world import ADA, BOB, CAT, World, mock_database

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


# --- several authors in one group -------------------------------------------------------------------------------------

user = st.sampled_from([ADA, BOB, CAT])
guest = st.sampled_from([BOB, CAT])
step = st.one_of(
    st.tuples(st.just("write"), st.lists(user, min_size=1, max_size=5)),
    st.tuples(st.just("read"), user, st.none() | st.integers(0, 12)),
    st.tuples(st.just("recall"), st.integers(1, 12)),
    st.tuples(st.just("remove"), user),
    st.tuples(st.just("leave"), guest),
    st.tuples(st.just("join"), guest),
)


class Club:
    """A group whose members all write, and what each of them must have read."""

    def __init__(self, world: World, key: ConversationId) -> None:
        self.world, self.key, self.head = world, key, 0
        self.group_id = GroupId(key.removeprefix("group_"))
        self.read: dict[Actor, int] = dict.fromkeys([ADA, BOB, CAT], 0)
        """The cursors of the members."""

    async def take(self, step: tuple[Any, ...]) -> None:
        """Do the step, as far as who takes it is a member."""
        kind, *values = step
        match kind, values:
            case "write", [authors]:
                authors = [author for author in authors if author in self.read]
                # At once, so that they share a transaction, in this order.
                await asyncio.gather(*(self.world.post(self.key, author) for author in authors))
                for author in authors:
                    self.head += 1
                    self.read[author] = self.head
            case "read", [reader, seq] if reader in self.read:
                await self.world.mine.read_cursors.mark_read(reader, self.key, seq=seq)
                until = self.head if seq is None else min(seq, self.head)
                self.read[reader] = max(self.read[reader], until)
            case "recall", [seq] if seq <= self.head:
                await self.world.chat.edits.recall(ADA, self.group_id, seq)
            case "remove", [reader] if reader in self.read:
                await self.world.mine.settings.remove_from_list(reader, self.key)
                self.read[reader] = self.head
            case "leave", [guest] if guest in self.read:
                await self.world.leave(self.key, guest)
                del self.read[guest]
            case "join", [guest] if guest not in self.read:
                await self.world.join(self.key, guest)
                self.read[guest] = self.head

    async def check(self) -> None:
        mine = self.world.mine
        for member, read_seq in self.read.items():
            shown = await mine.conversation_list.get_conversation(member, self.key)
            found = shown.conversation
            assert (found.head_seq, found.read_seq) == (self.head, read_seq)
            unread = await mine.conversation_list.unread_totals(member)
            listed = await self.world.shown(member, include_hidden=True)
            assert [each.conversation.read_seq for each in listed] == [read_seq]
            if not found.is_hidden:
                assert unread.total == self.head - read_seq
        stored = await self.world.settings_rows()
        read = {member.user_id: seq for member, seq in self.read.items()}
        assert all(row.get("read_seq", 0) <= read[UserId(row["user_id"])] for row in stored)


@settings(max_examples=80, deadline=None)
@given(st.lists(step, max_size=25))
async def test_authors_have_read_what_they_wrote_whoever_writes_next(
    steps: list[tuple[Any, ...]],
) -> None:
    world = World(mock_database())
    club = Club(world, await world.group("club", BOB, CAT))
    for each in steps:
        await club.take(each)
        await club.check()
