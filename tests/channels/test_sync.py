"""One call to start, and one to catch up: what changed comes once, and nothing is missed."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from channels.routes.sync import SyncResponse
from channels.service.sync_tokens import MARKS
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Database
from groups.service.lifecycle.cleanup import CleanupService
from groups.service.membership.sync import OVERLAP
from groups.store import invitations
from tests.api import (
    Answer,
    Api,
    MovedClock,
    User,
    a_channel,
    a_chat_group,
    a_post,
    conversation_of,
    id_of,
    part,
)
from tests.conftest import OpenApi

pytestmark = pytest.mark.asyncio(loop_scope="module")
own_loop = pytest.mark.asyncio(loop_scope="function")

TEXT: Final = {"kind": "text", "text": "Hello"}
NO_CHANGE: Final = ("subscriber_count", "member_count")
"""What others do to these is no change."""


def shown(item: dict[str, Any]) -> dict[str, Any]:
    """What a device keeps of a conversation."""
    kept = {name: value for name, value in item.items() if name != "again"}
    for name in ("channel", "group"):
        if kept[name] is not None:
            kept[name] = {key: kept[name][key] for key in kept[name] if key not in NO_CHANGE}
    return kept


@dataclass(slots=True)
class Phone:
    """A device that keeps what `GET /v1/sync` sends, as `channels/docs/how-to/catch-up.md` describes."""

    user: User
    limit: int = 2
    conversations: dict[str, Any] = field(default_factory=dict)
    around: dict[str, Any] = field(default_factory=dict)
    token: str = ""
    calls: int = 0

    async def start(self) -> "Phone":
        """Read everything."""
        self.conversations = {}
        await self._read("", token_at_end=False)
        return self

    async def sync(self) -> dict[str, Any]:
        """Read the changes. Returns each conversation, or the reason of its end, by id."""
        return await self._read(f"&since={part(self.token)}", token_at_end=True)

    async def _read(self, query: str, *, token_at_end: bool) -> dict[str, Any]:
        told: dict[str, Any] = {}
        more = ""
        while True:
            answer = await self.user.get(f"/v1/sync?limit={self.limit}{query}{more}")
            assert answer.status == 200, answer
            assert answer.text == SyncResponse.model_validate_json(answer.text).model_dump_json()
            self.calls += 1
            body, token, cursor = answer.body, answer.body["sync_token"], answer.body["next_cursor"]
            for item in body["items"]:
                key = item["conversation_id"]
                assert key not in told, "a reading has each conversation once"
                if "ended" in item:
                    told[key] = item["ended"]["reason"]
                    self.conversations.pop(key, None)
                else:
                    told[key] = self.conversations[key] = item
            assert len(cursor or "") < 1024
            assert len(token or "") < 1024
            if not more:
                self.around = {name: body[name] for name in ("user", "invitations", "limits")}
            self.around |= {name: body[name] for name in ("unread", "conversation_groups")}
            if token_at_end:
                assert (token is None) is (cursor is not None)
            self.token = token or self.token
            if cursor is None:
                return told
            more = f"&cursor={cursor}"

    def model(self) -> dict[str, Any]:
        """What the device shows."""
        return {key: shown(item) for key, item in self.conversations.items() if not item["hidden"]}

    async def check(self) -> None:
        """Compare with a device that starts now."""
        fresh = await Phone(self.user, 100).start()
        assert self.model() == fresh.model()
        assert self.around == fresh.around


@pytest.fixture
def server(shared_api: Api) -> Api:
    return shared_api


@dataclass(slots=True)
class Scene:
    """A user with a channel, a chat group and a one-to-one conversation, and the owner of all."""

    server: Api
    ada: User
    bob: User
    channel: str
    chat: str

    @classmethod
    async def of(cls, server: Api) -> "Scene":
        ada, bob = server.new_user("ada"), server.new_user("bob")
        channel, chat = await a_channel(ada, bob), await a_chat_group(ada, bob)
        await a_post(ada, channel)
        scene = cls(server, ada, bob, channel, chat)
        assert (await ada.post(f"{scene.path(f'c2c_{bob.id}')}/messages", TEXT)).status == 201
        return scene

    @property
    def news(self) -> str:
        return conversation_of(self.channel)

    @property
    def tea(self) -> str:
        return conversation_of(self.chat)

    @property
    def dialogue(self) -> str:
        return f"c2c_{self.ada.id}"

    def path(self, conversation_id: str) -> str:
        return f"/v1/conversations/{part(conversation_id)}"

    async def settings(self, conversation_id: str, **values: object) -> Answer:
        return await self.bob.patch(self.path(conversation_id), values)


# --- the start --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("most_together", [1_000, 1])
async def test_one_call_has_all_that_the_first_screen_needs(
    server: Api, most_together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Invitations that are too many to be read together are read for each user.
    monkeypatch.setattr(invitations, "_FIRST_A_QUERY", most_together)
    scene = await Scene.of(server)
    ada, bob = scene.ada, scene.bob
    await bob.put("/v1/conversation-groups/Papers", {"conversation_ids": [scene.news]})
    await ada.post(f"{scene.channel}/invitations", {"user_id": bob.id, "grants": ["post"]})
    await bob.patch("/v1/users/me", {"name": "Bob"})
    await scene.settings(scene.tea, pinned=True)
    start = (await bob.get("/v1/sync")).body
    listed = (await bob.get("/v1/conversations")).items
    assert [i["conversation_id"] for i in start["items"]] == [i["conversation_id"] for i in listed]
    for item, alone in zip(start["items"], listed, strict=True):
        assert {name: item[name] for name in alone} == alone
    by_id = {item["conversation_id"]: item for item in start["items"]}
    assert by_id[scene.news]["channel"] == (await bob.get(scene.channel)).body
    assert by_id[scene.tea]["group"] == (await bob.get(scene.chat)).body
    assert by_id[scene.news]["group"] is by_id[scene.tea]["channel"] is None
    assert by_id[scene.dialogue]["channel"] is by_id[scene.dialogue]["group"] is None
    assert start["unread"] == (await bob.get("/v1/unread")).body
    assert start["conversation_groups"] == (await bob.get("/v1/conversation-groups")).items
    assert start["invitations"] == (await bob.get("/v1/invitations")).body
    assert start["user"] == (await bob.get("/v1/users/me")).body
    limits = server.services.limits
    assert start["limits"]["message_body_bytes"] == limits.message_body_bytes
    assert "concurrent_requests" not in start["limits"]
    assert start["next_cursor"] is None


async def test_a_new_user_starts_with_nothing(server: Api) -> None:
    start = (await server.new_user().get("/v1/sync")).body
    assert (start["items"], start["next_cursor"], start["unread"]["total"]) == ([], None, 0)


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
async def test_pages_of_the_start_follow_the_list(server: Api, limit: int) -> None:
    scene = await Scene.of(server)
    await scene.settings(scene.tea, pinned=True)
    await scene.settings(scene.news, hidden=True)
    await a_channel(scene.ada, scene.bob)
    phone = await Phone(scene.bob, limit).start()
    listed = [item["conversation_id"] for item in (await scene.bob.get("/v1/conversations")).items]
    assert [*phone.conversations] == listed
    assert await phone.sync() == {}
    assert phone.calls == -(-3 // limit) + 1


async def test_a_first_page_is_enough_to_follow_all_changes(server: Api) -> None:
    scene = await Scene.of(server)
    first = await scene.bob.get("/v1/sync?limit=1")
    assert first.body["next_cursor"] is not None
    phone = Phone(scene.bob, token=first.body["sync_token"])
    await a_post(scene.ada, scene.channel)
    assert scene.news in await phone.sync()
    # What was on the pages that it did not read is told as well, and once.
    assert all(item["again"] for item in phone.conversations.values())
    assert await phone.sync() == {}


# --- users who ask at once --------------------------------------------------------------------------------------------


@own_loop
async def test_users_who_ask_at_once_each_get_their_own_changes(api: OpenApi) -> None:
    clock = MovedClock.from_noon()
    server = await api(clock=clock)
    ada = server.new_user("ada", hours=1_000)
    channel, other = await a_channel(ada), await a_channel(ada)
    alone: list[Phone] = []
    together: list[Phone] = []
    # Each was here last at another time: minutes, hours and days ago.
    for number, seconds in enumerate([60, 200, 1_000, 5_000, 20_000, 90_000, 200_000, 90, 90, 10]):
        bob = server.new_user("bob", hours=1_000)
        for path in (channel, other):
            assert (await bob.put(f"{path}/subscription")).status == 200
        dialogue = f"/v1/conversations/c2c_{part(bob.id)}/messages"
        assert (await ada.post(dialogue, TEXT)).status == 201
        for phones in (alone, together):
            phones.append(await Phone(bob, 100).start())
        clock.move(seconds=seconds)
        if number % 2:
            await a_post(ada, channel)
            await ada.post(dialogue, TEXT)
            await bob.delete(f"{other}/subscription")
            await ada.post(f"{other}/invitations", {"user_id": bob.id, "role": "member"})
        if number % 3 == 0:
            await ada.patch(other, {"name": f"Name {number}"})
            await ada.patch("/v1/users/me", {"name": f"Ada {number}"})
            await bob.post("/v1/read", {"scope": "all"})
    expected = [await phone.sync() for phone in alone]
    assert await asyncio.gather(*(phone.sync() for phone in together)) == expected
    assert [phone.around for phone in together] == [phone.around for phone in alone]
    ends = [sum(isinstance(state, str) for state in told.values()) for told in expected]
    assert ends == [number % 2 for number in range(len(alone))]
    # And nobody gets anything twice, or of others.
    assert await asyncio.gather(*(phone.sync() for phone in together)) == [{}] * len(together)
    started = await asyncio.gather(*(Phone(phone.user, 100).start() for phone in together))
    assert [phone.model() for phone in started] == [phone.model() for phone in together]


# --- changes ----------------------------------------------------------------------------------------------------------

Act = Callable[[Scene], Awaitable[object]]


async def post(s: Scene) -> object:
    return await a_post(s.ada, s.channel)


async def edit(s: Scene) -> object:
    return await s.ada.patch(f"{s.channel}/posts/1", {"kind": "text", "text": "Better"})


async def recall(s: Scene) -> object:
    return await s.ada.delete(f"{s.channel}/posts/1")


async def pin(s: Scene) -> object:
    return await s.ada.put(f"{s.channel}/posts/1/pin")


async def freeze(s: Scene) -> object:
    return await s.ada.put(f"{s.channel}/posts/1/reactions-freeze")


async def rename_the_channel(s: Scene) -> object:
    return await s.ada.patch(s.channel, {"name": "Other news", "organization": "City"})


async def appoint(s: Scene) -> object:
    return await s.ada.put(f"{s.channel}/admins/{part(s.bob.id)}")


async def read_elsewhere(s: Scene) -> object:
    return await s.bob.post(f"{s.path(s.news)}/read", {})


async def read_all(s: Scene) -> object:
    return await s.bob.post("/v1/read", {"scope": "channels"})


async def mute(s: Scene) -> object:
    return await s.settings(s.news, muted=True)


async def pin_the_conversation(s: Scene) -> object:
    return await s.settings(s.news, pinned=True)


async def draft(s: Scene) -> object:
    return await s.settings(s.news, draft="Dear")


async def hide(s: Scene) -> object:
    return await s.settings(s.news, hidden=True)


async def remove_from_the_list(s: Scene) -> object:
    return await s.bob.delete(s.path(s.news))


async def put_into_a_folder(s: Scene) -> object:
    return await s.bob.put("/v1/conversation-groups/Mine", {"conversation_ids": [s.news]})


async def write(s: Scene) -> object:
    return await s.bob.post(f"{s.chat}/messages", TEXT)


async def rename_the_group(s: Scene) -> object:
    return await s.ada.patch(s.chat, {"name": "Tea 2"})


async def mute_the_member(s: Scene) -> object:
    path = f"{s.chat}/members/{part(s.bob.id)}"
    return await s.ada.patch(path, {"mute_seconds": 60})


async def transfer_the_group(s: Scene) -> object:
    return await s.ada.post(f"{s.chat}/owner", {"user_id": s.bob.id})


async def write_to_the_user(s: Scene) -> object:
    return await s.ada.post(f"{s.path(f'c2c_{s.bob.id}')}/messages", TEXT)


async def edit_to_the_user(s: Scene) -> object:
    path = f"{s.path(f'c2c_{s.bob.id}')}/messages/1"
    return await s.ada.patch(path, {"kind": "text", "text": "Better"})


async def rename_the_other(s: Scene) -> object:
    return await s.ada.patch("/v1/users/me", {"name": "Ada L."})


NEWS, TEA, DIALOGUE = "news", "tea", "dialogue"
CHANGES: Final[dict[Act, str]] = {
    post: NEWS,
    edit: NEWS,
    recall: NEWS,
    pin: NEWS,
    freeze: NEWS,
    rename_the_channel: NEWS,
    appoint: NEWS,
    read_elsewhere: NEWS,
    read_all: NEWS,
    mute: NEWS,
    pin_the_conversation: NEWS,
    draft: NEWS,
    hide: NEWS,
    remove_from_the_list: NEWS,
    put_into_a_folder: NEWS,
    write: TEA,
    rename_the_group: TEA,
    mute_the_member: TEA,
    transfer_the_group: TEA,
    write_to_the_user: DIALOGUE,
    edit_to_the_user: DIALOGUE,
    rename_the_other: DIALOGUE,
}


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
async def test_a_change_is_told_once_and_alone(server: Api, change: Act) -> None:
    scene = await Scene.of(server)
    phone = await Phone(scene.bob).start()
    before = phone.model()
    answer = await change(scene)
    assert not isinstance(answer, Answer) or answer.status < 300, answer
    told = await phone.sync()
    [key] = [getattr(scene, CHANGES[change])]
    assert [*told] == [key]
    assert told[key]["again"] is False
    if change not in (mute_the_member,):  # a list does not show it
        assert phone.model() != before
    await phone.check()
    assert await phone.sync() == {}


async def test_folders_and_the_profile_come_with_each_sync(server: Api) -> None:
    scene = await Scene.of(server)
    bob = scene.bob
    await bob.put("/v1/conversation-groups/Papers", {"conversation_ids": [scene.news, scene.tea]})
    phone = await Phone(bob).start()
    await bob.patch("/v1/conversation-groups/Papers", {"name": "News"})
    assert (await phone.sync()).keys() == {scene.news, scene.tea}
    await phone.check()
    await bob.patch("/v1/users/me", {"name": "Bobby"})
    await bob.put("/v1/conversation-groups/Empty")
    assert await phone.sync() == {}
    await phone.check()
    await bob.delete("/v1/conversation-groups/News")
    await scene.ada.post(f"{scene.channel}/invitations", {"user_id": bob.id})
    assert (await phone.sync()).keys() == {scene.news, scene.tea}
    await phone.check()
    assert await phone.sync() == {}


async def test_what_others_do_to_themselves_is_no_change(server: Api) -> None:
    scene = await Scene.of(server)
    phone = await Phone(scene.bob).start()
    cat = server.new_user("cat")
    await cat.put(f"{scene.channel}/subscription")
    await cat.put(f"{scene.channel}/posts/1/reactions/{part('👍')}")
    await cat.post(f"/v1/conversations/{part(scene.news)}/read", {})
    await cat.patch(f"/v1/conversations/{part(scene.news)}", {"muted": True})
    await cat.delete(f"{scene.channel}/subscription")
    assert await phone.sync() == {}


async def test_new_conversations_are_told_once(server: Api) -> None:
    scene = await Scene.of(server)
    ada, bob, cat = scene.ada, scene.bob, server.new_user("cat")
    phone = await Phone(bob).start()
    joined, added = await a_channel(ada), await a_chat_group(ada, bob)
    await bob.put(f"{joined}/subscription")
    await cat.post(f"/v1/conversations/{part(f'c2c_{bob.id}')}/messages", TEXT)
    await bob.post(f"/v1/conversations/{part(f'c2c_{id_of(scene.channel)}')}/messages", TEXT)
    told = await phone.sync()
    new = {conversation_of(joined), conversation_of(added), f"c2c_{cat.id}"}
    assert told.keys() == {*new, f"c2c_{id_of(scene.channel)}"}
    await phone.check()
    assert await phone.sync() == {}


# --- ends -------------------------------------------------------------------------------------------------------------


async def leave(s: Scene) -> object:
    return await s.bob.delete(f"{s.chat}/members/me")


async def unsubscribe(s: Scene) -> object:
    return await s.bob.delete(f"{s.channel}/subscription")


async def remove(s: Scene) -> object:
    return await s.ada.delete(f"{s.chat}/members/{part(s.bob.id)}")


async def ban(s: Scene) -> object:
    return await s.ada.delete(f"{s.channel}/subscribers/{part(s.bob.id)}?ban=true")


async def disband(s: Scene) -> object:
    return await s.ada.delete(s.chat)


async def delete(s: Scene) -> object:
    return await s.ada.delete(s.channel)


ENDS: Final[dict[Act, tuple[str, str]]] = {
    leave: (TEA, "left"),
    unsubscribe: (NEWS, "left"),
    remove: (TEA, "removed"),
    ban: (NEWS, "banned"),
    disband: (TEA, "deleted"),
    delete: (NEWS, "deleted"),
}


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
async def test_an_end_is_told_once_with_its_reason(
    server: Api, end: Act, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = await Scene.of(server)
    with_channel = f"c2c_{id_of(scene.channel)}"
    await scene.bob.post(f"{scene.path(with_channel)}/messages", TEXT)
    near, far = await Phone(scene.bob).start(), await Phone(scene.bob).start()
    kind, reason = ENDS[end]
    ended = {getattr(scene, kind): reason}
    if end is delete:
        ended[with_channel] = "deleted"
    with monkeypatch.context() as patched:
        # As if a process had died right after it.
        patched.setattr(CleanupService, "start", lambda *_: None)
        await end(scene)
    assert await near.sync() == ended
    await near.check()
    for path in (scene.channel, scene.chat):
        if end in (disband, delete) and kind == (NEWS if path is scene.channel else TEA):
            await server.services.chat.cleanup.clear(GroupId(id_of(path)))
    assert await near.sync() == {}
    assert await far.sync() == ended
    await far.check()
    assert await far.sync() == {}


@own_loop
@pytest.mark.parametrize("behind", [0, 60])
async def test_a_user_who_left_and_returned_has_the_conversation_despite_clocks(
    api: OpenApi, second_database: Database, behind: float
) -> None:
    clock = MovedClock()
    clock.move(seconds=-behind)
    server, slow = await api(), await api(database=second_database, clock=clock)
    scene = await Scene.of(server)
    await scene.settings(scene.news, muted=True)
    phone = await Phone(scene.bob).start()
    await unsubscribe(scene)
    await slow.user_of(scene.bob.id).put(f"{scene.channel}/subscription")
    told = await phone.sync()
    assert told.keys() == {scene.news}
    assert told[scene.news]["muted"] is False
    assert await phone.sync() == {}
    await slow.user_of(scene.bob.id).delete(f"{scene.channel}/subscription")
    assert await phone.sync() == {scene.news: "left"}
    assert await phone.sync() == {}


# --- tokens -----------------------------------------------------------------------------------------------------------


@own_loop
async def test_what_a_token_has_no_room_for_comes_again_with_a_mark(api: OpenApi) -> None:
    server = await api()
    ada, bob = server.new_user("ada"), server.new_user("bob")
    count = MARKS + 4
    peers = [server.new_user("peer") for _ in range(count)]
    phone = await Phone(bob, 100).start()
    for peer in peers:
        await peer.post(f"/v1/conversations/{part(f'c2c_{bob.id}')}/messages", TEXT)
    told = await phone.sync()
    assert len(told) == count
    assert not any(item["again"] for item in told.values())
    # The token holds the marks of some; the rest comes again, and says so.
    again = await phone.sync()
    assert 0 < len(again) <= count - MARKS
    assert all(item["again"] for item in again.values())
    server.clock.move(seconds=OVERLAP.total_seconds())
    await phone.sync()
    assert await phone.sync() == {}
    await a_post(ada, await a_channel(ada, bob))
    assert [item["again"] for item in (await phone.sync()).values()] == [False]


@own_loop
@pytest.mark.parametrize("late", [False, True])
async def test_an_expired_token_makes_a_device_start_anew(api: OpenApi, late: bool) -> None:
    most = 600
    server = await api(departure_seconds=most)
    scene = await Scene.of(server)
    phone = await Phone(scene.bob).start()
    await leave(scene)
    server.clock.move(seconds=most + 1 if late else most - 20)
    phone.user = server.user_of(scene.bob.id)
    if late:
        refused = await phone.user.get(f"/v1/sync?since={phone.token}")
        assert refused.refusal == (410, "sync_token_expired")
        await phone.start()
        assert scene.tea not in phone.conversations
        assert await phone.sync() == {}
    else:
        assert await phone.sync() == {scene.tea: "left"}


@pytest.mark.parametrize("token", ["x", "WyJzeW5jLWFsbCJd", "2026-01-01T00:00:00Z", "%00"])
async def test_an_invalid_token_is_refused(server: Api, token: str) -> None:
    bob = server.new_user("bob")
    good = (await bob.get("/v1/sync")).body["sync_token"]
    assert (await bob.get(f"/v1/sync?since={good}")).status == 200
    assert (await bob.get(f"/v1/sync?since={token}")).refusal == (400, "bad_cursor")
    assert (await bob.get(f"/v1/sync?cursor={token}")).refusal == (400, "bad_cursor")
    assert (await bob.get(f"/v1/sync?since={good}&cursor={token}")).refusal == (400, "bad_cursor")
    of_channels = (await bob.get("/v1/channels?subscribed=true")).body["sync_token"]
    assert (await bob.get(f"/v1/sync?since={of_channels}")).refusal == (400, "bad_cursor")


async def test_a_token_of_another_user_shows_nothing_of_theirs(server: Api) -> None:
    scene = await Scene.of(server)
    phone, eve = await Phone(scene.bob).start(), server.new_user("eve")
    await leave(scene)
    await post(scene)
    assert (await phone.user.get(f"/v1/sync?since={phone.token}")).items != []
    assert (await eve.get(f"/v1/sync?since={phone.token}")).items == []


# --- after a long sleep -----------------------------------------------------------------------------------------------

CHANNELS: Final = 30
POSTS: Final = 6
CHANGES_ASLEEP: Final = 500


async def test_a_phone_that_slept_shows_the_truth_after_a_counted_number_of_calls(
    server: Api,
) -> None:
    ada, bob, cat = (server.new_user(name) for name in ("ada", "bob", "cat"))
    paths = [await a_channel(ada, bob, cat) for _ in range(CHANNELS)]
    for _ in range(POSTS):
        await asyncio.gather(*(a_post(ada, path) for path in paths))

    async def posts_of(path: str) -> dict[int, Any]:
        page = await bob.get(f"{path}/posts?limit=100")
        return {post["seq"]: post for post in page.items}

    phone = await Phone(bob, 100).start()
    stored = {conversation_of(path): await posts_of(path) for path in paths}
    versions = {key: item["version"] for key, item in phone.conversations.items()}
    dice = random.Random(7)

    async def change(number: int) -> None:
        post = f"{dice.choice(paths)}/posts/{dice.randrange(1, POSTS + 1)}"
        match number % 4:
            case 0 | 1:
                await ada.patch(post, {"kind": "text", "text": f"Text {number}"})
            case 2 if number % 12 == 2:
                await ada.delete(post)
            case _:
                await cat.put(f"{post}/reactions/{part(dice.choice('👍🎉'))}")

    for start in range(0, CHANGES_ASLEEP, 20):
        await asyncio.gather(*(change(number) for number in range(start, start + 20)))
    phone.calls = 0
    told = await phone.sync()
    assert phone.calls == 1
    await phone.check()
    calls = 0
    for key, item in told.items():
        path = f"/v1/channels/{part(item['group_id'])}"
        answer = await bob.get(f"{path}/posts?changed_since={versions[key]}&limit=100")
        calls += 1
        assert answer.body["next_cursor"] is None
        stored[key] |= {post["seq"]: post for post in answer.items}
    assert calls == len(told) <= CHANNELS
    for path in paths:
        truth, known = await posts_of(path), stored[conversation_of(path)]
        for seq, post in truth.items():
            # Reactions are read again with what is shown, which is a page.
            assert {**known[seq], "reactions": None} == {**post, "reactions": None}, (path, seq)


# --- everything at once -----------------------------------------------------------------------------------------------


@own_loop
async def test_a_phone_that_syncs_while_everything_changes_ends_up_current(
    api: OpenApi, second_database: Database
) -> None:
    seed = random.randrange(10_000)
    print(f"seed {seed}")
    dice = random.Random(seed)
    slow_clock = MovedClock()
    slow_clock.move(seconds=-50)
    servers = [await api(), await api(database=second_database, clock=slow_clock)]
    ada, bob, root = (servers[0].new_user(name) for name in ("ada", "bob", "root"))
    channels = [await a_channel(ada, bob) for _ in range(3)]
    chats = [await a_chat_group(ada, bob) for _ in range(2)]
    writers = [ada, root]
    for path in channels:
        await a_post(ada, path)
    conversations = [
        *map(conversation_of, [*channels, *chats]),
        *(f"c2c_{writer.id}" for writer in writers),
        f"c2c_{id_of(channels[0])}",
    ]
    phones = [await Phone(bob, 3).start(), await Phone(bob, 100).start()]

    async def act(number: int) -> None:
        server = dice.choice(servers)
        owner, me = server.user_of(ada.id), server.user_of(bob.id)
        channel, chat = dice.choice(channels), dice.choice(chats)
        mine = f"/v1/conversations/{part(dice.choice(conversations))}"
        text = {"kind": "text", "text": f"Text {number}"}
        match dice.randrange(16):
            case 0 | 1:
                await owner.post(f"{channel}/posts", text)
            case 2:
                await owner.patch(f"{channel}/posts/{dice.randrange(1, 5)}", text)
            case 3:
                await owner.delete(f"{channel}/posts/{dice.randrange(1, 5)}")
            case 4:
                await owner.put(f"{channel}/posts/{dice.randrange(1, 5)}/pin")
            case 5:
                await me.post(f"{chat}/messages", text)
            case 6:
                writer = server.user_of(dice.choice(writers).id)
                await writer.post(f"/v1/conversations/{part(f'c2c_{bob.id}')}/messages", text)
            case 7 | 8:
                await me.post(f"{mine}/read", {})
            case 9:
                await me.patch(mine, {"muted": dice.random() < 0.5, "draft": f"Draft {number}"})
            case 10:
                await me.patch(mine, {"hidden": dice.random() < 0.5})
            case 11:
                folder = f"/v1/conversation-groups/F{dice.randrange(3)}"
                await me.put(folder, {"conversation_ids": [dice.choice(conversations)]})
            case 12:
                folder = f"/v1/conversation-groups/F{dice.randrange(3)}"
                if dice.random() < 0.5:
                    await me.delete(folder)
                else:
                    await me.patch(folder, {"name": f"F{dice.randrange(3)}"})
            case 13:
                await owner.patch(channel, {"name": f"News {number}"})
                await owner.patch("/v1/users/me", {"name": f"Ada {number}"})
            case 14:
                await me.delete(f"{channel}/subscription")
                await me.delete(f"{chat}/members/me")
            case _:
                await me.put(f"{channel}/subscription")
                await owner.put(f"{chat}/members/{part(bob.id)}")
        if number == 60:
            await owner.post(f"/v1/conversations/{part(f'c2c_{bob.id}')}/messages", text)
            await me.post(f"/v1/conversations/{part(f'c2c_{id_of(channels[0])}')}/messages", text)
        if number == 100:
            await owner.delete(channels[0])

    async def in_turn(numbers: range) -> None:
        for number in numbers:
            await act(number)

    async def sync_on(phone: Phone) -> None:
        for number in range(20):
            phone.user = servers[number % 2].user_of(bob.id)
            await phone.sync()

    async with asyncio.TaskGroup() as tasks:
        for phone in phones:
            tasks.create_task(sync_on(phone))
        for worker in range(3):
            tasks.create_task(in_turn(range(worker, 150, 3)))
    for phone in phones:
        await phone.sync()
        await phone.check()
