"""When the garbage collector runs."""

import gc
from collections.abc import Iterator

import pytest

from channels.server import garbage_collection
from channels.server.garbage_collection import Collector


@pytest.fixture(autouse=True)
def _by_hand() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


class Held:
    """A process that holds as many bytes as a test says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.bytes = 100_000_000
        monkeypatch.setattr(garbage_collection, "resident_bytes", lambda: self.bytes)
        monkeypatch.setattr(garbage_collection, "SHARE", 1e9)  # as often as it is worth it


def test_a_busy_process_that_has_not_grown_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    held = Held(monkeypatch)
    one = Collector(is_quiet=lambda: False)
    held.bytes += garbage_collection.GROWTH_BYTES
    assert not one.collect_if_worth_it()


def test_a_process_that_has_grown_is_collected_busy_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    held = Held(monkeypatch)
    one = Collector(is_quiet=lambda: False)
    held.bytes += garbage_collection.GROWTH_BYTES + 1
    assert one.collect_if_worth_it()
    assert not one.collect_if_worth_it(), "it has not grown again"


def test_growth_counts_from_the_least_that_was_held_since(monkeypatch: pytest.MonkeyPatch) -> None:
    held = Held(monkeypatch)
    one = Collector(is_quiet=lambda: False)
    held.bytes -= 50_000_000
    assert not one.collect_if_worth_it()
    held.bytes += garbage_collection.GROWTH_BYTES + 1
    assert one.collect_if_worth_it()


def test_a_quiet_moment_is_used_where_something_was_made_since(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Held(monkeypatch)
    one = Collector(is_quiet=lambda: True)
    monkeypatch.setattr(gc, "get_count", lambda: (1, 0, 0))
    assert not one.collect_if_worth_it()
    monkeypatch.setattr(gc, "get_count", lambda: (1, 1, 0))
    assert one.collect_if_worth_it()


def test_collections_take_no_more_than_their_share(monkeypatch: pytest.MonkeyPatch) -> None:
    held = Held(monkeypatch)
    monkeypatch.setattr(garbage_collection, "SHARE", 1e-9)
    one = Collector(is_quiet=lambda: False)
    held.bytes += garbage_collection.GROWTH_BYTES + 1
    assert one.collect_if_worth_it()
    held.bytes += garbage_collection.GROWTH_BYTES + 1
    assert not one.collect_if_worth_it()


def test_a_cycle_is_freed(monkeypatch: pytest.MonkeyPatch) -> None:
    held = Held(monkeypatch)
    one = Collector(is_quiet=lambda: False)
    ended: list[bool] = []

    class Node:
        def __init__(self) -> None:
            self.me = self

        def __del__(self) -> None:
            ended.append(True)

    Node()
    assert not ended
    held.bytes += garbage_collection.GROWTH_BYTES + 1
    one.collect_if_worth_it()
    assert ended
