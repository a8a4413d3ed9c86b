"""Bounds of the feed that no deployment sets. `feed_readers_per_user` is a limit (`channels.limits`)."""

from typing import Final

MOST_ITEMS: Final = 500
"""Events of a page, which take 7 ms to decode; it ends earlier where they are large (`kernel.paging.PAGE_BYTES`)."""
RENDERED_AT_ONCE: Final = 50
"""Events that are rendered before other requests get their turn: about a millisecond."""
MOST_WAIT_SECONDS: Final = 30
"""Shorter than the minute after which many proxies end a request without an answer."""
MOST_TYPES: Final = 100
"""Types in one filter; there are far fewer."""
MOST_LOOKED_AT: Final = 4_000
"""Transactions that one call has the database look at, when few of them are about what is asked for: about 20 ms."""
MOST_READ: Final = 200
"""Transactions that one call reads, when most of them are wanted."""
KEPT_BYTES: Final = 8 * 2**20
"""JSON of the newest events that a process keeps for its readers: hundreds of pages of posts."""
TICK_SECONDS: Final = 1.0
"""Between two looks of a reader that waits: whether its client, its right and the server are still there."""
ACCESS_SECONDS: Final = 10.0
"""Between two checks of the right of a reader that follows a channel."""
LINGER_SECONDS: Final = 5.0
"""How long a process goes on to keep the newest events after its last reader left: a reader who polls comes back."""
