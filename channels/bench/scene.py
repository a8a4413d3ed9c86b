"""The scene of ordinary load: many channels, thousands of users who subscribe to some of them, and what they call.

It is the same in every run: who subscribes to what is drawn from a fixed seed. Each kind of call comes in two ways:
spread over all channels, as ordinary load is, and hot, all of it on one channel. The same users make both, so that the
two differ in nothing else. Each write changes something.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain, zip_longest
from typing import Final, TypeVar
from urllib.parse import quote

from groups.kernel.ids import GroupId
from groups.models import stream_of

HOT: Final = "hot-scene"
SEED: Final = 17
NEIGHBOURS: Final = 256
"""Users who subscribe to the same channels, for lists that have all in common."""
EMOJI: Final = quote("👍")
TEXT: Final = ("The bridge is open again. " * 8)[:200]
"""The text of posts."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a user; without a user it is one of the application's back end, which owns the channels."""

    method: str
    path: str
    user: str | None = None
    body: object = None


@dataclass(frozen=True, slots=True)
class Scene:
    """The channels and users. All users subscribe to the hot channel, too."""

    channels: tuple[str, ...]
    subscribers: dict[str, list[str]]
    """The users of each channel."""
    users: tuple[str, ...]
    """All but the neighbours."""
    neighbours: tuple[str, ...]
    seats: tuple[tuple[str, str], ...]
    """Each subscription as (channel, user), another channel each time."""
    posts: int
    """Posts in each channel."""

    @property
    def everybody(self) -> tuple[str, ...]:
        """All users."""
        return self.neighbours + self.users


def make_scene(channels: int, users: int, channels_of_a_user: int, posts: int) -> Scene:
    """A scene of these sizes."""
    draw = random.Random(SEED)
    names = tuple(f"scene-{number}" for number in range(channels))
    everybody = tuple(f"user-{number}" for number in range(users))
    near = min(NEIGHBOURS, users // 4)
    common = draw.sample(names, channels_of_a_user)
    subscribers: dict[str, list[str]] = {name: [] for name in names}
    for number, user in enumerate(everybody):
        chosen = common if number < near else draw.sample(names, channels_of_a_user)
        for name in chosen:
            subscribers[name].append(user)
    for each in subscribers.values():
        draw.shuffle(each)
    rounds = zip_longest(*([(name, user) for user in subscribers[name]] for name in names))
    seats = tuple(seat for seat in chain.from_iterable(rounds) if seat is not None)
    return Scene(names, subscribers, everybody[near:], everybody[:near], seats, posts)


Seat = tuple[str, str, int]
"""A channel, one of its users, and the seq of a post."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of call, and for the n-th of them where it goes: on one channel, and over all."""

    what: str
    call: Callable[[str, str, int], Call]
    hot: Callable[[Scene, int], Seat]
    spread: Callable[[Scene, int], Seat]
    repeats: bool = False
    """Whether the same call may be sent again, and does as much as before: a read, a post."""
    one: str = "on one channel"
    many: str = "over {} channels"


@dataclass(slots=True)
class Source:
    """Endless calls of one kind, which go where `seat` says."""

    scene: Scene
    kind: Kind
    seat: Callable[[Scene, int], Seat]
    made: int = field(default=0, init=False)

    def take(self, count: int) -> list[Call]:
        """The next calls. `used` says afterwards how many of them were made; without it all are offered again."""
        numbers = range(self.made, self.made + count)
        return [self.kind.call(*self.seat(self.scene, number)) for number in numbers]

    def used(self, count: int) -> None:
        """This many of the calls that were taken were made."""
        self.made += count


def _hot_seat(scene: Scene, n: int) -> Seat:
    """All users on one post of the hot channel, then all on the next one."""
    everybody = scene.everybody
    return HOT, _nth(everybody, n), 1 + n // len(everybody) % scene.posts


def _seat(scene: Scene, n: int) -> Seat:
    """Each user on the first post of each of their channels, then on the second one."""
    channel, user = _nth(scene.seats, n)
    return channel, user, 1 + n // len(scene.seats) % scene.posts


def _nth(values: Sequence[T], n: int) -> T:
    return values[n % len(values)]


def _subscribe(channel: str, user: str, seq: int) -> Call:
    return Call("PUT", f"/v1/channels/{channel}/subscription", user)


def _post(channel: str, user: str, seq: int) -> Call:
    body = {"kind": "text", "text": TEXT}
    return Call("POST", f"/v1/channels/{channel}/posts", None, body)


def _react(channel: str, user: str, seq: int) -> Call:
    return Call("PUT", f"/v1/channels/{channel}/posts/{seq}/reactions/{EMOJI}", user)


def _mark_read(channel: str, user: str, seq: int) -> Call:
    conversation = quote(stream_of(GroupId(f"@TOA#_{channel}")), safe="")
    return Call("POST", f"/v1/conversations/{conversation}/read", user, {"seq": seq})


def _view(channel: str, user: str, seq: int) -> Call:
    return Call("POST", f"/v1/channels/{channel}/posts/views", user, {"seqs": [seq]})


def _page(channel: str, user: str, seq: int) -> Call:
    return Call("GET", f"/v1/channels/{channel}/posts?limit=20", user)


def _own(what: str, path: str) -> Kind:
    """A call for what a user has in all their channels."""
    return Kind(
        what,
        lambda channel, user, seq: Call("GET", path, user),
        hot=lambda scene, n: (HOT, _nth(scene.neighbours, n), 1),
        spread=lambda scene, n: (HOT, _nth(scene.users, n), 1),
        repeats=True,
        one="of users of the same channels",
        many="of users of {} channels",
    )


SUBSCRIBE: Final = Kind(
    "subscribe",
    _subscribe,
    hot=lambda scene, n: (HOT, f"new-hot-{n}", 1),
    spread=lambda scene, n: (_nth(scene.channels, n), f"new-{n}", 1),
)
REACT: Final = Kind(
    "react", _react, hot=_hot_seat, spread=_seat, one="to one post", many="to posts of {} channels"
)
POST: Final = Kind(
    "post",
    _post,
    hot=lambda scene, n: (HOT, "", 1),
    spread=lambda scene, n: (_nth(scene.channels, n), "", 1),
    repeats=True,
)
MARK_READ: Final = Kind("mark read", _mark_read, hot=_hot_seat, spread=_seat)
VIEW: Final = Kind(
    "report views",
    _view,
    hot=_hot_seat,
    spread=_seat,
    one="of one post",
    many="of posts of {} channels",
)
LIST: Final = _own("conversation list", "/v1/conversations")
SYNC: Final = _own("sync", "/v1/sync")
UNREAD: Final = _own("unread totals", "/v1/unread")
PAGE: Final = Kind(
    "page of 20 posts",
    _page,
    hot=_hot_seat,
    spread=_seat,
    repeats=True,
    one="of one channel",
    many="of {} channels",
)

SHARES: Final[tuple[tuple[Kind, int], ...]] = (
    *((PAGE, 25), (UNREAD, 15), (LIST, 12), (SYNC, 8)),
    *((REACT, 10), (VIEW, 10), (MARK_READ, 10), (SUBSCRIBE, 8), (POST, 2)),
)
"""The calls of an app, in per cent: 60 % reads, 30 % reactions, views and cursors, 8 % subscriptions, 2 % posts."""


@dataclass(slots=True)
class Mix:
    """Endless calls over all channels in the shares of `SHARES`, which every hundred of them holds exactly."""

    sources: Sequence[Source]
    """A source for each of `SHARES`."""
    _order: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self._order = [place for place, (_, share) in enumerate(SHARES) for _ in range(share)]
        random.Random(SEED).shuffle(self._order)

    def take(self, count: int) -> list[Call]:
        """The next calls, of whole hundreds."""
        hundreds = -(-count // 100)
        taken = []
        for source, (_, share) in zip(self.sources, SHARES, strict=True):
            taken.append(iter(source.take(hundreds * share)))
            source.used(hundreds * share)
        return [next(taken[place]) for place in self._order * hundreds]

    def used(self, count: int) -> None:
        """Nothing is offered again: there are enough calls over all channels."""
