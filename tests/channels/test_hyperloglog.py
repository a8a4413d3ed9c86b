"""The HyperLogLog that counts viewers: exact for few, within its error for many, the same in any order."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.analytics.hyperloglog import EXACT, REGISTERS, HyperLogLog, hash_of, new_salt

SALT = b"a salt of tests."
ERROR = 1.04 / REGISTERS**0.5

hashes = st.integers(0, 2**64 - 1)
# Of few values too, so that both sides hold the same ones; of many, so that registers come into play.
some = st.lists(hashes | st.integers(0, 50), max_size=40)
starts = st.sampled_from([0, 1, EXACT - 1, EXACT, EXACT + 1, 3 * EXACT])


def sketch_of(*parts: list[int]) -> HyperLogLog:
    return HyperLogLog(one for part in parts for one in part)


def crowd(size: int) -> list[int]:
    numbers = random.Random(size)
    return [numbers.getrandbits(64) for _ in range(size)]


def state(sketch: HyperLogLog) -> tuple[bool, bytes]:
    return sketch.is_exact, sketch.to_bytes()


@pytest.mark.parametrize("viewers", [0, 1, 3, EXACT - 1, EXACT])
def test_few_viewers_are_counted_exactly(viewers: int) -> None:
    sketch = HyperLogLog(hash_of(f"user-{n}", SALT) for n in range(viewers))
    assert sketch.is_exact
    assert sketch.count() == viewers


def test_one_viewer_over_the_exact_limit_takes_no_more_bytes() -> None:
    sketch = HyperLogLog(hash_of(f"user-{n}", SALT) for n in range(EXACT + 1))
    assert not sketch.is_exact
    assert sketch.count() == pytest.approx(EXACT + 1, rel=3 * ERROR)
    assert len(sketch.to_bytes()) == REGISTERS == EXACT * 8


@pytest.mark.parametrize("viewers", [1_000, 5_000, 20_000, 100_000])
def test_many_viewers_are_counted_within_the_error(viewers: int) -> None:
    # Five posts of the same viewers, each with a salt of its own: one may be far off by chance, not their mean.
    counts = [
        HyperLogLog(hash_of(f"user-{n}", bytes([salt]) * 16) for n in range(viewers)).count()
        for salt in range(5)
    ]
    for count in counts:
        assert count == pytest.approx(viewers, rel=4 * ERROR)
    assert sum(counts) / 5 == pytest.approx(viewers, rel=2 * ERROR)


def test_a_million_and_more_are_counted_within_the_error() -> None:
    # As registers have it: the largest of n geometric ranks each, without a million hashes.
    numbers = random.Random(7)
    viewers = 4_000_000
    registers = bytearray(REGISTERS)
    for place in range(REGISTERS):
        most = max(numbers.random(), 1e-12) ** (REGISTERS / viewers)
        registers[place] = _rank(1 - most)
    sketch = HyperLogLog.from_bytes(bytes(registers), is_exact=False)
    assert sketch.count() == pytest.approx(viewers, rel=4 * ERROR)


def _rank(rest: float) -> int:
    rank = 1
    while rest < 0.5 and rank < 53:
        rest *= 2
        rank += 1
    return rank


@given(some, some, starts)
def test_merging_is_commutative(left: list[int], right: list[int], n: int) -> None:
    one, other = sketch_of(crowd(n), left), sketch_of(right)
    back = sketch_of(right)
    back.merge(one)
    one.merge(other)
    assert state(one) == state(back) == state(sketch_of(right, crowd(n), left))


@given(some, some, starts)
def test_merging_is_idempotent(left: list[int], right: list[int], n: int) -> None:
    sketch, other = sketch_of(crowd(n), left), sketch_of(right)
    sketch.merge(other)
    before = state(sketch)
    sketch.merge(other)
    sketch.merge(sketch_of(left))
    assert state(sketch) == before


@given(some, hashes, starts)
def test_adding_a_viewer_again_changes_nothing(added: list[int], one: int, n: int) -> None:
    sketch = sketch_of(crowd(n), added)
    sketch.add(one)
    before = state(sketch)
    assert not sketch.add(one)
    assert not any(sketch.add(old) for old in added)
    assert state(sketch) == before


@given(some, starts)
def test_stored_bytes_are_read_back(added: list[int], n: int) -> None:
    sketch = sketch_of(crowd(n), added)
    exact, data = state(sketch)
    read = HyperLogLog.from_bytes(data, is_exact=exact)
    assert state(read) == (exact, data)
    assert read.count() == sketch.count()


def test_the_estimate_never_falls_when_a_viewer_is_added() -> None:
    sketch = HyperLogLog(crowd(EXACT + 1))
    numbers = random.Random(1)
    last = sketch.count()
    for _ in range(5_000):
        if sketch.add(numbers.getrandbits(64)):
            assert sketch.count() >= last
            last = sketch.count()


def test_a_user_has_another_hash_for_each_post() -> None:
    salts = {new_salt() for _ in range(20)}
    assert len({hash_of("ada", salt) for salt in salts}) == len(salts) == 20
