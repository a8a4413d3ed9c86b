"""The keys of transactions that write into a dialogue.

Threads of one channel meet in a share of its inbox's totals. They would conflict in the database and begin again, which
is right but slow: with 128 users who wrote to one channel at once on a busy machine some gave up.
"""

from conversations.store.inbox_totals import share_of
from groups.kernel.ids import PAIR_SEPARATOR, UserId
from groups.models import INBOX_PREFIX


def inbox_locks(stream_id: str) -> tuple[str, ...]:
    """The share of the inbox that the thread of this stream is counted in; none between users."""
    if not stream_id.startswith(INBOX_PREFIX):
        return ()
    channel_id, _, user_id = stream_id.removeprefix(INBOX_PREFIX).partition(PAIR_SEPARATOR)
    return (f"inbox {share_of(UserId(user_id))} {channel_id}",)
