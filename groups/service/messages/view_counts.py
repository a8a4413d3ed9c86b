"""The number of views that a message shows, for whoever counts them.

It stands in the message itself, so a page of messages is read with its views by the query that reads it anyway, and a
page that many share is rendered from them. Groups do not know who has seen what: `channels.analytics` counts it and has
the number shown here.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from groups.kernel.ids import StreamId
from groups.kernel.mongo import Tx
from groups.store.messages import MessageStore


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewCounts:
    """Reads and raises what messages show."""

    messages: MessageStore

    async def shown(self, stream_id: StreamId, seqs: Collection[int], tx: Tx) -> dict[int, int]:
        """The views of those of the messages that exist and are not recalled."""
        return await self.messages.find_views(stream_id, seqs, tx)

    async def raise_to(
        self, stream_id: StreamId, views: Mapping[int, int], tx: Tx | None = None
    ) -> None:
        """Have messages show so many views, never fewer than they do; doing it again changes nothing.

        Without a `tx` it waits for those who hold a message (a batch of reactions does, all the time while it is hot)
        where a transaction would have to begin again.
        """
        await self.messages.raise_views(stream_id, views, tx)
