"""Group commit: batches, independence, cancellation, bounds; conflicts on the real database."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from groups.kernel.batching.group_commit import GroupCommit, each_key
from groups.kernel.errors import BadCursor, DomainError, Unavailable
from groups.kernel.mongo import Database, Tx
from tests.builders import Deadline, mock_database
from tests.kernel.conftest import Connect


class GatedWrites:
    """Applies batches that wait behind a gate; entries are numbers, results the same times ten."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self.batches: list[dict[str, list[int]]] = []
        self.poison: set[int] = set()

    async def apply(
        self, tx: Tx, batch: Mapping[str, Sequence[int]]
    ) -> Mapping[str, Sequence[int | DomainError]]:
        self.batches.append({key: list(entries) for key, entries in batch.items()})
        await self.gate.wait()
        if any(self.poison & set(entries) for entries in batch.values()):
            raise RuntimeError("poison")
        return {
            key: [BadCursor() if entry < 0 else entry * 10 for entry in entries]
            for key, entries in batch.items()
        }

    async def began(self, batches: int) -> None:
        """Wait until so many batches have begun."""
        deadline = Deadline()
        while len(self.batches) < batches:
            deadline.check(f"batch {batches}")
            await asyncio.sleep(0)


@pytest.fixture
def writes() -> GatedWrites:
    return GatedWrites()


def _commit(writes: GatedWrites, **options: Any) -> GroupCommit[int, int]:
    return GroupCommit(mock_database(), writes.apply, name="test", **options)


async def _submit_all(
    commit: GroupCommit[int, int], entries: Sequence[int], key: str = "k"
) -> list[asyncio.Task[int]]:
    """Submit the entries in this order; returns their tasks."""
    tasks = [asyncio.create_task(commit.submit(key, entry)) for entry in entries]
    await asyncio.sleep(0)
    return tasks


async def test_a_lone_entry_shares_no_transaction_and_keeps_its_place(
    writes: GatedWrites,
) -> None:
    commit = _commit(writes, is_alone=lambda entry: entry >= 100)
    writes.gate.clear()
    tasks = await _submit_all(commit, [1])
    await writes.began(1)
    tasks += await _submit_all(commit, [2, 3, 100, 101, 4, 5])
    writes.gate.set()
    assert await asyncio.gather(*tasks) == [10, 20, 30, 1000, 1010, 40, 50]
    assert [batch["k"] for batch in writes.batches] == [[1], [2, 3], [100], [101], [4, 5]]


async def test_a_key_whose_lock_is_held_waits_for_it_and_the_others_do_not(
    writes: GatedWrites,
) -> None:
    database = mock_database()
    commit = GroupCommit(database, writes.apply, name="test", locks_of=lambda key: key.split()[:1])
    async with database.locks.hold("one"):
        tasks = [
            task
            for number, key in enumerate(("one a", "two b", "three c"))
            for task in await _submit_all(commit, [number], key)
        ]
        assert await asyncio.gather(*tasks[1:]) == [10, 20]
        assert writes.batches == [{"two b": [1], "three c": [2]}]
    assert await tasks[0] == 0
    assert writes.batches[1:] == [{"one a": [0]}]


async def test_keys_that_share_a_lock_are_in_one_transaction_or_take_turns(
    writes: GatedWrites,
) -> None:
    commit = _commit(writes, locks_of=lambda key: key.split()[:1])
    writes.gate.clear()
    tasks = await _submit_all(commit, [1], "one a") + await _submit_all(commit, [2], "one b")
    await writes.began(1)
    tasks += await _submit_all(commit, [3], "one c")
    for _ in range(20):
        await asyncio.sleep(0)
    assert writes.batches == [{"one a": [1], "one b": [2]}]
    writes.gate.set()
    assert await asyncio.gather(*tasks) == [10, 20, 30]
    assert writes.batches[1:] == [{"one c": [3]}]


async def test_an_entry_of_an_idle_key_is_committed_alone_and_at_once(writes: GatedWrites) -> None:
    commit = _commit(writes)
    assert await commit.submit("k", 1) == 10
    assert await commit.submit("k", 2) == 20
    assert writes.batches == [{"k": [1]}, {"k": [2]}]


async def test_entries_gather_while_a_batch_runs_and_keep_their_order(writes: GatedWrites) -> None:
    writes.gate.clear()
    commit = _commit(writes)
    tasks = await _submit_all(commit, [1])
    await writes.began(1)
    tasks += await _submit_all(commit, [5, 3, 4, 2])
    assert commit.waiting == 4
    writes.gate.set()
    assert await asyncio.gather(*tasks) == [10, 50, 30, 40, 20]
    assert writes.batches == [{"k": [1]}, {"k": [5, 3, 4, 2]}]
    assert commit.waiting == 0


async def test_a_batch_is_bounded(writes: GatedWrites) -> None:
    commit = _commit(writes, max_batch=2)
    await asyncio.gather(*await _submit_all(commit, [1, 2, 3, 4, 5]))
    assert [batch["k"] for batch in writes.batches] == [[1, 2], [3, 4], [5]]


async def test_keys_that_wait_share_a_batch(writes: GatedWrites) -> None:
    commit = _commit(writes)
    tasks = await _submit_all(commit, [1], key="a") + await _submit_all(commit, [2, 3], key="b")
    assert await asyncio.gather(*tasks) == [10, 20, 30]
    assert writes.batches == [{"a": [1], "b": [2, 3]}]


async def test_a_key_that_is_not_under_way_has_another_batch_at_once(writes: GatedWrites) -> None:
    writes.gate.clear()
    commit = _commit(writes)
    tasks = await _submit_all(commit, [1], key="a")
    await writes.began(1)
    tasks += await _submit_all(commit, [2], key="a") + await _submit_all(commit, [3], key="b")
    await writes.began(2)
    tasks += await _submit_all(commit, [4], key="c") + await _submit_all(commit, [5], key="b")
    for _ in range(20):
        await asyncio.sleep(0)
    assert writes.batches == [{"a": [1]}, {"b": [3]}]
    writes.gate.set()
    assert await asyncio.gather(*tasks) == [10, 20, 30, 40, 50]
    # The key that waited longer goes first.
    assert [list(batch.items()) for batch in writes.batches[2:]] == [
        [("c", [4]), ("a", [2]), ("b", [5])]
    ]


@pytest.mark.parametrize(("most", "sizes"), [(3, [3, 1]), (4, [4])])
async def test_the_keys_of_a_batch_are_bounded(
    writes: GatedWrites, most: int, sizes: list[int]
) -> None:
    database = mock_database(keys_per_transaction=most)
    commit = GroupCommit(database, writes.apply, name="test")
    tasks = [task for key in "abcd" for task in await _submit_all(commit, [1], key)]
    assert await asyncio.gather(*tasks) == [10] * 4
    assert [len(batch) for batch in writes.batches] == sizes


async def test_a_hot_key_has_no_more_than_its_share_of_a_batch(writes: GatedWrites) -> None:
    commit = _commit(writes, max_batch=9)
    entries = [("hot", number) for number in range(20)] + [("a", 1), ("a", 2), ("b", 3)]
    await asyncio.gather(*(commit.submit(key, number) for key, number in entries))
    assert writes.batches[0] == {"hot": [0, 1, 2], "a": [1, 2], "b": [3]}
    assert writes.batches[1] == {"hot": list(range(3, 12))}


async def test_an_entry_that_fails_is_found_among_several_keys(writes: GatedWrites) -> None:
    writes.poison = {5}
    commit = _commit(writes)
    tasks = [
        task for number in range(8) for task in await _submit_all(commit, [number], f"key {number}")
    ]
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(outcomes[5], RuntimeError)
    assert [o for n, o in enumerate(outcomes) if n != 5] == [n * 10 for n in range(8) if n != 5]
    assert len(writes.batches) == 7


async def test_one_entrys_refusal_is_its_own(writes: GatedWrites) -> None:
    commit = _commit(writes)
    outcomes = await asyncio.gather(*await _submit_all(commit, [1, -2, 3]), return_exceptions=True)
    assert [outcomes[0], outcomes[2]] == [10, 30]
    assert isinstance(outcomes[1], BadCursor)
    assert len(writes.batches) == 1


@pytest.mark.parametrize("poisoned", [0, 3, 4, 7])
async def test_an_entry_that_makes_the_batch_fail_is_found_by_halving(
    writes: GatedWrites, poisoned: int
) -> None:
    writes.poison = {poisoned}
    commit = _commit(writes)
    outcomes = await asyncio.gather(*await _submit_all(commit, range(8)), return_exceptions=True)
    assert isinstance(outcomes[poisoned], RuntimeError)
    assert [o for n, o in enumerate(outcomes) if n != poisoned] == [
        n * 10 for n in range(8) if n != poisoned
    ]
    # The batch of 8, then both halves at each step down to the one entry, instead of every entry by itself.
    assert len(writes.batches) == 7


async def test_every_poison_entry_is_found(writes: GatedWrites) -> None:
    writes.poison = {1, 2, 6}
    commit = _commit(writes)
    outcomes = await asyncio.gather(*await _submit_all(commit, range(8)), return_exceptions=True)
    assert {n for n, o in enumerate(outcomes) if isinstance(o, RuntimeError)} == {1, 2, 6}
    assert [outcomes[n] for n in (0, 3, 4, 5, 7)] == [0, 30, 40, 50, 70]


async def test_a_caller_that_goes_away_withdraws_only_its_waiting_entry(
    writes: GatedWrites,
) -> None:
    writes.gate.clear()
    commit = _commit(writes)
    running = await _submit_all(commit, [1])
    await writes.began(1)
    kept, dropped, also_kept = await _submit_all(commit, [2, 3, 4])
    dropped.cancel()
    await asyncio.sleep(0)
    writes.gate.set()
    assert await asyncio.gather(*running, kept, also_kept) == [10, 20, 40]
    assert writes.batches == [{"k": [1]}, {"k": [2, 4]}]
    assert commit.waiting == 0


async def test_a_caller_that_goes_away_while_its_batch_runs_does_not_stop_it(
    writes: GatedWrites,
) -> None:
    writes.gate.clear()
    commit = _commit(writes)
    gone, stays = await _submit_all(commit, [1, 2])
    await writes.began(1)
    gone.cancel()
    await asyncio.sleep(0)
    writes.gate.set()
    assert await stays == 20
    assert gone.cancelled()
    assert writes.batches == [{"k": [1, 2]}]


async def test_a_queue_whose_callers_all_went_away_commits_nothing(writes: GatedWrites) -> None:
    writes.gate.clear()
    commit = _commit(writes)
    (running,) = await _submit_all(commit, [1])
    await writes.began(1)
    for task in await _submit_all(commit, [2, 3]):
        task.cancel()
    await asyncio.sleep(0)
    writes.gate.set()
    assert await running == 10
    await commit.close()
    assert writes.batches == [{"k": [1]}]
    assert await commit.submit("k", 4) == 40


async def test_one_entry_more_than_the_queue_holds_is_refused_at_once(writes: GatedWrites) -> None:
    writes.gate.clear()
    commit = _commit(writes, max_waiting=3)
    running = await _submit_all(commit, [1], key="a")
    await writes.began(1)
    # The bound is for all queues together; a batch that has begun does not count.
    waiting = await _submit_all(commit, [2, 3], key="a")
    waiting += await _submit_all(commit, [4], key="b")
    with pytest.raises(Unavailable, match="waiting"):
        await commit.submit("c", 5)
    writes.gate.set()
    assert await asyncio.gather(*running, *waiting) == [10, 20, 30, 40]
    assert await commit.submit("c", 5) == 50


async def test_closing_waits_for_all_that_was_submitted(writes: GatedWrites) -> None:
    writes.gate.clear()
    commit = _commit(writes, max_batch=1)
    tasks = await _submit_all(commit, [1, 2, 3])
    closing = asyncio.create_task(commit.close())
    await writes.began(1)
    assert not closing.done()
    writes.gate.set()
    await closing
    assert [task.result() for task in tasks] == [10, 20, 30]


async def test_each_batch_is_reported_with_its_size_and_the_entries_behind_it(
    writes: GatedWrites,
) -> None:
    told: list[tuple[str, int, int]] = []

    def hear(name: str, size: int, waiting: int) -> None:
        told.append((name, size, waiting))

    commit: GroupCommit[int, int] = GroupCommit(
        mock_database(), writes.apply, name="joins", max_batch=2, on_batch=hear
    )
    await asyncio.gather(*await _submit_all(commit, [1, 2, 3]))
    await commit.submit("k", 4)
    assert told == [("joins", 2, 1), ("joins", 1, 0), ("joins", 1, 0)]


def _counter(connection: Database, name: str) -> GroupCommit[int, int]:
    """Adds entries to one number by reading and writing it, which only a transaction makes safe."""
    numbers = connection.collection("numbers")

    async def apply(tx: Tx, key: str, entries: Sequence[int]) -> Sequence[int | DomainError]:
        found = await numbers.find_one({"_id": key}, session=tx.session)
        assert found is not None
        value: int = found["value"]
        results = []
        for entry in entries:
            value += entry
            results.append(value)
        await numbers.update_one({"_id": key}, {"$set": {"value": value}}, session=tx.session)
        return results

    return GroupCommit(connection, each_key(apply), name=name)


async def test_two_processes_that_write_one_document_lose_no_entry(connect: Connect) -> None:
    one, other = await connect(), await connect()
    await one.collection("numbers").insert_one({"_id": "n", "value": 0})
    lanes = [_counter(one, "one"), _counter(other, "other")]
    results = await asyncio.gather(*(lanes[n % 2].submit("n", 1) for n in range(200)))
    # No two committed transactions read the same number.
    assert sorted(results) == list(range(1, 201))
    assert await one.collection("numbers").find_one({}) == {"_id": "n", "value": 200}


async def test_entries_behind_an_outage_do_not_wait_for_another_one(
    writes: GatedWrites, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = mock_database()
    run, away = connection.run, asyncio.Event()
    runs: list[object] = []

    async def lose(work: Any, *_: str, **__: Any) -> Any:
        runs.append(work)
        if len(runs) > 1:
            return await run(work)
        await away.wait()
        raise Unavailable("gone")

    monkeypatch.setattr(connection, "run", lose)
    commit: GroupCommit[int, int] = GroupCommit(connection, writes.apply, name="test")
    first = await _submit_all(commit, [1])
    deadline = Deadline()
    while not runs:
        deadline.check("the first batch")
        await asyncio.sleep(0)
    behind = await _submit_all(commit, [2, 3])
    assert commit.waiting == 2
    away.set()
    outcomes = await asyncio.gather(*first, *behind, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Unavailable] * 3
    assert (len(runs), writes.batches, commit.waiting) == (1, [], 0)
    # A new entry is tried again.
    assert await commit.submit("k", 4) == 40


async def test_an_unknown_outcome_is_raised_to_every_caller_of_the_batch(
    writes: GatedWrites, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = mock_database()

    async def lose(work: object, *_: str, **__: object) -> None:
        raise Unavailable("gone")

    monkeypatch.setattr(connection, "run", lose)
    commit: GroupCommit[int, int] = GroupCommit(connection, writes.apply, name="test")
    outcomes = await asyncio.gather(*await _submit_all(commit, [1, 2]), return_exceptions=True)
    assert all(isinstance(outcome, Unavailable) for outcome in outcomes)
    # An exception object carries its traceback: callers must not share one.
    assert outcomes[0] is not outcomes[1]


async def test_a_batch_that_conflicts_falls_apart_and_the_key_stays_apart_for_a_while(
    connect: Connect,
) -> None:
    one, other = await connect(), await connect()
    keys = [f"n{number}" for number in range(16)]
    await one.collection("numbers").insert_many([{"_id": key, "value": 0} for key in keys])
    batches: list[tuple[str, ...]] = []
    commit = _counter(one, "one")
    count = commit.apply

    async def apply(
        tx: Tx, batch: Mapping[str, Sequence[int]]
    ) -> Mapping[str, Sequence[int | DomainError]]:
        batches.append(tuple(batch))
        return await count(tx, batch)

    commit.apply = apply
    async with other.transaction() as tx:
        # Another process is in the middle of a change of one key.
        await other.collection("numbers").update_one(
            {"_id": "n5"}, {"$inc": {"value": 100}}, session=tx.session
        )
        tasks = {key: asyncio.create_task(commit.submit(key, 1)) for key in keys}
        free = [task for key, task in tasks.items() if key != "n5"]
        assert await asyncio.gather(*free) == [1] * 15
        assert not tasks["n5"].done()
    assert await tasks["n5"] == 101
    assert max(map(len, batches)) == 16
    batches.clear()
    await asyncio.gather(*(commit.submit(key, 1) for key in keys))
    assert sorted(map(len, batches)) == [1, 15]
    commit._contended.clear()
    batches.clear()
    await asyncio.gather(*(commit.submit(key, 1) for key in keys))
    assert list(map(len, batches)) == [16]
