"""The number of views that a message shows.

It is stored in the message itself, so the query that reads a page of messages reads its views too, and readers share a
rendered page with them. Groups do not know who has seen what: `channels.analytics` counts the views and stores the
number here.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from groups.kernel.ids import StreamId
from groups.kernel.mongo import Tx
from groups.store.messages import MessageStore


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewCounts:
    """Reads and raises the views that messages show."""

    messages: MessageStore

    async def shown(self, stream_id: StreamId, seqs: Collection[int], tx: Tx) -> dict[int, int]:
        """The views of the messages that exist and are not recalled."""
        return await self.messages.find_views(stream_id, seqs, tx)

    async def raise_to(
        self, stream_id: StreamId, views: Mapping[int, int], tx: Tx | None = None
    ) -> None:
        """Raise the views that messages show to these numbers, never lower; doing it again changes nothing.

        Without a `tx` the write waits for transactions that write the same message (batches of reactions do all the
        time while it is hot), where a transaction would have to begin again.
        """
        await self.messages.raise_views(stream_id, views, tx)
