"""The number of views that a message shows.

It is stored in the message itself, so the query that reads a page of messages reads its views too, and readers share a
rendered page with them. Groups do not know who has seen what: `channels.analytics` counts the views and stores the
number here.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from groups.kernel.mongo import BatchedQuery, Tx
from groups.store.messages import MessageStore


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewCounts:
    """Reads and raises the views that messages show."""

    messages: MessageStore

    def query_shown(self, message_ids: Collection[str]) -> BatchedQuery[dict[str, int]]:
        """The views that messages show, by key, of those that exist and are not recalled."""
        return self.messages.query_views(message_ids)

    def raise_to(self, views: Mapping[str, int], tx: Tx) -> None:
        """Raise the views that messages show to these numbers, by key, with the other writes of the transaction.

        Never lower; doing it again changes nothing.
        """
        self.messages.raise_views(views, tx)
