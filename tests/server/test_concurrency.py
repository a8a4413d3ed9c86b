"""Concurrency limits: so many requests of one key at once, the next ones in order, and no other key notices."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import pytest

from channels.server.limits import concurrency
from channels.server.limits.concurrency import (
    FEW_WAITING,
    WAITING_BYTES,
    ConcurrencyLimit,
    Place,
)
from groups.kernel.errors import RateLimited
from groups.kernel.ids import GroupId
from groups.models import stream_of
from groups.service.write_locks import group_lock, stream_lock
from tests.api import Answer, Api, User, a_channel, a_post, id_of
from tests.builders import Deadline
from tests.conftest import OpenApi

AT_WORK: Final = 8  # of one user, where nothing else is set


def limit_of(at_once: int, most_waiting: int = 200) -> ConcurrencyLimit:
    return ConcurrencyLimit(at_once, "requests", most_waiting=most_waiting)


async def _loop_turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def _waiting(
    limit: ConcurrencyLimit, key: str = "ada", size_bytes: int = 0
) -> "asyncio.Task[Place]":
    task = asyncio.create_task(limit.acquire(key, size_bytes))
    await _loop_turns()
    return task


def _full(most_waiting: int = 200) -> tuple[ConcurrencyLimit, Place]:
    """A limit with one place for each key; Ada's is taken."""
    limit = limit_of(1, most_waiting)
    return limit, limit.acquire_now("ada")


# --- the queue ------------------------------------------------------------------------------------------------------


def test_each_key_has_its_own_slots() -> None:
    limit = limit_of(2)
    first, second = limit.acquire_now("ada"), limit.acquire_now("ada")
    assert limit.try_acquire("ada") is None
    with pytest.raises(RateLimited):
        limit.acquire_now("ada")
    bobs = limit.acquire_now("bob")
    first.release()
    first.release()
    third = limit.acquire_now("ada")
    assert limit.try_acquire("ada") is None, "a place that is released twice is one place"
    for place in (second, third, bobs):
        place.release()
    assert limit.keys == 0


def test_zero_slots_are_no_limit() -> None:
    limit = ConcurrencyLimit(0, "requests")
    assert all(limit.try_acquire("ada") for _ in range(100))


def test_a_slot_is_released_at_the_end_of_its_block() -> None:
    limit = limit_of(1)
    for _ in range(2):
        with pytest.raises(ValueError), limit.acquire_now("ada"):
            raise ValueError
    assert limit.keys == 0


async def test_requests_run_in_the_order_in_which_they_came() -> None:
    limit, place = _full()
    tasks = [await _waiting(limit) for _ in range(3)]
    for number in range(3):
        assert [task.done() for task in tasks] == [each < number for each in range(3)]
        place.release()
        assert limit.try_acquire("ada") is None, "the place belongs to the request that waits"
        await _loop_turns()
        place = tasks[number].result()
    place.release()
    assert (limit.waiting, limit.keys) == (0, 0)


async def test_one_request_more_than_may_wait_is_refused() -> None:
    limit, place = _full(most_waiting=2)
    tasks = [await _waiting(limit) for _ in range(2)]
    with pytest.raises(RateLimited) as refused:
        await limit.acquire("ada")
    assert refused.value.retry_after_seconds > 0
    for task in tasks:
        place.release()
        place = await task
    place.release()
    assert (limit.waiting, limit.keys) == (0, 0)


async def test_a_refusal_where_none_may_wait_leaves_nothing_behind() -> None:
    limit, place = _full(most_waiting=0)
    with pytest.raises(RateLimited):
        await limit.acquire("ada")
    place.release()
    assert (limit.waiting, limit.keys) == (0, 0)


async def test_a_request_that_is_bounded_elsewhere_waits_beyond_the_bound() -> None:
    limit, place = _full(most_waiting=0)
    chunk = asyncio.create_task(limit.acquire("ada", is_bounded=False))
    await _loop_turns()
    assert not chunk.done()
    place.release()
    (await chunk).release()


async def test_waiting_bodies_are_bounded_but_one_may_always_wait() -> None:
    limit, place = _full()
    first = await _waiting(limit, size_bytes=WAITING_BYTES)
    with pytest.raises(RateLimited):
        await limit.acquire("ada", 1)
    place.release()
    place = await first
    tasks = [
        await _waiting(limit, size_bytes=WAITING_BYTES - 1),
        await _waiting(limit, size_bytes=1),
    ]
    with pytest.raises(RateLimited):
        await limit.acquire("ada", 1)
    for task in tasks:
        place.release()
        place = await task


async def test_a_key_may_have_a_few_waiting_while_many_wait_in_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(concurrency, "WAITING_IN_ALL", 100)
    limit = limit_of(1)
    for key in ("ada", "bob"):
        limit.acquire_now(key)
    tasks = [await _waiting(limit) for _ in range(100)]
    with pytest.raises(RateLimited):
        await limit.acquire("ada")
    tasks += [await _waiting(limit, "bob") for _ in range(FEW_WAITING)]
    with pytest.raises(RateLimited):
        await limit.acquire("bob")
    assert limit.waiting == 100 + FEW_WAITING
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert limit.waiting == 0


async def test_a_request_that_waits_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(concurrency, "WAITING_SECONDS", 0.01)
    limit, place = _full()
    with pytest.raises(RateLimited):
        await limit.acquire("ada", 7)
    place.release()
    assert (limit.waiting, limit.keys) == (0, 0)


@pytest.mark.parametrize("is_given_first", [True, False])
async def test_a_request_whose_client_goes_away_blocks_no_other(is_given_first: bool) -> None:
    limit, place = _full()
    gone, stays = [await _waiting(limit) for _ in range(2)]
    if is_given_first:
        place.release()
        gone.cancel()
    else:
        gone.cancel()
        place.release()
    await _loop_turns()
    stays.result().release()
    assert (limit.waiting, limit.keys) == (0, 0)


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


async def test_requests_beyond_a_users_slots_wait_and_take_no_one_elses(api: OpenApi) -> None:
    server = await api()
    ada, bob = server.new_user("ada"), server.new_user("bob")
    path = await a_channel(ada, bob)
    await a_post(ada, path)
    requests, load_shedder = server.app.handlers.user_requests, server.app.load_shedder
    locks = server.services.database.locks
    async with _stuck_edits(server, ada, path, AT_WORK + 3) as edits:
        await _until(lambda: requests.waiting == 3, "those beyond the places")
        await _until(lambda: locks.waiting == AT_WORK, "those at work")
        assert load_shedder.at_work == 0
        # Ada's next request waits for her own, Bob's for nobody's.
        late = asyncio.create_task(ada.get("/v1/unread"))
        await _until(lambda: requests.waiting == 4, "the next one")
        for _ in range(20):
            assert (await bob.get(f"{path}/posts")).status == 200
    assert [answer.status for answer in await asyncio.gather(*edits)] == [200] * len(edits)
    assert (await late).status == 200
    assert (requests.waiting, locks.held, load_shedder.at_work) == (0, 0, 0)


async def test_one_request_more_than_a_user_may_have_waiting_gets_429(
    api: OpenApi,
) -> None:
    server = await api(requests_at_work_per_user=2, waiting_requests_per_user=3)
    ada = server.new_user("ada")
    path = await a_channel(ada)
    await a_post(ada, path)
    requests = server.app.handlers.user_requests
    async with _stuck_edits(server, ada, path, 5) as edits:
        await _until(lambda: requests.waiting == 3, "those who may wait")
        refused = await ada.get("/v1/unread")
        assert (refused.status, refused.body["code"]) == (429, "rate_limited")
        assert int(refused.headers["Retry-After"]) >= 1
    assert [answer.status for answer in await asyncio.gather(*edits)] == [200] * 5
    assert (await ada.get("/v1/unread")).status == 200


async def test_the_back_end_has_more_slots_and_a_bound_too(api: OpenApi) -> None:
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
        await _until(
            lambda: server.app.handlers.back_end_requests.waiting == 2, "those who may wait"
        )
        assert (await app.get("/v1/unread")).status == 429
        # As a user of the same id, it has the places of one.
        assert (await server.user_of(app.id).get("/v1/unread")).status == 200
    assert [answer.status for answer in await asyncio.gather(*edits)] == [200] * 5


async def test_a_body_that_is_still_being_sent_takes_no_slot_of_its_user(
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


async def test_a_page_that_sends_many_requests_at_once_is_served(api: OpenApi) -> None:
    server = await api()
    ada = server.new_user("ada")
    path = await a_channel(ada)
    answers = await asyncio.gather(*(ada.get(f"{path}/posts") for _ in range(100)))
    assert {answer.status for answer in answers} == {200}


@pytest.mark.parametrize(
    ("edits", "editors"), [(76, 1), pytest.param(300, 1, marks=pytest.mark.long), (300, 10)]
)
async def test_parallel_edits_of_one_message_do_not_get_others_refused(
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
    assert (locks.held, locks.waiting, server.app.handlers.user_requests.waiting) == (0, 0, 0)
    shown = await bob.get(f"{path}/posts/1")
    assert shown.body["text"].startswith("Edit ")


async def test_joins_do_not_wait_for_queued_profile_changes(api: OpenApi) -> None:
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
