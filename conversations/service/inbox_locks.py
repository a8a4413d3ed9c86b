"""The locks of transactions that write to a thread.

Threads of one channel share the documents of its inbox's totals. Without locks their transactions would conflict in the
database and run again, which is correct but slow: with 128 users who wrote to one channel at the same time on a busy
machine, some gave up.
"""

from conversations.store.inbox_totals import share_of
from groups.kernel.ids import PAIR_SEPARATOR, UserId
from groups.models import INBOX_PREFIX


def inbox_locks(stream_id: str) -> tuple[str, ...]:
    """Return the lock of the totals that count the thread of this stream; none if it is between users."""
    if not stream_id.startswith(INBOX_PREFIX):
        return ()
    channel_id, _, user_id = stream_id.removeprefix(INBOX_PREFIX).partition(PAIR_SEPARATOR)
    return (f"inbox {share_of(UserId(user_id))} {channel_id}",)
