"""A batch whose commit was made and not heard of runs again, and finds what it stored: also without a caller's key."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from pymongo.errors import AutoReconnect

from groups.kernel.mongo import Database, Tx
from tests.api import User, a_chat_group
from tests.conftest import OpenApi

WORDS = [f"m{number}" for number in range(5)]


class LostCommits:
    """The process does not hear of the next `times` commits that tell something."""

    def __init__(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        self.times = 0
        self._transaction = database.transaction
        monkeypatch.setattr(database, "transaction", self._lossy)

    @asynccontextmanager
    async def _lossy(self, attempt: int = 0, keys: Sequence[str] = ()) -> AsyncIterator[Tx]:
        async with self._transaction(attempt, keys) as tx:
            yield tx
        if self.times and tx.events:
            self.times -= 1
            raise AutoReconnect("connection closed")


@pytest.mark.parametrize("is_dialogue", [False, True])
async def test_messages_without_keys_are_stored_once_on_unknown_commits(
    api: OpenApi, monkeypatch: pytest.MonkeyPatch, is_dialogue: bool
) -> None:
    server = await api()
    ada, bob = server.new_user("ada"), server.new_user("bob")
    if is_dialogue:
        paths = {
            ada.id: f"/v1/conversations/c2c_{bob.id}/messages",
            bob.id: f"/v1/conversations/c2c_{ada.id}/messages",
        }
        # Who is written to answers: then both write as much as they like.
        for user in (ada, bob):
            begun = await user.post(paths[user.id], {"kind": "text", "text": "Hello"})
            assert begun.status == 201
    else:
        path = await a_chat_group(ada, bob)
        paths = dict.fromkeys((ada.id, bob.id), f"{path}/messages")
    before = (await ada.get(paths[ada.id])).items
    lost = LostCommits(server.services.database, monkeypatch)
    lost.times = 1

    async def say(user: User, words: str) -> tuple[int, str]:
        answer = await user.post(paths[user.id], {"kind": "text", "text": words})
        assert answer.status == 201, answer
        return answer.body["seq"], answer.body["text"]

    told = await asyncio.gather(
        *(say((ada, bob)[number % 2], words) for number, words in enumerate(WORDS))
    )
    assert lost.times == 0
    added = (await ada.get(paths[ada.id])).items[: -len(before) or None]
    # Each caller is answered with the one message that holds their words.
    assert sorted(told) == sorted((item["seq"], item["text"]) for item in added)
    assert sorted(words for _, words in told) == WORDS
    assert [seq for seq, _ in sorted(told)] == [len(before) + 1 + n for n in range(len(WORDS))]
