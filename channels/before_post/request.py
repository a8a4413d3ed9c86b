"""The request for a review: the data of the event that storing the message would publish, and who writes it."""

from collections.abc import Mapping
from typing import Any, Final

import orjson

from channels.event_views.public import public_events_of
from channels.event_views.view import encode_part
from groups.kernel.actor import Actor
from groups.service.hooks import Proposal

POSTED: Final = "message.before_post"
EDITED: Final = "message.before_edit"

_OF_EVENT: Final = ("event_id", "version")
"""Fields that only a committed event has."""
_NOT_YET: Final = ("seq", "post_id", "message_id")
"""Fields of a message, and of its event, that are not known before it is stored."""


def body_of(proposal: Proposal) -> bytes:
    """The body of the request: as `message.posted` or `message.edited`, with `writer`; a new message has no seq."""
    actor, event_type = proposal.actor, EDITED if proposal.is_edit else POSTED
    kind = "message.edited" if proposal.is_edit else "message.posted"
    payload: dict[str, Any] = next(
        dict(event.payload) for event in public_events_of(proposal.event) if event.type == kind
    )
    message_field = "post" if "post" in payload else "message"
    message = dict(payload[message_field])
    for name in _OF_EVENT if proposal.is_edit else (*_OF_EVENT, *_NOT_YET):
        payload.pop(name, None)
        message.pop(name, None)
    return orjson.dumps(
        {
            **payload,
            "type": event_type,
            "writer": _writer(actor),
            message_field: message,
        },
        default=encode_part,
    )


def _writer(actor: Actor) -> Mapping[str, object]:
    return {
        "user_id": actor.user_id,
        "is_app_admin": actor.is_app_admin,
        "is_business": actor.is_business,
    }
