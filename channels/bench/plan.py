"""The sizes of a run: large enough to be meaningful, in a bounded time."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OrdinaryPlan:
    """The sizes of the ordinary load: many channels with few callers each."""

    repeats: int
    """Pairs of spread and hot; the median ratio counts."""
    seconds: float
    """Duration of one measurement."""
    callers: tuple[int, ...] = (1, 16, 64, 256)
    channels: int = 200
    users: int = 10_000
    channels_of_a_user: int = 20
    posts: int = 25
    """Posts in each channel before anything is measured."""
    writes: int = 60
    """Lone writes of each kind in a repeat."""
    lone_repeats: int = 3
    processes: tuple[int, ...] = (2, 4)


@dataclass(frozen=True, slots=True)
class Plan:
    """The sizes of a run; every loop of the benchmark is bounded by one of them."""

    is_quick: bool
    repeats: int
    """Pairs of our figure and the baseline; the median ratio counts."""
    seconds: float
    """Duration of one measurement under load."""
    subscribers: tuple[int, ...]
    """Sizes of the channels for the post case, smallest first."""
    posts: int
    """Posts to each of those channels."""
    concurrency: tuple[int, ...]
    sockets: tuple[int, ...]
    fanout_posts: int
    burst_posts: int
    storm_sockets: int
    imported: int
    """Subscribers in the bulk import."""
    channels_of_a_user: int
    readers: int
    """Users with that many channels who read their totals at once."""
    inbox_groups: int
    """Groups of the user of the large conversation list, channels included."""
    workers: tuple[int, ...]
    ordinary: OrdinaryPlan
    most_seconds: float
    """Cases that have not begun by then are skipped."""


FULL = Plan(
    is_quick=False,
    repeats=3,
    seconds=4.0,
    subscribers=(10, 1_000, 100_000, 1_000_000),
    posts=150,
    concurrency=(1, 4, 16, 64, 256, 1_024),
    sockets=(1_000, 10_000),
    fanout_posts=20,
    burst_posts=200,
    storm_sockets=5_000,
    imported=1_000_000,
    channels_of_a_user=1_000,
    readers=8,
    inbox_groups=5_000,
    workers=(1, 2, 4),
    ordinary=OrdinaryPlan(repeats=2, seconds=1.5),
    most_seconds=1_500,
)

QUICK = Plan(
    is_quick=True,
    repeats=1,
    seconds=2.0,
    subscribers=(10, 1_000, 50_000),
    posts=60,
    concurrency=(1, 16, 256),
    sockets=(1_000,),
    fanout_posts=8,
    burst_posts=200,
    storm_sockets=1_000,
    imported=50_000,
    channels_of_a_user=200,
    readers=4,
    inbox_groups=300,
    workers=(1, 2),
    ordinary=OrdinaryPlan(repeats=1, seconds=0.8, users=2_000),
    most_seconds=420,
)
