"""The cases of the benchmark, in the order in which they are measured: later ones use what earlier ones made."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from channels.bench.cases import calls, inbox, large_channels, sockets
from channels.bench.context import BenchContext
from channels.bench.models import Row

CASES: Final[Mapping[str, Callable[[BenchContext], Awaitable[list[Row]]]]] = {
    "subscribe": calls.subscribe,
    "react": calls.react,
    "read": calls.read,
    "unread": inbox.unread,
    "inbox": inbox.inbox,
    "fanout": sockets.fanout,
    "burst": sockets.burst,
    "storm": sockets.storm,
    "workers": calls.workers,
    "import": large_channels.bulk_import,
    "post": large_channels.post,
    "memory": large_channels.memory,
}
NAMES: Final = tuple(CASES)
