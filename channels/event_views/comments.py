"""Events of comments. Watchers of a post's comments receive them, and the authors concerned; the hub sees to that.

Watchers of the channel receive how many comments a post has (`comment_count_view`), which is no fact of its own.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from channels.comments.events import (
    CommentEdited,
    CommentEvent,
    CommentPosted,
    CommentReacted,
    CommentRecalled,
)
from channels.comments.routes.responses import comment_in_event
from channels.event_views.view import (
    NOT_IN_EVENTS,
    EventView,
    PublicRendering,
    PublicViews,
    Rendering,
    payload_of,
)
from groups.models import stream_of


def _view(event: CommentEvent, **fields: Any) -> EventView:
    payload = payload_of(
        event.type,
        event,
        event.stream_id,
        channel_id=event.channel_id,
        post_seq=event.post_seq,
        **fields,
    )
    return EventView(payload, event.stream_id)


def _comment(event: CommentPosted | CommentEdited | CommentRecalled) -> Iterable[EventView]:
    message = event.message
    shown = comment_in_event(event.place, message).model_dump(mode="json", exclude=NOT_IN_EVENTS)
    fields: dict[str, Any] = {"seq": message.seq, "comment": shown}
    if not isinstance(event, CommentPosted):
        fields["version"] = message.changed_version
    yield _view(event, **fields)


def _reacted(event: CommentReacted) -> Iterable[EventView]:
    yield _view(event, seq=event.seq, counts=event.counts, total=event.total)


def comment_count_view(event: CommentPosted | CommentRecalled) -> EventView:
    """The number of comments on the post after this event, for those who watch the channel."""
    stream_id = stream_of(event.channel_id)
    payload = payload_of(
        "comments.counted",
        event,
        stream_id,
        part="count",
        channel_id=event.channel_id,
        seq=event.post_seq,
        comment_count=event.comment_count,
    )
    return EventView(payload, stream_id)


COMMENT_EVENTS: Final[Rendering] = {
    CommentPosted: _comment,
    CommentEdited: _comment,
    CommentRecalled: _comment,
    CommentReacted: _reacted,
}


def _public(
    render: Callable[[Any], Iterable[EventView]],
) -> Callable[[Any], Iterable[dict[str, Any]]]:
    return lambda event: (view.payload for view in render(event))


PUBLIC_COMMENT_EVENTS: Final[PublicRendering] = {
    kind: PublicViews((kind.model_fields["type"].default,), _public(render))
    for kind, render in COMMENT_EVENTS.items()
}
