"""The refusals of channels, and how those of group chat sound here."""

from typing import ClassVar, Final

from groups.errors import GroupIdTaken, GroupNotFound, MessageNotFound
from groups.kernel.errors import Conflict, Expired, InvalidInput, LimitReached, NotFound


class ChannelNotFound(NotFound):
    """No such channel, or it is not the actor's to know."""

    code: ClassVar[str] = "channel_not_found"
    summary: ClassVar[str] = "No such channel"


class PostNotFound(NotFound):
    """The channel has no post with this seq."""

    code: ClassVar[str] = "post_not_found"
    summary: ClassVar[str] = "No such post"


class BadChannelId(InvalidInput):
    """A custom channel id does not start with its prefix."""

    code: ClassVar[str] = "bad_channel_id"
    summary: ClassVar[str] = "A channel id starts with @TOA#_"


class ChannelIdTaken(Conflict):
    """Another channel has this id, or had it and is still being cleared away."""

    code: ClassVar[str] = "channel_id_taken"
    summary: ClassVar[str] = "This channel id is taken"


class ChannelLimitReached(LimitReached):
    """The deployment already has `limit` channels."""

    code: ClassVar[str] = "channel_limit_reached"
    summary: ClassVar[str] = "This deployment has as many channels as it may have"


class SyncTokenExpired(Expired):
    """The device was away for longer than departures are remembered: list everything anew, without `updated_since`."""

    code: ClassVar[str] = "sync_token_expired"
    summary: ClassVar[str] = "Too long ago: list all subscriptions anew"


def raise_as_channel_error(error: BaseException) -> None:
    """Raise the channel error that stands for a group error; do nothing for other errors."""
    match error:
        case GroupNotFound():
            raise ChannelNotFound from None
        case MessageNotFound():
            raise PostNotFound from None
        case GroupIdTaken():
            raise ChannelIdTaken from None


class _ChannelErrors:
    """A class, since it encloses every call: a generator would cost a call a microsecond."""

    __slots__ = ()

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Translate the error, if there is one."""
        if error is not None:
            raise_as_channel_error(error)


_CHANNEL_ERRORS: Final = _ChannelErrors()


def channel_errors() -> _ChannelErrors:
    """Encloses calls on groups, and translates group errors into channel errors, as `channels.service.guard` does."""
    return _CHANNEL_ERRORS
