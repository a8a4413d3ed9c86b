"""Why the server closes a socket, and whether the client should come back."""

from enum import IntEnum
from typing import Final

CLOSE_SECONDS: Final = 2.0  # how long a client may take to read its close frame


class CloseCode(IntEnum):
    """Close codes of the socket: 1001 and 40xx mean reconnect, 45xx do not before something has changed."""

    GOING_AWAY = 1001
    """The server stops; reconnect, another process answers."""
    AUTH_TIMEOUT = 4000
    """No `auth` frame came in time; reconnect."""
    TOKEN_EXPIRED = 4001
    """The token's time is over; reconnect with a new one."""
    SLOW = 4002
    """The client read too slowly and missed events; reconnect and repair by seq."""
    RESYNC = 4003
    """The server itself missed events; reconnect and repair by seq."""
    FLOOD = 4004
    """The client sent too many frames; reconnect, and send fewer."""
    BAD_TOKEN = 4500
    """The token is not valid here; do not reconnect with it."""
    BAD_FRAME = 4501
    """A frame that is not text; do not reconnect before mending that. One too large ends in the protocol's own 1009."""

    REPLACED = 4502
    """The user has as many sockets as he may have, and this one was the oldest; do not reconnect by itself."""

    @property
    def should_reconnect(self) -> bool:
        """Whether the same client may simply come back."""
        return self < CloseCode.BAD_TOKEN
