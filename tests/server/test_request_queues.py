"""One user's requests at once: so many are worked on, the next ones wait for these, and nobody else notices."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import pytest

from channels.server.limits import concurrency
from channels.server.limits.concurrency import FEW_WAITING, WAITING_BYTES, QueuedLimit
from groups.kernel.errors import RateLimited
from groups.kernel.ids import GroupId
from groups.models import stream_of
from groups.service.write_locks import group_lock, stream_lock
from tests.api import Answer, Api, User, a_channel, a_post, id_of
from tests.builders import Deadline
from tests.conftest import OpenApi

AT_WORK: Final = 8  # of one user, where nothing else is set


async def _loop_turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def _waiting(turns: QueuedLimit, user_id: str, size_bytes: int = 0) -> "asyncio.Task[None]":
    task = asyncio.create_task(turns.wait(user_id, size_bytes))
    await _loop_turns()
    return task


def _full(most_waiting: int = 200) -> QueuedLimit:
    """Ada's only place is taken."""
    turns = QueuedLimit(1, most_waiting, "requests")
    assert turns.take("ada")
    return turns


# --- the queue ------------------------------------------------------------------------------------------------------


def test_a_user_takes_so_many_places_and_no_more_and_another_user_has_their_own() -> None:
    turns = QueuedLimit(2, 10, "requests")
    assert [turns.take("ada") for _ in range(3)] == [True, True, False]
    assert turns.take("bob")
    turns.give_back("ada")
    assert [turns.take("ada") for _ in range(2)] == [True, False]


def test_zero_places_are_no_limit() -> None:
    turns = QueuedLimit(0, 0, "requests")
    assert all(turns.take("ada") for _ in range(100))


async def test_requests_get_their_turn_in_the_order_in_which_they_came() -> None:
    turns = _full()
    tasks = [await _waiting(turns, "ada") for _ in range(3)]
    for number in range(3):
        assert [task.done() for task in tasks] == [place < number for place in range(3)]
        turns.give_back("ada")
        # Nobody overtakes those who were given the place and have not run yet.
        assert not turns.take("ada")
        await _loop_turns()
    turns.give_back("ada")
    assert turns.waiting == 0
    assert turns.is_idle


async def test_one_request_more_than_may_wait_is_refused_and_told_when_to_come_back() -> None:
    turns = _full(most_waiting=2)
    tasks = [await _waiting(turns, "ada") for _ in range(2)]
    with pytest.raises(RateLimited) as refused:
        await turns.wait("ada", 0)
    assert refused.value.retry_after_seconds > 0
    for task in tasks:
        turns.give_back("ada")
        await task
    turns.give_back("ada")
    assert turns.is_idle


async def test_where_none_may_wait_the_refusal_leaves_nothing_behind() -> None:
    turns = _full(most_waiting=0)
    with pytest.raises(RateLimited):
        await turns.wait("ada", 0)
    turns.give_back("ada")
    assert turns.is_idle


async def test_the_bodies_of_waiting_requests_are_bounded_but_one_may_always_wait() -> None:
    turns = _full()
    tasks = [await _waiting(turns, "ada", WAITING_BYTES)]
    with pytest.raises(RateLimited):
        await turns.wait("ada", 1)
    turns.give_back("ada")
    await tasks[0]
    tasks.append(await _waiting(turns, "ada", WAITING_BYTES - 1))
    tasks.append(await _waiting(turns, "ada", 1))
    with pytest.raises(RateLimited):
        await turns.wait("ada", 1)
    for _ in range(3):
        turns.give_back("ada")
    await asyncio.gather(*tasks)


async def test_while_many_wait_in_all_a_user_may_still_have_a_few_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(concurrency, "WAITING_IN_ALL", 100)
    turns = QueuedLimit(1, 200, "requests")
    for user_id in ("ada", "bob"):
        turns.take(user_id)
    tasks = [await _waiting(turns, "ada") for _ in range(100)]
    with pytest.raises(RateLimited):
        await turns.wait("ada", 0)
    tasks += [await _waiting(turns, "bob") for _ in range(FEW_WAITING)]
    with pytest.raises(RateLimited):
        await turns.wait("bob", 0)
    assert turns.waiting == 100 + FEW_WAITING
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert turns.waiting == 0


async def test_a_request_that_waits_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(concurrency, "WAITING_SECONDS", 0.01)
    turns = _full()
    with pytest.raises(RateLimited):
        await turns.wait("ada", 7)
    turns.give_back("ada")
    assert turns.is_idle


@pytest.mark.parametrize("is_given_first", [True, False])
async def test_a_request_whose_client_goes_away_holds_up_nobody(is_given_first: bool) -> None:
    turns = _full()
    gone, stays = [await _waiting(turns, "ada") for _ in range(2)]
    if is_given_first:
        turns.give_back("ada")
        gone.cancel()
    else:
        gone.cancel()
        turns.give_back("ada")
    await _loop_turns()
    assert stays.done()
    turns.give_back("ada")
    assert turns.is_idle


# --- over HTTP ------------------------------------------------------------------------------------------------------


async def _until(what: Callable[[], bool], words: str) -> None:
    deadline = Deadline()
    while not what():
        deadline.check(words)
        await asyncio.sleep(0.005)


@asynccontextmanager
async def _stuck_edits(
    server: Api, writer: User, path: str, number: int
) -> AsyncIterator[list["asyncio.Task[Answer]"]]:
    """Edits of the channel's first post, which wait for its stream until the end of the body."""
    locks = server.services.database.locks
    async with locks.hold(stream_lock(stream_of(GroupId(id_of(path))))):
        edits = [
            asyncio.create_task(
                writer.patch(f"{path}/posts/1", {"kind": "text", "text": f"Edit {each}"})
            )
            for each in range(number)
        ]
        yield edits


async def test_requests_beyond_a_users_places_wait_and_take_nobodys_place(api: OpenApi) -> None:
    server = await api()
    ada, bob = server.new_user("ada"), server.new_user("bob")
    path = await a_channel(ada, bob)
    await a_post(ada, path)
    turns, load_shedder = server.app.handlers.user_queues, server.app.load_shedder
    locks = server.services.database.locks
    async with _stuck_edits(server, ada, path, AT_WORK + 3) as edits:
        await _until(lambda: turns.waiting == 3, "those beyond the places")
        await _until(lambda: locks.waiting == AT_WORK, "those at work")
        assert load_shedder.at_work == 0
        # Ada's next request waits for her own, Bob's for nobody's.
        late = asyncio.create_task(ada.get("/v1/unread"))
        await _until(lambda: turns.waiting == 4, "the next one")
        for _ in range(20):
            assert (await bob.get(f"{path}/posts")).status == 200
    assert [answer.status for answer in await asyncio.gather(*edits)] == [200] * len(edits)
    assert (await late).status == 200
    assert (turns.waiting, locks.held, load_shedder.at_work) == (0, 0, 0)


async def test_one_request_more_than_a_user_may_have_waiting_is_told_to_come_back(
    api: OpenApi,
) -> None:
    server = await api(requests_at_work_per_user=2, waiting_requests_per_user=3)
    ada = server.new_user("ada")
    path = await a_channel(ada)
    await a_post(ada, path)
    turns = server.app.handlers.user_queues
    async with _stuck_edits(server, ada, path, 5) as edits:
        await _until(lambda: turns.waiting == 3, "those who may wait")
        refused = await ada.get("/v1/unread")
        assert (refused.status, refused.body["code"]) == (429, "rate_limited")
        assert int(refused.headers["Retry-After"]) >= 1
    assert [answer.status for answer in await asyncio.gather(*edits)] == [200] * 5
    assert (await ada.get("/v1/unread")).status == 200


async def test_the_applications_back_end_has_more_places_and_a_bound_too(api: OpenApi) -> None:
    server = await api(
        requests_at_work_per_user=1,
        waiting_requests_per_user=0,
        requests_at_work_per_back_end=3,
        waiting_requests_per_back_end=2,
    )
    ada, app = server.new_user("ada"), server.new_user("app", admin=True)
    path = await a_channel(ada)
    await a_post(ada, path)
    async with _stuck_edits(server, app, path, 5) as edits:
        await _until(lambda: server.app.handlers.back_end_queues.waiting == 2, "those who may wait")
        assert (await app.get("/v1/unread")).status == 429
        # As a user of the same id, it has the places of one.
        assert (await server.user_of(app.id).get("/v1/unread")).status == 200
    assert [answer.status for answer in await asyncio.gather(*edits)] == [200] * 5


async def test_a_body_that_is_still_being_sent_takes_none_of_its_users_places(
    api: OpenApi,
) -> None:
    server = await api(requests_at_work_per_user=1, waiting_requests_per_user=0)
    ada = server.new_user("ada")
    going_on = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b'{"type": "public",'
        await going_on.wait()
        yield b'"name": "Tea"}'

    headers = {"Authorization": f"Bearer {ada.token}", "Content-Type": "application/json"}
    posting = asyncio.create_task(
        ada.http.post(server.base + "/v1/groups", data=slowly(), headers=headers)
    )
    for _ in range(20):
        assert (await ada.get("/v1/unread")).status == 200
    going_on.set()
    async with await posting as answer:
        assert answer.status == 201


async def test_a_page_that_asks_for_many_things_at_once_is_served(api: OpenApi) -> None:
    server = await api()
    ada = server.new_user("ada")
    path = await a_channel(ada)
    answers = await asyncio.gather(*(ada.get(f"{path}/posts") for _ in range(100)))
    assert {answer.status for answer in answers} == {200}


@pytest.mark.parametrize(("edits", "editors"), [(76, 1), (300, 1), (300, 10)])
async def test_edits_of_one_message_in_parallel_have_nobody_else_refused(
    api: OpenApi, edits: int, editors: int
) -> None:
    # Requests that wait longer than half a second take places away, as outside of tests.
    server = await api(waiting_milliseconds=500)
    owner, bob = server.new_user("owner"), server.new_user("bob")
    admins = [server.new_user(f"admin{number}") for number in range(editors)]
    path = await a_channel(owner, bob, admins=tuple(admins))
    await a_post(owner, path)

    async def others() -> list[int]:
        own = await a_channel(bob)
        answers: list[Answer] = []
        for number in range(6):
            answers.append(await bob.get(f"{path}/posts"))
            answers.append(await bob.post(f"{own}/posts", {"kind": "text", "text": f"{number}"}))
            emoji = ("%F0%9F%91%8D", "%F0%9F%94%A5")[number % 2]
            answers.append(await bob.put(f"{path}/posts/1/reactions/{emoji}"))
        return [answer.status for answer in answers]

    storm = asyncio.gather(
        *(
            admins[number % editors].patch(
                f"{path}/posts/1", {"kind": "text", "text": f"Edit {number}"}
            )
            for number in range(edits)
        )
    )
    assert Counter(await others()) == {200: 12, 201: 6}
    statuses = Counter(answer.status for answer in await storm)
    assert statuses.keys() <= {200, 429}
    # Of one user, as many as may be at work and wait.
    assert statuses[200] >= min(edits, 200)
    locks = server.services.database.locks
    assert (locks.held, locks.waiting, server.app.handlers.user_queues.waiting) == (0, 0, 0)
    shown = await bob.get(f"{path}/posts/1")
    assert shown.body["text"].startswith("Edit ")


async def test_joins_are_not_held_up_by_who_waits_to_change_the_profile(api: OpenApi) -> None:
    server = await api()
    owner, bob = server.new_user("owner"), server.new_user("bob")
    path = await a_channel(owner)
    locks = server.services.database.locks
    async with locks.hold(group_lock(GroupId(id_of(path)))):
        changes = [
            asyncio.create_task(owner.patch(path, {"introduction": f"{number}"}))
            for number in range(AT_WORK)
        ]
        await _until(lambda: locks.waiting == AT_WORK, "the changes")
        joining = asyncio.create_task(bob.put(f"{path}/subscription"))
        await _until(lambda: locks.waiting == AT_WORK + 1, "the join")
    assert (await joining).status == 200
    # It waited for one change at most.
    assert sum(change.done() for change in changes) <= 3
    assert {answer.status for answer in await asyncio.gather(*changes)} == {200}
