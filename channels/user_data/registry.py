"""All places where ids of users are stored, of all packages, in the order in which a deletion goes over them.

A package with a new collection adds its places to its own `personal_data`, and that module here. A collection that is
named first is walked first: conversations before their messages, and the log of changes last.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import channels.broadcasts.personal_data as broadcasts
import channels.canned_replies.personal_data as canned_replies
import channels.default_channels.personal_data as default_channels
import channels.drafts.personal_data as drafts
import channels.push.personal_data as push
import channels.reports.personal_data as reports
import channels.self_service.personal_data as self_service
import channels.subscriber_tags.personal_data as subscriber_tags
import channels.webhooks.personal_data as webhooks
import conversations.personal_data as conversations
import groups.personal_data as groups
import reactions.personal_data as reactions
from groups.kernel.personal_data import Place

_FIRST: Final = (
    "automatic_jobs",
    *("join_requests", "reactions", "streams", "messages", "drafts", "media"),
)
"""Messages that are to be sent go before stored ones. The others are counted or announced elsewhere."""
_LAST: Final = ("users",)

PLACES: Final[tuple[Place, ...]] = (
    *groups.PLACES,
    *conversations.PLACES,
    *reactions.PLACES,
    *broadcasts.PLACES,
    *canned_replies.PLACES,
    *default_channels.PLACES,
    *drafts.PLACES,
    *push.PLACES,
    *reports.PLACES,
    *self_service.PLACES,
    *subscriber_tags.PLACES,
    *webhooks.PLACES,
)

ERASED_BY_LOG: Final = frozenset({"events", "webhook_deliveries"})
"""Collections whose documents hold ids anywhere: `service.log_erasure` reads each of them."""


def _by_collection() -> Mapping[str, Sequence[Place]]:
    found: dict[str, list[Place]] = {}
    for place in PLACES:
        found.setdefault(place.collection, []).append(place)
    middle = [name for name in found if name not in {*_FIRST, *_LAST}]
    return {name: found[name] for name in (*_FIRST, *middle, *_LAST)}


PLACES_OF: Final = _by_collection()
"""The places of each collection, in the order of a deletion."""
