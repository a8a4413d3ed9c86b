"""Events of reports, and of restricted and deleted users. None of them says who reported."""

from collections.abc import Iterable
from typing import Any, Final

from channels.event_views.view import (
    EventView,
    PublicRendering,
    PublicViews,
    Rendering,
    event_id_of,
)
from channels.reports.events import ReportOpened
from channels.user_data.events import UserDeleted
from groups.events import UserRestricted, UserUnrestricted
from groups.kernel.clock import rfc3339
from groups.kernel.events import Event
from groups.kernel.ids import StreamId

_NO_STREAM: Final = StreamId("")


def _payload(event: Event, **fields: Any) -> dict[str, Any]:
    """A payload of no conversation."""
    return {
        "event_id": event_id_of(event),
        "type": event.type,
        "stream_id": None,
        "at": rfc3339(event.at),
        **fields,
    }


def _restricted_payload(event: UserRestricted) -> dict[str, Any]:
    until = rfc3339(event.until) if event.until is not None else None
    return _payload(event, user_id=event.user_id, until=until, reason=event.reason)


def _restricted(event: UserRestricted) -> Iterable[EventView]:
    yield EventView(_restricted_payload(event), _NO_STREAM, (event.user_id,))


def _unrestricted_payload(event: UserUnrestricted) -> dict[str, Any]:
    return _payload(event, user_id=event.user_id)


def _unrestricted(event: UserUnrestricted) -> Iterable[EventView]:
    yield EventView(_unrestricted_payload(event), _NO_STREAM, (event.user_id,))


def _opened_payload(event: ReportOpened) -> dict[str, Any]:
    # The ids are inside of `target`: at the top they would make it an event of the channel, for its admins.
    target = event.target.model_dump(mode="json", exclude_none=True)
    return _payload(event, report_id=event.report_id, target=target, reason=event.reason.value)


def _deleted_payload(event: UserDeleted) -> dict[str, Any]:
    return _payload(event, user_id=event.user_id)


MODERATION_EVENTS: Final[Rendering] = {
    UserRestricted: _restricted,
    UserUnrestricted: _unrestricted,
    ReportOpened: lambda _: (),  # only back ends receive it
    UserDeleted: lambda _: (),  # only back ends receive it
}
PUBLIC_MODERATION_EVENTS: Final[PublicRendering] = {
    UserRestricted: PublicViews(("user.restricted",), lambda event: (_restricted_payload(event),)),
    UserUnrestricted: PublicViews(
        ("user.unrestricted",), lambda event: (_unrestricted_payload(event),)
    ),
    UserDeleted: PublicViews(("user.deleted",), lambda event: (_deleted_payload(event),)),
    ReportOpened: PublicViews(("report.opened",), lambda event: (_opened_payload(event),)),
}
