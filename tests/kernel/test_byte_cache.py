"""A cache bounded in bytes: the oldest entries are dropped, large ones are not cached, the size is measured."""

from groups.kernel.byte_cache import ENTRY_BYTES, PARTS, ByteCache, cached_bytes


def _cache(most: int, name: str = "test") -> ByteCache[int, str]:
    """A cache for so many bytes of values in up to four entries."""
    return ByteCache(name, most + 4 * ENTRY_BYTES, lambda _, value: len(value))


def test_a_new_entry_drops_the_oldest_ones() -> None:
    cache = _cache(40)
    for number in range(4):
        cache.put(number, "x" * 10)
    assert len(cache) == 4
    assert cache.size_bytes == cache.max_bytes
    cache.put(4, "y")
    assert [cache.get(number) for number in range(5)] == [None, *["x" * 10] * 3, "y"]
    assert cache.size_bytes == 31 + 4 * ENTRY_BYTES


def test_an_entry_that_is_put_again_counts_once_and_is_the_newest() -> None:
    cache = _cache(40)
    for number in (0, 1, 2, 3, 0):
        cache.put(number, "x" * 10)
    assert cache.size_bytes == cache.max_bytes
    cache.put(4, "x" * 10)
    assert cache.get(0) is not None
    assert cache.get(1) is None


def test_too_large_an_entry_is_not_cached_and_drops_what_it_replaces() -> None:
    cache = _cache(40)
    assert PARTS == 4
    cache.put(0, "x" * 10)
    cache.put(1, "x" * 10)
    cache.put(0, "x" * 11)
    assert [cache.get(0), cache.get(1)] == [None, "x" * 10]
    assert cache.size_bytes == 10 + ENTRY_BYTES


def test_a_dropped_entry_no_longer_counts() -> None:
    cache = _cache(40)
    cache.put(0, "x" * 10)
    cache.put(1, "x")
    cache.pop(0)
    cache.pop(7)
    assert (len(cache), cache.size_bytes) == (1, 1 + ENTRY_BYTES)
    cache.clear()
    assert (len(cache), cache.size_bytes) == (0, 0)


def test_caches_of_one_name_are_summed_while_they_live() -> None:
    one, other = _cache(40, "told"), _cache(40, "told")
    one.put(0, "x" * 10)
    other.put(0, "x" * 5)
    assert cached_bytes()["told"] == 15 + 2 * ENTRY_BYTES
    del other
    assert cached_bytes()["told"] == 10 + ENTRY_BYTES
