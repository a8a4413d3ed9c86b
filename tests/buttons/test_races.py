"""Presses under races: two servers on one database, and messages that are edited or deleted meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio
from rich.console import Console

from channels.limits import Limits
from channels.verify.command import verify
from groups.kernel.mongo import Database
from tests.api import Api, User, a_channel, open_api, open_database, part
from tests.buttons.test_buttons import EVENT, REPLY, presses, with_buttons
from tests.mongod import DRIVER


@pytest_asyncio.fixture
async def both(mongod_uri: str) -> AsyncIterator[tuple[Api, Api]]:
    async with open_database(mongod_uri) as database:
        name = database.collection("any").database.name
        other = await Database.connect(mongod_uri, name, driver=DRIVER)
        try:
            async with open_api(database) as first, open_api(other) as second:
                yield first, second
        finally:
            await other.close()


async def test_presses_through_two_processes_count_each_user_once_and_send_each_text_once(
    both: tuple[Api, Api],
) -> None:
    first, second = both
    ada, users = first.new_user(), [first.new_user() for _ in range(12)]
    channel = await a_channel(ada, *users)

    def there(user: User) -> User:
        return User(second.http, second.base, user.id, user.token)

    for ends in ("stays", "is edited", "is deleted"):
        sent = await ada.post(f"{channel}/posts", with_buttons([EVENT, REPLY]))
        post = f"{channel}/posts/{sent.body['seq']}"
        calls: list[Any] = [
            process.put(f"{post}/buttons/{button}/press")
            for user in users
            for process in (user, there(user))
            for button in (0, 1)
        ]
        if ends == "is edited":
            calls.insert(9, ada.patch(post, with_buttons([REPLY, EVENT])))
        if ends == "is deleted":
            calls.insert(9, there(ada).delete(post))
        answers = await asyncio.gather(*calls)
        assert {answer.status for answer in answers} <= {200, 204, 409}
        if ends == "stays":
            assert {answer.status for answer in answers} == {200}
            assert presses((await ada.get(post)).body["buttons"]) == [12, 12]
            for user in users:
                items = (await ada.get(f"{channel}/inbox/{part(user.id)}/messages")).items
                assert [item["text"] for item in items] == ["Please call me"]
        outcomes = await verify(
            first.services.database, Limits(), console=Console(quiet=True), repair=False
        )
        assert all(outcome.is_clean for outcome in outcomes), ends
