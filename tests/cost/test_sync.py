"""`GET /v1/sync` costs what unread totals do, in any number of conversations."""

import time
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Final

import pytest

from groups.kernel.ids import join_key
from tests.api import Answer, User, a_channel, a_chat_group, a_post, id_of
from tests.cost.conftest import Watched

pytestmark = pytest.mark.asyncio(loop_scope="module")

FEW: Final = 10
MANY: Final = 1_000
MOST_CPU: Final = 2.0
"""Of the CPU of unread totals, in 1,000 conversations (measured: 0.9)."""
OF_NOTHING: Final = Counter({"aggregate": 2})


async def a_member_of_many(watched: Watched, count: int) -> User:
    """A user in so many groups in which nothing happened lately; every document is as calls store it."""
    api = watched.api
    ada, bob = api.new_user("ada"), api.new_user("bob")
    path = await a_chat_group(ada, bob)
    await ada.patch(path, {"name": "Tea"})
    await ada.post(f"{path}/messages", {"kind": "text", "text": "Hello"})
    await ada.put(f"{path}/messages/1/pin")
    await bob.post(f"/v1/conversations/group_{id_of(path).replace('#', '%23')}/read", {})
    long_ago = api.clock.now() - timedelta(days=2)
    database = api.services.database
    for name, query, key in (
        ("groups", {"_id": id_of(path)}, "{}"),
        ("streams", {"_id": f"group_{id_of(path)}"}, "group_{}"),
        ("members", {"group_id": id_of(path), "user_id": bob.id}, join_key("{}", bob.id)),
        ("conversations", {"user_id": bob.id}, join_key(bob.id, "group_{}")),
    ):
        collection = database.collection(name)
        found = await collection.find_one(query)
        assert found is not None, name
        copies = []
        for number in range(count):
            group_id = f"@TGS#_{bob.id}-{number}"
            copy = {**found, "_id": key.format(group_id)}
            copy |= {field: long_ago for field in ("changed_at", "joined_at") if field in copy}
            if "group_id" in copy:
                copy["group_id"] = group_id
            if "conversation_id" in copy:
                copy["conversation_id"] = f"group_{group_id}"
            if copy.get("last"):
                copy["last"] = {**copy["last"], "at": long_ago}
            copies.append(copy)
        await collection.insert_many(copies)
    await bob.delete(f"{path}/members/me")
    return bob


async def test_it_sends_the_same_commands_for_ten_conversations_and_for_a_thousand(
    watched: Watched,
) -> None:
    sent: dict[int, list[Counter[str]]] = {FEW: [], MANY: []}
    cpu: dict[str, float] = {}
    for count, of_count in sent.items():
        bob = await a_member_of_many(watched, count)
        ada = watched.api.new_user("ada")
        news = await a_channel(ada, bob)
        start = partial(bob.get, "/v1/sync?limit=20")
        answer = await start()
        token = answer.body["sync_token"]
        nothing = partial(bob.get, f"/v1/sync?since={token}")
        of_count += [await _sent(watched, call) for call in (start, nothing)]
        # The changes that were not in the first page come with the first call.
        token = (await nothing()).body["sync_token"]
        nothing = partial(bob.get, f"/v1/sync?since={token}")
        assert (await nothing()).items == []
        of_count.append(await _sent(watched, nothing))
        if count == MANY:
            assert await _sent(watched, partial(bob.get, "/v1/users/me")) == {"aggregate": 1}
            for name, call in {"unread": partial(bob.get, "/v1/unread"), "sync": nothing}.items():
                cpu[name] = await _cpu(call)
        await a_post(ada, news)
        of_count.append(await _sent(watched, nothing))
    assert sent[FEW] == sent[MANY]
    start_sent, _, nothing_sent, change_sent = sent[MANY]
    assert nothing_sent == OF_NOTHING
    assert start_sent == change_sent == OF_NOTHING + Counter({"aggregate": 1})
    assert cpu["sync"] <= MOST_CPU * cpu["unread"], cpu


async def _sent(watched: Watched, call: Callable[[], Awaitable[Answer]]) -> Counter[str]:
    await watched.probe.take()
    assert (await call()).status == 200
    return Counter((await watched.probe.take()).commands)


async def _cpu(call: Callable[[], Awaitable[Answer]]) -> float:
    """The least processor time that the process needed for a few calls."""
    rounds = []
    for _ in range(5):
        start = time.process_time()
        for _ in range(5):
            await call()
        rounds.append(time.process_time() - start)
    return min(rounds)
