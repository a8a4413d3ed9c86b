"""The errors of channels, and the translation of group errors into them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import ClassVar

from groups.errors import GroupIdTaken, GroupNotFound, MessageNotFound
from groups.kernel.errors import (
    Conflict,
    Detail,
    DomainError,
    Expired,
    InvalidInput,
    LimitReached,
    NotFound,
)


class ChannelNotFound(NotFound):
    """There is no such channel, or the user must not know of it."""

    code: ClassVar[str] = "channel_not_found"
    summary: ClassVar[str] = "No such channel"
    remedy: ClassVar[str] = (
        "Treat the channel as gone. A private channel looks the same to those who are not "
        "subscribed."
    )


class PostNotFound(NotFound):
    """The channel has no post with this seq."""

    code: ClassVar[str] = "post_not_found"
    summary: ClassVar[str] = "No such post"
    remedy: ClassVar[str] = "Take the post off the list that you show, or read the list anew."


class BadChannelId(InvalidInput):
    """A custom channel id does not start with the prefix of channels, or contains a comma."""

    code: ClassVar[str] = "bad_channel_id"
    summary: ClassVar[str] = (
        "A channel id must start with @TOA#_, followed by at least one character"
    )
    remedy: ClassVar[str] = "Begin the id with `@TOA#_`, or leave it out to get a new one."


class ChannelIdTaken(Conflict):
    """Another channel has this id, or a deleted one whose data is still being deleted."""

    code: ClassVar[str] = "channel_id_taken"
    summary: ClassVar[str] = "This channel id is taken: choose another one"
    remedy: ClassVar[str] = "Choose another id, or leave it out to get a new one."


class WatchLimitReached(LimitReached):
    """A socket already watches `limit` conversations."""

    code: ClassVar[str] = "watch_limit_reached"
    summary: ClassVar[str] = (
        "This socket watches as many conversations as it may: unwatch one first"
    )
    remedy: ClassVar[str] = "Send `unwatch` for what is not on the screen any more."


class ChannelLimitReached(LimitReached):
    """The deployment already has `limit` channels."""

    code: ClassVar[str] = "channel_limit_reached"
    summary: ClassVar[str] = "The server has reached its limit of channels: delete one first"
    remedy: ClassVar[str] = "Delete a channel first, or raise the limit `CHANNELS`."


class ChannelsPerOwnerReached(LimitReached):
    """The user has already created `limit` channels that still exist."""

    code: ClassVar[str] = "channels_per_owner_reached"
    summary: ClassVar[str] = "You have created too many channels: delete one first"
    remedy: ClassVar[str] = (
        "Delete a channel that you created, or raise the limit `CHANNELS_PER_OWNER`. A channel that you transferred "
        "counts until it is deleted. The application's back end may create any number."
    )


class SyncTokenExpired(Expired):
    """The token is older than the departures that the server keeps."""

    code: ClassVar[str] = "sync_token_expired"
    summary: ClassVar[str] = (
        "The sync token has expired: start anew, without since or updated_since"
    )
    remedy: ClassVar[str] = (
        "Start anew: `GET /sync` without `since`, or the list without `updated_since`. Go on with the new token."
    )


def raise_as_channel_error(error: BaseException) -> None:
    """Raise the channel error that stands for a group error; do nothing for other errors."""
    match error:
        case GroupNotFound():
            raise ChannelNotFound from None
        case MessageNotFound():
            raise PostNotFound from None
        case GroupIdTaken():
            raise ChannelIdTaken from None


@contextmanager
def channel_errors() -> Iterator[None]:
    """Encloses calls on groups, and translates group errors into channel errors, as `channels.service.guard` does."""
    try:
        yield
    except DomainError as error:
        raise_as_channel_error(error)
        raise


class UnknownEventType(InvalidInput):
    """No events of this type are received here."""

    code: ClassVar[str] = "unknown_event_type"
    summary: ClassVar[str] = "Events of this type cannot be received"
    remedy: ClassVar[str] = (
        "Choose among `allowed`. A channel's webhook receives the events of its channel only."
    )
    fields: ClassVar[Mapping[str, Detail]] = {
        "event_type": Detail(str, "The type that is refused."),
        "allowed": Detail(list, "The types that can be received."),
    }

    def __init__(self, event_type: str, allowed: Sequence[str]) -> None:
        shown = event_type[:100]
        super().__init__(
            f"Events of the type {shown!r} cannot be received",
            event_type=shown,
            allowed=list(allowed),
        )
