"""The scene of ordinary load is the same in every run, and no call of it is for nothing."""

from collections import Counter

import pytest

from channels.bench.scene import (
    HOT,
    LIST,
    MARK_READ,
    PAGE,
    POST,
    REACT,
    SHARES,
    SUBSCRIBE,
    SYNC,
    UNREAD,
    VIEW,
    Call,
    Kind,
    Mix,
    Scene,
    Source,
    make_scene,
)

CHANNELS, USERS, EACH, POSTS = 20, 400, 5, 3
WRITES = [SUBSCRIBE, REACT, MARK_READ, VIEW]
READS = [LIST, SYNC, UNREAD, PAGE]


@pytest.fixture(scope="module")
def scene() -> Scene:
    return make_scene(CHANNELS, USERS, EACH, POSTS)


def source(scene: Scene, kind: Kind, *, is_hot: bool) -> Source:
    return Source(scene, kind, kind.hot if is_hot else kind.spread)


def distinct(calls: list[Call]) -> int:
    return len({(call.method, call.path, call.user, str(call.body)) for call in calls})


def test_two_runs_have_the_same_scene(scene: Scene) -> None:
    assert make_scene(CHANNELS, USERS, EACH, POSTS) == scene


def test_each_user_subscribes_to_as_many_channels(scene: Scene) -> None:
    seats = Counter(user for _, user in scene.seats)
    assert len(scene.everybody) == USERS == len(seats)
    assert set(seats.values()) == {EACH}
    assert len(set(scene.seats)) == USERS * EACH


def test_neighbours_have_all_channels_in_common_and_others_have_not(scene: Scene) -> None:
    def channels(user: str) -> frozenset[str]:
        return frozenset(name for name in scene.channels if user in scene.subscribers[name])

    assert len({channels(user) for user in scene.neighbours}) == 1
    assert len({channels(user) for user in scene.users}) > len(scene.users) / 2


def test_spread_calls_go_to_another_channel_each_time(scene: Scene) -> None:
    for kind in (*WRITES, POST, PAGE):
        calls = source(scene, kind, is_hot=False).take(CHANNELS)
        assert distinct([Call("", call.path.replace("/posts/1", "")) for call in calls]) == CHANNELS


def test_hot_calls_go_to_one_channel(scene: Scene) -> None:
    for kind in (*WRITES, POST, PAGE):
        calls = source(scene, kind, is_hot=True).take(USERS)
        assert distinct([Call("", call.path) for call in calls]) == 1
        assert HOT in calls[0].path


@pytest.mark.parametrize("kind", WRITES, ids=lambda kind: kind.what)
@pytest.mark.parametrize("is_hot", [True, False], ids=["hot", "spread"])
def test_no_write_is_made_twice(scene: Scene, kind: Kind, is_hot: bool) -> None:
    calls = source(scene, kind, is_hot=is_hot)
    first = calls.take(USERS)
    calls.used(USERS)
    second = calls.take(USERS * (POSTS - 1))
    assert distinct(first + second) == USERS * POSTS


def test_calls_that_were_not_made_are_offered_again(scene: Scene) -> None:
    calls = source(scene, REACT, is_hot=True)
    first = calls.take(10)
    calls.used(4)
    assert calls.take(6) == first[4:]


@pytest.mark.parametrize("kind", READS, ids=lambda kind: kind.what)
def test_reads_are_by_many_users(scene: Scene, kind: Kind) -> None:
    users = {call.user for call in source(scene, kind, is_hot=False).take(200)}
    assert len(users) > 100


def test_every_hundred_calls_of_the_mix_hold_the_shares_of_an_app(scene: Scene) -> None:
    assert sum(share for _, share in SHARES) == 100
    shares = {kind.what: share for kind, share in SHARES}
    reads = sum(shares[kind.what] for kind in READS)
    assert (reads, shares["subscribe"], shares["post"]) == (60, 8, 2)
    mix = Mix([source(scene, kind, is_hot=False) for kind, _ in SHARES])
    calls = mix.take(300)
    assert len(calls) == 300
    for hundred in (calls[:100], calls[100:200], calls[200:]):
        assert sum(call.method == "GET" for call in hundred) == 60
        assert sum(call.path.endswith("/subscription") for call in hundred) == 8
    assert distinct([call for call in calls if call.method == "PUT"]) == 3 * 18
