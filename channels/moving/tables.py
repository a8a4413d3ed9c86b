"""The tables of other packages that move with a channel: collections whose documents belong to one channel.

A package whose documents have a simple shape is one entry of `TABLES`, and needs nothing else: the export writes its
documents by their key, the import checks them with the package's own model and inserts them before the channel
appears. The package's hook that deletes what a deleted channel leaves also deletes what a broken import leaves.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from channels.canned_replies.models import CannedReply
from groups.models import Model


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A collection with documents of channels; `_id` is the channel, and behind it the `key`, joined."""

    line: str
    """The type of its lines."""
    collection: str
    model: type[Model]
    """Checks a document, with the channel in `channel_field`."""
    key: tuple[str, ...]
    """The fields behind the channel in `_id`; empty where the channel has one document."""
    channel_field: str | None = "channel_id"
    """The field that names the channel; None where only `_id` does."""
    limit: str | None = None
    """The limit of their number in a channel (`channels.limits.Limits`)."""
    user_field: str | None = None
    """The subscriber to whom the row belongs; an export without members leaves such rows out."""
    left_out: frozenset[str] = frozenset()
    """Stored fields that do not move, such as guards."""
    extra: Mapping[str, Any] | None = None
    """Stored fields that every document has, and no line."""


TABLES: Final[tuple[Table, ...]] = (
    Table(
        line="canned_reply",
        collection="canned_replies",
        model=CannedReply,
        key=("name",),
        limit="canned_replies",
    ),
)
"""All tables, in the order of their lines."""
