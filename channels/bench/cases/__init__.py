"""The cases of the benchmark, in the order in which they are measured: later ones use what earlier ones made."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from channels.bench.cases import calls, fanout, importing, inbox, memory, posts, storm, workers
from channels.bench.context import BenchContext
from channels.bench.models import Row

CASES: Final[Mapping[str, Callable[[BenchContext], Awaitable[list[Row]]]]] = {
    "subscribe": calls.subscribe,
    "react": calls.react,
    "read": calls.read,
    "unread": inbox.unread,
    "inbox": inbox.inbox,
    "fanout": fanout.fanout,
    "burst": fanout.burst,
    "storm": storm.storm,
    "workers": workers.workers,
    "import": importing.bulk_import,
    "post": posts.post,
    "memory": memory.memory,
}
NAMES: Final = tuple(CASES)
