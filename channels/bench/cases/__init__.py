"""The cases of the benchmark, in the order in which they are measured: later ones use what earlier ones made."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from channels.bench.cases import calls, inbox, large_channels, ordinary, sockets
from channels.bench.context import BenchContext
from channels.bench.models import Row
from channels.bench.scene import MARK_READ, PAGE, POST, REACT, SUBSCRIBE, SYNC, VIEW

ORDINARY: Final[Mapping[str, Callable[[BenchContext], Awaitable[list[Row]]]]] = {
    "lone": ordinary.lone,
    "subscribes": ordinary.spread("subscribes", SUBSCRIBE, ordinary.OF_WRITES),
    "reactions": ordinary.spread("reactions", REACT, ordinary.OF_WRITES),
    "cursors": ordinary.spread("cursors", MARK_READ, ordinary.OF_WRITES),
    "views": ordinary.spread("views", VIEW, ordinary.OF_WRITES),
    "pages": ordinary.spread("pages", PAGE, ordinary.OF_PAGES),
    "lists": ordinary.lists,
    "syncs": ordinary.spread("syncs", SYNC, {}),
    "posts": ordinary.spread("posts", POST, ordinary.OF_WRITES),
    "mix": ordinary.mix,
    "flood": ordinary.flood,
    "processes": ordinary.processes,
    "bystander": ordinary.bystander,
}
"""The cases of ordinary load. They share channels and users."""

CASES: Final[Mapping[str, Callable[[BenchContext], Awaitable[list[Row]]]]] = {
    "subscribe": calls.subscribe,
    "react": calls.react,
    "read": calls.read,
    "unread": inbox.unread,
    "inbox": inbox.inbox,
    **ORDINARY,
    "fanout": sockets.fanout,
    "burst": sockets.burst,
    "storm": sockets.storm,
    "workers": calls.workers,
    "import": large_channels.bulk_import,
    "post": large_channels.post,
    "memory": large_channels.memory,
}
NAMES: Final = tuple(CASES)

GROUPS: Final[Mapping[str, tuple[str, ...]]] = {"ordinary": tuple(ORDINARY)}
"""Names for several cases."""


def chosen(names: Sequence[str]) -> list[str]:
    """The cases of these names and groups, all when there are none, in the order of `NAMES`."""
    wanted = {case for name in names for case in GROUPS.get(name, (name,))} or set(NAMES)
    return [name for name in NAMES if name in wanted]
