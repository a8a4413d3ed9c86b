"""The tables of other packages that move with a channel: collections whose documents belong to one channel.

A package whose documents have a simple shape is one entry of `TABLES`, and needs nothing else: the export writes its
documents by their key, the import checks them with the package's own model and inserts them before the channel
appears. The package's hook that deletes what a deleted channel leaves also deletes what a broken import leaves.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from channels.canned_replies.models import CannedReply
from channels.limits import Limits
from channels.moving.bounds import (
    problem_in_automatic_message,
    problem_in_form,
    problem_in_menu,
)
from channels.self_service.automatic_messages.models import AutomaticMessage, Rule
from channels.self_service.forms.models import Form
from channels.self_service.menus.models import Menu
from groups.kernel.ids import GroupId, UserIdText
from groups.models import Model


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A collection with documents of channels; `_id` is the channel, and behind it the `key`, joined."""

    line: str
    """The type of its lines."""
    collection: str
    model: type[Model]
    """Checks a document; its `channel_id` is the channel."""
    key: tuple[str, ...]
    """The fields behind the channel in `_id`; empty where the channel has one document."""
    is_channel_stored: bool = True
    """Whether documents have the field `channel_id`; else only `_id` names the channel."""
    limit: str | None = None
    """The limit of their number in a channel (`channels.limits.Limits`)."""
    is_limited: Callable[[Any], bool] = lambda _: True
    """Whether a document counts for the limit."""
    is_of_user: bool = False
    """Its rows are of users: an export without members leaves them out."""
    needs: str | None = None
    """Documents without this field are left out."""
    left_out: frozenset[str] = frozenset()
    """Stored fields that do not move, such as guards."""
    is_last: bool = False
    """Its rows, of which a channel has few, are written when the channel appears: something follows them."""
    problem: Callable[[Any, Limits], str | None] = lambda *_: None
    """Returns what is wrong with a document that fits its model."""


class BroadcastOptOut(Model):
    """A user who wants no broadcasts of the channel."""

    channel_id: GroupId
    user_id: UserIdText
    since: datetime


class Greeted(Model):
    """A user whom the channel has greeted, and does not greet again."""

    channel_id: GroupId
    user_id: UserIdText
    greeted_at: datetime


TABLES: Final[tuple[Table, ...]] = (
    Table(
        line="canned_reply",
        collection="canned_replies",
        model=CannedReply,
        key=("name",),
        limit="canned_replies",
    ),
    Table(
        line="menu",
        collection="menus",
        model=Menu,
        key=(),
        is_channel_stored=False,
        problem=problem_in_menu,
    ),
    Table(
        line="form",
        collection="forms",
        model=Form,
        key=("name",),
        limit="forms",
        problem=problem_in_form,
    ),
    Table(
        line="automatic_message",
        collection="automatic_messages",
        model=AutomaticMessage,
        key=("rule", "name"),
        limit="auto_replies",
        is_limited=lambda message: message.rule is Rule.ANSWER,
        # The consumer of the event log must know of them from the first moment on.
        is_last=True,
        problem=problem_in_automatic_message,
    ),
    Table(
        line="greeted",
        collection="automatic_marks",
        model=Greeted,
        key=("user_id",),
        is_of_user=True,
        needs="greeted_at",
        # The closed hours that were answered belong to one-to-one messages, which stay.
        left_out=frozenset({"away_until"}),
    ),
    Table(
        line="broadcast_opt_out",
        collection="broadcast_opt_outs",
        model=BroadcastOptOut,
        key=("user_id",),
        is_of_user=True,
    ),
)
"""All tables, in the order of their lines."""
